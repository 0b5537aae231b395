/* SPDX-License-Identifier: MIT */
#include "../../plugins/cpuinfo.c"

#include "check.h"
#include "fake_services.h"

/* The CPUs of `list`, which ends with a negative number. */
static const char *show(const char *text, const int list[], bool dense, int *ret_error)
{
	fake_reset();
	fake.files[0] = (struct fake_file){ "/proc/cpuinfo", text };
	fake.dense = dense;
	for (fake.cpu_count = 0; list[fake.cpu_count] >= 0; fake.cpu_count++)
		fake.cpus[fake.cpu_count] = (uint32_t)list[fake.cpu_count];
	return fake_render(NULL, ret_error);
}

#define CPUS(...)                                                                                  \
	(const int[])                                                                              \
	{                                                                                          \
		__VA_ARGS__, -1                                                                    \
	}

static void test_x86(void)
{
	static const char text[] = "processor\t: 0\nsiblings\t: 4\ncore id\t\t: 0\n"
				   "cpu cores\t: 2\npower management:\n\n"
				   "processor\t: 1\nsiblings\t: 4\npower management:\n\n"
				   "processor\t: 10\nsiblings\t: 4\npower management:\n\n";
	int r;

	CHECK_STR(show(text, CPUS(0, 1, 2, 3, 10), false, &r), text);
	CHECK_STR(show(text, CPUS(1), false, &r),
		  "processor\t: 1\nsiblings\t: 1\npower management:\n\n");
	CHECK_STR(show(text, CPUS(10), true, &r),
		  "processor\t: 0\nsiblings\t: 1\npower management:\n\n");
	CHECK_STR(show(text, CPUS(0, 10), true, &r),
		  "processor\t: 0\nsiblings\t: 2\ncore id\t\t: 0\ncpu cores\t: 2\n"
		  "power management:\n\n"
		  "processor\t: 1\nsiblings\t: 2\npower management:\n\n");
}

static void test_machine_lines(void)
{
	static const char ppc[] = "processor\t: 0\ncpu\t\t: POWER9\n\nprocessor\t: 1\n"
				  "cpu\t\t: POWER9\n\ntimebase\t: 512000000\nmodel\t\t: x\n";
	static const char mips[] = "system type\t\t: Loongson\nmachine\t\t\t: x\n"
				   "processor\t\t: 0\nhardware watchpoint\t: yes\n\n"
				   "processor\t\t: 1\n\n";
	static const char arm[] = "Processor\t: ARMv7\nprocessor\t: 0\n\nprocessor\t: 1\n\n"
				  "Features\t: swp\n\nHardware\t: x\nSerial\t\t: 0000\n";
	int r;

	CHECK_STR(show(ppc, CPUS(0), false, &r), "processor\t: 0\ncpu\t\t: POWER9\n\n"
						 "timebase\t: 512000000\nmodel\t\t: x\n");
	CHECK_STR(show(mips, CPUS(1), true, &r), "system type\t\t: Loongson\nmachine\t\t\t: x\n"
						 "processor\t\t: 0\n\n");
	CHECK_STR(show(arm, CPUS(1), false, &r),
		  "Processor\t: ARMv7\nprocessor\t: 1\n\nFeatures\t: swp\n\n"
		  "Hardware\t: x\nSerial\t\t: 0000\n");
}

static void test_s390(void)
{
	static const char text[] = "vendor_id       : IBM/S390\n# processors    : 3\n"
				   "features\t: esan3\n"
				   "processor 0: version = FF,  machine = 2964\n"
				   "processor 1: version = FF,  machine = 2964\n"
				   "processor 2: version = FF,  machine = 2964\n"
				   "\ncpu number      : 0\ncpu cores       : 2\n"
				   "\ncpu number      : 1\ncpu cores       : 2\n"
				   "\ncpu number      : 2\ncpu cores       : 2\n";
	int r;

	CHECK_STR(show(text, CPUS(0, 1, 2), true, &r), text);
	CHECK_STR(show(text, CPUS(0), false, &r),
		  "vendor_id       : IBM/S390\n# processors    : 1\nfeatures\t: esan3\n"
		  "processor 0: version = FF,  machine = 2964\n"
		  "\ncpu number      : 0\ncpu cores       : 1\n");
	CHECK_STR(show(text, CPUS(1, 2), true, &r),
		  "vendor_id       : IBM/S390\n# processors    : 2\nfeatures\t: esan3\n"
		  "processor 0: version = FF,  machine = 2964\n"
		  "processor 1: version = FF,  machine = 2964\n"
		  "\ncpu number      : 0\ncpu cores       : 2\n"
		  "\ncpu number      : 1\ncpu cores       : 2\n");
}

/* Nothing here may be taken for what it only looks like. */
static void test_odd(void)
{
	int r;

	CHECK_STR(show("processors\t: 7\nprocessor\t: x\nprocessor\t: 1\ncpu cores2\t: 9\n"
		       "siblings\t: many",
		       CPUS(1), false, &r),
		  "processors\t: 7\nprocessor\t: x\nprocessor\t: 1\ncpu cores2\t: 9\n"
		  "siblings\t: many");
	CHECK_STR(show("processor\t: 4294967296\n\nprocessor\t: 0\n\n", CPUS(0), false, &r),
		  "processor\t: 0\n\n");
	CHECK(!show("", CPUS(0), false, &r));
	CHECK(r == -ENODATA);
	CHECK(!show("cpu\t\t: TI UltraSparc\nncpus active\t: 2\n", CPUS(0), false, &r));
	CHECK(r == -ENODATA);
	CHECK(!show("processor\t: 0\n\n", CPUS(5), false, &r));
	CHECK(r == -ENODATA);
}

int main(void)
{
	test_x86();
	test_machine_lines();
	test_s390();
	test_odd();
	return done_testing();
}
