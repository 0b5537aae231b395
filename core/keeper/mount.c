/* SPDX-License-Identifier: MIT */
/* mount.c - see mount.h. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "io.h"
#include "log.h"
#include "mount.h"
#include "text.h"

#define MOUNTINFO_MAX	(16 << 20)
#define INIT_TIMEOUT_MS 5000
#define PROBE_TIMEOUT_S 2

static int fail(char *reason, size_t size, int r, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
static int fail(char *reason, size_t size, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason, size, format, args);
	va_end(args);
	return r;
}

/* The path without symbolic links, the last component not looked at: it may be a
 * mount that nobody serves. */
static int resolve(const char *path, char *ret, size_t size)
{
	_free_ char *a = strdup(path), *b = strdup(path), *dir = NULL;
	const char *name;
	int n;

	if (!a || !b)
		return -ENOMEM;
	name = basename(b);
	if (!strcmp(name, "/") || !strcmp(name, ".") || !strcmp(name, ".."))
		return -EINVAL;
	dir = realpath(dirname(a), NULL);
	if (!dir)
		return -errno;
	n = snprintf(ret, size, "%s/%s", strcmp(dir, "/") ? dir : "", name);
	return n > 0 && (size_t)n < size ? 0 : -ENAMETOOLONG;
}

/* mountinfo writes blanks, tabs, newlines and backslashes as \ooo. */
static bool mountinfo_path_is(struct lxcfsd_text field, const char *path)
{
	size_t i = 0;

	while (i < field.len && *path) {
		unsigned char c = (unsigned char)field.data[i];

		if (c == '\\' && field.len - i >= 4) {
			c = (unsigned char)((field.data[i + 1] - '0') << 6 |
					    (field.data[i + 2] - '0') << 3 |
					    (field.data[i + 3] - '0'));
			i += 3;
		}
		if (c != (unsigned char)*path)
			return false;
		i++;
		path++;
	}
	return i == field.len && !*path;
}

/* "shared:N", among the optional fields */
static bool text_is_shared(struct lxcfsd_text word)
{
	return word.len > 7 && memcmp(word.data, "shared:", 7) == 0;
}

static void put_text(char *ret, size_t size, struct lxcfsd_text text)
{
	snprintf(ret, size, "%.*s", (int)text.len, text.data);
}

/* A line of mountinfo. */
struct place {
	char type[64]; /* "": nothing is mounted there */
	char device[32];
	bool shared; /* with other mount namespaces */
};

/* What is mounted on `path`, the topmost. */
static int mounted(const char *path, struct place *ret)
{
	_free_ char *text = NULL;
	struct lxcfsd_text rest, line, word;
	size_t len;
	int r = io_read_alloc(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len);

	if (r < 0)
		return r;
	*ret = (struct place){ "", "", false };
	rest = (struct lxcfsd_text){ text, len };
	while (text_line(&rest, &line)) {
		struct lxcfsd_text device = { "", 0 };
		unsigned int field = 0;
		bool here = false, options_end = false, shared = false;

		while (text_word(&line, &word)) {
			field++;
			if (field == 3)
				device = word;
			if (field == 5)
				here = mountinfo_path_is(word, path);
			if (options_end) {
				if (here) {
					put_text(ret->type, sizeof(ret->type), word);
					put_text(ret->device, sizeof(ret->device), device);
					ret->shared = shared;
				}
				break;
			}
			shared = shared || (field > 6 && text_is_shared(word));
			options_end = field > 6 && text_is(word, "-");
		}
	}
	return 0;
}

/* Is the server of what is mounted there dead?  Asked by a child that may hang. */
static bool server_is_dead(const char *path)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct statfs st;
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		_exit(statfs(path, &st) < 0 && (errno == ENOTCONN || errno == ECONNABORTED) ? 1
											    : 0);
	}
	if (pid < 0)
		return false;
	for (int ms = 0; ms < PROBE_TIMEOUT_S * 1000; ms += 5) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 1;
		poll(NULL, 0, 5);
	}
	kill(pid, SIGKILL); /* hangs: somebody holds it, so it is not dead */
	return false;
}

static int clear_place(const char *path, char *reason, size_t size)
{
	struct place place;
	int r;

	for (int i = 0; i < 16; i++) {
		r = mounted(path, &place);
		if (r < 0)
			return fail(reason, size, r, "cannot read /proc/self/mountinfo: %s",
				    strerror(-r));
		if (strncmp(place.type, "fuse", 4) != 0)
			return 0;
		if (!server_is_dead(path))
			return fail(
				reason, size, -EBUSY,
				"'%s' is already served (a '%s' mount that is alive): stop that "
				"lxcfs or lxcfsd first, or use another mount point.  If its keeper "
				"was killed: start one with the same --runtime-dir, it goes on",
				path, place.type);
		log_warn("'%s' is a '%s' mount whose server is dead: taking it off", path,
			 place.type);
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0)
			return fail(reason, size, -errno, "cannot unmount the dead '%s': %m", path);
	}
	return fail(reason, size, -EBUSY, "too many dead mounts on '%s'", path);
}

static int lock_place(const char *path, int *ret, char *reason, size_t size)
{
	int fd;

	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return fail(reason, size, -errno, "cannot make the mount point '%s': %m", path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fail(reason, size, -errno, "mount point '%s': %m", path);
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		close(fd);
		return fail(reason, size, -EBUSY,
			    "mount point '%s' is already used by another lxcfsd", path);
	}
	*ret = fd;
	return 0;
}

int mount_device_at(const char *path, char *ret)
{
	struct place place;
	int r = mounted(path, &place);

	if (r == 0)
		memcpy(ret, place.device, sizeof(place.device));
	return r;
}

/* The kernel sends it once in the life of a connection. */
int mount_read_init(int fuse_fd, struct vault_conn *conn)
{
	static char buf[65536];
	const struct fuse_in_header *head = (const void *)buf;
	struct pollfd p = { .fd = fuse_fd, .events = POLLIN };
	ssize_t n;

	if (poll(&p, 1, INIT_TIMEOUT_MS) != 1)
		return -ETIMEDOUT;
	n = read(fuse_fd, buf, sizeof(buf));
	if (n < 0)
		return -errno;
	if ((size_t)n < sizeof(*head) + 16 || head->opcode != FUSE_INIT ||
	    (size_t)n > sizeof(conn->init_in))
		return -EPROTO;
	memset(conn, 0, sizeof(*conn));
	memcpy(conn->init_in, buf, (size_t)n);
	conn->init_in_len = (uint32_t)n;
	return 0;
}

static int do_mount(const char *path, struct vault_conn *conn, int *ret_fd, char *reason,
		    size_t size)
{
	char options[160];
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	int r;

	if (fd < 0)
		return fail(reason, size, -errno, "cannot open /dev/fuse: %m%s",
			    errno == ENOENT || errno == ENODEV ? " (try 'modprobe fuse')" : "");
	/* default_permissions: the kernel enforces the modes that we give */
	snprintf(options, sizeof(options),
		 "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other,default_permissions", fd);
	if (mount("lxcfs", path, "fuse.lxcfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
		  options) < 0) {
		r = fail(reason, size, -errno, "cannot mount on '%s': %m%s", path,
			 errno == EPERM ? " (it takes root)" : "");
		close(fd);
		return r;
	}
	r = mount_read_init(fd, conn);
	if (r < 0) {
		umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
		close(fd);
		return fail(reason, size, r, "no FUSE_INIT from the kernel: %s", strerror(-r));
	}
	*ret_fd = fd;
	return 0;
}

int mount_new(struct mount *mount, const char *path, struct vault_conn *conn, char *reason,
	      size_t size)
{
	char resolved[sizeof(mount->path)];
	struct place place;
	int lock_fd = -1, fuse_fd = -1;
	int r = resolve(path, resolved, sizeof(resolved));

	if (r < 0)
		return fail(reason, size, r, "mount point '%s': %s", path,
			    r == -EINVAL ? "give a directory other than the root" : strerror(-r));
	r = clear_place(resolved, reason, size);
	if (r == 0)
		r = lock_place(resolved, &lock_fd, reason, size);
	if (r == 0)
		r = do_mount(resolved, conn, &fuse_fd, reason, size);
	if (r < 0) {
		if (lock_fd >= 0)
			close(lock_fd);
		return r;
	}
	memcpy(mount->path, resolved, sizeof(resolved));
	mount->fuse_fd = fuse_fd;
	mount->lock_fd = lock_fd;
	/* nothing is asked of the file system by that; without it (kernel < 5.2) a
	 * mount that is taken off stays off */
	mount->tree_fd = open_tree(AT_FDCWD, resolved, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mounted(resolved, &place) == 0)
		memcpy(mount->device, place.device, sizeof(mount->device));
	return 0;
}

/* The copy itself is put there and a new one is taken: kernels before 6.15 do not
 * copy a mount that is nowhere. */
int mount_restore(struct mount *mount, bool *ret_restored)
{
	struct place place;
	int r = mounted(mount->path, &place);

	*ret_restored = false;
	if (r < 0 || strcmp(place.device, mount->device) == 0)
		return r;
	if (mount->tree_fd < 0)
		return -ENOSYS;
	if (move_mount(mount->tree_fd, "", AT_FDCWD, mount->path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return -errno;
	close(mount->tree_fd);
	mount->tree_fd = open_tree(AT_FDCWD, mount->path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	*ret_restored = true;
	return 0;
}

bool mount_is_private(const struct mount *mount)
{
	struct stat own, first;
	struct place place;

	if (stat("/proc/self/ns/mnt", &own) < 0 || stat("/proc/1/ns/mnt", &first) < 0 ||
	    own.st_ino == first.st_ino)
		return false;
	return mounted(mount->path, &place) == 0 && !place.shared;
}

bool mount_is_gone(const struct mount *mount)
{
	struct pollfd p = { .fd = mount->fuse_fd };

	return poll(&p, 1, 0) == 1 && p.revents & POLLERR;
}

void mount_drop(struct mount *mount)
{
	if (!mount->path[0])
		return;
	if (umount2(mount->path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0 && errno != EINVAL)
		log_warn("cannot unmount '%s': %m", mount->path);
	close(mount->fuse_fd);
	flock(mount->lock_fd, LOCK_UN); /* a worker that just ends may have it open as well */
	close(mount->lock_fd);
	if (mount->tree_fd >= 0)
		close(mount->tree_fd);
	mount->path[0] = '\0';
	mount->fuse_fd = mount->lock_fd = mount->tree_fd = -1;
}
