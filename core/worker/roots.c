/* SPDX-License-Identifier: MIT */
/*
 * roots.c - see roots.h.
 *
 * On this machine procfs and sysfs are mounts of our own that hang nowhere in
 * the tree: what is mounted over files of /proc (our own, for instance) and
 * hidepid do not matter, and nobody can unmount them.  Where that is not
 * allowed, /proc and /sys have to do.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "io.h"
#include "roots.h"
#include "text.h"

/* Not every libc has these; the numbers are the same on all architectures. */
#ifndef SYS_fsopen
#define SYS_fsopen   430
#define SYS_fsconfig 431
#define SYS_fsmount  432
#endif
#define FS_CLOEXEC	  1	      /* FSOPEN_CLOEXEC, FSMOUNT_CLOEXEC */
#define FS_CREATE	  6	      /* FSCONFIG_CMD_CREATE */
#define FS_NOSUID_ETC	  (2 | 4 | 8) /* MOUNT_ATTR_NOSUID, _NODEV, _NOEXEC */
#define FIXED_PAGE_SIZE	  4096
#define FIXED_CLOCK_TICKS 100

static int open_dir(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int mount_detached(const char *type)
{
	_close_ int context = (int)syscall(SYS_fsopen, type, FS_CLOEXEC);
	int fd;

	if (context < 0)
		return -errno;
	if (syscall(SYS_fsconfig, context, FS_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = (int)syscall(SYS_fsmount, context, FS_CLOEXEC, FS_NOSUID_ETC);
	return fd < 0 ? -errno : fd;
}

static int open_live(struct roots *roots)
{
	long page_size = sysconf(_SC_PAGESIZE), ticks = sysconf(_SC_CLK_TCK);

	roots->live = true;
	roots->page_size = page_size > 0 ? (uint32_t)page_size : FIXED_PAGE_SIZE;
	roots->clock_ticks = ticks > 0 ? (uint32_t)ticks : FIXED_CLOCK_TICKS;
	roots->root_fd = open_dir(AT_FDCWD, "/");
	roots->proc_fd = mount_detached("proc");
	if (roots->proc_fd < 0)
		roots->proc_fd = open_dir(AT_FDCWD, "/proc");
	roots->sys_fd = mount_detached("sysfs");
	if (roots->sys_fd < 0)
		roots->sys_fd = open_dir(AT_FDCWD, "/sys");
	return roots->root_fd < 0 ? roots->root_fd : roots->proc_fd < 0 ? roots->proc_fd : 0;
}

/* "BOOTTIME REALTIME" in nanoseconds. */
static int read_clock(struct roots *roots)
{
	struct lxcfsd_text rest, boottime, realtime, more;
	char buf[128];
	ssize_t n = io_read_at(roots->root_fd, "clock", buf, sizeof(buf));
	int r;

	if (n < 0)
		return n == -ENOENT ? 0 : (int)n;
	rest = (struct lxcfsd_text){ buf, (size_t)n };
	if (!text_word(&rest, &boottime) || !text_word(&rest, &realtime) || text_word(&rest, &more))
		return -EINVAL;
	r = parse_u64(boottime, &roots->boottime_ns);
	if (r < 0)
		return r;
	r = parse_u64(realtime, &roots->realtime_ns);
	if (r < 0)
		return r;
	roots->clock_fixed = true;
	return 0;
}

static int open_fixture(struct roots *roots, const char *root)
{
	roots->page_size = FIXED_PAGE_SIZE;
	roots->clock_ticks = FIXED_CLOCK_TICKS;
	roots->root_fd = open_dir(AT_FDCWD, root);
	if (roots->root_fd < 0)
		return roots->root_fd;
	roots->proc_fd = open_dir(roots->root_fd, "proc");
	if (roots->proc_fd < 0)
		return roots->proc_fd;
	roots->sys_fd = open_dir(roots->root_fd, "sys");
	return read_clock(roots);
}

int roots_open(struct roots *roots, const char *root)
{
	int r;

	*roots = (struct roots){ .root_fd = -1, .proc_fd = -1, .sys_fd = -1 };
	r = root ? open_fixture(roots, root) : open_live(roots);
	if (r < 0)
		roots_close(roots);
	return r;
}

void roots_close(struct roots *roots)
{
	io_closep(&roots->root_fd);
	io_closep(&roots->proc_fd);
	io_closep(&roots->sys_fd);
	roots->root_fd = roots->proc_fd = roots->sys_fd = -1;
}

uint64_t roots_clock_ns(const struct roots *roots, enum lxcfsd_clock which)
{
	struct timespec now;

	if (roots->clock_fixed)
		return which == LXCFSD_CLOCK_REALTIME ? roots->realtime_ns : roots->boottime_ns;
	clock_gettime(which == LXCFSD_CLOCK_REALTIME ? CLOCK_REALTIME : CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
