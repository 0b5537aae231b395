/* SPDX-License-Identifier: MIT */
/* What a plugin can do while it serves that it should not: a line for each attempt. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lxcfsd/plugin.h>

static void report(struct lxcfsd_out *out, const char *what, long r)
{
	lxcfsd_printf(out, "%s %s\n", what, r < 0 ? strerrorname_np(errno) : "done");
}

/* A fork that came true would answer as well: it says so and ends. */
static long try_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	char *argv[] = { NULL };
	struct rlimit limit;

	(void)state, (void)opts, (void)req;
	report(out, "execve", execve("/nonexistent", argv, argv));
	report(out, "fork", try_fork());
	report(out, "mount", mount("none", "/mnt", "tmpfs", 0, NULL));
	report(out, "umount", umount2("/nonexistent", MNT_DETACH));
	report(out, "unshare", unshare(CLONE_NEWNS));
	report(out, "inet", socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	report(out, "kill", kill(1, 0));
	report(out, "parent", kill(getppid(), 0));
	report(out, "self", kill(getpid(), 0));
	report(out, "limit", getrlimit(RLIMIT_NOFILE, &limit));
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/lxcfsd_confined", .mode = 0444, .render = render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "confined", .version = "1", .summary = "what a worker may not do",
	.files = files, .file_count = LXCFSD_COUNT(files),
};
/* clang-format on */
