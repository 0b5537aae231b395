/* SPDX-License-Identifier: MIT */
#include "../../plugins/loadavg.c"

#include "check.h"
#include "fake_services.h"

int main(void)
{
	int r;

	fake_reset();
	fake.load = (struct lxcfsd_load){ { 2048, 3072, 20 }, 2, 5, 41, 1234, 0 };
	CHECK_STR(fake_render(NULL, &r), "1.00 1.50 0.01 2/41 1234\n");
	/* the reader runs, and is one of the threads */
	fake.load = (struct lxcfsd_load){ .avg = { 2038, 2037, UINT32_MAX } };
	CHECK_STR(fake_render(NULL, &r), "1.00 0.99 2097152.00 1/1 0\n");
	fake.error = -EIO;
	CHECK(!fake_render(NULL, &r) && r == -EIO);
	return done_testing();
}
