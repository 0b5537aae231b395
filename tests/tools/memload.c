/* SPDX-License-Identifier: MIT */
/*
 * memload - uses memory in all ways, and keeps what files say of it meanwhile.
 *
 *	memload ROUNDS LIMIT HIGH LOW DIR FILE...
 *
 * LIMIT is the control file of the limit of its own cgroup.  In each round it takes
 * and gives back anonymous memory, cache of a file in DIR, and shared memory that is
 * locked; reads all FILEs, sets the limit to LOW (in MiB) or a little more, which mostly
 * is less than what it uses, reads them again, and sets it to HIGH.  What was read is in
 * DIR/NUMBER.INDEX at the end.
 *
 * Under too low a limit nothing can be had: so all is opened and touched before, and
 * the kernel must not kill it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB	  ((size_t)1 << 20)
#define TEXT_SIZE 8192
#define FILES_MAX 8

static int limit_fd, fds[FILES_MAX];
static int file_count;
static char *texts;
static int snapshots;

static void die(const char *what)
{
	fprintf(stderr, "memload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *take(size_t size, int flags, int fd)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

	if (p == MAP_FAILED)
		die("mmap");
	memset(p, 1, size);
	return p;
}

/* It may fail: cgroup v1 refuses what it cannot reach. */
static void set_limit(size_t mib)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%zu\n", mib * MIB);

	(void)!pwrite(limit_fd, text, (size_t)n, 0);
}

static char *text_at(int snapshot, int file)
{
	return texts + ((size_t)snapshot * (size_t)file_count + (size_t)file) * TEXT_SIZE;
}

static void snapshot(void)
{
	ssize_t n;
	int i;

	for (i = 0; i < file_count; i++) {
		n = pread(fds[i], text_at(snapshots, i), TEXT_SIZE - 1, 0);
		if (n <= 0 || n == TEXT_SIZE - 1)
			die("read");
		text_at(snapshots, i)[n] = '\0';
	}
	snapshots++;
}

static void one_round(int round, size_t high, size_t low, int cache_fd)
{
	size_t anon = (size_t)(4 + round * 7 % 16) * MIB, shared = (size_t)(1 + round % 12) * MIB;
	int fd = memfd_create("memload", MFD_CLOEXEC);
	char *a, *s;

	if (fd < 0 || ftruncate(fd, (off_t)shared))
		die("memfd_create");
	a = take(anon, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	s = take(shared, MAP_SHARED, fd);
	if (round % 3 && mlock(s, shared))
		die("mlock");
	if (pwrite(cache_fd, a, anon / 2, (off_t)(round % 4) * (off_t)MIB) < 0)
		die("write");
	snapshot();
	if (round % 2) {
		set_limit(low + (size_t)round * 5 % 24);
		snapshot();
		set_limit(high);
	}
	munmap(s, shared);
	munmap(a, anon);
	close(fd);
}

static void write_all(const char *dir)
{
	char path[4096];
	FILE *file;
	int n, i;

	for (n = 0; n < snapshots; n++) {
		for (i = 0; i < file_count; i++) {
			snprintf(path, sizeof(path), "%s/%d.%d", dir, n, i);
			file = fopen(path, "we");
			if (!file || fputs(text_at(n, i), file) < 0 || fclose(file))
				die(path);
		}
	}
}

int main(int argc, char **argv)
{
	int rounds, round, cache_fd, adj;
	size_t high, low;
	char path[4096];

	if (argc < 7 || argc - 6 > FILES_MAX)
		return 2;
	rounds = (int)strtol(argv[1], NULL, 10);
	high = strtoul(argv[3], NULL, 10);
	low = strtoul(argv[4], NULL, 10);
	file_count = argc - 6;
	adj = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	if (adj >= 0)
		(void)!write(adj, "-1000", 5); /* some roots may not: v1 does not kill here */
	limit_fd = open(argv[2], O_WRONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/cache", argv[5]);
	cache_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (limit_fd < 0 || cache_fd < 0)
		die("open");
	for (round = 0; round < file_count; round++) {
		fds[round] = open(argv[6 + round], O_RDONLY | O_CLOEXEC);
		if (fds[round] < 0)
			die(argv[6 + round]);
	}
	texts = take(((size_t)rounds * 3 / 2 + 1) * (size_t)file_count * TEXT_SIZE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (mlockall(MCL_CURRENT))
		die("mlockall");
	for (round = 0; round < rounds; round++)
		one_round(round, high, low, cache_fd);
	write_all(argv[5]);
	return 0;
}
