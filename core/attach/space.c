/* SPDX-License-Identifier: MIT */
/* space.c - see space.h. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>
#include <linux/openat2.h>

#include "io.h"
#include "space.h"
#include "text.h"

#ifndef MOVE_MOUNT_BENEATH
#define MOVE_MOUNT_BENEATH 0x00000200 /* Linux 6.5 */
#endif

static int go(int ns_fd)
{
	return setns(ns_fd, CLONE_NEWNS) < 0 ? -errno : 0;
}

int space_enter(struct space *space, const char *mountpoint, int ns_fd)
{
	int r;

	space->other = ns_fd;
	space->own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	space->self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	space->fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	space->living = open(mountpoint, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (space->own < 0 || space->self < 0 || space->fds < 0 || space->living < 0)
		return -errno;
	r = go(ns_fd);
	if (r < 0)
		return r;
	space->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return space->root < 0 ? -errno : 0;
}

int space_table(const struct space *space)
{
	int fd = openat(space->self, "mountinfo", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* `path` begins with a slash, and is below `dir`. */
static int walk(int dir, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir, path[1] ? path + 1 : ".", &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int space_place(const struct space *space, const char *path)
{
	return walk(space->root, path);
}

int space_mount_id(const struct space *space, int fd, uint64_t *ret)
{
	char name[32], buf[1024];
	struct lxcfsd_text rest, line, key;
	ssize_t n;

	snprintf(name, sizeof(name), "fdinfo/%d", fd);
	n = io_read_at(space->self, name, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	rest = (struct lxcfsd_text){ buf, (size_t)n };
	while (text_line(&rest, &line))
		if (text_until(&line, ':', &key) && text_is(key, "mnt_id"))
			return parse_u64(line, ret);
	return -ENODATA;
}

bool space_is_dead(int fd)
{
	struct statfs st;

	return fstatfs(fd, &st) < 0 && (errno == ENOTCONN || errno == ECONNABORTED);
}

bool space_lock(const struct space *space)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	for (int i = 0; i < 20; i++) {
		if (flock(space->own, LOCK_EX | LOCK_NB) == 0)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

void space_unlock(const struct space *space)
{
	flock(space->own, LOCK_UN);
}

/* Ours is shared with the namespaces below the host's, mostly: a copy that stayed so
 * would bring what a container mounts in it to all others.  -ENOSYS: Linux < 5.12. */
static int harden(int tree, unsigned int attrs)
{
	struct mount_attr all = { .propagation = MS_PRIVATE }, top = { .attr_set = attrs };

	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &all, sizeof(all)) < 0)
		return -errno;
	return mount_setattr(tree, "", AT_EMPTY_PATH, &top, sizeof(top)) < 0 ? -errno : 0;
}

int space_copy(const struct space *space, const char *part, unsigned int attrs, bool whole,
	       int *ret)
{
	unsigned int flags = AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	int fd = walk(space->living, part), tree, r;

	if (fd < 0)
		return fd;
	r = go(space->own);
	tree = r < 0 ? -1 : open_tree(fd, "", flags | (whole ? AT_RECURSIVE : 0));
	if (r == 0 && tree < 0)
		r = -errno;
	close(fd);
	if (r == 0) {
		r = harden(tree, attrs);
		if (r == -ENOSYS)
			r = 0; /* when it is in its place */
	}
	if (go(space->other) < 0)
		_exit(1); /* it was possible before; nothing here may go on elsewhere */
	if (r < 0) {
		if (tree >= 0)
			close(tree);
		return r;
	}
	*ret = tree;
	return 0;
}

/* The path that leads to `fd` from /proc/self/fd, where this goes. */
static int path_of(const struct space *space, int fd, char ret[16])
{
	snprintf(ret, 16, "%d", fd);
	return fchdir(space->fds) < 0 ? -errno : 0;
}

int space_take_off(const struct space *space, int fd)
{
	char path[16];
	int r = path_of(space, fd, path);

	if (r < 0)
		return r;
	return umount2(path, MNT_DETACH) < 0 ? -errno : 0;
}

/* For kernels that cannot do it before. */
static int harden_in_place(const struct space *space, int tree, unsigned int attrs)
{
	unsigned long flags = MS_REMOUNT | MS_BIND | MS_NOSUID | MS_NODEV | MS_NOEXEC;
	char path[16];
	int r = path_of(space, tree, path);

	if (r < 0)
		return r;
	if (mount(NULL, path, NULL, MS_PRIVATE | MS_REC, NULL) < 0)
		return -errno;
	if (attrs & MOUNT_ATTR_RDONLY && mount(NULL, path, NULL, flags | MS_RDONLY, NULL) < 0)
		return -errno;
	return 0;
}

int space_put(const struct space *space, int tree, int fd, unsigned int attrs)
{
	int r;

	if (move_mount(tree, "", fd, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return -errno;
	if (harden(tree, attrs) != -ENOSYS)
		return 0;
	r = harden_in_place(space, tree, attrs);
	if (r < 0)
		space_take_off(space, tree);
	return r;
}

int space_put_beneath(int tree, int fd)
{
	return move_mount(tree, "", fd, "",
			  MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | MOVE_MOUNT_BENEATH) <
			       0
		       ? -errno
		       : 0;
}
