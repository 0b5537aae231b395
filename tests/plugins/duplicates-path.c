/* SPDX-License-Identifier: MIT */
/* duplicates-path - wants a file that the plugin good has. */
#include <lxcfsd/plugin.h>

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	(void)state;
	(void)opts;
	(void)req;
	lxcfsd_puts(out, "duplicates-path\n");
	return 0;
}

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/test-good", .mode = 0444, .render = render },
};

/* clang-format off */
LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "duplicates-path",
	.version = "1",
	.summary = "only for tests",
	.files = files,
	.file_count = LXCFSD_COUNT(files),
};
/* clang-format on */
