/* SPDX-License-Identifier: MIT */
/* goodset.c - files come back as they were, in their order; a damaged set gives
 * fewer files, never others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

#include "goodset.h"
#include "io.h"

/* What reading a set with these bytes comes to: files found, or -1 when it died. */
static int files_in(const void *bytes, size_t len)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		int fd = memfd_create("set", MFD_CLOEXEC), n = 0;
		size_t cursor = 0;

		if (fd < 0 || io_write_all(fd, bytes, len) < 0)
			_exit(100);
		if (goodset_restore(fd) < 0)
			_exit(99);
		while (goodset_next(&cursor) && n < 90)
			n++;
		_exit(n);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_damage(int fd)
{
	static char bytes[65536], copy[65536];
	ssize_t len = io_pread_all(fd, bytes, sizeof(bytes));
	unsigned int seed = 7;

	CHECK_U64((uint64_t)files_in(bytes, (size_t)len), 3);
	for (size_t cut = 1; cut < (size_t)len; cut += 13)
		if (files_in(bytes, cut) > 3 || files_in(bytes, cut) < 0)
			CHECK(!"a cut set");
	CHECK_U64((uint64_t)files_in(bytes, 0), 99);
	for (int round = 0; round < 200; round++) {
		memcpy(copy, bytes, (size_t)len);
		for (int i = 0; i < 20; i++) {
			seed = seed * 1103515245 + 12345;
			copy[(seed >> 8) % (size_t)len] = (char)(seed >> 24);
		}
		if (files_in(copy, (size_t)len) < 0)
			CHECK(!"a damaged set");
	}
}

int main(void)
{
	size_t cursor = 0, len;
	char *text;
	int fd;

	CHECK(goodset_seal() == -ENODATA);
	goodset_record("/a/lxcfsd.ini", "[lxcfsd]\n", 9);
	goodset_record("/a/empty", "", 0);
	goodset_record("/a/b.so", "\0\1\2", 3);
	fd = goodset_seal();
	if (!CHECK(fd >= 0))
		return done_testing();
	CHECK(write(fd, "x", 1) < 0);
	test_damage(fd);

	CHECK(!goodset_is_restored() && goodset_next(&cursor) == NULL);
	CHECK(goodset_restore(fd) == 0 && goodset_is_restored());
	CHECK_STR(goodset_next(&cursor), "/a/lxcfsd.ini");
	CHECK_STR(goodset_next(&cursor), "/a/empty");
	CHECK_STR(goodset_next(&cursor), "/a/b.so");
	CHECK(goodset_next(&cursor) == NULL);
	CHECK(goodset_read("/a/b.so", &text, &len) == 0);
	CHECK(len == 3 && memcmp(text, "\0\1\2", 4) == 0);
	free(text);
	CHECK(goodset_read("/a", &text, &len) == -ENOENT);
	return done_testing();
}
