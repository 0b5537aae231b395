/* SPDX-License-Identifier: MIT */
/*
 * host_tree.c - what the host has in a directory, for trees.
 *
 * Nothing is kept: a machine with many CPUs has tens of thousands of these files,
 * hardly read twice, and they would crowd out what all readers share.  No link is
 * followed, so that nothing leads out of the tree.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "copy.h"
#include "host.h"
#include "io.h"
#include "path.h"
#include "text.h"

static int open_entry(const struct host *host, const char *path, int flags)
{
	const char *rest;
	int dirfd, r;

	r = host_split(host, path, &dirfd, &rest);
	return r < 0 ? r : path_open(dirfd, rest, flags | O_NOFOLLOW, PATH_NO_LINKS);
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
	if (!copy_type(st.st_mode))
		return -ENOENT;
	*ret = (struct lxcfsd_entry){ copy_type(st.st_mode), st.st_mode & 0444 };
	if (!is_open(host, path))
		ret->mode &= ~(mode_t)S_IRWXO;
	return 0;
}

int host_copy(struct host *host, const char *path, struct lxcfsd_out *out)
{
	struct lxcfsd_entry entry;
	_close_ int fd = -1;
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
	return copy_file(fd, out);
}

int host_list(struct host *host, const char *path, struct lxcfsd_out *out)
{
	_close_ int fd = open_entry(host, path, O_RDONLY | O_DIRECTORY);
	struct stat st;

	if (fd < 0)
		return fd == -ELOOP || fd == -ENOTDIR ? -ENOENT : fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!(st.st_mode & S_IROTH) || !is_open(host, path))
		return -EACCES;
	return copy_names(fd, NULL, out);
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
