/* SPDX-License-Identifier: MIT */
/*
 * text - a file with a fixed text, as many as there are sections:
 *
 *	[plugin NAME]
 *	module = text.so
 *	path = /proc/sys/kernel/some
 *	content = 1
 *
 * `content` is one line, to which a newline is added, and can differ from container to
 * container ([match]).  `content_file` is a file of the host, taken as it stands when
 * the configuration is taken, at most 64 KiB and without a NUL byte.  A section has one
 * of the two.  A [match] may give `content` where the section has a content_file: then
 * that line is shown in its place.
 */
#include <lxcfsd/plugin.h>

#define CONTENT_MAX (64u << 10)

enum { OPT_CONTENT, OPT_CONTENT_FILE, OPT_COUNT };

static int load_content(const struct lxcfsd_services *svc, const char *path, void **ret_state)
{
	struct lxcfsd_text text;
	int r = svc->load_file(svc, path, CONTENT_MAX, &text);

	if (r == 0 && memchr(text.data, '\0', text.len)) {
		svc->log(svc, LXCFSD_LOG_ERROR, "content_file %s: not a text: it has a NUL byte",
			 path);
		return -EINVAL;
	}
	if (r == 0)
		*ret_state = (void *)(uintptr_t)text.data;
	else if (r == -EFBIG)
		svc->log(svc, LXCFSD_LOG_ERROR, "content_file %s: larger than %u KiB", path,
			 CONTENT_MAX >> 10);
	else if (r == -EINVAL)
		svc->log(svc, LXCFSD_LOG_ERROR,
			 "content_file %s: must be the absolute path of a regular file", path);
	else
		svc->log(svc, LXCFSD_LOG_ERROR, "content_file %s: %s", path, strerror(-r));
	return r;
}

/* The state is the text of content_file, or NULL. */
static int text_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		     void **ret_state)
{
	const char *path = opts[OPT_CONTENT_FILE].s;

	if (*path && *opts[OPT_CONTENT].s) {
		svc->log(svc, LXCFSD_LOG_ERROR,
			 "it has both content and content_file: remove one of them");
		return -EINVAL;
	}
	if (!*path && !*opts[OPT_CONTENT].s) {
		svc->log(svc, LXCFSD_LOG_ERROR, "it has neither content nor content_file");
		return -EINVAL;
	}
	return *path ? load_content(svc, path, ret_state) : 0;
}

static int text_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		       struct lxcfsd_out *out)
{
	const char *line = opts[OPT_CONTENT].s, *file = state;

	(void)req;
	if (*line || !file) {
		lxcfsd_puts(out, line);
		lxcfsd_put(out, "\n", 1);
	} else {
		lxcfsd_puts(out, file);
	}
	return 0;
}

/* clang-format off */
static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_CONTENT] = { .key = "content", .type = LXCFSD_STRING, .def = "",
			  .help = "the file's one line" },
	[OPT_CONTENT_FILE] = { .key = "content_file", .type = LXCFSD_STRING, .def = "",
			       .flags = LXCFSD_OPT_INIT,
			       .help = "the host's file that it is a copy of" },
};

static const struct lxcfsd_file files[] = {
	{ .mode = 0444, .controllers = 0, .render = text_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "text", .version = "1",
	.summary = "a file of your own with a fixed text",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
	.flags = LXCFSD_PATH_FROM_CONFIG,
	.init = text_init,
};
/* clang-format on */
