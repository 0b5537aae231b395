/* SPDX-License-Identifier: MIT */
/* io.c - see io.h. */
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "io.h"

ssize_t io_pread_all(int fd, char *buf, size_t size)
{
	size_t len = 0;

	/* procfs and cgroupfs give long files in pieces; only 0 is the end */
	while (len < size - 1) {
		ssize_t n = pread(fd, buf + len, size - 1 - len, (off_t)len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0) {
			buf[len] = '\0';
			return (ssize_t)len;
		}
		len += (size_t)n;
	}
	return -EFBIG;
}

ssize_t io_read_at(int dirfd, const char *path, char *buf, size_t size)
{
	_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	return fd < 0 ? -errno : io_pread_all(fd, buf, size);
}

int io_read_alloc(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len)
{
	_close_ int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return -errno;
	for (size_t size = 4096; size / 2 <= max; size *= 2) {
		char *buf = malloc(size);
		ssize_t n;

		if (!buf)
			return -ENOMEM;
		n = io_pread_all(fd, buf, size);
		if (n >= 0 && (size_t)n <= max) {
			*ret = buf;
			*ret_len = (size_t)n;
			return 0;
		}
		free(buf);
		if (n >= 0)
			return -EFBIG;
		if (n != -EFBIG)
			return (int)n;
	}
	return -EFBIG;
}

int io_write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

void io_open_standard(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

uint64_t io_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t io_used_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
