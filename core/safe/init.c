/* SPDX-License-Identifier: MIT */
/* init.c - what kernel and server agree upon, once in the life of a connection. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "safe.h"

#ifndef FUSE_ALLOW_IDMAP
#define FUSE_ALLOW_IDMAP (1ULL << 40)
#endif

#define MAX_WRITE (JOURNAL_BUF_SIZE - 4096)
#define MAX_PAGES 256

/* As a worker would have agreed, see fuse.c there: it is what all later ones live with. */
static size_t agree(const struct vault_conn *saved, struct fuse_out_header *head,
		    struct fuse_init_out *out)
{
	const struct fuse_in_header *in_head = (const void *)saved->init_in;
	const struct fuse_init_in *in = (const void *)(in_head + 1);
	bool extended =
		saved->init_in_len >= sizeof(*in_head) + sizeof(*in) && in->flags & FUSE_INIT_EXT;

	*out = (struct fuse_init_out){
		.major = FUSE_KERNEL_VERSION,
		.minor = 31,
		.max_readahead = in->max_readahead,
		.flags = in->flags & (FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES |
				      FUSE_AUTO_INVAL_DATA | FUSE_MAX_PAGES),
		.max_write = MAX_WRITE,
		.time_gran = 1,
		.max_pages = in->flags & FUSE_MAX_PAGES ? MAX_PAGES : 0,
	};
	if (extended) {
		out->flags |= FUSE_INIT_EXT;
		out->flags2 = in->flags2 & (uint32_t)(FUSE_ALLOW_IDMAP >> 32);
	}
	*head = (struct fuse_out_header){ .len = sizeof(*head) + sizeof(*out),
					  .unique = in_head->unique };
	return head->len;
}

int safe_init(struct safe *s, uint32_t conn, int fd)
{
	struct vault_conn *saved = &s->vault->conns[conn];
	struct {
		struct fuse_out_header head;
		struct fuse_init_out out;
	} answer_out;

	if (saved->init_in_len < sizeof(struct fuse_in_header) + 16 ||
	    saved->init_in_len > sizeof(saved->init_in))
		return -EINVAL;
	if (saved->init_out_len == 0 || saved->init_out_len > sizeof(saved->init_out)) {
		size_t len = agree(saved, &answer_out.head, &answer_out.out);

		memcpy(saved->init_out, &answer_out, len);
		atomic_thread_fence(memory_order_release);
		saved->init_out_len = (uint32_t)len;
	}
	/* answered long ago, mostly: the kernel knows of no such request then */
	if (write(fd, saved->init_out, saved->init_out_len) < 0 && errno != ENOENT)
		return -errno;
	return 0;
}
