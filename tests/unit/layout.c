/* SPDX-License-Identifier: MIT */
/* layout - which hierarchies a mountinfo describes. */
#include "check.h"
#include "fixture.h"
#include "layout.h"
#include "text.h"

static struct roots roots;
static struct layout layout;

static int read_it(void)
{
	int r = roots_open(&roots, fixture_root);

	return r < 0 ? r : layout_read(&layout, &roots);
}

static void done(void)
{
	layout_done(&layout);
	roots_close(&roots);
}

static const char *key_of(uint32_t controller)
{
	const struct hierarchy *h = layout_find(&layout, controller);

	return h ? h->key : NULL;
}

static void test_v2(void)
{
	fixture_v2();
	CHECK(read_it() == 0);
	CHECK_U64(layout.count, 1);
	CHECK(layout.list[0].v2 && layout.list[0].fd >= 0);
	CHECK_U64(layout.list[0].controllers, LXCFSD_CPU | LXCFSD_CPUACCT | LXCFSD_CPUSET |
						      LXCFSD_MEMORY | LXCFSD_IO | LXCFSD_PIDS |
						      LXCFSD_HUGETLB);
	CHECK(layout_by_controllers(&layout, text_of("")) == &layout.list[0]);
	CHECK(layout_by_controllers(&layout, text_of("memory")) == NULL);
	done();
}

static void test_v1(void)
{
	fixture_v1();
	CHECK(read_it() == 0);
	CHECK_U64(layout.count, 5);
	CHECK_STR(key_of(LXCFSD_CPU), "cpu,cpuacct");
	CHECK_STR(key_of(LXCFSD_CPUACCT), "cpu,cpuacct");
	CHECK_STR(key_of(LXCFSD_MEMORY), "memory");
	CHECK(key_of(LXCFSD_IO) == NULL);
	CHECK_STR(layout_by_controllers(&layout, text_of("cpuacct,cpu"))->key, "cpu,cpuacct");
	CHECK_STR(layout_by_controllers(&layout, text_of("name=systemd"))->key, "name=systemd");
	CHECK(layout_by_controllers(&layout, text_of("name=system")) == NULL);
	CHECK(layout_by_controllers(&layout, text_of("")) == NULL);
	done();
}

static void test_hybrid(void)
{
	fixture_hybrid();
	CHECK(read_it() == 0);
	CHECK_U64(layout.count, 6);
	CHECK_STR(key_of(LXCFSD_MEMORY), "memory");
	CHECK_STR(key_of(LXCFSD_IO), "");
	CHECK(layout_find(&layout, LXCFSD_IO)->v2);
	CHECK_STR(key_of(LXCFSD_CPUACCT), "cpu,cpuacct");
	done();
}

static void test_cover(void)
{
	/* twice mounted, a part before the whole, over-mounted, escaped, garbage */
	fixture_begin();
	fixture_dir("/a");
	fixture_dir("/part");
	fixture_dir("/with blank\\x");
	fixture_file("/proc/self/mountinfo",
		     "\n1\n1 2 3\nnonsense - cgroup\n"
		     "30 1 0:20 / /a rw - cgroup cgroup rw,memory\n"
		     "31 1 0:21 / /a rw - cgroup cgroup rw,pids\n"
		     "32 1 0:22 /docker/x /part rw - cgroup cgroup rw,cpu\n"
		     "33 1 0:22 / /with\\040blank\\134x rw - cgroup cgroup rw,cpu\n"
		     "34 1 0:21 / /part rw - cgroup cgroup rw,pids\n"
		     "35 1 0:23 / /missing rw - cgroup cgroup rw,cpuset\n"
		     "36 1 0:24 / /../etc rw - cgroup cgroup rw,blkio\n"
		     "37 1 0:25 / /a/../b rw - cgroup2 cgroup2 rw\n");
	CHECK(read_it() == 0);
	CHECK(key_of(LXCFSD_MEMORY) == NULL);
	CHECK_STR(key_of(LXCFSD_PIDS), "pids");
	CHECK_STR(key_of(LXCFSD_CPU), "cpu");
	CHECK_STR(layout_find(&layout, LXCFSD_CPU)->top, "/");
	CHECK(key_of(LXCFSD_CPUSET) == NULL);
	CHECK(key_of(LXCFSD_IO) == NULL);
	CHECK_U64(layout.count, 2);
	done();
}

static void test_part(void)
{
	const struct hierarchy *h;
	struct lxcfsd_text below;

	fixture_begin();
	fixture_dir("/part");
	fixture_file("/proc/self/mountinfo",
		     "32 1 0:22 /docker/x /part rw - cgroup cgroup rw,cpu\n");
	CHECK(read_it() == 0);
	h = layout_find(&layout, LXCFSD_CPU);
	CHECK(h && hierarchy_below(h, text_of("/docker/x"), &below) && text_is(below, ""));
	CHECK(h && hierarchy_below(h, text_of("/docker/x/y"), &below) && text_is(below, "y"));
	CHECK(h && !hierarchy_below(h, text_of("/docker/xy"), &below));
	CHECK(h && !hierarchy_below(h, text_of("/docker"), &below));
	CHECK(h && !hierarchy_below(h, text_of("/docker/x/../y"), &below));
	done();
}

static void test_many(void)
{
	char text[8192];
	size_t len = 0;

	fixture_begin();
	for (int i = 0; i < 40; i++) {
		char dir[32];

		snprintf(dir, sizeof(dir), "/m%d", i);
		fixture_dir(dir);
		len += (size_t)snprintf(text + len, sizeof(text) - len,
					"%d 1 0:%d / /m%d rw - cgroup cgroup rw,name=n%d\n", i + 9,
					i + 9, i, i);
	}
	fixture_file("/proc/self/mountinfo", "%s", text);
	CHECK(read_it() == -E2BIG);
	roots_close(&roots);
	fixture_file("/proc/self/mountinfo", "%s", "");
	CHECK(read_it() == 0);
	CHECK_U64(layout.count, 0);
	done();
}

int main(void)
{
	test_v2();
	test_v1();
	test_hybrid();
	test_cover();
	test_part();
	test_many();
	return done_testing();
}
