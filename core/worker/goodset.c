/* SPDX-License-Identifier: MIT */
/*
 * goodset.c - see goodset.h.
 *
 * The memory file is a row of entries: a head, the path with its NUL, the bytes,
 * and padding to eight bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "goodset.h"
#include "io.h"

#define SET_BYTES_MAX ((size_t)256 << 20)

struct head {
	uint64_t path_size; /* with the NUL */
	uint64_t len;
};

static struct {
	const char *bytes; /* mapped: files come from here */
	size_t size;
	int record_fd; /* 0: nothing recorded yet */
	int record_error;
} self;

static size_t padded(uint64_t n)
{
	return (size_t)(n + 7) & ~(size_t)7;
}

/* The entry at *cursor, which moves on; false at the end or where it is damaged. */
static bool next_entry(size_t *cursor, const char **ret_path, const char **ret_bytes,
		       size_t *ret_len)
{
	size_t left = self.size - *cursor;
	struct head head;

	if (!self.bytes || left < sizeof(head))
		return false;
	memcpy(&head, self.bytes + *cursor, sizeof(head));
	left -= sizeof(head);
	if (head.path_size == 0 || head.path_size > left || head.len > left - head.path_size)
		return false;
	*ret_path = self.bytes + *cursor + sizeof(head);
	if ((*ret_path)[head.path_size - 1] != '\0')
		return false;
	*ret_bytes = *ret_path + head.path_size;
	*ret_len = (size_t)head.len;
	left = self.size - *cursor;
	*cursor += padded(sizeof(head) + head.path_size + head.len) < left
			   ? padded(sizeof(head) + head.path_size + head.len)
			   : left;
	return true;
}

int goodset_restore(int fd)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || (size_t)st.st_size > SET_BYTES_MAX)
		return -EINVAL;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	self.bytes = at;
	self.size = (size_t)st.st_size;
	return 0;
}

bool goodset_is_restored(void)
{
	return self.bytes != NULL;
}

int goodset_find(const char *path, const char **ret, size_t *ret_len)
{
	const char *name, *bytes;
	size_t cursor = 0, len;

	while (next_entry(&cursor, &name, &bytes, &len)) {
		if (strcmp(name, path) != 0)
			continue;
		*ret = bytes;
		*ret_len = len;
		return 0;
	}
	return -ENOENT;
}

int goodset_read(const char *path, char **ret, size_t *ret_len)
{
	const char *bytes;
	size_t len;
	char *copy;
	int r = goodset_find(path, &bytes, &len);

	if (r < 0)
		return r;
	copy = malloc(len + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, len);
	copy[len] = '\0';
	*ret = copy;
	*ret_len = len;
	return 0;
}

const char *goodset_next(size_t *cursor)
{
	const char *name, *bytes;
	size_t len;

	return next_entry(cursor, &name, &bytes, &len) ? name : NULL;
}

static int write_entry(const char *path, const void *bytes, size_t len)
{
	static const char padding[8];
	struct head head = { .path_size = strlen(path) + 1, .len = len };
	size_t size = sizeof(head) + head.path_size + head.len;
	int r = io_write_all(self.record_fd, &head, sizeof(head));

	if (r == 0)
		r = io_write_all(self.record_fd, path, head.path_size);
	if (r == 0)
		r = io_write_all(self.record_fd, bytes, len);
	if (r == 0)
		r = io_write_all(self.record_fd, padding, padded(size) - size);
	return r;
}

void goodset_record(const char *path, const void *bytes, size_t len)
{
	if (self.record_error || self.bytes) /* a restored one is as good as before */
		return;
	if (!self.record_fd) {
		self.record_fd = memfd_create("lxcfsd-goodset", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		if (self.record_fd < 0) {
			self.record_error = -errno;
			return;
		}
	}
	self.record_error = write_entry(path, bytes, len);
}

int goodset_seal(void)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;

	if (self.record_error)
		return self.record_error;
	if (!self.record_fd)
		return -ENODATA;
	if (fcntl(self.record_fd, F_ADD_SEALS, seals) < 0)
		return -errno;
	return self.record_fd;
}
