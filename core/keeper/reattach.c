/* SPDX-License-Identifier: MIT */
/* reattach.c - see reattach.h. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "reattach.h"
#include "wire.h"

#define MS	  1000000u
#define TRIES_MAX 4
#define RUN_MS	  40000 /* the child ends by itself before that */

void reattach_lost(struct reattach *re, const char *device, const char *below)
{
	struct attach_dead *dead = &re->dead[re->dead_count];

	if (!device[0])
		return; /* it was never mounted */
	if (re->dead_count == REATTACH_DEAD_MAX) {
		memmove(re->dead, re->dead + 1, sizeof(re->dead) - sizeof(re->dead[0]));
		dead--;
	} else {
		re->dead_count++;
	}
	snprintf(dead->device, sizeof(dead->device), "%s", device);
	snprintf(dead->below, sizeof(dead->below), "%s", below);
	re->aborts++;
	re->own_wanted = true;
	re->tries = 0;
	re->next_ns = 0;
	if (re->child) { /* it puts what is dead again now into its places */
		kill(re->child, SIGKILL);
		re->killed = true;
	}
}

void reattach_all(struct reattach *re)
{
	re->all_wanted = true;
	re->tries = 0;
	re->next_ns = 0;
}

/* The child's: nothing may be held that the end of our mount waits for. */
static _Noreturn void run(const struct reattach *re, const char *path)
{
	static const int steered[] = { SIGHUP, SIGUSR1, SIGUSR2 };
	const struct attach_job job = {
		.mountpoint = path,
		.dead = re->dead,
		.dead_count = re->child_all ? 0 : re->dead_count,
	};
	sigset_t none;

	close_range(STDERR_FILENO + 1, ~0u, 0);
	for (size_t i = 0; i < sizeof(steered) / sizeof(steered[0]); i++)
		signal(steered[i], SIG_IGN); /* sent to all of that name */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	_exit(attach_run(&job, re->shared) < 0 ? 1 : 0);
}

static void start(struct reattach *re, const char *path, uint64_t now)
{
	if (!re->shared) {
		void *at = mmap(NULL, sizeof(*re->shared), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

		re->shared = at == MAP_FAILED ? NULL : at;
	}
	re->child_all = re->all_wanted; /* what is ours is among it */
	re->child = re->shared ? fork() : -1;
	if (re->child == 0)
		run(re, path);
	re->tries++;
	if (re->child < 0) {
		log_warn("containers cannot be looked into, trying again in a second: %m");
		re->child = 0;
		re->next_ns = now + 1000ull * MS;
		return;
	}
	re->killed = false;
	re->since_ns = now;
	re->own_wanted = re->all_wanted = false;
}

int reattach_step(struct reattach *re, const char *path, bool serving, uint32_t policy,
		  uint64_t now)
{
	if (re->child) {
		uint64_t passed_ms = now > re->since_ns ? (now - re->since_ns) / MS : 0;

		if (re->killed)
			return INT_MAX;
		if (passed_ms < RUN_MS)
			return (int)(RUN_MS - passed_ms);
		kill(re->child, SIGKILL);
		re->killed = true;
		return INT_MAX;
	}
	if (policy == WIRE_REATTACH_NO)
		re->own_wanted = false;
	if (policy != WIRE_REATTACH_ALL)
		re->all_wanted = false;
	if (!serving || (!re->own_wanted && !re->all_wanted))
		return INT_MAX;
	if (now < re->next_ns)
		return (int)((re->next_ns - now) / MS) + 1;
	start(re, path, now);
	return 0;
}

/* It came to its end. */
static void take_result(struct reattach *re)
{
	static const unsigned int pauses_s[TRIES_MAX] = { 1, 5, 30, 0 };
	unsigned int pause_s = pauses_s[re->tries < TRIES_MAX ? re->tries - 1 : TRIES_MAX - 1];
	struct attach_result *last = &re->last;
	char text[1024];

	*last = *re->shared;
	last->reason[sizeof(last->reason) - 1] = '\0';
	re->repaired += last->repaired;
	attach_describe(last, text, sizeof(text));
	if (attach_complete(last)) {
		if (last->repaired || !re->child_all)
			log_notice("re-attach: %s", text);
		if (!re->own_wanted)
			re->dead_count = 0;
	} else if (pause_s) {
		log_warn("re-attach: %s; trying again in %u s", text, pause_s);
		re->next_ns = io_now_ns() + (uint64_t)pause_s * 1000 * MS;
		re->own_wanted = re->own_wanted || !re->child_all;
		re->all_wanted = re->child_all;
	} else {
		log_err("re-attach: %s; 'lxcfsd --reattach' tries again", text);
	}
}

bool reattach_reaped(struct reattach *re, pid_t pid, int status)
{
	if (!re->child || pid != re->child)
		return false;
	re->child = 0;
	re->runs++;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		take_result(re);
	else if (!re->own_wanted) /* else another one is on its way */
		log_err("re-attach: the process that looks into containers %s; "
			"'lxcfsd --reattach' tries again",
			re->killed ? "took too long" : "failed");
	return true;
}

void reattach_end(struct reattach *re)
{
	if (re->child)
		kill(re->child, SIGKILL);
}
