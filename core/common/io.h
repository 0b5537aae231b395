/* SPDX-License-Identifier: MIT */
/* io.h - files, bounded; cleanup attributes. */
#ifndef LXCFSD_IO_H
#define LXCFSD_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/types.h>
#include <unistd.h>

static inline void io_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}
static inline void io_freep(void *p)
{
	free(*(void **)p);
}
#define _close_ __attribute__((cleanup(io_closep)))
#define _free_	__attribute__((cleanup(io_freep)))

/* The whole file from offset 0 into `buf`, NUL-terminated; never a part of it:
 * -EFBIG when it needs more than `size` - 1 bytes.  Returns its length. */
ssize_t io_pread_all(int fd, char *buf, size_t size);

/* The same by name below `dirfd`. */
ssize_t io_read_at(int dirfd, const char *path, char *buf, size_t size);

/* The same into a buffer of its own, of at most `max` bytes. */
int io_read_alloc(int dirfd, const char *path, size_t max, char **ret, size_t *ret_len);

/* All of `len` bytes. */
int io_write_all(int fd, const void *bytes, size_t len);

/* Sees to it that 0, 1 and 2 are open: what is opened later must not become one of
 * them, or log lines end up in it. */
void io_open_standard(void);

/* Nanoseconds of CLOCK_MONOTONIC. */
uint64_t io_now_ns(void);
/* CPU time of this thread. */
uint64_t io_used_ns(void);

/* Must a cached value be read again for somebody who came at `arrived_ns`?  Not
 * when reading began after that: who waited for a slow read takes its result. */
static inline bool io_is_stale(uint64_t read_ns, uint64_t arrived_ns, uint64_t max_age_ns)
{
	return read_ns == 0 || (read_ns < arrived_ns && io_now_ns() - read_ns >= max_age_ns);
}

#endif
