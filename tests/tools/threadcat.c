/* SPDX-License-Identifier: MIT */
/*
 * threadcat - prints a file, read by a thread that is not the process's first.
 *
 *	threadcat [--leader-gone] FILE
 *
 * With --leader-gone the first thread has ended before the file is opened: the
 * process's own entry in /proc is then that of a zombie.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int leader_gone;

static int leader_is_zombie(void)
{
	char stat[256] = "", *end;
	int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 1; /* some kernels do not even show it then */
	if (read(fd, stat, sizeof(stat) - 1) < 0)
		stat[0] = '\0';
	close(fd);
	end = strrchr(stat, ')');
	return end && end[1] == ' ' && end[2] == 'Z';
}

static void *reader(void *arg)
{
	char buf[65536];
	ssize_t n;
	int fd;

	while (leader_gone && !leader_is_zombie())
		usleep(1000);
	fd = open(arg, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		perror(arg);
		exit(1);
	}
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	exit(n < 0);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	leader_gone = argc == 3 && !strcmp(argv[1], "--leader-gone");
	if (argc != 2 + leader_gone) {
		fprintf(stderr, "usage: threadcat [--leader-gone] FILE\n");
		return 2;
	}
	if (pthread_create(&thread, NULL, reader, argv[argc - 1]))
		return 2;
	if (leader_gone)
		pthread_exit(NULL);
	pthread_join(thread, NULL);
	return 0;
}
