/* SPDX-License-Identifier: MIT */
/* lost.c - see lost.h. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "lost.h"

/* Of Linux 6.9's <linux/fuse.h>: in flags2, and a notification. */
#define HAS_RESEND    (1u << 7)
#define NOTIFY_RESEND 7

#define UNIQUE_STEP 2
#define UNIQUE_MAX  (1ull << 56)
#define LAST	    (1u << 20) /* that many numbers are gone through: less than a second */
#define TIMES_MAX   1000       /* nobody is a suspect that often */

/* Of each operation that a reader can cause: how long its arguments are at least, and how
 * many names follow. */
static const struct {
	uint32_t opcode, size, names;
} known[] = {
	{ FUSE_LOOKUP, 0, 1 },
	{ FUSE_FORGET, sizeof(struct fuse_forget_in), 0 },
	{ FUSE_GETATTR, sizeof(struct fuse_getattr_in), 0 },
	{ FUSE_SETATTR, sizeof(struct fuse_setattr_in), 0 },
	{ FUSE_READLINK, 0, 0 },
	{ FUSE_SYMLINK, 0, 2 },
	{ FUSE_MKNOD, sizeof(struct fuse_mknod_in), 1 },
	{ FUSE_MKDIR, sizeof(struct fuse_mkdir_in), 1 },
	{ FUSE_UNLINK, 0, 1 },
	{ FUSE_RMDIR, 0, 1 },
	{ FUSE_RENAME, sizeof(struct fuse_rename_in), 2 },
	{ FUSE_LINK, sizeof(struct fuse_link_in), 1 },
	{ FUSE_OPEN, sizeof(struct fuse_open_in), 0 },
	{ FUSE_READ, sizeof(struct fuse_read_in), 0 },
	{ FUSE_WRITE, sizeof(struct fuse_write_in), 0 },
	{ FUSE_STATFS, 0, 0 },
	{ FUSE_RELEASE, sizeof(struct fuse_release_in), 0 },
	{ FUSE_FSYNC, sizeof(struct fuse_fsync_in), 0 },
	{ FUSE_SETXATTR, FUSE_COMPAT_SETXATTR_IN_SIZE, 1 },
	{ FUSE_GETXATTR, sizeof(struct fuse_getxattr_in), 1 },
	{ FUSE_LISTXATTR, sizeof(struct fuse_getxattr_in), 0 },
	{ FUSE_REMOVEXATTR, 0, 1 },
	{ FUSE_FLUSH, sizeof(struct fuse_flush_in), 0 },
	{ FUSE_OPENDIR, sizeof(struct fuse_open_in), 0 },
	{ FUSE_READDIR, sizeof(struct fuse_read_in), 0 },
	{ FUSE_RELEASEDIR, sizeof(struct fuse_release_in), 0 },
	{ FUSE_FSYNCDIR, sizeof(struct fuse_fsync_in), 0 },
	{ FUSE_GETLK, sizeof(struct fuse_lk_in), 0 },
	{ FUSE_SETLK, sizeof(struct fuse_lk_in), 0 },
	{ FUSE_SETLKW, sizeof(struct fuse_lk_in), 0 },
	{ FUSE_ACCESS, sizeof(struct fuse_access_in), 0 },
	{ FUSE_CREATE, sizeof(struct fuse_create_in), 1 },
	{ FUSE_INTERRUPT, sizeof(struct fuse_interrupt_in), 0 },
	{ FUSE_BMAP, sizeof(struct fuse_bmap_in), 0 },
	{ FUSE_DESTROY, 0, 0 },
	{ FUSE_IOCTL, sizeof(struct fuse_ioctl_in), 0 },
	{ FUSE_POLL, sizeof(struct fuse_poll_in), 0 },
	{ FUSE_BATCH_FORGET, sizeof(struct fuse_batch_forget_in), 0 },
	{ FUSE_FALLOCATE, sizeof(struct fuse_fallocate_in), 0 },
	{ FUSE_READDIRPLUS, sizeof(struct fuse_read_in), 0 },
	{ FUSE_RENAME2, sizeof(struct fuse_rename2_in), 2 },
	{ FUSE_LSEEK, sizeof(struct fuse_lseek_in), 0 },
	{ FUSE_COPY_FILE_RANGE, sizeof(struct fuse_copy_file_range_in), 0 },
	{ FUSE_SYNCFS, sizeof(struct fuse_syncfs_in), 0 },
	{ 51 /* TMPFILE */, sizeof(struct fuse_create_in), 1 },
	{ 52 /* STATX */, 24, 0 },
};

static bool has_names(const char *at, size_t len, uint32_t names)
{
	const char *end;

	for (; names > 0; names--) {
		end = memchr(at, '\0', len);
		if (!end)
			return false;
		len -= (size_t)(end + 1 - at);
		at = end + 1;
	}
	return true;
}

bool request_is_sound(const void *request, size_t len)
{
	const struct fuse_in_header *head = request;
	const char *arguments = (const char *)(head + 1);
	struct fuse_write_in write;
	size_t i = 0, left;

	if (len < sizeof(*head) || len > JOURNAL_BUF_SIZE || head->len != len)
		return false;
	left = len - sizeof(*head);
	while (i < sizeof(known) / sizeof(known[0]) && known[i].opcode != head->opcode)
		i++;
	if (i == sizeof(known) / sizeof(known[0]) || left < known[i].size)
		return false;
	if (head->opcode == FUSE_WRITE) {
		memcpy(&write, arguments, sizeof(write));
		return write.size <= left - sizeof(write);
	}
	return has_names(arguments + known[i].size, left - known[i].size, known[i].names);
}

/* ----------------------------------------------------------------- a slot */

static bool slot_is_sound(const struct journal *journal, const struct journal_slot *slot)
{
	const struct fuse_in_header *head = (const void *)slot->buf;
	uint32_t owner = atomic_load(&slot->owner);

	if (owner != JOURNAL_PENDING && owner > journal->generation)
		return false;
	if (slot->conn >= VAULT_CONNS || slot->tried > 1 || slot->faults > TIMES_MAX ||
	    slot->deaths > TIMES_MAX)
		return false;
	if (!head->unique)
		return true;
	return (head->unique & ~JOURNAL_RESENT) < UNIQUE_MAX && head->unique % UNIQUE_STEP == 0 &&
	       request_is_sound(head, head->len);
}

/* The generation that has ended has taken requests, so it had slots. */
static bool left_nothing(const struct journal *journal)
{
	uint32_t dead = atomic_load(&journal->vault->dead);

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
		if (atomic_load(&journal->slots[i].owner))
			return false;
	return dead > 0;
}

bool lost_some(const struct journal *journal)
{
	const char *vault = (const char *)journal->vault, *slots = (const char *)journal->slots;

	if (slots < vault || slots >= vault + VAULT_SIZE)
		return false; /* none is kept there */
	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
		if (!slot_is_sound(journal, &journal->slots[i]))
			return true;
	return left_nothing(journal);
}

void lost_forget(struct journal *journal, bool all)
{
	uint32_t unreaped = atomic_load(&journal->vault->unreaped);

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &journal->slots[i];

		if (unreaped && atomic_load(&slot->owner) == unreaped)
			continue; /* the kernel may write there: see journal.h */
		if (all || !slot_is_sound(journal, slot))
			memset(slot, 0, offsetof(struct journal_slot, buf) + 4096);
	}
}

/* ------------------------------------------------------------- the kernel */

bool lost_resend(int fd, const struct vault_conn *conn)
{
	struct fuse_out_header resend = { .len = sizeof(resend), .error = NOTIFY_RESEND };
	struct fuse_init_in in;

	if (conn->init_in_len < sizeof(struct fuse_in_header) + sizeof(in))
		return false;
	memcpy(&in, conn->init_in + sizeof(struct fuse_in_header), sizeof(in));
	return in.flags & FUSE_INIT_EXT && in.flags2 & HAS_RESEND &&
	       write(fd, &resend, sizeof(resend)) == sizeof(resend);
}

static bool is_in_hand(const struct journal *journal, uint32_t conn, uint64_t unique)
{
	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		const struct journal_slot *slot = &journal->slots[i];
		const struct fuse_in_header *head = (const void *)slot->buf;

		if (head->unique == unique && slot->conn == conn && atomic_load(&slot->owner))
			return true;
	}
	return false;
}

unsigned int lost_end(struct journal *journal, uint32_t conn, uint64_t unique)
{
	struct fuse_out_header reply = { .len = sizeof(reply), .error = -EIO };
	int fd = atomic_load(&journal->fds[conn]);
	unsigned int ended = 0;

	unique &= ~JOURNAL_RESENT;
	for (uint32_t i = 0; i < LAST && unique > UNIQUE_STEP; i++) {
		unique -= UNIQUE_STEP;
		reply.unique = unique;
		if (!is_in_hand(journal, conn, unique) &&
		    write(fd, &reply, sizeof(reply)) == sizeof(reply))
			ended++;
	}
	return ended;
}
