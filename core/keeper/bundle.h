/* SPDX-License-Identifier: MIT */
/*
 * bundle.h - the file descriptors that a keeper leaves to its successor, by name.
 *
 * There are three ways to a successor: execve() of our own new program, systemd's store of
 * file descriptors, and a worker that has lost its keeper and holds them.  All three carry
 * names, and unknown ones are closed: a release may know more than another.
 */
#ifndef LXCFSD_BUNDLE_H
#define LXCFSD_BUNDLE_H

#include <stdint.h>

#include "wire.h"

/* Appended only: a set of them is part of the state.  What is missing is -1. */
enum kept {
	KEPT_STATE, /* see state.h */
	KEPT_VAULT,
	KEPT_FUSE,  /* the plain connection */
	KEPT_LOCK,  /* the directory below the mount */
	KEPT_TREE,  /* a copy of the mount */
	KEPT_INNER, /* the connection of the inner mount */
	KEPT_INNER_TREE,
	KEPT_EXE, /* what the worker is made of */
	KEPT_SET,
	KEPT_LISTEN, /* where a worker without a keeper is found */
	/* these are of use for the same process alone: */
	KEPT_CONTROL, /* of the worker */
	KEPT_RUNTIME,
	KEPT_PIDFILE,
	/* and these again of use for all: the connection of the containers' roots */
	KEPT_ROOTS,
	KEPT_ROOTS_TREE,
	KEPT_COUNT,
};

#define KEPT(which) (1u << KEPT_##which)

enum bundle_source { FROM_NOBODY, FROM_EXEC, FROM_STORE, FROM_ORPHAN };

struct bundle {
	enum bundle_source source;
	int fds[KEPT_COUNT];
};

const char *bundle_name(enum kept which);
void bundle_init(struct bundle *bundle);
/* Closes what is still in it. */
void bundle_done(struct bundle *bundle);
/* Takes one out of it. */
int bundle_take(struct bundle *bundle, enum kept which);

/* What this process had before it executed this program, if it did. */
void bundle_from_exec(struct bundle *ret);
/* What systemd has kept for us.  Closes every other file but the standard ones. */
void bundle_from_store(struct bundle *ret);
/* What a message carries, whose text has a name for each. */
void bundle_from_message(struct bundle *ret, struct wire_msg *msg);

/* Makes bundle_from_exec() of what is executed next find those of `which`. */
int bundle_to_exec(const struct bundle *bundle, uint32_t which);
/* The exec has failed: they are ours again. */
void bundle_not_executed(const struct bundle *bundle);
int bundle_send(const struct bundle *bundle, uint32_t which, int sock, uint32_t type);

#endif
