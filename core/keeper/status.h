/* SPDX-License-Identifier: MIT */
/*
 * status.h - RUNTIME_DIR/lxcfsd/status: what the keeper knows, for people and programs.
 *
 * One line "KEY VALUE" for each, replaced whole (by rename) when something has changed,
 * at most once a second; the same in a few words for systemctl.  Keys are only added.
 *
 *	version, pid, state (starting, serving, changing, no-worker), mountpoint
 *	worker (pid, 0: none), generation, worker-since (seconds since 1970), plugins
 *	view (own, or host after SIGUSR2)
 *	reloads-ok, reloads-failed; last-reload beside this file has the reasons
 *	deaths-fault, deaths-exit, deaths-killed, deaths-oom, deaths-hung: of workers
 *	last-death (seconds since 1970 and the line that was logged; none: 0)
 *	failed-in-row: workers that did not come to serve
 *	unreaped (pid of a killed worker that cannot end, 0: none)
 *	late-requests: answered past their deadline
 *	remounts, inner-remounts: connections that were ended from outside and made anew
 *	put-back: how often our mount was unmounted and put back
 *	quarantined PLUGIN:PATH, a line for each
 *
 * A directory that is gone is made again; what cannot be written is said once.
 */
#ifndef LXCFSD_STATUS_H
#define LXCFSD_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STATUS_MAX 32768

struct keeper;

struct status {
	char written[STATUS_MAX]; /* what stands there */
	uint64_t next_ns;	  /* not before */
	bool waits;		  /* until then */
	bool failed;		  /* said already */
	char notified[128];
};

/* Writes it, if anything has changed; milliseconds until it may, INT_MAX: no need. */
int status_patience_ms(struct keeper *k, uint64_t now);

#endif
