/* SPDX-License-Identifier: MIT */
/* A text that no two renders have in common, with the moment in each of its lines: who
 * reads it in pieces sees whether they are of one text (tests/tools/readload.c). */
#define _GNU_SOURCE
#include <inttypes.h>
#include <time.h>

#include <lxcfsd/plugin.h>

#define LINES 300

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	struct timespec now;

	(void)state, (void)opts, (void)req;
	clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned int i = 0; i < LINES; i++)
		lxcfsd_printf(out, "%" PRIu64 " %u\n",
			      (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec, i);
	return 0;
}

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/lxcfsd_whole", .mode = 0444, .render = render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER, .name = "whole",
	.version = "1",	      .summary = "a text of one moment",
	.files = files,	      .file_count = LXCFSD_COUNT(files),
};
