/* SPDX-License-Identifier: MIT */
/*
 * meminfo - /proc/meminfo as on a machine that has the container's memory.
 *
 * The lines and their order are the host's (fs/proc/meminfo.c and each
 * architecture's arch_report_meminfo()), the numbers come from the container's
 * cgroup: plugins/lib/memory.h says how, and how they are made to fit.  `lines`
 * says what each line shows.  What the kernel does not count for a cgroup is 0; a
 * line that is not in the table is what `unknown` says.
 *
 *   CommitLimit   vm_commit_limit() of mm/util.c: overcommit_kbytes, or without
 *		   it overcommit_ratio percent of MemTotal less what of it is huge
 *		   pages; and SwapTotal
 *   Committed_AS  anon + shmem + swap in use: what certainly was committed
 *   HugePages_*   hugetlb_report_meminfo() of mm/hugetlb.c: the default size;
 *		   Hugetlb is all sizes in kB
 */
#include <lxcfsd/plugin.h>

#include "arith.h"
#include "cursor.h"
#include "memory.h"
#include "output.h"

enum { OPT_SWAP, OPT_HOST_CAP, OPT_UNKNOWN, OPT_COUNT };
enum { UNKNOWN_ZERO, UNKNOWN_HOST, UNKNOWN_DROP };

/* What a line can show besides enum memory_value. */
enum {
	COMMIT_LIMIT = MEMORY_COUNT,
	COMMITTED,
	ZERO, /* known, and not counted for a cgroup */
	HOST, /* about the machine, not about who uses it */
	VALUE_COUNT,
};

/* clang-format off */

#define LINE(key, value) { key, sizeof(key) - 1, value }

/* In the kernel's order, which makes find_line() quick. */
static const struct line {
	const char *key;
	size_t len;
	unsigned int value;
} lines[] = {
	LINE("MemTotal", MEM_TOTAL),
	LINE("MemFree", MEM_FREE),
	LINE("MemAvailable", MEM_AVAILABLE),
	LINE("Buffers", ZERO),
	LINE("Cached", FILE_CACHE),
	LINE("SwapCached", SWAP_CACHED),
	LINE("Active", ACTIVE),
	LINE("Inactive", INACTIVE),
	LINE("Active(anon)", ACTIVE_ANON),
	LINE("Inactive(anon)", INACTIVE_ANON),
	LINE("Active(file)", ACTIVE_FILE),
	LINE("Inactive(file)", INACTIVE_FILE),
	LINE("Unevictable", UNEVICTABLE),
	LINE("Mlocked", ZERO),
	LINE("HighTotal", ZERO), /* 32 bits: all of it is low memory */
	LINE("HighFree", ZERO),
	LINE("LowTotal", MEM_TOTAL),
	LINE("LowFree", MEM_FREE),
	LINE("MmapCopy", ZERO), /* without an MMU */
	LINE("SwapTotal", SWAP_TOTAL),
	LINE("SwapFree", SWAP_FREE),
	LINE("Zswap", ZSWAP),
	LINE("Zswapped", ZSWAPPED),
	LINE("Dirty", DIRTY),
	LINE("Writeback", WRITEBACK),
	LINE("AnonPages", ANON),
	LINE("Mapped", MAPPED),
	LINE("Shmem", SHMEM),
	LINE("KReclaimable", SLAB_RECLAIMABLE),
	LINE("Slab", SLAB),
	LINE("SReclaimable", SLAB_RECLAIMABLE),
	LINE("SUnreclaim", SLAB_UNRECLAIMABLE),
	LINE("KernelStack", KERNEL_STACK),
	LINE("ShadowCallStack", ZERO),
	LINE("PageTables", PAGE_TABLES),
	LINE("SecPageTables", SEC_PAGE_TABLES),
	LINE("NFS_Unstable", ZERO),
	LINE("Bounce", ZERO),
	LINE("WritebackTmp", ZERO),
	LINE("CommitLimit", COMMIT_LIMIT),
	LINE("Committed_AS", COMMITTED),
	LINE("VmallocTotal", HOST),
	LINE("VmallocUsed", VMALLOC),
	LINE("VmallocChunk", ZERO),
	LINE("Percpu", PERCPU),
	LINE("EarlyMemtestBad", ZERO),
	LINE("HardwareCorrupted", ZERO),
	LINE("AnonHugePages", ANON_THP),
	LINE("ShmemHugePages", SHMEM_THP),
	LINE("ShmemPmdMapped", ZERO),
	LINE("FileHugePages", FILE_THP),
	LINE("FilePmdMapped", ZERO),
	LINE("CmaTotal", ZERO),
	LINE("CmaFree", ZERO),
	LINE("Unaccepted", ZERO),
	LINE("Balloon", ZERO),
	LINE("HugePages_Total", HUGE_TOTAL),
	LINE("HugePages_Free", HUGE_FREE),
	LINE("HugePages_Rsvd", ZERO),
	LINE("HugePages_Surp", ZERO),
	LINE("Hugepagesize", HOST),
	LINE("Hugetlb", HUGE_ALL),
	LINE("DirectMap4k", HOST),
	LINE("DirectMap64k", HOST),
	LINE("DirectMap1M", HOST),
	LINE("DirectMap2M", HOST),
	LINE("DirectMap4M", HOST),
	LINE("DirectMap1G", HOST),
	LINE("DirectMap2G", HOST),
};
/* clang-format on */

/* The line that stands for `key`, or NULL.  *hint: where the last one was. */
static const struct line *find_line(struct lxcfsd_text key, size_t *hint)
{
	for (size_t i = 0; i < LXCFSD_COUNT(lines); i++) {
		size_t at = (*hint + 1 + i) % LXCFSD_COUNT(lines);

		if (cursor_is(key, lines[at].key, lines[at].len)) {
			*hint = at;
			return &lines[at];
		}
	}
	return NULL;
}

/* A number of the host's, or `otherwise` where there is none. */
static uint64_t host_number(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			    const char *path, uint64_t otherwise)
{
	struct lxcfsd_text text;
	uint64_t number;

	if (svc->host_file(req, path, &text) < 0 || !cursor_u64(&text, &number))
		return otherwise;
	return number;
}

/* The kernel counts in whole pages.  Needs all the others. */
static void measure_commit(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			   uint64_t kb[])
{
	uint64_t page = svc->page_size / 1024, allowed, ratio;

	allowed = host_number(svc, req, "/proc/sys/vm/overcommit_kbytes", 0) / page;
	if (allowed == 0) {
		ratio = host_number(svc, req, "/proc/sys/vm/overcommit_ratio", 50);
		allowed = sat_mul((kb[MEM_TOTAL] - kb[HUGE_RESERVED]) / page, ratio) / 100;
	}
	kb[COMMIT_LIMIT] = sat_add(sat_mul(allowed, page), kb[SWAP_TOTAL]);
	kb[COMMITTED] = sat_add(kb[ANON] + kb[SHMEM], kb[SWAP_TOTAL] - kb[SWAP_FREE]);
}

/* The kernel's labels are 16 columns wide and the numbers end in column 24; a
 * number that needs more than 8 columns goes beyond. */
static void put_line(struct lxcfsd_out *out, struct lxcfsd_text key, uint64_t number,
		     struct lxcfsd_text tail)
{
	size_t used = key.len + 1;

	out_text(out, key);
	lxcfsd_put(out, ":", 1);
	if (used < 16)
		out_fill(out, ' ', 16 - used);
	used = used < 16 ? 16 : used;
	out_u64(out, number, used < 24 ? 24 - used : 0);
	out_text(out, tail);
	lxcfsd_put(out, "\n", 1);
}

static void put_lines(struct lxcfsd_out *out, struct lxcfsd_text text, uint64_t unknown,
		      const uint64_t kb[])
{
	struct lxcfsd_text line, key, tail;
	size_t hint = LXCFSD_COUNT(lines) - 1;
	const struct line *found;
	uint64_t number;

	while (cursor_line(&text, &line)) {
		if (!memory_split(line, &key, &number, &tail))
			continue; /* no such line in any kernel: not ours to show */
		found = find_line(key, &hint);
		if (!found && unknown == UNKNOWN_DROP)
			continue;
		if (!found)
			put_line(out, key, unknown == UNKNOWN_HOST ? number : 0, tail);
		else
			put_line(out, key, found->value == HOST ? number : kb[found->value], tail);
	}
}

static int meminfo_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
			void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static int meminfo_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			  struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	const struct memory_options options = { opts[OPT_SWAP].u, opts[OPT_HOST_CAP].u };
	uint64_t kb[VALUE_COUNT] = { 0 };
	struct memory_host host;
	struct lxcfsd_text text;
	int r;

	r = memory_host(svc, req, &host, &text);
	if (r == 0)
		r = memory_measure(svc, req, &host, options, kb);
	if (r < 0)
		return r;
	measure_commit(svc, req, kb);
	put_lines(out, text, opts[OPT_UNKNOWN].u, kb);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_SWAP] = { .key = "swap", .type = LXCFSD_BOOL, .def = "yes",
		       .help = "no: the container has no swap" },
	[OPT_HOST_CAP] = { .key = "host_cap", .type = LXCFSD_BOOL, .def = "no",
			   .help = "yes: free and available memory is at most the host's" },
	[OPT_UNKNOWN] = { .key = "unknown", .type = LXCFSD_ENUM, .def = "zero",
			  .choices = "zero host drop",
			  .help = "lines of a newer kernel: 0, the host's number, or no line" },
};

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/meminfo", .mode = 0444, .controllers = LXCFSD_MEMORY,
	  .render = meminfo_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "meminfo", .version = "1",
	.summary = "/proc/meminfo: the container's memory and swap",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
	.init = meminfo_init,
};
/* clang-format on */
