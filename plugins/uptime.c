/* SPDX-License-Identifier: MIT */
/*
 * uptime - /proc/uptime: for how long the container runs, and for how long its
 * CPUs were idle.
 *
 * Two numbers of seconds, as fs/proc/uptime.c prints them.  The first is the age
 * of the container's init.  The second is the sum of the idle times of all CPUs, as
 * the kernel adds them up: the idle column of the first line of /proc/stat.
 *
 * `uptime = host` gives the time since the host's boot instead: the start times
 * in /proc/PID/stat are counted from there, so procps gets the age of processes
 * right.  The idle time stays the container's.
 */
#include <lxcfsd/plugin.h>

#include "output.h"

#define NS_PER_SEC  1000000000ull
#define NS_PER_CSEC 10000000ull

enum { OPT_UPTIME, OPT_COUNT };
enum { UPTIME_CONTAINER, UPTIME_HOST };

static int uptime_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		       void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static void put_seconds(struct lxcfsd_out *out, uint64_t ns)
{
	out_u64(out, ns / NS_PER_SEC, 0);
	lxcfsd_put(out, ".", 1);
	out_u64_zeros(out, ns % NS_PER_SEC / NS_PER_CSEC, 2);
}

static int uptime_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			 struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_cpu_times times;
	uint64_t up;
	int r;

	if (opts[OPT_UPTIME].u == UPTIME_HOST) {
		up = svc->clock_ns(req, LXCFSD_CLOCK_BOOTTIME);
	} else {
		r = svc->age_ns(req, &up);
		if (r < 0)
			return r;
	}
	r = svc->cpu_times(req, &times);
	if (r < 0)
		return r;
	put_seconds(out, up);
	lxcfsd_put(out, " ", 1);
	put_seconds(out, times.total.idle);
	lxcfsd_put(out, "\n", 1);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_UPTIME] = { .key = "uptime", .type = LXCFSD_ENUM, .def = "container",
			 .choices = "container host",
			 .help = "since when: the container's start, or the host's boot" },
};

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/uptime", .mode = 0444, .controllers = 0, .render = uptime_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "uptime", .version = "1",
	.summary = "/proc/uptime: the container's age and the idle time of its CPUs",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
	.init = uptime_init,
};
/* clang-format on */
