/* SPDX-License-Identifier: MIT */
/*
 * sysnode - /sys/devices/system/node: the NUMA nodes whose memory the container may
 * use (its effective cpuset.mems), with its CPUs and its memory.
 *
 * The formats are those of drivers/base/node.c.  Lists of nodes are cut to the
 * visible ones, lists and masks of CPUs to the visible CPUs; nodes keep their
 * numbers, also with dense CPUs.  has_cpu has those with a visible CPU, `distance`
 * one column for each visible node.
 *
 * nodeN/meminfo has the host's lines.  MemTotal is the node's, at most the memory
 * limit; MemUsed what memory.numa_stat says of the container on this node; MemFree
 * the rest.  No line is more than MemTotal.  cgroup v1 knows only file, anonymous
 * and unevictable pages.  What the container has no number for is 0.
 */
#include <lxcfsd/plugin.h>

#include "arith.h"
#include "cpus.h"
#include "cursor.h"
#include "output.h"
#include "rules.h"

#define ROOT "/sys/devices/system/node"

enum {
	HOSTS, /* the host's text */
	CUT_NODES,
	CUT_LIST,
	CUT_MASK,
	HAS_CPU,
	DISTANCE,
	MEMINFO,
};

/* clang-format off */
#define DIR	LXCFSD_DIR, 0
#define LINK	LXCFSD_LINK, 0
#define FILE(w)	LXCFSD_REG, w

static const struct rule table[] = {
	{ "online", FILE(CUT_NODES) }, { "possible", FILE(CUT_NODES) },
	{ "has_cpu", FILE(HAS_CPU) }, { "has_memory", FILE(CUT_NODES) },
	{ "has_normal_memory", FILE(CUT_NODES) }, { "uevent", FILE(HOSTS) },
	{ "node@", DIR }, { "node@/cpu%", LINK },
	{ "node@/cpulist", FILE(CUT_LIST) }, { "node@/cpumap", FILE(CUT_MASK) },
	{ "node@/distance", FILE(DISTANCE) }, { "node@/meminfo", FILE(MEMINFO) },
};

static const struct rules rules = { ROOT, table, LXCFSD_COUNT(table), true };

enum {
	ANON, FILES, KERNEL_STACK, PAGETABLES, SEC_PAGETABLES, SHMEM, FILE_MAPPED, FILE_DIRTY,
	FILE_WRITEBACK, SWAPCACHED, ANON_THP, FILE_THP, SHMEM_THP, INACTIVE_ANON, ACTIVE_ANON,
	INACTIVE_FILE, ACTIVE_FILE, UNEVICTABLE, SLAB_RECLAIMABLE, SLAB_UNRECLAIMABLE, TOTAL,
	KEY_COUNT, NONE = KEY_COUNT,
};

static const struct lxcfsd_key keys[KEY_COUNT] = {
	[ANON]               = { "anon", "hierarchical_anon" },
	[FILES]              = { "file", "hierarchical_file" },
	[KERNEL_STACK]       = { "kernel_stack", NULL },
	[PAGETABLES]         = { "pagetables", NULL },
	[SEC_PAGETABLES]     = { "sec_pagetables", NULL },
	[SHMEM]              = { "shmem", NULL },
	[FILE_MAPPED]        = { "file_mapped", NULL },
	[FILE_DIRTY]         = { "file_dirty", NULL },
	[FILE_WRITEBACK]     = { "file_writeback", NULL },
	[SWAPCACHED]         = { "swapcached", NULL },
	[ANON_THP]           = { "anon_thp", NULL },
	[FILE_THP]           = { "file_thp", NULL },
	[SHMEM_THP]          = { "shmem_thp", NULL },
	[INACTIVE_ANON]      = { "inactive_anon", NULL },
	[ACTIVE_ANON]        = { "active_anon", NULL },
	[INACTIVE_FILE]      = { "inactive_file", NULL },
	[ACTIVE_FILE]        = { "active_file", NULL },
	[UNEVICTABLE]        = { "unevictable", "hierarchical_unevictable" },
	[SLAB_RECLAIMABLE]   = { "slab_reclaimable", NULL },
	[SLAB_UNRECLAIMABLE] = { "slab_unreclaimable", NULL },
	[TOTAL]              = { NULL, "hierarchical_total" },
};

/* The sum of two of them. */
static const struct {
	const char *name;
	int a, b;
} lines[] = {
	{ "SwapCached", SWAPCACHED, NONE },
	{ "Active", ACTIVE_ANON, ACTIVE_FILE },
	{ "Inactive", INACTIVE_ANON, INACTIVE_FILE },
	{ "Active(anon)", ACTIVE_ANON, NONE },
	{ "Inactive(anon)", INACTIVE_ANON, NONE },
	{ "Active(file)", ACTIVE_FILE, NONE },
	{ "Inactive(file)", INACTIVE_FILE, NONE },
	{ "Unevictable", UNEVICTABLE, NONE },
	{ "Dirty", FILE_DIRTY, NONE },
	{ "Writeback", FILE_WRITEBACK, NONE },
	{ "FilePages", FILES, NONE },
	{ "Mapped", FILE_MAPPED, NONE },
	{ "AnonPages", ANON, NONE },
	{ "Shmem", SHMEM, NONE },
	{ "KernelStack", KERNEL_STACK, NONE },
	{ "PageTables", PAGETABLES, NONE },
	{ "SecPageTables", SEC_PAGETABLES, NONE },
	{ "KReclaimable", SLAB_RECLAIMABLE, NONE },
	{ "Slab", SLAB_RECLAIMABLE, SLAB_UNRECLAIMABLE },
	{ "SReclaimable", SLAB_RECLAIMABLE, NONE },
	{ "SUnreclaim", SLAB_UNRECLAIMABLE, NONE },
	{ "AnonHugePages", ANON_THP, NONE },
	{ "ShmemHugePages", SHMEM_THP, NONE },
	{ "FileHugePages", FILE_THP, NONE },
};
/* clang-format on */

/* -------------------------------------------------------------------- memory */

struct memory {
	uint64_t total, used; /* KiB */
	uint64_t values[KEY_COUNT + 1];
};

/* "Node 0 MemTotal:   123 kB": the key, and what stands between the colon and " kB". */
static bool split_line(struct lxcfsd_text line, struct lxcfsd_text *ret_key,
		       struct lxcfsd_text *ret_number)
{
	const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
	const char *key = colon ? memrchr(line.data, ' ', (size_t)(colon - line.data)) : NULL;
	struct lxcfsd_text rest;
	uint64_t value;

	if (!key)
		return false;
	rest = (struct lxcfsd_text){ colon + 1, (size_t)(line.data + line.len - colon - 1) };
	cursor_blanks(&rest);
	if (!cursor_u64(&rest, &value))
		return false;
	*ret_key = (struct lxcfsd_text){ key + 1, (size_t)(colon - key - 1) };
	*ret_number = (struct lxcfsd_text){ colon + 1, (size_t)(rest.data - colon - 1) };
	return true;
}

static uint64_t value_of(const struct memory *memory, struct lxcfsd_text key)
{
	uint64_t value = 0;

	if (CURSOR_IS(key, "MemTotal"))
		return memory->total;
	if (CURSOR_IS(key, "MemUsed"))
		return memory->used;
	if (CURSOR_IS(key, "MemFree"))
		return memory->total - memory->used;
	for (size_t i = 0; i < LXCFSD_COUNT(lines); i++)
		if (cursor_is(key, lines[i].name, strlen(lines[i].name)))
			value = sat_add(memory->values[lines[i].a], memory->values[lines[i].b]);
	return min_u64(value / 1024, memory->total);
}

/* What of the node is in use, in bytes. */
static uint64_t used_bytes(const struct memory *memory)
{
	static const int parts[] = { ANON,
				     FILES,
				     KERNEL_STACK,
				     PAGETABLES,
				     SEC_PAGETABLES,
				     SLAB_RECLAIMABLE,
				     SLAB_UNRECLAIMABLE };
	uint64_t sum = 0;

	if (memory->values[TOTAL]) /* v1 */
		return memory->values[TOTAL];
	for (size_t i = 0; i < LXCFSD_COUNT(parts); i++)
		sum = sat_add(sum, memory->values[parts[i]]);
	return sum;
}

static int read_memory(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		       const struct rules_found *found, struct lxcfsd_text text,
		       struct memory *memory)
{
	struct lxcfsd_text line, key, number;
	uint64_t limit;
	int r = svc->limit(req, LXCFSD_MEM_MAX, &limit);

	if (r == 0)
		r = svc->numa_stat(req, found->node, keys, KEY_COUNT, memory->values);
	if (r < 0)
		return r;
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (memory->values[i] == LXCFSD_UNKNOWN)
			memory->values[i] = 0;
	memory->values[NONE] = 0;
	memory->total = LXCFSD_UNKNOWN;
	while (memory->total == LXCFSD_UNKNOWN && cursor_line(&text, &line)) {
		if (!split_line(line, &key, &number) || !CURSOR_IS(key, "MemTotal"))
			continue;
		cursor_blanks(&number);
		cursor_u64(&number, &memory->total);
	}
	if (memory->total == LXCFSD_UNKNOWN)
		return -ENODATA;
	memory->total = min_u64(memory->total, limit / 1024);
	memory->used = min_u64(used_bytes(memory) / 1024, memory->total);
	return 0;
}

static int put_memory(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		      const struct rules_found *found, struct lxcfsd_out *out)
{
	struct lxcfsd_text text, line, key, number;
	char buf[RULES_TEXT_SIZE];
	struct memory memory;
	int r = rules_text(svc, req, found->path, buf, &text);

	if (r == 0)
		r = read_memory(svc, req, found, text, &memory);
	if (r < 0)
		return r;
	while (cursor_line(&text, &line)) {
		const char *end = line.data + line.len;

		if (!split_line(line, &key, &number))
			continue; /* whatever it says, it is the host's */
		lxcfsd_put(out, line.data, (size_t)(number.data - line.data));
		out_u64(out, value_of(&memory, key), number.len);
		lxcfsd_put(out, number.data + number.len,
			   (size_t)(end - number.data - (ptrdiff_t)number.len));
		lxcfsd_put(out, "\n", 1);
	}
	return 0;
}

/* --------------------------------------------------------------------- nodes */

/* Has this node CPUs that are seen? */
static int has_cpu(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		   const struct lxcfsd_cpus *cpus, uint32_t node, bool *ret)
{
	char buf[RULES_TEXT_SIZE], cut[RULES_TEXT_SIZE], path[RULES_PATH_SIZE];
	struct lxcfsd_out out = { .buf = cut, .cap = sizeof(cut) };
	struct lxcfsd_text text;
	int r;

	snprintf(path, sizeof(path), ROOT "/node%u/cpulist", node);
	r = rules_text(svc, req, path, buf, &text);
	if (r == 0)
		r = cpus_cut_list(&out, text, cpus);
	if (r == 0)
		*ret = out.len > 1; /* more than a newline */
	return r;
}

static int put_has_cpu(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		       const struct rules_found *found, struct lxcfsd_out *out)
{
	struct cpus_list list = { .out = out };
	bool has = false;
	int r = 0;

	for (uint32_t n = 0; r == 0 && n < found->mems.count; n++) {
		r = has_cpu(svc, req, &found->cpus, found->mems.ids[n], &has);
		if (r == 0 && has)
			cpus_list_add(&list, found->mems.ids[n]);
	}
	cpus_list_end(&list);
	lxcfsd_put(out, "\n", 1);
	return r;
}

struct columns {
	const struct lxcfsd_cpus *mems;
	struct lxcfsd_out *out;
	struct lxcfsd_text rest; /* one number for each node that is online */
	bool begun;
	int error;
};

static void put_column(void *arg, uint32_t node)
{
	struct columns *c = arg;
	uint64_t distance;
	uint32_t n;

	cursor_blanks(&c->rest);
	if (!cursor_u64(&c->rest, &distance)) {
		c->error = -ENODATA;
		return;
	}
	if (!cpus_find(c->mems, node, &n))
		return;
	if (c->begun)
		lxcfsd_put(c->out, " ", 1);
	out_u64(c->out, distance, 0);
	c->begun = true;
}

static int put_distance(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			const struct rules_found *found, struct lxcfsd_out *out)
{
	struct columns columns = { .mems = &found->mems, .out = out };
	char buf[RULES_TEXT_SIZE], online[RULES_TEXT_SIZE];
	struct lxcfsd_text nodes;
	int r = rules_text(svc, req, found->path, buf, &columns.rest);

	if (r == 0)
		r = rules_text(svc, req, ROOT "/online", online, &nodes);
	if (r == 0)
		r = cpus_each(nodes, put_column, &columns);
	lxcfsd_put(out, "\n", 1);
	return r < 0 ? r : columns.error;
}

static int put_cut(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		   const struct rules_found *found, struct lxcfsd_out *out)
{
	char buf[RULES_TEXT_SIZE];
	struct lxcfsd_text text;
	int r = rules_text(svc, req, found->path, buf, &text);

	if (r < 0)
		return r;
	return found->rule->what == CUT_NODES  ? cpus_cut_list(out, text, &found->mems)
	       : found->rule->what == CUT_MASK ? cpus_cut_mask(out, text, &found->cpus)
					       : cpus_cut_list(out, text, &found->cpus);
}

/* ----------------------------------------------------------------- callbacks */

static int node_render(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		       const char *below, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct rules_found found;
	int r = rules_find(&rules, svc, req, below, &found);

	(void)values;
	if (r == 0 && found.rule->type != LXCFSD_REG)
		r = -ENOENT;
	if (r < 0)
		return r;
	switch (found.rule->what) {
	case HOSTS:
		return svc->host_copy(req, found.path, out);
	case HAS_CPU:
		return put_has_cpu(svc, req, &found, out);
	case DISTANCE:
		return put_distance(svc, req, &found, out);
	case MEMINFO:
		return put_memory(svc, req, &found, out);
	default:
		return put_cut(svc, req, &found, out);
	}
}

static int node_lookup(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		       const char *below, struct lxcfsd_entry *ret)
{
	(void)values;
	return rules_lookup(&rules, state, req, below, ret);
}

static int node_list(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
		     const char *below, struct lxcfsd_out *out)
{
	(void)values;
	return rules_list(&rules, state, req, below, out);
}

/* The only links there are: to a CPU, in the number that it is shown by. */
static int node_readlink(void *state, const union lxcfsd_value values[], struct lxcfsd_request *req,
			 const char *below, struct lxcfsd_out *out)
{
	struct rules_found found;
	int r = rules_find(&rules, state, req, below, &found);

	(void)values;
	if (r == 0 && found.rule->type != LXCFSD_LINK)
		r = -ENOENT;
	if (r == 0)
		lxcfsd_printf(out, "../../cpu/%s", strrchr(below, '/') + 1);
	return r;
}

static int sysnode_init(const struct lxcfsd_services *svc, const union lxcfsd_value values[],
			void **ret_state)
{
	(void)values;
	*ret_state = (void *)svc;
	return 0;
}

/* clang-format off */
static const struct lxcfsd_tree trees[] = {
	{ .path = ROOT, .controllers = LXCFSD_CPU | LXCFSD_CPUSET | LXCFSD_MEMORY,
	  .lookup = node_lookup, .list = node_list, .render = node_render,
	  .readlink = node_readlink },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "sysnode", .version = "1",
	.summary = "/sys/devices/system/node: the container's NUMA nodes",
	.trees = trees, .tree_count = LXCFSD_COUNT(trees),
	.init = sysnode_init,
};
/* clang-format on */
