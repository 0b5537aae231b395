/* SPDX-License-Identifier: MIT */
/*
 * handover.h - a keeper that is replaced or dies, and the next one that goes on.
 *
 * Theory of operation.  What a successor needs is a handful of file descriptors
 * (bundle.h) and a text (state.h).  They lie ready where a successor finds them, all the
 * time: with the worker that serves, and with systemd if it keeps any.  A planned
 * successor is our own process with another program, and inherits them (reexec.h).
 *
 * Whoever takes them over must know whether somebody still serves: the text names the
 * worker, and is written before that one is told to go.  So at most this one lives.  It
 * goes on under the new keeper and is replaced by the usual path, where the proof that it is
 * gone is a pidfd when it is not a child.  If it cannot be steered it is killed
 * first; its requests are in the journal.
 *
 * systemd is given no descriptor of a file that we serve: newer ones call fstat(2) on
 * what they keep, which hangs when nobody serves.  So the copy of the mount is made again.
 */
#ifndef LXCFSD_HANDOVER_H
#define LXCFSD_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "bundle.h"
#include "reexec.h"

struct keeper;

struct handover {
	int state_fd;
	uint32_t state_seq;
	int listen_fd; /* where a worker without a keeper is found */
	uint64_t pid_namespace;
	uint64_t worker_started; /* the start time of active's process: tells it from another
				    one with the same pid */
	bool unrecorded;	 /* the text is not up to date */
	bool untold;		 /* neither is what the worker holds */
	uint32_t unstored;	 /* nor these in systemd's store */
	uint32_t stored;	 /* what is in there */
	uint64_t retry_at_ns;
	bool announce; /* taken over with nobody serving: the start is not over yet */
	unsigned int adoptions;
	struct reexec reexec;
};

/* Goes on where another keeper has ended, or with nothing: then there is a new vault.
 * -errno: it cannot be, and the log says why. */
int handover_begin(struct keeper *k, struct bundle *bundle);
/* What successors are given has changed: KEPT(...) of it, 0: only what the text says. */
void handover_changed(struct keeper *k, uint32_t which);
/* The worker that is told to go next is active. */
void handover_worker(struct keeper *k);
/* Passes on what has changed; milliseconds until it is to be called again, INT_MAX: when
 * something changes. */
int handover_publish(struct keeper *k, uint64_t now);
/* All that is handed over, as the numbers that it has here. */
void handover_bundle(struct keeper *k, struct bundle *ret);
/* We end now: may the mount stay for the next main process of this service? */
bool handover_stays(const struct keeper *k);
void handover_done(struct keeper *k, bool stays);

#endif
