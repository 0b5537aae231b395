/* SPDX-License-Identifier: MIT */
/*
 * numbers.h - containers by the number of their cgroup.
 *
 * The number is that of the directory's inode (on 64-bit kernels what bpf and systemd
 * call the cgroup's id) in the hierarchy that carries memory.  While it is used again and
 * again it is looked up every cache_ms only.
 */
#ifndef LXCFSD_NUMBERS_H
#define LXCFSD_NUMBERS_H

#include <pthread.h>
#include <stdint.h>

struct model;
struct subject;

#define NUMBERS_CACHED 256

struct number {
	uint64_t number; /* 0: nothing is kept here */
	uint64_t looked_ns;
	struct subject *subject;
};

struct numbers {
	pthread_mutex_t lock;
	struct number cached[NUMBERS_CACHED];
};

void numbers_init(struct numbers *numbers);
/* Lets go of what was looked up before that. */
void numbers_tidy(struct numbers *numbers, uint64_t before_ns);

#endif
