/* SPDX-License-Identifier: MIT */
/*
 * old-plugin - a plugin as release 1 of the header made it, for ever.
 *
 * The structures stand here as they were, so that this stays an old plugin
 * whatever is appended to the header.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct old_out {
	char *buf;
	size_t len;
	size_t cap;
	int err;
};

struct old_file {
	const char *path;
	uint32_t mode;
	uint32_t controllers;
	int (*render)(void *state, const void *opts, void *req, struct old_out *out);
};

struct old_opt {
	const char *key;
	uint32_t type;
	uint32_t flags;
	const char *def;
	const char *choices;
	uint64_t min, max;
	const char *help;
};

struct old_plugin {
	uint32_t abi;
	uint32_t size;
	uint32_t file_size;
	uint32_t opt_size;
	const char *name;
	const char *version;
	const char *summary;
	const struct old_file *files;
	const struct old_opt *opts;
	uint32_t file_count;
	uint32_t opt_count;
	uint32_t flags;
	uint32_t reserved;
	int (*init)(const void *svc, const void *opts, void **ret_state);
};

static int render(void *state, const void *opts, void *req, struct old_out *out)
{
	static const char text[] = "old\n";

	(void)state;
	(void)opts;
	(void)req;
	if (out->cap - out->len < sizeof(text) - 1) {
		out->err = -28; /* ENOSPC */
		return 0;
	}
	memcpy(out->buf + out->len, text, sizeof(text) - 1);
	out->len += sizeof(text) - 1;
	return 0;
}

static const struct old_file files[] = {
	{ .path = "/proc/test-old", .mode = 0444, .render = render },
	{ .path = "/sys/test-old", .mode = 0444, .render = render },
};

static const struct old_opt opts[] = {
	{ .key = "first", .type = 2, .def = "5", .max = 10, .help = "a number" },
	{ .key = "second", .type = 4, .def = "five", .help = "a text" },
};

__attribute__((visibility("default"))) const struct old_plugin lxcfsd_plugin = {
	.abi = 1,
	.size = sizeof(struct old_plugin),
	.file_size = sizeof(struct old_file),
	.opt_size = sizeof(struct old_opt),
	.name = "old-plugin",
	.version = "1",
	.summary = "only for tests",
	.files = files,
	.file_count = sizeof(files) / sizeof(files[0]),
	.opts = opts,
	.opt_count = sizeof(opts) / sizeof(opts[0]),
};
