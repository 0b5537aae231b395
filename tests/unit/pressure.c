/* SPDX-License-Identifier: MIT */
#include "../../plugins/pressure.c"

#include "check.h"
#include "fake_services.h"

#define ZERO " avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
#define SOME "some avg10=0.07 avg60=12.14 avg300=100.00 total=18446744073709551615\n"
#define FULL "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
#define HOST "some avg10=9.99 avg60=9.99 avg300=9.99 total=999\n"

static void machine(void)
{
	fake_reset();
	fake.files[0] = (struct fake_file){ "/proc/pressure/cpu", HOST };
	fake.files[1] = (struct fake_file){ "/proc/pressure/memory", HOST FULL };
	fake.files[2] = (struct fake_file){ "/proc/pressure/io", HOST FULL };
	fake.files[3] = (struct fake_file){ "/proc/pressure/irq", FULL };
}

static const char *nth(size_t n)
{
	int r;
	const char *text = fake_render_nth(n, NULL, &r);

	return text ? text : strerrorname_np(-r);
}

/* What a cpu.pressure is worth. */
static const char *own(const char *text)
{
	fake.controls[LXCFSD_CPU_PRESSURE] = text;
	return nth(0);
}

int main(void)
{
	/* none of its own: zeros, in the host's lines */
	machine();
	CHECK_STR(nth(0), "some" ZERO);
	CHECK_STR(nth(1), "some" ZERO "full" ZERO);
	CHECK_STR(nth(2), "some" ZERO "full" ZERO);
	CHECK_STR(nth(3), "full" ZERO);
	fake.files[0].text = "HOST\n";
	CHECK_STR(nth(0), "EINVAL");

	/* each its own, as it is */
	machine();
	fake.controls[LXCFSD_CPU_PRESSURE] = SOME;
	fake.controls[LXCFSD_MEMORY_PRESSURE] = SOME FULL;
	fake.controls[LXCFSD_IO_PRESSURE] = FULL SOME;
	fake.controls[LXCFSD_IRQ_PRESSURE] = FULL;
	CHECK_STR(nth(0), SOME);
	CHECK_STR(nth(1), SOME FULL);
	CHECK_STR(nth(2), FULL SOME);
	CHECK_STR(nth(3), FULL);

	/* what no kernel writes */
	CHECK_STR(own(""), "EINVAL");
	CHECK_STR(own("some avg10=0.00 avg60=0.00 avg300=0.00 total=0"), "EINVAL");
	CHECK_STR(own("some avg10=0.00 avg60=0.00 avg300=0.00 total=\n"), "EINVAL");
	CHECK_STR(own("some avg10=0.00 avg60=0.00 avg300=0.00 total=0 \n"), "EINVAL");
	CHECK_STR(own("some avg10=0.00 avg60=0.00 avg300=0.00\n"), "EINVAL");
	CHECK_STR(own("some avg10=0.0 avg60=0.00 avg300=0.00 total=0\n"), "EINVAL");
	CHECK_STR(own("some avg10=0.000 avg60=0.00 avg300=0.00 total=0\n"), "EINVAL");
	CHECK_STR(own("some avg10=.00 avg60=0.00 avg300=0.00 total=0\n"), "EINVAL");
	CHECK_STR(own("none avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"), "EINVAL");
	CHECK_STR(own("some avg10=0.00 avg60=0.00 avg300=0.00 total=18446744073709551616\n"),
		  "EINVAL");
	CHECK_STR(own(SOME "\n"), "EINVAL");

	/* switched off for this cgroup; any other error is one */
	machine();
	fake.controls[LXCFSD_CPU_PRESSURE] = SOME;
	fake.control_error = -EOPNOTSUPP;
	CHECK_STR(nth(0), "some" ZERO);
	fake.control_error = -EIO;
	CHECK_STR(nth(0), "EIO");
	fake_reset();
	CHECK_STR(nth(0), "ENOENT");
	for (uint32_t i = 0; i < lxcfsd_plugin.file_count; i++)
		CHECK(lxcfsd_plugin.files[i].flags & LXCFSD_IF_HOST);
	return done_testing();
}
