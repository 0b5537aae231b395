/* SPDX-License-Identifier: MIT */
/* cgroup - limits, usage, stat and CPUs of a subject, on v1, v2 and hybrid. */
#include "check.h"
#include "fixture.h"
#include "parts.h"

#define NONE LXCFSD_NO_LIMIT
#define CG   "/sys/fs/cgroup"

static struct settings settings;
static struct model *model;
static struct lxcfsd_services svc;

static void start(void)
{
	settings = fixture_settings();
	model = fixture_model(&settings);
	model_services(&svc);
}

static void stop(void)
{
	model = model_free(model);
}

/* -errno as a large number. */
#define ERROR(r) ((uint64_t)(int64_t)(r))

static uint64_t limit(const char *path, enum lxcfsd_limit which)
{
	struct lxcfsd_request req;
	struct subject *subject;
	uint64_t value = 4711;
	int r;

	r = model_subject_by_path(model, path, &subject);
	if (r < 0)
		return ERROR(r);
	request_begin(&req, model, subject, 0);
	r = svc.limit(&req, which, &value);
	request_end(&req);
	subject_unref(subject);
	return r < 0 ? ERROR(r) : value;
}

static uint64_t usage(const char *path, enum lxcfsd_usage which)
{
	struct lxcfsd_request req;
	struct subject *subject;
	uint64_t value = 4711;
	int r;

	r = model_subject_by_path(model, path, &subject);
	if (r < 0)
		return ERROR(r);
	request_begin(&req, model, subject, 0);
	r = svc.usage(&req, which, &value);
	request_end(&req);
	subject_unref(subject);
	return r < 0 ? ERROR(r) : value;
}

/* The limit of huge pages, and the usage with `used`. */
static uint64_t hugetlb(const char *path, uint64_t page_bytes, bool used)
{
	struct lxcfsd_request req;
	struct subject *subject;
	uint64_t most = 4711, usage_bytes = 4711;
	int r;

	r = model_subject_by_path(model, path, &subject);
	if (r < 0)
		return ERROR(r);
	request_begin(&req, model, subject, 0);
	r = svc.hugetlb(&req, page_bytes, &most, &usage_bytes);
	request_end(&req);
	subject_unref(subject);
	return r < 0 ? ERROR(r) : used ? usage_bytes : most;
}

/* "0 1 3", or the errno. */
static const char *set_of(const char *path,
			  int (*get)(struct lxcfsd_request *req, struct lxcfsd_cpus *ret))
{
	static char text[256];
	struct lxcfsd_request req;
	struct lxcfsd_cpus set;
	struct subject *subject;
	size_t len = 0;
	int r;

	if (model_subject_by_path(model, path, &subject) < 0)
		return "no subject";
	request_begin(&req, model, subject, 0);
	r = get(&req, &set);
	if (r < 0)
		snprintf(text, sizeof(text), "%s", strerror(-r));
	for (uint32_t i = 0; r == 0 && i < set.count && len < sizeof(text) - 8; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%u", i ? " " : "",
					set.ids[i]);
	if (r == 0 && set.dense)
		snprintf(text + len, sizeof(text) - len, " dense");
	request_end(&req);
	subject_unref(subject);
	return text;
}

static const char *cpus(const char *path)
{
	return set_of(path, svc.cpus);
}

static const char *mems(const char *path)
{
	return set_of(path, svc.mems);
}

static void test_v2(void)
{
	fixture_v2();
	fixture_file(CG "/a/memory.max", "max\n");
	fixture_file(CG "/a/memory.swap.max", "0\n");
	fixture_file(CG "/a/memory.current", "1000\n");
	fixture_file(CG "/a/cpu.max", "150000 100000\n");
	fixture_file(CG "/a/cpu.stat", "usage_usec 12\nuser_usec 8\n");
	fixture_file(CG "/a/pids.max", "max\n");
	fixture_file(CG "/a/b/memory.max", "4096\n");
	fixture_file(CG "/a/b/cpu.max", "max 100000\n");
	fixture_file(CG "/a/b/memory.swap.current", "77\n");
	start();
	CHECK_U64(limit("/a", LXCFSD_MEM_MAX), NONE);
	CHECK_U64(limit("/a/b", LXCFSD_MEM_MAX), 4096);
	CHECK_U64(limit("/a/b", LXCFSD_SWAP_MAX), 0);
	CHECK_U64(limit("/a/b", LXCFSD_MEMSW_MAX), NONE);
	CHECK_U64(limit("/a/b", LXCFSD_CPU_QUOTA), 1500000);
	CHECK_U64(limit("/a/b", LXCFSD_PIDS_MAX), NONE);
	CHECK_U64(usage("/a", LXCFSD_MEM_CURRENT), 1000);
	/* an ancestor's usage is never given */
	CHECK_U64(usage("/a/b", LXCFSD_MEM_CURRENT), LXCFSD_UNKNOWN);
	CHECK_U64(usage("/a/b", LXCFSD_SWAP_CURRENT), 77);
	CHECK_U64(usage("/a", LXCFSD_CPU_USAGE), 12000);
	CHECK_U64(usage("/a/b", LXCFSD_CPU_USAGE), LXCFSD_UNKNOWN);
	CHECK_U64(usage("/a", LXCFSD_SWAPPINESS), LXCFSD_UNKNOWN);
	CHECK_U64(limit("/a/none", LXCFSD_MEM_MAX), ERROR(-ENOENT));
	/* changed while the file is held open */
	fixture_file(CG "/a/b/memory.max", "8192\n");
	CHECK_U64(limit("/a/b", LXCFSD_MEM_MAX), 8192);
	fixture_file(CG "/a/memory.max", "100\n");
	CHECK_U64(limit("/a/b", LXCFSD_MEM_MAX), 100);
	stop();
}

#define MIB (1024 * 1024ull)

static void test_hugetlb(void)
{
	fixture_v2();
	fixture_file(CG "/a/hugetlb.2MB.max", "4194304\n");
	fixture_file(CG "/a/hugetlb.2MB.current", "2097152\n");
	fixture_file(CG "/a/b/hugetlb.2MB.max", "max\n");
	fixture_file(CG "/a/b/hugetlb.1GB.max", "1073741824\n");
	fixture_file(CG "/a/b/hugetlb.16GB.max", "garbage\n");
	start();
	CHECK_U64(hugetlb("/a", 2 * MIB, false), 4 * MIB);
	CHECK_U64(hugetlb("/a", 2 * MIB, true), 2 * MIB);
	/* the parent is tighter, and its usage is not given */
	CHECK_U64(hugetlb("/a/b", 2 * MIB, false), 4 * MIB);
	CHECK_U64(hugetlb("/a/b", 2 * MIB, true), LXCFSD_UNKNOWN);
	CHECK_U64(hugetlb("/a/b", 1024 * MIB, false), 1024 * MIB);
	CHECK_U64(hugetlb("/a", 1024 * MIB, false), NONE);
	CHECK_U64(hugetlb("/a/b", 16384 * MIB, false), ERROR(-EINVAL));
	CHECK_U64(hugetlb("/a", 3 * MIB, false), ERROR(-EINVAL));
	CHECK_U64(hugetlb("/a", 0, false), ERROR(-EINVAL));
	stop();

	fixture_v1();
	fixture_file("/proc/self/mountinfo",
		     "%s"
		     "37 30 0:33 / /sys/fs/cgroup/hugetlb rw - cgroup cgroup rw,hugetlb\n",
		     MOUNTINFO_V1);
	/* without a limit: LONG_MAX in whole huge pages */
	fixture_file(CG "/hugetlb/hugetlb.1GB.limit_in_bytes", "9223372035781033984\n");
	fixture_file(CG "/hugetlb/x/hugetlb.1GB.limit_in_bytes", "9223372035781033984\n");
	fixture_file(CG "/hugetlb/x/hugetlb.16GB.limit_in_bytes", "9223372019674906624\n");
	fixture_file(CG "/hugetlb/x/hugetlb.64KB.limit_in_bytes", "65536\n");
	fixture_file(CG "/hugetlb/x/hugetlb.64KB.usage_in_bytes", "0\n");
	start();
	CHECK_U64(hugetlb("/x", 1024 * MIB, false), NONE);
	CHECK_U64(hugetlb("/x", 16384 * MIB, false), NONE);
	CHECK_U64(hugetlb("/x", 65536, false), 65536);
	CHECK_U64(hugetlb("/x", 65536, true), 0);
	CHECK_U64(hugetlb("/", 65536, true), LXCFSD_UNKNOWN);
	stop();
	/* no such controller */
	fixture_v1();
	fixture_dir(CG "/memory/x");
	start();
	CHECK_U64(hugetlb("/x", 2 * MIB, false), NONE);
	CHECK_U64(hugetlb("/x", 2 * MIB, true), LXCFSD_UNKNOWN);
	stop();
}

static void test_v1(void)
{
	fixture_v1();
	fixture_file(CG "/memory/memory.limit_in_bytes", "9223372036854771712\n");
	fixture_file(CG "/memory/x/memory.limit_in_bytes", "8192\n");
	fixture_file(CG "/memory/x/memory.memsw.limit_in_bytes", "9223372036854710272\n");
	fixture_file(CG "/memory/x/memory.usage_in_bytes", "100\n");
	fixture_file(CG "/memory/x/memory.memsw.usage_in_bytes", "90\n");
	fixture_file(CG "/memory/x/memory.swappiness", "60\n");
	fixture_file(CG "/cpu,cpuacct/x/cpu.cfs_quota_us", "-1\n");
	fixture_file(CG "/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
	fixture_file(CG "/cpu,cpuacct/x/y/cpu.cfs_quota_us", "50000\n");
	fixture_file(CG "/cpu,cpuacct/x/y/cpu.cfs_period_us", "100000\n");
	fixture_file(CG "/cpu,cpuacct/x/cpuacct.usage", "123456\n");
	start();
	CHECK_U64(limit("/x", LXCFSD_MEM_MAX), 8192);
	CHECK_U64(limit("/", LXCFSD_MEM_MAX), NONE);
	CHECK_U64(limit("/x", LXCFSD_MEMSW_MAX), NONE);
	fixture_file(CG "/memory/memory.usage_in_bytes", "123\n");
	CHECK_U64(usage("/", LXCFSD_MEM_CURRENT), LXCFSD_UNKNOWN);
	CHECK_U64(limit("/x", LXCFSD_SWAP_MAX), NONE);
	CHECK_U64(usage("/x", LXCFSD_SWAP_CURRENT), 0);
	fixture_file(CG "/memory/x/memory.memsw.usage_in_bytes", "150\n");
	CHECK_U64(usage("/x", LXCFSD_SWAP_CURRENT), 50);
	CHECK_U64(usage("/x", LXCFSD_SWAPPINESS), 60);
	CHECK_U64(usage("/x", LXCFSD_CPU_USAGE), 123456);
	CHECK_U64(usage("/x", LXCFSD_PIDS_CURRENT), LXCFSD_UNKNOWN);
	CHECK_U64(limit("/x", LXCFSD_CPU_QUOTA), NONE);
	CHECK_U64(limit("/x/y", LXCFSD_CPU_QUOTA), 500000);
	/* the memory hierarchy has no /x/y: its processes are in /x there */
	CHECK_U64(limit("/x/y", LXCFSD_MEM_MAX), 8192);
	stop();
}

static void test_deep(void)
{
	char path[256] = "", file[512];

	fixture_v2();
	for (int depth = 1; depth <= 8; depth++) {
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d%d", depth);
		snprintf(file, sizeof(file), CG "%s/memory.max", path);
		fixture_file(file, "%d\n", depth == 1 ? 500 : 1000 * depth);
	}
	start();
	CHECK_U64(limit(path, LXCFSD_MEM_MAX), 500);
	fixture_file(file, "499\n");
	CHECK_U64(limit(path, LXCFSD_MEM_MAX), 499);
	CHECK_U64(limit("/d1/d2", LXCFSD_MEM_MAX), 500);
	stop();
}

static void test_missing(void)
{
	fixture_v1();
	fixture_file("/proc/self/mountinfo",
		     "33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
	fixture_dir(CG "/memory/x");
	start();
	CHECK_U64(limit("/x", LXCFSD_CPU_QUOTA), NONE);
	CHECK_U64(limit("/x", LXCFSD_PIDS_MAX), NONE);
	CHECK_U64(limit("/x", LXCFSD_MEM_MAX), NONE);
	CHECK_U64(usage("/x", LXCFSD_CPU_USAGE), LXCFSD_UNKNOWN);
	CHECK_U64(usage("/x", LXCFSD_MEM_CURRENT), LXCFSD_UNKNOWN);
	CHECK_STR(cpus("/x"), "0 1 2 3 4 5 6 7");
	stop();
}

static void test_removed(void)
{
	struct lxcfsd_request req;
	struct subject *subject;
	uint64_t value;

	fixture_v2();
	fixture_file(CG "/a/b/memory.max", "4096\n");
	start();
	CHECK(model_subject_by_path(model, "/a/b", &subject) == 0);
	request_begin(&req, model, subject, 0);
	CHECK(svc.limit(&req, LXCFSD_MEM_MAX, &value) == 0 && value == 4096);
	fixture_unlink_file(CG "/a/b/memory.max");
	fixture_unlink_file(CG "/a/b");
	/* what was never read of it before: it is not there, which is no "no limit" */
	CHECK(svc.limit(&req, LXCFSD_PIDS_MAX, &value) == -ENODEV);
	CHECK(svc.usage(&req, LXCFSD_MEM_CURRENT, &value) == -ENODEV);
	request_end(&req);
	subject_unref(subject);
	stop();
}

/* v1: another cgroup in the place of one that was renamed while it was read. */
static void test_renamed(void)
{
	char from[PATH_MAX], to[PATH_MAX];

	fixture_v1();
	fixture_file(CG "/memory/a/memory.limit_in_bytes", "100\n");
	start();
	CHECK_U64(limit("/a", LXCFSD_MEM_MAX), 100);
	snprintf(from, sizeof(from), "%.4000s" CG "/memory/a", fixture_root);
	snprintf(to, sizeof(to), "%.4000s" CG "/memory/b", fixture_root);
	CHECK(rename(from, to) == 0);
	fixture_file(CG "/memory/a/memory.limit_in_bytes", "200\n");
	for (int i = 0; i < 100 && limit("/a", LXCFSD_MEM_MAX) != 200; i++)
		usleep(50000);
	CHECK_U64(limit("/a", LXCFSD_MEM_MAX), 200);
	CHECK_U64(limit("/b", LXCFSD_MEM_MAX), 100);
	stop();
}

static void test_garbage(void)
{
	static const char *const bad[] = {
		"", "\n", "-1\n", "12x\n", "1 2\n", "maximum\n", "max 1\n", "99999999999999999999\n"
	};
	char longest[5000];

	fixture_v2();
	fixture_dir(CG "/a");
	start();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fixture_file(CG "/a/memory.max", "%s", bad[i]);
		CHECK((int64_t)limit("/a", LXCFSD_MEM_MAX) < -1);
		fixture_file(CG "/a/cpu.max", "%s", bad[i]);
		if (strcmp(bad[i], "max 1\n") == 0 || strcmp(bad[i], "1 2\n") == 0)
			continue;
		CHECK((int64_t)limit("/a", LXCFSD_CPU_QUOTA) < -1);
	}
	fixture_file(CG "/a/cpu.max", "100000 0\n");
	CHECK_U64(limit("/a", LXCFSD_CPU_QUOTA), ERROR(-EINVAL));
	fixture_file(CG "/a/cpu.max", "18446744073709551614 1\n");
	CHECK_U64(limit("/a", LXCFSD_CPU_QUOTA), NONE);
	memset(longest, '1', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	fixture_file(CG "/a/memory.max", "%s", longest);
	CHECK_U64(limit("/a", LXCFSD_MEM_MAX), ERROR(-EFBIG));
	fixture_file(CG "/a/memory.max", "5\n");
	CHECK_U64(limit("/a", LXCFSD_MEM_MAX), 5);
	stop();
}

static void test_names(void)
{
	static const char *const names[] = { "/a b",	     "/100%",		"/%s%n",
					     "/back\\slash", "/gone (deleted)", "/x_1",
					     "/x_10" };
	char file[256];

	fixture_v2();
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(file, sizeof(file), CG "%s/memory.max", names[i]);
		fixture_file(file, "%u\n", i + 1);
	}
	start();
	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		CHECK_U64(limit(names[i], LXCFSD_MEM_MAX), i + 1);
	CHECK_U64(limit("/../a b", LXCFSD_MEM_MAX), ERROR(-EINVAL));
	/* a link in the way is not followed */
	fixture_link(CG "/link", "x_1");
	CHECK((int64_t)limit("/link", LXCFSD_MEM_MAX) < 0);
	stop();
}

static void test_stat(void)
{
	static const struct lxcfsd_key keys[] = {
		{ "file", "total_cache" }, { "anon", "total_rss" }, { "anon", NULL },
		{ "active", NULL },	   { "fil", "cache" },	    { NULL, "junk" },
	};
	struct lxcfsd_request req;
	struct subject *subject;
	uint64_t values[6];

	fixture_v2();
	fixture_file(CG "/a/memory.stat",
		     "anon 10\nfile 20\nactive_anon 30\n 5\nactive\nactive 1 2\nfile 21\n\nx y\n");
	fixture_dir(CG "/b");
	start();
	CHECK(model_subject_by_path(model, "/a", &subject) == 0);
	request_begin(&req, model, subject, 0);
	CHECK(svc.stat(&req, LXCFSD_MEMORY_STAT, keys, 6, values) == 0);
	CHECK_U64(values[0], 20);
	CHECK_U64(values[1], 10);
	CHECK_U64(values[2], 10);
	CHECK_U64(values[3], LXCFSD_UNKNOWN);
	CHECK_U64(values[4], LXCFSD_UNKNOWN);
	CHECK_U64(values[5], LXCFSD_UNKNOWN);
	CHECK(svc.stat(&req, LXCFSD_CPU_STAT, keys, 6, values) == 0);
	CHECK_U64(values[0], LXCFSD_UNKNOWN);
	CHECK(svc.stat(&req, 99, keys, 6, values) == -EINVAL);
	request_end(&req);
	subject_unref(subject);
	stop();

	fixture_v1();
	fixture_file(CG "/memory/a/memory.stat", "cache 1\ntotal_cache 2\ntotal_rss 3\njunk 4\n");
	start();
	CHECK(model_subject_by_path(model, "/a", &subject) == 0);
	request_begin(&req, model, subject, 0);
	CHECK(svc.stat(&req, LXCFSD_MEMORY_STAT, keys, 6, values) == 0);
	CHECK_U64(values[0], 2);
	CHECK_U64(values[1], 3);
	CHECK_U64(values[2], LXCFSD_UNKNOWN);
	CHECK_U64(values[4], 1);
	CHECK_U64(values[5], 4);
	request_end(&req);
	subject_unref(subject);
	stop();
}

static void test_cpus(void)
{
	fixture_v2();
	fixture_file(CG "/a/cpuset.cpus.effective", "2-5\n");
	fixture_file(CG "/a/b/cpuset.cpus.effective", "\n");
	fixture_dir(CG "/a/b/c");
	fixture_file(CG "/a/b/c/cpu.max", "250000 100000\n");
	fixture_dir(CG "/plain");
	start();
	CHECK_STR(cpus("/plain"), "0 1 2 3 4 5 6 7");
	CHECK_STR(cpus("/a"), "2 3 4 5");
	CHECK_STR(cpus("/a/b"), "2 3 4 5");
	CHECK_STR(cpus("/a/b/c"), "2 3 4");
	settings.cpu_quota = CPU_QUOTA_FLOOR;
	CHECK_STR(cpus("/a/b/c"), "2 3");
	settings.cpu_quota = CPU_QUOTA_ROUND;
	CHECK_STR(cpus("/a/b/c"), "2 3 4");
	fixture_file(CG "/a/b/c/cpu.max", "249999 100000\n");
	CHECK_STR(cpus("/a/b/c"), "2 3");
	settings.cpu_quota = CPU_QUOTA_OFF;
	CHECK_STR(cpus("/a/b/c"), "2 3 4 5");
	settings.cpu_quota = CPU_QUOTA_FLOOR;
	fixture_file(CG "/a/b/c/cpu.max", "1000 100000\n");
	CHECK_STR(cpus("/a/b/c"), "2");
	settings.cpu_numbering = CPU_NUMBERING_DENSE;
	CHECK_STR(cpus("/a/b/c"), "2 dense");
	settings.cpu_numbering = CPU_NUMBERING_HOST;
	fixture_file("/sys/devices/system/cpu/online", "0-2,4\n");
	CHECK_STR(cpus("/a"), "2 4");
	fixture_file("/sys/devices/system/cpu/online", "0\n");
	CHECK_STR(cpus("/a"), "0");
	fixture_unlink_file("/sys/devices/system/cpu/online");
	stop();
	start();
	CHECK_STR(cpus("/a"), "2 3 4 5");
	fixture_file(CG "/a/cpuset.cpus.effective", "0-8192\n");
	CHECK_STR(cpus("/a"), strerror(ERANGE));
	stop();

	fixture_v1();
	fixture_file(CG "/cpuset/a/cpuset.cpus", "0-3\n");
	fixture_file(CG "/cpuset/a/cpuset.effective_cpus", "1-2\n");
	fixture_file(CG "/cpuset/b/cpuset.cpus", "5\n");
	fixture_dir(CG "/cpuset/b/c");
	start();
	CHECK_STR(cpus("/a"), "1 2");
	CHECK_STR(cpus("/b/c"), "5");
	stop();
}

/* Pages of a node, as bytes. */
static uint64_t numa(const char *path, uint32_t node, const char *v2, const char *v1)
{
	const struct lxcfsd_key key = { v2, v1 };
	struct lxcfsd_request req;
	struct subject *subject;
	uint64_t value = 4711;
	int r;

	if (model_subject_by_path(model, path, &subject) < 0)
		return 4712;
	request_begin(&req, model, subject, 0);
	r = svc.numa_stat(&req, node, &key, 1, &value);
	request_end(&req);
	subject_unref(subject);
	return r < 0 ? ERROR(r) : value;
}

static void test_nodes(void)
{
	fixture_v2();
	fixture_file("/sys/devices/system/node/online", "0-3\n");
	fixture_file(CG "/cpuset.mems.effective", "0-3\n");
	fixture_file(CG "/a/cpuset.mems.effective", "1,3\n");
	fixture_dir(CG "/a/b");
	fixture_file(CG "/a/memory.numa_stat", "anon N0=7 N1=4096 N11=5\nanon N1=9\nfile N1=\n"
					       "shmem N1=18446744073709551616\nanon_thp N1=3\n");
	start();
	CHECK_STR(mems("/a"), "1 3");
	CHECK_STR(mems("/a/b"), "1 3");
	fixture_file("/sys/devices/system/node/online", "0-2\n");
	CHECK_STR(mems("/a/b"), "1");
	CHECK_U64(numa("/a", 1, "anon", NULL), 4096);
	CHECK_U64(numa("/a", 11, "anon", NULL), 5);
	CHECK_U64(numa("/a", 2, "anon", NULL), LXCFSD_UNKNOWN);
	CHECK_U64(numa("/a", 1, "file", NULL), LXCFSD_UNKNOWN);
	CHECK_U64(numa("/a", 1, "shmem", NULL), LXCFSD_UNKNOWN);
	CHECK_U64(numa("/a", 1, NULL, "anon"), LXCFSD_UNKNOWN);
	/* an ancestor's is other tenants' */
	CHECK_U64(numa("/a/b", 1, "anon", NULL), LXCFSD_UNKNOWN);
	stop();

	fixture_v1();
	fixture_file("/sys/devices/system/node/online", "0-1\n");
	fixture_file(CG "/cpuset/a/cpuset.mems", "0-1\n");
	fixture_file(CG "/cpuset/a/cpuset.effective_mems", "1\n");
	fixture_file(CG "/memory/a/memory.numa_stat",
		     "total=30 N0=10 N1=20\nhierarchical_total=50 N0=20 N1=30\n");
	start();
	CHECK_STR(mems("/a"), "1");
	CHECK_U64(numa("/a", 1, NULL, "hierarchical_total"), 30 * (uint64_t)model->roots.page_size);
	stop();
}

static void fixture_mode(const char *path, mode_t mode)
{
	char full[2 * PATH_MAX];

	snprintf(full, sizeof(full), "%s%s", fixture_root, path);
	if (chmod(full, mode) < 0)
		fixture_die(full);
}

static void test_host_entries(void)
{
	char buf[256];
	struct lxcfsd_out out = { .buf = buf, .cap = sizeof(buf) };
	struct lxcfsd_entry entry;
	struct lxcfsd_request req;
	struct lxcfsd_text rest;
	const char *name;
	uint32_t type;

	fixture_v2();
	fixture_file("/sys/d/file", "text\n");
	fixture_link("/sys/d/link", "file");
	fixture_link("/sys/e", "d");
	fixture_link("/sys/d/out", "../../proc");
	start();
	request_begin(&req, model, NULL, 0);
	CHECK(svc.host_entry(&req, "/sys/d", &entry) == 0 && entry.type == LXCFSD_DIR);
	CHECK(svc.host_entry(&req, "/sys/d/file", &entry) == 0 && entry.type == LXCFSD_REG);
	CHECK_U64(entry.mode, 0444);
	CHECK(svc.host_entry(&req, "/sys/d/link", &entry) == 0 && entry.type == LXCFSD_LINK);
	CHECK(svc.host_entry(&req, "/sys/d/none", &entry) == -ENOENT);
	/* no link is followed, nothing leads out */
	CHECK(svc.host_entry(&req, "/sys/e/file", &entry) == -ENOENT);
	CHECK(svc.host_entry(&req, "/sys/d/out/self", &entry) == -ENOENT);
	CHECK(svc.host_entry(&req, "/sys/d/../e", &entry) == -EINVAL);
	CHECK(svc.host_entry(&req, "/etc/passwd", &entry) == -EINVAL);
	CHECK(svc.host_copy(&req, "/sys/d/link", &out) == -ENOENT);
	CHECK(svc.host_copy(&req, "/sys/d", &out) == -ENOENT);
	CHECK(svc.host_copy(&req, "/sys/e/file", &out) == -ENOENT);
	CHECK(svc.host_copy(&req, "/sys/d/file", &out) == 0 && out.len == 5);
	CHECK(svc.host_link(&req, "/sys/d/link", &out) == 0 && out.len == 9);
	CHECK(!memcmp(buf, "text\nfile", 9));
	CHECK(svc.host_link(&req, "/sys/d/file", &out) == -EINVAL);
	out = (struct lxcfsd_out){ .buf = buf, .cap = 4 };
	CHECK(svc.host_copy(&req, "/sys/d/file", &out) == -ENOSPC);
	out = (struct lxcfsd_out){ .buf = buf, .cap = 4 };
	CHECK(svc.host_link(&req, "/sys/d/link", &out) == -ENOSPC);
	out = (struct lxcfsd_out){ .buf = buf, .cap = sizeof(buf) };
	CHECK(svc.host_list(&req, "/sys/d", &out) == 0 && !out.err);
	rest = (struct lxcfsd_text){ buf, out.len };
	for (out.cap = 0; (name = lxcfsd_next_name(&rest, &type)); out.cap++)
		CHECK(type == (!strcmp(name, "file") ? LXCFSD_REG : LXCFSD_LINK));
	CHECK_U64(out.cap, 3);
	CHECK(svc.host_list(&req, "/sys/e", &out) == -ENOENT);
	CHECK(svc.host_list(&req, "/sys/d/file", &out) == -ENOENT);
	/* what only root may list or pass is for nobody here */
	fixture_mode("/sys/d", 0751);
	CHECK(svc.host_list(&req, "/sys/d", &out) == -EACCES);
	out = (struct lxcfsd_out){ .buf = buf, .cap = sizeof(buf) };
	CHECK(svc.host_link(&req, "/sys/d/link", &out) == 0);
	fixture_mode("/sys/d", 0750);
	CHECK(svc.host_link(&req, "/sys/d/link", &out) == -EACCES);
	CHECK(svc.host_copy(&req, "/sys/d/file", &out) == -EACCES);
	fixture_mode("/sys/d", 0755);
	request_end(&req);
	stop();
}

static void test_host(void)
{
	struct lxcfsd_request req;
	struct lxcfsd_text text, again;
	mode_t mode;

	fixture_v2();
	fixture_file("/proc/some", "first\n");
	fixture_link("/proc/out", "../../etc/passwd");
	start();
	request_begin(&req, model, NULL, 0);
	CHECK(model_host_file(&req, "/proc/some", &text) == 0);
	CHECK_STR(text.data, "first\n");
	fixture_file("/proc/some", "second, longer\n");
	CHECK(model_host_file(&req, "/proc/some", &again) == 0);
	CHECK_STR(again.data, "second, longer\n");
	CHECK_STR(text.data, "first\n"); /* still lent */
	CHECK(model_host_file(&req, "/proc/none", &text) == -ENOENT);
	CHECK(model_host_file(&req, "/proc/../clock", &text) == -EINVAL);
	CHECK(model_host_file(&req, "/proc/", &text) == -EINVAL);
	CHECK(model_host_file(&req, "/proc", &text) == -EINVAL);
	CHECK(model_host_file(&req, "/etc/passwd", &text) == -EINVAL);
	CHECK(model_host_file(&req, "/proc/out", &text) < 0);
	CHECK(model_host_mode(model, "/proc/some", &mode) == 0 && S_ISREG(mode));
	CHECK(model_host_mode(model, "/proc/none", &mode) == -ENOENT);
	request_end(&req);
	stop();
}

static void test_budget(void)
{
	char path[64];
	bool good = true;

	fixture_v2();
	for (int i = 0; i < 40; i++) {
		snprintf(path, sizeof(path), CG "/c%d/memory.max", i);
		fixture_file(path, "%d\n", i);
	}
	settings = fixture_settings();
	settings.max_fds = 1; /* the least is more than that, and less than 40 */
	model = fixture_model(&settings);
	model_services(&svc);
	for (int round = 0; round < 2; round++) {
		for (unsigned int i = 0; i < 40; i++) {
			snprintf(path, sizeof(path), "/c%u", i);
			good = good && limit(path, LXCFSD_MEM_MAX) == i;
		}
	}
	CHECK(good);
	CHECK(model_busy(model));
	model_tidy(model);
	stop();
}

/* The memory limit of a container whose init is `init`, in the cgroup /a/b. */
static uint64_t limit_of_init(int init)
{
	struct lxcfsd_request req;
	struct subject *subject;
	uint64_t value = 4711;
	char text[64];
	int r, n = snprintf(text, sizeof(text), "init %d 1\n:/a/b\n", init);

	if (model_subject_load(model, text, (size_t)n, &subject) < 0)
		return ERROR(-EINVAL);
	request_begin(&req, model, subject, 0);
	r = svc.limit(&req, LXCFSD_MEM_MAX, &value);
	request_end(&req);
	subject_unref(subject);
	return r < 0 ? ERROR(r) : value;
}

/* One container ends and another is given a cgroup of the same name before the
 * cache interval is over. */
static void test_newcomer(void)
{
	fixture_v2();
	fixture_file(CG "/a/memory.max", "max\n");
	fixture_file(CG "/a/b/memory.max", "8192\n");
	settings = fixture_settings();
	settings.cache_ms = 3600000;
	model = fixture_model(&settings);
	model_services(&svc);
	CHECK_U64(limit_of_init(10), 8192);
	fixture_file(CG "/a/b/memory.max", "4096\n");
	CHECK_U64(limit_of_init(10), 8192);
	CHECK_U64(limit_of_init(11), 4096);
	fixture_file(CG "/a/memory.max", "100\n");
	CHECK_U64(limit_of_init(11), 4096);
	CHECK_U64(limit_of_init(12), 100);
	/* and for both it is the cache's again */
	fixture_file(CG "/a/memory.max", "50\n");
	CHECK_U64(limit_of_init(10), 100);
	CHECK_U64(limit_of_init(12), 100);
	stop();
}

int main(void)
{
	test_v2();
	test_hugetlb();
	test_v1();
	test_deep();
	test_missing();
	test_removed();
	test_renamed();
	test_garbage();
	test_names();
	test_stat();
	test_cpus();
	test_nodes();
	test_host_entries();
	test_host();
	test_budget();
	test_newcomer();
	return done_testing();
}
