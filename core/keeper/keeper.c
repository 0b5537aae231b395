/* SPDX-License-Identifier: MIT */
/*
 * keeper.c - owns what must never die: the mount, the vault, and a worker.
 *
 * One loop of events: signals, what workers say, and time that has run out.  What
 * follows from them is in change.c.  Nothing here looks into the mount, loads code,
 * or handles what a container sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change.h"
#include "conns.h"
#include "io.h"
#include "keeper.h"
#include "notify.h"
#include "wire.h"

#define MS		   1000000u
#define START_TIMEOUT_MS   60000 /* before any configuration has been read */
#define TAKE_TIMEOUT_MS	   5000
#define LOOK_MS		   1000 /* at most that often at the table of mounts */
#define STOP_TIMEOUT_MS	   1000
#define CLOSERS_TIMEOUT_MS 100

/* ------------------------------------------------------------------- events */

static void take_signal(struct keeper *k)
{
	struct signalfd_siginfo si;

	if (read(k->signal_fd, &si, sizeof(si)) != sizeof(si))
		return;
	switch (si.ssi_signo) {
	case SIGCHLD:
		change_reap(k);
		break;
	case SIGHUP:
		k->handover.reexec.wanted = true;
		break;
	case SIGUSR1:
		k->reload_wanted = true;
		break;
	case SIGUSR2: {
		bool off = !atomic_load(&k->vault->view_off);

		atomic_store(&k->vault->view_off, off);
		k->guard.view_off = off;
		log_notice("SIGUSR2: containers see %s",
			   off ? "the host's files" : "their own again");
		break;
	}
	case SIGTERM:
	case SIGINT:
		k->keep_mount = si.ssi_signo == SIGTERM && handover_stays(k);
		log_notice("%s: ending%s", si.ssi_signo == SIGTERM ? "SIGTERM" : "SIGINT",
			   k->keep_mount ? "; the mount stays, systemd keeps it" : "");
		change_stop(k, 0);
		break;
	}
}

/* Milliseconds until `p` has been in its state for too long; INT_MAX: never. */
static int patience_ms(const struct keeper *k, const struct process *p, uint64_t now)
{
	uint64_t limit_ms, passed_ms = (now - p->since_ns) / MS;

	if (p->ended)
		return INT_MAX;
	if (p->state == PROCESS_LOADING)
		limit_ms = k->active.state != PROCESS_NONE ? k->active.ready.ready_timeout_ms
			   : k->started ? (uint64_t)safe_patience_ms(&k->safe, START_TIMEOUT_MS)
					: START_TIMEOUT_MS;
	else if (p->state == PROCESS_DRAINING)
		limit_ms = p->ready.drain_ms;
	else if (p->state == PROCESS_TAKING)
		limit_ms = TAKE_TIMEOUT_MS;
	else
		return INT_MAX;
	return passed_ms >= limit_ms ? 0 : (int)(limit_ms - passed_ms);
}

/* Somebody may have taken our mount off: looked at once a second at most, however
 * many containers come and go.  Returns how long that may wait. */
static int check_mount(struct keeper *k, uint64_t now)
{
	bool restored;
	int r;

	if (!k->look_at_ns || !k->started)
		return INT_MAX;
	if (now < k->look_at_ns)
		return (int)((k->look_at_ns - now) / MS) + 1;
	k->look_at_ns = 0;
	k->looked_ns = now;
	r = mount_restore(&k->mount, &restored);
	conns_inner(k);
	if (restored)
		handover_changed(k, KEPT(TREE));
	if (r < 0)
		log_err("the mount on '%s' is gone and cannot be put back: %s", k->mount.path,
			strerror(-r));
	else if (restored)
		log_warn("somebody has unmounted '%s': it is back, containers did not notice",
			 k->mount.path);
	k->watch.put_back += r == 0 && restored;
	return INT_MAX;
}

static int soonest(int a, int b)
{
	return a < b ? a : b;
}

/* Ends what took too long.  0: something was done, so look again. */
static int check_workers(struct keeper *k, uint64_t now)
{
	int next = patience_ms(k, &k->next, now), active = patience_ms(k, &k->active, now);

	if (next == 0) {
		change_kill(&k->next, "the new worker was not ready in time "
				      "(ready_timeout_ms); is a plugin's init stuck?");
	} else if (active == 0) { /* its requests stay in the journal, the next one answers them */
		log_info("worker %d did not %s in time, killing it", k->active.pid,
			 k->active.state == PROCESS_TAKING ? "take over" : "finish");
		change_kill(&k->active, NULL);
	}
	return soonest(next, active);
}

/* Starts what is due.  0: something was done. */
static int check_starts(struct keeper *k, uint64_t now)
{
	bool quiet = change_is_quiet(k);
	int wait = INT_MAX;

	if (k->respawn_at_ns)
		wait = now >= k->respawn_at_ns ? 0 : (int)((k->respawn_at_ns - now) / MS) + 1;
	if (wait == 0) {
		change_start(k, FOR_RESPAWN);
		return 0;
	}
	wait = soonest(wait, reexec_step(k, now));
	if (wait == 0 || !quiet)
		return wait;
	if (k->reload_wanted) {
		k->reload_wanted = false;
		log_info("reload: loading");
		standby_drop(k);
		change_start(k, FOR_RELOAD);
		return 0;
	}
	wait = soonest(wait, safe_retry_ms(&k->safe, now));
	if (wait == 0)
		change_start(k, FOR_RESPAWN);
	else
		wait = soonest(wait, standby_patience_ms(k, now));
	return wait;
}

/* Does what is due; returns how long poll() may sleep. */
static int check_timers(struct keeper *k)
{
	uint64_t now = io_now_ns();
	int wait = check_workers(k, now);

	if (wait > 0)
		wait = soonest(wait, check_starts(k, now));
	if (wait == 0)
		return 0;
	wait = soonest(wait, check_mount(k, now));
	for (unsigned int i = 0; i < INNER_COUNT; i++)
		wait = soonest(wait, inner_patience_ms(&k->inner[i], now));
	wait = soonest(wait, watch_patience_ms(k, now));
	wait = soonest(wait, death_patience_ms(&k->watch, now));
	wait = soonest(wait, status_patience_ms(k, now));
	wait = soonest(wait, handover_publish(k, now));
	wait = soonest(wait,
		       reattach_step(&k->reattach, k->mount.path,
				     k->active.state == PROCESS_SERVING && !conns_inner_moves(k),
				     k->active.ready.reattach, now));
	return wait == INT_MAX ? -1 : wait;
}

/* One that has ended is heard when it is reaped. */
static int listen_fd(const struct process *p)
{
	return p->state == PROCESS_NONE || p->ended ? -1 : p->ctl;
}

static void mounts_changed(struct keeper *k)
{
	uint64_t now = io_now_ns(), next = k->looked_ns + (uint64_t)LOOK_MS * MS;

	k->look_at_ns = next > now ? next : now;
}

static void loop(struct keeper *k)
{
	while (!k->stopping) {
		int wait = check_timers(k);
		struct pollfd p[5] = {
			{ .fd = k->signal_fd, .events = POLLIN },
			{ .fd = listen_fd(&k->active), .events = POLLIN },
			{ .fd = listen_fd(&k->next), .events = POLLIN },
			{ .fd = k->look_at_ns ? -1 : k->mounts_fd, .events = POLLPRI },
			{ .fd = k->active.orphan_fd ? k->active.orphan_fd : -1, .events = POLLIN },
		};

		if (k->stopping || poll(p, 5, wait) < 0)
			continue;
		/* one event a round: each may change who is who */
		if (p[0].revents & POLLIN)
			take_signal(k);
		else if (p[1].revents & (POLLIN | POLLHUP))
			change_hear(k, &k->active);
		else if (p[2].revents & (POLLIN | POLLHUP))
			change_hear(k, &k->next);
		else if (p[4].revents)
			change_orphan_ended(k);
		else if (p[3].revents)
			mounts_changed(k);
	}
}

static void end_process(struct process *p)
{
	uint64_t start = io_now_ns(), end = start + (uint64_t)STOP_TIMEOUT_MS * MS;

	if (p->state == PROCESS_NONE)
		return;
	if (p->state != PROCESS_LOADING)
		wire_send(p->ctl, WIRE_DRAIN, NULL, 0, NULL, 0);
	else
		process_kill(p);
	while (!process_has_ended(p)) {
		uint64_t now = io_now_ns();

		if (now > 2 * end - start)
			break; /* it cannot die now; we can */
		if (now > end)
			process_kill(p);
		poll(NULL, 0, 1);
	}
	process_done(p);
}

/* Who closes what the workers had open is ours; not every process 1 would reap it. */
static void reap_closers(void)
{
	uint64_t end = io_now_ns() + (uint64_t)CLOSERS_TIMEOUT_MS * MS;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) >= 0 && io_now_ns() < end)
		if (pid == 0)
			poll(NULL, 0, 1);
}

static int set_up(struct keeper *k)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1); /* a worker's closer ends after it */
	k->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (k->signal_fd < 0)
		return -errno;
	watch_init(&k->watch);
	k->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	return 0;
}

int keeper_run(const struct options *options, struct runtime *rt, struct bundle *bundle)
{
	struct keeper k = {
		.options = options,
		.rt = rt,
		.worker_log = options->foreground ? log_current_target() : LOG_TO_SYSLOG,
		.mount = { .fuse_fd = -1, .lock_fd = -1, .tree_fd = -1 },
		.inner = { INNER_NONE(CONN_INNER), INNER_NONE(CONN_ROOTS) },
		.active = { .ctl = -1 },
		.next = { .ctl = -1 },
		.good = { .exe_fd = -1, .set_fd = -1 },
		.vault_fd = -1,
		.handover = { .state_fd = -1, .listen_fd = -1, .reexec = REEXEC_NONE },
		.safe = SAFE_NONE,
	};
	int r = set_up(&k);

	safe_open(&k.safe, options);
	if (r == 0)
		r = handover_begin(&k, bundle);
	if (r < 0) {
		log_err("cannot start: %s", strerror(-r));
		return 1;
	}
	if (options->ignored[0])
		log_notice("options without a meaning here, ignored: %s", options->ignored);
	loop(&k);
	notify_stopping();
	reattach_end(&k.reattach);
	handover_done(&k, k.keep_mount);
	if (!k.keep_mount) {
		mount_drop(&k.mount); /* and with it what is in it */
		for (unsigned int i = 0; i < INNER_COUNT; i++)
			inner_drop(&k.inner[i], false);
	}
	end_process(&k.next);
	end_process(&k.active);
	reap_closers();
	making_done(&k.good);
	making_done(&k.safe.made_of);
	death_done(&k.watch);
	return k.exit_status;
}
