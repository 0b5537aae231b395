/* SPDX-License-Identifier: MIT */
/*
 * cgroup - /cgroup: the container's own part of the hierarchies, as if it were all.
 *
 * For containers without a cgroup namespace or mount, and for programs that look there.
 * On cgroup2 alone it is the container's cgroup itself; else there is a directory for each
 * hierarchy.  What is outside does not exist.  Nothing can be written: the kernel shares
 * the names in /cgroup between all who see it.
 *
 * With layout = v1 a host with cgroup2 alone shows the files of cgroup v1 that programs
 * look for limits in, and no cgroups below: see lib/cgroup_v1.c.
 */
#include <lxcfsd/plugin.h>

#include "cgroup_v1.h"

enum { LAYOUT };
enum { NATIVE, V1 };

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

static int init(const struct lxcfsd_services *svc, const union lxcfsd_value values[],
		void **ret_state)
{
	(void)values;
	if (svc->size <= offsetof(struct lxcfsd_services, cgroup_is_v2)) {
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
};

static const struct lxcfsd_tree trees[] = {
	{ .path = "/cgroup", .find = find, .list = list, .render = render,
	  .readlink = link_target },
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
