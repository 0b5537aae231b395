/* SPDX-License-Identifier: MIT */
/*
 * fixture.h - a machine made of files in a temporary directory, for unit tests.
 *
 * It needs no privilege.  Everything is removed at exit.
 */
#ifndef LXCFSD_FIXTURE_H
#define LXCFSD_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"

static char fixture_root[PATH_MAX];

static int fixture_unlink(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void fixture_remove(void)
{
	if (fixture_root[0])
		nftw(fixture_root, fixture_unlink, 16, FTW_DEPTH | FTW_PHYS);
	fixture_root[0] = '\0';
}

static void fixture_die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* An empty machine; the one before is removed. */
static void fixture_begin(void)
{
	const char *tmp = getenv("TMPDIR");

	if (!fixture_root[0])
		atexit(fixture_remove);
	fixture_remove();
	snprintf(fixture_root, sizeof(fixture_root), "%s/lxcfsd-unit.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(fixture_root))
		fixture_die("mkdtemp");
}

/* With all directories on the way. */
static void fixture_dir(const char *path)
{
	char full[2 * PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", fixture_root, path);
	for (char *slash = full + strlen(fixture_root) + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		mkdir(full, 0755);
		*slash = '/';
	}
	if (mkdir(full, 0755) < 0 && errno != EEXIST)
		fixture_die(full);
}

/* Written in place when it is there already. */
static inline void fixture_file(const char *path, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static inline void fixture_file(const char *path, const char *format, ...)
{
	char full[2 * PATH_MAX], dir[PATH_MAX];
	va_list args;
	FILE *file;

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	if (dir[0])
		fixture_dir(dir);
	snprintf(full, sizeof(full), "%s%s", fixture_root, path);
	file = fopen(full, "we");
	if (!file)
		fixture_die(full);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

static inline void fixture_link(const char *path, const char *target)
{
	char full[2 * PATH_MAX], dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s", path);
	*strrchr(dir, '/') = '\0';
	fixture_dir(dir);
	snprintf(full, sizeof(full), "%s%s", fixture_root, path);
	if (symlink(target, full) < 0)
		fixture_die(full);
}

static inline void fixture_unlink_file(const char *path)
{
	char full[2 * PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", fixture_root, path);
	if (remove(full) < 0)
		fixture_die(full);
}

/* ---- the machine's cgroups ---- */

#define MOUNTINFO_V2                                                                               \
	"22 1 0:21 / /proc rw - proc proc rw\n"                                                    \
	"30 1 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MOUNTINFO_V1                                                                               \
	"30 1 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"                                         \
	"31 30 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"           \
	"32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpuacct,cpu\n"     \
	"33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                        \
	"34 30 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset,clone_children\n"         \
	"35 30 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
#define MOUNTINFO_UNIFIED "36 30 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

static inline void fixture_v2(void)
{
	fixture_begin();
	fixture_file("/proc/self/mountinfo", "%s", MOUNTINFO_V2);
	fixture_file("/sys/fs/cgroup/cgroup.controllers",
		     "cpuset cpu io memory hugetlb pids rdma misc\n");
	fixture_file("/sys/fs/cgroup/cpuset.cpus.effective", "0-7\n");
	fixture_file("/sys/devices/system/cpu/online", "0-7\n");
}

static inline void fixture_v1(void)
{
	fixture_begin();
	fixture_file("/proc/self/mountinfo", "%s", MOUNTINFO_V1);
	fixture_dir("/sys/fs/cgroup/systemd");
	fixture_dir("/sys/fs/cgroup/cpu,cpuacct");
	fixture_dir("/sys/fs/cgroup/memory");
	fixture_dir("/sys/fs/cgroup/cpuset");
	fixture_dir("/sys/fs/cgroup/pids");
	fixture_file("/sys/fs/cgroup/cpuset/cpuset.cpus", "0-7\n");
	fixture_file("/sys/devices/system/cpu/online", "0-7\n");
}

static inline void fixture_hybrid(void)
{
	fixture_v1();
	fixture_file("/proc/self/mountinfo", "%s%s", MOUNTINFO_V1, MOUNTINFO_UNIFIED);
	fixture_file("/sys/fs/cgroup/unified/cgroup.controllers", "io\n");
}

/* ---- its processes ---- */

/* `nstgid`: its numbers from the outermost namespace in. */
static inline void fixture_process(int pid, int ppid, const char *nstgid, unsigned int pidns,
				   const char *name, unsigned int start, const char *cgroups)
{
	char path[64], target[64];

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	fixture_file(path, "Name:\t%s\nUmask:\t0022\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\nNStgid:\t%s\n",
		     name, pid, pid, ppid, nstgid);
	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fixture_file(path,
		     "%d (%s) S %d 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 %u 1000 10 "
		     "18446744073709551615 0 0\n",
		     pid, name, ppid, start);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	fixture_file(path, "%s", cgroups);
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", pid);
	snprintf(target, sizeof(target), "pid:[%u]", pidns);
	fixture_link(path, target);
}

/* Everything at its default, and no waiting for the cache. */
static inline struct settings fixture_settings(void)
{
	static char strip[] = "init.scope init .lxc";
	struct settings settings = { .strip = strip, .max_fds = 4096, .cache_ms = 0 };

	return settings;
}

static inline struct model *fixture_model(const struct settings *settings)
{
	struct model *model = NULL;
	int r = model_new(settings, fixture_root, &model);

	if (r < 0) {
		errno = -r;
		fixture_die("model_new");
	}
	return model;
}

#endif
