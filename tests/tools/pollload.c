/* SPDX-License-Identifier: MIT */
/*
 * pollload - sleepers in poll(2) with a PSI trigger each, while something is done to
 * the daemon.
 *
 *	pollload [--pollers N] [--missed-ms MS] [--ready FILE] MOUNTPOINT FILE TRIGGER
 *
 * Runs in a cgroup that waits for its CPU all the time, so that the kernel has an event
 * in every window: who is not woken for MS has missed it.  Odd pollers live in a mount
 * namespace of their own that has nothing but the file's directory, bound.  Ends at
 * SIGTERM and prints one line of JSON.  Exit status: 0 when nothing failed or was missed,
 * 1 when something was, 2 when it could not run.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_POLLERS = 64 };

struct account {
	_Atomic uint64_t events, missed, failed, max_ms;
	_Atomic bool armed;
	char first[120]; /* the first complaint */
};

static struct account *accounts;
static volatile sig_atomic_t terminated;

static void on_term(int sig)
{
	(void)sig;
	terminated = 1;
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000u + (uint64_t)ts.tv_nsec / 1000000u;
}

static void failed(struct account *a, const char *what)
{
	if (!a->first[0])
		snprintf(a->first, sizeof(a->first), "%s: %s", what, strerror(errno));
	atomic_fetch_add(&a->failed, 1);
}

static int own_namespace(char *path, size_t size, const char *mountpoint)
{
	char *slash = strrchr(path, '/'), name[NAME_MAX + 1];

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	snprintf(name, sizeof(name), "%s", slash + 1);
	*slash = '\0';
	if (mount(path, "/sys", NULL, MS_BIND, NULL) || umount2(mountpoint, MNT_DETACH))
		return -1;
	snprintf(path, size, "/sys/%s", name);
	return 0;
}

static void sleep_once(struct account *a, int fd, int missed_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };
	uint64_t began = now_ms(), took;
	int n = poll(&p, 1, missed_ms);

	took = now_ms() - began;
	if (n < 0)
		failed(a, "poll");
	else if (n == 0)
		atomic_fetch_add(&a->missed, 1);
	else if (p.revents & POLLERR)
		failed(a, "POLLERR");
	else
		atomic_fetch_add(&a->events, 1);
	if (took > atomic_load(&a->max_ms))
		atomic_store(&a->max_ms, took);
	if (n > 0 && p.revents & POLLERR)
		usleep(100000);
}

static void run_poller(struct account *a, char *path, size_t size, const char *mountpoint,
		       bool private, const char *trigger, int missed_ms)
{
	int fd;

	signal(SIGTERM, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (private && own_namespace(path, size, mountpoint))
		_exit(2);
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || write(fd, trigger, strlen(trigger) + 1) < 0) {
		fprintf(stderr, "pollload: %s: %s\n", path, strerror(errno));
		_exit(2);
	}
	atomic_store(&a->armed, true);
	for (;;)
		sleep_once(a, fd, missed_ms);
}

static int report(int pollers)
{
	uint64_t events = 0, missed = 0, fails = 0, max_ms = 0;

	for (int i = 0; i < pollers; i++) {
		events += accounts[i].events;
		missed += accounts[i].missed;
		fails += accounts[i].failed;
		if (accounts[i].max_ms > max_ms)
			max_ms = accounts[i].max_ms;
		if (accounts[i].first[0])
			fprintf(stderr, "pollload: poller %d: %s\n", i, accounts[i].first);
	}
	printf("{\"pollers\":%d,\"events\":%llu,\"missed\":%llu,\"poll_failed\":%llu,"
	       "\"longest_ms\":%llu}\n",
	       pollers, (unsigned long long)events, (unsigned long long)missed,
	       (unsigned long long)fails, (unsigned long long)max_ms);
	return missed || fails;
}

/* False when one of them has ended. */
static bool all_armed(int pollers, const pid_t *pids, bool *ret)
{
	*ret = true;
	for (int i = 0; i < pollers; i++) {
		*ret = *ret && atomic_load(&accounts[i].armed);
		if (waitpid(pids[i], NULL, WNOHANG) == pids[i])
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	int pollers = 2, missed_ms = 20000, arg, status = 2;
	const char *ready = NULL;
	pid_t pids[MAX_POLLERS];
	char path[PATH_MAX];
	bool armed;

	for (arg = 1; arg + 1 < argc && !strncmp(argv[arg], "--", 2); arg += 2) {
		if (!strcmp(argv[arg], "--pollers"))
			pollers = atoi(argv[arg + 1]);
		else if (!strcmp(argv[arg], "--missed-ms"))
			missed_ms = atoi(argv[arg + 1]);
		else if (!strcmp(argv[arg], "--ready"))
			ready = argv[arg + 1];
	}
	if (argc - arg != 3 || pollers < 1 || pollers > MAX_POLLERS) {
		fputs("pollload: see its source\n", stderr);
		return 2;
	}
	accounts = mmap(NULL, sizeof(*accounts) * MAX_POLLERS, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (accounts == MAP_FAILED)
		return 2;
	signal(SIGTERM, on_term);
	for (int i = 0; i < pollers; i++) {
		snprintf(path, sizeof(path), "%s/%s", argv[arg], argv[arg + 1]);
		pids[i] = fork();
		if (pids[i] == 0)
			run_poller(&accounts[i], path, sizeof(path), argv[arg], i % 2 == 1,
				   argv[arg + 2], missed_ms);
	}
	while (!terminated && all_armed(pollers, pids, &armed)) {
		if (armed && ready) {
			close(open(ready, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
			ready = NULL;
		}
		usleep(20000);
	}
	if (terminated)
		status = report(pollers);
	for (int i = 0; i < pollers; i++)
		kill(pids[i], SIGKILL);
	return status;
}
