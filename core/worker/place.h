/* SPDX-License-Identifier: MIT */
/* place.h - where this process runs decides whom it can tell apart. */
#ifndef LXCFSD_PLACE_H
#define LXCFSD_PLACE_H

#include "config.h"
#include "problems.h"

/* In the namespaces of a container, readers outside are not visible and their cgroups
 * have no names; that is a problem unless settings.cgroup_root says that only what is
 * in there is to be served. */
void place_check(const struct settings *settings, struct problems *problems);

#endif
