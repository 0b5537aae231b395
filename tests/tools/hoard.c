/* SPDX-License-Identifier: MIT */
/*
 * hoard - opens a file again and again and keeps it open.
 *
 *	hoard FILE COUNT [READY]
 *
 * Reads each once, in two pieces.  Prints "OPEN failed OPENS READS torn PIECES" and sleeps
 * until it is killed; READY is made then.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static char buf[65536];

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? (unsigned int)atoi(argv[2]) : 0, opened = 0;
	unsigned int no_open = 0, no_read = 0, no_more = 0;
	struct rlimit limit = { count + 64, count + 64 };

	if (!count || setrlimit(RLIMIT_NOFILE, &limit) < 0) {
		perror("hoard");
		return 2;
	}
	for (unsigned int i = 0; i < count; i++) {
		int fd = open(argv[1], O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			no_open++;
			continue;
		}
		opened++;
		no_read += read(fd, buf, 64) <= 0;
		no_more += read(fd, buf, sizeof(buf)) <= 0;
	}
	printf("%u failed %u %u torn %u\n", opened, no_open, no_read, no_more);
	fflush(stdout);
	if (argc > 3)
		close(open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	for (;;)
		pause();
}
