/* SPDX-License-Identifier: MIT */
#include "../../plugins/swaps.c"

#include "check.h"
#include "fake_services.h"

#define MIB    (1024 * 1024ull)
#define HEADER "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
#define DEVICE "none                                    virtual\t\t"

static const union lxcfsd_value defaults[OPT_COUNT] = { [OPT_SWAP] = { .u = 1 } };

static void machine(void)
{
	fake_reset();
	fake.files[0] = (struct fake_file){ "/proc/meminfo", "MemTotal: 8388608 kB\n"
							     "SwapTotal: 2097152 kB\n"
							     "SwapFree: 1 kB\n" };
	fake.usages[LXCFSD_MEM_CURRENT] = 10 * MIB;
	fake.usages[LXCFSD_SWAP_CURRENT] = 16 * MIB;
}

static bool shows(const union lxcfsd_value values[], const char *text)
{
	int r;
	const char *got = fake_render(values, &r);
	bool same = got && strcmp(got, text) == 0;

	if (!same)
		printf("# error %d, got:\n%s", r, got ? got : "");
	return same;
}

static void test_format(void)
{
	machine();
	fake.limits[LXCFSD_SWAP_MAX] = 64 * MIB;
	CHECK(shows(defaults, HEADER DEVICE "65536\t\t16384\t\t0\n"));
	/* a number of eight digits is followed by one tab */
	fake.files[0].text = "MemTotal: 8388608 kB\nSwapTotal: 268435456 kB\n";
	fake.limits[LXCFSD_SWAP_MAX] = LXCFSD_NO_LIMIT;
	fake.usages[LXCFSD_SWAP_CURRENT] = 112640 * MIB;
	CHECK(shows(defaults, HEADER DEVICE "268435456\t115343360\t0\n"));
	fake.limits[LXCFSD_SWAP_MAX] = 10000000 * 1024ull;
	fake.usages[LXCFSD_SWAP_CURRENT] = 9999999 * 1024ull;
	CHECK(shows(defaults, HEADER DEVICE "10000000\t9999999\t\t0\n"));
}

static void test_no_swap(void)
{
	const union lxcfsd_value off[OPT_COUNT] = { 0 };

	machine();
	CHECK(shows(off, HEADER));
	fake.limits[LXCFSD_SWAP_MAX] = 0;
	CHECK(shows(defaults, HEADER));
	/* the host has none */
	machine();
	fake.files[0].text = "MemTotal: 8388608 kB\nSwapTotal: 0 kB\n";
	CHECK(shows(defaults, HEADER));
	/* nobody counts it */
	machine();
	fake.usages[LXCFSD_SWAP_CURRENT] = LXCFSD_UNKNOWN;
	CHECK(shows(defaults, HEADER));
}

/* A limit lowered below what is in use. */
static void test_w2_used_is_at_most_size(void)
{
	machine();
	fake.limits[LXCFSD_SWAP_MAX] = 8 * MIB;
	CHECK(shows(defaults, HEADER DEVICE "8192\t\t8192\t\t0\n"));
}

/* cgroup v1: the limit is one on memory and swap together. */
static void test_memsw(void)
{
	machine();
	fake.limits[LXCFSD_MEM_MAX] = fake.limits[LXCFSD_MEMSW_MAX] = 256 * MIB;
	fake.usages[LXCFSD_SWAPPINESS] = 60;
	CHECK(shows(defaults, HEADER DEVICE "262144\t\t16384\t\t0\n"));
	fake.usages[LXCFSD_SWAPPINESS] = 0;
	CHECK(shows(defaults, HEADER DEVICE "16384\t\t16384\t\t0\n"));
	fake.limits[LXCFSD_MEMSW_MAX] = LXCFSD_NO_LIMIT;
	fake.usages[LXCFSD_SWAPPINESS] = 60;
	CHECK(shows(defaults, HEADER DEVICE "2097152\t\t16384\t\t0\n"));
}

/* Reading it again gives the same bytes: no NUL, no line twice. */
static void test_w4_again(void)
{
	char first[256];
	int r;

	machine();
	snprintf(first, sizeof(first), "%s", fake_render(defaults, &r));
	CHECK(shows(defaults, first));
	CHECK(strlen(first) > 0 && first[strlen(first) - 1] == '\n');
}

static void test_errors(void)
{
	int r;

	machine();
	fake.error = -ENODEV;
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -ENODEV);
	fake_reset();
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -ENOENT);
}

int main(void)
{
	test_format();
	test_no_swap();
	test_w2_used_is_at_most_size();
	test_memsw();
	test_w4_again();
	test_errors();
	return done_testing();
}
