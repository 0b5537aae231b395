/* SPDX-License-Identifier: MIT */
/* cgroup_attr.c - what each control file is called on v1 and v2, and how it is
 * read.  This table is all that the two versions differ in. */
#include <errno.h>

#include "cgroup.h"
#include "text.h"

#define MILLION 1000000u
#define KIB	((uint64_t)1 << 10)
#define MIB	((uint64_t)1 << 20)
#define GIB	((uint64_t)1 << 30)
/* Where v1 keeps "no limit": LONG_MAX in whole pages, of up to 64 KiB. */
#define V1_NO_LIMIT ((uint64_t)INT64_MAX & ~(uint64_t)0xffff)
/* The same in whole huge pages, of up to 16 GiB. */
#define V1_NO_HUGETLB_LIMIT ((uint64_t)INT64_MAX & ~(16 * GIB - 1))
/* More keys than any plugin asks for; the rest is looked up more slowly. */
#define KEYS_MAX 128

static int parse_limit(struct lxcfsd_text text, uint64_t *ret)
{
	struct lxcfsd_text rest = text, word, more;

	if (text_word(&rest, &word) && text_is(word, "max") && !text_word(&rest, &more)) {
		*ret = LXCFSD_NO_LIMIT;
		return 0;
	}
	return parse_u64(text, ret);
}

static int parse_bytes_limit(struct lxcfsd_text text, uint64_t *ret)
{
	uint64_t value;
	int r = parse_limit(text, &value);

	if (r < 0)
		return r;
	*ret = value >= V1_NO_LIMIT ? LXCFSD_NO_LIMIT : value;
	return 0;
}

static int parse_hugetlb_limit(struct lxcfsd_text text, uint64_t *ret)
{
	uint64_t value;
	int r = parse_limit(text, &value);

	if (r < 0)
		return r;
	*ret = value >= V1_NO_HUGETLB_LIMIT ? LXCFSD_NO_LIMIT : value;
	return 0;
}

/* "-1" is no quota. */
static int parse_v1_quota(struct lxcfsd_text text, uint64_t *ret)
{
	uint64_t value;
	int r;

	if (text.len > 1 && text.data[0] == '-') {
		r = parse_u64((struct lxcfsd_text){ text.data + 1, text.len - 1 }, &value);
		if (r == 0)
			*ret = LXCFSD_NO_LIMIT;
		return r;
	}
	return parse_u64(text, ret);
}

uint64_t cpu_millionths(uint64_t quota, uint64_t period)
{
	uint64_t product;

	if (quota == LXCFSD_NO_LIMIT || period == 0)
		return LXCFSD_NO_LIMIT;
	/* so large a quota limits nothing */
	if (__builtin_mul_overflow(quota, (uint64_t)MILLION, &product))
		return LXCFSD_NO_LIMIT;
	return product / period;
}

/* "QUOTA PERIOD", or "max PERIOD". */
static int parse_cpu_max(struct lxcfsd_text text, uint64_t *ret)
{
	struct lxcfsd_text rest = text, quota_word, period_word, more;
	uint64_t quota, period;
	int r;

	if (!text_word(&rest, &quota_word) || !text_word(&rest, &period_word) ||
	    text_word(&rest, &more))
		return -EINVAL;
	r = parse_limit(quota_word, &quota);
	if (r < 0)
		return r;
	r = parse_u64(period_word, &period);
	if (r < 0)
		return r;
	if (period == 0)
		return -EINVAL;
	*ret = cpu_millionths(quota, period);
	return 0;
}

static int parse_number(struct lxcfsd_text text, uint64_t *ret)
{
	return parse_u64(text, ret);
}

static int parse_last_number(struct lxcfsd_text text, uint64_t *ret)
{
	struct lxcfsd_text word, last = text;

	while (text_word(&text, &word))
		last = word;
	return parse_u64(last, ret);
}

/* clang-format off */

/* Sizes as mem_fmt() of mm/hugetlb_cgroup.c writes them. */
#define HUGETLB(index, size) \
	[CG_HUGETLB + 2 * (index)] = { LXCFSD_HUGETLB, { "hugetlb." size ".max" }, \
				       { "hugetlb." size ".limit_in_bytes" }, parse_hugetlb_limit }, \
	[CG_HUGETLB + 2 * (index) + 1] = { LXCFSD_HUGETLB, { "hugetlb." size ".current" }, \
					   { "hugetlb." size ".usage_in_bytes" }, parse_number }

static const uint64_t hugetlb_sizes[HUGETLB_SIZES] = {
	64 * KIB, 512 * KIB, MIB, 2 * MIB, 4 * MIB, 8 * MIB, 16 * MIB, 32 * MIB,
	256 * MIB, 512 * MIB, GIB, 2 * GIB, 16 * GIB,
};

const struct cg_attr_info cg_attrs[CG_ATTR_COUNT] = {
	[CG_MEM_MAX]        = { LXCFSD_MEMORY, { "memory.max" }, { "memory.limit_in_bytes" }, parse_bytes_limit },
	[CG_SWAP_MAX]       = { LXCFSD_MEMORY, { "memory.swap.max" }, { NULL }, parse_bytes_limit },
	[CG_MEMSW_MAX]      = { LXCFSD_MEMORY, { NULL }, { "memory.memsw.limit_in_bytes" }, parse_bytes_limit },
	[CG_CPU_MAX]        = { LXCFSD_CPU, { "cpu.max" }, { NULL }, parse_cpu_max },
	[CG_CPU_QUOTA_US]   = { LXCFSD_CPU, { NULL }, { "cpu.cfs_quota_us" }, parse_v1_quota },
	[CG_CPU_PERIOD_US]  = { LXCFSD_CPU, { "cpu.max" }, { "cpu.cfs_period_us" }, parse_last_number },
	[CG_PIDS_MAX]       = { LXCFSD_PIDS, { "pids.max" }, { "pids.max" }, parse_limit },
	[CG_MEM_CURRENT]    = { LXCFSD_MEMORY, { "memory.current" }, { "memory.usage_in_bytes" }, parse_number },
	[CG_SWAP_CURRENT]   = { LXCFSD_MEMORY, { "memory.swap.current" }, { NULL }, parse_number },
	[CG_MEMSW_CURRENT]  = { LXCFSD_MEMORY, { NULL }, { "memory.memsw.usage_in_bytes" }, parse_number },
	[CG_CPU_USAGE]      = { LXCFSD_CPUACCT, { NULL }, { "cpuacct.usage" }, parse_number },
	[CG_PIDS_CURRENT]   = { LXCFSD_PIDS, { "pids.current" }, { "pids.current" }, parse_number },
	[CG_SWAPPINESS]     = { LXCFSD_MEMORY, { NULL }, { "memory.swappiness" }, parse_number },
	[CG_MEMORY_STAT]    = { LXCFSD_MEMORY, { "memory.stat" }, { "memory.stat" }, NULL },
	[CG_CPU_STAT]       = { LXCFSD_CPUACCT, { "cpu.stat" }, { "cpuacct.stat" }, NULL },
	[CG_CPUS_EFFECTIVE] = { LXCFSD_CPUSET, { "cpuset.cpus.effective" },
				{ "cpuset.effective_cpus", "cpuset.cpus" }, NULL },
	[CG_CPU_USAGE_ALL]  = { LXCFSD_CPUACCT, { NULL }, { "cpuacct.usage_all" }, NULL },
	[CG_CPU_THROTTLED]  = { LXCFSD_CPU, { NULL }, { "cpu.stat" }, NULL },
	[CG_MEMS_EFFECTIVE] = { LXCFSD_CPUSET, { "cpuset.mems.effective" },
				{ "cpuset.effective_mems", "cpuset.mems" }, NULL },
	[CG_NUMA_STAT]      = { LXCFSD_MEMORY, { "memory.numa_stat" }, { "memory.numa_stat" }, NULL },
	[CG_IO_STAT]        = { LXCFSD_IO, { "io.stat" }, { NULL }, NULL },
	[CG_BFQ_BYTES]      = { LXCFSD_IO, { NULL }, { "blkio.bfq.io_service_bytes_recursive" }, NULL },
	[CG_BFQ_COUNT]      = { LXCFSD_IO, { NULL }, { "blkio.bfq.io_serviced_recursive" }, NULL },
	[CG_THROTTLE_BYTES] = { LXCFSD_IO, { NULL },
				{ "blkio.throttle.io_service_bytes_recursive",
				  "blkio.throttle.io_service_bytes" }, NULL },
	[CG_THROTTLE_COUNT] = { LXCFSD_IO, { NULL },
				{ "blkio.throttle.io_serviced_recursive",
				  "blkio.throttle.io_serviced" }, NULL },
	[CG_CFQ_BYTES]      = { LXCFSD_IO, { NULL }, { "blkio.io_service_bytes_recursive" }, NULL },
	[CG_CFQ_COUNT]      = { LXCFSD_IO, { NULL }, { "blkio.io_serviced_recursive" }, NULL },
	[CG_CPU_PRESSURE]   = { 0, { "cpu.pressure" }, { NULL }, NULL },
	[CG_MEMORY_PRESSURE] = { 0, { "memory.pressure" }, { NULL }, NULL },
	[CG_IO_PRESSURE]    = { 0, { "io.pressure" }, { NULL }, NULL },
	[CG_IRQ_PRESSURE]   = { 0, { "irq.pressure" }, { NULL }, NULL },
	[CG_KMEM_SLABINFO]  = { LXCFSD_MEMORY, { NULL }, { "memory.kmem.slabinfo" }, NULL },
	HUGETLB(0, "64KB"), HUGETLB(1, "512KB"), HUGETLB(2, "1MB"), HUGETLB(3, "2MB"),
	HUGETLB(4, "4MB"), HUGETLB(5, "8MB"), HUGETLB(6, "16MB"), HUGETLB(7, "32MB"),
	HUGETLB(8, "256MB"), HUGETLB(9, "512MB"), HUGETLB(10, "1GB"), HUGETLB(11, "2GB"),
	HUGETLB(12, "16GB"),
};
/* clang-format on */

int cg_attr_hugetlb(uint64_t page_bytes, enum cg_attr *ret)
{
	for (unsigned int i = 0; i < HUGETLB_SIZES; i++) {
		if (hugetlb_sizes[i] != page_bytes)
			continue;
		*ret = (enum cg_attr)(CG_HUGETLB + 2 * i);
		return 0;
	}
	return -EINVAL;
}

struct wanted {
	const char *key;
	size_t len;
};

static void keep(struct lxcfsd_text line, const struct wanted wanted[], size_t count, size_t *next,
		 uint64_t values[])
{
	struct lxcfsd_text key;
	size_t first = *next;
	uint64_t value;

	if (!text_until(&line, ' ', &key) || parse_u64(line, &value) < 0)
		return;
	/* those who ask mostly ask in the file's order */
	for (size_t i = 0; i < count; i++) {
		size_t at = first + i < count ? first + i : first + i - count;

		if (wanted[at].len != key.len || memcmp(wanted[at].key, key.data, key.len) != 0)
			continue;
		if (values[at] == LXCFSD_UNKNOWN)
			values[at] = value;
		*next = at + 1 < count ? at + 1 : 0;
	}
}

static void pick_some(struct lxcfsd_text text, bool v2, const struct lxcfsd_key keys[],
		      size_t count, uint64_t values[])
{
	struct wanted wanted[KEYS_MAX];
	struct lxcfsd_text line;
	size_t next = 0;

	for (size_t i = 0; i < count; i++) {
		const char *key = v2 ? keys[i].v2 : keys[i].v1;

		wanted[i] = (struct wanted){ key ? key : "", key ? strlen(key) : 0 };
		values[i] = LXCFSD_UNKNOWN;
	}
	while (text_line(&text, &line))
		if (line.len > 0 && line.data[0] != ' ')
			keep(line, wanted, count, &next, values);
}

void stat_pick(struct lxcfsd_text text, bool v2, const struct lxcfsd_key keys[], size_t count,
	       uint64_t values[])
{
	for (size_t done = 0; done < count; done += KEYS_MAX) {
		size_t part = count - done < KEYS_MAX ? count - done : KEYS_MAX;

		pick_some(text, v2, keys + done, part, values + done);
	}
}

/* "N0=4096 N1=0": what stands for `node`. */
static bool node_value(struct lxcfsd_text rest, uint32_t node, uint64_t *ret)
{
	struct lxcfsd_text word, id;
	uint64_t number;

	while (text_word(&rest, &word)) {
		if (!text_until(&word, '=', &id) || id.len < 2 || id.data[0] != 'N' ||
		    parse_u64((struct lxcfsd_text){ id.data + 1, id.len - 1 }, &number) < 0 ||
		    number != node)
			continue;
		return parse_u64(word, ret) == 0;
	}
	return false;
}

/* v2 "anon N0=1 N1=2" in bytes, v1 "anon=3 N0=1 N1=2" in pages. */
void numa_pick(struct lxcfsd_text text, bool v2, uint32_t node, uint64_t unit,
	       const struct lxcfsd_key keys[], size_t count, uint64_t values[])
{
	struct lxcfsd_text line, key;
	uint64_t value;

	for (size_t i = 0; i < count; i++)
		values[i] = LXCFSD_UNKNOWN;
	while (text_line(&text, &line)) {
		struct lxcfsd_text rest = line;

		if (!text_until(&rest, v2 ? ' ' : '=', &key) || !node_value(rest, node, &value) ||
		    __builtin_mul_overflow(value, unit, &value))
			continue;
		for (size_t i = 0; i < count; i++) {
			const char *wanted = v2 ? keys[i].v2 : keys[i].v1;

			if (wanted && text_is(key, wanted) && values[i] == LXCFSD_UNKNOWN)
				values[i] = value;
		}
	}
}
