/* SPDX-License-Identifier: MIT */
/* layout.h - which cgroup hierarchies this machine has, and which of them
 * carries which controller.  Read once; constant afterwards. */
#ifndef LXCFSD_LAYOUT_H
#define LXCFSD_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lxcfsd/plugin.h>

#include "roots.h"

/* The kernel has 14 controllers for v1; named hierarchies come on top. */
#define HIERARCHIES_MAX	  16
#define HIERARCHY_KEY_MAX 128
#define CONTROLLER_COUNT  7

struct hierarchy {
	char key[HIERARCHY_KEY_MAX]; /* v1: sorted, "cpu,cpuacct", "name=x"; v2: "" */
	bool v2;
	uint32_t controllers; /* enum lxcfsd_controller */
	char *top;	      /* the cgroup that is mounted, "/" mostly */
	int fd;		      /* its directory, O_PATH; -1: out of reach */
	unsigned int index;
};

struct layout {
	struct hierarchy list[HIERARCHIES_MAX];
	unsigned int count;
};

int layout_read(struct layout *layout, const struct roots *roots);
void layout_done(struct layout *layout);

/* The one that carries `controller` (one bit), or NULL. */
const struct hierarchy *layout_find(const struct layout *layout, uint32_t controller);

/* By the controllers of a line of /proc/PID/cgroup ("" is cgroup2's), or NULL. */
const struct hierarchy *layout_by_controllers(const struct layout *layout,
					      struct lxcfsd_text controllers);

/* `path` relative to what is mounted: no '/' in front, "" for the mount's own
 * directory.  False when the mount does not show it. */
bool hierarchy_below(const struct hierarchy *hierarchy, struct lxcfsd_text path,
		     struct lxcfsd_text *ret);

/* The directory of `path`, O_PATH.  -ENOENT when there is none to be seen. */
int hierarchy_open(const struct hierarchy *hierarchy, struct lxcfsd_text path);

#endif
