/* SPDX-License-Identifier: MIT */
/*
 * unmount.c - see unmount.h.
 *
 * For the end of a service whose mount outlives its main process: ExecStopPost of the
 * unit.  The mount may be dead or served by nobody, so nothing here looks into it; a worker
 * that serves on without a keeper is told to end.  The file RUNTIME_DIR/lxcfsd/mount
 * says what is ours: whatever else is mounted there stays.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include "adopt.h"
#include "bundle.h"
#include "io.h"
#include "mount.h"
#include "unmount.h"

#define ANSWER_TIMEOUT_MS 2000

static bool daemon_lives(const char *dir)
{
	char path[8192];
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static void end_orphan(const char *dir)
{
	struct bundle bundle;

	if (adopt_ask(dir, ANSWER_TIMEOUT_MS, &bundle) < 0)
		return;
	adopt_end(&bundle);
	bundle_done(&bundle);
	adopt_unlink(dir);
}

int unmount_left(const struct options *options)
{
	char dir[4096 + 16], file[sizeof(dir) + 16], text[4096 + 64], device[32], *path;
	ssize_t n;

	snprintf(dir, sizeof(dir), "%s/lxcfsd", options->runtime_dir);
	snprintf(file, sizeof(file), "%s/mount", dir);
	if (daemon_lives(dir)) {
		fprintf(stderr, "lxcfsd: it runs: end it by SIGTERM or SIGINT\n");
		return 1;
	}
	end_orphan(dir);
	n = io_read_at(AT_FDCWD, file, text, sizeof(text));
	path = n > 0 ? strchr(text, ' ') : NULL;
	if (!path)
		return 0; /* nothing was left */
	*path++ = '\0';
	path[strcspn(path, "\n")] = '\0';
	/* more than once, if it was put back where it still was */
	while (mount_device_at(path, device) == 0 && strcmp(device, text) == 0) {
		if (umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW) < 0) {
			fprintf(stderr, "lxcfsd: cannot unmount '%s': %m\n", path);
			return 1;
		}
	}
	unlink(file);
	return 0;
}
