/* SPDX-License-Identifier: MIT */
/*
 * cgroup - /cgroup: the container's own part of the hierarchies, as if it were all.
 *
 * For containers without a cgroup namespace or mount, and for programs that look there.
 * On cgroup2 alone it is the container's cgroup itself; else there is a directory for each
 * hierarchy.  What is outside does not exist.  Nothing can be written in /cgroup: the kernel
 * shares the names there between all who see it.
 *
 * With write = delegated a container may change what is below its own cgroup, where that
 * was bound from its own root (/containers/ID/cgroup): by the kernel's permissions for who
 * does it, but never what lib/cgroup_rules.h refuses.
 *
 * With layout = v1 a host with cgroup2 alone shows the files of cgroup v1 that programs
 * look for limits in, and no cgroups below: see lib/cgroup_v1.c.
 */
#include <lxcfsd/plugin.h>

#include "cgroup_rules.h"
#include "cgroup_v1.h"

enum { LAYOUT, WRITE };
enum { NATIVE, V1 };
enum { NOTHING, DELEGATED };

#define HIERARCHY_MAX 128

static bool is_v1(const struct lxcfsd_services *svc, const union lxcfsd_value values[],
		  struct lxcfsd_request *req)
{
	return values[LAYOUT].u == V1 && svc->cgroup_is_v2(req);
}

static int find(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		const char *below, struct lxcfsd_found *ret)
{
	const struct lxcfsd_services *svc = state;

	return is_v1(svc, values, req) ? cgroup_v1_find(svc, req, below, ret)
				       : svc->cgroup_find(req, below, ret);
}

static int list(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		const char *below, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;

	return is_v1(svc, values, req) ? cgroup_v1_list(svc, req, below, out)
				       : svc->cgroup_list(req, below, out);
}

static int render(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		  const char *below, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;

	return is_v1(svc, values, req) ? cgroup_v1_render(svc, req, below, out)
				       : svc->cgroup_copy(req, below, out);
}

static int link_target(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		       const char *below, struct lxcfsd_out *out)
{
	return is_v1(state, values, req) ? cgroup_v1_readlink(below, out) : -EINVAL;
}

/* What of `below` is the hierarchy, as of cgroup_rules_check(), and what is in it. */
static int split(bool v2, const char *below, char hierarchy[HIERARCHY_MAX], const char **ret_rest)
{
	size_t len = v2 ? 0 : strcspn(below, "/");

	if (len >= HIERARCHY_MAX)
		return -ENOENT;
	memcpy(hierarchy, below, len);
	hierarchy[len] = '\0';
	if (!v2)
		below += len + (below[len] == '/');
	if (strcmp(hierarchy, "unified") == 0)
		hierarchy[0] = '\0';
	*ret_rest = below;
	return 0;
}

/* Without memory.use_hierarchy (before Linux 5.11) a cgroup below has no limit of its
 * parent's. */
static bool is_hierarchical(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			    const char *below)
{
	char path[HIERARCHY_MAX + 32], text[16];
	struct lxcfsd_out out = { .buf = text, .cap = sizeof(text) };
	size_t len = strcspn(below, "/");

	if (len >= HIERARCHY_MAX)
		return false;
	memcpy(path, below, len);
	strcpy(path + len, "/memory.use_hierarchy");
	if (svc->cgroup_copy(req, path, &out) < 0)
		return true; /* it carries no memory, or the kernel knows it no other way */
	return out.err == 0 && out.len > 0 && text[0] == '1';
}

static int change(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		  const char *below, const struct lxcfsd_change *change)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_found found = { .entry = { LXCFSD_REG, 0 } };
	bool v2 = svc->cgroup_is_v2(req);
	char hierarchy[HIERARCHY_MAX];
	const char *rest;
	int r;

	if (values[WRITE].u != DELEGATED || is_v1(svc, values, req))
		return -EROFS;
	r = split(v2, below, hierarchy, &rest);
	if (r == 0 && (change->kind == LXCFSD_CHANGE_OWNER || change->kind == LXCFSD_CHANGE_MODE))
		r = svc->cgroup_find(req, below, &found);
	if (r == 0)
		r = cgroup_rules_check(hierarchy, rest, found.entry.type == LXCFSD_DIR,
				       change->kind);
	if (r == 0 && hierarchy[0] && cgroup_rules_goes_below(rest, change->kind) &&
	    !is_hierarchical(svc, req, below))
		r = -EPERM;
	return r < 0 ? r : svc->cgroup_change(req, below, change);
}

static int init(const struct lxcfsd_services *svc, const union lxcfsd_value values[],
		void **ret_state)
{
	(void)values;
	if (svc->size <= offsetof(struct lxcfsd_services, cgroup_change)) {
		svc->log(svc, LXCFSD_LOG_ERROR,
			 "a daemon that knows cgroups as directories is needed");
		return -ENOSYS;
	}
	*ret_state = (void *)(uintptr_t)svc;
	return 0;
}

/* clang-format off */
static const struct lxcfsd_opt opts[] = {
	[LAYOUT] = { .key = "layout", .type = LXCFSD_ENUM, .def = "native",
		     .choices = "native v1",
		     .help = "as the host has it, or cgroup v1's files also where it has cgroup2 alone" },
	[WRITE] = { .key = "write", .type = LXCFSD_ENUM, .def = "no", .choices = "no delegated",
		    .help = "what is below a container's cgroup may be changed by its owner, in "
			    "its own root (container_roots)" },
};

static const struct lxcfsd_tree trees[] = {
	{ .path = "/cgroup", .find = find, .list = list, .render = render,
	  .readlink = link_target, .change = change },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "cgroup", .version = "1",
	.summary = "/cgroup: the container's own cgroup and what is below it",
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
	.trees = trees, .tree_count = LXCFSD_COUNT(trees),
	.init = init,
};
/* clang-format on */
