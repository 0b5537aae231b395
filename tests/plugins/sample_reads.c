/* SPDX-License-Identifier: MIT */
/* A file whose render() reads another one, which may take as long as it likes; one that is
 * the host's as well; and a tree that reads it for whatever it is asked. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <lxcfsd/plugin.h>

static int get(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, size - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return -EIO;
	text[n] = '\0';
	return 0;
}

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	char text[64];
	int r = get(opts[0].s, text, sizeof(text));

	(void)state, (void)req;
	if (r == 0)
		lxcfsd_puts(out, text);
	return r;
}

static int look_up(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		   const char *below, struct lxcfsd_entry *ret)
{
	char text[64];
	int r = get(opts[0].s, text, sizeof(text));

	(void)state, (void)req;
	if (r < 0)
		return r;
	*ret = (struct lxcfsd_entry){ LXCFSD_REG, 0444 };
	return strcmp(below, "fscaps") == 0 ? 0 : -ENOENT;
}

static int list(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		const char *below, struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req, (void)below;
	lxcfsd_name(out, LXCFSD_REG, "fscaps");
	return 0;
}

static int render_below(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			const char *below, struct lxcfsd_out *out)
{
	(void)below;
	return render(state, opts, req, out);
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/lxcfsd_reads", .mode = 0444, .render = render },
	{ .path = "/proc/version",      .mode = 0444, .render = render },
};

static const struct lxcfsd_tree trees[] = {
	{ .path = "/sys/kernel", .lookup = look_up, .list = list, .render = render_below },
};

static const struct lxcfsd_opt opts[] = {
	{ .key = "from", .type = LXCFSD_STRING, .def = "/dev/null", .max = 4095, .help = "what it reads" },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "reads", .version = "1", .summary = "what another file says",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.trees = trees, .tree_count = LXCFSD_COUNT(trees),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
};
/* clang-format on */
