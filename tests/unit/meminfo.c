/* SPDX-License-Identifier: MIT */
#include "../../plugins/meminfo.c"

#include "check.h"
#include "fake_services.h"

#define MIB (1024 * 1024ull)

static const char host_text[] = "MemTotal:        8388608 kB\n"
				"MemFree:         4194304 kB\n"
				"MemAvailable:    4100000 kB\n"
				"Buffers:          111111 kB\n"
				"Cached:           222222 kB\n"
				"SwapCached:            9 kB\n"
				"Active:           333333 kB\n"
				"Inactive:         444444 kB\n"
				"Active(anon):     555555 kB\n"
				"Inactive(anon):   666666 kB\n"
				"Active(file):     777777 kB\n"
				"Inactive(file):   888888 kB\n"
				"Unevictable:      999999 kB\n"
				"SwapTotal:       2097152 kB\n"
				"SwapFree:        1048576 kB\n"
				"AnonPages:        123456 kB\n"
				"Mapped:           123456 kB\n"
				"Shmem:            123456 kB\n"
				"Slab:             123456 kB\n"
				"SReclaimable:     123456 kB\n"
				"SUnreclaim:       123456 kB\n"
				"CommitLimit:     6291456 kB\n"
				"Committed_AS:    1234567 kB\n"
				"VmallocTotal:   34359738367 kB\n"
				"HardwareCorrupted:     4 kB\n"
				"NewThing:         123456 kB\n"
				"HugePages_Total:      12\n"
				"Hugepagesize:       2048 kB\n";

static const union lxcfsd_value defaults[OPT_COUNT] = { [OPT_SWAP] = { .u = 1 } };

static void machine(void)
{
	fake_reset();
	fake.files[0] = (struct fake_file){ "/proc/meminfo", host_text };
}

/* The number of a line of the last output; UINT64_MAX when there is none. */
static uint64_t number_of(const char *key)
{
	struct lxcfsd_text text = { fake_buf, strlen(fake_buf) }, line, name, tail;
	uint64_t number;

	while (cursor_line(&text, &line))
		if (memory_split(line, &name, &number, &tail) && cursor_is(name, key, strlen(key)))
			return number;
	return UINT64_MAX;
}

#define SHOWS(key, kb) CHECK_U64(number_of(key), (kb))

static void render(const union lxcfsd_value values[])
{
	int r;

	CHECK(fake_render(values, &r));
	CHECK(number_of("MemFree") <= number_of("MemAvailable"));
	CHECK(number_of("MemAvailable") <= number_of("MemTotal"));
	CHECK(number_of("MemFree") + number_of("Cached") + number_of("Slab") <=
	      number_of("MemTotal"));
	CHECK(number_of("SwapFree") <= number_of("SwapTotal"));
	CHECK_U64(number_of("Active"), number_of("Active(anon)") + number_of("Active(file)"));
	CHECK_U64(number_of("Inactive"), number_of("Inactive(anon)") + number_of("Inactive(file)"));
}

static void test_format(void)
{
	machine();
	fake.limits[LXCFSD_MEM_MAX] = 10 * MIB;
	fake.usages[LXCFSD_MEM_CURRENT] = 4 * MIB;
	fake.usages[LXCFSD_SWAP_CURRENT] = 0;
	render(defaults);
	CHECK(strncmp(fake_buf, "MemTotal:          10240 kB\nMemFree:            6144 kB\n", 56) ==
	      0);
	CHECK(strstr(fake_buf, "\nVmallocTotal:   34359738367 kB\n"));
	CHECK(strstr(fake_buf, "\nHardwareCorrupted:     0 kB\n"));
	CHECK(strstr(fake_buf, "\nHugePages_Total:      12\n"));
	CHECK(strstr(fake_buf, "\nHugepagesize:       2048 kB\n"));
	CHECK_U64(strlen(fake_buf), strlen(host_text));
	SHOWS("NewThing", 0);
	SHOWS("CommitLimit", 5120 + 2097152);
}

static void test_options(void)
{
	union lxcfsd_value values[OPT_COUNT] = { 0 };

	machine();
	fake.usages[LXCFSD_SWAP_CURRENT] = fake.usages[LXCFSD_MEM_CURRENT] = MIB;
	values[OPT_HOST_CAP].u = 1;
	values[OPT_UNKNOWN].u = UNKNOWN_HOST;
	render(values);
	SHOWS("SwapTotal", 0);
	SHOWS("MemTotal", 8388608);
	SHOWS("MemAvailable", 4100000);
	SHOWS("MemFree", 4100000);
	SHOWS("NewThing", 123456);
	values[OPT_UNKNOWN].u = UNKNOWN_DROP;
	render(values);
	SHOWS("NewThing", UINT64_MAX);
}

/* All that is counted contradicts the usage. */
static void test_clamps(void)
{
	machine();
	fake.limits[LXCFSD_MEM_MAX] = 100 * MIB;
	fake.usages[LXCFSD_MEM_CURRENT] = 120 * MIB; /* the limit was lowered */
	for (unsigned int i = 0; i < MEMORY_STAT_COUNT; i++)
		fake.stat[i] = (struct fake_stat){ memory_stat_keys[i].v2, 70 * MIB };
	render(defaults);
	SHOWS("MemFree", 0);
	SHOWS("Cached", 70 * 1024);
	SHOWS("SReclaimable", 30 * 1024);
	SHOWS("AnonPages", 0);
	SHOWS("SUnreclaim", 0);
	SHOWS("Inactive(file)", 70 * 1024);
	SHOWS("Active(file)", 30 * 1024);
	SHOWS("Active(anon)", 0);
	SHOWS("MemAvailable", 100 * 1024);

	for (unsigned int i = 0; i < MEMORY_STAT_COUNT; i++)
		fake.stat[i].value = UINT64_MAX - 1;
	render(defaults);
	SHOWS("Cached", 100 * 1024);

	/* Parts without a whole: nobody counts the usage. */
	fake.usages[LXCFSD_MEM_CURRENT] = LXCFSD_UNKNOWN;
	render(defaults);
	SHOWS("MemFree", 100 * 1024);
	SHOWS("Cached", 0);

	fake.limits[LXCFSD_MEM_MAX] = 0;
	render(defaults);
	SHOWS("MemTotal", 4);
}

static void test_v1_keys(void)
{
	machine();
	fake.v1 = true;
	fake.usages[LXCFSD_MEM_CURRENT] = 100 * MIB;
	fake.stat[0] = (struct fake_stat){ "cache", 1 * MIB };
	fake.stat[1] = (struct fake_stat){ "total_cache", 40 * MIB };
	fake.stat[2] = (struct fake_stat){ "total_rss", 30 * MIB };
	fake.stat[3] = (struct fake_stat){ "total_rss_huge", 20 * MIB };
	fake.stat[4] = (struct fake_stat){ "total_mapped_file", 8 * MIB };
	render(defaults);
	SHOWS("Cached", 40 * 1024);
	SHOWS("AnonPages", 30 * 1024);
	SHOWS("Mapped", 8 * 1024);
}

static void test_swap(void)
{
	machine();
	fake.limits[LXCFSD_SWAP_MAX] = 64 * MIB;
	fake.usages[LXCFSD_MEM_CURRENT] = 10 * MIB;
	fake.usages[LXCFSD_SWAP_CURRENT] = 16 * MIB;
	render(defaults);
	SHOWS("SwapTotal", 64 * 1024);
	SHOWS("SwapFree", 48 * 1024);
	SHOWS("Committed_AS", 16 * 1024);

	fake.usages[LXCFSD_SWAP_CURRENT] = 65 * MIB;
	render(defaults);
	SHOWS("SwapFree", 0);

	/* v1: RAM and swap together; both limits equal. */
	machine();
	fake.limits[LXCFSD_MEM_MAX] = fake.limits[LXCFSD_MEMSW_MAX] = 256 * MIB;
	fake.usages[LXCFSD_MEM_CURRENT] = 10 * MIB;
	fake.usages[LXCFSD_SWAP_CURRENT] = 16 * MIB;
	fake.usages[LXCFSD_SWAPPINESS] = 60;
	render(defaults);
	SHOWS("SwapTotal", 256 * 1024);
	SHOWS("SwapFree", 240 * 1024);
	fake.usages[LXCFSD_SWAPPINESS] = 0;
	render(defaults);
	SHOWS("SwapTotal", 16 * 1024);
	SHOWS("SwapFree", 0);

	/* The limit is wider than the device. */
	fake.usages[LXCFSD_SWAPPINESS] = 60;
	fake.limits[LXCFSD_MEMSW_MAX] = LXCFSD_NO_LIMIT;
	render(defaults);
	SHOWS("SwapTotal", 2097152);

	/* Nobody counts swap; nobody counts anything. */
	fake.usages[LXCFSD_SWAP_CURRENT] = LXCFSD_UNKNOWN;
	render(defaults);
	SHOWS("SwapTotal", 0);
	fake.usages[LXCFSD_MEM_CURRENT] = LXCFSD_UNKNOWN;
	render(defaults);
	SHOWS("SwapTotal", 2097152);
	SHOWS("SwapFree", 2097152);
}

static void test_errors(void)
{
	int r;

	machine();
	fake.error = -EIO;
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -EIO);
	fake.error = -ENODEV; /* the cgroup was removed */
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -ENODEV);
	fake_reset();
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -ENOENT);
	fake.files[0] = (struct fake_file){ "/proc/meminfo", "MemTotal\nMemTotalX: 5 kB\n" };
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -EINVAL);
}

/* Every value that memory.stat gives has its line, and none has another's. */
static void test_every_counter(void)
{
	static const struct {
		const char *key;
		enum memory_value value;
	} shown[] = {
		{ "Cached", FILE_CACHE },
		{ "SReclaimable", SLAB_RECLAIMABLE },
		{ "KReclaimable", SLAB_RECLAIMABLE },
		{ "AnonPages", ANON },
		{ "SUnreclaim", SLAB_UNRECLAIMABLE },
		{ "KernelStack", KERNEL_STACK },
		{ "PageTables", PAGE_TABLES },
		{ "SecPageTables", SEC_PAGE_TABLES },
		{ "Percpu", PERCPU },
		{ "Zswap", ZSWAP },
		{ "VmallocUsed", VMALLOC },
		{ "Inactive(file)", INACTIVE_FILE },
		{ "Active(file)", ACTIVE_FILE },
		{ "Inactive(anon)", INACTIVE_ANON },
		{ "Active(anon)", ACTIVE_ANON },
		{ "Unevictable", UNEVICTABLE },
		{ "Shmem", SHMEM },
		{ "Mapped", MAPPED },
		{ "Dirty", DIRTY },
		{ "Writeback", WRITEBACK },
		{ "SwapCached", SWAP_CACHED },
		{ "Zswapped", ZSWAPPED },
		{ "AnonHugePages", ANON_THP },
		{ "ShmemHugePages", SHMEM_THP },
		{ "FileHugePages", FILE_THP },
	};
	static char text[4096];
	size_t len;

	machine();
	len = (size_t)snprintf(text, sizeof(text), "MemTotal: 8388608 kB\nSwapTotal: 2097152 kB\n");
	for (size_t i = 0; i < LXCFSD_COUNT(shown); i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s: 7777777 kB\n",
					shown[i].key);
	fake.files[0].text = text;
	fake.usages[LXCFSD_MEM_CURRENT] = 4096 * MIB;
	fake.usages[LXCFSD_SWAP_CURRENT] = 1024 * MIB;
	/* small enough to fit, each another one */
	for (unsigned int i = 0; i < MEMORY_STAT_COUNT; i++)
		fake.stat[i] = (struct fake_stat){ memory_stat_keys[i].v2, (100 - i) * MIB };
	fake.stat[FILE_CACHE].value = 1000 * MIB;
	fake.stat[ANON].value = 1001 * MIB;
	CHECK(fake_render(defaults, &(int){ 0 }));
	for (size_t i = 0; i < LXCFSD_COUNT(shown); i++)
		SHOWS(shown[i].key, fake.stat[shown[i].value].value / 1024);
}

/* What the reference shows wrong on cgroup2, see the table of its wrong values. */
static void test_w1_mapped_dirty_writeback_thp(void)
{
	machine();
	fake.files[0].text = "MemTotal: 8388608 kB\nDirty: 1 kB\nWriteback: 1 kB\nMapped: 1 kB\n"
			     "AnonHugePages: 1 kB\n";
	fake.usages[LXCFSD_MEM_CURRENT] = 100 * MIB;
	fake.stat[0] = (struct fake_stat){ "file", 40 * MIB };
	fake.stat[1] = (struct fake_stat){ "file_mapped", 20 * MIB };
	fake.stat[2] = (struct fake_stat){ "file_dirty", 12 * MIB };
	fake.stat[3] = (struct fake_stat){ "file_writeback", 1 * MIB };
	fake.stat[4] = (struct fake_stat){ "anon", 30 * MIB };
	fake.stat[5] = (struct fake_stat){ "anon_thp", 8 * MIB };
	CHECK(fake_render(defaults, &(int){ 0 }));
	SHOWS("Mapped", 20 * 1024);
	SHOWS("Dirty", 12 * 1024);
	SHOWS("Writeback", 1024);
	SHOWS("AnonHugePages", 8 * 1024);
}

static void test_w2_nothing_wraps(void)
{
	machine();
	fake.limits[LXCFSD_MEM_MAX] = 20 * MIB;
	fake.limits[LXCFSD_SWAP_MAX] = 1 * MIB;
	fake.usages[LXCFSD_MEM_CURRENT] = 40 * MIB;
	fake.usages[LXCFSD_SWAP_CURRENT] = 2 * MIB;
	/* locked shared memory is on no list of anonymous pages */
	fake.stat[0] = (struct fake_stat){ "shmem", 24 * MIB };
	fake.stat[1] = (struct fake_stat){ "file", 24 * MIB };
	fake.stat[2] = (struct fake_stat){ "unevictable", 24 * MIB };
	render(defaults);
	SHOWS("MemFree", 0);
	SHOWS("SwapTotal", 1024);
	SHOWS("SwapFree", 0);
	SHOWS("AnonPages", 0);
	SHOWS("Unevictable", 20 * 1024);
	SHOWS("Shmem", 20 * 1024);
}

/* The host has less than the container may have. */
static void test_w11_host_cap(void)
{
	union lxcfsd_value values[OPT_COUNT] = { [OPT_HOST_CAP] = { .u = 1 } };

	machine();
	fake.limits[LXCFSD_MEM_MAX] = 5120 * MIB;
	fake.usages[LXCFSD_MEM_CURRENT] = MIB;
	render(defaults);
	SHOWS("MemFree", 5119 * 1024);
	render(values);
	SHOWS("MemFree", 4100000);
	SHOWS("MemAvailable", 4100000);
}

#define HUGE_HOST                                                                                  \
	"MemTotal: 8388608 kB\nMemFree: 1 kB\nMemAvailable: 1 kB\nSwapTotal: 0 kB\n"               \
	"CommitLimit: 1 kB\nHugePages_Total: 64\nHugePages_Free: 3\nHugePages_Rsvd: 9\n"           \
	"HugePages_Surp: 9\nHugepagesize: 2048 kB\nHugetlb: 1179648 kB\n"

static void test_hugetlb(void)
{
	machine();
	fake.files[0].text = HUGE_HOST;
	fake.files[1] =
		(struct fake_file){ "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages",
				    "1\n" };
	fake.usages[LXCFSD_MEM_CURRENT] = MIB;
	fake.huge_size = 2 * MIB;
	fake.huge_limit = 33 * MIB; /* 16 and a half */
	fake.huge_usage = 8 * MIB;
	CHECK(fake_render(defaults, &(int){ 0 }));
	SHOWS("HugePages_Total", 16);
	SHOWS("HugePages_Free", 12);
	SHOWS("HugePages_Rsvd", 0);
	SHOWS("HugePages_Surp", 0);
	SHOWS("Hugetlb", 16 * 2048 + 1048576);
	/* without a limit on memory the pool is a part of it, and not free */
	SHOWS("MemFree", 8388608 - 1024 - 16 * 2048 - 1048576);
	SHOWS("CommitLimit", (8388608 - 16 * 2048 - 1048576) / 2);
	/* with one it is not */
	fake.limits[LXCFSD_MEM_MAX] = 100 * MIB;
	CHECK(fake_render(defaults, &(int){ 0 }));
	SHOWS("MemFree", 99 * 1024);
	SHOWS("CommitLimit", 50 * 1024);

	/* no limit; a limit lowered below the usage; none allowed */
	fake.huge_limit = LXCFSD_NO_LIMIT;
	CHECK(fake_render(defaults, &(int){ 0 }));
	SHOWS("HugePages_Total", 64);
	SHOWS("HugePages_Free", 60);
	fake.huge_limit = 4 * MIB;
	CHECK(fake_render(defaults, &(int){ 0 }));
	SHOWS("HugePages_Total", 2);
	SHOWS("HugePages_Free", 0);
	fake.huge_limit = 0;
	CHECK(fake_render(defaults, &(int){ 0 }));
	SHOWS("HugePages_Total", 0);
	SHOWS("Hugetlb", 1048576);
	/* nobody counts */
	fake.huge_limit = LXCFSD_NO_LIMIT;
	fake.huge_usage = LXCFSD_UNKNOWN;
	CHECK(fake_render(defaults, &(int){ 0 }));
	SHOWS("HugePages_Free", 64);
}

static void test_overcommit(void)
{
	machine();
	fake.limits[LXCFSD_SWAP_MAX] = 0;
	fake.files[1] = (struct fake_file){ "/proc/sys/vm/overcommit_ratio", "80\n" };
	fake.limits[LXCFSD_MEM_MAX] = 1000 * 1024;
	render(defaults);
	SHOWS("CommitLimit", 800);
	fake.files[1].text = "garbage\n";
	render(defaults);
	SHOWS("CommitLimit", 500);
	/* whole pages, as the kernel counts */
	fake.files[1].text = "33\n";
	render(defaults);
	SHOWS("CommitLimit", 328);
	/* kilobytes go before */
	fake.files[2] = (struct fake_file){ "/proc/sys/vm/overcommit_kbytes", "0\n" };
	render(defaults);
	SHOWS("CommitLimit", 328);
	fake.files[2].text = "4099\n";
	render(defaults);
	SHOWS("CommitLimit", 4096);
}

int main(void)
{
	test_format();
	test_options();
	test_clamps();
	test_v1_keys();
	test_swap();
	test_errors();
	test_overcommit();
	test_every_counter();
	test_w1_mapped_dirty_writeback_thp();
	test_w2_nothing_wraps();
	test_w11_host_cap();
	test_hugetlb();
	return done_testing();
}
