/* SPDX-License-Identifier: MIT */
/*
 * load.h - load averages of containers.
 *
 * The arithmetic is the kernel's (kernel/sched/loadavg.c): every LOAD_PERIOD_NS the
 * number of threads that run or wait uninterruptibly is taken into three averages.
 * Containers have no such count, so their threads are looked at: by one thread of the
 * worker, only for containers that were read lately, and within a share of a CPU.  A
 * container that used no CPU time since the last look is as it was then.
 *
 * The first look is taken for the first reader, and begins the averages with what it
 * saw: a container that has been busy for an hour must not read as idle.
 */
#ifndef LXCFSD_LOAD_H
#define LXCFSD_LOAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include <lxcfsd/plugin.h>

struct model;
struct subject;

/* LOAD_FREQ: five seconds and a tick, of 250 in a second. */
#define LOAD_PERIOD_NS 5004000000ull

/* Per container, also a record in the vault. */
#define LOAD_STATE_VERSION 2
struct load_state {
	uint64_t taken_ns; /* CLOCK_MONOTONIC: up to here the averages count; 0: never */
	uint64_t avg[3];   /* 1, 5 and 15 minutes; LXCFSD_LOAD_ONE is 1.00 */
	uint64_t used;	   /* CPU time at the last look, nanoseconds */
	uint64_t forks;
	uint64_t last_start; /* of last_pid, clock ticks since boot */
	uint32_t running, blocked, threads, last_pid;
};

/* Takes `active` threads into the averages for all periods that ended by `now_ns`. */
void load_advance(struct load_state *state, uint64_t active, uint64_t now_ns);

/* Looks at one that is in the list; false: it is not to be looked at any more, because
 * nobody has read lately, or it has ended. */
bool load_visit(struct model *model, struct subject *subject);

/* The containers that are looked at. */
struct loads {
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct subject **list; /* references */
	uint32_t count, room;
	bool running; /* the thread */
	bool stop;
	pthread_t thread;
};
void loads_init(struct loads *loads);
/* Ends the thread and lets go of all containers. */
void loads_done(struct loads *loads);

/* Looks at each container once, and forgets those that nobody has read lately.  What the
 * thread does each period; with the lock, which is let go of meanwhile. */
void loads_pass(struct model *model);

int subject_load(struct lxcfsd_request *req, struct lxcfsd_load *ret);

#endif
