/* SPDX-License-Identifier: MIT */
/* control - whole control files of a subject's own cgroup, on v1, v2 and hybrid. */
#include "check.h"
#include "fixture.h"

#define CG "/sys/fs/cgroup"

static struct settings settings;
static struct model *model;
static struct lxcfsd_services svc;

static void start(void)
{
	settings = fixture_settings();
	model = fixture_model(&settings);
	model_services(&svc);
}

static void stop(void)
{
	model = model_free(model);
}

/* The text, or the name of the error. */
static const char *control_of(struct subject *subject, enum lxcfsd_control which)
{
	static char copy[256];
	struct lxcfsd_request req;
	struct lxcfsd_text text;
	int r;

	request_begin(&req, model, subject, 0);
	r = svc.control(&req, which, &text);
	snprintf(copy, sizeof(copy), "%s", r < 0 ? strerrorname_np(-r) : text.data);
	if (r == 0 && text.data[text.len] != '\0')
		snprintf(copy, sizeof(copy), "no NUL behind it");
	request_end(&req);
	return copy;
}

static const char *control(const char *path, enum lxcfsd_control which)
{
	struct subject *subject;
	const char *text;

	if (model_subject_by_path(model, path, &subject) < 0)
		return "no subject";
	text = control_of(subject, which);
	subject_unref(subject);
	return text;
}

static void test_v2(void)
{
	fixture_v2();
	fixture_file(CG "/io.stat", "8:0 rbytes=1\n");
	fixture_file(CG "/cpu.pressure", "root's\n");
	fixture_file(CG "/a/io.stat", "8:0 rbytes=2\n");
	fixture_file(CG "/a/memory.numa_stat", "anon N0=1\n");
	fixture_file(CG "/a/cpu.pressure", "cpu\n");
	fixture_file(CG "/a/memory.pressure", "memory\n");
	fixture_file(CG "/a/io.pressure", "io\n");
	fixture_file(CG "/a/irq.pressure", "irq\n");
	fixture_dir(CG "/a/b");
	start();
	CHECK_STR(control("/a", LXCFSD_IO_STAT), "8:0 rbytes=2\n");
	CHECK_STR(control("/a", LXCFSD_NUMA_STAT), "anon N0=1\n");
	CHECK_STR(control("/a", LXCFSD_CPU_PRESSURE), "cpu\n");
	CHECK_STR(control("/a", LXCFSD_MEMORY_PRESSURE), "memory\n");
	CHECK_STR(control("/a", LXCFSD_IO_PRESSURE), "io\n");
	CHECK_STR(control("/a", LXCFSD_IRQ_PRESSURE), "irq\n");
	/* v1 has these, and only v1 */
	CHECK_STR(control("/a", LXCFSD_BFQ_BYTES), "ENOENT");
	CHECK_STR(control("/a", LXCFSD_KMEM_SLABINFO), "ENOENT");
	/* an ancestor's, the root's, nobody's */
	CHECK_STR(control("/a/b", LXCFSD_IO_STAT), "ENOENT");
	CHECK_STR(control("/a/b", LXCFSD_CPU_PRESSURE), "ENOENT");
	CHECK_STR(control("/", LXCFSD_IO_STAT), "ENOENT");
	CHECK_STR(control("/", LXCFSD_CPU_PRESSURE), "ENOENT");
	CHECK_STR(control_of(NULL, LXCFSD_IO_STAT), "ENOENT");
	CHECK_STR(control_of(NULL, LXCFSD_CPU_PRESSURE), "ENOENT");
	CHECK_STR(control("/a", (enum lxcfsd_control)0), "EINVAL");
	CHECK_STR(control("/a", (enum lxcfsd_control)99), "EINVAL");
	/* what was read is kept no longer than it may be */
	fixture_file(CG "/a/io.stat", "8:0 rbytes=3\n");
	CHECK_STR(control("/a", LXCFSD_IO_STAT), "8:0 rbytes=3\n");
	stop();
	/* without any controller */
	fixture_file(CG "/cgroup.controllers", "\n");
	start();
	CHECK_STR(control("/a", LXCFSD_IO_STAT), "ENOENT");
	CHECK_STR(control("/a", LXCFSD_CPU_PRESSURE), "cpu\n");
	stop();
}

#define MOUNTINFO_BLKIO "37 30 0:33 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio\n"

static void test_v1(void)
{
	fixture_v1();
	fixture_file("/proc/self/mountinfo", "%s%s", MOUNTINFO_V1, MOUNTINFO_BLKIO);
	fixture_file(CG "/blkio/blkio.throttle.io_serviced_recursive", "root's\n");
	fixture_file(CG "/blkio/x/blkio.bfq.io_service_bytes_recursive", "bfq bytes\n");
	fixture_file(CG "/blkio/x/blkio.bfq.io_serviced_recursive", "bfq count\n");
	fixture_file(CG "/blkio/x/blkio.throttle.io_service_bytes_recursive", "throttle bytes\n");
	fixture_file(CG "/blkio/x/blkio.throttle.io_serviced_recursive", "throttle count\n");
	fixture_file(CG "/blkio/x/blkio.throttle.io_serviced", "not the children's\n");
	fixture_file(CG "/blkio/x/blkio.io_service_bytes_recursive", "cfq bytes\n");
	fixture_file(CG "/blkio/x/blkio.io_serviced_recursive", "cfq count\n");
	fixture_file(CG "/blkio/old/blkio.throttle.io_service_bytes", "old bytes\n");
	fixture_file(CG "/blkio/old/blkio.throttle.io_serviced", "old count\n");
	fixture_file(CG "/memory/x/memory.kmem.slabinfo", "slabs\n");
	fixture_file(CG "/memory/x/memory.numa_stat", "total=1 N0=1\n");
	fixture_dir(CG "/memory/only");
	start();
	CHECK_STR(control("/x", LXCFSD_BFQ_BYTES), "bfq bytes\n");
	CHECK_STR(control("/x", LXCFSD_BFQ_COUNT), "bfq count\n");
	CHECK_STR(control("/x", LXCFSD_THROTTLE_BYTES), "throttle bytes\n");
	CHECK_STR(control("/x", LXCFSD_THROTTLE_COUNT), "throttle count\n");
	CHECK_STR(control("/x", LXCFSD_CFQ_BYTES), "cfq bytes\n");
	CHECK_STR(control("/x", LXCFSD_CFQ_COUNT), "cfq count\n");
	CHECK_STR(control("/old", LXCFSD_THROTTLE_BYTES), "old bytes\n");
	CHECK_STR(control("/old", LXCFSD_THROTTLE_COUNT), "old count\n");
	CHECK_STR(control("/x", LXCFSD_KMEM_SLABINFO), "slabs\n");
	CHECK_STR(control("/x", LXCFSD_NUMA_STAT), "total=1 N0=1\n");
	CHECK_STR(control("/x", LXCFSD_IO_STAT), "ENOENT");
	CHECK_STR(control("/x", LXCFSD_CPU_PRESSURE), "ENOENT");
	/* it is in the root of blkio */
	CHECK_STR(control("/only", LXCFSD_THROTTLE_COUNT), "ENOENT");
	stop();
}

/* A subject by its paths, as a worker before saved it. */
static const char *hybrid(enum lxcfsd_control which, const char *memory, const char *unified)
{
	struct subject *subject;
	const char *text;
	char saved[256];
	int len;

	len = snprintf(saved, sizeof(saved), "init 0 0\ncpu,cpuacct:/cpu\nmemory:%s\n:%s\n", memory,
		       unified);
	if (model_subject_load(model, saved, (size_t)len, &subject) < 0)
		return "no subject";
	text = control_of(subject, which);
	subject_unref(subject);
	return text;
}

static const char *pressure_of(const char *memory, const char *unified)
{
	return hybrid(LXCFSD_CPU_PRESSURE, memory, unified);
}

static void test_hybrid(void)
{
	fixture_hybrid();
	fixture_file(CG "/unified/cgroup.controllers", "\n");
	fixture_file(CG "/unified/cpu.pressure", "root's\n");
	fixture_file(CG "/unified/c/cpu.pressure", "c's\n");
	fixture_file(CG "/unified/c/d/cpu.pressure", "d's\n");
	fixture_file(CG "/unified/cpu/cpu.pressure", "cpu's\n");
	fixture_file(CG "/unified/all/cpu.pressure", "everybody's\n");
	start();
	CHECK_STR(pressure_of("/c", "/c"), "c's\n");
	CHECK_STR(pressure_of("/c/d", "/c/d"), "d's\n");
	CHECK_STR(pressure_of("/c/d", "/c"), "ENOENT");
	CHECK_STR(pressure_of("/c", "/c/d"), "ENOENT");
	CHECK_STR(pressure_of("/c", "/all"), "ENOENT");
	CHECK_STR(pressure_of("/c", "/"), "ENOENT");
	CHECK_STR(pressure_of("/", "/"), "ENOENT");
	/* memory decides, not cpu */
	CHECK_STR(pressure_of("/c", "/cpu"), "ENOENT");
	stop();
	/* io is cgroup2's */
	fixture_file(CG "/unified/cgroup.controllers", "io\n");
	fixture_file(CG "/unified/c/io.stat", "c's\n");
	fixture_file(CG "/unified/all/io.stat", "everybody's\n");
	start();
	CHECK_STR(hybrid(LXCFSD_IO_STAT, "/c", "/c"), "c's\n");
	CHECK_STR(hybrid(LXCFSD_IO_STAT, "/c", "/all"), "ENOENT");
	stop();
	/* memory is cgroup2's: then cpu does */
	fixture_file("/proc/self/mountinfo", "%s%s",
		     "32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpuacct,cpu\n",
		     MOUNTINFO_UNIFIED);
	fixture_file(CG "/unified/cgroup.controllers", "memory io\n");
	start();
	CHECK_STR(pressure_of("/c", "/c"), "ENOENT");
	CHECK_STR(pressure_of("/c", "/cpu"), "cpu's\n");
	stop();
}

int main(void)
{
	test_v2();
	test_v1();
	test_hybrid();
	return done_testing();
}
