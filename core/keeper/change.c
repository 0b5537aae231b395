/* SPDX-License-Identifier: MIT */
/*
 * change.c - which worker serves, and how one follows the other.
 *
 * Theory of operation.  At most two workers live: `active`, the one that may take
 * requests, and `next`, a candidate that loads configuration and plugins aside.
 * There is one way to change over, whatever the cause:
 *
 *	next says READY -> active (if any) is told to drain, or is dead already
 *	-> it is reaped: no thread of it is inside read(2) or write(2) on the
 *	connection any more -> its generation is published as dead -> GO to next.
 *
 * waitpid() is the proof that the old one is gone; nothing is handed over before, but for
 * one that was killed and cannot be reaped (watch.h).
 * A candidate that was loaded in reserve (standby.h) waits in READY until active is dead.
 * A candidate that fails is dropped, and active never knew of it.  A reload is a
 * planned crash: the same path, except that active is asked first.
 *
 * Nothing here looks into the mount, loads code, or handles what a container sent.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change.h"
#include "conns.h"
#include "io.h"
#include "notify.h"
#include "oom.h"
#include "timeouts.h"
#include "wire.h"

#define MS 1000000u
/* Deaths in a row that are followed at once; then with a growing pause. */
#define FAILURES_FREE 10
#define FAILURES_SAFE 30 /* by then nobody has served for longer than that took */
#define PAUSE_MAX_MS  1000
/* Before another candidate: if memory has run out, for what the last one had to be free. */
#define UNREADY_PAUSE_MS   10
#define PEACE_MS	   5000
#define START_FAILURES_MAX 5

void change_stop(struct keeper *k, int exit_status)
{
	k->stopping = true;
	k->exit_status = exit_status;
}

static void log_lines(int level, const char *prefix, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		log_line(level, "%s%.*s", prefix, (int)len, text);
		text += len + (text[len] == '\n');
	}
}

/* ---------------------------------------------------------------- changing */

bool change_is_quiet(const struct keeper *k)
{
	return k->active.state == PROCESS_SERVING &&
	       (k->next.state == PROCESS_NONE || standby_is_next(k));
}

void change_reload_ended(struct keeper *k, bool ok, const char *reasons)
{
	k->reloads++;
	k->watch.reloads_ok += ok;
	k->watch.reloads_failed += !ok;
	k->watch.reload_failed = !ok;
	if (ok)
		log_notice("reload: done (generation %u, %u plugins)", k->active.generation,
			   k->active.ready.plugins);
	else
		log_lines(3, "reload: failed, the old configuration goes on: ", reasons);
	runtime_report_reload(k->rt, k->reloads, ok, reasons);
	handover_changed(k, 0);
	notify_ready(ok ? "serving" : "serving; the last reload failed, see the log");
}

void change_start(struct keeper *k, enum purpose purpose)
{
	bool again = purpose == FOR_STANDBY ||
		     (purpose == FOR_RESPAWN && k->good.set_fd >= 0 && !k->from_disk);
	bool safe =
		purpose == FOR_RESPAWN && k->active.state == PROCESS_NONE && safe_is_due(&k->safe);
	int r = process_start(&k->next, k->options, ++k->generation, k->worker_log,
			      safe    ? &k->safe.made_of
			      : again ? &k->good
				      : NULL);

	k->purpose = purpose;
	k->respawn_at_ns = 0;
	if (r == 0)
		return;
	if (purpose != FOR_STANDBY)
		log_err("cannot start a worker: %s", strerror(-r));
	if (!k->started)
		change_stop(k, 1);
	else if (purpose == FOR_RELOAD)
		change_reload_ended(k, false,
				    "cannot start a worker: too many processes, or no memory");
	else if (purpose == FOR_STANDBY)
		standby_ended(k, strerror(-r));
	else
		k->respawn_at_ns = io_now_ns() + 1000ull * MS;
}

/* Nobody serves: the sooner the better, but not in a tight loop of failures. */
static void respawn(struct keeper *k, uint64_t delay_ms)
{
	uint64_t safe_ms = safe_delay_ms(&k->safe);

	if (!k->started && k->failures >= START_FAILURES_MAX) {
		log_err("not started: no worker comes to serve");
		change_stop(k, 1);
		return;
	}
	if (k->started && k->failures > FAILURES_SAFE)
		safe_workers_die(&k->safe, k->failures);
	if (k->failures > FAILURES_FREE && !safe_is_due(&k->safe)) {
		unsigned int doublings = k->failures - FAILURES_FREE;

		delay_ms = 10ull << (doublings < 8 ? doublings : 8);
		if (delay_ms > PAUSE_MAX_MS)
			delay_ms = PAUSE_MAX_MS;
		log_err("%u workers in a row have failed; the next one starts in %llu ms",
			k->failures, (unsigned long long)delay_ms);
	}
	if (delay_ms < safe_ms)
		delay_ms = safe_ms;
	if (delay_ms)
		k->respawn_at_ns = io_now_ns() + delay_ms * MS;
	else
		change_start(k, FOR_RESPAWN);
}

/* active is gone for good: next takes over. */
static void promote(struct keeper *k)
{
	struct wire_go go = { .generation = k->next.generation, .conns = 1 };
	int fds[2 + INNER_COUNT], r;

	if (k->mount.fuse_fd < 0) {
		memcpy(k->mountpoint, k->next.ready.mountpoint, sizeof(k->mountpoint));
		r = conns_mount(k, k->mountpoint);
		if (r < 0) {
			change_stop(k, 1);
			return;
		}
		guard_learn(&k->guard, k->vault);
	}
	guard_mend(&k->guard, k->vault);
	if (!k->watch.unreaped)
		atomic_store(&k->vault->unreaped, 0);
	if (k->purpose == FOR_STANDBY)
		standby_promoted(k);
	process_done(&k->active);
	k->active = k->next;
	k->next = (struct process){ .state = PROCESS_NONE, .ctl = -1 };
	handover_worker(k);
	atomic_store(&k->vault->writer, k->active.generation);
	death_promote(&k->watch, k->purpose == FOR_RELOAD, &go);
	go.hide_host = k->active.ready.hide_host;
	fds[0] = k->vault_fd;
	fds[1] = k->mount.fuse_fd;
	for (unsigned int i = 0; i < INNER_COUNT; i++)
		if (k->inner[i].fuse_fd >= 0)
			fds[1 + go.conns++] = k->inner[i].fuse_fd;
	go.roots = k->inner[1].fuse_fd >= 0;
	oom_settle(k->active.pid);
	r = wire_send(k->active.ctl, WIRE_GO, &go, sizeof(go), fds, 1 + go.conns);
	if (r < 0) /* it is dying; its death is on the way to us */
		log_warn("worker %d does not take GO: %s", k->active.pid, strerror(-r));
	process_set_state(&k->active, PROCESS_TAKING);
}

static void next_is_ready(struct keeper *k)
{
	if (k->active.state == PROCESS_NONE) {
		promote(k);
	} else if (k->active.state != PROCESS_DRAINING && k->purpose != FOR_STANDBY) {
		process_set_state(&k->active, PROCESS_DRAINING);
		wire_send(k->active.ctl, WIRE_DRAIN, NULL, 0, NULL, 0);
	}
}

/* The first time ever: now the command has succeeded. */
void change_has_started(struct keeper *k)
{
	int r = runtime_write_pid(k->rt);

	k->started = true;
	k->handover.announce = false;
	if (r < 0)
		log_warn("cannot write the pid file: %s", strerror(-r));
	if (!k->options->foreground) /* the terminal is left now */
		log_open("lxcfsd", LOG_TO_SYSLOG, (int)k->active.ready.log_level);
	log_notice("serving on '%s' (%u plugins, pid %d)", k->mount.path, k->active.ready.plugins,
		   getpid());
	if (mount_is_private(&k->mount))
		log_warn("this process has a mount namespace of its own: '%s' cannot be seen "
			 "outside "
			 "of it.  Is it started with PrivateTmp, ProtectSystem or the like?",
			 k->mount.path);
	timeouts_check();
	notify_ready("serving");
	runtime_release_parent(k->rt);
	reattach_all(&k->reattach);
}

static void active_serves(struct keeper *k)
{
	bool safe_over;

	process_set_state(&k->active, PROCESS_SERVING);
	log_set_level((int)k->active.ready.log_level);
	if (k->active.made_of.last_resort) {
		safe_serves(&k->safe, k->died_ns);
		conns_inner(k);
		return;
	}
	safe_over = safe_ends(&k->safe, &k->active.ready);
	if (!k->active.again) {
		making_done(&k->good);
		k->good = k->active.made_of;
		k->active.made_of = (struct making){ .exe_fd = -1, .set_fd = -1 };
		handover_changed(k, KEPT(EXE) | KEPT(SET));
	}
	handover_changed(k, 0);
	k->from_disk = k->other_failed = false;
	guard_learn(&k->guard, k->vault); /* and what the worker has made of INIT */
	if (!k->started || k->handover.announce) {
		change_has_started(k);
	} else if (k->purpose == FOR_RELOAD) {
		if (strcmp(k->active.ready.mountpoint, k->mountpoint) != 0)
			log_warn("mountpoint = %s is for the next start: '%s' stays",
				 k->active.ready.mountpoint, k->mount.path);
		change_reload_ended(k, true, "");
	} else if (!safe_over && k->watch.was_said) {
		log_notice("serving again %.1f ms after the death (generation %u)",
			   (double)(io_now_ns() - k->died_ns) / 1e6, k->active.generation);
	}
	conns_inner(k);
}

/* -------------------------------------------------------------- a worker speaks */

static void take_failure(struct process *p, const char *text)
{
	free(p->failure);
	p->failure = strdup(text);
}

void change_hear(struct keeper *k, struct process *p)
{
	static struct wire_msg msg;
	int r = wire_recv(p->ctl, &msg, MSG_DONTWAIT);

	if (r == -EPROTO)
		log_warn("nonsense from worker %d, ignoring", p->pid);
	if (r == -ECONNRESET && !p->ended)
		change_kill(p, NULL); /* dead already, or cannot be steered any more */
	if (r < 0)
		return; /* its end is noticed by SIGCHLD */
	if (msg.type == WIRE_READY && msg.fd_count > 0 && p->made_of.set_fd < 0)
		p->made_of.set_fd = msg.fds[--msg.fd_count];
	while (msg.fd_count)
		close(msg.fds[--msg.fd_count]);
	if (msg.type == WIRE_READY && p->state == PROCESS_LOADING && !p->ended) {
		p->ready = p->made_of.last_resort ? k->safe.ready : msg.ready;
		p->ready.mountpoint[sizeof(p->ready.mountpoint) - 1] = '\0';
		p->ready.inner[sizeof(p->ready.inner) - 1] = '\0';
		p->ready.roots[sizeof(p->ready.roots) - 1] = '\0';
		process_set_state(p, PROCESS_READY);
		next_is_ready(k);
	} else if (msg.type == WIRE_FILES && p == &k->next) {
		death_names(&k->watch, p->pid, msg.text);
	} else if (msg.type == WIRE_FAILED) {
		take_failure(p, msg.text);
	} else if (msg.type == WIRE_SERVING && p->state == PROCESS_TAKING) {
		active_serves(k);
	}
}

/* -------------------------------------------------------------- a worker ends */

/* Somebody has killed it, or memory has run out: that says nothing of what it was made of. */
static bool next_was_killed(const struct keeper *k, int status)
{
	return !k->next.failure && !process_status_is_fault(status);
}

static void respawn_failed(struct keeper *k, const char *why, bool safe, bool killed)
{
	bool last = !killed && (k->other_failed || k->good.set_fd < 0);

	if (safe || safe_worker_failed(&k->safe, last, k->died_ns, why))
		log_lines(3, "cannot restart: ", why);
	if (safe)
		safe_died(&k->safe, true, 0);
	if (!safe && !killed)
		k->from_disk = !k->from_disk; /* one of the two will do */
	k->other_failed |= !killed;
	k->failures += killed && k->active.state == PROCESS_NONE;
}

static void next_failed(struct keeper *k, const char *why, bool safe, bool killed)
{
	switch (k->purpose) {
	case FOR_START:
		log_lines(3, "", why);
		log_err("not started: nothing was mounted");
		change_stop(k, 1);
		return;
	case FOR_RELOAD:
		change_reload_ended(k, false, why);
		k->from_disk = false; /* what is there is no good */
		break;
	case FOR_STANDBY:
		standby_ended(k, why);
		break;
	case FOR_RESPAWN:
		respawn_failed(k, why, safe, killed);
		break;
	}
	if (k->active.state == PROCESS_NONE) {
		k->failures += !killed && !safe_exists(&k->safe);
		respawn(k, UNREADY_PAUSE_MS);
	}
}

static void next_ended(struct keeper *k, int status, const char *how)
{
	static const char hint[] = ": is a library that it needs gone or broken?";
	bool killed = next_was_killed(k, status), safe = k->next.made_of.last_resort;
	char *why = k->next.failure, text[256];

	snprintf(text, sizeof(text), "the new worker ended with %s before it was ready%s", how,
		 strcmp(how, "exit status 127") == 0 ? hint : "");
	k->next.failure = NULL;
	process_done(&k->next);
	next_failed(k, why ? why : text, safe, killed);
	free(why);
}

static const char *name_of(const struct process *p)
{
	return p->made_of.last_resort ? "lxcfsd-safe" : "worker";
}

/* Deaths that are likely to go on: in a row, by a fault or before it served. */
static void count_failure(struct keeper *k, bool planned, bool fault)
{
	uint64_t lived_ns = k->died_ns - k->active.since_ns;
	bool served = k->active.state == PROCESS_SERVING;

	if (k->active.made_of.last_resort)
		return; /* says nothing of workers */
	if (planned || (served && lived_ns > (uint64_t)PEACE_MS * MS))
		k->failures = 0;
	else if (!served || fault)
		k->failures++;
}

static void active_ended(struct keeper *k, int status, const char *how)
{
	bool planned = k->active.state == PROCESS_DRAINING;
	bool cut_off = WIFEXITED(status) && WEXITSTATUS(status) == WORKER_EXIT_GONE;
	bool gone = cut_off && mount_is_gone(&k->mount);
	bool inner_gone = conns_inner_gone(k) && !gone;
	bool faulty =
		!planned && !gone && !(cut_off && inner_gone) &&
		(process_status_is_fault(status) || (k->watch.killed && !k->watch.was_stopped));
	uint32_t generation = k->active.generation;

	k->died_ns = io_now_ns();
	if (planned && WIFSIGNALED(status) && process_status_is_fault(status))
		log_err("%s %d (generation %u) died while it finished: %s", name_of(&k->active),
			k->active.pid, generation, how);
	if (!planned && !gone && !(cut_off && inner_gone))
		death_tell(k, status, how);
	count_failure(k, planned || (cut_off && inner_gone),
		      process_status_is_fault(status) || death_is_repeated(&k->watch));
	if (k->active.state == PROCESS_TAKING && k->purpose == FOR_RELOAD)
		change_reload_ended(k, false, "the new worker died while it took over");
	if (k->active.made_of.last_resort && !planned)
		safe_died(&k->safe,
			  k->active.state != PROCESS_SERVING || process_status_is_fault(status),
			  k->died_ns - k->active.since_ns);
	process_done(&k->active);
	if (gone)
		conns_anew(k);
	else if (inner_gone)
		conns_inner_ended(k);
	if (k->stopping)
		return;
	if (faulty)
		atomic_store(&k->vault->dead_faulty, generation);
	atomic_store(&k->vault->dead, generation);
	if (standby_is_next(k) && k->failures > FAILURES_FREE)
		standby_drop(k); /* it would be the next one: there shall be a pause */
	if (k->next.state == PROCESS_READY) {
		promote(k);
		return;
	}
	if (standby_is_next(k)) { /* what we would start now */
		standby_promoted(k);
		return;
	}
	if (k->next.state == PROCESS_LOADING) {
		/* it may take long or never get ready: first somebody must serve */
		k->reload_wanted = k->reload_wanted || k->purpose == FOR_RELOAD;
		kill(k->next.pid, SIGKILL); /* and forgotten: reaped some time */
		process_done(&k->next);
	}
	respawn(k, 0);
}

void change_reap(struct keeper *k)
{
	char how[64];
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (conns_reaped(k, pid, status) || reexec_reaped(k, pid, status) ||
		    reattach_reaped(&k->reattach, pid, status))
			continue;
		watch_reaped(k, pid);
		process_status_text(status, how, sizeof(how));
		/* what it said last may still lie in the socket */
		if (k->next.state != PROCESS_NONE && pid == k->next.pid) {
			k->next.ended = true;
			change_hear(k, &k->next);
			next_ended(k, status, how);
		} else if (k->active.state != PROCESS_NONE && pid == k->active.pid) {
			k->active.ended = true;
			change_hear(k, &k->active);
			active_ended(k, status, how);
		}
	}
}

/* How it ended nobody but its parent can know. */
void change_orphan_ended(struct keeper *k)
{
	int status = mount_is_gone(&k->mount) ? WORKER_EXIT_GONE << 8 : SIGKILL;

	k->active.ended = true;
	active_ended(k, status, "not our child, so how is not known");
}

void change_give_up(struct keeper *k)
{
	log_err("worker %d is killed and does not end (it waits for a disk?): the next one starts "
		"all the same",
		k->active.pid);
	active_ended(k, SIGKILL, "signal 9, cannot be reaped");
}

void change_kill(struct process *p, const char *why)
{
	if (why)
		take_failure(p, why);
	process_kill(p);
	p->ended = true;
}
