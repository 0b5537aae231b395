/* SPDX-License-Identifier: MIT */
/*
 * syscpu - /sys/devices/system/cpu: the CPUs that the container sees.
 *
 * The same CPUs as in cpuinfo and in the same numbers, as on a machine whose other
 * CPUs are offline.  Documentation/ABI/testing/sysfs-devices-system-cpu says what
 * each file is, drivers/base/cpu.c, topology.c and cacheinfo.c how it is printed:
 *
 *   online	the container's CPUs: what getconf(1) and the C library count
 *   possible, present, enabled
 *		the host's, so that what programs size by CPU number (per-CPU
 *		buffers, sched_getcpu()) stays large enough when a limit is
 *		raised; with `possible = visible` the same as online
 *   offline	possible without online
 *   cpuN	only the container's.  A real machine keeps a bare directory for a
 *		CPU that is offline, but many programs count the directories
 *		(htop, older C libraries), and they are to find what cpuinfo
 *		says.  With `possible = visible` there is no difference left.
 *   topology, cache
 *		of a visible CPU, with lists and masks cut to the visible ones;
 *		a mask has as many digits as the host's
 *
 * What may be seen is the table below and nothing else.  What tells of the neighbours
 * (cpufreq, idle times, thermal_throttle) is not in it.
 */
#include <lxcfsd/plugin.h>

#include "cpus.h"
#include "rules.h"

#define ROOT "/sys/devices/system/cpu"

enum { OPT_POSSIBLE, OPT_COUNT };
enum { POSSIBLE_HOST, POSSIBLE_VISIBLE };

enum {
	HOSTS, /* the host's text */
	CUT_LIST,
	CUT_MASK,
	THE_ONLINE,
	THE_OFFLINE,
	THE_POSSIBLE, /* all that there could be */
};

/* clang-format off */
#define DIR	 LXCFSD_DIR, 0
#define LINK	 LXCFSD_LINK, 0
#define COPY	 LXCFSD_REG, HOSTS
#define LIST	 LXCFSD_REG, CUT_LIST
#define MASK	 LXCFSD_REG, CUT_MASK
#define ONLINE	 LXCFSD_REG, THE_ONLINE
#define OFFLINE	 LXCFSD_REG, THE_OFFLINE
#define POSSIBLE LXCFSD_REG, THE_POSSIBLE

static const struct rule table[] = {
	{ "online", ONLINE }, { "offline", OFFLINE },
	{ "possible", POSSIBLE }, { "present", POSSIBLE }, { "enabled", POSSIBLE },
	{ "isolated", LIST }, { "nohz_full", LIST },
	{ "kernel_max", COPY }, { "modalias", COPY }, { "uevent", COPY },
	{ "smt", DIR }, { "smt/active", COPY }, { "smt/control", COPY },
	{ "vulnerabilities", DIR }, { "vulnerabilities/*", COPY },
	{ "cpuidle", DIR }, { "cpuidle/available_governors", COPY },
	{ "cpuidle/current_driver", COPY }, { "cpuidle/current_governor", COPY },
	{ "cpuidle/current_governor_ro", COPY },

	{ "cpu%", DIR }, { "cpu%/online", COPY }, { "cpu%/uevent", COPY },
	{ "cpu%/cpu_capacity", COPY },
	{ "cpu%/address", COPY }, { "cpu%/polarization", COPY }, /* s390 */
	{ "cpu%/subsystem", LINK }, { "cpu%/driver", LINK }, { "cpu%/node#", LINK },
	{ "cpu%/regs", DIR }, { "cpu%/regs/identification", DIR }, /* arm64 */
	{ "cpu%/regs/identification/midr_el1", COPY },
	{ "cpu%/regs/identification/revidr_el1", COPY },

	{ "cpu%/topology", DIR },
	{ "cpu%/topology/physical_package_id", COPY }, { "cpu%/topology/die_id", COPY },
	{ "cpu%/topology/cluster_id", COPY }, { "cpu%/topology/core_id", COPY },
	{ "cpu%/topology/book_id", COPY }, { "cpu%/topology/drawer_id", COPY },
	{ "cpu%/topology/core_cpus", MASK }, { "cpu%/topology/core_cpus_list", LIST },
	{ "cpu%/topology/thread_siblings", MASK }, { "cpu%/topology/thread_siblings_list", LIST },
	{ "cpu%/topology/cluster_cpus", MASK }, { "cpu%/topology/cluster_cpus_list", LIST },
	{ "cpu%/topology/die_cpus", MASK }, { "cpu%/topology/die_cpus_list", LIST },
	{ "cpu%/topology/package_cpus", MASK }, { "cpu%/topology/package_cpus_list", LIST },
	{ "cpu%/topology/core_siblings", MASK }, { "cpu%/topology/core_siblings_list", LIST },
	{ "cpu%/topology/book_siblings", MASK }, { "cpu%/topology/book_siblings_list", LIST },
	{ "cpu%/topology/drawer_siblings", MASK }, { "cpu%/topology/drawer_siblings_list", LIST },

	{ "cpu%/cache", DIR }, { "cpu%/cache/index#", DIR },
	{ "cpu%/cache/index#/id", COPY }, { "cpu%/cache/index#/level", COPY },
	{ "cpu%/cache/index#/type", COPY }, { "cpu%/cache/index#/size", COPY },
	{ "cpu%/cache/index#/coherency_line_size", COPY },
	{ "cpu%/cache/index#/number_of_sets", COPY },
	{ "cpu%/cache/index#/physical_line_partition", COPY },
	{ "cpu%/cache/index#/ways_of_associativity", COPY },
	{ "cpu%/cache/index#/allocation_policy", COPY },
	{ "cpu%/cache/index#/write_policy", COPY }, { "cpu%/cache/index#/attributes", COPY },
	{ "cpu%/cache/index#/shared_cpu_list", LIST }, { "cpu%/cache/index#/shared_cpu_map", MASK },
};

static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_POSSIBLE] = { .key = "possible", .type = LXCFSD_ENUM, .def = "host",
			   .choices = "host visible",
			   .help = "present and possible: the host's CPUs, or those that are seen" },
};
/* clang-format on */

static const struct rules rules = { ROOT, table, LXCFSD_COUNT(table), false };

static void put_online(struct lxcfsd_out *out, const struct lxcfsd_cpus *cpus)
{
	struct cpus_list list = { .out = out };

	for (uint32_t n = 0; n < cpus->count; n++)
		cpus_list_add(&list, cpus_shown(cpus, n));
	cpus_list_end(&list);
	lxcfsd_put(out, "\n", 1);
}

struct rest {
	struct cpus_list list;
	const struct lxcfsd_cpus *cpus;
};

static void add_unseen(void *arg, uint32_t number)
{
	struct rest *rest = arg;
	uint32_t n;

	if (!cpus_find_shown(rest->cpus, number, &n))
		cpus_list_add(&rest->list, number);
}

static int put_offline(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		       const struct lxcfsd_cpus *cpus, struct lxcfsd_out *out)
{
	struct rest rest = { .list = { .out = out }, .cpus = cpus };
	struct lxcfsd_text text;
	char buf[RULES_TEXT_SIZE];
	int r = rules_text(svc, req, ROOT "/possible", buf, &text);

	if (r == 0)
		r = cpus_each(text, add_unseen, &rest);
	cpus_list_end(&rest.list);
	lxcfsd_put(out, "\n", 1);
	return r;
}

static int put_cut(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		   const struct rules_found *found, struct lxcfsd_out *out)
{
	struct lxcfsd_text text;
	char buf[RULES_TEXT_SIZE];
	int r = rules_text(svc, req, found->path, buf, &text);

	if (r < 0)
		return r;
	return found->rule->what == CUT_MASK ? cpus_cut_mask(out, text, &found->cpus)
					     : cpus_cut_list(out, text, &found->cpus);
}

static int cpu_render(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		      const char *below, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	bool visible = values[OPT_POSSIBLE].u == POSSIBLE_VISIBLE;
	struct rules_found found;
	int r = rules_find(&rules, svc, req, below, &found);

	if (r < 0)
		return r;
	if (found.rule->type != LXCFSD_REG)
		return -ENOENT;
	switch (found.rule->what) {
	case THE_ONLINE:
		put_online(out, &found.cpus);
		return 0;
	case THE_OFFLINE:
		if (!visible)
			return put_offline(svc, req, &found.cpus, out);
		lxcfsd_put(out, "\n", 1);
		return 0;
	case THE_POSSIBLE:
		if (!visible)
			return svc->host_copy(req, found.path, out);
		put_online(out, &found.cpus);
		return 0;
	case CUT_LIST:
	case CUT_MASK:
		return put_cut(svc, req, &found, out);
	default:
		return svc->host_copy(req, found.path, out);
	}
}

static int cpu_lookup(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		      const char *below, struct lxcfsd_entry *ret)
{
	(void)values;
	return rules_lookup(&rules, state, req, below, ret);
}

static int cpu_list(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		    const char *below, struct lxcfsd_out *out)
{
	(void)values;
	return rules_list(&rules, state, req, below, out);
}

static int cpu_readlink(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
			const char *below, struct lxcfsd_out *out)
{
	(void)values;
	return rules_readlink(&rules, state, req, below, out);
}

static int syscpu_init(const struct lxcfsd_services *svc, const union lxcfsd_value values[],
		       void **ret_state)
{
	(void)values;
	*ret_state = (void *)svc;
	return 0;
}

/* clang-format off */
static const struct lxcfsd_tree trees[] = {
	{ .path = ROOT, .controllers = LXCFSD_CPU | LXCFSD_CPUSET, .lookup = cpu_lookup,
	  .list = cpu_list, .render = cpu_render, .readlink = cpu_readlink },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "syscpu", .version = "2",
	.summary = "/sys/devices/system/cpu: the container's CPUs",
	.trees = trees, .tree_count = LXCFSD_COUNT(trees),
	.opts = opts, .opt_count = OPT_COUNT,
	.init = syscpu_init,
};
/* clang-format on */
