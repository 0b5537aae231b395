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

#include <stdbool.h>
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
	/* worker, before READY, more than once if need be: what its plugins serve, a line
	 * "PLUGIN\tPATH" each, of a tree with a "/" at its end; they are numbered from 0 */
	WIRE_FILES = 16,
	/* keeper: hold these for whoever comes after us, instead of earlier ones; with fds
	   and, as text, a word for each of them */
	WIRE_KEEP = 24,
	WIRE_ADOPTED, /* worker without a keeper, to a new one: what it was given to hold */
};

#define WIRE_TEXT_MAX 32768

/* A worker's exit status when the connection to the kernel is gone. */
#define WORKER_EXIT_GONE 42
#define WIRE_FDS_MAX	 16

/* Which dead mounts the keeper replaces in containers by itself. */
enum wire_reattach { WIRE_REATTACH_ALL, WIRE_REATTACH_OWN, WIRE_REATTACH_NO };

/* What the keeper needs to know of the configuration. */
struct wire_ready {
	uint32_t ready_timeout_ms;
	uint32_t drain_ms;
	uint32_t plugins; /* switched on */
	uint32_t log_level;
	char mountpoint[4096];
	char inner[CONN_ROOT_MAX]; /* the directory that needs a connection of its own;
				      "": none does */
	uint32_t request_timeout_ms;
	uint32_t hide_host;	   /* what cannot be made is an error, not the host's */
	uint32_t reattach;	   /* enum wire_reattach */
	uint32_t standby;	   /* another one is to be loaded in reserve */
	char roots[CONN_ROOT_MAX]; /* the directory of the containers' own roots; "": none */
};

#define QUARANTINE_MAX 32

struct wire_go {
	uint32_t generation;
	uint32_t conns;
	/* Files whose plugins are not to be asked: numbers in WIRE_FILES + 1; 0 ends. */
	uint32_t quarantined[QUARANTINE_MAX];
	uint32_t hide_host; /* for lxcfsd-safe, as the last worker said it */
	uint32_t roots;	    /* the last connection is CONN_ROOTS */
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
/* Of GO: which connection its fd number `i` (from 2 on) is. */
static inline uint32_t wire_go_index(const struct wire_msg *msg, unsigned int i)
{
	return i + 1 == msg->fd_count && msg->go.roots ? CONN_ROOTS : CONN_INNER;
}
/* Closes what came with a message and is of no use. */
void wire_close_fds(struct wire_msg *msg);

/* A candidate waits for the keeper's GO.  False: it is not needed, or the keeper is gone. */
bool wire_await_go(int fd, struct wire_msg *ret);

#endif
