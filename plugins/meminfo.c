/* SPDX-License-Identifier: MIT */
/*
 * meminfo - /proc/meminfo as on a machine that has the container's memory.
 *
 * The lines and their order are the host's (fs/proc/meminfo.c and each
 * architecture's arch_report_meminfo()), the numbers come from the container's
 * cgroup.  `lines` says what each line shows.  What the kernel does not count for
 * a cgroup is 0; a line that is not in the table is what `unknown` says.
 *
 *   MemTotal	  the smaller of the memory limit and the host's
 *   MemFree	  MemTotal less memory.current (v1: memory.usage_in_bytes)
 *   MemAvailable MemFree + both file lists + reclaimable slab
 *   SwapTotal	  the smallest of memory.swap.max, memory.memsw.limit_in_bytes and
 *		  the host's.  v1 has no limit on swap alone: all that memsw allows
 *		  can be swapped out.  Where nobody counts swap there is none; with
 *		  v1's swappiness 0 there is only what is in use.
 *   CommitLimit  vm_commit_limit() of mm/util.c: overcommit_ratio percent of
 *		  MemTotal, and SwapTotal
 *   Committed_AS anon + shmem + swap in use: what certainly was committed
 *   others	  memory.stat, see Documentation/admin-guide/cgroup-v2.rst and
 *		  cgroup-v1/memory.rst (the total_ keys: children included)
 *
 * The kernel's counters are read one after the other and some lag behind, so
 * they can contradict each other.  They are made to fit in this order:
 *
 *   1. usage is at most MemTotal (a limit can be lowered below it).
 *   2. Of usage take, each at most what the ones before left: Cached,
 *	SReclaimable, AnonPages, SUnreclaim, KernelStack, PageTables,
 *	SecPageTables, Percpu, Zswap, VmallocUsed.
 *   3. Of usage take the lists, likewise: Inactive(file), Active(file),
 *	Inactive(anon), Active(anon), Unevictable.
 *   4. What is part of something is at most that: Shmem, Mapped, Dirty and
 *	FileHugePages of Cached; AnonHugePages of AnonPages; ShmemHugePages of
 *	Shmem.  Writeback, which can be swap, and SwapCached are at most usage.
 *   5. Wholes are added up from their parts.  MemAvailable is at most MemTotal.
 *   6. With `host_cap`, MemAvailable and then MemFree are cut to the host's.
 *
 * So MemFree <= MemAvailable <= MemTotal, MemFree + Cached + Slab <= MemTotal and
 * SwapFree <= SwapTotal always.  All of it is done in kB, as it is printed.
 */
#include <lxcfsd/plugin.h>

#include "arith.h"
#include "cursor.h"
#include "output.h"

enum { OPT_SWAP, OPT_HOST_CAP, OPT_UNKNOWN, OPT_COUNT };
enum { UNKNOWN_ZERO, UNKNOWN_HOST, UNKNOWN_DROP };

/* clang-format off */

/* What a line can show.  The first ones come from memory.stat: `stat_keys`. */
enum value {
	/* These share out the usage, */
	FILE_CACHE, SLAB_RECLAIMABLE, ANON, SLAB_UNRECLAIMABLE, KERNEL_STACK,
	PAGE_TABLES, SEC_PAGE_TABLES, PERCPU, ZSWAP, VMALLOC,
	/* and so do the lists; */
	INACTIVE_FILE, ACTIVE_FILE, INACTIVE_ANON, ACTIVE_ANON, UNEVICTABLE,
	/* these are parts of others. */
	SHMEM, MAPPED, DIRTY, WRITEBACK, SWAP_CACHED, ZSWAPPED,
	ANON_THP, SHMEM_THP, FILE_THP,
	STAT_COUNT,

	MEM_TOTAL = STAT_COUNT, MEM_FREE, MEM_AVAILABLE, ACTIVE, INACTIVE, SLAB,
	SWAP_TOTAL, SWAP_FREE, COMMIT_LIMIT, COMMITTED,
	ZERO, /* known, and not counted for a cgroup */
	HOST, /* about the machine, not about who uses it */
	VALUE_COUNT,
};

static const struct lxcfsd_key stat_keys[STAT_COUNT] = {
	[FILE_CACHE]	     = { "file", "total_cache" },
	[SLAB_RECLAIMABLE]   = { "slab_reclaimable", NULL },
	[ANON]		     = { "anon", "total_rss" },
	[SLAB_UNRECLAIMABLE] = { "slab_unreclaimable", NULL },
	[KERNEL_STACK]	     = { "kernel_stack", NULL },
	[PAGE_TABLES]	     = { "pagetables", NULL },
	[SEC_PAGE_TABLES]    = { "sec_pagetables", NULL },
	[PERCPU]	     = { "percpu", NULL },
	[ZSWAP]		     = { "zswap", NULL },
	[VMALLOC]	     = { "vmalloc", NULL },
	[INACTIVE_FILE]	     = { "inactive_file", "total_inactive_file" },
	[ACTIVE_FILE]	     = { "active_file", "total_active_file" },
	[INACTIVE_ANON]	     = { "inactive_anon", "total_inactive_anon" },
	[ACTIVE_ANON]	     = { "active_anon", "total_active_anon" },
	[UNEVICTABLE]	     = { "unevictable", "total_unevictable" },
	[SHMEM]		     = { "shmem", "total_shmem" },
	[MAPPED]	     = { "file_mapped", "total_mapped_file" },
	[DIRTY]		     = { "file_dirty", "total_dirty" },
	[WRITEBACK]	     = { "file_writeback", "total_writeback" },
	[SWAP_CACHED]	     = { "swapcached", "total_swapcached" },
	[ZSWAPPED]	     = { "zswapped", NULL },
	[ANON_THP]	     = { "anon_thp", "total_rss_huge" },
	[SHMEM_THP]	     = { "shmem_thp", NULL },
	[FILE_THP]	     = { "file_thp", NULL },
};

#define LINE(key, value) { key, sizeof(key) - 1, value }

/* In the kernel's order, which makes find_line() quick. */
static const struct line {
	const char *key;
	size_t len;
	enum value value;
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
	LINE("HugePages_Total", ZERO),
	LINE("HugePages_Free", ZERO),
	LINE("HugePages_Rsvd", ZERO),
	LINE("HugePages_Surp", ZERO),
	LINE("Hugepagesize", HOST),
	LINE("Hugetlb", ZERO),
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

/* "Key:   123 kB" as what stands up to the colon, the number, and the rest. */
static bool split_line(struct lxcfsd_text line, struct lxcfsd_text *ret_key, uint64_t *ret_number,
		       struct lxcfsd_text *ret_tail)
{
	return cursor_field(line, ret_key, ret_tail) && cursor_u64(ret_tail, ret_number);
}

/* What is needed of the host: all 0 where a line is missing. */
struct host {
	uint64_t total, free, available, swap_total;
};

static void host_read(struct lxcfsd_text text, struct host *ret)
{
	struct lxcfsd_text line, key, tail;
	uint64_t number;

	*ret = (struct host){ 0 };
	while (cursor_line(&text, &line)) {
		if (!split_line(line, &key, &number, &tail))
			continue;
		if (CURSOR_IS(key, "MemTotal")) {
			ret->total = number;
		} else if (CURSOR_IS(key, "MemFree")) {
			ret->free = number;
		} else if (CURSOR_IS(key, "MemAvailable")) {
			ret->available = number;
		} else if (CURSOR_IS(key, "SwapTotal")) {
			ret->swap_total = number;
			return; /* the last one of these */
		}
	}
}

/* A limit in kB, at most `most`. */
static int get_limit(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		     enum lxcfsd_limit which, uint64_t most, uint64_t *ret)
{
	uint64_t bytes;
	int r = svc->limit(req, which, &bytes);

	if (r < 0)
		return r;
	*ret = bytes == LXCFSD_NO_LIMIT ? most : min_u64(bytes / 1024, most);
	return 0;
}

/* Takes from *left what is to be had of kb[value]. */
static uint64_t take(uint64_t kb[], enum value value, uint64_t *left)
{
	kb[value] = min_u64(kb[value], *left);
	*left -= kb[value];
	return kb[value];
}

static void clamp(uint64_t kb[], enum value part, uint64_t most)
{
	kb[part] = min_u64(kb[part], most);
}

/* Steps 2 to 5. */
static void fit(uint64_t kb[], uint64_t used)
{
	uint64_t left = used;

	for (unsigned int i = FILE_CACHE; i <= VMALLOC; i++)
		take(kb, i, &left);
	left = used;
	for (unsigned int i = INACTIVE_FILE; i <= UNEVICTABLE; i++)
		take(kb, i, &left);

	clamp(kb, SHMEM, kb[FILE_CACHE]);
	clamp(kb, MAPPED, kb[FILE_CACHE]);
	clamp(kb, DIRTY, kb[FILE_CACHE]);
	clamp(kb, FILE_THP, kb[FILE_CACHE] - kb[SHMEM]);
	clamp(kb, ANON_THP, kb[ANON]);
	clamp(kb, SHMEM_THP, kb[SHMEM]);
	clamp(kb, WRITEBACK, used);
	clamp(kb, SWAP_CACHED, used);

	kb[ACTIVE] = kb[ACTIVE_ANON] + kb[ACTIVE_FILE];
	kb[INACTIVE] = kb[INACTIVE_ANON] + kb[INACTIVE_FILE];
	kb[SLAB] = kb[SLAB_RECLAIMABLE] + kb[SLAB_UNRECLAIMABLE];
	kb[MEM_AVAILABLE] = min_u64(kb[MEM_TOTAL], kb[MEM_FREE] + kb[INACTIVE_FILE] +
							   kb[ACTIVE_FILE] + kb[SLAB_RECLAIMABLE]);
}

/* Sets MEM_* and what comes from memory.stat. */
static int measure_memory(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			  const struct host *host, uint64_t kb[])
{
	uint64_t used;
	int r = get_limit(svc, req, LXCFSD_MEM_MAX, host->total, &kb[MEM_TOTAL]);

	if (r < 0)
		return r;
	r = svc->usage(req, LXCFSD_MEM_CURRENT, &used);
	if (r < 0)
		return r;
	r = svc->stat(req, LXCFSD_MEMORY_STAT, stat_keys, STAT_COUNT, kb);
	if (r < 0)
		return r;
	/* Readers divide by the total. */
	if (kb[MEM_TOTAL] == 0)
		kb[MEM_TOTAL] = svc->page_size / 1024;
	for (unsigned int i = 0; i < STAT_COUNT; i++)
		kb[i] = kb[i] == LXCFSD_UNKNOWN ? 0 : kb[i] / 1024;

	used = used == LXCFSD_UNKNOWN ? 0 : min_u64(used / 1024, kb[MEM_TOTAL]);
	kb[MEM_FREE] = kb[MEM_TOTAL] - used;
	fit(kb, used);
	return 0;
}

static void hide_swap(uint64_t kb[])
{
	kb[SWAP_TOTAL] = kb[SWAP_FREE] = kb[SWAP_CACHED] = kb[ZSWAP] = kb[ZSWAPPED] = 0;
}

/* Sets SWAP_TOTAL and SWAP_FREE; cuts what depends on them. */
static int measure_swap(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			const struct host *host, uint64_t kb[])
{
	uint64_t total, memory, used, swappiness;
	int r = get_limit(svc, req, LXCFSD_SWAP_MAX, host->swap_total, &total);

	if (r == 0)
		r = get_limit(svc, req, LXCFSD_MEMSW_MAX, total, &total);
	if (r == 0)
		r = svc->usage(req, LXCFSD_SWAP_CURRENT, &used);
	if (r == 0)
		r = svc->usage(req, LXCFSD_MEM_CURRENT, &memory);
	if (r == 0)
		r = svc->usage(req, LXCFSD_SWAPPINESS, &swappiness);
	if (r < 0)
		return r;

	/* Memory is counted and swap is not: swap accounting is switched off.
	 * Neither is counted: no controller, thus no limit. */
	if (used == LXCFSD_UNKNOWN && memory != LXCFSD_UNKNOWN)
		total = 0;
	used = used == LXCFSD_UNKNOWN ? 0 : min_u64(used / 1024, total);
	kb[SWAP_TOTAL] = swappiness == 0 ? used : total;
	kb[SWAP_FREE] = kb[SWAP_TOTAL] - used;
	clamp(kb, ZSWAPPED, used);
	return 0;
}

/* Needs all the others. */
static void measure_commit(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			   uint64_t kb[])
{
	struct lxcfsd_text text;
	uint64_t ratio;

	if (svc->host_file(req, "/proc/sys/vm/overcommit_ratio", &text) < 0 ||
	    !cursor_u64(&text, &ratio))
		ratio = 50; /* the kernel's default */
	kb[COMMIT_LIMIT] = sat_add(sat_mul(kb[MEM_TOTAL], ratio) / 100, kb[SWAP_TOTAL]);
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
		if (!split_line(line, &key, &number, &tail))
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
	uint64_t kb[VALUE_COUNT] = { 0 };
	struct lxcfsd_text text;
	struct host host;
	int r;

	r = svc->host_file(req, "/proc/meminfo", &text);
	if (r < 0)
		return r;
	host_read(text, &host);
	if (host.total == 0)
		return -EINVAL;
	r = measure_memory(svc, req, &host, kb);
	if (r < 0)
		return r;
	r = measure_swap(svc, req, &host, kb);
	if (r < 0)
		return r;
	if (!opts[OPT_SWAP].u)
		hide_swap(kb);
	measure_commit(svc, req, kb);
	if (opts[OPT_HOST_CAP].u) {
		clamp(kb, MEM_AVAILABLE, host.available);
		clamp(kb, MEM_FREE, min_u64(host.free, kb[MEM_AVAILABLE]));
	}
	put_lines(out, text, opts[OPT_UNKNOWN].u, kb);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_SWAP] = { .key = "swap", .type = LXCFSD_BOOL, .def = "yes",
		       .help = "no: the container has no swap" },
	[OPT_HOST_CAP] = { .key = "host_cap", .type = LXCFSD_BOOL, .def = "no",
			   .help = "yes: MemFree and MemAvailable are at most the host's" },
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
