/* SPDX-License-Identifier: MIT */
/*
 * identity.h - the init of a pid namespace.
 *
 * Known by the namespace's inode number, which the kernel gives out again as
 * soon as the namespace is gone.  So each entry holds /proc/INIT/cgroup open and
 * reads it for every answer: once init is gone that says ESRCH, whoever has its
 * number now, and the entry is dropped.  An entry whose file had to be closed
 * (budget) is checked by init's namespace and start time instead.
 */
#ifndef LXCFSD_IDENTITY_H
#define LXCFSD_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cache.h"
#include "fds.h"
#include "layout.h"
#include "proc.h"
#include "roots.h"

/* What looking at every process came to, for a second. */
#define SCANNED_MAX 256
struct scanned {
	uint64_t inode;
	uint64_t until_ns;
	int error;
	pid_t init;
};

struct identity {
	const struct roots *roots;
	struct fds *fds;
	bool by_ioctl;
	uint64_t host_pidns; /* inode; 0: not known */
	struct cache inits;
	pthread_mutex_t scan_lock;
	struct scanned scanned[SCANNED_MAX]; /* under scan_lock */
};

/* `method`: enum identity_method.  -ENOTSUP: asked for what this kernel lacks. */
int identity_init(struct identity *identity, const struct roots *roots, struct fds *fds,
		  uint64_t method);
void identity_done(struct identity *identity);

struct init_process {
	pid_t pid;
	uint64_t start;		   /* clock ticks since boot */
	struct small_file cgroups; /* /proc/PID/cgroup */
};

/* A cgroup where an init may well be; hierarchy NULL: none. */
struct init_hint {
	const struct hierarchy *hierarchy;
	struct lxcfsd_text path;
};

/* The init of the pid namespace `inode`, which the thread `tid` is in. */
int identity_find(struct identity *identity, pid_t tid, uint64_t inode,
		  const struct init_hint *hint, struct init_process *ret);
void init_process_done(struct init_process *init);

/* In nspid.c: the same by asking procfs, for kernels that have no better. */
int nspid_find(struct identity *identity, pid_t tid, uint64_t inode, const struct init_hint *hint,
	       pid_t *ret);

#endif
