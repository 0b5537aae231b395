/* SPDX-License-Identifier: MIT */
/* repair.h - what is done in one mount namespace. */
#ifndef LXCFSD_REPAIR_H
#define LXCFSD_REPAIR_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "attach.h"

#define SCENE_OTHERS_MAX 32
#define SCENE_ROOTS	 "/containers"

/* What is mounted in our own namespace. */
struct scene {
	const struct attach_job *job;
	char living[32];	   /* the mount's device; "": there is none */
	char inner[32];		   /* of the one within it; "": there is none */
	char below[CONN_ROOT_MAX]; /* where that is in the tree */
	char roots[32];		   /* likewise, of that with the containers' own roots */
	/* devices of our type that are mounted as a whole elsewhere: another lxcfs's */
	char others[SCENE_OTHERS_MAX][32];
	unsigned int other_count;
	bool last; /* nobody comes again to do what is left */
};

/* What is to be mounted where: written down before the dead one is taken off.  When that
 * is gone, no table says any more that there was something. */
struct repair_owed {
	_Atomic uint32_t set;
	unsigned int attrs;
	bool with_inner; /* with what is mounted in it */
	char device[32];
	char part[PATH_MAX];
	char point[PATH_MAX];
};

/* What a child does, for its parent to see. */
struct repair_part {
	struct attach_result result;
	struct repair_owed owed; /* while it is: a bad moment to be killed */
	_Atomic uint32_t again;	 /* something was left for the last time */
};

/* Repairs what is dead in the namespace `ns_fd`, and counts.  Changes the caller's
 * mount namespace, and may hang: for a child with a time limit.  `own`: it is the one
 * that the caller is in.  What `part` says is owed there is done first. */
void repair_namespace(const struct scene *scene, int ns_fd, bool own, struct repair_part *part);

#endif
