/* SPDX-License-Identifier: MIT */
/* oom.h - who is to be killed when memory runs out: a worker, whose death nobody notices,
 * rather than the keeper.  Where the privilege is missing (CAP_SYS_RESOURCE), nothing is
 * changed. */
#ifndef LXCFSD_OOM_H
#define LXCFSD_OOM_H

/* The keeper: never, unless somebody has chosen otherwise (OOMScoreAdjust in the unit). */
void oom_protect(void);
/* In a child that becomes a worker: before the keeper, but not because of others. */
void oom_expose(void);

#endif
