/* SPDX-License-Identifier: MIT */
/*
 * cgroup_v1.c - see cgroup_v1.h.
 *
 * The names and formats are those of Documentation/admin-guide/cgroup-v1 and of the
 * kernel's mm/memcontrol.c, kernel/sched/core.c, kernel/sched/cpuacct.c, kernel/cgroup/
 * cpuset.c, kernel/cgroup/pids.c and block/blk-throttle.c.  Limits are the tightest of the
 * container's cgroup and all above it, as in /proc: who looks for limits looks at one file.
 *
 * cpu.shares is cpu.weight by the formula of the OCI runtime specification turned round,
 * and the one default is the other: 100 is 1024.  cgroup2 does not know who used which
 * CPU, so cpuacct.usage_percpu is the usage in equal parts of the CPUs that are seen; nor
 * what memory and swap together were at the most: that is the sum of both.
 *
 * Longer than other files, because it is some thirty small ones.
 */
#include "cgroup_v1.h"

#include "arith.h"
#include "cpus.h"
#include "cursor.h"

#define FILE_SIZE 65536
#define USEC	  1000000u

#define DEFAULT_PERIOD 100000 /* microseconds */
#define QUOTA_MIN      1000   /* what the kernel takes */

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* What is read of one file. */
struct source {
	const struct lxcfsd_services *svc;
	struct lxcfsd_request *req;
	struct lxcfsd_out *out;
	struct lxcfsd_text text;
	char buf[FILE_SIZE];
};

/* The cgroup's own file; empty when it has none. */
static bool load(struct source *s, const char *name)
{
	struct lxcfsd_out out = { .buf = s->buf, .cap = sizeof(s->buf) };
	int r = s->svc->cgroup_copy(s->req, name, &out);

	s->text = (struct lxcfsd_text){ s->buf, r < 0 || out.err ? 0 : out.len };
	return s->text.len > 0;
}

/* "max" and what is not there are LXCFSD_UNKNOWN, which is LXCFSD_NO_LIMIT. */
static uint64_t number(struct source *s, const char *name)
{
	uint64_t value;

	return load(s, name) && cursor_u64(&s->text, &value) ? value : LXCFSD_UNKNOWN;
}

/* Of a file of `key value` lines that was loaded; 0: there is no such line. */
static uint64_t keyed(const struct source *s, const char *key)
{
	struct lxcfsd_text rest = s->text, line;
	size_t len = strlen(key);
	uint64_t value;

	while (cursor_line(&rest, &line)) {
		if (line.len <= len || memcmp(line.data, key, len) != 0 || line.data[len] != ' ')
			continue;
		line = (struct lxcfsd_text){ line.data + len + 1, line.len - len - 1 };
		return cursor_u64(&line, &value) ? value : 0;
	}
	return 0;
}

static uint64_t known(uint64_t value)
{
	return value == LXCFSD_UNKNOWN ? 0 : value;
}

static void put(struct source *s, uint64_t value)
{
	lxcfsd_printf(s->out, "%llu\n", (unsigned long long)value);
}

/* ------------------------------------------------------------------- memory */

/* PAGE_COUNTER_MAX in bytes: no limit. */
static uint64_t unlimited(const struct source *s)
{
	return (uint64_t)INT64_MAX / s->svc->page_size * s->svc->page_size;
}

static uint64_t limit_of(const struct source *s, enum lxcfsd_limit which)
{
	uint64_t limit;

	if (s->svc->limit(s->req, which, &limit) < 0)
		limit = LXCFSD_NO_LIMIT;
	return min_u64(limit, unlimited(s));
}

static uint64_t both_limits(const struct source *s)
{
	return min_u64(sat_add(limit_of(s, LXCFSD_MEM_MAX), limit_of(s, LXCFSD_SWAP_MAX)),
		       unlimited(s));
}

/* memory.peak is of Linux 5.19, swap's of 6.5. */
static uint64_t peak_of(struct source *s, const char *peak, const char *current)
{
	uint64_t value = number(s, peak);

	return value != LXCFSD_UNKNOWN ? value : known(number(s, current));
}

static void put_memory_limit(struct source *s)
{
	put(s, limit_of(s, LXCFSD_MEM_MAX));
}

static void put_memory_usage(struct source *s)
{
	put(s, known(number(s, "memory.current")));
}

static void put_memory_peak(struct source *s)
{
	put(s, peak_of(s, "memory.peak", "memory.current"));
}

static void put_failcnt(struct source *s)
{
	load(s, "memory.events");
	put(s, keyed(s, "max"));
}

static void put_memsw_limit(struct source *s)
{
	put(s, both_limits(s));
}

static void put_memsw_usage(struct source *s)
{
	uint64_t memory = known(number(s, "memory.current"));

	put(s, sat_add(memory, known(number(s, "memory.swap.current"))));
}

static void put_memsw_peak(struct source *s)
{
	uint64_t memory = peak_of(s, "memory.peak", "memory.current");

	put(s, sat_add(memory, peak_of(s, "memory.swap.peak", "memory.swap.current")));
}

static void put_one(struct source *s)
{
	put(s, 1);
}

static void put_memory_stat(struct source *s)
{
	static const struct {
		const char *v1, *v2;
	} keys[] = {
		{ "cache", "file" },
		{ "rss", "anon" },
		{ "rss_huge", "anon_thp" },
		{ "shmem", "shmem" },
		{ "mapped_file", "file_mapped" },
		{ "dirty", "file_dirty" },
		{ "writeback", "file_writeback" },
		{ "pgfault", "pgfault" },
		{ "pgmajfault", "pgmajfault" },
		{ "inactive_anon", "inactive_anon" },
		{ "active_anon", "active_anon" },
		{ "inactive_file", "inactive_file" },
		{ "active_file", "active_file" },
		{ "unevictable", "unevictable" },
	};
	uint64_t swap = known(number(s, "memory.swap.current"));

	load(s, "memory.stat");
	for (int total = 0; total < 2; total++) {
		for (size_t i = 0; i < LXCFSD_COUNT(keys); i++) {
			lxcfsd_printf(s->out, "%s%s %llu\n", total ? "total_" : "", keys[i].v1,
				      (unsigned long long)keyed(s, keys[i].v2));
			if (!strcmp(keys[i].v1, "writeback"))
				lxcfsd_printf(s->out, "%sswap %llu\n", total ? "total_" : "",
					      (unsigned long long)swap);
		}
		if (!total)
			lxcfsd_printf(s->out,
				      "hierarchical_memory_limit %llu\n"
				      "hierarchical_memsw_limit %llu\n",
				      (unsigned long long)limit_of(s, LXCFSD_MEM_MAX),
				      (unsigned long long)both_limits(s));
	}
}

/* ---------------------------------------------------------------------- cpu */

/* Of the cgroup's own cpu.max; without one the kernel's default. */
static uint64_t period_of(struct source *s)
{
	struct lxcfsd_text rest;
	const char *blank = NULL;
	uint64_t period = 0;

	if (load(s, "cpu.max"))
		blank = memchr(s->text.data, ' ', s->text.len);
	if (blank) {
		rest = (struct lxcfsd_text){ blank, (size_t)(s->text.data + s->text.len - blank) };
		cursor_blanks(&rest);
		cursor_u64(&rest, &period);
	}
	return period ? period : DEFAULT_PERIOD;
}

static void put_period(struct source *s)
{
	put(s, period_of(s));
}

static void put_quota(struct source *s)
{
	uint64_t period = period_of(s), own = number(s, "cpu.max"), millionths;

	if (s->svc->limit(s->req, LXCFSD_CPU_QUOTA, &millionths) < 0 ||
	    millionths == LXCFSD_NO_LIMIT) {
		lxcfsd_puts(s->out, "-1\n");
		return;
	}
	/* to the last microsecond what is written there, unless something above is tighter */
	if (own != LXCFSD_UNKNOWN && sat_mul(own, USEC) / period <= millionths)
		put(s, own);
	else
		put(s, max_u64(sat_mul(millionths, period) / USEC, QUOTA_MIN));
}

static void put_shares(struct source *s)
{
	uint64_t weight = number(s, "cpu.weight");

	if (weight == LXCFSD_UNKNOWN || weight == 100)
		put(s, 1024);
	else
		put(s, weight ? 2 + sat_mul(weight - 1, 262142) / 9999 : 2);
}

static void put_cpu_stat(struct source *s)
{
	load(s, "cpu.stat");
	lxcfsd_printf(s->out, "nr_periods %llu\nnr_throttled %llu\nthrottled_time %llu\n",
		      (unsigned long long)keyed(s, "nr_periods"),
		      (unsigned long long)keyed(s, "nr_throttled"),
		      (unsigned long long)sat_mul(keyed(s, "throttled_usec"), 1000));
}

static uint64_t usage_ns(struct source *s)
{
	load(s, "cpu.stat");
	return sat_mul(keyed(s, "usage_usec"), 1000);
}

static void put_cpu_usage(struct source *s)
{
	put(s, usage_ns(s));
}

static void put_cpu_usage_percpu(struct source *s)
{
	uint64_t usage = usage_ns(s);
	struct lxcfsd_cpus cpus;
	uint32_t at = 0;

	if (s->svc->cpus(s->req, &cpus) < 0) {
		put(s, usage);
		return;
	}
	for (uint32_t cpu = 0; at < cpus.count; cpu++) {
		bool mine = cpus.dense || cpus.ids[at] == cpu;
		uint64_t part = mine ? usage / (cpus.count - at) : 0;

		lxcfsd_printf(s->out, "%llu ", (unsigned long long)part);
		usage -= part;
		at += mine;
	}
	lxcfsd_puts(s->out, "\n");
}

static void put_cpuacct_stat(struct source *s)
{
	uint64_t ticks = s->svc->clock_ticks;

	load(s, "cpu.stat");
	lxcfsd_printf(s->out, "user %llu\nsystem %llu\n",
		      (unsigned long long)(sat_mul(keyed(s, "user_usec"), ticks) / USEC),
		      (unsigned long long)(sat_mul(keyed(s, "system_usec"), ticks) / USEC));
}

/* -------------------------------------------------------------------- cpuset */

/* Its own list; where it has none that is in effect; without the controller what the
 * container sees. */
static void put_set(struct source *s, const char *own, const char *effective,
		    int (*get)(struct lxcfsd_request *req, struct lxcfsd_cpus *ret))
{
	struct cpus_list list = { .out = s->out };
	struct lxcfsd_cpus set;

	if ((own && load(s, own) && s->text.len > 1) || (load(s, effective) && s->text.len > 1)) {
		lxcfsd_put(s->out, s->text.data, s->text.len);
		return;
	}
	if (get(s->req, &set) == 0) {
		for (uint32_t i = 0; i < set.count; i++)
			cpus_list_add(&list, cpus_shown(&set, i));
		cpus_list_end(&list);
	}
	lxcfsd_puts(s->out, "\n");
}

static void put_cpus(struct source *s)
{
	put_set(s, "cpuset.cpus", "cpuset.cpus.effective", s->svc->cpus);
}

static void put_mems(struct source *s)
{
	put_set(s, "cpuset.mems", "cpuset.mems.effective", s->svc->mems);
}

static void put_effective_cpus(struct source *s)
{
	put_set(s, NULL, "cpuset.cpus.effective", s->svc->cpus);
}

static void put_effective_mems(struct source *s)
{
	put_set(s, NULL, "cpuset.mems.effective", s->svc->mems);
}

/* ---------------------------------------------------------------- pids, blkio */

static void put_pids_max(struct source *s)
{
	uint64_t limit;

	if (s->svc->limit(s->req, LXCFSD_PIDS_MAX, &limit) < 0 || limit == LXCFSD_NO_LIMIT)
		lxcfsd_puts(s->out, "max\n");
	else
		put(s, limit);
}

static void put_pids_current(struct source *s)
{
	put(s, known(number(s, "pids.current")));
}

/* The value of "key=N" in a line of io.stat. */
static uint64_t io_value(struct lxcfsd_text line, const char *key)
{
	size_t len = strlen(key);
	uint64_t value = 0;

	for (size_t i = 0; i + len < line.len; i++) {
		struct lxcfsd_text rest = { line.data + i + len, line.len - i - len };

		if (line.data[i] == ' ' && memcmp(line.data + i, key, len) == 0 &&
		    cursor_u64(&rest, &value))
			break;
	}
	return value;
}

/* "8:0 Read N" and so on; cgroup2 does not tell what was synchronous. */
static void put_io(struct source *s, const char *read, const char *written, const char *discarded)
{
	struct lxcfsd_text line;
	uint64_t all = 0;

	load(s, "io.stat");
	while (cursor_line(&s->text, &line)) {
		const char *blank = memchr(line.data, ' ', line.len);
		int len = blank ? (int)(blank - line.data) : 0;
		uint64_t r = io_value(line, read), w = io_value(line, written),
			 d = io_value(line, discarded), sum = sat_add(r, w);

		if (!len)
			continue;
		lxcfsd_printf(s->out,
			      "%.*s Read %llu\n%.*s Write %llu\n%.*s Sync %llu\n%.*s Async 0\n"
			      "%.*s Discard %llu\n%.*s Total %llu\n",
			      len, line.data, (unsigned long long)r, len, line.data,
			      (unsigned long long)w, len, line.data, (unsigned long long)sum, len,
			      line.data, len, line.data, (unsigned long long)d, len, line.data,
			      (unsigned long long)sat_add(sum, d));
		all = sat_add(all, sat_add(sum, d));
	}
	lxcfsd_printf(s->out, "Total %llu\n", (unsigned long long)all);
}

static void put_io_bytes(struct source *s)
{
	put_io(s, " rbytes=", " wbytes=", " dbytes=");
}

static void put_io_count(struct source *s)
{
	put_io(s, " rios=", " wios=", " dios=");
}

/* ---------------------------------------------------------------------- tree */

static const char *const directories[] = { "blkio", "cpu,cpuacct", "cpuset", "memory", "pids" };

/* As systemd made them, for who looks for one controller alone. */
static const struct {
	const char *name, *target;
} links[] = { { "cpu", "cpu,cpuacct" }, { "cpuacct", "cpu,cpuacct" } };

static const struct file {
	const char *directory, *name;
	void (*put)(struct source *s);
} files[] = {
	{ "blkio", "blkio.throttle.io_service_bytes", put_io_bytes },
	{ "blkio", "blkio.throttle.io_service_bytes_recursive", put_io_bytes },
	{ "blkio", "blkio.throttle.io_serviced", put_io_count },
	{ "blkio", "blkio.throttle.io_serviced_recursive", put_io_count },
	{ "cpu,cpuacct", "cpu.cfs_period_us", put_period },
	{ "cpu,cpuacct", "cpu.cfs_quota_us", put_quota },
	{ "cpu,cpuacct", "cpu.shares", put_shares },
	{ "cpu,cpuacct", "cpu.stat", put_cpu_stat },
	{ "cpu,cpuacct", "cpuacct.stat", put_cpuacct_stat },
	{ "cpu,cpuacct", "cpuacct.usage", put_cpu_usage },
	{ "cpu,cpuacct", "cpuacct.usage_percpu", put_cpu_usage_percpu },
	{ "cpuset", "cpuset.cpus", put_cpus },
	{ "cpuset", "cpuset.effective_cpus", put_effective_cpus },
	{ "cpuset", "cpuset.effective_mems", put_effective_mems },
	{ "cpuset", "cpuset.mems", put_mems },
	{ "memory", "memory.failcnt", put_failcnt },
	{ "memory", "memory.limit_in_bytes", put_memory_limit },
	{ "memory", "memory.max_usage_in_bytes", put_memory_peak },
	{ "memory", "memory.memsw.limit_in_bytes", put_memsw_limit },
	{ "memory", "memory.memsw.max_usage_in_bytes", put_memsw_peak },
	{ "memory", "memory.memsw.usage_in_bytes", put_memsw_usage },
	{ "memory", "memory.stat", put_memory_stat },
	{ "memory", "memory.usage_in_bytes", put_memory_usage },
	{ "memory", "memory.use_hierarchy", put_one },
	{ "pids", "pids.current", put_pids_current },
	{ "pids", "pids.max", put_pids_max },
};

/* In each of them; the numbers are the reader's. */
static const struct {
	const char *name, *v2;
} lists[] = { { "cgroup.procs", "cgroup.procs" }, { "tasks", "cgroup.threads" } };

/* NULL: there is no such directory at the front of `below`.  *ret_name: behind it. */
static const char *directory_of(const char *below, const char **ret_name)
{
	size_t len = strcspn(below, "/");

	for (size_t i = 0; i < LXCFSD_COUNT(directories); i++)
		if (strlen(directories[i]) == len && !memcmp(directories[i], below, len)) {
			*ret_name = below[len] ? below + len + 1 : "";
			return directories[i];
		}
	return NULL;
}

static const struct file *file_of(const char *directory, const char *name)
{
	for (size_t i = 0; i < LXCFSD_COUNT(files); i++)
		if (!strcmp(files[i].directory, directory) && !strcmp(files[i].name, name))
			return &files[i];
	return NULL;
}

/* The cgroup2's list of that name; NULL: it is none. */
static const char *list_of(const char *name)
{
	for (size_t i = 0; i < LXCFSD_COUNT(lists); i++)
		if (!strcmp(lists[i].name, name))
			return lists[i].v2;
	return NULL;
}

static const char *target_of(const char *below)
{
	for (size_t i = 0; i < LXCFSD_COUNT(links); i++)
		if (!strcmp(links[i].name, below))
			return links[i].target;
	return NULL;
}

int cgroup_v1_find(const struct lxcfsd_services *svc, struct lxcfsd_request *req, const char *below,
		   struct lxcfsd_found *ret)
{
	const char *name, *directory = directory_of(below, &name);
	struct lxcfsd_found found = { .object = 0 };

	(void)svc;
	(void)req;
	if (target_of(below))
		found.entry = (struct lxcfsd_entry){ LXCFSD_LINK, 0777 };
	else if (directory && !*name)
		found.entry = (struct lxcfsd_entry){ LXCFSD_DIR, 0555 };
	else if (directory && (file_of(directory, name) || list_of(name)))
		found.entry = (struct lxcfsd_entry){ LXCFSD_REG, 0444 };
	else
		return -ENOENT;
	*ret = found;
	return 0;
}

int cgroup_v1_list(const struct lxcfsd_services *svc, struct lxcfsd_request *req, const char *below,
		   struct lxcfsd_out *out)
{
	const char *name, *directory = directory_of(below, &name);

	(void)svc;
	(void)req;
	if (*below && (!directory || *name))
		return -ENOENT;
	for (size_t i = 0; !*below && i < LXCFSD_COUNT(directories); i++)
		lxcfsd_name(out, LXCFSD_DIR, directories[i]);
	for (size_t i = 0; !*below && i < LXCFSD_COUNT(links); i++)
		lxcfsd_name(out, LXCFSD_LINK, links[i].name);
	for (size_t i = 0; directory && i < LXCFSD_COUNT(files); i++)
		if (!strcmp(files[i].directory, directory))
			lxcfsd_name(out, LXCFSD_REG, files[i].name);
	for (size_t i = 0; directory && i < LXCFSD_COUNT(lists); i++)
		lxcfsd_name(out, LXCFSD_REG, lists[i].name);
	return 0;
}

int cgroup_v1_render(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		     const char *below, struct lxcfsd_out *out)
{
	const char *name, *directory = directory_of(below, &name);
	const struct file *file = directory ? file_of(directory, name) : NULL;
	struct source source;

	if (directory && list_of(name))
		return svc->cgroup_copy(req, list_of(name), out);
	if (!file)
		return -ENOENT;
	source.svc = svc;
	source.req = req;
	source.out = out;
	file->put(&source);
	return 0;
}

int cgroup_v1_readlink(const char *below, struct lxcfsd_out *out)
{
	const char *target = target_of(below);

	if (!target)
		return -EINVAL;
	lxcfsd_puts(out, target);
	return 0;
}
