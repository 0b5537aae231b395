/* SPDX-License-Identifier: MIT */
/*
 * cgroup_view.h - a container's part of the hierarchies, as directories.
 *
 * Whatever a reader names is opened in two steps, neither of which can lead out: the
 * container's own cgroup below the directory of the hierarchy, which is held; then what he
 * has named below that.  So what is outside does not exist, whatever is renamed or removed
 * meanwhile.  Nothing is kept: it is the kernel's answer of this moment.
 */
#ifndef LXCFSD_CGROUP_VIEW_H
#define LXCFSD_CGROUP_VIEW_H

#include "model.h"

/* As the services of these names. */
int cgroup_view_find(struct lxcfsd_request *req, const char *below, struct lxcfsd_found *ret);
int cgroup_view_copy(struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out);
int cgroup_view_list(struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out);
bool cgroup_view_is_v2(struct lxcfsd_request *req);
int cgroup_view_change(struct lxcfsd_request *req, const char *below,
		       const struct lxcfsd_change *change);

/* pidlist.c: lines of process or thread numbers of the host, from `fd`, in those of the
 * reader's pid namespace, in ascending order.  -EFBIG: too many to be told in a second. */
int pidlist_copy(const struct model *model, pid_t reader, int fd, struct lxcfsd_out *out);

#endif
