/* SPDX-License-Identifier: MIT */
/*
 * skeleton - /proc/skeleton: how much memory the container may use.
 *
 * Say here what stands in the file and which document of the kernel says so;
 * what is shown where a controller is missing or nothing is limited; and how
 * the file differs from the host's.
 */
#include <lxcfsd/plugin.h>

enum { OPT_UNIT, OPT_COUNT };
enum { UNIT_BYTES, UNIT_KIB };

/* The services are all that this plugin keeps.  What init() makes is read-only
 * afterwards: render() may be called by several threads at once. */
static int init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		void **ret_state)
{
	(void)opts;
	*ret_state = (void *)(uintptr_t)svc;
	return 0;
}

/* Writes the whole file.  0, -errno (the daemon falls back, and says so), or
 * LXCFSD_NO_VIEW: this reader is to see the host's. */
static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	uint64_t max;
	int r;

	r = svc->limit(req, LXCFSD_MEM_MAX, &max);
	if (r < 0)
		return r;
	if (max == LXCFSD_NO_LIMIT)
		lxcfsd_puts(out, "memory max\n");
	else if (opts[OPT_UNIT].u == UNIT_KIB)
		lxcfsd_printf(out, "memory %llu kB\n", (unsigned long long)(max / 1024));
	else
		lxcfsd_printf(out, "memory %llu\n", (unsigned long long)max);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_opt options[OPT_COUNT] = {
	[OPT_UNIT] = { .key = "unit", .type = LXCFSD_ENUM, .def = "bytes",
		       .choices = "bytes kib", .help = "in what memory is counted" },
};

/* A reader in the root cgroup of these controllers sees the host's file. */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/skeleton", .mode = 0444, .controllers = LXCFSD_MEMORY,
	  .render = render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "skeleton",
	.version = "1",
	.summary = "/proc/skeleton: how much memory the container may use",
	.files = files,
	.file_count = LXCFSD_COUNT(files),
	.opts = options,
	.opt_count = LXCFSD_COUNT(options),
	.init = init,
};
/* clang-format on */
