/* SPDX-License-Identifier: MIT */
/* path.c - see path.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "path.h"
#include "text.h"

/* <linux/openat2.h> is younger than some of the libcs we build with. */
struct how {
	uint64_t flags;
	uint64_t mode;
	uint64_t resolve;
};
#define HOW_NO_MAGICLINKS 0x02
#define HOW_NO_SYMLINKS	  0x04
#define HOW_BENEATH	  0x08
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

bool path_is_clean(struct lxcfsd_text path)
{
	struct lxcfsd_text rest, part;

	if (path.len == 0 || path.len > PATH_BYTES_MAX || path.data[0] != '/')
		return false;
	if (memchr(path.data, '\0', path.len) || memchr(path.data, '\n', path.len))
		return false;
	if (path.len == 1)
		return true;
	if (path.data[path.len - 1] == '/')
		return false;
	rest = (struct lxcfsd_text){ path.data + 1, path.len - 1 };
	while (text_until(&rest, '/', &part))
		if (part.len == 0 || text_is(part, ".") || text_is(part, ".."))
			return false;
	return true;
}

bool path_at_or_below(struct lxcfsd_text path, struct lxcfsd_text top)
{
	if (top.len == 1 && path.len >= 1)
		return top.data[0] == '/' && path.data[0] == '/';
	if (path.len < top.len || memcmp(path.data, top.data, top.len) != 0)
		return false;
	return path.len == top.len || path.data[top.len] == '/';
}

struct lxcfsd_text path_last(struct lxcfsd_text path)
{
	const char *slash = memrchr(path.data, '/', path.len);

	return (struct lxcfsd_text){ slash + 1, path.len - (size_t)(slash + 1 - path.data) };
}

struct lxcfsd_text path_parent(struct lxcfsd_text path)
{
	const char *slash = memrchr(path.data, '/', path.len);

	path.len = slash == path.data ? 1 : (size_t)(slash - path.data);
	return path;
}

struct lxcfsd_text path_cut(struct lxcfsd_text path, unsigned int components, size_t bytes)
{
	size_t end = path.len;

	for (size_t i = 1; i <= path.len; i++) {
		if (i < path.len && path.data[i] != '/')
			continue;
		if (i > bytes || components-- == 0)
			break;
		end = i;
		if (i == path.len)
			return path;
	}
	/* not even one component fits: the root */
	path.len = end == path.len ? 1 : end;
	return path;
}

int path_open(int dirfd, const char *path, int flags, enum path_links links)
{
	static atomic_bool lacking;
	struct how how = {
		.flags = (uint64_t)(unsigned int)(flags | O_CLOEXEC),
		.resolve = HOW_BENEATH | HOW_NO_MAGICLINKS |
			   (links == PATH_LINKS ? 0 : HOW_NO_SYMLINKS),
	};
	int fd = -1;

	if (!atomic_load_explicit(&lacking, memory_order_relaxed)) {
		do /* EAGAIN: something was renamed meanwhile */
			fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof(how));
		while (fd < 0 && (errno == EINTR || errno == EAGAIN));
		if (fd >= 0)
			return fd;
		if (errno != ENOSYS && errno != EPERM)
			return -errno;
		if (errno == ENOSYS)
			atomic_store_explicit(&lacking, true, memory_order_relaxed);
		/* a filter of system calls says EPERM to what it does not know */
	}
	fd = openat(dirfd, path, flags | O_CLOEXEC | (links == PATH_LINKS ? 0 : O_NOFOLLOW));
	return fd < 0 ? -errno : fd;
}
