/* SPDX-License-Identifier: MIT */
/*
 * deputy.h - what somebody may change in his cgroups, done as he himself.
 *
 * Theory of operation.  Whether a container may write to a cgroup is the kernel's to say,
 * of the caller's own user, groups and pid namespace, and without any capability.  A worker
 * can become nobody else once it is confined, and its threads share one table of
 * descriptors; so there is a process beside it, made before that, with one thread, which
 * makes a child for each errand.  The child becomes the caller and does the one thing.
 *
 * A process number that is written to cgroup.procs is the caller's.  Who writes it is in the
 * caller's pid namespace, so it can name nobody outside of that (move.c); before, a pidfd says
 * which process that is here, and that must be in the container's cgroup, or below it, in
 * this hierarchy.  The pidfd is looked at once more afterwards: as long as that process was
 * alive its number was nobody else's.
 *
 * Who asks is found out while he waits for the answer.  As in the kernel a file that somebody
 * has opened is his: who writes to it must be the same user, and for a process number in
 * the same namespace (or a program with more rights could be made to write for him).  Threads
 * of the kernel, as io_uring's, act for whoever: nothing is done for those.
 *
 * Nothing takes longer than three quarters of what a request may, else it is killed.
 *
 * No errand is done twice.  What a request changes is its deed: begun, then done, with its
 * result, in the slot of the journal that the request is in (vault.h).  The child says that
 * it is done itself, in the vault, so it is said when the worker is dead already.  Who
 * replays a request finds it done, or waits for the child, who has not much to do; if that
 * says nothing any more, nobody knows, and the caller is told EINTR.
 */
#ifndef LXCFSD_DEPUTY_H
#define LXCFSD_DEPUTY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lxcfsd/plugin.h>

struct model;

#define DEPUTY_BYTES_MAX  4096 /* a control file takes no more than a page */
#define DEPUTY_GROUPS_MAX 1024
#define DEPUTY_NAME_MAX	  256
#define DEPUTY_PATH_MAX	  4096

enum deputy_pids {
	DEPUTY_NO_PIDS,
	DEPUTY_PROCESS, /* cgroup.procs */
	DEPUTY_THREAD,	/* tasks, cgroup.threads */
};

/* Who somebody is, in the numbers of our user namespace.  The kernel tells of the user only
 * with some requests (FUSE_INVALID_UIDGID, since Linux 6.12), and of groups never; /proc
 * does. */
struct deputy_who {
	uint32_t uid;	/* that counts for files */
	uint64_t pidns; /* its inode */
};

/* Whose request it is. */
struct deputy_caller {
	pid_t tid; /* in our pid namespace */
	uint64_t container;
	uint64_t object; /* as in struct lxcfsd_request: of what he has opened, or 0 ... */
	uint64_t above;	 /* ... of the directory in which something is called so, or 0 */
	const struct deputy_who *opener; /* of the file; NULL: it is about none */
};

struct errand {
	uint32_t kind; /* enum lxcfsd_change_kind, but for OPEN */
	uint32_t mode, uid, gid;
	uint32_t caller_uid, caller_gid, group_count;
	uint32_t limit_ms;
	uint32_t pids;		   /* enum deputy_pids */
	int32_t number;		   /* of the process that is written */
	uint32_t hierarchy;	   /* index of the layout */
	uint64_t inode;		   /* of what is to be written to; 0: of whatever has the name */
	uint64_t deed_at;	   /* where in the vault; 0: it is not recorded */
	uint64_t deed;		   /* as it was begun */
	char own[DEPUTY_PATH_MAX]; /* the container's cgroup there */
	char name[DEPUTY_NAME_MAX];
	uint32_t len;
	char bytes[DEPUTY_BYTES_MAX];
	uint32_t groups[DEPUTY_GROUPS_MAX];
};

/* Before the worker is confined, and while it has one thread. */
int deputy_start(struct model *model);
/* From now on there is a vault. */
void deputy_use_vault(struct model *model, int vault_fd, const void *vault);

/* Who waits for the answer to the request in hand.  -ESRCH: nobody, or not he. */
int deputy_identify(struct model *model, pid_t tid, struct deputy_who *ret);

/* The request in hand is a replay of one that was begun: *ret is what came of it, or
 * -EINTR. */
bool deputy_look_back(int *ret);

/*
 * Does it in `dir_fd`, once: see the head.  `number` of the errand is as the caller counts;
 * 0: the caller himself.  -EROFS: there is no deputy.  -EINTR: it may have been done.
 * -EAGAIN: it was not, there is too much at once.
 */
int deputy_do(struct model *model, const struct deputy_caller *caller, int dir_fd,
	      struct errand *errand);

#endif
