/* SPDX-License-Identifier: MIT */
/*
 * control.c - whole control files of a subject's own cgroup.
 *
 * Most belong to a controller, and the hierarchy that carries it says which
 * cgroup is meant.  Pressure belongs to none: the kernel counts it for every
 * cgroup of cgroup2 (cgroup_psi_files[] of kernel/cgroup/cgroup.c).
 *
 * On a hybrid host cgroup2 carries no controller that matters, or io alone, and
 * a container may have no cgroup of its own there: several share one, or all are
 * in the root.  Who made one for the container gave it the path that the container
 * has in v1's hierarchies; so only the same path counts as its own.
 */
#include <errno.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "parts.h"

static const struct {
	enum lxcfsd_control which;
	enum cg_attr attr;
} controls[] = {
	{ LXCFSD_IO_STAT, CG_IO_STAT },
	{ LXCFSD_BFQ_BYTES, CG_BFQ_BYTES },
	{ LXCFSD_BFQ_COUNT, CG_BFQ_COUNT },
	{ LXCFSD_THROTTLE_BYTES, CG_THROTTLE_BYTES },
	{ LXCFSD_THROTTLE_COUNT, CG_THROTTLE_COUNT },
	{ LXCFSD_CFQ_BYTES, CG_CFQ_BYTES },
	{ LXCFSD_CFQ_COUNT, CG_CFQ_COUNT },
	{ LXCFSD_CPU_PRESSURE, CG_CPU_PRESSURE },
	{ LXCFSD_MEMORY_PRESSURE, CG_MEMORY_PRESSURE },
	{ LXCFSD_IO_PRESSURE, CG_IO_PRESSURE },
	{ LXCFSD_IRQ_PRESSURE, CG_IRQ_PRESSURE },
	{ LXCFSD_KMEM_SLABINFO, CG_KMEM_SLABINFO },
	{ LXCFSD_NUMA_STAT, CG_NUMA_STAT },
};

static int find_attr(enum lxcfsd_control which, enum cg_attr *ret)
{
	for (size_t i = 0; i < LXCFSD_COUNT(controls); i++) {
		if (controls[i].which != which)
			continue;
		*ret = controls[i].attr;
		return 0;
	}
	return -EINVAL;
}

/* Whether the subject's cgroup in `v2` is nobody else's. */
static bool is_own(const struct layout *layout, const struct subject *subject,
		   const struct hierarchy *v2)
{
	const struct hierarchy *h = layout_find(layout, LXCFSD_MEMORY);
	struct lxcfsd_text a, b;

	if (!h || h->v2)
		h = layout_find(layout, LXCFSD_CPU);
	if (!h || h->v2)
		return true;
	a = subject->paths[v2->index];
	b = subject->paths[h->index];
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* cgroup2's cgroup, when it is the subject's own and not the root. */
static int own_on_v2(struct model *model, const struct subject *subject, struct cgroup **ret)
{
	const struct hierarchy *h =
		layout_by_controllers(&model->layout, (struct lxcfsd_text){ "", 0 });

	*ret = NULL;
	if (!subject || !h || subjects_is_root(&model->subjects, subject->paths[h->index]) ||
	    !is_own(&model->layout, subject, h))
		return 0;
	return subject_cgroup_in(model, subject, h, ret);
}

static bool needs_own_on_v2(const struct layout *layout, uint32_t controller)
{
	const struct hierarchy *h = layout_find(layout, LXCFSD_IO);

	return controller == 0 || (controller == LXCFSD_IO && h && h->v2);
}

int subject_control(struct model *model, const struct subject *subject, enum lxcfsd_control which,
		    struct lent **ret)
{
	struct cgroup *cgroup;
	enum cg_attr attr;
	uint32_t controller;
	int r;

	r = find_attr(which, &attr);
	if (r < 0)
		return r;
	controller = cg_attrs[attr].controller;
	if (needs_own_on_v2(&model->layout, controller))
		r = own_on_v2(model, subject, &cgroup);
	else
		r = subject_own_cgroup(model, subject, controller, &cgroup);
	if (r < 0)
		return r;
	if (!cgroup)
		return -ENOENT;
	r = cgroup_text(&model->cgroups, cgroup, attr, ret);
	cgroup_put(&model->cgroups, cgroup);
	return r;
}

/* Of this thread alone. */
static int set_capability(uint32_t capability, bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	uint32_t mask = CAP_TO_MASK(capability), i = CAP_TO_INDEX(capability);

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	if (on && !(data[i].permitted & mask))
		return 0;
	data[i].effective = on ? data[i].effective | mask : data[i].effective & ~mask;
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

/* The kernel looks at who has opened it, not at who writes. */
static int open_unprivileged(const struct cgroup *cgroup, enum cg_attr attr)
{
	int fd, r = set_capability(CAP_SYS_RESOURCE, false);

	if (r < 0)
		return r;
	fd = cgroup_open(cgroup, attr);
	r = set_capability(CAP_SYS_RESOURCE, true);
	if (r < 0 && fd >= 0) {
		close(fd);
		fd = r;
	}
	return fd;
}

int subject_open_pressure(struct model *model, const struct subject *subject,
			  enum lxcfsd_control which, bool privileged)
{
	struct cgroup *cgroup;
	enum cg_attr attr;
	int fd, r = find_attr(which, &attr);

	if (r < 0)
		return r;
	if (attr != CG_CPU_PRESSURE && attr != CG_MEMORY_PRESSURE && attr != CG_IO_PRESSURE &&
	    attr != CG_IRQ_PRESSURE)
		return -EINVAL;
	r = own_on_v2(model, subject, &cgroup);
	if (r < 0)
		return r;
	if (!cgroup)
		return -ENOENT;
	fd = privileged ? cgroup_open(cgroup, attr) : open_unprivileged(cgroup, attr);
	cgroup_put(&model->cgroups, cgroup);
	return fd;
}
