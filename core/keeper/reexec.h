/* SPDX-License-Identifier: MIT */
/*
 * reexec.h - the keeper executes its own new program: SIGHUP.
 *
 * The process stays, with its children and its open files; nobody who reads or serves
 * notices.  There is no way back from execve(2), so the program is tried first: a child
 * executes the very same file with --check-state and must say that it can read our state.
 * One that fails, or takes too long, changes nothing.
 */
#ifndef LXCFSD_REEXEC_H
#define LXCFSD_REEXEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct bundle;
struct keeper;

struct reexec {
	bool wanted;
	pid_t child; /* tries the new program; 0: none does */
	uint64_t since_ns;
	bool killed;
	int exe_fd; /* the new program; -1: none */
	int out_fd; /* what the child says */
	bool tried; /* it is good, and executed as soon as no change-over is going on */
	unsigned int count;
};

#define REEXEC_NONE                                                                                \
	{                                                                                          \
		.exe_fd = -1, .out_fd = -1                                                         \
	}
/* What --check-state says when all is well; the version follows. */
#define REEXEC_GOOD "state is good for lxcfsd "

/* Does what is to be done now; milliseconds until it must be looked at again. */
int reexec_step(struct keeper *k, uint64_t now);
/* A process has ended: was it the child? */
bool reexec_reaped(struct keeper *k, pid_t pid, int status);
/* --check-state: the other side of it.  Returns the exit status. */
int reexec_check(struct bundle *bundle);

#endif
