/* SPDX-License-Identifier: MIT */
#include "../../plugins/slabinfo.c"

#include "check.h"
#include "fake_services.h"

static const char empty[] =
	"slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
	"<objperslab> "
	"<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> "
	"<num_slabs> <sharedavail>\n";
static const char own[] =
	"slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
	"<objperslab> "
	"<pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> "
	"<num_slabs> <sharedavail>\n"
	"dentry              1234   1300    192   21    1 : tunables    0    0    0 : slabdata     "
	"62     62      0\n";

static const char *kernel_says(const char *text)
{
	int r;

	fake_reset();
	/* the host's, which nobody is to see */
	fake.files[0] = (struct fake_file){ "/proc/slabinfo", "slabinfo - version: 2.1\nhost\n" };
	fake.controls[LXCFSD_KMEM_SLABINFO] = text;
	text = fake_render(NULL, &r);
	return text ? text : "an error";
}

int main(void)
{
	int r;

	CHECK_U64(lxcfsd_plugin.files[0].mode, 0400);
	CHECK_STR(kernel_says(NULL), empty);
	CHECK_STR(kernel_says(own), own);
	CHECK_STR(kernel_says(""), empty);
	CHECK_STR(kernel_says("Deprecated: see tools/cgroup/memcg_slabinfo.py\n"), empty);
	CHECK_STR(kernel_says("slabinfo - version: "), empty);
	CHECK_STR(kernel_says("slabinfo - version: 2.1\ndent"), empty);

	fake_reset();
	fake.controls[LXCFSD_KMEM_SLABINFO] = own;
	fake.control_error = -EIO; /* kernel memory is not accounted */
	CHECK_STR(fake_render(NULL, &r), empty);
	fake.control_error = -ENOMEM;
	CHECK(!fake_render(NULL, &r) && r == -ENOMEM);
	return done_testing();
}
