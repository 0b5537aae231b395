/* SPDX-License-Identifier: MIT */
/* cgroup_rules.c - see cgroup_rules.h. */
#include <errno.h>
#include <string.h>

#include <lxcfsd/plugin.h>

#include "cgroup_rules.h"

/* Of cgroup v1.  A throttle of blkio counts for one cgroup, not for those below it
 * (block/blk-throttle.c: hierarchical on the default hierarchy alone); the classes of
 * network packets mean what the host has made of them. */
static const char *const refused_controllers[] = { "blkio", "net_cls", "net_prio", "debug" };

/* Programs that the host runs, devices, descriptors of whoever writes (they would be ours),
 * triggers that live as long as the file is open, and what undoes the limits above. */
static const char *const refused_names[] = { "release_agent", "notify_on_release",
					     "cgroup.event_control", "memory.use_hierarchy" };
static const char *const refused_prefixes[] = { "devices.", "net_cls.", "net_prio.", "blkio.",
						"debug." };

/* What the kernel counts as delegated (Documentation/admin-guide/cgroup-v2.rst, Model of
 * Delegation), of the container's own cgroup; `tasks` is cgroup v1's. */
static const char *const delegated[] = { "cgroup.procs", "cgroup.threads", "tasks",
					 "cgroup.subtree_control" };

static bool is_one_of(const char *name, size_t len, const char *const list[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(list[i]) == len && memcmp(list[i], name, len) == 0)
			return true;
	return false;
}

#define IS_ONE_OF(name, list) is_one_of(name, strlen(name), list, LXCFSD_COUNT(list))

static bool has_refused_controller(const char *hierarchy)
{
	while (*hierarchy) {
		size_t len = strcspn(hierarchy, ",");

		if (is_one_of(hierarchy, len, refused_controllers,
			      LXCFSD_COUNT(refused_controllers)))
			return true;
		hierarchy += len + (hierarchy[len] == ',');
	}
	return false;
}

static const char *last(const char *rest)
{
	const char *slash = strrchr(rest, '/');

	return slash ? slash + 1 : rest;
}

static bool is_refused_file(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < LXCFSD_COUNT(refused_prefixes); i++)
		if (strncmp(name, refused_prefixes[i], strlen(refused_prefixes[i])) == 0)
			return true;
	return IS_ONE_OF(name, refused_names) ||
	       (len > 9 && strcmp(name + len - 9, ".pressure") == 0);
}

int cgroup_rules_check(const char *hierarchy, const char *rest, bool is_dir, uint32_t kind)
{
	bool own = !strchr(rest, '/');
	const char *name = last(rest);

	if (!*rest || has_refused_controller(hierarchy))
		return -EPERM;
	if (kind == LXCFSD_CHANGE_MKDIR || kind == LXCFSD_CHANGE_RMDIR || is_dir)
		return 0;
	if (is_refused_file(name))
		return -EPERM;
	if (own && !((kind == LXCFSD_CHANGE_OPEN || kind == LXCFSD_CHANGE_WRITE) &&
		     IS_ONE_OF(name, delegated)))
		return -EPERM;
	return 0;
}

bool cgroup_rules_goes_below(const char *rest, uint32_t kind)
{
	const char *name = last(rest);

	return kind == LXCFSD_CHANGE_MKDIR ||
	       (kind == LXCFSD_CHANGE_WRITE && strchr(rest, '/') &&
		(!strcmp(name, "cgroup.procs") || !strcmp(name, "tasks")));
}
