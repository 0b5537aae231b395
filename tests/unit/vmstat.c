/* SPDX-License-Identifier: MIT */
#include "../../plugins/vmstat.c"

#include "check.h"
#include "fake_services.h"

#define MIB (1024 * 1024ull)

static const union lxcfsd_value defaults[OPT_COUNT] = { [OPT_SWAP] = { .u = 1 } };
static char host_text[16384];

/* The host has every line that is known, with numbers of others. */
static void machine(void)
{
	size_t len = 0;

	for (size_t i = 0; i < LXCFSD_COUNT(lines); i++)
		len += (size_t)snprintf(host_text + len, sizeof(host_text) - len, "%s 7777777\n",
					lines[i].key);
	fake_reset();
	fake.files[0] = (struct fake_file){ "/proc/meminfo", "MemTotal: 8388608 kB\n"
							     "MemFree: 4194304 kB\n"
							     "MemAvailable: 4100000 kB\n"
							     "SwapTotal: 2097152 kB\n" };
	fake.files[1] = (struct fake_file){ "/proc/vmstat", host_text };
	fake.usages[LXCFSD_MEM_CURRENT] = 1024 * MIB;
	fake.usages[LXCFSD_SWAP_CURRENT] = 0;
}

/* The number of a line of the last output; UINT64_MAX when there is none. */
static uint64_t number_of(const char *name)
{
	struct lxcfsd_text text = { fake_buf, strlen(fake_buf) }, line, key;
	uint64_t number;

	while (cursor_line(&text, &line))
		if (split_line(line, &key, &number) && cursor_is(key, name, strlen(name)))
			return number;
	return UINT64_MAX;
}

#define SHOWS(key, number) CHECK_U64(number_of(key), (number))

static void render(const union lxcfsd_value values[])
{
	CHECK(fake_render(values, &(int){ 0 }));
}

static void set_stat(size_t at, const char *key, uint64_t value)
{
	fake.stat[at] = (struct fake_stat){ key, value };
}

static void test_pages(void)
{
	machine();
	fake.limits[LXCFSD_MEM_MAX] = 4096 * MIB;
	set_stat(0, "file", 400 * MIB);
	set_stat(1, "swapcached", 4 * MIB);
	set_stat(2, "kernel_stack", 64 * 1024);
	set_stat(3, "anon", 100 * MIB);
	set_stat(4, "anon_thp", 10 * MIB);
	set_stat(5, "file_dirty", 8 * MIB);
	set_stat(6, "file_writeback", 4 * MIB);
	set_stat(7, "slab_reclaimable", 4097);
	set_stat(8, "hugetlb", 8 * MIB);
	set_stat(9, "active_file", 300 * MIB);
	render(defaults);
	SHOWS("nr_free_pages", 3072 * 256);
	SHOWS("nr_file_pages", 404 * 256); /* with the swap cache, as in the kernel */
	SHOWS("nr_swapcached", 4 * 256);
	SHOWS("nr_kernel_stack", 64); /* kB */
	SHOWS("nr_anon_pages", 100 * 256);
	SHOWS("nr_anon_transparent_hugepages", 5);
	SHOWS("nr_zone_write_pending", 12 * 256);
	SHOWS("nr_slab_reclaimable", 1);
	SHOWS("nr_hugetlb", 2048);
	SHOWS("nr_active_file", 300 * 256);
	SHOWS("nr_zone_active_file", 300 * 256);
	/* huge pages of another size */
	fake.files[2] = (struct fake_file){ "/sys/kernel/mm/transparent_hugepage/hpage_pmd_size",
					    "1048576\n" };
	render(defaults);
	SHOWS("nr_anon_transparent_hugepages", 10);
	fake.files[2].text = "0\n";
	render(defaults);
	SHOWS("nr_anon_transparent_hugepages", 5);
}

/* Every event has its line, none another's, and nothing is the host's. */
static void test_events(void)
{
	machine();
	for (unsigned int i = 0; i < KEY_COUNT; i++)
		set_stat(i, stat_keys[i].v2, 1000 + i);
	render(defaults);
	for (unsigned int i = 0; i < EVENT_COUNT; i++)
		SHOWS(stat_keys[i].v2, 1000 + i);
	SHOWS("pgpgin", 0);
	SHOWS("oom_kill", 0);
	CHECK(!strstr(fake_buf, "7777777"));
}

static void test_v1(void)
{
	machine();
	fake.v1 = true;
	set_stat(0, "total_pgfault", 11);
	set_stat(1, "total_pgmajfault", 12);
	set_stat(2, "pgfault", 99);
	set_stat(3, "total_pgpgin", 13); /* pages charged: not what the line says */
	set_stat(4, "total_workingset_refault_file", 14);
	render(defaults);
	SHOWS("pgfault", 11);
	SHOWS("pgmajfault", 12);
	SHOWS("pgpgin", 0);
	SHOWS("workingset_refault_file", 14);
}

static void test_old_sums(void)
{
	machine();
	set_stat(0, "pgscan", 50);
	set_stat(1, "pgsteal", 40);
	render(defaults);
	SHOWS("pgscan_direct", 50);
	SHOWS("pgscan_kswapd", 0);
	SHOWS("pgsteal_direct", 40);
	/* where the parts are given they are all there is */
	set_stat(2, "pgscan_direct", 5);
	set_stat(3, "pgsteal_direct", 0);
	render(defaults);
	SHOWS("pgscan_direct", 5);
	SHOWS("pgsteal_direct", 0);
}

static void test_options(void)
{
	union lxcfsd_value values[OPT_COUNT] = { 0 };

	machine();
	fake.files[1].text = "nr_free_pages 5\nnew_thing 6\npswpin 7\nnr_swapcached 8\n"
			     "nr_free_pages_x 1\nno_number\nzswpin x\n 4\nnr_dirty 1 2\n";
	set_stat(0, "pswpin", 70);
	set_stat(1, "swapcached", MIB);
	render(defaults);
	CHECK(strcmp(fake_buf, "nr_free_pages 1835008\nnew_thing 0\npswpin 70\n"
			       "nr_swapcached 256\nnr_free_pages_x 0\n") == 0);
	values[OPT_HOST_CAP].u = 1;
	values[OPT_UNKNOWN].u = UNKNOWN_HOST;
	render(values);
	CHECK(strcmp(fake_buf, "nr_free_pages 1025000\nnew_thing 6\npswpin 0\n"
			       "nr_swapcached 0\nnr_free_pages_x 1\n") == 0);
	values[OPT_UNKNOWN].u = UNKNOWN_DROP;
	render(values);
	CHECK(strcmp(fake_buf, "nr_free_pages 1025000\npswpin 0\nnr_swapcached 0\n") == 0);
}

static void test_w2_nothing_wraps(void)
{
	machine();
	fake.limits[LXCFSD_MEM_MAX] = 20 * MIB;
	for (unsigned int i = 0; i < MEMORY_STAT_COUNT; i++)
		set_stat(i, memory_stat_keys[i].v2, UINT64_MAX - 1);
	render(defaults);
	SHOWS("nr_free_pages", 0);
	SHOWS("nr_file_pages", 20 * 256);
	SHOWS("nr_anon_pages", 0);
	SHOWS("nr_inactive_file", 20 * 256);
}

static void test_errors(void)
{
	int r;

	machine();
	fake.error = -ENODEV;
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -ENODEV);
	fake.error = 0;
	fake.files[1].path = NULL;
	CHECK(!fake_render(defaults, &r));
	CHECK(r == -ENOENT);
}

int main(void)
{
	test_pages();
	test_events();
	test_v1();
	test_old_sums();
	test_options();
	test_w2_nothing_wraps();
	test_errors();
	return done_testing();
}
