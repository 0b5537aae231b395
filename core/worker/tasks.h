/* SPDX-License-Identifier: MIT */
/* tasks.h - the threads of a container. */
#ifndef LXCFSD_TASKS_H
#define LXCFSD_TASKS_H

#include <stdint.h>

struct model;
struct subject;

struct tasks {
	uint32_t threads;
	uint32_t running;    /* or ready to run */
	uint32_t blocked;    /* wait uninterruptibly */
	uint32_t last_pid;   /* of the youngest, in the container's numbering; 0: not known */
	uint64_t last_start; /* its, clock ticks since boot */
};

/* All in its cgroup and below, as far as they can be looked at with `slice_ns` of CPU time,
 * or ten times that where the machine does not give it; at least the first in its own
 * cgroup is.  -ESRCH: there is no such cgroup. */
int tasks_count(struct model *model, const struct subject *subject, uint64_t slice_ns,
		struct tasks *ret);

#endif
