/* SPDX-License-Identifier: MIT */
/*
 * vmstat - /proc/vmstat: the container's pages, and what happened to them.
 *
 * The lines and their order are the host's (vmstat_text[] of mm/vmstat.c).
 * `lines` says what each line shows:
 *
 *   pages	nr_*: the numbers of /proc/meminfo (plugins/lib/memory.h) in pages,
 *		rounded down; so the two files agree.  The zones' lists are those of
 *		the whole.  nr_kernel_stack is in kB, and transparent huge pages are
 *		counted in huge pages, as the kernel has it.
 *   events	memory.stat has a part of them under the same name, counted since
 *		the cgroup was made (cgroup v1: pgfault, pgmajfault and refaults).
 *		Older kernels give pgscan and pgsteal as one number each: a limit
 *		makes the task itself reclaim, so that counts as `direct`.
 *   others	0: not counted for a cgroup.  pgpgin and pgpgout are kB to and from
 *		disks; what v1's memory.stat calls so is another thing.
 *
 * A line that is not in the table is what `unknown` says.
 */
#include <lxcfsd/plugin.h>

#include "arith.h"
#include "cursor.h"
#include "memory.h"
#include "output.h"

enum { OPT_SWAP, OPT_HOST_CAP, OPT_UNKNOWN, OPT_COUNT };
enum { UNKNOWN_ZERO, UNKNOWN_HOST, UNKNOWN_DROP };

/* clang-format off */
enum event {
	REFAULT_ANON, REFAULT_FILE, ACTIVATE_ANON, ACTIVATE_FILE, RESTORE_ANON, RESTORE_FILE,
	NODERECLAIM, PROMOTE_SUCCESS, DEMOTE_KSWAPD, DEMOTE_DIRECT, DEMOTE_KHUGEPAGED,
	DEMOTE_PROACTIVE, ACTIVATE, DEACTIVATE, LAZYFREE, FAULT, MAJFAULT, LAZYFREED, REFILL,
	STEAL_KSWAPD, STEAL_DIRECT, STEAL_KHUGEPAGED, STEAL_PROACTIVE,
	SCAN_KSWAPD, SCAN_DIRECT, SCAN_KHUGEPAGED, SCAN_PROACTIVE,
	NUMA_PTE_UPDATES, NUMA_HINT_FAULTS, NUMA_PAGES_MIGRATED,
	THP_FAULT_ALLOC, THP_COLLAPSE_ALLOC,
	/* of swap, */
	SWAP_IN, SWAP_OUT, THP_SWAP_OUT, THP_SWAP_OUT_FALLBACK, SWAP_IN_ZERO, SWAP_OUT_ZERO,
	ZSWAP_IN, ZSWAP_OUT, ZSWAP_WRITE_BACK,
	EVENT_COUNT,
	/* and not events: bytes, and the sums that older kernels give */
	HUGETLB = EVENT_COUNT, SCAN, STEAL,
	KEY_COUNT,
};

static const struct lxcfsd_key stat_keys[KEY_COUNT] = {
	[REFAULT_ANON]		= { "workingset_refault_anon", "total_workingset_refault_anon" },
	[REFAULT_FILE]		= { "workingset_refault_file", "total_workingset_refault_file" },
	[ACTIVATE_ANON]		= { "workingset_activate_anon", NULL },
	[ACTIVATE_FILE]		= { "workingset_activate_file", NULL },
	[RESTORE_ANON]		= { "workingset_restore_anon", NULL },
	[RESTORE_FILE]		= { "workingset_restore_file", NULL },
	[NODERECLAIM]		= { "workingset_nodereclaim", NULL },
	[PROMOTE_SUCCESS]	= { "pgpromote_success", NULL },
	[DEMOTE_KSWAPD]		= { "pgdemote_kswapd", NULL },
	[DEMOTE_DIRECT]		= { "pgdemote_direct", NULL },
	[DEMOTE_KHUGEPAGED]	= { "pgdemote_khugepaged", NULL },
	[DEMOTE_PROACTIVE]	= { "pgdemote_proactive", NULL },
	[ACTIVATE]		= { "pgactivate", NULL },
	[DEACTIVATE]		= { "pgdeactivate", NULL },
	[LAZYFREE]		= { "pglazyfree", NULL },
	[FAULT]			= { "pgfault", "total_pgfault" },
	[MAJFAULT]		= { "pgmajfault", "total_pgmajfault" },
	[LAZYFREED]		= { "pglazyfreed", NULL },
	[REFILL]		= { "pgrefill", NULL },
	[STEAL_KSWAPD]		= { "pgsteal_kswapd", NULL },
	[STEAL_DIRECT]		= { "pgsteal_direct", NULL },
	[STEAL_KHUGEPAGED]	= { "pgsteal_khugepaged", NULL },
	[STEAL_PROACTIVE]	= { "pgsteal_proactive", NULL },
	[SCAN_KSWAPD]		= { "pgscan_kswapd", NULL },
	[SCAN_DIRECT]		= { "pgscan_direct", NULL },
	[SCAN_KHUGEPAGED]	= { "pgscan_khugepaged", NULL },
	[SCAN_PROACTIVE]	= { "pgscan_proactive", NULL },
	[NUMA_PTE_UPDATES]	= { "numa_pte_updates", NULL },
	[NUMA_HINT_FAULTS]	= { "numa_hint_faults", NULL },
	[NUMA_PAGES_MIGRATED]	= { "numa_pages_migrated", NULL },
	[THP_FAULT_ALLOC]	= { "thp_fault_alloc", NULL },
	[THP_COLLAPSE_ALLOC]	= { "thp_collapse_alloc", NULL },
	[SWAP_IN]		= { "pswpin", NULL },
	[SWAP_OUT]		= { "pswpout", NULL },
	[THP_SWAP_OUT]		= { "thp_swpout", NULL },
	[THP_SWAP_OUT_FALLBACK] = { "thp_swpout_fallback", NULL },
	[SWAP_IN_ZERO]		= { "swpin_zero", NULL },
	[SWAP_OUT_ZERO]		= { "swpout_zero", NULL },
	[ZSWAP_IN]		= { "zswpin", NULL },
	[ZSWAP_OUT]		= { "zswpout", NULL },
	[ZSWAP_WRITE_BACK]	= { "zswpwb", NULL },
	[HUGETLB]		= { "hugetlb", NULL },
	[SCAN]			= { "pgscan", NULL },
	[STEAL]			= { "pgsteal", NULL },
};

/* What a line can show: first those of enum event, */
enum {
	/* then pages, */
	FREE_PAGES = EVENT_COUNT, INACTIVE_ANON_PAGES, ACTIVE_ANON_PAGES, INACTIVE_FILE_PAGES,
	ACTIVE_FILE_PAGES, UNEVICTABLE_PAGES, WRITE_PENDING, SLAB_RECLAIMABLE_PAGES,
	SLAB_UNRECLAIMABLE_PAGES, ANON_PAGES, MAPPED_PAGES, FILE_PAGES, DIRTY_PAGES,
	WRITEBACK_PAGES, SHMEM_PAGES, SHMEM_HUGE, FILE_HUGE, ANON_HUGE, STACK_KB, TABLE_PAGES,
	SEC_TABLE_PAGES, SWAP_CACHED_PAGES, HUGETLB_PAGES,
	ZERO, /* known, and not counted for a cgroup */
	VALUE_COUNT,
};

#define LINE(key, value) { key, sizeof(key) - 1, value }
#define NONE(key) LINE(key, ZERO)
#define ZONES(key) NONE(key "_dma"), NONE(key "_dma32"), NONE(key "_normal"), \
	NONE(key "_high"), NONE(key "_movable"), NONE(key "_device")

/* In the kernel's order, which makes find_line() quick. */
static const struct line {
	const char *key;
	size_t len;
	unsigned int value;
} lines[] = {
	/* enum zone_stat_item */
	LINE("nr_free_pages", FREE_PAGES), NONE("nr_free_pages_blocks"),
	LINE("nr_zone_inactive_anon", INACTIVE_ANON_PAGES),
	LINE("nr_zone_active_anon", ACTIVE_ANON_PAGES),
	LINE("nr_zone_inactive_file", INACTIVE_FILE_PAGES),
	LINE("nr_zone_active_file", ACTIVE_FILE_PAGES),
	LINE("nr_zone_unevictable", UNEVICTABLE_PAGES),
	LINE("nr_zone_write_pending", WRITE_PENDING),
	NONE("nr_mlock"), NONE("nr_bounce"), NONE("nr_zspages"), NONE("nr_free_cma"),
	NONE("nr_unaccepted"),
	/* enum numa_stat_item */
	NONE("numa_hit"), NONE("numa_miss"), NONE("numa_foreign"), NONE("numa_interleave"),
	NONE("numa_local"), NONE("numa_other"),
	/* enum node_stat_item */
	LINE("nr_inactive_anon", INACTIVE_ANON_PAGES),
	LINE("nr_active_anon", ACTIVE_ANON_PAGES),
	LINE("nr_inactive_file", INACTIVE_FILE_PAGES),
	LINE("nr_active_file", ACTIVE_FILE_PAGES),
	LINE("nr_unevictable", UNEVICTABLE_PAGES),
	LINE("nr_slab_reclaimable", SLAB_RECLAIMABLE_PAGES),
	LINE("nr_slab_unreclaimable", SLAB_UNRECLAIMABLE_PAGES),
	NONE("nr_isolated_anon"), NONE("nr_isolated_file"), NONE("workingset_nodes"),
	LINE("workingset_refault_anon", REFAULT_ANON),
	LINE("workingset_refault_file", REFAULT_FILE),
	LINE("workingset_activate_anon", ACTIVATE_ANON),
	LINE("workingset_activate_file", ACTIVATE_FILE),
	LINE("workingset_restore_anon", RESTORE_ANON),
	LINE("workingset_restore_file", RESTORE_FILE),
	LINE("workingset_nodereclaim", NODERECLAIM),
	LINE("nr_anon_pages", ANON_PAGES), LINE("nr_mapped", MAPPED_PAGES),
	LINE("nr_file_pages", FILE_PAGES), LINE("nr_dirty", DIRTY_PAGES),
	LINE("nr_writeback", WRITEBACK_PAGES), NONE("nr_writeback_temp"),
	LINE("nr_shmem", SHMEM_PAGES), LINE("nr_shmem_hugepages", SHMEM_HUGE),
	NONE("nr_shmem_pmdmapped"), LINE("nr_file_hugepages", FILE_HUGE),
	NONE("nr_file_pmdmapped"), LINE("nr_anon_transparent_hugepages", ANON_HUGE),
	NONE("nr_vmscan_write"), NONE("nr_vmscan_immediate_reclaim"), NONE("nr_dirtied"),
	NONE("nr_written"), NONE("nr_throttled_written"), NONE("nr_kernel_misc_reclaimable"),
	NONE("nr_foll_pin_acquired"), NONE("nr_foll_pin_released"),
	LINE("nr_kernel_stack", STACK_KB), NONE("nr_shadow_call_stack"),
	LINE("nr_page_table_pages", TABLE_PAGES),
	LINE("nr_sec_page_table_pages", SEC_TABLE_PAGES), NONE("nr_iommu_pages"),
	LINE("nr_swapcached", SWAP_CACHED_PAGES),
	LINE("pgpromote_success", PROMOTE_SUCCESS), NONE("pgpromote_candidate"),
	NONE("pgpromote_candidate_nrl"), LINE("pgdemote_kswapd", DEMOTE_KSWAPD),
	LINE("pgdemote_direct", DEMOTE_DIRECT), LINE("pgdemote_khugepaged", DEMOTE_KHUGEPAGED),
	LINE("pgdemote_proactive", DEMOTE_PROACTIVE), LINE("nr_hugetlb", HUGETLB_PAGES),
	NONE("nr_balloon_pages"), NONE("nr_kernel_file_pages"),
	/* enum vm_stat_item */
	NONE("nr_dirty_threshold"), NONE("nr_dirty_background_threshold"),
	NONE("nr_memmap_pages"), NONE("nr_memmap_boot_pages"),
	/* enum vm_event_item */
	NONE("pgpgin"), NONE("pgpgout"), LINE("pswpin", SWAP_IN), LINE("pswpout", SWAP_OUT),
	ZONES("pgalloc"), ZONES("allocstall"), ZONES("pgskip"), NONE("pgfree"),
	LINE("pgactivate", ACTIVATE), LINE("pgdeactivate", DEACTIVATE),
	LINE("pglazyfree", LAZYFREE), LINE("pgfault", FAULT), LINE("pgmajfault", MAJFAULT),
	LINE("pglazyfreed", LAZYFREED), LINE("pgrefill", REFILL), NONE("pgreuse"),
	LINE("pgsteal_kswapd", STEAL_KSWAPD), LINE("pgsteal_direct", STEAL_DIRECT),
	LINE("pgsteal_khugepaged", STEAL_KHUGEPAGED), LINE("pgsteal_proactive", STEAL_PROACTIVE),
	LINE("pgscan_kswapd", SCAN_KSWAPD), LINE("pgscan_direct", SCAN_DIRECT),
	LINE("pgscan_khugepaged", SCAN_KHUGEPAGED), LINE("pgscan_proactive", SCAN_PROACTIVE),
	NONE("pgscan_direct_throttle"), NONE("pgscan_anon"), NONE("pgscan_file"),
	NONE("pgsteal_anon"), NONE("pgsteal_file"), NONE("zone_reclaim_success"),
	NONE("zone_reclaim_failed"), NONE("pginodesteal"), NONE("slabs_scanned"),
	NONE("kswapd_inodesteal"), NONE("kswapd_low_wmark_hit_quickly"),
	NONE("kswapd_high_wmark_hit_quickly"), NONE("pageoutrun"), NONE("pgrotated"),
	NONE("drop_pagecache"), NONE("drop_slab"), NONE("oom_kill"),
	LINE("numa_pte_updates", NUMA_PTE_UPDATES), NONE("numa_huge_pte_updates"),
	LINE("numa_hint_faults", NUMA_HINT_FAULTS), NONE("numa_hint_faults_local"),
	LINE("numa_pages_migrated", NUMA_PAGES_MIGRATED),
	NONE("pgmigrate_success"), NONE("pgmigrate_fail"), NONE("thp_migration_success"),
	NONE("thp_migration_fail"), NONE("thp_migration_split"), NONE("compact_migrate_scanned"),
	NONE("compact_free_scanned"), NONE("compact_isolated"), NONE("compact_stall"),
	NONE("compact_fail"), NONE("compact_success"), NONE("compact_daemon_wake"),
	NONE("compact_daemon_migrate_scanned"), NONE("compact_daemon_free_scanned"),
	NONE("htlb_buddy_alloc_success"), NONE("htlb_buddy_alloc_fail"),
	NONE("cma_alloc_success"), NONE("cma_alloc_fail"),
	NONE("unevictable_pgs_culled"), NONE("unevictable_pgs_scanned"),
	NONE("unevictable_pgs_rescued"), NONE("unevictable_pgs_mlocked"),
	NONE("unevictable_pgs_munlocked"), NONE("unevictable_pgs_cleared"),
	NONE("unevictable_pgs_stranded"),
	LINE("thp_fault_alloc", THP_FAULT_ALLOC), NONE("thp_fault_fallback"),
	NONE("thp_fault_fallback_charge"), LINE("thp_collapse_alloc", THP_COLLAPSE_ALLOC),
	NONE("thp_collapse_alloc_failed"), NONE("thp_file_alloc"), NONE("thp_file_fallback"),
	NONE("thp_file_fallback_charge"), NONE("thp_file_mapped"), NONE("thp_split_page"),
	NONE("thp_split_page_failed"), NONE("thp_deferred_split_page"),
	NONE("thp_underused_split_page"), NONE("thp_split_pmd"),
	NONE("thp_scan_exceed_none_pte"), NONE("thp_scan_exceed_swap_pte"),
	NONE("thp_scan_exceed_share_pte"), NONE("thp_split_pud"), NONE("thp_zero_page_alloc"),
	NONE("thp_zero_page_alloc_failed"), LINE("thp_swpout", THP_SWAP_OUT),
	LINE("thp_swpout_fallback", THP_SWAP_OUT_FALLBACK),
	NONE("balloon_inflate"), NONE("balloon_deflate"), NONE("balloon_migrate"),
	NONE("nr_tlb_remote_flush"), NONE("nr_tlb_remote_flush_received"),
	NONE("nr_tlb_local_flush_all"), NONE("nr_tlb_local_flush_one"),
	NONE("swap_ra"), NONE("swap_ra_hit"), LINE("swpin_zero", SWAP_IN_ZERO),
	LINE("swpout_zero", SWAP_OUT_ZERO), NONE("ksm_swpin_copy"), NONE("cow_ksm"),
	LINE("zswpin", ZSWAP_IN), LINE("zswpout", ZSWAP_OUT), LINE("zswpwb", ZSWAP_WRITE_BACK),
	NONE("direct_map_level2_splits"), NONE("direct_map_level3_splits"),
	NONE("direct_map_level2_collapses"), NONE("direct_map_level3_collapses"),
	NONE("vma_lock_success"), NONE("vma_lock_abort"), NONE("vma_lock_retry"),
	NONE("vma_lock_miss"), NONE("kstack_1k"), NONE("kstack_2k"), NONE("kstack_4k"),
	NONE("kstack_8k"), NONE("kstack_16k"), NONE("kstack_32k"), NONE("kstack_64k"),
	NONE("kstack_rest"), NONE("nr_unstable"),
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

/* In kB: what a page table of the second level maps, where nobody says. */
static uint64_t huge_page_kb(const struct lxcfsd_services *svc, struct lxcfsd_request *req)
{
	struct lxcfsd_text text;
	uint64_t bytes;

	if (svc->host_file(req, "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size", &text) == 0 &&
	    cursor_u64(&text, &bytes) && bytes >= svc->page_size)
		return bytes / 1024;
	return (uint64_t)svc->page_size / 8 * (svc->page_size / 1024);
}

static int measure_events(const struct lxcfsd_services *svc, struct lxcfsd_request *req, bool swap,
			  uint64_t values[])
{
	uint64_t got[KEY_COUNT];
	int r = svc->stat(req, LXCFSD_MEMORY_STAT, stat_keys, KEY_COUNT, got);

	if (r < 0)
		return r;
	if (got[SCAN_DIRECT] == LXCFSD_UNKNOWN)
		got[SCAN_DIRECT] = got[SCAN];
	if (got[STEAL_DIRECT] == LXCFSD_UNKNOWN)
		got[STEAL_DIRECT] = got[STEAL];
	for (unsigned int i = 0; i < EVENT_COUNT; i++)
		values[i] = got[i] == LXCFSD_UNKNOWN || (i >= SWAP_IN && !swap) ? 0 : got[i];
	values[HUGETLB_PAGES] = got[HUGETLB] == LXCFSD_UNKNOWN ? 0 : got[HUGETLB] / svc->page_size;
	return 0;
}

static void measure_pages(uint64_t page, uint64_t huge, const uint64_t kb[], uint64_t values[])
{
	values[FREE_PAGES] = kb[MEM_FREE] / page;
	values[INACTIVE_ANON_PAGES] = kb[INACTIVE_ANON] / page;
	values[ACTIVE_ANON_PAGES] = kb[ACTIVE_ANON] / page;
	values[INACTIVE_FILE_PAGES] = kb[INACTIVE_FILE] / page;
	values[ACTIVE_FILE_PAGES] = kb[ACTIVE_FILE] / page;
	values[UNEVICTABLE_PAGES] = kb[UNEVICTABLE] / page;
	values[WRITE_PENDING] = kb[DIRTY] / page + kb[WRITEBACK] / page;
	values[SLAB_RECLAIMABLE_PAGES] = kb[SLAB_RECLAIMABLE] / page;
	values[SLAB_UNRECLAIMABLE_PAGES] = kb[SLAB_UNRECLAIMABLE] / page;
	values[ANON_PAGES] = kb[ANON] / page;
	values[MAPPED_PAGES] = kb[MAPPED] / page;
	values[SWAP_CACHED_PAGES] = kb[SWAP_CACHED] / page;
	/* The kernel counts the swap cache among them; its "Cached" does not. */
	values[FILE_PAGES] = kb[FILE_CACHE] / page + values[SWAP_CACHED_PAGES];
	values[DIRTY_PAGES] = kb[DIRTY] / page;
	values[WRITEBACK_PAGES] = kb[WRITEBACK] / page;
	values[SHMEM_PAGES] = kb[SHMEM] / page;
	values[SHMEM_HUGE] = kb[SHMEM_THP] / huge;
	values[FILE_HUGE] = kb[FILE_THP] / huge;
	values[ANON_HUGE] = kb[ANON_THP] / huge;
	values[STACK_KB] = kb[KERNEL_STACK];
	values[TABLE_PAGES] = kb[PAGE_TABLES] / page;
	values[SEC_TABLE_PAGES] = kb[SEC_PAGE_TABLES] / page;
}

/* "key 123" */
static bool split_line(struct lxcfsd_text line, struct lxcfsd_text *ret_key, uint64_t *ret_number)
{
	const char *blank = line.len ? memchr(line.data, ' ', line.len) : NULL;
	struct lxcfsd_text key, rest;

	if (!blank || blank == line.data)
		return false;
	key = (struct lxcfsd_text){ line.data, (size_t)(blank - line.data) };
	rest = (struct lxcfsd_text){ blank + 1, line.len - key.len - 1 };
	if (!cursor_u64(&rest, ret_number) || rest.len > 0)
		return false;
	*ret_key = key;
	return true;
}

static void put_lines(struct lxcfsd_out *out, struct lxcfsd_text text, uint64_t unknown,
		      const uint64_t values[])
{
	size_t hint = LXCFSD_COUNT(lines) - 1;
	struct lxcfsd_text line, key;
	const struct line *found;
	uint64_t number;

	while (cursor_line(&text, &line)) {
		if (!split_line(line, &key, &number))
			continue; /* no such line in any kernel: not ours to show */
		found = find_line(key, &hint);
		if (!found && unknown == UNKNOWN_DROP)
			continue;
		if (found)
			number = values[found->value];
		else if (unknown == UNKNOWN_ZERO)
			number = 0;
		out_text(out, key);
		lxcfsd_put(out, " ", 1);
		out_u64(out, number, 0);
		lxcfsd_put(out, "\n", 1);
	}
}

static int vmstat_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		       void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static int vmstat_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			 struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	const struct memory_options options = { opts[OPT_SWAP].u, opts[OPT_HOST_CAP].u };
	uint64_t kb[MEMORY_COUNT], values[VALUE_COUNT] = { 0 };
	struct lxcfsd_text text, meminfo;
	struct memory_host host;
	int r;

	r = svc->host_file(req, "/proc/vmstat", &text);
	if (r == 0)
		r = memory_host(svc, req, &host, &meminfo);
	if (r == 0)
		r = memory_measure(svc, req, &host, options, kb);
	if (r == 0)
		r = measure_events(svc, req, options.swap, values);
	if (r < 0)
		return r;
	measure_pages(svc->page_size / 1024, huge_page_kb(svc, req), kb, values);
	put_lines(out, text, opts[OPT_UNKNOWN].u, values);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_SWAP] = { .key = "swap", .type = LXCFSD_BOOL, .def = "yes",
		       .help = "no: the container has no swap" },
	[OPT_HOST_CAP] = { .key = "host_cap", .type = LXCFSD_BOOL, .def = "no",
			   .help = "yes: free memory is at most the host's" },
	[OPT_UNKNOWN] = { .key = "unknown", .type = LXCFSD_ENUM, .def = "zero",
			  .choices = "zero host drop",
			  .help = "lines of a newer kernel: 0, the host's number, or no line" },
};

static const struct lxcfsd_file files[] = {
	{ .path = "/proc/vmstat", .mode = 0444, .controllers = LXCFSD_MEMORY,
	  .render = vmstat_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "vmstat", .version = "1",
	.summary = "/proc/vmstat: the container's pages and what happened to them",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
	.init = vmstat_init,
};
/* clang-format on */
