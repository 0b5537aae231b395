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
 * What may be seen is the table below and nothing else; what the host does not have
 * is not there.  The host's path is made from the table, and numbers: of what the
 * reader said only a word of small letters, in vulnerabilities/, is ever used.  What
 * tells of the neighbours (cpufreq, cpuidle times, thermal_throttle) is not there.
 */
#include <lxcfsd/plugin.h>

#include "cpus.h"
#include "cursor.h"
#include "output.h"

#define ROOT	  "/sys/devices/system/cpu"
#define PATH_SIZE 160
#define NAME_SIZE 64
#define TEXT_SIZE 32768 /* of a list or mask, or the names in a directory */

enum { OPT_POSSIBLE, OPT_COUNT };
enum { POSSIBLE_HOST, POSSIBLE_VISIBLE };

enum what {
	DIRECTORY,
	LINK,
	COPY, /* the host's text */
	LIST, /* of CPUs, cut */
	MASK,
	ONLINE,
	OFFLINE,
	POSSIBLE, /* all that there could be */
};

/* `#` stands for a number (the first one is that of a CPU), `*` for a word. */
struct rule {
	const char *path;
	enum what what;
};

/* clang-format off */
static const struct rule rules[] = {
	{ "online", ONLINE }, { "offline", OFFLINE },
	{ "possible", POSSIBLE }, { "present", POSSIBLE }, { "enabled", POSSIBLE },
	{ "isolated", LIST }, { "nohz_full", LIST },
	{ "kernel_max", COPY }, { "modalias", COPY }, { "uevent", COPY },
	{ "smt", DIRECTORY }, { "smt/active", COPY }, { "smt/control", COPY },
	{ "vulnerabilities", DIRECTORY }, { "vulnerabilities/*", COPY },
	{ "cpuidle", DIRECTORY }, { "cpuidle/available_governors", COPY },
	{ "cpuidle/current_driver", COPY }, { "cpuidle/current_governor", COPY },
	{ "cpuidle/current_governor_ro", COPY },

	{ "cpu#", DIRECTORY }, { "cpu#/online", COPY }, { "cpu#/uevent", COPY },
	{ "cpu#/cpu_capacity", COPY },
	{ "cpu#/address", COPY }, { "cpu#/polarization", COPY }, /* s390 */
	{ "cpu#/subsystem", LINK }, { "cpu#/driver", LINK }, { "cpu#/node#", LINK },
	{ "cpu#/regs", DIRECTORY }, { "cpu#/regs/identification", DIRECTORY }, /* arm64 */
	{ "cpu#/regs/identification/midr_el1", COPY },
	{ "cpu#/regs/identification/revidr_el1", COPY },

	{ "cpu#/topology", DIRECTORY },
	{ "cpu#/topology/physical_package_id", COPY }, { "cpu#/topology/die_id", COPY },
	{ "cpu#/topology/cluster_id", COPY }, { "cpu#/topology/core_id", COPY },
	{ "cpu#/topology/book_id", COPY }, { "cpu#/topology/drawer_id", COPY },
	{ "cpu#/topology/core_cpus", MASK }, { "cpu#/topology/core_cpus_list", LIST },
	{ "cpu#/topology/thread_siblings", MASK }, { "cpu#/topology/thread_siblings_list", LIST },
	{ "cpu#/topology/cluster_cpus", MASK }, { "cpu#/topology/cluster_cpus_list", LIST },
	{ "cpu#/topology/die_cpus", MASK }, { "cpu#/topology/die_cpus_list", LIST },
	{ "cpu#/topology/package_cpus", MASK }, { "cpu#/topology/package_cpus_list", LIST },
	{ "cpu#/topology/core_siblings", MASK }, { "cpu#/topology/core_siblings_list", LIST },
	{ "cpu#/topology/book_siblings", MASK }, { "cpu#/topology/book_siblings_list", LIST },
	{ "cpu#/topology/drawer_siblings", MASK }, { "cpu#/topology/drawer_siblings_list", LIST },

	{ "cpu#/cache", DIRECTORY }, { "cpu#/cache/index#", DIRECTORY },
	{ "cpu#/cache/index#/id", COPY }, { "cpu#/cache/index#/level", COPY },
	{ "cpu#/cache/index#/type", COPY }, { "cpu#/cache/index#/size", COPY },
	{ "cpu#/cache/index#/coherency_line_size", COPY },
	{ "cpu#/cache/index#/number_of_sets", COPY },
	{ "cpu#/cache/index#/physical_line_partition", COPY },
	{ "cpu#/cache/index#/ways_of_associativity", COPY },
	{ "cpu#/cache/index#/allocation_policy", COPY },
	{ "cpu#/cache/index#/write_policy", COPY }, { "cpu#/cache/index#/attributes", COPY },
	{ "cpu#/cache/index#/shared_cpu_list", LIST }, { "cpu#/cache/index#/shared_cpu_map", MASK },
};

static const struct lxcfsd_opt opts[OPT_COUNT] = {
	[OPT_POSSIBLE] = { .key = "possible", .type = LXCFSD_ENUM, .def = "host",
			   .choices = "host visible",
			   .help = "present and possible: the host's CPUs, or those that are seen" },
};
/* clang-format on */

/* ------------------------------------------------------------ what there is */

struct found {
	const struct rule *rule;
	struct lxcfsd_cpus cpus;
	char path[PATH_SIZE]; /* the host's */
};

/* A number as the kernel writes it, without zeros in front. */
static bool take_number(const char **at, uint64_t *ret)
{
	struct lxcfsd_text rest = { *at, strlen(*at) };

	if ((**at == '0' && (*at)[1] >= '0' && (*at)[1] <= '9') || !cursor_u64(&rest, ret))
		return false;
	*at = rest.data;
	return *ret < CPUS_MAX;
}

static bool take_word(const char **at)
{
	size_t len = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789_");

	*at += len;
	return len > 0 && len < NAME_SIZE && **at == '\0';
}

/* Does `below` follow the pattern?  Writes the host's path of it. */
static bool match(struct found *found, const char *pattern, const char *below)
{
	struct lxcfsd_out out = { .buf = found->path, .cap = PATH_SIZE - 1 };
	const char *at = below;
	bool first = true;
	uint64_t number;
	uint32_t n;

	lxcfsd_puts(&out, ROOT "/");
	for (; *pattern; pattern++) {
		const char *start = at;

		if (*pattern == '#') {
			if (!take_number(&at, &number))
				return false;
			if (first && !cpus_find_shown(&found->cpus, number, &n))
				return false;
			out_u64(&out, first ? found->cpus.ids[n] : number, 0);
			first = false;
		} else if (*pattern == '*') {
			if (!take_word(&at))
				return false;
			lxcfsd_put(&out, start, (size_t)(at - start));
		} else {
			if (*at++ != *pattern)
				return false;
			lxcfsd_put(&out, pattern, 1);
		}
	}
	found->path[out.len] = '\0';
	return *at == '\0' && !out.err;
}

static int find(const struct lxcfsd_services *svc, struct lxcfsd_request *req, const char *below,
		struct found *ret)
{
	int r = svc->cpus(req, &ret->cpus);

	ret->rule = NULL;
	if (r < 0)
		return r;
	for (size_t i = 0; i < LXCFSD_COUNT(rules); i++) {
		if (!match(ret, rules[i].path, below))
			continue;
		ret->rule = &rules[i];
		return 0;
	}
	return -ENOENT;
}

static uint32_t type_of(const struct rule *rule)
{
	return rule->what == DIRECTORY ? LXCFSD_DIR : rule->what == LINK ? LXCFSD_LINK : LXCFSD_REG;
}

static int cpu_lookup(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		      const char *below, struct lxcfsd_entry *ret)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_entry entry;
	struct found found;
	int r = find(svc, req, below, &found);

	(void)values;
	if (r == 0)
		r = svc->host_entry(req, found.path, &entry);
	if (r == -ENOENT && found.rule && found.rule->what == ONLINE) {
		entry = (struct lxcfsd_entry){ LXCFSD_REG, 0444 };
		r = 0;
	}
	if (r < 0)
		return r;
	if (entry.type != type_of(found.rule) || (entry.type == LXCFSD_REG && !(entry.mode & 0004)))
		return -ENOENT;
	*ret = entry;
	return 0;
}

/* ----------------------------------------------------------------- listings */

/* `name` in the directory `below`, if the reader has it. */
static int list_name(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		     const char *below, const char *name, struct lxcfsd_out *out)
{
	char path[PATH_SIZE];
	struct lxcfsd_entry entry;
	int n = snprintf(path, sizeof(path), "%s%s%s", below, *below ? "/" : "", name);
	int r;

	if (n < 0 || (size_t)n >= sizeof(path))
		return 0;
	r = cpu_lookup(state, values, req, path, &entry);
	if (r == 0)
		lxcfsd_name(out, entry.type, name);
	return r == -ENOENT ? 0 : r;
}

/* The root: what stands there, and the CPUs. */
static int list_root(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		     struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_cpus cpus;
	char name[NAME_SIZE];
	int r = 0;

	for (size_t i = 0; r == 0 && i < LXCFSD_COUNT(rules); i++)
		if (!strpbrk(rules[i].path, "#*/"))
			r = list_name(state, values, req, "", rules[i].path, out);
	if (r == 0)
		r = svc->cpus(req, &cpus);
	for (uint32_t n = 0; r == 0 && n < cpus.count; n++) {
		snprintf(name, sizeof(name), "cpu%u", cpus_shown(&cpus, n));
		r = list_name(state, values, req, "", name, out);
	}
	return r;
}

static int cpu_list(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		    const char *below, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	char buf[TEXT_SIZE];
	struct lxcfsd_out names = { .buf = buf, .cap = sizeof(buf) };
	struct lxcfsd_text rest;
	struct found found;
	const char *name;
	uint32_t type;
	int r;

	if (!*below)
		return list_root(state, values, req, out);
	r = find(svc, req, below, &found);
	if (r < 0)
		return r;
	if (found.rule->what != DIRECTORY)
		return -ENOENT;
	r = svc->host_list(req, found.path, &names);
	if (r == 0)
		r = names.err == -ENOSPC ? -EFBIG : names.err;
	rest = (struct lxcfsd_text){ buf, names.len };
	while (r == 0 && (name = lxcfsd_next_name(&rest, &type)))
		r = list_name(state, values, req, below, name, out);
	return r;
}

/* -------------------------------------------------------------------- texts */

static int host_text(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		     const char *path, char buf[TEXT_SIZE], struct lxcfsd_text *ret)
{
	struct lxcfsd_out out = { .buf = buf, .cap = TEXT_SIZE };
	int r = svc->host_copy(req, path, &out);

	if (r == 0)
		*ret = (struct lxcfsd_text){ buf, out.len };
	return r == -ENOSPC ? -EFBIG : r;
}

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
	char buf[TEXT_SIZE];
	int r = host_text(svc, req, ROOT "/possible", buf, &text);

	if (r == 0)
		r = cpus_each(text, add_unseen, &rest);
	cpus_list_end(&rest.list);
	lxcfsd_put(out, "\n", 1);
	return r;
}

static int put_cut(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		   const struct found *found, struct lxcfsd_out *out)
{
	struct lxcfsd_text text;
	char buf[TEXT_SIZE];
	int r = host_text(svc, req, found->path, buf, &text);

	if (r < 0)
		return r;
	return found->rule->what == MASK ? cpus_cut_mask(out, text, &found->cpus)
					 : cpus_cut_list(out, text, &found->cpus);
}

static int cpu_render(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		      const char *below, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	bool visible = values[OPT_POSSIBLE].u == POSSIBLE_VISIBLE;
	struct found found;
	int r = find(svc, req, below, &found);

	if (r < 0)
		return r;
	switch (found.rule->what) {
	case ONLINE:
		put_online(out, &found.cpus);
		return 0;
	case OFFLINE:
		if (!visible)
			return put_offline(svc, req, &found.cpus, out);
		lxcfsd_put(out, "\n", 1);
		return 0;
	case POSSIBLE:
		if (!visible)
			return svc->host_copy(req, found.path, out);
		put_online(out, &found.cpus);
		return 0;
	case LIST:
	case MASK:
		return put_cut(svc, req, &found, out);
	case COPY:
		return svc->host_copy(req, found.path, out);
	case DIRECTORY:
	case LINK:
		break;
	}
	return -ENOENT;
}

static int cpu_readlink(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
			const char *below, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct found found;
	int r = find(svc, req, below, &found);

	(void)values;
	if (r < 0)
		return r;
	return found.rule->what == LINK ? svc->host_link(req, found.path, out) : -ENOENT;
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
