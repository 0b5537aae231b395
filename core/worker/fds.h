/* SPDX-License-Identifier: MIT */
/*
 * fds.h - file descriptors that are kept because pread is cheaper than open.
 *
 * A kept cgroup file costs some 6 kB of kernel memory, so there is a budget, and
 * what nobody has read for a while is closed.
 *
 * Invariant: held->fd is touched only under held->lock, which its owner also
 * holds while it reads; the pool's lock is taken inside it and never the other
 * way round (the pool only tries the lock of a victim).
 */
#ifndef LXCFSD_FDS_H
#define LXCFSD_FDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct held {
	pthread_mutex_t lock;
	int fd; /* -1: not open */
	struct held *newer, *older;
	uint64_t used_ns;
	bool listed;
};

struct fds {
	pthread_mutex_t lock;
	struct held *newest, *oldest;
	size_t count;
	size_t max;
};

void fds_init(struct fds *fds, size_t max);
void fds_done(struct fds *fds);

void held_init(struct held *held);
void held_done(struct fds *fds, struct held *held);

/* `held`, locked by the caller, was just read: kept when the budget allows, for
 * which the one that was unread for longest may have to go; else closed. */
void held_used(struct fds *fds, struct held *held);
/* Closes; `held` is locked by the caller. */
void held_close(struct fds *fds, struct held *held);

/* Closes what has not been read since `before_ns`. */
void fds_tidy(struct fds *fds, uint64_t before_ns);
size_t fds_count(struct fds *fds);

#endif
