/* SPDX-License-Identifier: MIT */
/*
 * slabinfo - /proc/slabinfo, for root alone: the container's slab objects.
 *
 * memory.kmem.slabinfo of cgroup v1, which kernels before 5.9 fill in the format of
 * the host's file (memcg_slab_show() of mm/slab_common.c); where it is empty, fails
 * (no kernel memory is accounted) or does not exist, as on cgroup2, the two lines
 * that print_slabinfo_header() prints.  The host's numbers are never shown, so this
 * is also what a reader sees who is in no container.
 */
#include <lxcfsd/plugin.h>

#include "output.h"

static const char version[] = "slabinfo - version: ";
static const char header[] =
	"slabinfo - version: 2.1\n"
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab>"
	" : tunables <limit> <batchcount> <sharedfactor>"
	" : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

/* Newer kernels print a note on where to find it now, or nothing. */
static bool is_slabinfo(struct lxcfsd_text text)
{
	return text.len > sizeof(version) && memcmp(text.data, version, sizeof(version) - 1) == 0 &&
	       text.data[text.len - 1] == '\n';
}

static int slabinfo_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
			 void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static int slabinfo_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			   struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_text text = { "", 0 };
	int r = svc->control(req, LXCFSD_KMEM_SLABINFO, &text);

	(void)opts;
	if (r < 0 && r != -ENOENT && r != -EIO)
		return r;
	if (r == 0 && is_slabinfo(text))
		out_text(out, text);
	else
		lxcfsd_puts(out, header);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/slabinfo", .mode = 0400, .controllers = 0, .render = slabinfo_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "slabinfo", .version = "1",
	.summary = "/proc/slabinfo: the container's slab objects, never the host's",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.init = slabinfo_init,
};
/* clang-format on */
