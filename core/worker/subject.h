/* SPDX-License-Identifier: MIT */
/*
 * subject.h - whose view a reader gets.
 *
 * Interned: equal content is one object, so what is computed for a subject is
 * computed once for all its readers.  The content is text,
 *
 *	init PID STARTTIME
 *	KEY:PATH		one line per hierarchy, in the order of the layout
 *
 * which is also how it is saved; what [match] section is for it follows from that, and
 * from the configuration, which does not change under a worker.  Immutable, apart from
 * two things that are derived from it and kept: the CPUs and the beginning of its time.
 */
#ifndef LXCFSD_SUBJECT_H
#define LXCFSD_SUBJECT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lxcfsd/plugin.h>

#include "cache.h"
#include "layout.h"
#include "lent.h"

#define SUBJECT_TEXT_MAX 8000

struct subject {
	struct cache_node node;
	struct subjects *subjects;
	uint64_t id;
	uint64_t made_ns;    /* nothing that was read of its cgroups before is its own */
	pid_t init;	     /* 0: none, then its time is that of its processes */
	uint64_t init_start; /* clock ticks since boot */
	struct lxcfsd_text paths[HIERARCHIES_MAX]; /* by hierarchy; len 0: not known */
	char *name;
	unsigned int match; /* see subject_match() */

	pthread_mutex_t cpus_lock;
	struct lent *cpus; /* uint32_t each */
	int cpus_error;
	uint64_t cpus_ns; /* when; 0: never */

	pthread_mutex_t age_lock;
	bool age_known;
	int64_t age_offset_ns;	 /* boottime + this */
	uint64_t age_cgroup;	 /* inode that it was found in; 0: it is init's */
	uint64_t age_checked_ns; /* when that was looked at */

	size_t len;
	char text[];
};

struct subjects {
	const struct layout *layout;
	const struct config *config; /* NULL: no [match] sections */
	struct cache table;
};

/* A subject in the making. */
struct subject_draft {
	pid_t init;
	uint64_t init_start;
	struct lxcfsd_text paths[HIERARCHIES_MAX];
};

int subjects_init(struct subjects *subjects, const struct layout *layout);
void subjects_done(struct subjects *subjects);
/* -ENAMETOOLONG: it does not fit into SUBJECT_TEXT_MAX. */
int subject_intern(struct subjects *subjects, const struct subject_draft *draft,
		   struct subject **ret);
int subject_parse(struct subjects *subjects, struct lxcfsd_text text, struct subject **ret);

#endif
