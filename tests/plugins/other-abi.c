/* SPDX-License-Identifier: MIT */
/* other-abi - speaks an ABI that will not exist for a long time. */
#include <lxcfsd/plugin.h>

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	(void)state;
	(void)opts;
	(void)req;
	lxcfsd_puts(out, "other-abi\n");
	return 0;
}

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/test-other-abi", .mode = 0444, .render = render },
};

/* clang-format off */
LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	.abi = 99,
	.size = sizeof(struct lxcfsd_plugin),
	.file_size = sizeof(struct lxcfsd_file),
	.opt_size = sizeof(struct lxcfsd_opt),
	.name = "other-abi",
	.version = "1",
	.summary = "only for tests",
	.files = files,
	.file_count = LXCFSD_COUNT(files),
};
/* clang-format on */
