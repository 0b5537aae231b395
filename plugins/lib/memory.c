/* SPDX-License-Identifier: MIT */
/* memory.c - see memory.h. */
#include "memory.h"

#include "arith.h"
#include "cursor.h"
#include "limit.h"
#include "swap.h"

/* clang-format off */
const struct lxcfsd_key memory_stat_keys[MEMORY_STAT_COUNT] = {
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
/* clang-format on */

bool memory_split(struct lxcfsd_text line, struct lxcfsd_text *ret_key, uint64_t *ret_number,
		  struct lxcfsd_text *ret_tail)
{
	return cursor_field(line, ret_key, ret_tail) && cursor_u64(ret_tail, ret_number);
}

/* Where the number of that line belongs, or NULL. */
static uint64_t *host_place(struct memory_host *host, struct lxcfsd_text key)
{
	if (CURSOR_IS(key, "MemTotal"))
		return &host->total;
	if (CURSOR_IS(key, "MemFree"))
		return &host->free;
	if (CURSOR_IS(key, "MemAvailable"))
		return &host->available;
	if (CURSOR_IS(key, "SwapTotal"))
		return &host->swap_total;
	if (CURSOR_IS(key, "HugePages_Total"))
		return &host->huge.total;
	if (CURSOR_IS(key, "HugePages_Free"))
		return &host->huge.free;
	if (CURSOR_IS(key, "Hugepagesize"))
		return &host->huge.size_kb;
	if (CURSOR_IS(key, "Hugetlb"))
		return &host->huge.all_kb;
	return NULL;
}

int memory_host(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		struct memory_host *ret, struct lxcfsd_text *ret_text)
{
	struct lxcfsd_text text, rest, line, key, tail;
	struct memory_host host = { 0 };
	uint64_t number, *place;
	int r;

	r = svc->host_file(req, "/proc/meminfo", &text);
	if (r < 0)
		return r;
	rest = text;
	while (cursor_line(&rest, &line)) {
		if (!memory_split(line, &key, &number, &tail))
			continue;
		place = host_place(&host, key);
		if (place)
			*place = number;
	}
	if (host.total == 0)
		return -EINVAL;
	*ret = host;
	*ret_text = text;
	return 0;
}

/* Takes from *left what is to be had of kb[value]. */
static void take(uint64_t kb[], enum memory_value value, uint64_t *left)
{
	kb[value] = min_u64(kb[value], *left);
	*left -= kb[value];
}

static void clamp(uint64_t kb[], enum memory_value part, uint64_t most)
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
	clamp(kb, SWAP_CACHED, used - kb[FILE_CACHE]);
	clamp(kb, ZSWAPPED, kb[SWAP_TOTAL] - kb[SWAP_FREE]);

	kb[ACTIVE] = kb[ACTIVE_ANON] + kb[ACTIVE_FILE];
	kb[INACTIVE] = kb[INACTIVE_ANON] + kb[INACTIVE_FILE];
	kb[SLAB] = kb[SLAB_RECLAIMABLE] + kb[SLAB_UNRECLAIMABLE];
	kb[MEM_AVAILABLE] =
		min_u64(kb[MEM_TOTAL] - kb[HUGE_RESERVED],
			kb[MEM_FREE] + kb[INACTIVE_FILE] + kb[ACTIVE_FILE] + kb[SLAB_RECLAIMABLE]);
}

/* Sets HUGE_*; needs MEM_TOTAL. */
static int measure_huge(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			const struct memory_host *host, uint64_t kb[])
{
	struct hugetlb huge;
	int r = hugetlb_measure(svc, req, &host->huge, &huge);

	if (r < 0)
		return r;
	kb[HUGE_TOTAL] = huge.total;
	kb[HUGE_FREE] = huge.total - huge.used;
	kb[HUGE_ALL] = huge.all_kb;
	kb[HUGE_RESERVED] = sat_sub(kb[MEM_TOTAL], sat_sub(host->total, huge.all_kb));
	return 0;
}

/* Sets SWAP_TOTAL and SWAP_FREE. */
static int measure_swap(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			const struct memory_host *host, uint64_t kb[])
{
	struct swap swap;
	int r = swap_measure(svc, req, host->swap_total, &swap);

	if (r < 0)
		return r;
	kb[SWAP_TOTAL] = swap.total;
	kb[SWAP_FREE] = swap.total - swap.used;
	return 0;
}

static void hide_swap(uint64_t kb[])
{
	kb[SWAP_TOTAL] = kb[SWAP_FREE] = kb[SWAP_CACHED] = kb[ZSWAP] = kb[ZSWAPPED] = 0;
}

int memory_measure(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		   const struct memory_host *host, struct memory_options options,
		   uint64_t kb[MEMORY_COUNT])
{
	uint64_t used, room;
	int r = limit_kb(svc, req, LXCFSD_MEM_MAX, host->total, &kb[MEM_TOTAL]);

	if (r == 0)
		r = svc->usage(req, LXCFSD_MEM_CURRENT, &used);
	if (r == 0)
		r = svc->stat(req, LXCFSD_MEMORY_STAT, memory_stat_keys, MEMORY_STAT_COUNT, kb);
	if (r == 0)
		r = measure_swap(svc, req, host, kb);
	if (r < 0)
		return r;
	/* Readers divide by the total. */
	if (kb[MEM_TOTAL] == 0)
		kb[MEM_TOTAL] = svc->page_size / 1024;
	r = measure_huge(svc, req, host, kb);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < MEMORY_STAT_COUNT; i++)
		kb[i] = kb[i] == LXCFSD_UNKNOWN ? 0 : kb[i] / 1024;

	room = kb[MEM_TOTAL] - kb[HUGE_RESERVED];
	used = used == LXCFSD_UNKNOWN ? 0 : min_u64(used / 1024, room);
	kb[MEM_FREE] = room - used;
	fit(kb, used);
	if (!options.swap)
		hide_swap(kb);
	if (options.host_cap) {
		clamp(kb, MEM_AVAILABLE, host->available);
		clamp(kb, MEM_FREE, min_u64(host->free, kb[MEM_AVAILABLE]));
		clamp(kb, HUGE_FREE, host->huge.free);
	}
	return 0;
}
