/* SPDX-License-Identifier: MIT */
/* take.h - takes over what another keeper has left; part of handover.c. */
#ifndef LXCFSD_TAKE_H
#define LXCFSD_TAKE_H

#include "bundle.h"

struct keeper;

/* Where a descriptor of a bundle belongs. */
int *take_place(struct keeper *k, enum kept which);
/* When a process was started, in ticks since boot. */
int take_start_time(pid_t pid, uint64_t *ret);

#endif
