/* SPDX-License-Identifier: MIT */
/*
 * churn - a container at work: memory comes and goes, private, shared and locked,
 * files are written, processes begin and end.
 *
 *	churn [--spin N] [DIRECTORY]
 *
 * Until it is killed.  With --spin it only has N processes that hardly ever sleep.  At most
 * 30 MiB are in use at any time.
 */
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MIB   1048576u
#define SPINS (1u << 22) /* some milliseconds */

static void use_memory(uint32_t mib, int flags)
{
	size_t size = (size_t)mib * MIB;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | flags, -1, 0);

	if (memory == MAP_FAILED)
		return;
	if (flags & MAP_SHARED)
		mlock(memory, size);
	memset(memory, 1, size);
	usleep(5000 * (mib + 1));
	munmap(memory, size);
}

static void write_file(const char *directory, uint32_t mib)
{
	static char block[MIB];
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/churn.%d", directory, (int)getpid());
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	unlink(path);
	while (fd >= 0 && mib-- > 0)
		if (write(fd, block, sizeof(block)) < 0)
			break;
	if (fd >= 0)
		close(fd);
}

static void begin_process(uint32_t ms)
{
	if (fork() == 0) {
		usleep(1000 * ms);
		_exit(0);
	}
}

static void spin(void)
{
	volatile uint64_t n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		/* an emulator that takes turns between CPUs waits for one that halts */
		if (++n % SPINS == 0)
			usleep(1);
	}
}

int main(int argc, char **argv)
{
	uint32_t n = 1;

	if (argc == 3 && strcmp(argv[1], "--spin") == 0) {
		for (long left = strtol(argv[2], NULL, 10); left > 0; left--)
			if (fork() == 0)
				spin();
		for (;;)
			pause();
	}
	if (argc != 2)
		return 2;
	signal(SIGCHLD, SIG_IGN); /* nobody waits for them */
	for (;;) {
		n = n * 1664525 + 1013904223; /* the same each time */
		use_memory(n >> 16 & 15, MAP_PRIVATE);
		use_memory(n >> 20 & 7, MAP_SHARED);
		write_file(argv[1], n >> 24 & 15);
		begin_process(n >> 28);
	}
}
