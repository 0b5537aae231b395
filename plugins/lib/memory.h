/* SPDX-License-Identifier: MIT */
/*
 * memory.h - what a container's memory is used for: one arithmetic for every
 * file that shows it, so that they agree.
 *
 *   MEM_TOTAL	   the smaller of the memory limit and the host's
 *   MEM_FREE	   MEM_TOTAL less memory.current (v1: memory.usage_in_bytes)
 *   MEM_AVAILABLE MEM_FREE + both file lists + reclaimable slab
 *   SWAP_*	   see swap.h
 *   HUGE_*	   see hugetlb.h
 *   others	   memory.stat, see Documentation/admin-guide/cgroup-v2.rst and
 *		   cgroup-v1/memory.rst (the total_ keys: children included)
 *
 * A memory limit does not count huge pages of hugetlb, the host's MemTotal does.
 * HUGE_RESERVED is what of MEM_TOTAL can only be had as huge pages: nothing, when
 * the limit leaves room for them on the host; all of them without a limit.  (With
 * the mount option memory_hugetlb_accounting usage contains those in use.)
 *
 * The kernel's counters are read one after the other and some lag behind, so
 * they can contradict each other.  They are made to fit in this order:
 *
 *   1. usage is at most MEM_TOTAL (a limit can be lowered below it) less
 *	HUGE_RESERVED.
 *   2. Of usage take, each at most what the ones before left: FILE_CACHE,
 *	SLAB_RECLAIMABLE, ANON, SLAB_UNRECLAIMABLE, KERNEL_STACK, PAGE_TABLES,
 *	SEC_PAGE_TABLES, PERCPU, ZSWAP, VMALLOC.
 *   3. Of usage take the lists, likewise: INACTIVE_FILE, ACTIVE_FILE,
 *	INACTIVE_ANON, ACTIVE_ANON, UNEVICTABLE.
 *   4. What is part of something is at most that: SHMEM, MAPPED, DIRTY and
 *	FILE_THP of FILE_CACHE; ANON_THP of ANON; SHMEM_THP of SHMEM; ZSWAPPED of
 *	the swap in use.  WRITEBACK, which can be swap, is at most usage, and
 *	SWAP_CACHED what FILE_CACHE left of it.
 *   5. Wholes are added up from their parts.  MEM_AVAILABLE is at most MEM_TOTAL
 *	less HUGE_RESERVED.
 *   6. With `host_cap`, MEM_AVAILABLE, MEM_FREE and HUGE_FREE are cut to the
 *	host's.
 *
 * So MEM_FREE <= MEM_AVAILABLE <= MEM_TOTAL, MEM_FREE + FILE_CACHE + SLAB <=
 * MEM_TOTAL, MEM_FREE + FILE_CACHE + SWAP_CACHED <= MEM_TOTAL and SWAP_FREE <=
 * SWAP_TOTAL always.  All of it is done in kB.
 *
 * The cgroup of a reader who has its file open can be gone: all who were in it
 * ended or were moved.  That is -ENODEV, and no view: the numbers of an ancestor
 * would be other tenants', those of an empty cgroup would be invented.  So the
 * daemon falls back: the last good text, else what `on_error` says.
 */
#ifndef LXCFSD_PLUGINS_MEMORY_H
#define LXCFSD_PLUGINS_MEMORY_H

#include <lxcfsd/plugin.h>

#include "hugetlb.h"

enum memory_value {
	/* These come from memory.stat.  They share out the usage, */
	FILE_CACHE,
	SLAB_RECLAIMABLE,
	ANON,
	SLAB_UNRECLAIMABLE,
	KERNEL_STACK,
	PAGE_TABLES,
	SEC_PAGE_TABLES,
	PERCPU,
	ZSWAP,
	VMALLOC,
	/* and so do the lists; */
	INACTIVE_FILE,
	ACTIVE_FILE,
	INACTIVE_ANON,
	ACTIVE_ANON,
	UNEVICTABLE,
	/* these are parts of others. */
	SHMEM,
	MAPPED,
	DIRTY,
	WRITEBACK,
	SWAP_CACHED,
	ZSWAPPED,
	ANON_THP,
	SHMEM_THP,
	FILE_THP,
	MEMORY_STAT_COUNT,

	MEM_TOTAL = MEMORY_STAT_COUNT,
	MEM_FREE,
	MEM_AVAILABLE,
	ACTIVE,
	INACTIVE,
	SLAB,
	SWAP_TOTAL,
	SWAP_FREE,
	HUGE_TOTAL, /* pages of the default size */
	HUGE_FREE,
	HUGE_ALL, /* of all sizes */
	HUGE_RESERVED,
	MEMORY_COUNT,
};

/* What is needed of the host: all 0 where a line is missing. */
struct memory_host {
	uint64_t total, free, available, swap_total;
	struct hugetlb_host huge;
};

/* Options that every file has which shows memory. */
struct memory_options {
	bool swap;     /* no: there is none */
	bool host_cap; /* no more free memory than the host's */
};

extern const struct lxcfsd_key memory_stat_keys[MEMORY_STAT_COUNT];

/* The host's /proc/meminfo, as text and read.  -EINVAL: it says no MemTotal. */
int memory_host(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		struct memory_host *ret, struct lxcfsd_text *ret_text);

/* "Key:   123 kB" as what stands up to the colon, the number, and the rest. */
bool memory_split(struct lxcfsd_text line, struct lxcfsd_text *ret_key, uint64_t *ret_number,
		  struct lxcfsd_text *ret_tail);

/* Fills kb[], which is undefined after an error. */
int memory_measure(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		   const struct memory_host *host, struct memory_options options,
		   uint64_t kb[MEMORY_COUNT]);

#endif
