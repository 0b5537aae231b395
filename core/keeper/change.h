/* SPDX-License-Identifier: MIT */
/* change.h - who serves, and how it changes: what keeper.c decides with. */
#ifndef LXCFSD_CHANGE_H
#define LXCFSD_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "inner.h"
#include "log.h"
#include "mount.h"
#include "options.h"
#include "process.h"
#include "runtime.h"
#include "vault.h"

/* Why `next` was started. */
enum purpose { FOR_START, FOR_RELOAD, FOR_RESPAWN };

struct keeper {
	const struct options *options;
	struct runtime *rt;
	enum log_target worker_log;
	int signal_fd;
	int vault_fd;
	struct vault_header *vault;
	struct mount mount;
	struct inner inner;
	struct guard guard;
	int mounts_fd;	     /* mountinfo: says when the table of mounts changes */
	uint64_t look_at_ns; /* when to look whether ours is still there; 0: no need */
	uint64_t looked_ns;
	char mountpoint[4096]; /* as the configuration said it at the start */
	struct process active;
	struct process next;
	struct making good; /* what the last one that served was made of */
	bool from_disk;	    /* the last one made of that failed: look at the disk again */
	enum purpose purpose;
	uint32_t generation; /* last one given */
	bool started;	     /* has served once: before that a failure ends everything */
	bool reload_wanted;
	unsigned int reloads;	/* finished ones */
	unsigned int failures;	/* workers in a row that did not come to serve */
	uint64_t respawn_at_ns; /* 0: not waiting */
	unsigned int remounts;
	uint64_t remounted_ns;
	uint64_t died_ns;
	bool stopping;
	int exit_status;
};

/* Ends the loop. */
void change_stop(struct keeper *k, int exit_status);
/* Starts a candidate, as `next`. */
void change_start(struct keeper *k, enum purpose purpose);
/* Takes one message of `p`, which is active or next. */
void change_hear(struct keeper *k, struct process *p);
/* Makes the inner mount, if the active worker wants one, or puts it back. */
void change_inner(struct keeper *k);
/* Takes the ends of all processes that have ended. */
void change_reap(struct keeper *k);
/* Kills `p`; `why` (NULL: none) is said where its failure is reported. */
void change_kill(struct process *p, const char *why);

#endif
