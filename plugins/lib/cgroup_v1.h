/* SPDX-License-Identifier: MIT */
/* cgroup_v1.h - a cgroup2 by the names that cgroup v1 had. */
#ifndef LXCFSD_PLUGINS_CGROUP_V1_H
#define LXCFSD_PLUGINS_CGROUP_V1_H

#include <lxcfsd/plugin.h>

/* The callbacks of a tree. */
int cgroup_v1_find(const struct lxcfsd_services *svc, struct lxcfsd_request *req, const char *below,
		   struct lxcfsd_found *ret);
int cgroup_v1_list(const struct lxcfsd_services *svc, struct lxcfsd_request *req, const char *below,
		   struct lxcfsd_out *out);
int cgroup_v1_render(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		     const char *below, struct lxcfsd_out *out);
int cgroup_v1_readlink(const char *below, struct lxcfsd_out *out);

#endif
