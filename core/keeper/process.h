/* SPDX-License-Identifier: MIT */
/* process.h - one worker process as the keeper sees it. */
#ifndef LXCFSD_PROCESS_H
#define LXCFSD_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"
#include "options.h"
#include "wire.h"

enum process_state {
	PROCESS_NONE,
	PROCESS_LOADING, /* reads configuration and plugins */
	PROCESS_READY,	 /* could serve */
	PROCESS_TAKING,	 /* was told GO, answers what the one before left */
	PROCESS_SERVING,
	PROCESS_DRAINING, /* was told to finish */
};

/* What a worker can be made of again: -1, not known. */
struct making {
	int exe_fd; /* its program */
	int set_fd; /* configuration and modules, see goodset.h of the worker */
};

struct process {
	enum process_state state;
	pid_t pid;
	int ctl;
	int orphan_fd; /* pidfd of one that is not our child, but another keeper's; else 0 */
	uint32_t generation;
	uint64_t since_ns;	 /* when this state began */
	bool ended;		 /* reaped or being killed: what it says comes too late */
	struct wire_ready ready; /* from PROCESS_READY on */
	char *failure;		 /* why it cannot serve, lines of text; NULL */
	bool again;		 /* made of what the one before was made of */
	struct making made_of;
};

/* A worker that is made of `made_of`, or, with NULL, of what is on disk now. */
int process_start(struct process *p, const struct options *options, uint32_t generation,
		  enum log_target log, const struct making *made_of);
/* Closes what is held. */
void making_done(struct making *making);
void process_set_state(struct process *p, enum process_state state);
void process_kill(const struct process *p);
/* Reaps it, if it has ended and is our child. */
bool process_has_ended(const struct process *p);
/* After it has been reaped: closes and forgets. */
void process_done(struct process *p);
/* "signal 11 (Segmentation fault)", "exit status 3" */
const char *process_status_text(int status, char *buf, size_t size);
/* Died of something that the request in hand may have caused. */
bool process_status_is_fault(int status);

#endif
