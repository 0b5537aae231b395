/* SPDX-License-Identifier: MIT */
/* oom.h - who is to be killed when memory runs out: a worker, whose death nobody notices,
 * rather than the keeper.  Where the privilege is missing (CAP_SYS_RESOURCE), the keeper's
 * score stays as it is, and a worker's is still the higher one. */
#ifndef LXCFSD_OOM_H
#define LXCFSD_OOM_H

/* The keeper: never, unless somebody has chosen otherwise (OOMScoreAdjust in the unit). */
void oom_protect(void);
/* In a child that becomes a worker: before the keeper. */
void oom_expose(void);

#endif
