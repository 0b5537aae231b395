/* SPDX-License-Identifier: MIT */
/*
 * take.c - see take.h and handover.h.
 *
 * Nothing is believed because of its name: a vault is a sealed memfd with our head in
 * it, a connection is an open /dev/fuse of the mount that the text speaks of, and a worker
 * is the process that was started when the text says.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "adopt.h"
#include "change.h"
#include "handover.h"
#include "io.h"
#include "notify.h"
#include "state.h"
#include "take.h"
#include "text.h"

#define FUSE_MAJOR 10 /* Documentation/admin-guide/devices.txt */
#define FUSE_MINOR 229

/* For a worker without a keeper to answer.  With what systemd has kept we can do without
 * it; else nobody can go on. */
#define STORE_TIMEOUT_MS  1000
#define ORPHAN_TIMEOUT_MS 5000

int *take_place(struct keeper *k, enum kept which)
{
	int *const places[KEPT_COUNT] = {
		[KEPT_STATE] = &k->handover.state_fd,
		[KEPT_VAULT] = &k->vault_fd,
		[KEPT_FUSE] = &k->mount.fuse_fd,
		[KEPT_LOCK] = &k->mount.lock_fd,
		[KEPT_TREE] = &k->mount.tree_fd,
		[KEPT_INNER] = &k->inner[0].fuse_fd,
		[KEPT_INNER_TREE] = &k->inner[0].tree_fd,
		[KEPT_EXE] = &k->good.exe_fd,
		[KEPT_SET] = &k->good.set_fd,
		[KEPT_LISTEN] = &k->handover.listen_fd,
		[KEPT_CONTROL] = &k->active.ctl,
		[KEPT_RUNTIME] = &k->rt->lock_fd,
		[KEPT_PIDFILE] = &k->rt->pid_fd,
		[KEPT_ROOTS] = &k->inner[1].fuse_fd,
		[KEPT_ROOTS_TREE] = &k->inner[1].tree_fd,
	};

	return places[which];
}

/* ------------------------------------------------------------------- checks */

static uint64_t own_pid_namespace(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) < 0 ? 0 : st.st_ino;
}

/* Field 22 of /proc/PID/stat, proc(5); the name in the second may hold anything. */
int take_start_time(pid_t pid, uint64_t *ret)
{
	char path[64], buf[2048];
	struct lxcfsd_text rest, word;
	const char *behind;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	n = io_read_at(AT_FDCWD, path, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	behind = strrchr(buf, ')');
	if (!behind)
		return -EINVAL;
	rest = text_of(behind + 1);
	for (int field = 3; text_word(&rest, &word); field++)
		if (field == 22)
			return parse_u64(word, ret);
	return -EINVAL;
}

/* Linux 6.16 and later say which connection an open /dev/fuse is; earlier ones do not. */
static int check_connection(int fd, const char *device)
{
	char path[64], buf[1024];
	struct lxcfsd_text rest, line, word, number = text_of(device);
	uint64_t connection, minor;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (io_read_at(AT_FDCWD, path, buf, sizeof(buf)) < 0)
		return 0;
	rest = text_of(buf);
	while (text_line(&rest, &line)) {
		if (!text_word(&line, &word) || !text_is(word, "fuse_connection:"))
			continue;
		if (parse_u64(line, &connection) < 0 || !text_until(&number, ':', &word) ||
		    parse_u64(number, &minor) < 0 || connection != minor)
			return -ESTALE;
	}
	return 0;
}

static int check_fuse(int fd, const char *device)
{
	struct pollfd p = { .fd = fd };
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) ||
	    major(st.st_rdev) != FUSE_MAJOR || minor(st.st_rdev) != FUSE_MINOR)
		return -EBADF;
	if (poll(&p, 1, 0) == 1 && p.revents & POLLERR)
		return -ENOTCONN;
	return check_connection(fd, device);
}

/* One that could shrink would kill us. */
static int map_vault(int fd, struct vault_header **ret)
{
	const int needed = F_SEAL_SHRINK | F_SEAL_GROW;
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0)
		return -EBADF;
	return (seals & needed) == needed ? vault_map(fd, ret) : -EINVAL;
}

/* ------------------------------------------------------------------ the rest */

static void take_fds(struct keeper *k, struct bundle *b)
{
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		if (b->fds[i] >= 0)
			*take_place(k, i) = bundle_take(b, i);
}

static void take_mounts(struct keeper *k)
{
	char device[sizeof(k->mount.device)];

	if (k->mount.tree_fd < 0 && mount_device_at(k->mount.path, device) == 0 &&
	    strcmp(device, k->mount.device) == 0)
		k->mount.tree_fd =
			open_tree(AT_FDCWD, k->mount.path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	for (unsigned int i = 0; i < INNER_COUNT; i++) {
		struct inner *inner = &k->inner[i];

		if (inner->fuse_fd >= 0 && check_fuse(inner->fuse_fd, inner->device) < 0 &&
		    inner->device[0])
			inner_drop(inner, true);
		else if (inner->fuse_fd < 0)
			inner_drop(inner, inner->device[0]);
	}
	k->look_at_ns = io_now_ns(); /* somebody may have taken them off */
}

/* Is the worker that the text speaks of alive?  Then *ret is its pidfd, or 0 when it is
 * our child. */
static bool find_worker(const struct keeper *k, int *ret)
{
	siginfo_t si = { 0 };
	uint64_t started;
	int fd;

	if (k->active.pid <= 1)
		return false;
	*ret = 0;
	/* a child that has ended is reaped later, as any other */
	if (waitid(P_PID, (id_t)k->active.pid, &si, WEXITED | WNOHANG | WNOWAIT) == 0)
		return true;
	fd = pidfd_open(k->active.pid, 0);
	if (fd < 0)
		return false;
	if (take_start_time(k->active.pid, &started) < 0 || started != k->handover.worker_started) {
		close(fd);
		return false;
	}
	*ret = fd;
	return true;
}

static void take_worker(struct keeper *k)
{
	struct process *active = &k->active;
	uint64_t since_ns = active->since_ns;
	bool alive = find_worker(k, &active->orphan_fd);

	active->made_of = (struct making){ .exe_fd = -1, .set_fd = -1 };
	if (alive && active->ctl >= 0) {
		active->state = PROCESS_SERVING;
		active->since_ns = since_ns;
		return;
	}
	if (alive) {
		log_warn("worker %d of the keeper before us cannot be steered: killing it",
			 active->pid);
		process_set_state(active, PROCESS_DRAINING);
		change_kill(active, NULL);
		return;
	}
	atomic_store(&k->vault->dead, active->generation);
	if (active->ctl >= 0)
		close(active->ctl);
	*active = (struct process){ .state = PROCESS_NONE, .ctl = -1 };
}

/* Nothing of *k has changed after a failure. */
static int take(struct keeper *k, struct bundle *b)
{
	static struct keeper taken;
	int r;

	taken = *k;
	r = state_read(b->fds[KEPT_STATE], &taken, &taken.handover.state_seq);
	if (r == 0 && taken.handover.pid_namespace != k->handover.pid_namespace)
		r = -EXDEV;
	if (r == 0)
		r = check_fuse(b->fds[KEPT_FUSE], taken.mount.device);
	if (r == 0)
		r = map_vault(b->fds[KEPT_VAULT], &taken.vault);
	if (r < 0)
		return r;
	*k = taken;
	take_fds(k, b);
	take_mounts(k);
	take_worker(k);
	k->started = true;
	k->from_disk = true;
	k->died_ns = io_now_ns();
	return 0;
}

/* --------------------------------------------------------------- the beginning */

/* A worker that serves without a keeper, and what it holds that we do not have. */
static void find_orphan(const struct keeper *k, struct bundle *b)
{
	struct bundle orphan;
	int r = -ENOENT;

	if (b->source != FROM_EXEC)
		r = adopt_ask(k->rt->dir,
			      b->source == FROM_STORE ? STORE_TIMEOUT_MS : ORPHAN_TIMEOUT_MS,
			      &orphan);
	if (r < 0) {
		if (r != -ENOENT)
			log_warn("a worker without a keeper does not answer: %s", strerror(-r));
		return;
	}
	if (b->source == FROM_NOBODY)
		b->source = FROM_ORPHAN;
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		if (b->fds[i] < 0)
			b->fds[i] = bundle_take(&orphan, i);
	bundle_done(&orphan);
}

/* 0: it is given up, and we can start anew. */
static int cannot_take(struct bundle *b, int error)
{
	const char *reason = strerror(-error);

	if (b->source == FROM_EXEC)
		log_err("cannot go on from here: %s", reason);
	if (b->source == FROM_ORPHAN && error != -ENOTCONN)
		log_err("a worker serves without a keeper, and cannot be taken over: %s", reason);
	if (b->source == FROM_EXEC || (b->source == FROM_ORPHAN && error != -ENOTCONN))
		return error;
	log_warn("what the lxcfsd before has left is of no use (%s): starting anew", reason);
	adopt_end(b);
	for (unsigned int i = 0; b->source == FROM_STORE && i < KEPT_COUNT; i++)
		if (b->fds[i] >= 0)
			notify_forget(bundle_name(i));
	bundle_done(b);
	return 0;
}

static void go_on(struct keeper *k, enum bundle_source source, uint32_t given)
{
	struct handover *h = &k->handover;

	handover_changed(k, source == FROM_EXEC ? 0 : ~(source == FROM_STORE ? given : 0));
	h->untold = true;
	guard_learn(&k->guard, k->vault);
	k->safe.ready = k->active.ready; /* should no worker of ours ever serve */
	if (source != FROM_EXEC)
		h->stored = source == FROM_STORE ? given : 0;
	if (source == FROM_EXEC) {
		h->reexec.count++;
		log_set_level((int)k->active.ready.log_level);
		log_notice("this is lxcfsd " LXCFSD_VERSION " now, in the same process");
		k->reload_wanted = true;
		change_reap(k);
	} else if (k->active.state == PROCESS_SERVING) {
		log_notice("worker %d has served on without a keeper: taken over", k->active.pid);
		change_has_started(k);
		k->reload_wanted = true;
	} else {
		log_notice("the connection of '%s' was kept: going on with it", k->mount.path);
		h->announce = true;
		if (k->active.state == PROCESS_NONE)
			change_start(k, FOR_RESPAWN);
	}
}

int handover_begin(struct keeper *k, struct bundle *bundle)
{
	enum bundle_source source;
	uint32_t given = 0;
	int r;

	k->handover.pid_namespace = own_pid_namespace();
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		given |= bundle->fds[i] >= 0 ? 1u << i : 0;
	find_orphan(k, bundle);
	source = bundle->source;
	if (source != FROM_NOBODY) {
		r = take(k, bundle);
		if (r == 0) {
			go_on(k, source, given);
			return 0;
		}
		r = cannot_take(bundle, r);
		if (r < 0)
			return r;
	}
	r = state_new(&k->handover.state_fd);
	if (r == 0)
		r = vault_create(&k->vault_fd, &k->vault);
	handover_changed(k, KEPT(STATE));
	if (r == 0)
		change_start(k, FOR_START);
	return r;
}
