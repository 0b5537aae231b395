/* SPDX-License-Identifier: MIT */
/* change.h - who serves, and how it changes: what keeper.c decides with. */
#ifndef LXCFSD_CHANGE_H
#define LXCFSD_CHANGE_H

#include <stdbool.h>
#include <stdint.h>

#include "guard.h"
#include "handover.h"
#include "inner.h"
#include "log.h"
#include "mount.h"
#include "options.h"
#include "process.h"
#include "reattach.h"
#include "runtime.h"
#include "safe.h"
#include "standby.h"
#include "status.h"
#include "vault.h"
#include "watch.h"

/* Why `next` was started. */
enum purpose { FOR_START, FOR_RELOAD, FOR_RESPAWN, FOR_STANDBY };

struct keeper {
	const struct options *options;
	struct runtime *rt;
	enum log_target worker_log;
	int signal_fd;
	int vault_fd;
	struct vault_header *vault;
	struct mount mount;
	struct inner inner[INNER_COUNT];
	struct guard guard;
	struct reattach reattach;
	int mounts_fd;	     /* mountinfo: says when the table of mounts changes */
	uint64_t look_at_ns; /* when to look whether ours is still there; 0: no need */
	uint64_t looked_ns;
	char mountpoint[4096]; /* as the configuration said it at the start */
	struct process active;
	struct process next;
	struct making good; /* what the last one that served was made of */
	bool from_disk;	    /* the last one made of that failed: look at the disk again */
	bool other_failed;  /* one of the two has failed since somebody served */
	struct safe safe;   /* what serves when no worker can */
	struct standby standby;
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
	struct watch watch;
	struct status status;
	bool stopping;
	bool keep_mount; /* for the next main process of this service */
	int exit_status;
	struct handover handover;
};

/* Ends the loop. */
void change_stop(struct keeper *k, int exit_status);
/* Starts a candidate, as `next`. */
void change_start(struct keeper *k, enum purpose purpose);
/* One serves, and no change-over is going on. */
bool change_is_quiet(const struct keeper *k);
/* Takes one message of `p`, which is active or next. */
void change_hear(struct keeper *k, struct process *p);
/* Takes the ends of all processes that have ended. */
void change_reap(struct keeper *k);
/* active was another keeper's child, and has ended. */
void change_orphan_ended(struct keeper *k);
/* The mount is served for the first time: says so to whoever waits for it. */
void change_has_started(struct keeper *k);
/* A reload has ended; `reasons` are lines of text. */
void change_reload_ended(struct keeper *k, bool ok, const char *reasons);
/* Kills `p`; `why` (NULL: none) is said where its failure is reported. */
void change_kill(struct process *p, const char *why);

/* The active one was killed and cannot be reaped: as if it had been. */
void change_give_up(struct keeper *k);

#endif
