/* SPDX-License-Identifier: MIT */
/*
 * host_tree.c - what the host has in a directory, for trees.
 *
 * Nothing is kept: a machine with many CPUs has tens of thousands of these files,
 * hardly read twice, and they would crowd out what all readers share.  No link is
 * followed, so that nothing leads out of the tree.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "host.h"
#include "io.h"
#include "path.h"
#include "text.h"

#define DIRENTS_SIZE 8192

struct dirent_raw { /* struct linux_dirent64 */
	uint64_t ino;
	int64_t next;
	unsigned short size;
	unsigned char type;
	char name[];
};

static int open_entry(const struct host *host, const char *path, int flags)
{
	const char *rest;
	int dirfd, r;

	r = host_split(host, path, &dirfd, &rest);
	return r < 0 ? r : path_open(dirfd, rest, flags | O_NOFOLLOW, PATH_NO_LINKS);
}

/* 0: nothing that a tree may have. */
static uint32_t type_of(mode_t mode)
{
	return S_ISDIR(mode)   ? LXCFSD_DIR
	       : S_ISREG(mode) ? LXCFSD_REG
	       : S_ISLNK(mode) ? LXCFSD_LINK
			       : 0;
}

/* May everybody come as far as this? */
static bool is_open(const struct host *host, const char *path)
{
	const char *rest;
	int dirfd;

	return host_split(host, path, &dirfd, &rest) == 0 && host_is_reachable(dirfd, rest);
}

int host_entry(struct host *host, const char *path, struct lxcfsd_entry *ret)
{
	_close_ int fd = open_entry(host, path, O_PATH);
	struct stat st;

	if (fd < 0)
		return fd == -ELOOP || fd == -ENOTDIR ? -ENOENT : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!type_of(st.st_mode))
		return -ENOENT;
	*ret = (struct lxcfsd_entry){ type_of(st.st_mode), st.st_mode & 0444 };
	if (!is_open(host, path))
		ret->mode &= ~(mode_t)S_IRWXO;
	return 0;
}

int host_copy(struct host *host, const char *path, struct lxcfsd_out *out)
{
	struct lxcfsd_entry entry;
	_close_ int fd = -1;
	ssize_t n;
	char more;
	int r;

	r = host_entry(host, path, &entry);
	if (r < 0)
		return r;
	if (entry.type != LXCFSD_REG)
		return -ENOENT;
	if (!(entry.mode & S_IROTH))
		return -EACCES;
	fd = open_entry(host, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return fd;
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
	uint32_t type = entry->type == DT_UNKNOWN ? 0 : type_of(DTTOIF(entry->type));
	struct stat st;

	if (!strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
		return;
	if (entry->type == DT_UNKNOWN && fstatat(fd, entry->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		type = type_of(st.st_mode);
	if (type)
		lxcfsd_name(out, type, entry->name);
}

int host_list(struct host *host, const char *path, struct lxcfsd_out *out)
{
	_close_ int fd = open_entry(host, path, O_RDONLY | O_DIRECTORY);
	_Alignas(struct dirent_raw) char buf[DIRENTS_SIZE];
	struct stat st;
	long n;

	if (fd < 0)
		return fd == -ELOOP || fd == -ENOTDIR ? -ENOENT : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!(st.st_mode & S_IROTH) || !is_open(host, path))
		return -EACCES;
	while ((n = syscall(SYS_getdents64, fd, buf, sizeof(buf))) > 0) {
		for (long at = 0; at < n;) {
			const struct dirent_raw *entry = (const void *)(buf + at);

			put_name(fd, entry, out);
			at += entry->size;
		}
	}
	return n < 0 ? -errno : 0;
}

int host_link(struct host *host, const char *path, struct lxcfsd_out *out)
{
	_close_ int fd = open_entry(host, path, O_PATH);
	size_t left = out->cap - out->len;
	ssize_t n;

	if (fd < 0)
		return fd;
	if (!is_open(host, path))
		return -EACCES;
	n = readlinkat(fd, "", out->buf + out->len, left);
	if (n < 0)
		return errno == ENOENT ? -EINVAL : -errno; /* not a link */
	if ((size_t)n == left)
		return -ENOSPC;
	out->len += (size_t)n;
	return 0;
}
