/* SPDX-License-Identifier: MIT */
/*
 * limits.c - limits and usage of a subject.
 *
 * A limit holds for everything below it, so it is the smallest on the way to the
 * root.  Usage is the cgroup's own (which counts what is below): an ancestor's
 * would tell one tenant what the others do.  So would the root's, where a
 * container has no cgroup of its own in one of several hierarchies.
 */
#include <errno.h>

#include "parts.h"
#include "text.h"

/* kernel/sched/fair.c, kernel/sched/core.c */
#define PERIOD_DEFAULT_US 100000u
#define PERIOD_MAX_US	  1000000u

int subject_cgroup_in(struct model *model, const struct subject *subject, const struct hierarchy *h,
		      struct cgroup **ret)
{
	struct lxcfsd_text below;
	int r;

	*ret = NULL;
	if (!subject || !h || h->fd < 0 || subject->paths[h->index].len == 0 ||
	    !hierarchy_below(h, subject->paths[h->index], &below))
		return 0;
	r = cgroup_get(&model->cgroups, h, below, ret);
	if (r == 0)
		cgroup_renew(*ret, subject->made_ns);
	return r;
}

int subject_cgroup(struct model *model, const struct subject *subject, uint32_t controller,
		   struct cgroup **ret)
{
	return subject_cgroup_in(model, subject, layout_find(&model->layout, controller), ret);
}

/* Of one cgroup alone. */
static int own_quota(struct cgroups *cgroups, struct cgroup *cgroup, uint64_t *ret)
{
	uint64_t quota, period;
	int r;

	r = cgroup_value(cgroups, cgroup, CG_CPU_MAX, ret);
	if (r != -ENOENT)
		return r;
	r = cgroup_value(cgroups, cgroup, CG_CPU_QUOTA_US, &quota);
	if (r < 0)
		return r;
	r = cgroup_value(cgroups, cgroup, CG_CPU_PERIOD_US, &period);
	if (r < 0)
		return r;
	*ret = cpu_millionths(quota, period);
	return 0;
}

static int own_limit(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr,
		     uint64_t *ret)
{
	return attr == CG_CPU_MAX ? own_quota(cgroups, cgroup, ret)
				  : cgroup_value(cgroups, cgroup, attr, ret);
}

static int least_limit(struct model *model, const struct subject *subject, enum cg_attr attr,
		       uint64_t *ret)
{
	uint64_t value, least = LXCFSD_NO_LIMIT;
	struct cgroup *cgroup;
	int r;

	r = subject_cgroup(model, subject, cg_attrs[attr].controller, &cgroup);
	if (r < 0)
		return r;
	for (struct cgroup *at = cgroup; at && r == 0; at = cgroup_parent(at)) {
		r = own_limit(&model->cgroups, at, attr, &value);
		if (r == 0 && value < least)
			least = value;
		if (r == -ENOENT) /* the root, or the controller ends here */
			r = 0;
	}
	if (cgroup)
		cgroup_put(&model->cgroups, cgroup);
	if (r == 0)
		*ret = least;
	return r;
}

int subject_limit(struct model *model, const struct subject *subject, enum lxcfsd_limit which,
		  uint64_t *ret)
{
	switch (which) {
	case LXCFSD_MEM_MAX:
		return least_limit(model, subject, CG_MEM_MAX, ret);
	case LXCFSD_SWAP_MAX:
		return least_limit(model, subject, CG_SWAP_MAX, ret);
	case LXCFSD_MEMSW_MAX:
		return least_limit(model, subject, CG_MEMSW_MAX, ret);
	case LXCFSD_CPU_QUOTA:
		return least_limit(model, subject, CG_CPU_MAX, ret);
	case LXCFSD_PIDS_MAX:
		return least_limit(model, subject, CG_PIDS_MAX, ret);
	}
	return -EINVAL;
}

int subject_quota(struct model *model, const struct subject *subject, uint64_t *ret_quota,
		  uint64_t *ret_period)
{
	uint64_t value, period_us, least = LXCFSD_NO_LIMIT, period = PERIOD_DEFAULT_US;
	struct cgroup *cgroup;
	int r = subject_cgroup(model, subject, LXCFSD_CPU, &cgroup);

	for (struct cgroup *at = cgroup; r == 0 && at; at = cgroup_parent(at)) {
		r = own_quota(&model->cgroups, at, &value);
		if (r == 0 && value < least)
			r = cgroup_value(&model->cgroups, at, CG_CPU_PERIOD_US, &period_us);
		if (r == 0 && value < least) {
			least = value;
			period = period_us < PERIOD_MAX_US ? period_us : PERIOD_MAX_US;
		}
		if (r == -ENOENT)
			r = 0;
	}
	if (cgroup)
		cgroup_put(&model->cgroups, cgroup);
	if (r < 0)
		return r;
	*ret_quota = least;
	*ret_period = period * 1000;
	return 0;
}

int subject_own_cgroup(struct model *model, const struct subject *subject, uint32_t controller,
		       struct cgroup **ret)
{
	const struct hierarchy *h = layout_find(&model->layout, controller);

	*ret = NULL;
	if (subject && h && subjects_is_root(&model->subjects, subject->paths[h->index]))
		return 0;
	return subject_cgroup(model, subject, controller, ret);
}

/* v1 counts memory and swap in one. */
static int swap_current(struct cgroups *cgroups, struct cgroup *cgroup, uint64_t *ret)
{
	uint64_t both, memory;
	int r;

	r = cgroup_value(cgroups, cgroup, CG_SWAP_CURRENT, ret);
	if (r != -ENOENT)
		return r;
	r = cgroup_value(cgroups, cgroup, CG_MEMSW_CURRENT, &both);
	if (r < 0)
		return r;
	r = cgroup_value(cgroups, cgroup, CG_MEM_CURRENT, &memory);
	if (r < 0)
		return r;
	*ret = sub0(both, memory);
	return 0;
}

static int cpu_usage(struct cgroups *cgroups, struct cgroup *cgroup, uint64_t *ret)
{
	const struct lxcfsd_key key = { "usage_usec", NULL };
	struct lent *text;
	uint64_t us, ns;
	int r;

	r = cgroup_value(cgroups, cgroup, CG_CPU_USAGE, ret);
	if (r != -ENOENT)
		return r;
	r = cgroup_text(cgroups, cgroup, CG_CPU_STAT, &text);
	if (r < 0)
		return r;
	stat_pick((struct lxcfsd_text){ text->data, text->len }, true, &key, 1, &us);
	lent_unref(text);
	if (us == LXCFSD_UNKNOWN)
		return -ENOENT;
	if (__builtin_mul_overflow(us, (uint64_t)1000, &ns))
		return -ERANGE;
	*ret = ns;
	return 0;
}

static int own_usage(struct cgroups *cgroups, struct cgroup *cgroup, enum lxcfsd_usage which,
		     uint64_t *ret)
{
	switch (which) {
	case LXCFSD_MEM_CURRENT:
		return cgroup_value(cgroups, cgroup, CG_MEM_CURRENT, ret);
	case LXCFSD_SWAP_CURRENT:
		return swap_current(cgroups, cgroup, ret);
	case LXCFSD_CPU_USAGE:
		return cpu_usage(cgroups, cgroup, ret);
	case LXCFSD_PIDS_CURRENT:
		return cgroup_value(cgroups, cgroup, CG_PIDS_CURRENT, ret);
	case LXCFSD_SWAPPINESS:
		return cgroup_value(cgroups, cgroup, CG_SWAPPINESS, ret);
	}
	return -EINVAL;
}

static uint32_t usage_controller(enum lxcfsd_usage which)
{
	switch (which) {
	case LXCFSD_CPU_USAGE:
		return LXCFSD_CPUACCT;
	case LXCFSD_PIDS_CURRENT:
		return LXCFSD_PIDS;
	default:
		return LXCFSD_MEMORY;
	}
}

int subject_usage(struct model *model, const struct subject *subject, enum lxcfsd_usage which,
		  uint64_t *ret)
{
	uint64_t value = LXCFSD_UNKNOWN;
	struct cgroup *cgroup;
	int r;

	r = subject_own_cgroup(model, subject, usage_controller(which), &cgroup);
	if (r < 0)
		return r;
	if (cgroup) {
		r = own_usage(&model->cgroups, cgroup, which, &value);
		cgroup_put(&model->cgroups, cgroup);
	}
	if (r == -ENOENT) {
		value = LXCFSD_UNKNOWN;
		r = 0;
	}
	if (r == 0)
		*ret = value;
	return r;
}

static int hugetlb_usage(struct model *model, const struct subject *subject, enum cg_attr attr,
			 uint64_t *ret)
{
	struct cgroup *cgroup;
	int r;

	r = subject_own_cgroup(model, subject, LXCFSD_HUGETLB, &cgroup);
	if (r < 0)
		return r;
	r = cgroup ? cgroup_value(&model->cgroups, cgroup, attr, ret) : -ENOENT;
	if (cgroup)
		cgroup_put(&model->cgroups, cgroup);
	if (r == -ENOENT) {
		*ret = LXCFSD_UNKNOWN;
		r = 0;
	}
	return r;
}

int subject_hugetlb(struct model *model, const struct subject *subject, uint64_t page_bytes,
		    uint64_t *ret_limit, uint64_t *ret_usage)
{
	uint64_t limit, usage;
	enum cg_attr attr;
	int r;

	r = cg_attr_hugetlb(page_bytes, &attr);
	if (r == 0)
		r = least_limit(model, subject, attr, &limit);
	if (r == 0)
		r = hugetlb_usage(model, subject, attr + 1, &usage);
	if (r < 0)
		return r;
	*ret_limit = limit;
	*ret_usage = usage;
	return 0;
}
