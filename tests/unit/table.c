/* SPDX-License-Identifier: MIT */
/* Tables of mounts, also those that a tenant has made. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "table.h"

static char seen[4096]; /* "ID PARENT DEVICE ROOT POINT OPTIONS TYPE|" of each line */
static unsigned int count, stop_after;

static bool note(void *arg, const struct table_line *line)
{
	size_t len = strlen(seen);

	(void)arg;
	count++;
	snprintf(seen + len, sizeof(seen) - len, "%llu %llu %.*s %.*s %.*s %.*s %.*s|",
		 (unsigned long long)line->id, (unsigned long long)line->parent,
		 (int)line->device.len, line->device.data, (int)line->root.len, line->root.data,
		 (int)line->point.len, line->point.data, (int)line->options.len, line->options.data,
		 (int)line->type.len, line->type.data);
	return count != stop_after;
}

static int read_table(const char *text, size_t len)
{
	int fd = memfd_create("table", MFD_CLOEXEC), r;

	seen[0] = '\0';
	count = 0;
	CHECK(write(fd, text, len) == (ssize_t)len);
	lseek(fd, 0, SEEK_SET);
	r = table_read(fd, note, NULL);
	close(fd);
	return r;
}

static void test_lines(void)
{
	static const char text[] =
		"22 27 0:21 / /proc rw,relatime - proc proc rw\n"
		"36 35 98:0 /mnt1 /mnt2 ro,noatime shared:1 master:2 - ext3 /dev/root rw\n"
		"37 36 0:9 / /a\rb rw - fuse.lxcfs  rw\n"	/* no blank: part of the name */
		"38 36 0:9 / /c rw unknown - fuse.lxcfs x rw\n" /* a field that we do not know */
		"x 36 0:9 / /d rw - tmpfs x rw\n"
		"39 36 0:9 / /e rw\n"
		"40 36 0:9  /f rw - tmpfs x rw\n"
		"\n"
		"41 36 0:9 / /g rw - tmpfs x rw"; /* cut off */

	CHECK_U64(read_table(text, sizeof(text) - 1), 0);
	CHECK_STR(seen, "22 27 0:21 / /proc rw,relatime proc|"
			"36 35 98:0 /mnt1 /mnt2 ro,noatime ext3|"
			"37 36 0:9 / /a\rb rw fuse.lxcfs|"
			"38 36 0:9 / /c rw fuse.lxcfs|");
	stop_after = 2;
	CHECK_U64(read_table(text, sizeof(text) - 1), 0);
	CHECK_U64(count, 2);
	stop_after = 0;
}

/* The longest line that there can be is read; what is longer is not endless. */
static void test_long(void)
{
	static char text[200000];
	static const char head[] = "1 2 0:9 /", tail[] = " /p rw - tmpfs x rw\n2 1 0:9 / /q rw - "
							 "tmpfs x rw\n";

	memset(text, 'a', sizeof(text));
	memcpy(text, head, sizeof(head) - 1);
	memcpy(text + 60000, tail, sizeof(tail) - 1);
	CHECK_U64(read_table(text, 60000 + sizeof(tail) - 1), 0);
	CHECK_U64(count, 2);
	memset(text + 60000, 'a', sizeof(tail) - 1);
	CHECK(read_table(text, sizeof(text)) == -EFBIG);
	CHECK_U64(count, 0);
}

static const char *path(const char *field)
{
	static char buf[32];
	int r = table_path((struct lxcfsd_text){ field, strlen(field) }, buf, sizeof(buf));

	return r == 0 ? buf : strerrorname_np(-r);
}

static void test_paths(void)
{
	CHECK_STR(path("/"), "/");
	CHECK_STR(path("/proc/uptime"), "/proc/uptime");
	CHECK_STR(path("/a\\040b\\011c\\012d\\134e\\043"), "/a b\tc\nd\\e#");
	CHECK_STR(path("/proc/gone//deleted"), "/proc/gone");
	CHECK_STR(path("/proc//deleted/x"), "/proc//deleted/x");
	CHECK_STR(path("//deleted"), "//deleted");
	CHECK_STR(path(""), "EINVAL");
	CHECK_STR(path("relative"), "EINVAL");
	CHECK_STR(path("mnt:[4026531840]"), "EINVAL"); /* a namespace that is bound */
	CHECK_STR(path("/a\\"), "EINVAL");
	CHECK_STR(path("/a\\04"), "EINVAL");
	CHECK_STR(path("/a\\049"), "EINVAL");
	CHECK_STR(path("/a\\000b"), "EINVAL");
	CHECK_STR(path("/a\\777b"), "EINVAL");
	CHECK_STR(path("/34567890123456789012345678901"), "/34567890123456789012345678901");
	CHECK_STR(path("/345678901234567890123456789012"), "/345678901234567890123456789012");
	CHECK_STR(path("/3456789012345678901234567890123"), "ENAMETOOLONG");
}

int main(void)
{
	test_lines();
	test_long();
	test_paths();
	return done_testing();
}
