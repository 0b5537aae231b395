/* SPDX-License-Identifier: MIT */
/* watch.c - see watch.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "change.h"
#include "io.h"
#include "watch.h"

#define MS		 1000000u
#define LOOK_MS		 1000
#define LOOK_MIN_MS	 250
#define STOPPED_GRACE_MS 20
#define HUNG_GRACE_MS	 500
#define HUNG_DOUBLINGS	 6
#define HUNG_PEACE_MS	 60000
#define REAP_MS		 200
#define DEFAULT_LIMIT_MS 2000 /* of a worker that does not say it */

static uint64_t limit_ms(const struct process *p)
{
	uint32_t limit = p->ready.request_timeout_ms;

	return limit ? limit : DEFAULT_LIMIT_MS;
}

/* Somebody has sent it SIGSTOP. */
static bool is_stopped(pid_t pid)
{
	siginfo_t si = { .si_pid = 0 };

	return waitid(P_PID, (id_t)pid, &si, WSTOPPED | WNOHANG | WNOWAIT) == 0 && si.si_pid == pid;
}

int watch_open_proc(const struct watch *w, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_NO_XDEV };
	int fd = (int)syscall(SYS_openat2, w->proc_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

void watch_init(struct watch *w)
{
	w->proc_fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	w->oom_fd = watch_open_proc(w, "vmstat");
	w->oom_kills = death_oom_kills(w);
}

/* Its first thread is gone, but not the process: it is killed, and a thread hangs. */
static bool is_dying(const struct watch *w, pid_t pid)
{
	char path[32], buf[1024];
	const char *end;
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "%d/stat", pid);
	fd = watch_open_proc(w, path);
	if (fd < 0 || io_pread_all(fd, buf, sizeof(buf)) < 0)
		return false;
	end = strrchr(buf, ')'); /* of its name */
	return end && (strncmp(end, ") Z", 3) == 0 || strncmp(end, ") X", 3) == 0);
}

/* Something waits in the kernel that no thread has taken yet. */
static bool is_asked(const struct keeper *k)
{
	struct pollfd fds[] = { { .fd = k->mount.fuse_fd, .events = POLLIN },
				{ .fd = k->inner[0].fuse_fd, .events = POLLIN },
				{ .fd = k->inner[1].fuse_fd, .events = POLLIN } };

	return poll(fds, 3, 0) > 0 && ((fds[0].revents | fds[1].revents | fds[2].revents) & POLLIN);
}

struct look {
	bool in_hand;
	uint64_t newest_ns; /* when the last of these was taken */
	uint64_t signature;
};

static struct look look_at_slots(const struct keeper *k, uint64_t now)
{
	struct journal_slot *slots = vault_part(k->vault, VAULT_JOURNAL, JOURNAL_VERSION,
						sizeof(*slots) * JOURNAL_SLOTS);
	struct look look = { .signature = k->active.generation };

	for (unsigned int i = 0; slots && i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &slots[i];
		const uint64_t words[] = { journal_slot_unique(slot), slot->started_ns,
					   atomic_load(&slot->answered),
					   atomic_load(&slot->owner) };

		for (size_t n = 0; n < sizeof(words) / sizeof(words[0]); n++)
			look.signature = (look.signature ^ words[n]) * 0x9e3779b97f4a7c15u;
		if (words[3] != k->active.generation || !words[0])
			continue;
		look.in_hand = true;
		if (words[1] > look.newest_ns && words[1] <= now)
			look.newest_ns = words[1];
	}
	return look;
}

static void kill_active(struct keeper *k, bool stopped, uint64_t now)
{
	struct watch *w = &k->watch;

	w->killed = true;
	w->was_stopped = stopped;
	if (!stopped) {
		w->hung = now - w->hung_ns > (uint64_t)HUNG_PEACE_MS * MS ? 1 : w->hung + 1;
		w->hung_ns = now;
	}
	change_kill(&k->active, NULL);
}

static uint64_t grace_ms(const struct watch *w, bool stopped)
{
	unsigned int doublings = w->hung < HUNG_DOUBLINGS ? w->hung : HUNG_DOUBLINGS;

	return stopped ? STOPPED_GRACE_MS : (uint64_t)HUNG_GRACE_MS << doublings;
}

/* While it comes to serve there is nothing to compare; but stopped is stopped. */
static int watch_start(struct keeper *k, struct process *p, uint64_t now)
{
	uint64_t end = p->since_ns + (limit_ms(p) + STOPPED_GRACE_MS) * MS;

	if (now < end)
		return (int)((end - now) / MS) + 1;
	if (is_stopped(p->pid)) {
		if (p == &k->active)
			kill_active(k, true, now);
		else
			change_kill(p, "somebody has stopped the new worker");
		return 0;
	}
	return LOOK_MS;
}

static int watch_serving(struct keeper *k, uint64_t now)
{
	struct watch *w = &k->watch;
	uint64_t limit = limit_ms(&k->active), every = limit / 2, since, end;
	struct look look = look_at_slots(k, now);
	bool waits = look.in_hand || is_asked(k), stopped = false;

	every = every > LOOK_MS ? LOOK_MS : every < LOOK_MIN_MS ? LOOK_MIN_MS : every;
	if (!waits || w->generation != k->active.generation)
		w->progress_ns = now;
	else if (look.signature != w->signature) /* some time since the last look */
		w->progress_ns = w->looked_ns;
	w->generation = k->active.generation;
	w->signature = look.signature;
	w->looked_ns = now;
	w->look_at_ns = now + every * MS;
	if (!waits)
		return (int)every;
	if (w->progress_ns != now && is_dying(w, k->active.pid)) {
		change_kill(&k->active, NULL);
		return 0;
	}
	since = look.newest_ns > w->progress_ns ? look.newest_ns : w->progress_ns;
	end = since + (limit + STOPPED_GRACE_MS) * MS;
	if (now >= end) {
		stopped = is_stopped(k->active.pid);
		end = since + (limit + grace_ms(w, stopped)) * MS;
	}
	if (now >= end) {
		kill_active(k, stopped, now);
		return 0;
	}
	if (end < w->look_at_ns)
		w->look_at_ns = end;
	return (int)((w->look_at_ns - now) / MS) + 1;
}

/* Of one that was killed and does not go. */
static int await_end(struct keeper *k, uint64_t now)
{
	struct watch *w = &k->watch;
	uint64_t end;

	if (w->ending != k->active.pid) {
		w->ending = k->active.pid;
		w->ending_ns = now;
	}
	if (w->unreaped) /* no more than one: the next one's slots must suffice */
		return INT_MAX;
	end = w->ending_ns + (uint64_t)REAP_MS * MS;
	if (now < end)
		return (int)((end - now) / MS) + 1;
	w->unreaped = k->active.pid;
	w->unreaped_ns = now;
	atomic_store(&k->vault->unreaped, k->active.generation);
	change_give_up(k);
	return 0;
}

void watch_reaped(struct keeper *k, pid_t pid)
{
	struct watch *w = &k->watch;

	if (w->unreaped != pid)
		return;
	log_notice("worker %d, which could not be reaped, is gone after %.1f s", pid,
		   (double)(io_now_ns() - w->unreaped_ns) / 1e9);
	w->unreaped = 0;
	if (k->vault)
		atomic_store(&k->vault->unreaped, 0);
}

int watch_patience_ms(struct keeper *k, uint64_t now)
{
	struct watch *w = &k->watch;
	int next = INT_MAX, active = INT_MAX;

	if (k->active.state == PROCESS_NONE && k->next.state == PROCESS_LOADING && k->started &&
	    !k->next.ended)
		next = watch_start(k, &k->next, now);
	if (k->active.state != PROCESS_NONE && k->active.ended)
		active = await_end(k, now);
	else if (k->active.state == PROCESS_TAKING)
		active = watch_start(k, &k->active, now);
	else if (k->active.state == PROCESS_SERVING)
		active = now < w->look_at_ns && w->generation == k->active.generation
				 ? (int)((w->look_at_ns - now) / MS) + 1
				 : watch_serving(k, now);
	return next < active ? next : active;
}
