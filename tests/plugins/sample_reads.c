/* SPDX-License-Identifier: MIT */
/* A file whose render() reads another one, which may take as long as it likes; and one
 * that is the host's as well. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <lxcfsd/plugin.h>

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	char text[64];
	int fd = open(opts[0].s, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	(void)state, (void)req;
	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -EIO;
	text[n] = '\0';
	lxcfsd_puts(out, text);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/lxcfsd_reads", .mode = 0444, .render = render },
	{ .path = "/proc/version",      .mode = 0444, .render = render },
};

static const struct lxcfsd_opt opts[] = {
	{ .key = "from", .type = LXCFSD_STRING, .def = "/dev/null", .max = 4095, .help = "what it reads" },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "reads", .version = "1", .summary = "what another file says",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
};
/* clang-format on */
