/* SPDX-License-Identifier: MIT */
/*
 * closer.c - see closer.h.
 *
 * Theory of operation.  Readers wait from the moment a worker dies until the next one
 * serves, which begins when the kernel has taken the dead one apart.  Most of that time
 * goes into the last close of what it had open: each PSI trigger waits for an RCU grace
 * period (psi_trigger_destroy() in kernel/sched/psi.c), and so does each mount of procfs
 * or sysfs that has no place (dissolve_on_fput() in fs/namespace.c): some 20 ms with two
 * triggers on a busy machine, seconds with the thousand that there may be.
 *
 * So there is a process that shares the worker's memory and its table of descriptors
 * (CLONE_VM, CLONE_FILES) and sleeps until the last thread of the worker has ended, which
 * a pidfd tells.  Nothing of the worker's is closed for the last time before, and then it
 * is this process that takes its time, nobody waiting.  (PR_SET_PDEATHSIG would come when
 * the first thread ends: too early.)  What others may wait for is closed first.
 *
 * As it shares the memory it must not be less confined than the worker: it is made when
 * that has given up what it gives up (confine.h).  It shares the worker's errno as well,
 * so it makes no call that fails.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "closer.h"

#define STACK_SIZE 16384

struct job {
	int pidfd;
	void (*first)(void);
};

static int wait_and_close(void *arg)
{
	const struct job *job = arg;
	struct pollfd end = { .fd = job->pidfd, .events = POLLIN };

	prctl(PR_SET_NAME, "lxcfsd-closer");
	while (poll(&end, 1, -1) == 0)
		;
	job->first();
	return 0; /* which ends this process */
}

int closer_start(void (*first)(void))
{
	static _Alignas(16) char stack[STACK_SIZE];
	static struct job job;
	sigset_t all, before;
	int r = 0;

	job = (struct job){ (int)syscall(SYS_pidfd_open, getpid(), 0), first };
	if (job.pidfd < 0)
		return -errno;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	if (clone(wait_and_close, stack + STACK_SIZE, CLONE_VM | CLONE_FILES | CLONE_FS, &job) < 0)
		r = -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		close(job.pidfd);
	return r;
}
