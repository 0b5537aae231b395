/* SPDX-License-Identifier: MIT */
/* A file that takes a second, whatever signals come. */
#define _GNU_SOURCE
#include <time.h>

#include <lxcfsd/plugin.h>

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	struct timespec left = { .tv_sec = 1 };

	(void)state, (void)opts, (void)req;
	while (nanosleep(&left, &left) < 0)
		;
	lxcfsd_puts(out, "slow\n");
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/lxcfsd_slow", .mode = 0444, .render = render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "slow", .version = "1", .summary = "what takes its time",
	.files = files, .file_count = LXCFSD_COUNT(files),
};
/* clang-format on */
