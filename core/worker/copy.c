/* SPDX-License-Identifier: MIT */
/* copy.c - see copy.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "copy.h"

#define DIRENTS_SIZE 8192

struct dirent_raw { /* struct linux_dirent64 */
	uint64_t ino;
	int64_t next;
	unsigned short size;
	unsigned char type;
	char name[];
};

uint32_t copy_type(mode_t mode)
{
	return S_ISDIR(mode)   ? LXCFSD_DIR
	       : S_ISREG(mode) ? LXCFSD_REG
	       : S_ISLNK(mode) ? LXCFSD_LINK
			       : 0;
}

int copy_file(int fd, struct lxcfsd_out *out)
{
	ssize_t n;
	char more;

	do {
		size_t left = out->cap - out->len;

		n = read(fd, left ? out->buf + out->len : &more, left ? left : 1);
		if (n > 0 && !left)
			return -ENOSPC;
		if (n > 0)
			out->len += (size_t)n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	return n < 0 ? -errno : 0;
}

static void put_name(int fd, const struct dirent_raw *entry, struct lxcfsd_out *out)
{
	uint32_t type = entry->type == DT_UNKNOWN ? 0 : copy_type(DTTOIF(entry->type));
	struct stat st;

	if (!strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
		return;
	if (entry->type == DT_UNKNOWN && fstatat(fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = copy_type(st.st_mode);
	if (type)
		lxcfsd_name(out, type, entry->name);
}

int copy_names(int fd, bool (*hidden)(const char *name), struct lxcfsd_out *out)
{
	_Alignas(struct dirent_raw) char buf[DIRENTS_SIZE];
	long n;

	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent_raw *entry = (const void *)(buf + at);

			at += entry->size;
			if (!hidden || !hidden(entry->name))
				put_name(fd, entry, out);
		}
	}
	return n < 0 ? -errno : 0;
}
