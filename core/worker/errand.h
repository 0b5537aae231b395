/* SPDX-License-Identifier: MIT */
/* errand.h - the process beside a worker that does things as somebody else: deputy.h. */
#ifndef LXCFSD_ERRAND_H
#define LXCFSD_ERRAND_H

#include "deputy.h"

/* What comes with an errand: where to say what came of it, the directory, the vault, and
 * the caller's pid namespace if it is about a process. */
enum errand_fd { ERRAND_REPLY, ERRAND_DIR, ERRAND_VAULT, ERRAND_NS, ERRAND_FDS };

struct job {
	struct model *model;
	struct errand *errand;
	int fds[ERRAND_FDS];
	int empty_fd; /* a directory without anything in it */
};

/* Until the other side is gone. */
void errand_loop(struct model *model, int sock);

/* This process is the caller from now on, without any capability. */
int errand_become(const struct errand *errand);
/* The file that is to be written to, as whoever this process is. */
int errand_open(const struct errand *errand, int dir_fd);
/* move.c: writes the number of a process. */
int errand_move(struct job *job);

#endif
