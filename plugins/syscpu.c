/* SPDX-License-Identifier: MIT */
/*
 * syscpu - /sys/devices/system/cpu/online: the CPUs that the container sees.
 *
 * A list of ranges as drivers/base/cpu.c prints it, of the same CPUs and in the
 * same numbers as in cpuinfo: this is what getconf(1) and the C library count.
 */
#include <lxcfsd/plugin.h>

#include "output.h"

static int syscpu_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		       void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static uint32_t shown_id(const struct lxcfsd_cpus *cpus, uint32_t n)
{
	return cpus->dense ? n : cpus->ids[n];
}

static int online_render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			 struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_cpus cpus;
	int r = svc->cpus(req, &cpus);

	(void)opts;
	if (r < 0)
		return r;
	for (uint32_t n = 0, last; n < cpus.count; n = last + 1) {
		last = n;
		while (last + 1 < cpus.count &&
		       shown_id(&cpus, last + 1) == shown_id(&cpus, last) + 1)
			last++;
		if (n > 0)
			lxcfsd_put(out, ",", 1);
		out_u64(out, shown_id(&cpus, n), 0);
		if (last > n) {
			lxcfsd_put(out, "-", 1);
			out_u64(out, shown_id(&cpus, last), 0);
		}
	}
	lxcfsd_put(out, "\n", 1);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/sys/devices/system/cpu/online", .mode = 0444,
	  .controllers = LXCFSD_CPU | LXCFSD_CPUSET, .render = online_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "syscpu", .version = "1",
	.summary = "/sys/devices/system/cpu/online: the list of the container's CPUs",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.init = syscpu_init,
};
/* clang-format on */
