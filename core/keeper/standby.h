/* SPDX-License-Identifier: MIT */
/*
 * standby.h - a worker that is ready before it is needed.
 *
 * Theory of operation.  What readers wait for after a crash is nearly all the loading of
 * the next worker: a program is executed, its modules are linked, the configuration is
 * read.  So while one serves, another one made of the same files is loaded as `next`, says
 * READY and sleeps.  It is a candidate like any other: when the active one has died, it
 * gets GO (change.c), and some time after that the next one is loaded.
 *
 * Nothing waits for it.  Whatever else needs the place of `next` (a reload, another program
 * for the keeper) drops it, and one that fails is tried again later, each time twice as much
 * later.  When memory runs out it is the first to be killed (oom.h).
 */
#ifndef LXCFSD_STANDBY_H
#define LXCFSD_STANDBY_H

#include <stdbool.h>
#include <stdint.h>

struct keeper;

struct standby {
	uint64_t start_at_ns;  /* 0: not thought of */
	unsigned int failures; /* in a row */
	uint64_t began_ns;
};

/* `next` is one. */
bool standby_is_next(const struct keeper *k);
/* In milliseconds, when one is to be started; 0: one was, or this was tried. */
int standby_patience_ms(struct keeper *k, uint64_t now);
/* There shall be none. */
void standby_drop(struct keeper *k);
/* It is needed now. */
void standby_promoted(struct keeper *k);
/* It has ended before it was needed. */
void standby_ended(struct keeper *k, const char *why);

#endif
