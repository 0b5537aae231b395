/* SPDX-License-Identifier: MIT */
/*
 * safe.h - when lxcfsd-safe serves instead of a worker.
 *
 * Theory of operation.  Its program is opened when the keeper starts and is executed
 * from that descriptor, so that nothing on disk is needed when nothing on disk is good
 * any more.  It is due when nobody serves and neither what served before nor what is on
 * disk comes to serve: both have failed (not: were killed), or they take too long, or one
 * after the other dies soon after it began.  It takes over as a worker does, as `active`; meanwhile
 * workers are tried as `next`, and the first that is ready takes over from it in the
 * ordinary way.
 */
#ifndef LXCFSD_KEEPER_SAFE_H
#define LXCFSD_KEEPER_SAFE_H

#include <stdbool.h>
#include <stdint.h>

#include "options.h"
#include "process.h"

#define SAFE_REASON_MAX 512

struct safe {
	struct making made_of;	      /* its program; exe_fd -1: there is none */
	struct wire_ready ready;      /* what the last worker said of the configuration */
	bool due;		      /* nobody else can serve */
	unsigned int episodes;	      /* how often it had to */
	unsigned int starts;	      /* how often it came to serve, also after its own death */
	unsigned int crashes;	      /* its own deaths in a row, each soon after it began */
	unsigned int tries;	      /* workers that have failed in this episode */
	uint64_t since_ns;	      /* the episode began; 0: there is none */
	uint64_t retry_at_ns;	      /* when a worker is tried again */
	char reason[SAFE_REASON_MAX]; /* why the last worker failed: its first line */
};

#define SAFE_NONE                                                                                  \
	{                                                                                          \
		.made_of = {.exe_fd = -1, .set_fd = -1, .last_resort = true }                      \
	}

/* Opens the program, which is beside the worker. */
void safe_open(struct safe *safe, const struct options *options);

static inline bool safe_exists(const struct safe *safe)
{
	return safe->made_of.exe_fd >= 0;
}
/* It is to be started if nobody serves. */
bool safe_is_due(const struct safe *safe);
/* For how long to wait with whatever is started next, because it dies itself. */
unsigned int safe_delay_ms(const struct safe *safe);
/* For how long a worker may load while nobody serves. */
int safe_patience_ms(const struct safe *safe, int otherwise);
/* When a worker is to be tried again, in milliseconds; 0: now, and then not soon again.
 * Only while it serves. */
int safe_retry_ms(struct safe *safe, uint64_t now);

/* A worker did not get ready; nobody serves since `died_ns`, or we do.  `last`: there
 * is nothing else to make one of.  True: that is worth a line, false: it was said before. */
bool safe_worker_failed(struct safe *safe, bool last, uint64_t died_ns, const char *why);
/* So many workers in a row died that it makes no sense to go on at once. */
void safe_workers_die(struct safe *safe, unsigned int failures);
/* It has ended; `fault`: by its own, or before it served. */
void safe_died(struct safe *safe, bool fault, uint64_t lived_ns);
void safe_serves(struct safe *safe, uint64_t died_ns);
/* A worker serves; false: one did before, too. */
bool safe_ends(struct safe *safe, const struct wire_ready *ready);

#endif
