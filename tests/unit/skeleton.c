/* SPDX-License-Identifier: MIT */
/* The skeleton that scripts/new-plugin copies compiles, is taken, and renders. */
#include "../../scripts/skeleton/plugin.c"

#include <stdlib.h>

#include "check.h"
#include "plugin_private.h"

static uint64_t memory_max;

static int fake_limit(struct lxcfsd_request *req, enum lxcfsd_limit which, uint64_t *ret)
{
	(void)req;
	if (which != LXCFSD_MEM_MAX)
		return -EINVAL;
	*ret = memory_max;
	return 0;
}

static const char *rendered(const struct plugin *plugin)
{
	static char buf[64];
	struct lxcfsd_out out = { .buf = buf, .cap = sizeof(buf) - 1 };

	if (plugin->files[0].render(plugin->state, plugin->values, NULL, &out) != 0 || out.err)
		return "failed";
	buf[out.len] = '\0';
	return buf;
}

int main(void)
{
	const struct lxcfsd_services services = { .size = sizeof(services), .limit = fake_limit };
	struct plugin plugin = { .object = &lxcfsd_plugin };
	struct reason reason = { "" };

	CHECK(plugin_describe(&plugin, &reason) == 0);
	CHECK_STR(reason.text, "");
	if (!plugin.files || !plugin.values)
		return done_testing();
	CHECK_STR(plugin.files[0].path, "/proc/skeleton");
	CHECK(plugin.meta.init(&services, plugin.values, &plugin.state) == 0);
	memory_max = 268435456;
	CHECK_STR(rendered(&plugin), "memory 268435456\n");
	plugin.values[OPT_UNIT].u = UNIT_KIB;
	CHECK_STR(rendered(&plugin), "memory 262144 kB\n");
	memory_max = LXCFSD_NO_LIMIT;
	CHECK_STR(rendered(&plugin), "memory max\n");
	free(plugin.files);
	free(plugin.trees);
	free(plugin.opts);
	free(plugin.values);
	return done_testing();
}
