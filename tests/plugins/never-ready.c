/* SPDX-License-Identifier: MIT */
/* never-ready - its init() does not come back. */
#include <unistd.h>

#include <lxcfsd/plugin.h>

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	(void)state;
	(void)opts;
	(void)req;
	lxcfsd_puts(out, "never-ready\n");
	return 0;
}

static int init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		void **ret_state)
{
	(void)svc;
	(void)opts;
	(void)ret_state;
	while (pause() < 0)
		;
	return -EINTR;
}

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/test-never-ready", .mode = 0444, .render = render },
};

/* clang-format off */
LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "never-ready",
	.version = "1",
	.summary = "only for tests",
	.files = files,
	.file_count = LXCFSD_COUNT(files),
	.init = init,
};
/* clang-format on */
