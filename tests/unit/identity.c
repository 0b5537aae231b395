/* SPDX-License-Identifier: MIT */
/* identity - from a reader's thread id to its subject. */
#include "check.h"
#include "fixture.h"
#include "parts.h"

#define CG "/sys/fs/cgroup"

static struct settings settings;
static struct model *model;

/* The subject's text, or what else there is to say. */
static const char *resolve(int tid)
{
	static char text[8192];
	struct subject *subject;
	size_t len = 0;
	int r;

	r = model_resolve(model, tid, &subject);
	if (r == LXCFSD_NO_VIEW)
		return "host";
	if (r < 0)
		return strerror(-r);
	r = subject_save(subject, text, sizeof(text) - 1, &len);
	text[r < 0 ? 0 : len] = '\0';
	subject_unref(subject);
	return text;
}

/* Init 50 of a container with its own namespace 200, and who else is there. */
static void make_processes(void)
{
	fixture_process(1, 0, "1", 100, "init", 1, "0::/init.scope\n");
	fixture_process(40, 1, "40", 100, "sshd", 2, "0::/user/s1\n");
	fixture_process(41, 1, "41", 100, "kthread", 2, "0::/\n");
	fixture_process(50, 1, "50 1", 200, "a) b (c) 1 2 3", 5000, "0::/lxc/c1/init.scope\n");
	fixture_process(60, 50, "60 5", 200, "sh", 5001, "0::/lxc/c1/system/x\n");
	fixture_process(61, 60, "61 6", 200, "sh", 5002, "0::/lxc/c1/system/x\n");
	/* came in from outside */
	fixture_process(70, 40, "70 9", 200, "exec", 6000, "0::/lxc/c1\n");
	/* shares the namespace and nothing else; its path begins alike */
	fixture_process(71, 40, "71 10", 200, "pod", 6000, "0::/lxc/c10/init.scope\n");
	/* a container in the container */
	fixture_process(80, 61, "80 20 1", 300, "init", 7000, "0::/lxc/c1/docker/d\n");
	fixture_process(81, 80, "81 21 2", 300, "sh", 7001, "0::/lxc/c1/docker/d/e\n");
	/* a thread of init */
	fixture_process(51, 1, "51 1", 200, "thread", 5000, "0::/lxc/c1/init.scope\n");
	fixture_file("/proc/51/status", "Name:\tthread\nTgid:\t50\nPPid:\t1\nNStgid:\t50\t1\n");
	fixture_dir(CG "/lxc/c1/init.scope");
	fixture_dir(CG "/lxc/c1/system/x");
}

static void start(void)
{
	settings = fixture_settings();
	model = fixture_model(&settings);
}

static void test_auto(void)
{
	fixture_v2();
	make_processes();
	start();
	CHECK_STR(resolve(50), "init 50 5000\n:/lxc/c1\n");
	CHECK_STR(resolve(60), "init 50 5000\n:/lxc/c1\n");
	CHECK_STR(resolve(61), "init 50 5000\n:/lxc/c1\n");
	CHECK_STR(resolve(51), "init 50 5000\n:/lxc/c1\n");
	CHECK_STR(resolve(70), "init 50 5000\n:/lxc/c1\n");
	CHECK_STR(resolve(71), "init 0 0\n:/lxc/c10/init.scope\n");
	CHECK_STR(resolve(80), "init 80 7000\n:/lxc/c1/docker/d\n");
	CHECK_STR(resolve(81), "init 80 7000\n:/lxc/c1/docker/d\n");
	CHECK_STR(resolve(40), "init 0 0\n:/user/s1\n");
	CHECK_STR(resolve(41), "host");
	CHECK_STR(resolve(0), strerror(ESRCH));
	CHECK_STR(resolve(-5), strerror(ESRCH));
	CHECK_STR(resolve(99), strerror(ESRCH));
	model_free(model);
}

static void test_scan(void)
{
	fixture_v2();
	make_processes();
	start();
	/* the first to come is one whose ancestors are outside */
	CHECK_STR(resolve(70), "init 50 5000\n:/lxc/c1\n");
	model_free(model);
}

/* An engine's `exec`: from outside, into the cgroup that init is in.  No look at every
 * process of the host is needed, which a large host has no time for. */
static void test_nearby(void)
{
	fixture_v2();
	make_processes();
	fixture_process(72, 40, "72 11", 200, "exec", 6000, "0::/lxc/c1/init.scope\n");
	fixture_file(CG "/lxc/c1/init.scope/cgroup.procs", "999\n40\n60\n50\n72\n");
	start();
	model->identity.scanned[200 % SCANNED_MAX] =
		(struct scanned){ .inode = 200, .until_ns = UINT64_MAX, .error = -ETIMEDOUT };
	CHECK_STR(resolve(70), "init 0 0\n:/lxc/c1\n");
	CHECK_STR(resolve(72), "init 50 5000\n:/lxc/c1\n");
	model_free(model);
}

static void test_policies(void)
{
	fixture_v2();
	make_processes();
	start();
	settings.subject = SUBJECT_CALLER;
	CHECK_STR(resolve(61), "init 50 5000\n:/lxc/c1/system/x\n");
	CHECK_STR(resolve(71), "init 0 0\n:/lxc/c10/init.scope\n");
	settings.subject = SUBJECT_INIT;
	CHECK_STR(resolve(61), "init 50 5000\n:/lxc/c1\n");
	CHECK_STR(resolve(71), "init 50 5000\n:/lxc/c1\n");
	settings.subject = SUBJECT_AUTO;
	settings.host_pidns = HOST_PIDNS_HOST;
	CHECK_STR(resolve(40), "host");
	CHECK_STR(resolve(60), "init 50 5000\n:/lxc/c1\n");
	settings.strip = (char[]){ "" };
	CHECK_STR(resolve(50), "init 50 5000\n:/lxc/c1/init.scope\n");
	CHECK_STR(resolve(60), "init 0 0\n:/lxc/c1/system/x\n");
	model_free(model);
}

static void test_replaced(void)
{
	fixture_v2();
	make_processes();
	start();
	CHECK_STR(resolve(60), "init 50 5000\n:/lxc/c1\n");
	/* a held file of a fixture cannot say ESRCH; without it init is checked */
	model_tidy(model);
	model_free(model);
	fixture_unlink_file("/proc/50/ns/pid");
	fixture_unlink_file("/proc/51/ns/pid");
	start();
	/* nobody is init any more: the reader's own cgroup decides */
	CHECK_STR(resolve(60), "init 0 0\n:/lxc/c1/system/x\n");
	model_free(model);
}

static void test_odd_paths(void)
{
	fixture_v2();
	fixture_process(1, 0, "1", 100, "init", 1, "0::/\n");
	fixture_process(50, 1, "50 1", 200, "init", 5, "0::/a b%s\\x:y (deleted)\n");
	fixture_process(51, 1, "51 1", 201, "init", 6, "0::/real (deleted)\n");
	fixture_process(52, 1, "52 1", 202, "init", 7, "0::/../elsewhere\n");
	fixture_process(53, 1, "53 1", 203, "init", 8, "garbage\n\n0:\n::\n1:x\n0::relative\n");
	fixture_process(54, 1, "54 1", 204, "init", 9, "0::/init\n");
	fixture_process(55, 1, "55 1", 205, "init", 9, "");
	fixture_dir(CG "/real (deleted)");
	start();
	CHECK_STR(resolve(50), "init 50 5\n:/a b%s\\x:y\n");
	CHECK_STR(resolve(51), "init 51 6\n:/real (deleted)\n");
	CHECK_STR(resolve(52), strerror(ENOENT));
	CHECK_STR(resolve(53), strerror(ENOENT));
	/* never cut down to the root */
	CHECK_STR(resolve(54), "init 54 9\n:/init\n");
	CHECK_STR(resolve(55), strerror(ENOENT));
	model_free(model);
}

static void test_v1(void)
{
	fixture_hybrid();
	fixture_process(1, 0, "1", 100, "init", 1, "0::/\n");
	fixture_process(50, 1, "50 1", 200, "init", 5,
			"9:cpuacct,cpu:/lxc/a\n5:memory:/lxc/a/init.scope\n4:devices:/x\n"
			"3:cpuset:/\n1:name=systemd:/lxc/a/init.scope\n0::/lxc/a\n");
	fixture_process(60, 50, "60 2", 200, "sh", 5,
			"9:cpu,cpuacct:/lxc/a/b\n5:memory:/lxc/other\n"
			"3:cpuset:/\n1:name=systemd:/lxc/a/s\n0::/lxc/a\n");
	start();
	CHECK_STR(resolve(50), "init 50 5\nname=systemd:/lxc/a\ncpu,cpuacct:/lxc/a\n"
			       "memory:/lxc/a\ncpuset:/\n:/lxc/a\n");
	CHECK_STR(resolve(60), "init 0 0\nname=systemd:/lxc/a\ncpu,cpuacct:/lxc/a\n"
			       "memory:/lxc/other\ncpuset:/\n:/lxc/a\n");
	model_free(model);
}

static uint64_t age(struct subject *subject)
{
	struct lxcfsd_services svc;
	struct lxcfsd_request req;
	uint64_t value;
	int r;

	model_services(&svc);
	request_begin(&req, model, subject, 0);
	r = svc.age_ns(&req, &value);
	request_end(&req);
	subject_unref(subject);
	return r < 0 ? (uint64_t)(int64_t)r : value;
}

static void test_age(void)
{
	struct subject *subject;

	fixture_v2();
	make_processes();
	fixture_file("/clock", "100000000000 1700000000000000000\n");
	fixture_file("/proc/50/timens_offsets", "monotonic 5 0\nboottime 0 0\n");
	fixture_file(CG "/lxc/c1/init.scope/cgroup.procs", "0\n50\n");
	fixture_file(CG "/lxc/c1/system/x/cgroup.procs", "60\n61\n");
	start();
	CHECK(model_resolve(model, 60, &subject) == 0);
	CHECK_U64(age(subject), 50000000000);
	/* without a reader: the oldest process, of 50, 60 and 61 */
	CHECK(model_subject_by_path(model, "/lxc/c1", &subject) == 0);
	CHECK_U64(age(subject), 50000000000);
	CHECK(model_subject_by_path(model, "/lxc/c1/system", &subject) == 0);
	CHECK_U64(age(subject), 49990000000);
	CHECK(model_resolve(model, 81, &subject) == 0);
	CHECK_U64(age(subject), 30000000000);
	model_free(model);
	/* in a time namespace: its boot time */
	fixture_file("/proc/50/timens_offsets", "monotonic 5 0\nboottime -60 500000000\n");
	start();
	CHECK(model_resolve(model, 60, &subject) == 0);
	CHECK_U64(age(subject), 40500000000);
	/* init is gone: the oldest that is left */
	CHECK(model_subject_load(model, "init 50 4999\n:/lxc/c1/system\n", 29, &subject) == 0);
	CHECK_U64(age(subject), 49990000000);
	CHECK(model_subject_load(model, "init 0 0\n:/lxc\n", 15, &subject) == 0);
	subject_unref(subject);
	model_free(model);
}

int main(void)
{
	test_auto();
	test_scan();
	test_nearby();
	test_policies();
	test_replaced();
	test_odd_paths();
	test_v1();
	test_age();
	return done_testing();
}
