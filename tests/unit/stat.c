/* SPDX-License-Identifier: MIT */
#include "../../plugins/stat.c"

#include "check.h"
#include "fake_services.h"

static const char host_text[] = "cpu  1000 2000 3000 4000 50 60 70 80 90 100\n"
				"cpu0 500 1000 1500 2000 25 30 35 40 45 50\n"
				"cpu1 500 1000 1500 2000 25 30 35 40 45 50\n"
				"intr 123456 0 7 0 33\n"
				"ctxt 998877\n"
				"btime 1700000000\n"
				"processes 4711\n"
				"procs_running 12\n"
				"procs_blocked 3\n"
				"softirq 555 1 2 3 4 5 6 7 8 9 10\n"
				"cpufreq 12 x34\n"
				"new_thing\n";

static const union lxcfsd_value host[] = { { .u = BTIME_HOST } };
static const union lxcfsd_value container[] = { { .u = BTIME_CONTAINER } };

int main(void)
{
	int r;

	fake_reset();
	fake.files[0] = (struct fake_file){ "/proc/stat", host_text };
	fake.cpus[0] = 1;
	fake.cpus[1] = 300;
	fake.cpu_count = 2;
	fake.total = (struct lxcfsd_cpu_time){ 5000000000, 20000000, 3000000000, 99990000000, 0 };
	fake.times[0] = (struct lxcfsd_cpu_time){ 4999999999, 19999999, 0, 9999999, 10000000 };
	fake.times[1] = (struct lxcfsd_cpu_time){ .idle = 12345678901 };
	fake.load = (struct lxcfsd_load){ .running = 3, .blocked = 1, .forks = 77 };
	CHECK_STR(fake_render(host, &r), "cpu  500 2 300 9999 0 0 0 0 0 0\n"
					 "cpu1 499 1 0 0 0 0 0 1 0 0\n"
					 "cpu300 0 0 0 1234 0 0 0 0 0 0\n"
					 "intr 0 0 0 0 0\n"
					 "ctxt 0\n"
					 "btime 1700000000\n"
					 "processes 77\n"
					 "procs_running 3\n"
					 "procs_blocked 1\n"
					 "softirq 0 0 0 0 0 0 0 0 0 0 0\n"
					 "cpufreq 0 x0\n");

	fake.load = (struct lxcfsd_load){ .running = 0 };
	fake.realtime = 1800000000500000000;
	fake.age = 100600000000;
	CHECK(strstr(fake_render(container, &r), "\nbtime 1799999899\n"));
	CHECK(strstr(fake_buf, "\nprocs_running 1\n"));
	fake.age_error = -ESRCH;
	CHECK(!fake_render(container, &r) && r == -ESRCH);
	fake.error = -EIO;
	CHECK(!fake_render(host, &r) && r == -EIO);
	fake_reset();
	CHECK(!fake_render(host, &r) && r == -ENOENT);
	return done_testing();
}
