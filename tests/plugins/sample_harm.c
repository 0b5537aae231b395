/* SPDX-License-Identifier: MIT */
/* Files whose render() crashes, kills the worker, or never returns. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <lxcfsd/plugin.h>

static int crash(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		 struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req, (void)out;
	abort();
}

static int kill_worker(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		       struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req, (void)out;
	kill(getpid(), SIGKILL);
	return 0;
}

static int never_return(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req, (void)out;
	for (;;)
		pause();
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/lxcfsd_crash", .mode = 0444, .render = crash },
	{ .path = "/proc/lxcfsd_kill",  .mode = 0444, .render = kill_worker },
	{ .path = "/proc/lxcfsd_stuck", .mode = 0444, .render = never_return },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "harm", .version = "1", .summary = "what no plugin should do",
	.files = files, .file_count = LXCFSD_COUNT(files),
};
/* clang-format on */
