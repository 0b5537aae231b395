/* SPDX-License-Identifier: MIT */
/*
 * cpus.c - the CPUs that a container sees, and the NUMA nodes.
 *
 * Its effective cpuset (its own, else the nearest ancestor's that has one), of
 * that what is online, and of that the first N when a quota gives it N CPUs.
 * Kept per subject for the cache interval.  Of NUMA nodes it is the effective
 * cpuset.mems.
 */
#include <errno.h>

#include "io.h"
#include "parts.h"
#include "text.h"

#define CPUS_MAX 8192 /* as the kernel's NR_CPUS */
#define MILLION	 1000000u

struct cpu_set {
	uint8_t bits[CPUS_MAX / 8];
};

static bool has(const struct cpu_set *set, uint32_t id)
{
	return set->bits[id / 8] >> id % 8 & 1;
}

static size_t all_of(const struct cpu_set *set, uint32_t *ids)
{
	size_t count = 0;

	for (uint32_t id = 0; id < CPUS_MAX; id++)
		if (has(set, id))
			ids[count++] = id;
	return count;
}

static int parse_list(struct lxcfsd_text text, uint32_t *ids, size_t *ret_count)
{
	return parse_cpu_list(text, CPUS_MAX - 1, ids, CPUS_MAX, ret_count);
}

/* *ret_count is 0 when it is not known. */
static int read_online(struct model *model, const char *path, uint32_t *ids, size_t *ret_count)
{
	struct lent *text;
	int r;

	r = host_read(&model->host, path, &text);
	if (r < 0) {
		*ret_count = 0;
		return 0;
	}
	r = parse_list((struct lxcfsd_text){ text->data, text->len }, ids, ret_count);
	lent_unref(text);
	return r;
}

/* *ret_count is 0 when nobody up to the root says anything. */
static int read_effective(struct model *model, const struct subject *subject, enum cg_attr attr,
			  uint32_t *ids, size_t *ret_count)
{
	struct cgroup *cgroup;
	struct lent *text;
	size_t count = 0;
	int r;

	r = subject_cgroup(model, subject, LXCFSD_CPUSET, &cgroup);
	if (r < 0)
		return r;
	for (struct cgroup *at = cgroup; at && r == 0 && count == 0; at = cgroup_parent(at)) {
		r = cgroup_text(&model->cgroups, at, attr, &text);
		if (r == -ENOENT) {
			r = 0;
			continue;
		}
		if (r < 0)
			break;
		r = parse_list((struct lxcfsd_text){ text->data, text->len }, ids, &count);
		lent_unref(text);
	}
	if (cgroup)
		cgroup_put(&model->cgroups, cgroup);
	*ret_count = count;
	return r;
}

/* How many CPUs a quota gives, at least 1. */
static int quota_cpus(struct model *model, const struct subject *subject, uint64_t *ret)
{
	uint64_t quota, cpus;
	int r;

	r = subject_limit(model, subject, LXCFSD_CPU_QUOTA, &quota);
	if (r < 0)
		return r;
	cpus = quota / MILLION;
	switch ((enum cpu_quota)model->settings->cpu_quota) {
	case CPU_QUOTA_CEIL:
		cpus += quota % MILLION > 0;
		break;
	case CPU_QUOTA_FLOOR:
		break;
	case CPU_QUOTA_ROUND:
		cpus += quota % MILLION >= MILLION / 2;
		break;
	case CPU_QUOTA_OFF:
		cpus = UINT64_MAX;
		break;
	}
	*ret = cpus > 0 ? cpus : 1;
	return 0;
}

/* The effective set, of that what is online; all that is online when nothing is left. */
static int read_set(struct model *model, const struct subject *subject, const char *online_path,
		    enum cg_attr attr, uint32_t *ids, size_t *ret_count)
{
	struct cpu_set online = { 0 };
	size_t known, count, kept = 0;
	int r;

	r = read_online(model, online_path, ids, &known);
	if (r < 0)
		return r;
	for (size_t i = 0; i < known; i++)
		online.bits[ids[i] / 8] |= (uint8_t)(1u << ids[i] % 8);
	r = read_effective(model, subject, attr, ids, &count);
	if (r < 0)
		return r;
	for (size_t i = 0; i < count; i++)
		if (known == 0 || has(&online, ids[i]))
			ids[kept++] = ids[i];
	if (kept == 0)
		kept = all_of(&online, ids);
	if (kept == 0)
		return -ENODATA;
	*ret_count = kept;
	return 0;
}

static int keep_set(struct lent **slot, const uint32_t *ids, size_t count)
{
	int r = lent_own(slot, count * sizeof(ids[0]));

	if (r < 0)
		return r;
	memcpy((*slot)->data, ids, count * sizeof(ids[0]));
	(*slot)->len = count * sizeof(ids[0]);
	return 0;
}

static int read_cpus(struct model *model, const struct subject *subject, struct lent **slot)
{
	uint32_t ids[CPUS_MAX];
	size_t count;
	uint64_t most;
	int r;

	r = read_set(model, subject, "/sys/devices/system/cpu/online", CG_CPUS_EFFECTIVE, ids,
		     &count);
	if (r < 0)
		return r;
	r = quota_cpus(model, subject, &most);
	if (r < 0)
		return r;
	return keep_set(slot, ids, count > most ? (size_t)most : count);
}

int subject_mems(struct model *model, const struct subject *subject, struct lent **ret)
{
	struct lent *mems = NULL;
	uint32_t ids[CPUS_MAX];
	size_t count;
	int r;

	r = read_set(model, subject, "/sys/devices/system/node/online", CG_MEMS_EFFECTIVE, ids,
		     &count);
	if (r < 0)
		return r;
	r = keep_set(&mems, ids, count);
	if (r == 0)
		*ret = mems;
	return r;
}

int subject_cpus(struct model *model, struct subject *subject, struct lent **ret)
{
	uint64_t arrived = io_now_ns();
	int r;

	if (!subject) {
		struct lent *all = NULL;

		r = read_cpus(model, NULL, &all);
		if (r == 0)
			*ret = all;
		return r;
	}
	pthread_mutex_lock(&subject->cpus_lock);
	if (io_is_stale(subject->cpus_ns, arrived, model->cgroups.cache_ns)) {
		subject->cpus_ns = io_now_ns();
		subject->cpus_error = read_cpus(model, subject, &subject->cpus);
	}
	r = subject->cpus_error;
	if (r == 0)
		*ret = lent_ref(subject->cpus);
	pthread_mutex_unlock(&subject->cpus_lock);
	return r;
}
