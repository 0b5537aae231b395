/* SPDX-License-Identifier: MIT */
/*
 * overdue.h - requests that take too long are answered in their threads' place.
 *
 * Theory of operation.  One thread looks at the deadlines.  It sleeps without a limit
 * while nothing is in hand, and else until the first deadline that there may be, so it
 * wakes once per deadline on a busy machine.  It never waits for anything else.  What is
 * past its deadline it takes away from its thread (see journal.h) and gives to a spare
 * thread that is started for it, which answers by the fall-back order of serve.h and
 * then takes the stuck one's place.  If that is stuck as well, because the host's file
 * is what hangs, the reader gets EIO at the second deadline.
 *
 * A stuck thread that comes back finds its place taken and ends, or takes it again.
 */
#ifndef LXCFSD_OVERDUE_H
#define LXCFSD_OVERDUE_H

#include "journal.h"
#include "serve.h"

struct overdue {
	struct server *server;
	struct journal *journal;
	uint64_t limit_ns;
	/* One was taken away: starts a thread for it. */
	void (*replace)(void *arg, const struct journal_late *late);
	/* Starts a thread that does what journal_replay() finds. */
	void (*help)(void *arg);
	void *arg;
};

/* `overdue` must stay valid. */
int overdue_start(struct overdue *overdue);

/* Answers the request in this thread's slot, which was taken from another thread's. */
void overdue_answer(struct server *s, struct journal *journal, const void *request);
/* This thread is back from `request`, which was taken from it. */
void overdue_back(struct server *s, const void *request);

#endif
