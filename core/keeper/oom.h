/* SPDX-License-Identifier: MIT */
/*
 * oom.h - who is to be killed when memory runs out: a worker, whose death nobody notices,
 * rather than the keeper.
 *
 * Where the privilege is missing (CAP_SYS_RESOURCE) the keeper's score stays as it is, and
 * a worker's is higher.  How much that is depends on where memory runs out: 100 is a tenth
 * of it (mm/oom_kill.c, oom_badness), in a cgroup of 16 MiB not more than a keeper has and a
 * worker that has just begun has not.  So there a worker is the first to go until it serves.
 * In a cgroup of less than 1,000 pages (4 MiB) the kernel knows no score but -1000, and
 * without the privilege the keeper can be killed.
 * (A score may be lowered without the privilege to what it has once been with it:
 * oom_score_adj_min, fs/proc/base.c.)
 */
#ifndef LXCFSD_OOM_H
#define LXCFSD_OOM_H

#include <sys/types.h>

/* The keeper: never, unless somebody has chosen otherwise (OOMScoreAdjust in the unit). */
void oom_protect(void);
/* In a child that becomes a worker: before the keeper, whatever that has. */
void oom_expose(void);
/* In the keeper, when a worker is to serve: it is no longer the first of the whole machine. */
void oom_settle(pid_t worker);

#endif
