/* SPDX-License-Identifier: MIT */
/*
 * loadavg - /proc/loadavg: how busy the container is.
 *
 * As fs/proc/loadavg.c prints it: the averages of 1, 5 and 15 minutes, how many of
 * its threads run and how many there are, and the number of the youngest one, all of
 * the container alone.  Who reads it runs, so at least one does.
 */
#include <lxcfsd/plugin.h>

#include "output.h"

static int loadavg_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
			void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

/* Rounded to hundredths as the kernel does it. */
static void put_average(struct lxcfsd_out *out, uint64_t average)
{
	average += LXCFSD_LOAD_ONE / 200;
	out_u64(out, average / LXCFSD_LOAD_ONE, 0);
	lxcfsd_put(out, ".", 1);
	out_u64_zeros(out, average % LXCFSD_LOAD_ONE * 100 / LXCFSD_LOAD_ONE, 2);
	lxcfsd_put(out, " ", 1);
}

static int loadavg_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			  struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_load load;
	int r = svc->load(req, &load);

	(void)opts;
	if (r < 0)
		return r;
	for (int i = 0; i < 3; i++)
		put_average(out, load.avg[i]);
	out_u64(out, load.running > 0 ? load.running : 1, 0);
	lxcfsd_put(out, "/", 1);
	out_u64(out, load.threads > 0 ? load.threads : 1, 0);
	lxcfsd_put(out, " ", 1);
	out_u64(out, load.last_pid, 0);
	lxcfsd_put(out, "\n", 1);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/loadavg", .mode = 0444, .controllers = 0, .render = loadavg_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "loadavg", .version = "1",
	.summary = "/proc/loadavg: how busy the container is",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.init = loadavg_init,
};
/* clang-format on */
