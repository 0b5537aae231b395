/* SPDX-License-Identifier: MIT */
/* What a container may ask to be changed in its cgroups. */
#include <errno.h>

#include <lxcfsd/plugin.h>

#include "cgroup_rules.h"
#include "check.h"

static bool may(const char *hierarchy, const char *rest, uint32_t kind)
{
	int r = cgroup_rules_check(hierarchy, rest, false, kind);

	CHECK(r == 0 || r == -EPERM);
	return r == 0;
}

static bool may_write(const char *hierarchy, const char *rest)
{
	bool open = may(hierarchy, rest, LXCFSD_CHANGE_OPEN);

	CHECK(may(hierarchy, rest, LXCFSD_CHANGE_WRITE) == open);
	return open;
}

static void test_own(void)
{
	static const char *const limits[] = { "memory.max",	"cpu.max",
					      "pids.max",	"cgroup.freeze",
					      "cgroup.kill",	"cgroup.type",
					      "memory.reclaim", "cgroup.max.depth",
					      "cgroup.procs.x", "" };
	static const char *const delegated[] = { "cgroup.procs", "cgroup.threads",
						 "cgroup.subtree_control" };

	for (size_t i = 0; i < LXCFSD_COUNT(limits); i++)
		CHECK(!may_write("", limits[i]));
	for (size_t i = 0; i < LXCFSD_COUNT(delegated); i++) {
		CHECK(may_write("", delegated[i]));
		/* or it could keep the host from them */
		CHECK(!may("", delegated[i], LXCFSD_CHANGE_OWNER));
		CHECK(!may("", delegated[i], LXCFSD_CHANGE_MODE));
	}
	CHECK(may_write("memory", "tasks"));
	CHECK(!may_write("memory", "memory.limit_in_bytes"));
	/* itself */
	CHECK(!may("", "", LXCFSD_CHANGE_RMDIR));
	CHECK(!may("", "", LXCFSD_CHANGE_OWNER));
	CHECK(cgroup_rules_check("", "", true, LXCFSD_CHANGE_MODE) == -EPERM);
}

static void test_below(void)
{
	CHECK(may_write("", "x/memory.max"));
	CHECK(may_write("", "x/y/cgroup.kill"));
	CHECK(may_write("memory", "x/memory.limit_in_bytes"));
	CHECK(may("", "x", LXCFSD_CHANGE_MKDIR));
	CHECK(may("", "x/y", LXCFSD_CHANGE_RMDIR));
	CHECK(may("", "x/memory.max", LXCFSD_CHANGE_OWNER));
	CHECK(cgroup_rules_check("", "x", true, LXCFSD_CHANGE_OWNER) == 0);
	CHECK(cgroup_rules_check("", "x", true, LXCFSD_CHANGE_MODE) == 0);
	/* a cgroup may be called like a file that is refused */
	CHECK(may("memory", "devices.d", LXCFSD_CHANGE_MKDIR));
}

static void test_ways_out(void)
{
	static const char *const names[] = {
		"release_agent",   "notify_on_release",	   "devices.allow",	   "devices.deny",
		"devices.list",	   "cgroup.event_control", "memory.pressure",	   "cpu.pressure",
		"net_cls.classid", "net_prio.ifpriomap",   "memory.use_hierarchy", "blkio.weight"
	};
	char below[64];

	for (size_t i = 0; i < LXCFSD_COUNT(names); i++) {
		snprintf(below, sizeof(below), "x/%s", names[i]);
		CHECK(!may_write("memory", below));
		CHECK(!may_write("", names[i]));
		CHECK(!may("memory", below, LXCFSD_CHANGE_OWNER));
		CHECK(!may("memory", below, LXCFSD_CHANGE_MODE));
	}
}

static void test_hierarchies(void)
{
	static const char *const refused[] = { "blkio", "net_cls,net_prio", "net_prio", "debug",
					       "cpu,blkio" };
	static const char *const allowed[] = { "",	 "memory",  "cpu,cpuacct", "cpuset",
					       "pids",	 "freezer", "hugetlb",	   "systemd",
					       "blkios", "devices" };

	for (size_t i = 0; i < LXCFSD_COUNT(refused); i++) {
		CHECK(!may(refused[i], "x", LXCFSD_CHANGE_MKDIR));
		CHECK(!may_write(refused[i], "cgroup.procs"));
		CHECK(!may_write(refused[i], "x/cgroup.procs"));
		CHECK(cgroup_rules_check(refused[i], "x", true, LXCFSD_CHANGE_OWNER) == -EPERM);
	}
	for (size_t i = 0; i < LXCFSD_COUNT(allowed); i++)
		CHECK(may(allowed[i], "x", LXCFSD_CHANGE_MKDIR));
}

static void test_goes_below(void)
{
	CHECK(cgroup_rules_goes_below("x", LXCFSD_CHANGE_MKDIR));
	CHECK(cgroup_rules_goes_below("x/cgroup.procs", LXCFSD_CHANGE_WRITE));
	CHECK(cgroup_rules_goes_below("x/tasks", LXCFSD_CHANGE_WRITE));
	CHECK(!cgroup_rules_goes_below("cgroup.procs", LXCFSD_CHANGE_WRITE));
	CHECK(!cgroup_rules_goes_below("x/memory.max", LXCFSD_CHANGE_WRITE));
	CHECK(!cgroup_rules_goes_below("x", LXCFSD_CHANGE_RMDIR));
}

int main(void)
{
	test_own();
	test_below();
	test_ways_out();
	test_hierarchies();
	test_goes_below();
	return done_testing();
}
