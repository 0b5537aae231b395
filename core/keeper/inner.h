/* SPDX-License-Identifier: MIT */
/*
 * inner.h - the mount within ours: a directory on a connection of its own.
 *
 * Theory of operation.  The connection is made without the mount being anywhere
 * (fsopen, fsmount), so a worker can serve it before anybody sees it.  To put it in its
 * place takes a walk through our own file system, which hangs when nobody serves:
 * a child does that, and is killed when it takes too long.  Whatever becomes of the
 * child, no dead mount is left behind: it moves a mount that we hold.
 *
 * It is taken off with the one that it is in, which needs no walk.  A failure is a
 * warning: below it the plain mount has the same files, for reading.
 */
#ifndef LXCFSD_INNER_H
#define LXCFSD_INNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "mount.h"
#include "vault.h"

struct inner {
	uint32_t conn;			 /* CONN_INNER, CONN_ROOTS */
	char path[4096 + CONN_ROOT_MAX]; /* where it belongs; "": there is none */
	int fuse_fd;			 /* -1: there is no connection */
	int tree_fd;			 /* the mount, or a copy that nobody can take off */
	char device[32];		 /* as in mountinfo; "": it was nowhere yet */
	char stale[32];			 /* of one that is dead and is to be taken off */
	pid_t child;			 /* it walks; 0: none does */
	uint64_t since_ns;		 /* when the child was started */
	bool killed;
	bool failed; /* said already */
	unsigned int remounts;
	uint64_t remounted_ns;
};

#define INNER_NONE(which)                                                                          \
	{                                                                                          \
		.conn = (which), .fuse_fd = -1, .tree_fd = -1                                      \
	}

/* Makes the connection for `below` (a directory of ours, "/proc/pressure"). */
int inner_open(struct inner *inner, const struct mount *mount, struct vault_header *vault,
	       const char *below);
/* Sees to it that it is where it belongs, if it is anywhere: starts a child, if need be. */
void inner_attach(struct inner *inner);
/* A process has ended: was it the child?  Then its work is looked at. */
bool inner_reaped(struct inner *inner, pid_t pid, int status);
/* Kills a child that takes too long; milliseconds until then, INT_MAX: never. */
int inner_patience_ms(struct inner *inner, uint64_t now);
/* The connection was ended from outside. */
bool inner_is_gone(const struct inner *inner);
/* Forgets it.  `gone`: what is left of it in its place is dead, and is taken off when
 * the next one is attached; else it goes with the mount that it is in. */
void inner_drop(struct inner *inner, bool gone);

#endif
