/* SPDX-License-Identifier: MIT */
/* pair.h - a plugin with two files, of which the first is the host's as well: its text
 * is made by PAIR_FIRST(out). */
#include <stdlib.h>

#include <lxcfsd/plugin.h>

static int first(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		 struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req;
	PAIR_FIRST(out);
	return 0;
}

static int second(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req;
	lxcfsd_puts(out, "second\n");
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/version",     .mode = 0444, .render = first },
	{ .path = "/proc/lxcfsd_pair", .mode = 0444, .render = second },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "pair", .version = "1", .summary = "two files",
	.files = files, .file_count = LXCFSD_COUNT(files),
};
/* clang-format on */
