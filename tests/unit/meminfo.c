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
		if (split_line(line, &name, &number, &tail) && cursor_is(name, key, strlen(key)))
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
	CHECK(strstr(fake_buf, "\nHugePages_Total:       0\n"));
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
	for (unsigned int i = 0; i < STAT_COUNT; i++)
		fake.stat[i] = (struct fake_stat){ stat_keys[i].v2, 70 * MIB };
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

	for (unsigned int i = 0; i < STAT_COUNT; i++)
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
	fake_reset();
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -ENOENT);
	fake.files[0] = (struct fake_file){ "/proc/meminfo", "MemTotal\nMemTotalX: 5 kB\n" };
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -EINVAL);
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
	return done_testing();
}
