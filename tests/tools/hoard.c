/* SPDX-License-Identifier: MIT */
/*
 * hoard - opens a file again and again and keeps it open.
 *
 *	hoard FILE COUNT [READY]
 *
 * Reads each once, in two pieces.  Prints "OPEN failed OPENS READS torn PIECES" and sleeps
 * until it is killed; READY is made then.  Where one process may not open that many there
 * are more of them, which end with the first.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define SPARE 64

static char buf[65536];

static struct tally {
	atomic_uint done, opened, no_open, no_read, no_more;
} * tally;

static void hoard(const char *path, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd < 0) {
			tally->no_open++;
			continue;
		}
		tally->opened++;
		tally->no_read += read(fd, buf, 64) <= 0;
		tally->no_more += read(fd, buf, sizeof(buf)) <= 0;
	}
	tally->done += count;
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 2 ? (unsigned int)atoi(argv[2]) : 0, each;
	struct rlimit limit;
	pid_t first = getpid();

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (!count || tally == MAP_FAILED || getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_max <= SPARE) {
		perror("hoard");
		return 2;
	}
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	each = limit.rlim_max - SPARE < count ? (unsigned int)(limit.rlim_max - SPARE) : count;
	for (unsigned int rest = count - each; rest && getpid() == first;) {
		unsigned int part = rest < each ? rest : each;

		rest -= part;
		if (fork() != 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		each = part;
		break;
	}
	hoard(argv[1], each);
	while (getpid() == first && tally->done < count)
		usleep(1000);
	if (getpid() == first) {
		printf("%u failed %u %u torn %u\n", tally->opened, tally->no_open, tally->no_read,
		       tally->no_more);
		fflush(stdout);
		if (argc > 3)
			close(open(argv[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	}
	for (;;)
		pause();
}
