/* SPDX-License-Identifier: MIT */
/* fuse_private.h - what fuse.c, which knows libfuse, and fuse_loop.c share. */
#ifndef LXCFSD_FUSE_PRIVATE_H
#define LXCFSD_FUSE_PRIVATE_H

#include <pthread.h>

#include "fuse.h"
#include "journal.h"
#include "overdue.h"

struct fuse_conn {
	struct fuse_conns *all;
	uint32_t index;
	uint32_t root; /* what node id 1 stands for */
	int fd;
	struct vault_conn *saved;
	struct fuse_session *session; /* NULL: there is no such connection */
	pthread_mutex_t first;	      /* of taking the first request while some are lost */
	bool lost;		      /* requests, with the journal: see lost.h */
	_Atomic unsigned int running; /* threads, without those that are held up */
	unsigned int wanted;
};

struct fuse_conns {
	struct server *server;
	struct journal journal;
	struct overdue overdue;
	_Atomic bool draining;
	struct fuse_conn list[VAULT_CONNS];
};

/* Makes the session, which has seen its INIT. */
int fuse_conn_open(struct fuse_conn *conn);
/* Waits for a request, which is read into `buf`, of this thread's slot of the journal.  Its
 * length in *ret_len; 0: the connection has ended; -errno. */
int fuse_conn_receive(struct fuse_conn *conn, void *buf, size_t *ret_len);
/* Answers it; one that has no reply is forgotten. */
void fuse_conn_answer(struct fuse_conn *conn, void *request, size_t len);

#endif
