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
 * what is derived from it and kept: the CPUs, what they did, and the beginning of its
 * time.
 */
#ifndef LXCFSD_SUBJECT_H
#define LXCFSD_SUBJECT_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lxcfsd/plugin.h>

#include "cache.h"
#include "cputime.h"
#include "layout.h"
#include "lent.h"
#include "load.h"

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

	pthread_mutex_t times_lock;
	struct cpu_state *times;  /* NULL: not yet looked at */
	struct lent *times_shown; /* of the visible CPUs, as times.c lays it out */
	struct lent *times_cpus;  /* for these */
	uint64_t times_shown_ns;  /* of this step */

	pthread_mutex_t load_lock;
	struct load_state load;
	bool load_begun;   /* what the vault has was looked at */
	bool load_watched; /* it is in the list of those that are */
	uint64_t load_read_ns;

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
	struct lxcfsd_text root;     /* who is in this cgroup, or above it, is the host */
	const struct config *config; /* NULL: no [match] sections */
	struct cache table;
};

/* A subject in the making. */
struct subject_draft {
	pid_t init;
	uint64_t init_start;
	struct lxcfsd_text paths[HIERARCHIES_MAX];
};

/* `root` NULL: "/"; must stay valid. */
int subjects_init(struct subjects *subjects, const struct layout *layout, const char *root);
/* The root cgroup of the host as it is seen from here: nobody's own. */
bool subjects_is_root(const struct subjects *subjects, struct lxcfsd_text path);
void subjects_done(struct subjects *subjects);
/* -ENAMETOOLONG: it does not fit into SUBJECT_TEXT_MAX. */
int subject_intern(struct subjects *subjects, const struct subject_draft *draft,
		   struct subject **ret);
int subject_parse(struct subjects *subjects, struct lxcfsd_text text, struct subject **ret);

#endif
