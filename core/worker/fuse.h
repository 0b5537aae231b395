/* SPDX-License-Identifier: MIT */
/*
 * fuse.h - the connection to the kernel.
 *
 * libfuse's low-level API with our own device, our own loop and our own journal:
 * the stock loops drop a request that was read while the session is told to end.
 */
#ifndef LXCFSD_FUSE_H
#define LXCFSD_FUSE_H

#include "journal.h"
#include "serve.h"

struct fuse_conn;

/* A session on `fd` that has seen the connection's INIT. */
int fuse_conn_open(struct server *server, struct vault_conn *saved, int fd, bool keep_journal,
		   struct fuse_conn **ret);
/* How many requests the one before has left, which the threads answer first. */
unsigned int fuse_conn_left(struct fuse_conn *conn);
/* Starts the threads that take requests. */
int fuse_conn_start(struct fuse_conn *conn, unsigned int threads);
/* No more requests are taken; returns when all that were taken are answered. */
void fuse_conn_drain(struct fuse_conn *conn);

#endif
