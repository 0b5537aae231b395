/* SPDX-License-Identifier: MIT */
/*
 * cpuinfo - /proc/cpuinfo with the records of the container's CPUs.
 *
 * The text is the host's, cut by record; what belongs to no CPU stays.  The
 * formats are those of show_cpuinfo() in the kernel's arch directories:
 *
 *   x86, arm, arm64, riscv, loongarch, mips, powerpc: a record begins with
 *	"processor : N" and ends with an empty line.  Before the first and
 *	behind the last one can be lines about the machine: "system type" on
 *	mips and loongarch, "Hardware" on arm, "timebase" on powerpc.
 *   s390: a summary with "# processors : COUNT", one line "processor N: ..."
 *	for each CPU, and for each CPU an empty line and a record that begins
 *	with "cpu number : N".
 *
 * With dense numbering N becomes the place among the visible CPUs.  "siblings"
 * and "cpu cores" are at most the number of visible CPUs: there are no more.
 * All other lines of a record are the host's.
 */
#include <lxcfsd/plugin.h>

#include "cpus.h"
#include "cursor.h"
#include "output.h"

/* What the lines that are being read belong to. */
enum place {
	MACHINE, /* no CPU */
	RECORD,	 /* from "processor : N" to an empty line */
	BLOCK,	 /* s390, from an empty line and "cpu number : N" to the next */
};

struct filter {
	struct lxcfsd_cpus cpus;
	struct lxcfsd_out *out;
	enum place place;
	bool visible;	     /* the record that is being read */
	const char *pending; /* what is not yet written begins here */
	unsigned int found;  /* visible records */
};

/* Writes or drops what was read up to `end`.  Lines are copied in as few pieces
 * as can be: a machine with 256 CPUs has 400 kB of them. */
static void flush(struct filter *f, const char *end)
{
	if (f->visible)
		lxcfsd_put(f->out, f->pending, (size_t)(end - f->pending));
	f->pending = end;
}

/* Puts `number` in the place of the digits from `begin` to `end`. */
static void replace(struct filter *f, const char *begin, const char *end, uint64_t number)
{
	flush(f, begin);
	if (f->visible)
		out_u64(f->out, number, 0);
	f->pending = end;
}

/* A CPU's record begins at `start`; its number stands at `digits`. */
static void begin_cpu(struct filter *f, const char *start, enum place place,
		      struct lxcfsd_text digits)
{
	struct lxcfsd_text rest = digits;
	uint64_t id;
	uint32_t index;

	if (!cursor_u64(&rest, &id))
		return;
	flush(f, start);
	f->place = place;
	f->visible = cpus_find(&f->cpus, id, &index);
	f->found += f->visible;
	if (f->visible && f->cpus.dense)
		replace(f, digits.data, rest.data, index);
}

static void end_cpu(struct filter *f, const char *end)
{
	flush(f, end);
	f->place = MACHINE;
	f->visible = true;
}

/* A line within a record. */
static void limit_count(struct filter *f, struct lxcfsd_text key, struct lxcfsd_text value)
{
	const char *digits = value.data;
	uint64_t number;

	if (!CURSOR_IS(key, "siblings") && !CURSOR_IS(key, "cpu cores"))
		return;
	if (cursor_u64(&value, &number) && number > f->cpus.count)
		replace(f, digits, value.data, f->cpus.count);
}

/* s390's "processor 3: version = ..." is a record in one line. */
static bool one_line_record(struct filter *f, const char *start, const char *next,
			    struct lxcfsd_text key)
{
	static const char word[] = "processor ";
	const size_t len = sizeof(word) - 1;
	struct lxcfsd_text digits, rest;
	uint64_t id;

	if (key.len <= len || memcmp(key.data, word, len) != 0)
		return false;
	digits = rest = (struct lxcfsd_text){ key.data + len, key.len - len };
	if (!cursor_u64(&rest, &id) || rest.len != 0)
		return false;
	begin_cpu(f, start, RECORD, digits);
	end_cpu(f, next);
	return true;
}

/* One line from `line` to `next`; `before` is where it begins together with the
 * empty line in front of it. */
static void filter_line(struct filter *f, struct lxcfsd_text line, const char *before,
			const char *next)
{
	struct lxcfsd_text key, value, rest;
	uint64_t number;

	if (line.len == 0) {
		if (f->place == RECORD)
			end_cpu(f, next);
		return;
	}
	/* All the keys that matter begin with one of these. */
	if (!strchr("pcs#", line.data[0]) || !cursor_field(line, &key, &value))
		return;
	if (CURSOR_IS(key, "processor")) {
		begin_cpu(f, line.data, RECORD, value);
	} else if (CURSOR_IS(key, "cpu number")) {
		begin_cpu(f, before, BLOCK, value);
	} else if (f->place != MACHINE) {
		limit_count(f, key, value);
	} else if (CURSOR_IS(key, "# processors")) {
		rest = value;
		if (cursor_u64(&rest, &number))
			replace(f, value.data, rest.data, f->cpus.count);
	} else {
		one_line_record(f, line.data, next, key);
	}
}

static int cpuinfo_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
			void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static int cpuinfo_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			  struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct filter f = { .out = out, .place = MACHINE, .visible = true };
	struct lxcfsd_text text, line;
	const char *before;
	int r;

	(void)opts;
	r = svc->host_file(req, "/proc/cpuinfo", &text);
	if (r < 0)
		return r;
	r = svc->cpus(req, &f.cpus);
	if (r < 0)
		return r;
	f.pending = before = text.data;
	while (cursor_line(&text, &line)) {
		filter_line(&f, line, before, text.data);
		before = line.len == 0 ? line.data : text.data;
	}
	flush(&f, text.data);
	/* A format that we do not know, or CPUs that went away just now: a
	 * machine without CPUs is nothing that a reader could use. */
	return f.found ? 0 : -ENODATA;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/cpuinfo", .mode = 0444, .controllers = LXCFSD_CPU | LXCFSD_CPUSET,
	  .render = cpuinfo_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "cpuinfo", .version = "1",
	.summary = "/proc/cpuinfo: the container's CPUs",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.init = cpuinfo_init,
};
/* clang-format on */
