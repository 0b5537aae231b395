/* SPDX-License-Identifier: MIT */
/*
 * box - a small container: cgroups, namespaces, and files bound over its /proc.
 *
 *	box [--join CGROUP.PROCS]... [--bind FROM:TO]... [--pidfile FILE] -- CMD...
 *
 * What unshare(1) and mount(1) would do, with one program to start instead of
 * five: in an emulated machine that is what the suites wait for.  FILE gets the
 * pid of the container's init, as seen from outside, when all is set up.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	BROKEN = 99,
};

static void die(const char *what)
{
	fprintf(stderr, "box: %s: %s\n", what, strerror(errno));
	_exit(BROKEN);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die(path);
	close(fd);
}

static void write_pid(const char *path, pid_t pid)
{
	char part[PATH_MAX], text[32];

	snprintf(part, sizeof(part), "%s.part", path);
	snprintf(text, sizeof(text), "%d\n", (int)pid);
	write_file(part, text);
	if (rename(part, path))
		die(path);
}

static void bind_all(char *const binds[], int count)
{
	char *colon;
	int i;

	for (i = 0; i < count; i++) {
		colon = strchr(binds[i], ':');
		if (!colon)
			die(binds[i]);
		*colon = '\0';
		if (mount(binds[i], colon + 1, NULL, MS_BIND, NULL))
			die(binds[i]);
	}
}

int main(int argc, char **argv)
{
	const char *pidfile = NULL;
	int arg, status, ready[2], binds = 0;
	char c;
	pid_t pid;

	/* the binds are gathered at the front of argv */
	for (arg = 1; arg + 1 < argc && strcmp(argv[arg], "--") != 0; arg += 2) {
		if (!strcmp(argv[arg], "--join"))
			write_file(argv[arg + 1], "0");
		else if (!strcmp(argv[arg], "--bind"))
			argv[binds++] = argv[arg + 1];
		else if (!strcmp(argv[arg], "--pidfile"))
			pidfile = argv[arg + 1];
		else
			break;
	}
	if (arg + 1 >= argc || strcmp(argv[arg], "--") != 0) {
		fprintf(stderr, "usage: box [--join CGROUP.PROCS]... [--bind FROM:TO]... "
				"[--pidfile FILE] -- CMD...\n");
		return BROKEN;
	}
	if (unshare(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC))
		die("unshare");
	if (pipe2(ready, O_CLOEXEC))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
			die("make mounts private");
		if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
			die("mount /proc");
		bind_all(argv, binds);
		execvp(argv[arg + 1], &argv[arg + 1]);
		die(argv[arg + 1]);
	}
	close(ready[1]);
	while (read(ready[0], &c, 1) < 0 && errno == EINTR)
		;
	if (pidfile)
		write_pid(pidfile, pid);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
