/* SPDX-License-Identifier: MIT */
/* init-fails - says why it cannot start, and does not. */
#include <lxcfsd/plugin.h>

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	(void)state;
	(void)opts;
	(void)req;
	lxcfsd_puts(out, "init-fails\n");
	return 0;
}

static int init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		void **ret_state)
{
	(void)opts;
	(void)ret_state;
	svc->log(svc, LXCFSD_LOG_ERROR, "first %s", "trouble");
	svc->log(svc, LXCFSD_LOG_ERROR, "no luck on day %d", 7);
	svc->log(svc, LXCFSD_LOG_INFO, "that was it");
	return -EIO;
}

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/test-init-fails", .mode = 0444, .render = render },
};

/* clang-format off */
LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "init-fails",
	.version = "1",
	.summary = "only for tests",
	.files = files,
	.file_count = LXCFSD_COUNT(files),
	.init = init,
};
/* clang-format on */
