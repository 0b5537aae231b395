/* SPDX-License-Identifier: MIT */
/* load - load averages: the kernel's arithmetic, and whose threads are counted. */
#include "check.h"
#include "fixture.h"
#include "io.h"
#include "load.h"
#include "parts.h"
#include "tasks.h"

#define CG	      "/sys/fs/cgroup"
#define SECOND	      1000000000ull
#define PERIOD	      LOAD_PERIOD_NS
#define ENOUGH_NS     (1000 * SECOND)
#define HUNDREDS(avg) (((avg) + LXCFSD_LOAD_ONE / 200) * 100 / LXCFSD_LOAD_ONE)

static struct settings settings;
static struct model *model;

static void test_arithmetic(void)
{
	struct load_state state = { .taken_ns = 0 };
	uint64_t now = 7 * SECOND;

	/* the first look begins them */
	load_advance(&state, 3, now);
	CHECK_U64(HUNDREDS(state.avg[0]), 300);
	CHECK_U64(HUNDREDS(state.avg[2]), 300);
	/* not before a period is over */
	load_advance(&state, 0, now + PERIOD - 1);
	CHECK_U64(HUNDREDS(state.avg[0]), 300);
	/* exp(-5 s / 1 min) and so on, as the kernel rounds */
	load_advance(&state, 0, now + PERIOD);
	CHECK_U64(state.avg[0], 3 * 1884);
	CHECK_U64(state.avg[1], 3 * 2014);
	CHECK_U64(state.avg[2], 3 * 2037);
	/* five minutes with three running, looked at now and then */
	state = (struct load_state){ .taken_ns = now };
	for (uint64_t t = 0; t <= 300; t += 7)
		load_advance(&state, 3, now + t * SECOND);
	CHECK(HUNDREDS(state.avg[0]) >= 285 && HUNDREDS(state.avg[0]) <= 300);
	CHECK(HUNDREDS(state.avg[1]) >= 180 && HUNDREDS(state.avg[1]) <= 200);
	/* it comes to rest at what runs, and at nothing */
	load_advance(&state, 3, now + 36000 * SECOND);
	CHECK_U64(HUNDREDS(state.avg[2]), 300);
	load_advance(&state, 0, now + 90000 * SECOND);
	CHECK_U64(HUNDREDS(state.avg[2]), 0);
	/* a clock that does not go on, and one from far away */
	load_advance(&state, 5, 0);
	CHECK_U64(HUNDREDS(state.avg[0]), 0);
	load_advance(&state, 5, UINT64_MAX);
	CHECK_U64(HUNDREDS(state.avg[0]), 500);
}

static void thread(int tid, const char *name, char thread_state, int start, const char *numbers)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", tid, tid);
	fixture_file(path, "%d (%s) %c 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 %d 0 0\n", tid, name,
		     thread_state, start);
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	fixture_file(path, "Name:\tx\nTgid:\t%d\nPPid:\t1\nNStgid:\t%s\nNSpid:\t%s\n", tid, numbers,
		     numbers);
}

static struct tasks count(const char *text)
{
	struct tasks tasks = { .threads = 4711 };
	struct subject *subject;

	if (model_subject_load(model, text, strlen(text), &subject) < 0)
		fixture_die("subject");
	if (tasks_count(model, subject, ENOUGH_NS, &tasks) < 0)
		tasks.threads = 4712;
	subject_unref(subject);
	return tasks;
}

static void test_tasks(void)
{
	struct tasks tasks;

	fixture_v2();
	fixture_file(CG "/a/cgroup.threads", "100\n101\n999\n");
	fixture_file(CG "/a/b/c/cgroup.threads", "102\n103\n104\n");
	fixture_file(CG "/other/cgroup.threads", "100\n");
	fixture_file(CG "/odd/cgroup.threads", "100\n0\n-5\n99999999999\nx\n101");
	thread(100, "init", 'S', 1000, "100\t1");
	thread(101, ") R 1 (", 'S', 1001, "101\t2");
	thread(102, "spins", 'R', 1002, "102\t3");
	thread(103, "waits", 'D', 1004, "103\t40");
	thread(104, "idles", 'I', 1003, "104\t5");
	settings = fixture_settings();
	model = fixture_model(&settings);
	tasks = count("init 100 1000\n:/a\n");
	CHECK_U64(tasks.threads, 5); /* 999 has ended */
	CHECK_U64(tasks.running, 1);
	CHECK_U64(tasks.blocked, 1);
	CHECK_U64(tasks.last_pid, 40);
	/* without a namespace of its own it has the host's numbers */
	CHECK_U64(count("init 0 0\n:/a\n").last_pid, 103);
	CHECK_U64(count("init 0 0\n:/odd\n").threads, 1);
	CHECK_U64(count("init 0 0\n:/none\n").threads, 4712);
	/* one thread is looked at however late it is */
	{
		struct subject *subject;

		CHECK(model_subject_load(model, "init 0 0\n:/a\n", 13, &subject) == 0);
		CHECK(tasks_count(model, subject, 0, &tasks) == 0);
		CHECK_U64(tasks.threads, 1);
		subject_unref(subject);
		/* but not one cgroup after the other with nobody in it */
		fixture_file(CG "/empty/e/cgroup.threads", "100\n");
		CHECK(model_subject_load(model, "init 0 0\n:/empty\n", 17, &subject) == 0);
		CHECK(tasks_count(model, subject, 0, &tasks) == 0);
		CHECK_U64(tasks.threads, 0);
		subject_unref(subject);
	}
	model_free(model);
}

static void test_v1(void)
{
	fixture_v1();
	fixture_file(CG "/memory/a/tasks", "100\n");
	fixture_file(CG "/memory/a/memory.usage_in_bytes", "0\n");
	thread(100, "init", 'R', 1000, "100");
	settings = fixture_settings();
	model = fixture_model(&settings);
	CHECK_U64(count("init 0 0\nmemory:/a\n").running, 1);
	model_free(model);
}

/* Of the root's cgroup, in whatever hierarchy, nothing is a container's own. */
static void test_root(void)
{
	static char root[] = "/lxc";
	static const char text[] = "init 0 0\ncpu,cpuacct:/lxc/a\nmemory:/lxc\n:/lxc\n";
	struct subject *subject;
	struct lent *pressure;

	fixture_hybrid();
	fixture_file(CG "/memory/lxc/tasks", "100\n101\n");
	fixture_file(CG "/cpu,cpuacct/lxc/a/tasks", "102\n");
	fixture_file(CG "/unified/lxc/cpu.pressure", "everybody's\n");
	thread(100, "host", 'R', 1000, "100");
	thread(101, "host", 'R', 1000, "101");
	thread(102, "own", 'R', 1000, "102");
	settings = fixture_settings();
	settings.cgroup_root = root;
	model = fixture_model(&settings);
	CHECK_U64(count(text).threads, 1);
	CHECK(model_subject_load(model, text, sizeof(text) - 1, &subject) == 0);
	CHECK(subject_control(model, subject, LXCFSD_CPU_PRESSURE, &pressure) == -ENOENT);
	subject_unref(subject);
	model_free(model);
}

/* What a reader gets, with what a worker before had seen. */
static void test_load(void)
{
	struct lxcfsd_request req;
	struct lxcfsd_load load;
	struct subject *subject;

	fixture_v2();
	fixture_file(CG "/a/cgroup.threads", "100\n102\n");
	thread(100, "init", 'S', 1000, "100\t1");
	thread(102, "spins", 'R', 1002, "102\t3");
	settings = fixture_settings();
	model = fixture_model(&settings);
	CHECK(model_subject_load(model, "init 100 1000\n:/a\n", 18, &subject) == 0);
	request_begin(&req, model, subject, 0);
	CHECK(subject_load(&req, &load) == 0);
	CHECK_U64(load.avg[0], LXCFSD_LOAD_ONE);
	CHECK_U64(load.running, 1);
	CHECK_U64(load.threads, 2);
	CHECK_U64(load.last_pid, 3);
	CHECK_U64(load.forks, 3);
	/* two periods later: more have been started, one has the number 9 */
	subject->load.taken_ns = 1;
	fixture_file(CG "/a/cgroup.threads", "100\n104\n");
	thread(104, "new", 'S', 1005, "104\t9");
	CHECK(subject_load(&req, &load) == 0);
	CHECK_U64(load.forks, 9);
	CHECK(load.avg[0] < LXCFSD_LOAD_ONE);
	/* it has ended: an older one is the youngest now, and none was started */
	subject->load.taken_ns = 1;
	fixture_file(CG "/a/cgroup.threads", "100\n102\n");
	CHECK(subject_load(&req, &load) == 0);
	CHECK_U64(load.forks, 9);
	CHECK_U64(load.last_pid, 9);
	/* the numbers have begun again */
	subject->load.taken_ns = 1;
	fixture_file(CG "/a/cgroup.threads", "100\n105\n");
	thread(105, "newer", 'S', 1006, "105\t4");
	CHECK(subject_load(&req, &load) == 0);
	CHECK_U64(load.forks, 13);
	request_end(&req);
	subject_unref(subject);
	/* the youngest has no number any more: as many as there are, until one has */
	fixture_file(CG "/b/cgroup.threads", "100\n102\n106\n");
	thread(106, "ends", 'S', 1007, "106\t7");
	fixture_file("/proc/106/status", "\n");
	CHECK(model_subject_load(model, "init 100 1000\n:/b\n", 18, &subject) == 0);
	request_begin(&req, model, subject, 0);
	CHECK(subject_load(&req, &load) == 0);
	CHECK_U64(load.forks, 3);
	subject->load.taken_ns = 1;
	thread(106, "runs", 'S', 1007, "106\t7");
	CHECK(subject_load(&req, &load) == 0);
	CHECK_U64(load.forks, 7);
	request_end(&req);
	request_begin(&req, model, NULL, 0);
	CHECK(subject_load(&req, &load) == -ESRCH);
	subject_unref(subject);
	model_free(model);
}

/* Who is read is in the list, until he has not been read for five minutes. */
static void test_list(void)
{
	struct records none = { .vault = NULL };
	struct lxcfsd_request req;
	struct lxcfsd_load load;
	struct subject *subject;

	fixture_v2();
	fixture_file(CG "/a/cgroup.threads", "100\n");
	thread(100, "init", 'S', 1000, "100\t1");
	fixture_file("/proc/100/stat", "100 (init) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 1000\n");
	settings = fixture_settings();
	model = fixture_model(&settings);
	model->roots.live = true; /* so far as this is concerned */
	model_set_records(model, &none);
	CHECK(model_subject_load(model, "init 100 1000\n:/a\n", 18, &subject) == 0);
	request_begin(&req, model, subject, 0);
	CHECK(subject_load(&req, &load) == 0);
	CHECK(subject_load(&req, &load) == 0);
	CHECK_U64(model->loads.count, 1);
	pthread_mutex_lock(&model->loads.lock);
	loads_pass(model);
	CHECK_U64(model->loads.count, 1);
	subject->load_read_ns -= 299 * SECOND;
	loads_pass(model);
	CHECK_U64(model->loads.count, 1);
	subject->load_read_ns -= 2 * SECOND;
	loads_pass(model);
	CHECK_U64(model->loads.count, 0);
	pthread_mutex_unlock(&model->loads.lock);
	/* who reads again is in it again */
	CHECK(subject_load(&req, &load) == 0);
	CHECK_U64(model->loads.count, 1);
	request_end(&req);
	subject_unref(subject);
	model_free(model);
}

/* Who is looked at again and again: not who has ended. */
static void test_ended(void)
{
	struct subject *subject, *cgroup;

	fixture_v2();
	fixture_file(CG "/a/cgroup.threads", "100\n");
	thread(100, "init", 'S', 1000, "100\t1");
	fixture_file("/proc/100/stat", "100 (init) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 1000\n");
	settings = fixture_settings();
	model = fixture_model(&settings);
	CHECK(model_subject_load(model, "init 100 1000\n:/a\n", 18, &subject) == 0);
	CHECK(model_subject_load(model, "init 0 0\n:/a\n", 13, &cgroup) == 0);
	CHECK(!load_visit(model, subject)); /* nobody has read lately */
	subject->load_read_ns = cgroup->load_read_ns = io_now_ns();
	CHECK(load_visit(model, subject));
	CHECK(subject->load_watched);
	/* the number is another process's now */
	fixture_file("/proc/100/stat", "100 (new) S 1 1 1 0 -1 0 0 0 0 0 1 2 0 0 20 0 1 0 1001\n");
	CHECK(!load_visit(model, subject));
	CHECK(!subject->load_watched);
	/* nobody's */
	fixture_unlink_file("/proc/100/stat");
	CHECK(!load_visit(model, subject));
	/* without an init its cgroup is all that there is to go by */
	CHECK(load_visit(model, cgroup));
	fixture_unlink_file(CG "/a/cgroup.threads");
	fixture_unlink_file(CG "/a");
	CHECK(!load_visit(model, cgroup));
	subject_unref(subject);
	subject_unref(cgroup);
	model_free(model);
}

int main(void)
{
	test_arithmetic();
	test_tasks();
	test_v1();
	test_load();
	test_list();
	test_ended();
	test_root();
	return done_testing();
}
