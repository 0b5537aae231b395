/* SPDX-License-Identifier: MIT */
/*
 * fuse.h - the connection to the kernel.
 *
 * libfuse's low-level API with our own device, our own loop and our own journal:
 * the stock loops drop a request that was read while the session is told to end.
 */
#ifndef LXCFSD_FUSE_H
#define LXCFSD_FUSE_H

#include "serve.h"

struct fuse_conns;

/* Nothing is taken and nothing answered yet. */
int fuse_conns_new(struct server *server, bool keep_journal, struct fuse_conns **ret);
/* Connection `index` of the vault on `fd`: a session that has seen its INIT. */
int fuse_conns_add(struct fuse_conns *conns, uint32_t index, int fd);
/* How many requests the one before has left, which the threads answer first.  When all
 * connections are there. */
unsigned int fuse_conns_left(struct fuse_conns *conns);
/* Starts the threads that take requests of one connection. */
int fuse_conns_start(struct fuse_conns *conns, uint32_t index, unsigned int threads);
/* From now on a request has `limit_ns`, see overdue.h. */
int fuse_conns_watch(struct fuse_conns *conns, uint64_t limit_ns);
/* No more requests are taken; returns when all that were taken
 * are answered, by their threads or in their place. */
void fuse_conns_drain(struct fuse_conns *conns);
/* After that: requests are taken as before. */
void fuse_conns_resume(struct fuse_conns *conns);
/* Wakes who sleeps in poll(2), by the name that the kernel gave him. */
void fuse_conns_wake(void *conns, uint64_t sleeper);

#endif
