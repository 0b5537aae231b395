/* SPDX-License-Identifier: MIT */
/* inner.c - see inner.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inner.h"
#include "io.h"
#include "log.h"

#define MS		  1000000u
#define ATTACH_TIMEOUT_MS 2000
#define TREE_FD		  3 /* the child's */

static int set_option(int fs, const char *key, const char *value)
{
	return fsconfig(fs, value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG, key, value, 0) < 0
		       ? -errno
		       : 0;
}

/* As the plain one, but it can be written: each write must reach the worker. */
static int make_mount(int fuse_fd, int *ret)
{
	const unsigned int attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
	char number[16];
	const char *const options[][2] = {
		{ "source", "lxcfs" },	 { "subtype", "lxcfs" },
		{ "fd", number },	 { "rootmode", "40000" },
		{ "user_id", "0" },	 { "group_id", "0" },
		{ "allow_other", NULL }, { "default_permissions", NULL }
	};
	_close_ int fs = fsopen("fuse", FSOPEN_CLOEXEC);
	int fd, r = fs < 0 ? -errno : 0;

	snprintf(number, sizeof(number), "%d", fuse_fd);
	for (size_t i = 0; r == 0 && i < sizeof(options) / sizeof(options[0]); i++)
		r = set_option(fs, options[i][0], options[i][1]);
	if (r == 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		r = -errno;
	if (r < 0)
		return r;
	fd = fsmount(fs, FSMOUNT_CLOEXEC, attrs);
	if (fd < 0)
		return -errno;
	*ret = fd;
	return 0;
}

int inner_open(struct inner *inner, const struct mount *mount, struct vault_header *vault,
	       const char *below)
{
	char *root = vault->conn_roots[inner->conn];
	int fuse_fd = open("/dev/fuse", O_RDWR | O_CLOEXEC), tree_fd = -1;
	int r = fuse_fd < 0 ? -errno : make_mount(fuse_fd, &tree_fd);

	if (r == 0)
		r = mount_read_init(fuse_fd, &vault->conns[inner->conn]);
	if (r < 0) {
		if (fuse_fd >= 0)
			close(fuse_fd);
		if (tree_fd >= 0)
			close(tree_fd);
		return r;
	}
	memset(root, 0, CONN_ROOT_MAX);
	snprintf(root, CONN_ROOT_MAX, "%s", below);
	vault->conn_serials[inner->conn]++; /* handles of an earlier one are void */
	snprintf(inner->path, sizeof(inner->path), "%s%s", mount->path, below);
	inner->fuse_fd = fuse_fd;
	inner->tree_fd = tree_fd;
	inner->device[0] = '\0';
	return 0;
}

/* The child's: may hang, and then must not hold the connection that it waits for, or
 * nothing could end it. */
static _Noreturn void put_in_place(const struct inner *inner, bool clear)
{
	int tree_fd = inner->tree_fd >= 0 ? dup2(inner->tree_fd, TREE_FD) : -1;
	sigset_t none;

	close_range(TREE_FD + 1, ~0u, 0);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (clear)
		umount2(inner->path, MNT_DETACH | UMOUNT_NOFOLLOW);
	if (tree_fd >= 0 &&
	    move_mount(tree_fd, "", AT_FDCWD, inner->path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		_exit(errno < 255 ? errno : 255);
	_exit(0);
}

void inner_attach(struct inner *inner)
{
	char device[sizeof(inner->device)];
	bool clear;

	if (!inner->path[0] || inner->child || mount_device_at(inner->path, device) < 0)
		return;
	clear = inner->stale[0] && strcmp(device, inner->stale) == 0;
	if (!clear &&
	    (inner->tree_fd < 0 || (inner->device[0] && strcmp(device, inner->device) == 0)))
		return;
	inner->child = fork();
	if (inner->child == 0)
		put_in_place(inner, clear);
	if (inner->child < 0) {
		log_warn("cannot mount '%s': %m", inner->path);
		inner->child = 0;
		return;
	}
	inner->killed = false;
	inner->since_ns = io_now_ns();
}

bool inner_reaped(struct inner *inner, pid_t pid, int status)
{
	int error = WIFEXITED(status) ? WEXITSTATUS(status) : 0, copy;
	bool again = inner->device[0];

	if (!inner->child || pid != inner->child)
		return false;
	inner->child = 0;
	inner->stale[0] = '\0';
	if (!WIFEXITED(status) || error) {
		if (!inner->failed)
			log_warn("cannot mount '%s', its files can only be read: %s", inner->path,
				 error ? strerror(error) : "it took too long");
		inner->failed = true;
		return true;
	}
	inner->failed = false;
	if (inner->tree_fd < 0)
		return true;
	mount_device_at(inner->path, inner->device);
	/* from what is in its place now: it needs no walk, and kernels before 6.15 do
	 * not copy a mount that is nowhere */
	copy = open_tree(inner->tree_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	close(inner->tree_fd); /* what is held open cannot be unmounted */
	inner->tree_fd = copy < 0 ? -1 : copy;
	if (again)
		log_warn("somebody has unmounted '%s': it is back, containers did not notice",
			 inner->path);
	else
		log_info("'%s' is a mount of its own", inner->path);
	return true;
}

int inner_patience_ms(struct inner *inner, uint64_t now)
{
	uint64_t passed_ms = now > inner->since_ns ? (now - inner->since_ns) / MS : 0;

	if (!inner->child || inner->killed)
		return INT_MAX;
	if (passed_ms < ATTACH_TIMEOUT_MS)
		return (int)(ATTACH_TIMEOUT_MS - passed_ms);
	kill(inner->child, SIGKILL);
	inner->killed = true; /* it ends when somebody serves again */
	return INT_MAX;
}

bool inner_is_gone(const struct inner *inner)
{
	struct pollfd p = { .fd = inner->fuse_fd };

	return inner->fuse_fd >= 0 && poll(&p, 1, 0) == 1 && p.revents & POLLERR;
}

void inner_drop(struct inner *inner, bool gone)
{
	if (inner->fuse_fd >= 0)
		close(inner->fuse_fd);
	if (inner->tree_fd >= 0)
		close(inner->tree_fd);
	inner->fuse_fd = inner->tree_fd = -1;
	if (gone)
		memcpy(inner->stale, inner->device, sizeof(inner->stale));
	else
		inner->path[0] = inner->stale[0] = '\0';
	inner->device[0] = '\0';
}
