/* SPDX-License-Identifier: MIT */
/*
 * wire.h - what keeper and worker say to each other.
 *
 * A SOCK_SEQPACKET socket, made by the keeper, inherited by the worker.  One
 * packet is one message: a head, a payload, and for GO the file descriptors.
 * Either side may be of another release after an upgrade, so payloads only grow
 * at the end: a receiver takes what it knows and reads the rest as 0.
 */
#ifndef LXCFSD_WIRE_H
#define LXCFSD_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "vault.h"

enum wire_type {
	WIRE_READY = 1, /* worker: configuration and plugins are good; with an fd: the
			   files that it is made of (0 fds: could not be recorded) */
	WIRE_FAILED,	/* worker: they are not; payload: lines of text */
	WIRE_GO,	/* keeper: serve; with fds: vault, then one per connection */
	WIRE_SERVING,	/* worker: its threads run; what the one before left comes first */
	WIRE_DRAIN,	/* keeper: take no more requests, finish, exit */
	WIRE_CONN,	/* keeper: serve one more connection; with its fd */
	/* keeper: hold these for whoever comes after us, instead of earlier ones; with fds
	   and, as text, a word for each of them */
	WIRE_KEEP = 24,
	WIRE_ADOPTED, /* worker without a keeper, to a new one: what it was given to hold */
};

#define WIRE_TEXT_MAX 32768

/* A worker's exit status when the connection to the kernel is gone. */
#define WORKER_EXIT_GONE 42
#define WIRE_FDS_MAX	 16

/* What the keeper needs to know of the configuration. */
struct wire_ready {
	uint32_t ready_timeout_ms;
	uint32_t drain_ms;
	uint32_t plugins; /* switched on */
	uint32_t log_level;
	char mountpoint[4096];
	char inner[CONN_ROOT_MAX]; /* the directory that needs a connection of its own;
				      "": none does */
};

struct wire_go {
	uint32_t generation;
	uint32_t conns;
};

struct wire_conn {
	uint32_t index;
};

struct wire_msg {
	uint32_t type;
	uint32_t len; /* of the payload, at most WIRE_TEXT_MAX */
	union {
		struct wire_ready ready;
		struct wire_go go;
		struct wire_conn conn;
		char text[WIRE_TEXT_MAX + 1]; /* NUL-terminated by wire_recv() */
	};
	int fds[WIRE_FDS_MAX];
	unsigned int fd_count;
};

int wire_send(int sock, uint32_t type, const void *payload, size_t len, const int *fds,
	      unsigned int fd_count);

/* One message; -EAGAIN when there is none (with MSG_DONTWAIT in `flags`),
 * -ECONNRESET when the other side is gone, -EPROTO for nonsense. */
int wire_recv(int sock, struct wire_msg *ret, int flags);
/* Closes what came with a message and is of no use. */
void wire_close_fds(struct wire_msg *msg);

#endif
