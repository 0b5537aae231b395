/* SPDX-License-Identifier: MIT */
/* parts.h - what a model is made of. */
#ifndef LXCFSD_PARTS_H
#define LXCFSD_PARTS_H

#include "cgroup.h"
#include "fds.h"
#include "host.h"
#include "identity.h"
#include "layout.h"
#include "load.h"
#include "model.h"
#include "numbers.h"
#include "records.h"
#include "roots.h"
#include "subject.h"

#define DEPUTY_TURNS 256

struct model {
	const struct settings *settings;
	struct roots roots;
	struct layout layout;
	struct fds fds;
	struct host host;
	struct cgroups cgroups;
	struct subjects subjects;
	struct identity identity;
	struct numbers numbers;
	struct {	  /* deputy.h */
		int sock; /* 0: there is none */
		pid_t pid;
		int vault_fd;
		const void *vault;		      /* NULL: not yet known */
		_Atomic uint32_t turns[DEPUTY_TURNS]; /* errands at work, by container */
	} deputy;
	struct loads loads;
	struct records *records; /* NULL: nothing outlives this process */
};

/* Holds `lent`, whose reference it takes over, until request_end(). */
int request_lend(struct lxcfsd_request *req, struct lent *lent);

/* The object of the subject's cgroup in the hierarchy that carries `controller`,
 * or NULL with 0 when there is none. */
int subject_cgroup(struct model *model, const struct subject *subject, uint32_t controller,
		   struct cgroup **ret);

/* In this hierarchy, which may be NULL. */
int subject_cgroup_in(struct model *model, const struct subject *subject,
		      const struct hierarchy *hierarchy, struct cgroup **ret);

/* As subject_cgroup(), for usage: the root is nobody's own. */
int subject_own_cgroup(struct model *model, const struct subject *subject, uint32_t controller,
		       struct cgroup **ret);

/* limits.c; `subject` may be NULL. */
int subject_limit(struct model *model, const struct subject *subject, enum lxcfsd_limit which,
		  uint64_t *ret);
/* The tightest CPU quota in millionths of a CPU, and its period in nanoseconds (the
 * kernel's default where there is none). */
int subject_quota(struct model *model, const struct subject *subject, uint64_t *ret_quota,
		  uint64_t *ret_period);
int subject_usage(struct model *model, const struct subject *subject, enum lxcfsd_usage which,
		  uint64_t *ret);
int subject_hugetlb(struct model *model, const struct subject *subject, uint64_t page_bytes,
		    uint64_t *ret_limit, uint64_t *ret_usage);

/* control.c; a reference to the text.  -ENOENT: it has none of its own. */
int subject_control(struct model *model, const struct subject *subject, enum lxcfsd_control which,
		    struct lent **ret);

/* One that triggers can be written to, for reading and writing; with `privileged` by
 * all our capabilities, else without CAP_SYS_RESOURCE.  -ENOENT: it has none of its own;
 * -EINVAL: there are no triggers in that. */
int subject_open_pressure(struct model *model, const struct subject *subject,
			  enum lxcfsd_control which, bool privileged);

/* cpus.c; a reference to the numbers, uint32_t each. */
int subject_cpus(struct model *model, struct subject *subject, struct lent **ret);

/* times.c; lent to the request. */
int subject_cpu_times(struct lxcfsd_request *req, struct lxcfsd_cpu_times *ret);
/* The same of NUMA nodes. */
int subject_mems(struct model *model, const struct subject *subject, struct lent **ret);

/* age.c */
/* The directory of the subject's cgroup, in the hierarchy that tells it from others
 * best, O_PATH, and its inode number.  -ESRCH. */
int subject_open(struct model *model, const struct subject *subject, uint64_t *ret_inode);
int subject_age_ns(struct model *model, struct subject *subject, uint64_t *ret);

#endif
