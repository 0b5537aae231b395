/* SPDX-License-Identifier: MIT */
/* runtime.h - the runtime directory: lock, pid file, result of the last reload;
 * and leaving the terminal. */
#ifndef LXCFSD_RUNTIME_H
#define LXCFSD_RUNTIME_H

#include <stdbool.h>

#include "options.h"

struct runtime {
	char dir[4096]; /* RUNTIME_DIR/lxcfsd */
	int lock_fd;	/* locked: one daemon per runtime directory */
	int pid_fd;	/* the pid file, locked; -1 before it is written */
	char *pidfile;
	int waiting_fd; /* the parent that waits for READY; -1 in the foreground */
};

/* Makes and locks the directory and the pid file.  -EBUSY: another daemon runs;
 * the reason has been logged. */
int runtime_claim(struct runtime *rt, const struct options *options);
/* The process has had them before it executed this program. */
void runtime_resume(struct runtime *rt, const struct options *options, int lock_fd, int pid_fd);
int runtime_write_pid(struct runtime *rt);
void runtime_release(struct runtime *rt);

/* Replaces the file DIR/name. */
void runtime_put(const struct runtime *rt, const char *name, const char *text);
/* Replaces DIR/last-reload: "N ok" or "N failed", then the reasons. */
void runtime_report_reload(const struct runtime *rt, unsigned int number, bool ok,
			   const char *reasons);

/* Goes on in a child; the parent waits and exits 0 once runtime_release_parent()
 * is called, else 1. */
int runtime_detach(struct runtime *rt);
void runtime_release_parent(struct runtime *rt);

#endif
