/* SPDX-License-Identifier: MIT */
/*
 * cgroup_rules.h - what a container may ask to be changed in its cgroups.
 *
 * The kernel says no to what the caller has no permission for.  This is what must not even
 * be asked, because the kernel would allow it to whoever owns the files: the container's
 * own limits; what is a way out of it; and hierarchies of cgroup v1 whose limits do not
 * hold for cgroups below.
 */
#ifndef LXCFSD_CGROUP_RULES_H
#define LXCFSD_CGROUP_RULES_H

#include <stdbool.h>
#include <stdint.h>

/*
 * `hierarchy`: "" is cgroup2, else the controllers of one of cgroup v1 ("cpu,cpuacct") or
 * its name.  `rest` is what is to be changed, below the container's own cgroup; `is_dir`:
 * it is a cgroup.  `kind` as of struct lxcfsd_change.  0, or -EPERM.
 */
int cgroup_rules_check(const char *hierarchy, const char *rest, bool is_dir, uint32_t kind);
/* It brings processes into a cgroup below, or makes that: where limits must hold, too. */
bool cgroup_rules_goes_below(const char *rest, uint32_t kind);

#endif
