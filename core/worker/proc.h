/* SPDX-License-Identifier: MIT */
/* proc.h - what procfs says of one process.  Names and lines are a tenant's
 * choice in part: each is taken from where it cannot be forged. */
#ifndef LXCFSD_PROC_H
#define LXCFSD_PROC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <lxcfsd/plugin.h>

/* A file of unknown size, mostly small. */
struct small_file {
	struct lxcfsd_text text;
	char *big;
	char small[8192];
};
int small_file_read(struct small_file *file, int fd);
void small_file_done(struct small_file *file);

struct proc_status {
	pid_t tgid, ppid;
	unsigned int depth; /* pid namespaces that it is in */
	pid_t innermost;    /* its tgid in the deepest */
};

int proc_open(int proc_fd, pid_t pid, const char *name);
/* The inode of its pid namespace, never 0. */
int proc_pidns(int proc_fd, pid_t pid, uint64_t *ret);
int proc_status(int proc_fd, pid_t pid, struct proc_status *ret);
/* The number of the thread in the namespace that is `depth` deep, 1 being the
 * host's; -ESRCH: it is not in one so deep. */
int proc_number(int proc_fd, pid_t tid, unsigned int depth, pid_t *ret);

struct proc_thread {
	char state;
	uint64_t start; /* clock ticks since boot */
};
int proc_thread(int proc_fd, pid_t tid, struct proc_thread *ret);
/* Its parent here, 0: none.  (status says it too, but that can be long: a process
 * may be in 65536 groups.) */
int proc_parent(int proc_fd, pid_t pid, pid_t *ret);
/* Field 22 of its stat: clock ticks since boot. */
int proc_start(int proc_fd, pid_t pid, uint64_t *ret);
/* Its time namespace's offset of the boot time; 0 where there are none. */
int proc_boottime_offset(int proc_fd, pid_t pid, int64_t *ret_ns);

#endif
