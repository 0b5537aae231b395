/* SPDX-License-Identifier: MIT */
/*
 * watch.h - is the worker still alive, and what did the last one die of?
 *
 * Theory of operation.  A worker answers by itself what takes too long (overdue.h of the
 * worker).  The watchdog is for one that does nothing at all any more: stopped, or hung
 * as a whole.  Once a second it compares the slots of the journal with what they were,
 * and asks whether requests wait in the kernel.  When something waits and nothing has
 * changed for longer than a request may take, the worker is killed, and what it had is
 * answered by the next one.  A worker that is known to be stopped is given no more time
 * than that; any other one half a second more for its own deadlines to work, and each time
 * that the killing has not helped twice as much.
 *
 * Killed is not yet gone: a thread that waits in the kernel for a disk keeps its process
 * (one that somebody else has killed is known by its first thread, which is a zombie).
 * After 200 ms the next worker starts all the same, once: `unreaped` in the vault tells it
 * to leave the old one's slots alone (journal.h of the worker says why that is enough).
 *
 * Deaths are told with what the worker had in hand, but no more than ten lines in ten
 * seconds, the others as a sum.  A file that was run in two deaths by fault or hang within
 * ten minutes (a tree: in four) is quarantined until the next reload.
 *
 * Whatever is read here from the vault may be garbage: only words are taken from it, and
 * numbers that name nothing are left out.
 */
#ifndef LXCFSD_WATCH_H
#define LXCFSD_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "wire.h"

struct keeper;
struct process;

/* Why a worker died. */
enum death {
	DEATH_FAULT,  /* of its own doing */
	DEATH_EXIT,   /* it ended, and nobody had asked it to */
	DEATH_KILLED, /* by somebody else */
	DEATH_OOM,    /* by the kernel, probably: memory had run out */
	DEATH_HUNG,   /* by the watchdog */
	DEATH_COUNT,
};

#define SUSPECTS_MAX (2 * QUARANTINE_MAX)
#define DEATH_TEXT   512

/* A file that was run in a death. */
struct suspect {
	char name[320]; /* "PLUGIN\tPATH", as the worker said it; "": free */
	uint64_t since_ns;
	unsigned int deaths;
	bool quarantined;
};

/* What a worker has said that its plugins serve. */
struct names {
	char *text; /* lines */
	size_t len;
};

struct watch {
	/* the watchdog */
	uint32_t generation; /* that is looked at */
	uint64_t look_at_ns, looked_ns;
	uint64_t progress_ns; /* no later than this was the last sign of life */
	uint64_t signature;   /* of all slots at the last look */
	bool killed;	      /* the active one, by us ... */
	bool was_stopped;     /* ... because somebody had stopped it */
	unsigned int hung;    /* in a row, without a minute of peace */
	uint64_t hung_ns;
	/* one that cannot be reaped */
	pid_t ending;
	uint64_t ending_ns;
	pid_t unreaped;
	uint64_t unreaped_ns;
	/* deaths */
	uint64_t period_ns; /* when the ten seconds began */
	unsigned int said, unsaid;
	bool was_said; /* the last one */
	enum death last_cause;
	uint64_t deaths[DEATH_COUNT];
	int64_t last_death; /* seconds since 1970 */
	char last_death_text[DEATH_TEXT];
	int proc_fd; /* procfs */
	int oom_fd;  /* what counts the kernel's killings */
	uint64_t oom_kills;
	struct names active_names, next_names;
	pid_t next_names_of;
	struct suspect suspects[SUSPECTS_MAX];
	/* for the status */
	uint64_t reloads_ok, reloads_failed;
	bool reload_failed; /* the last one */
	int64_t since;	    /* seconds since 1970, when the active worker was started ... */
	uint32_t since_of;  /* ... of this generation */
	uint64_t remounts, inner_remounts, put_back;
};

/* A file of procfs, opened without a step onto another mount: that could be ours.  -errno. */
int watch_open_proc(const struct watch *w, const char *path);
void watch_init(struct watch *w);
/* Ends what hangs; milliseconds until the next look, INT_MAX: never. */
int watch_patience_ms(struct keeper *k, uint64_t now);
/* `pid` has ended at last, if it was one that was given up. */
void watch_reaped(struct keeper *k, pid_t pid);

/* deaths.c.  The active worker has died, `how`: says so, if not too often, and counts.
 * Before its slots are given to another one. */
void death_tell(struct keeper *k, int status, const char *how);
/* What was not said is summed up; milliseconds until then. */
int death_patience_ms(struct watch *w, uint64_t now);
/* WIRE_FILES of the candidate `pid`. */
void death_names(struct watch *w, pid_t pid, const char *text);
/* The candidate becomes the active one.  What it may not run, into *go. */
void death_promote(struct watch *w, bool reload, struct wire_go *go);
void death_done(struct watch *w);
/* How many processes the kernel has killed for memory so far. */
uint64_t death_oom_kills(struct watch *w);
/* Is this the kind of death that pauses are made after? */
bool death_is_repeated(const struct watch *w);

#endif
