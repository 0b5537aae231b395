/* SPDX-License-Identifier: MIT */
/*
 * reattach.h - when containers are given living files for dead ones.
 *
 * Theory of operation.  After our connection was ended from outside, and at the first
 * start for what a lxcfs has left behind, attach_run() (attach.h) is run in a child, as
 * soon as somebody serves.  The child says how it went in memory shared with it.  What
 * could not be mended is tried again, three times.
 */
#ifndef LXCFSD_REATTACH_H
#define LXCFSD_REATTACH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "attach.h"

#define REATTACH_DEAD_MAX 32

struct reattach {
	/* file systems of ours that were ended, as far as they may still be mounted */
	struct attach_dead dead[REATTACH_DEAD_MAX];
	unsigned int dead_count;
	bool own_wanted;  /* replace these */
	bool all_wanted;  /* whatever is dead */
	uint64_t next_ns; /* not before */
	unsigned int tries;
	pid_t child; /* 0: none */
	bool child_all;
	bool killed;
	uint64_t since_ns;
	struct attach_result *shared; /* with the child */
	/* for the status */
	unsigned int aborts;	   /* connections ended from outside */
	unsigned int runs;	   /* that have ended */
	uint64_t repaired;	   /* mounts, in all runs */
	struct attach_result last; /* of the last run that came to its end */
};

/* The file system `device`, whose root in the tree is `below`, was ended. */
void reattach_lost(struct reattach *re, const char *device, const char *below);

/* Whatever is dead is to be replaced. */
void reattach_all(struct reattach *re);

/* Starts or kills the child.  `serving`: the mount on `path` can be walked.  `policy`:
 * enum wire_reattach.  Milliseconds until it is to be called again, INT_MAX: never. */
int reattach_step(struct reattach *re, const char *path, bool serving, uint32_t policy,
		  uint64_t now);

/* A process has ended: was it the child? */
bool reattach_reaped(struct reattach *re, pid_t pid, int status);

/* Gives up. */
void reattach_end(struct reattach *re);

#endif
