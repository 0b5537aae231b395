/* SPDX-License-Identifier: MIT */
/* newer - built against a later release: every structure has grown at its end. */
#include <lxcfsd/plugin.h>

struct newer_file {
	struct lxcfsd_file file;
	uint64_t more[3];
};

struct newer_opt {
	struct lxcfsd_opt opt;
	uint64_t more[5];
};

struct newer_plugin {
	struct lxcfsd_plugin plugin;
	uint64_t more[7];
};

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	(void)state;
	(void)opts;
	(void)req;
	lxcfsd_puts(out, "newer\n");
	return 0;
}

static const struct newer_file files[] = {
	{ .file = { .path = "/proc/test-newer1", .mode = 0444, .render = render }, .more = { 1 } },
	{ .file = { .path = "/proc/test-newer2", .mode = 0444, .render = render }, .more = { 1 } },
};

static const struct newer_opt opts[] = {
	{ .opt = { .key = "first", .type = LXCFSD_BOOL, .def = "no", .help = "a switch" },
	  .more = { 1 } },
	{ .opt = { .key = "second", .type = LXCFSD_BOOL, .def = "yes", .help = "a switch" },
	  .more = { 1 } },
};

/* The header declares the symbol with the type of its own release. */
extern const struct newer_plugin newer_object __asm__("lxcfsd_plugin");
LXCFSD_EXPORT const struct newer_plugin newer_object = {
	.plugin =
		{
			.abi = LXCFSD_ABI,
			.size = sizeof(struct newer_plugin),
			.file_size = sizeof(struct newer_file),
			.opt_size = sizeof(struct newer_opt),
			.name = "newer",
			.version = "9",
			.summary = "only for tests",
			.files = &files[0].file,
			.file_count = LXCFSD_COUNT(files),
			.opts = &opts[0].opt,
			.opt_count = LXCFSD_COUNT(opts),
		},
	.more = {1, 2, 3},
};
