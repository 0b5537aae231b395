/* SPDX-License-Identifier: MIT */
#include "../../plugins/uptime.c"

#include "check.h"
#include "fake_services.h"

static const union lxcfsd_value container[] = { { .u = UPTIME_CONTAINER } };
static const union lxcfsd_value host[] = { { .u = UPTIME_HOST } };

int main(void)
{
	int r;

	fake_reset();
	fake.age = 12345678901234ull;
	fake.total.idle = 48999990000000ull;
	fake.total.user = 382719999999ull;
	CHECK_STR(fake_render(container, &r), "12345.67 48999.99\n");
	fake.age = fake.total.idle = 0;
	CHECK_STR(fake_render(container, &r), "0.00 0.00\n");
	fake.age = 90000000;
	fake.total.idle = 9999999;
	CHECK_STR(fake_render(container, &r), "0.09 0.00\n");

	/* Without an init there is no age, but the host's boot is known. */
	fake.age_error = -ESRCH;
	CHECK(!fake_render(container, &r));
	CHECK(r == -ESRCH);
	fake.boottime = 3000000000ull;
	fake.total.idle = 2500000000ull;
	CHECK_STR(fake_render(host, &r), "3.00 2.50\n");

	fake.error = -EIO;
	CHECK(!fake_render(host, &r));
	CHECK(r == -EIO);
	return done_testing();
}
