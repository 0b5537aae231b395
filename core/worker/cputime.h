/* SPDX-License-Identifier: MIT */
/*
 * cputime.h - what a container's CPUs did: its CPU time, integrated step by step.
 *
 * The kernel says how much CPU time a cgroup has used, but not on which of the
 * CPUs that we show, nor how long these were idle.  So time is cut into steps; in
 * a step of length dt each of the n visible CPUs has dt to account for, and what the
 * cgroup used is spread over them:
 *
 *	busy = min(n * dt, used, scaled)	idle = n * dt - busy
 *
 * Where the kernel knows the CPU (v1) its own CPU gets it, else all get the same.
 *
 * Scaled: a quota of 1.5 CPUs shows as 2 CPUs, so used time counts 2/1.5 and full
 * use of the quota reads as 100 %.  A quota is given in bursts, one a period, so what
 * does not fit into a step is carried into the next: as much as a period has, and not
 * beyond a change of the quota or of the number of CPUs.
 *
 * Exact: v1 finds out about user and system time, and about CPUs, by who runs when the
 * clock ticks, which is wrong by a tenth at times; but it also has the true sum.  So the
 * former say how the latter is divided.
 *
 * Nothing ever goes backwards: the numbers of a CPU that is no longer visible stay,
 * in the sum as well, as the kernel's do for a CPU that is offline.
 */
#ifndef LXCFSD_CPUTIME_H
#define LXCFSD_CPUTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lxcfsd/plugin.h>

/* Nanoseconds. */
struct cpu_share {
	uint64_t user, nice, system;
};

struct cpu_line {
	uint64_t number; /* as shown */
	struct lxcfsd_cpu_time time;
};

/*
 * What is carried from step to step; also a record in the vault: the head, then
 * line_count lines in the order of their numbers, then raw_count shares.
 */
#define CPU_STATE_VERSION 2
struct cpu_state {
	uint64_t read_ns; /* CLOCK_MONOTONIC of the last step */
	struct cpu_share used;
	uint64_t throttled;
	struct cpu_share owed; /* used, scaled, but not yet shown */
	uint64_t exact;	       /* the sum of what was used; 0: not known */
	uint64_t quota;	       /* as of the last step */
	uint32_t count;	       /* CPUs that were visible then */
	uint32_t line_count;
	uint32_t raw_count;
	uint32_t reserved;
	struct cpu_line lines[];
};

/* What the kernel says. */
struct cpu_sample {
	uint64_t read_ns;
	struct cpu_share used;
	uint64_t throttled;
	uint64_t exact;		     /* `used` in one, better known; 0: it is not */
	const struct cpu_share *raw; /* by the host's CPU number; NULL: not known */
	uint32_t raw_count;
};

struct cpu_view {
	const uint32_t *ids; /* ascending, the host's numbers */
	uint32_t count;
	bool dense;
	uint64_t quota;	 /* millionths of a CPU, or LXCFSD_NO_LIMIT */
	uint64_t period; /* of it, nanoseconds */
	bool scale;	 /* full use of the quota reads as 100 % */
	bool steal;	 /* throttled time is shown as stolen, and nothing is scaled */
};

/* An empty state: the container has existed for no time. */
struct cpu_state *cpu_state_new(void);
/* From a record's bytes, which are not trusted.  NULL: nonsense, or no memory. */
struct cpu_state *cpu_state_load(const void *bytes, size_t len);
size_t cpu_state_size(const struct cpu_state *state);

/* One step of `dt` nanoseconds; *state may be moved.  On -ENOMEM it is as it was. */
int cpu_state_step(struct cpu_state **state, const struct cpu_sample *sample,
		   const struct cpu_view *view, uint64_t dt);

/* Of the CPU that is shown as `number`; zeros when it was never seen. */
struct lxcfsd_cpu_time cpu_state_line(const struct cpu_state *state, uint64_t number);
/* Of all that were ever visible: the sum of their whole `unit`s, so that what is shown
 * in that unit adds up, and the sum never goes back when one disappears. */
struct lxcfsd_cpu_time cpu_state_total(const struct cpu_state *state, uint64_t unit);

#endif
