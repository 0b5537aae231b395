/* SPDX-License-Identifier: MIT */
/*
 * swaps - /proc/swaps: one device, of the size that the container may use.
 *
 * The numbers are those of SwapTotal and SwapFree in /proc/meminfo: both come from
 * plugins/lib/swap.h.  The container's swap is on no device of its own, so it is
 * called `none`, of the type `virtual`; its priority says nothing and is 0.
 * Without swap there is only the header, as on a machine without swap.
 *
 * The columns are those of swap_show() in mm/swapfile.c: the name fills 40
 * columns, and a number below 10000000 is followed by one more tab.  Names of
 * the host's devices do not show.
 */
#include <lxcfsd/plugin.h>

#include "memory.h"
#include "output.h"
#include "swap.h"

#define NAME	     "none"
#define NAME_COLUMNS 40
/* From here on the kernel leaves out the second tab. */
#define WIDE 10000000

enum { OPT_SWAP, OPT_COUNT };

static void put_size(struct lxcfsd_out *out, uint64_t kb)
{
	out_u64(out, kb, 0);
	lxcfsd_puts(out, kb < WIDE ? "\t\t" : "\t");
}

static int swaps_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		      void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static int swaps_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct swap swap = { 0 };
	struct memory_host host;
	struct lxcfsd_text text;
	int r;

	r = memory_host(svc, req, &host, &text);
	if (r == 0)
		r = swap_measure(svc, req, host.swap_total, &swap);
	if (r < 0)
		return r;
	lxcfsd_puts(out, "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
	if (!opts[OPT_SWAP].u || swap.total == 0)
		return 0;
	lxcfsd_puts(out, NAME);
	out_fill(out, ' ', NAME_COLUMNS - (sizeof(NAME) - 1));
	lxcfsd_puts(out, "virtual\t\t");
	put_size(out, swap.total);
	put_size(out, swap.used);
	lxcfsd_puts(out, "0\n");
	return 0;
}

/* clang-format off */
static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_SWAP] = { .key = "swap", .type = LXCFSD_BOOL, .def = "yes",
		       .help = "no: the container has no swap" },
};

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/swaps", .mode = 0444, .controllers = LXCFSD_MEMORY,
	  .render = swaps_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "swaps", .version = "1",
	.summary = "/proc/swaps: the container's swap as one device",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
	.init = swaps_init,
};
/* clang-format on */
