/* SPDX-License-Identifier: MIT */
/*
 * psi - PSI triggers: arms them and sleeps in poll(2).
 *
 *	psi wait FILE TEXT SECONDS [READY]	prints `event`, `quiet` or `error`
 *	psi once FILE TEXT			arms, polls without waiting, closes
 *	psi twice FILE TEXT			arms twice: what the second write says
 *	psi none FILE				polls without a trigger, prints the events
 *	psi churn FILE TEXT COUNT		`once`, that many times
 *	psi hold FILE TEXT COUNT SECONDS	arms that many at once, and holds them; prints
 *						how many could be armed
 *
 * What fails is printed by its errno's name.  READY is made before it sleeps.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed(int error)
{
	puts(strerrorname_np(error));
	return 1;
}

static int arm(const char *path, const char *text)
{
	int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC), saved;

	if (fd < 0 || write(fd, text, strlen(text) + 1) >= 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static const char *poll_once(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };
	int n = poll(&p, 1, ms);

	return n < 0 ? "failed" : n == 0 ? "quiet" : p.revents & POLLERR ? "error" : "event";
}

static int wait_for(const char *path, const char *text, int ms, const char *ready)
{
	int fd = arm(path, text);

	if (fd < 0)
		return failed(errno);
	if (ready)
		close(open(ready, O_WRONLY | O_CREAT, 0644));
	puts(poll_once(fd, ms));
	return 0;
}

static int churn(const char *path, const char *text, int count)
{
	for (int i = 0; i < count; i++) {
		int fd = arm(path, text);

		if (fd < 0 && errno != ENOSPC)
			return failed(errno);
		if (fd >= 0) {
			poll_once(fd, 0);
			close(fd);
		}
	}
	puts("ok");
	return 0;
}

static int hold(const char *path, const char *text, int count, int seconds)
{
	int armed = 0;

	for (int i = 0; i < count; i++) {
		int fd = arm(path, text);

		if (fd < 0 && errno != ENOSPC)
			return failed(errno);
		armed += fd >= 0;
	}
	printf("%d\n", armed);
	fflush(stdout);
	sleep((unsigned int)seconds);
	return 0;
}

static int twice(const char *path, const char *text)
{
	int fd = arm(path, text);

	if (fd < 0 || write(fd, text, strlen(text) + 1) < 0)
		return failed(errno);
	puts("ok");
	return 0;
}

static int without(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return failed(errno);
	puts(poll_once(fd, 0));
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	if (!strcmp(what, "wait") && argc > 4)
		return wait_for(argv[2], argv[3], atoi(argv[4]) * 1000, argv[5]);
	if (!strcmp(what, "once") && argc == 4)
		return churn(argv[2], argv[3], 1);
	if (!strcmp(what, "twice") && argc == 4)
		return twice(argv[2], argv[3]);
	if (!strcmp(what, "none"))
		return without(argv[2]);
	if (!strcmp(what, "churn") && argc == 5)
		return churn(argv[2], argv[3], atoi(argv[4]));
	if (!strcmp(what, "hold") && argc == 6)
		return hold(argv[2], argv[3], atoi(argv[4]), atoi(argv[5]));
	fputs("psi: see its source\n", stderr);
	return 2;
}
