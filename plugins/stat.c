/* SPDX-License-Identifier: MIT */
/*
 * stat - /proc/stat: what the container's CPUs did.
 *
 * The lines of fs/proc/stat.c, in the host's order:
 *
 *   cpu, cpuN	ten columns in clock ticks: user nice system idle iowait irq softirq
 *		steal guest guest_nice; of the container alone, on the CPUs that it
 *		sees.  iowait, irq, softirq and guest are not counted by cgroups: 0.
 *		The first line is the sum of all CPUs that were ever visible.
 *   btime	the host's: start times in /proc/PID/stat count from there.  With
 *		`btime = container` when the container began.
 *   processes	threads started so far, as far as their numbers tell
 *   procs_running, procs_blocked
 *		the container's own; at least 1 runs: the reader
 *
 * intr, ctxt, softirq and what a newer kernel adds keep their columns, all 0.
 */
#include <lxcfsd/plugin.h>

#include "cursor.h"
#include "output.h"

#define NS_PER_SEC 1000000000ull

enum { OPT_BTIME, OPT_COUNT };
enum { BTIME_HOST, BTIME_CONTAINER };

struct view {
	const struct lxcfsd_services *svc;
	const union lxcfsd_value *opts;
	struct lxcfsd_request *req;
	struct lxcfsd_cpu_times times;
	struct lxcfsd_load load;
	bool cpus_put;
};

static int stat_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		     void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static void put_column(struct lxcfsd_out *out, uint64_t number)
{
	lxcfsd_put(out, " ", 1);
	out_u64(out, number, 0);
}

static void put_times(const struct view *view, const struct lxcfsd_cpu_time *time,
		      struct lxcfsd_out *out)
{
	uint64_t tick = NS_PER_SEC / view->svc->clock_ticks;

	put_column(out, time->user / tick);
	put_column(out, time->nice / tick);
	put_column(out, time->system / tick);
	put_column(out, time->idle / tick);
	lxcfsd_puts(out, " 0 0 0");
	put_column(out, time->steal / tick);
	lxcfsd_puts(out, " 0 0\n");
}

static void put_cpus(const struct view *view, struct lxcfsd_out *out)
{
	lxcfsd_puts(out, "cpu ");
	put_times(view, &view->times.total, out);
	for (uint32_t i = 0; i < view->times.count; i++) {
		lxcfsd_puts(out, "cpu");
		out_u64(out, view->times.numbers[i], 0);
		put_times(view, &view->times.cpus[i], out);
	}
}

/* A line with each number 0. */
static void put_zeros(struct lxcfsd_text line, struct lxcfsd_out *out)
{
	uint64_t number;

	while (line.len > 0) {
		if (cursor_u64(&line, &number)) {
			lxcfsd_put(out, "0", 1);
			continue;
		}
		lxcfsd_put(out, line.data, 1);
		line.data++;
		line.len--;
	}
	lxcfsd_put(out, "\n", 1);
}

static void put_number(struct lxcfsd_text key, uint64_t number, struct lxcfsd_out *out)
{
	out_text(out, key);
	put_column(out, number);
	lxcfsd_put(out, "\n", 1);
}

static int put_btime(const struct view *view, struct lxcfsd_text line, struct lxcfsd_out *out)
{
	uint64_t age, now;
	int r = 0;

	if (view->opts[OPT_BTIME].u == BTIME_HOST) {
		out_text(out, line);
		lxcfsd_put(out, "\n", 1);
		return 0;
	}
	r = view->svc->age_ns(view->req, &age);
	now = view->svc->clock_ns(view->req, LXCFSD_CLOCK_REALTIME);
	if (r == 0)
		put_number((struct lxcfsd_text){ "btime", 5 },
			   now > age ? (now - age) / NS_PER_SEC : 0, out);
	return r;
}

static bool is_cpu(struct lxcfsd_text key)
{
	return key.len >= 3 && memcmp(key.data, "cpu", 3) == 0 &&
	       (key.len == 3 || (key.data[3] >= '0' && key.data[3] <= '9'));
}

static int put_line(struct view *view, struct lxcfsd_text line, struct lxcfsd_out *out)
{
	const char *blank = memchr(line.data, ' ', line.len);
	struct lxcfsd_text key = { line.data, blank ? (size_t)(blank - line.data) : line.len };

	if (is_cpu(key)) {
		if (!view->cpus_put)
			put_cpus(view, out);
		view->cpus_put = true;
	} else if (CURSOR_IS(key, "btime")) {
		return put_btime(view, line, out);
	} else if (CURSOR_IS(key, "processes")) {
		put_number(key, view->load.forks, out);
	} else if (CURSOR_IS(key, "procs_running")) {
		put_number(key, view->load.running > 0 ? view->load.running : 1, out);
	} else if (CURSOR_IS(key, "procs_blocked")) {
		put_number(key, view->load.blocked, out);
	} else if (blank) {
		out_text(out, key);
		put_zeros((struct lxcfsd_text){ blank, line.len - key.len }, out);
	}
	return 0;
}

static int stat_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		       struct lxcfsd_out *out)
{
	struct view view = { .svc = state, .opts = opts, .req = req };
	struct lxcfsd_text text, line;
	int r;

	r = view.svc->host_file(req, "/proc/stat", &text);
	if (r == 0)
		r = view.svc->cpu_times(req, &view.times);
	if (r == 0)
		r = view.svc->load(req, &view.load);
	while (r == 0 && cursor_line(&text, &line))
		r = put_line(&view, line, out);
	return r;
}

/* clang-format off */
static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_BTIME] = { .key = "btime", .type = LXCFSD_ENUM, .def = "host",
			.choices = "host container",
			.help = "when the machine was booted: the host's, or the container's start" },
};

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/stat", .mode = 0444,
	  .controllers = LXCFSD_CPU | LXCFSD_CPUACCT | LXCFSD_CPUSET, .render = stat_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "stat", .version = "1",
	.summary = "/proc/stat: what the container's CPUs did",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
	.init = stat_init,
};
/* clang-format on */
