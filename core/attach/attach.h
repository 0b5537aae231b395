/* SPDX-License-Identifier: MIT */
/*
 * attach.h - gives containers living files for dead ones, while they run.
 *
 * A bind of a file system whose connection has ended (ENOTCONN) stays dead for ever.
 * attach_run() looks into every mount namespace that a process is in, and puts a bind
 * of the living mount where a dead one is: the same part of the tree, in the same place.
 * Files that processes have open stay dead: they must be opened again.
 *
 * What must walk may hang, on a file system of the container's own: each namespace is
 * the matter of a child, which is killed when it takes too long (repair.h).
 */
#ifndef LXCFSD_ATTACH_H
#define LXCFSD_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "vault.h"

/* A file system that is known to be dead. */
struct attach_dead {
	char device[32];	   /* as in mountinfo */
	char below[CONN_ROOT_MAX]; /* its root in the tree: "", "/proc/pressure" */
};

struct attach_job {
	const char *mountpoint; /* of the living one, in our own mount namespace */
	const struct attach_dead *dead;
	unsigned int dead_count; /* 0: all mounts of our type that turn out to be dead */
	bool others; /* then also those of a lxcfs with another mount point of its own */
};

/* Counts; each mount that was dead is in one of the first three. */
struct attach_result {
	uint32_t repaired;
	uint32_t failed; /* stay dead; `reason` is of the first */
	uint32_t hidden; /* something else is mounted over them: left alone */
	uint32_t spaces; /* mount namespaces that were looked into */
	uint32_t helped; /* those of them in which something was repaired */
	uint32_t slow;	 /* those that were given up: too slow, or they hang */
	uint32_t left;	 /* those that were not looked into: too many, or no time */
	char reason[256];
};

/* -ENOENT: nothing is mounted on the mount point. */
int attach_run(const struct attach_job *job, struct attach_result *ret);

/* Is there nothing left that another try could mend? */
bool attach_complete(const struct attach_result *result);

/* One line for people, without a newline. */
void attach_describe(const struct attach_result *result, char *buf, size_t size);

#endif
