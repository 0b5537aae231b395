/* SPDX-License-Identifier: MIT */
/*
 * sample.h - the plugins of the suites, but for what each says before it
 * includes this: SAMPLE_TEXT (what its file shows), SAMPLE_PATH, SAMPLE_MODE,
 * SAMPLE_RETURN (what render() returns), SAMPLE_INIT (a function that is its init()).
 */
#include <lxcfsd/plugin.h>

#ifndef SAMPLE_PATH
#define SAMPLE_PATH "/proc/lxcfsd_sample"
#endif
#ifndef SAMPLE_MODE
#define SAMPLE_MODE 0444
#endif
#ifndef SAMPLE_TEXT
#define SAMPLE_TEXT "sample\n"
#endif
#ifndef SAMPLE_RETURN
#define SAMPLE_RETURN 0
#endif
#ifndef SAMPLE_INIT
#define SAMPLE_INIT NULL
#endif

static int sample_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			 struct lxcfsd_out *out)
{
	(void)state;
	(void)opts;
	(void)req;
	lxcfsd_puts(out, SAMPLE_TEXT);
	return SAMPLE_RETURN;
}

static const struct lxcfsd_file sample_files[] = {
	{ .path = SAMPLE_PATH, .mode = SAMPLE_MODE, .render = sample_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,	   .name = "sample",	  .version = "1",
	.summary = "a fixed text", .files = sample_files, .file_count = LXCFSD_COUNT(sample_files),
	.init = SAMPLE_INIT,
};
