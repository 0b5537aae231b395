/* SPDX-License-Identifier: MIT */
/*
 * pressure - /proc/pressure: for how long the container waited for CPUs, memory,
 * disks and interrupts.
 *
 * The *.pressure files of the container's cgroup on cgroup2, as they are
 * (Documentation/accounting/psi.rst; psi_show() of kernel/sched/psi.c).  They count
 * with no controller enabled, so also on a hybrid host, if the container has a
 * cgroup of its own there.  Where it has none, or its cgroup does not count, the
 * host's lines with zeros.
 *
 * A file is there only when the host has it: PSI may be switched off, and
 * pressure by interrupts came with Linux 6.1.  With `triggers` a container may arm the
 * triggers of its own cgroup.
 */
#include <lxcfsd/plugin.h>

#include "cursor.h"
#include "output.h"

enum opt { OPT_TRIGGERS };

static bool take(struct lxcfsd_text *rest, const char *word)
{
	size_t len = strlen(word);

	if (rest->len < len || memcmp(rest->data, word, len) != 0)
		return false;
	*rest = (struct lxcfsd_text){ rest->data + len, rest->len - len };
	return true;
}

/* A percentage with two decimals behind its key. */
static bool take_average(struct lxcfsd_text *rest, const char *key)
{
	struct lxcfsd_text decimals;
	uint64_t number;

	if (!take(rest, key) || !cursor_u64(rest, &number) || !take(rest, "."))
		return false;
	decimals = *rest;
	return cursor_u64(rest, &number) && decimals.len - rest->len == 2;
}

/* "some avg10=0.00 avg60=0.00 avg300=0.00 total=0"; *ret_kind is "some" or "full". */
static bool is_pressure(struct lxcfsd_text line, struct lxcfsd_text *ret_kind)
{
	struct lxcfsd_text rest = line;
	uint64_t total;

	if (!take(&rest, "some") && !take(&rest, "full"))
		return false;
	*ret_kind = (struct lxcfsd_text){ line.data, line.len - rest.len };
	return take_average(&rest, " avg10=") && take_average(&rest, " avg60=") &&
	       take_average(&rest, " avg300=") && take(&rest, " total=") &&
	       cursor_u64(&rest, &total) && rest.len == 0;
}

static int put_own(struct lxcfsd_out *out, struct lxcfsd_text text)
{
	struct lxcfsd_text rest = text, line, kind;

	if (text.len == 0 || text.data[text.len - 1] != '\n')
		return -EINVAL;
	while (cursor_line(&rest, &line))
		if (!is_pressure(line, &kind))
			return -EINVAL;
	out_text(out, text);
	return 0;
}

static int put_zeros(struct lxcfsd_out *out, struct lxcfsd_text host)
{
	struct lxcfsd_text line, kind;

	while (cursor_line(&host, &line)) {
		if (!is_pressure(line, &kind))
			return -EINVAL;
		out_text(out, kind);
		lxcfsd_puts(out, " avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
	}
	return 0;
}

static int render(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		  enum lxcfsd_control which, const char *path, struct lxcfsd_out *out)
{
	struct lxcfsd_text text;
	int r = svc->control(req, which, &text);

	if (r == 0)
		return put_own(out, text);
	/* cgroup.pressure can switch it off for one cgroup */
	if (r != -ENOENT && r != -EOPNOTSUPP)
		return r;
	r = svc->host_file(req, path, &text);
	return r < 0 ? r : put_zeros(out, text);
}

static int cpu_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		      struct lxcfsd_out *out)
{
	(void)opts;
	return render(state, req, LXCFSD_CPU_PRESSURE, "/proc/pressure/cpu", out);
}

static int cpu_trigger(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req)
{
	(void)state, (void)req;
	return opts[OPT_TRIGGERS].u ? LXCFSD_CPU_PRESSURE : -EPERM;
}

static int memory_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			 struct lxcfsd_out *out)
{
	(void)opts;
	return render(state, req, LXCFSD_MEMORY_PRESSURE, "/proc/pressure/memory", out);
}

static int memory_trigger(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req)
{
	(void)state, (void)req;
	return opts[OPT_TRIGGERS].u ? LXCFSD_MEMORY_PRESSURE : -EPERM;
}

static int io_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		     struct lxcfsd_out *out)
{
	(void)opts;
	return render(state, req, LXCFSD_IO_PRESSURE, "/proc/pressure/io", out);
}

static int io_trigger(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req)
{
	(void)state, (void)req;
	return opts[OPT_TRIGGERS].u ? LXCFSD_IO_PRESSURE : -EPERM;
}

static int irq_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		      struct lxcfsd_out *out)
{
	(void)opts;
	return render(state, req, LXCFSD_IRQ_PRESSURE, "/proc/pressure/irq", out);
}

static int irq_trigger(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req)
{
	(void)state, (void)req;
	return opts[OPT_TRIGGERS].u ? LXCFSD_IRQ_PRESSURE : -EPERM;
}

static int pressure_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
			 void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/pressure/cpu", .mode = 0444, .flags = LXCFSD_IF_HOST,
	  .render = cpu_render, .trigger = cpu_trigger },
	{ .path = "/proc/pressure/memory", .mode = 0444, .flags = LXCFSD_IF_HOST,
	  .render = memory_render, .trigger = memory_trigger },
	{ .path = "/proc/pressure/io", .mode = 0444, .flags = LXCFSD_IF_HOST,
	  .render = io_render, .trigger = io_trigger },
	{ .path = "/proc/pressure/irq", .mode = 0444, .flags = LXCFSD_IF_HOST,
	  .render = irq_render, .trigger = irq_trigger },
};

static const struct lxcfsd_opt opts[] = {
	[OPT_TRIGGERS] = { .key = "triggers", .type = LXCFSD_BOOL, .def = "no",
	  .help = "containers may write PSI triggers for themselves and poll for them" },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "pressure", .version = "1",
	.summary = "/proc/pressure: for how long the container waited",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.opts = opts, .opt_count = LXCFSD_COUNT(opts),
	.init = pressure_init,
};
/* clang-format on */
