/* SPDX-License-Identifier: MIT */
/*
 * cgroup.h - control files of cgroups, by meaning.
 *
 * One object per (hierarchy, path), which holds its parent, so that a walk to
 * the root looks nothing up.  Of each control file the last value is kept for
 * the cache interval: who finds it too old reads it under that file's lock,
 * whoever comes meanwhile waits for the result.
 *
 * A path says nothing about whose it is: a container that ends can make room for
 * another within that interval, in a cgroup of the same name.  So who appears for
 * the first time has everything read anew, up to the root: cgroup_renew().
 *
 * A control file is always opened by its path from the top of the hierarchy and
 * a directory is never held: below the directory of a cgroup that was removed
 * and made anew every file is missing, which would read as "no limit".  A held
 * control file of a removed cgroup says ENODEV, and is opened anew.
 */
#ifndef LXCFSD_CGROUP_H
#define LXCFSD_CGROUP_H

#include "cache.h"
#include "fds.h"
#include "layout.h"
#include "lent.h"

/* Sizes of huge pages that kernels have. */
#define HUGETLB_SIZES 13

/* What is read, one per file; the table is in cgroup_attr.c. */
enum cg_attr {
	CG_MEM_MAX,
	CG_SWAP_MAX,
	CG_MEMSW_MAX,
	CG_CPU_MAX,	 /* v2: millionths of a CPU */
	CG_CPU_QUOTA_US, /* v1 */
	CG_CPU_PERIOD_US,
	CG_PIDS_MAX,
	CG_MEM_CURRENT,
	CG_SWAP_CURRENT,
	CG_MEMSW_CURRENT,
	CG_CPU_USAGE, /* v1 */
	CG_PIDS_CURRENT,
	CG_SWAPPINESS,
	CG_MEMORY_STAT, /* text, as the following */
	CG_CPU_STAT,
	CG_CPUS_EFFECTIVE,
	CG_CPU_USAGE_ALL, /* v1: a line per CPU */
	CG_CPU_THROTTLED, /* v1: what cpu.stat of v2 has as well */
	CG_MEMS_EFFECTIVE,
	CG_NUMA_STAT,
	CG_IO_STAT,
	CG_BFQ_BYTES,
	CG_BFQ_COUNT,
	CG_THROTTLE_BYTES,
	CG_THROTTLE_COUNT,
	CG_CFQ_BYTES,
	CG_CFQ_COUNT,
	CG_CPU_PRESSURE,
	CG_MEMORY_PRESSURE,
	CG_IO_PRESSURE,
	CG_IRQ_PRESSURE,
	CG_KMEM_SLABINFO,
	CG_HUGETLB, /* numbers again; of each size the limit, then the usage */
	CG_ATTR_COUNT = CG_HUGETLB + 2 * HUGETLB_SIZES,
};

struct cg_attr_info {
	uint32_t controller; /* 0: cgroup2 has it without any */
	/* names to try in this order; NULL: that version has no such file */
	const char *v2[2];
	const char *v1[2];
	/* NULL: the text itself is kept */
	int (*parse)(struct lxcfsd_text text, uint64_t *ret);
};
extern const struct cg_attr_info cg_attrs[CG_ATTR_COUNT];
/* The limit of huge pages of this size; the usage is the next one.  -EINVAL. */
int cg_attr_hugetlb(uint64_t page_bytes, enum cg_attr *ret);

struct cgroup;
struct cgroups {
	struct fds *fds;
	uint64_t cache_ns;
	struct cache objects;
};

int cgroups_init(struct cgroups *cgroups, struct fds *fds, uint64_t cache_ns);
void cgroups_done(struct cgroups *cgroups);

/* `below` as of hierarchy_below(). */
int cgroup_get(struct cgroups *cgroups, const struct hierarchy *hierarchy, struct lxcfsd_text below,
	       struct cgroup **ret);
void cgroup_put(struct cgroups *cgroups, struct cgroup *cgroup);
/* From now on nothing is given of it or its ancestors that was read before
 * `since_ns` (CLOCK_MONOTONIC). */
void cgroup_renew(struct cgroup *cgroup, uint64_t since_ns);
/* NULL: there is none above.  Borrowed. */
struct cgroup *cgroup_parent(const struct cgroup *cgroup);

/* -ENOENT: this cgroup has no such file; -ENODEV: there is no such cgroup. */
int cgroup_value(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr, uint64_t *ret);
/* A reference to the text. */
int cgroup_text(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr,
		struct lent **ret);
/* The same, and CLOCK_MONOTONIC of when reading it began. */
int cgroup_text_at(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr,
		   struct lent **ret, uint64_t *ret_ns);

/* Opens the control file for reading and writing, for the caller alone. */
int cgroup_open(const struct cgroup *cgroup, enum cg_attr attr);

/* Fills values[] as services.stat. */
void stat_pick(struct lxcfsd_text text, bool v2, const struct lxcfsd_key keys[], size_t count,
	       uint64_t values[]);
/* The same of memory.numa_stat, for one node; a value is `unit` times what is there. */
void numa_pick(struct lxcfsd_text text, bool v2, uint32_t node, uint64_t unit,
	       const struct lxcfsd_key keys[], size_t count, uint64_t values[]);
/* quota / period in millionths of a CPU. */
uint64_t cpu_millionths(uint64_t quota, uint64_t period);

#endif
