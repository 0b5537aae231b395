/* SPDX-License-Identifier: MIT */
/* good - a plugin with nothing wrong in it, one option of each type. */
#include <lxcfsd/plugin.h>

static int good_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		       struct lxcfsd_out *out)
{
	(void)req;
	lxcfsd_printf(out, "%s %llu %llu %llu %s\n", (const char *)state,
		      (unsigned long long)opts[0].u, (unsigned long long)opts[1].u,
		      (unsigned long long)opts[2].u, opts[3].s);
	return 0;
}

static int good_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		     void **ret_state)
{
	static const char state[] = "good";

	(void)opts;
	svc->log(svc, LXCFSD_LOG_DEBUG, "page size %u", svc->page_size);
	*ret_state = (void *)(uintptr_t)state;
	return 0;
}

static const struct lxcfsd_file good_files[] = {
	{ .path = "/proc/test-good", .mode = 0444, .render = good_render },
	{ .path = "/proc/test/good2", .mode = 0400, .render = good_render },
};

static const struct lxcfsd_opt good_opts[] = {
	{ .key = "loud", .type = LXCFSD_BOOL, .def = "yes", .help = "a switch" },
	{ .key = "count", .type = LXCFSD_UINT, .def = "3", .min = 1, .max = 9, .help = "a number" },
	{ .key = "colour",
	  .type = LXCFSD_ENUM,
	  .def = "green",
	  .choices = "red green",
	  .help = "a word of these" },
	{ .key = "word", .type = LXCFSD_STRING, .def = "", .max = 8, .help = "a text" },
};

/* clang-format off */
LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "good",
	.version = "1",
	.summary = "a line with the values of its options",
	.files = good_files,
	.file_count = LXCFSD_COUNT(good_files),
	.opts = good_opts,
	.opt_count = LXCFSD_COUNT(good_opts),
	.init = good_init,
};
/* clang-format on */
