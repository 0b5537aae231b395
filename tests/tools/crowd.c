/* SPDX-License-Identifier: MIT */
/*
 * crowd - many processes that do nothing.
 *
 *	crowd COUNT READY
 *
 * READY is made when all are there.  They end with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t self = getpid();

	if (argc != 3) {
		fprintf(stderr, "usage: crowd COUNT READY\n");
		return 2;
	}
	for (long left = strtol(argv[1], NULL, 10); left > 0; left--) {
		pid_t pid = fork();

		if (pid < 0) {
			fprintf(stderr, "crowd: fork: %s, %ld are missing\n", strerror(errno),
				left);
			return 1;
		}
		if (pid == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			while (getppid() == self)
				pause();
			_exit(0);
		}
	}
	if (open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644) < 0) {
		fprintf(stderr, "crowd: %s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	for (;;)
		pause();
}
