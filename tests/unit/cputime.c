/* SPDX-License-Identifier: MIT */
/* cputime - the CPU time of a container, step by step. */
#include <stdlib.h>

#include "check.h"
#include "cputime.h"

#define MS     1000000ull
#define SECOND 1000000000ull
#define PERIOD (100 * MS)
#define TICK   (SECOND / 100)

static const uint32_t ids[8] = { 2, 3, 5, 7, 8, 9, 10, 11 };
static struct cpu_state *state;
static struct cpu_sample sample;
static struct cpu_view view;

static void begin(uint32_t count)
{
	free(state);
	state = cpu_state_new();
	sample = (struct cpu_sample){ .read_ns = SECOND };
	view = (struct cpu_view){ .ids = ids,
				  .count = count,
				  .quota = LXCFSD_NO_LIMIT,
				  .period = PERIOD,
				  .scale = true };
	/* it begins now, with nothing used */
	CHECK(cpu_state_step(&state, &sample, &view, 0) == 0);
}

static void step(uint64_t dt, uint64_t user, uint64_t system)
{
	sample.read_ns += dt;
	sample.used.user += user;
	sample.used.system += system;
	if (cpu_state_step(&state, &sample, &view, dt) < 0)
		CHECK(!"memory");
}

static uint64_t busy(struct lxcfsd_cpu_time t)
{
	return t.user + t.nice + t.system;
}

static struct lxcfsd_cpu_time total(void)
{
	return cpu_state_total(state, 1);
}

static void test_spread(void)
{
	begin(2);
	step(10 * SECOND, 3 * SECOND, SECOND);
	CHECK_U64(total().user, 3 * SECOND);
	CHECK_U64(total().system, SECOND);
	CHECK_U64(total().idle, 16 * SECOND);
	CHECK_U64(cpu_state_line(state, 2).user, 1500 * MS);
	CHECK_U64(cpu_state_line(state, 3).idle, 8 * SECOND);
	CHECK_U64(busy(cpu_state_line(state, 5)), 0);
	/* more than there can be: what is over comes later, as much as a period has */
	step(SECOND, 2 * SECOND + 50 * MS, 0);
	CHECK_U64(total().user, 5 * SECOND);
	CHECK_U64(total().idle, 16 * SECOND);
	step(SECOND, 950 * MS, 0);
	CHECK_U64(total().user, 6 * SECOND);
	CHECK_U64(total().idle, 17 * SECOND);
	/* nice is its own column */
	sample.used.nice += SECOND;
	step(SECOND, 0, 0);
	CHECK_U64(total().nice, SECOND);
	/* a cgroup that was made anew counts from 0 */
	sample.used = (struct cpu_share){ .user = 5 };
	step(SECOND, 0, 0);
	CHECK_U64(total().user, 6 * SECOND);
}

/* The first step is the container's whole past. */
static void test_past(void)
{
	free(state);
	state = cpu_state_new();
	view = (struct cpu_view){
		.ids = ids, .count = 2, .quota = 1000000, .period = PERIOD, .scale = true
	};
	sample = (struct cpu_sample){ .read_ns = 5, .used = { .user = 10 * SECOND } };
	CHECK(cpu_state_step(&state, &sample, &view, 100 * SECOND) == 0);
	CHECK_U64(total().user, 20 * SECOND);
	CHECK_U64(total().idle, 180 * SECOND);
	/* it had more CPUs than now: that is over, and not owed */
	free(state);
	state = cpu_state_new();
	CHECK(cpu_state_step(&state, &sample, &view, 2 * SECOND) == 0);
	CHECK_U64(total().user, 4 * SECOND);
	CHECK_U64(total().idle, 0);
	step(SECOND, 0, 0);
	CHECK_U64(total().user, 4 * SECOND);
	CHECK_U64(total().idle, 2 * SECOND);
}

/* 1.5 CPUs shown as 2: used in full they read as 100 %, used by half as 50 %; in
 * whatever bursts the kernel gives them. */
static void test_scale(void)
{
	begin(2);
	view.quota = 1500000;
	for (int i = 0; i < 100; i++) {
		step(50 * MS, 100 * MS, 0);
		step(50 * MS, 50 * MS, 0);
	}
	CHECK(total().user >= 20 * SECOND - 10 * MS && total().user <= 20 * SECOND);
	CHECK(total().idle <= 10 * MS);
	/* the burst at the end of a period */
	for (int i = 0; i < 100; i++) {
		step(25 * MS, 0, 0);
		step(75 * MS, 0, 150 * MS);
	}
	CHECK(total().system >= 19800 * MS);
	/* no more than a period of each CPU is carried on */
	step(MS, 0, 1000 * SECOND);
	for (int i = 0; i < 10; i++)
		step(SECOND, 0, 0);
	CHECK(total().system <= 20210 * MS);
	CHECK(total().idle >= 19800 * MS);
}

/* A changed quota is right at once: nothing is owed of the time before. */
static void test_changed_quota(void)
{
	struct lxcfsd_cpu_time before;

	begin(1);
	view.quota = 100000;
	for (int i = 0; i < 20; i++)
		step(50 * MS, 10 * MS, 0);
	view.quota = 500000;
	step(50 * MS, 0, 0);
	before = total();
	for (int i = 0; i < 20; i++)
		step(50 * MS, 15 * MS, 0); /* 30 of 50 % */
	CHECK_U64(total().user - before.user, 600 * MS);
	CHECK_U64(total().idle - before.idle, 400 * MS);
	/* and so is a changed number of CPUs */
	view.count = 4;
	view.quota = 4000000;
	step(SECOND, 4 * SECOND, 0);
	view.count = 1;
	view.quota = 1000000;
	step(50 * MS, 200 * MS, 0);
	view.quota = 1000001;
	before = total();
	step(SECOND, 500 * MS, 0);
	CHECK_U64(total().user - before.user, 500 * MS);
}

/* v1 knows the CPU. */
static void test_own(void)
{
	struct cpu_share raw[12] = { { 0 } };

	begin(3); /* 2, 3 and 5 */
	sample.raw = raw;
	sample.raw_count = 12;
	step(0, 0, 0);
	raw[2].user += 600 * MS;
	raw[3].system += 100 * MS;
	raw[9].user += 500 * MS; /* before the cpuset was changed: shared out */
	step(SECOND, 1100 * MS, 100 * MS);
	CHECK_U64(total().user, 1100 * MS);
	CHECK_U64(total().system, 100 * MS);
	CHECK_U64(cpu_state_line(state, 3).system, 100 * MS);
	CHECK_U64(cpu_state_line(state, 5).system, 0);
	CHECK(cpu_state_line(state, 2).user > 600 * MS && cpu_state_line(state, 2).user < 750 * MS);
	CHECK(cpu_state_line(state, 5).user > cpu_state_line(state, 3).user);
	CHECK_U64(busy(cpu_state_line(state, 9)), 0);
	/* each CPU has no more than the time that passed */
	raw[2].user += 3 * SECOND;
	step(SECOND, 3 * SECOND, 0);
	CHECK_U64(cpu_state_line(state, 2).idle + busy(cpu_state_line(state, 2)), 2 * SECOND);
	CHECK_U64(total().idle + busy(total()), 6 * SECOND);
}

/* Ticks say who, the clock says how much. */
static void test_exact(void)
{
	struct cpu_share raw[12] = { { 0 } };

	begin(2); /* 2 and 3 */
	sample.raw = raw;
	sample.raw_count = 12;
	sample.exact = 1;
	step(0, 0, 0);
	raw[2].user += 300 * MS;
	raw[3].system += 100 * MS;
	sample.exact += 800 * MS;
	step(SECOND, 300 * MS, 100 * MS);
	CHECK_U64(cpu_state_line(state, 2).user, 600 * MS);
	CHECK_U64(cpu_state_line(state, 3).system, 200 * MS);
	CHECK_U64(busy(total()), 800 * MS);
	/* no tick found it running, or one did that hardly ran */
	sample.exact += 200 * MS;
	step(SECOND, 0, 0);
	CHECK_U64(busy(total()), SECOND);
	raw[2].user += 4 * MS;
	step(SECOND, 4 * MS, 0);
	CHECK_U64(busy(total()), SECOND);
	/* scaled all the same */
	view.quota = view.count * 500000;
	raw[2].user += 100 * MS;
	sample.exact += 200 * MS;
	step(SECOND, 100 * MS, 0);
	CHECK_U64(busy(total()), 1400 * MS);
	/* unknown for a step, it does not begin again with all that ever was */
	view.quota = LXCFSD_NO_LIMIT;
	sample.exact = 0;
	step(SECOND, 100 * MS, 0);
	CHECK_U64(busy(total()), 1500 * MS);
	sample.exact = 5 * SECOND;
	step(SECOND, 100 * MS, 0);
	CHECK_U64(busy(total()), 1600 * MS);
	CHECK_U64(total().idle + busy(total()), 12 * SECOND);
}

static void test_steal(void)
{
	begin(2);
	view.steal = true;
	sample.throttled = 500 * MS;
	step(SECOND, SECOND, 0);
	CHECK_U64(total().steal, 500 * MS);
	CHECK_U64(total().idle, 500 * MS);
	CHECK_U64(cpu_state_line(state, 3).steal, 250 * MS);
	sample.throttled += 10 * SECOND; /* each of ten threads waited */
	step(SECOND, SECOND, 0);
	CHECK_U64(total().steal, 1500 * MS);
	CHECK_U64(total().idle, 500 * MS);
	view.steal = false;
	sample.throttled += SECOND;
	step(SECOND, 0, 0);
	CHECK_U64(total().steal, 1500 * MS);
}

static void test_dense(void)
{
	begin(2);
	view.dense = true;
	step(SECOND, SECOND, 0);
	CHECK_U64(busy(cpu_state_line(state, 0)), 500 * MS);
	CHECK_U64(busy(cpu_state_line(state, 1)), 500 * MS);
	view.ids = ids + 4; /* other CPUs, the same numbers: they go on */
	step(SECOND, SECOND, 0);
	CHECK_U64(busy(cpu_state_line(state, 0)), SECOND);
}

static bool goes_back(struct lxcfsd_cpu_time a, struct lxcfsd_cpu_time b)
{
	return b.user < a.user || b.nice < a.nice || b.system < a.system || b.idle < a.idle ||
	       b.steal < a.steal;
}

/* Whatever happens, in whatever order: nothing goes back, the lines add up to the sum
 * (in ticks), and all the time that passed is accounted for. */
static void test_random(void)
{
	struct lxcfsd_cpu_time before[12], sum_before = { 0 };
	struct cpu_share raw[12] = { { 0 } };
	bool back = false, adds_up = true, lost = false;
	uint64_t passed = 0;

	srand(1);
	memset(before, 0, sizeof(before));
	begin(4);
	for (int i = 0; i < 10000; i++) {
		uint64_t dt = (uint64_t)rand() % (200 * MS), sum = 0;
		struct lxcfsd_cpu_time now;

		view.count = 1 + (uint32_t)rand() % 8;
		view.quota = rand() % 3 ? 1 + (uint64_t)rand() % 8000000 : LXCFSD_NO_LIMIT;
		view.period = (uint64_t)rand() % (200 * MS);
		view.steal = rand() % 4 == 0;
		sample.raw = rand() % 2 ? raw : NULL;
		sample.raw_count = sample.raw ? 12 : 0;
		for (int cpu = 0; cpu < 12; cpu++) {
			raw[cpu].user += (uint64_t)rand() % (dt + 1) / 2;
			raw[cpu].system += (uint64_t)rand() % (dt + 1) / 2;
		}
		sample.throttled += (uint64_t)rand() % (dt + 1);
		sample.exact = rand() % 8 ? sample.exact + (uint64_t)rand() % (dt + 1) : 0;
		step(dt, (uint64_t)rand() % (dt * view.count + 1), (uint64_t)rand() % (dt + 1));
		passed += dt * view.count;
		for (uint32_t cpu = 0; cpu < 12; cpu++) {
			now = cpu_state_line(state, cpu);
			back = back || goes_back(before[cpu], now);
			before[cpu] = now;
			sum += now.user / TICK;
		}
		now = cpu_state_total(state, TICK);
		back = back || goes_back(sum_before, now);
		sum_before = now;
		adds_up = adds_up && sum == now.user / TICK && now.user % TICK == 0;
		sum = busy(total()) + total().idle + total().steal;
		/* a nanosecond per number and step may be rounded away */
		lost = lost || sum > passed + 40 * ((uint64_t)i + 1) ||
		       sum + 40 * ((uint64_t)i + 1) < passed;
	}
	CHECK(!back);
	CHECK(adds_up);
	CHECK(!lost);
}

static void test_load(void)
{
	struct cpu_state *copy, *bad;
	size_t size;

	begin(3);
	step(SECOND, SECOND, SECOND);
	size = cpu_state_size(state);
	copy = cpu_state_load(state, size);
	CHECK(copy && cpu_state_size(copy) == size && memcmp(copy, state, size) == 0);
	free(copy);
	CHECK(!cpu_state_load(state, size - 1) && !cpu_state_load(state, 3));
	bad = cpu_state_load(state, size);
	bad->lines[2].number = bad->lines[1].number;
	CHECK(!cpu_state_load(bad, size));
	bad->line_count = UINT32_MAX;
	CHECK(!cpu_state_load(bad, size));
	free(bad);
	/* any numbers are survived */
	for (unsigned int seed = 1; seed < 200; seed++) {
		srand(seed);
		for (size_t i = 0; i < size - sizeof(*state) + 48; i++)
			((uint8_t *)state)[i] = (uint8_t)rand();
		state->line_count = 3;
		state->raw_count = 0;
		for (uint32_t i = 0; i < 3; i++)
			state->lines[i].number = ids[i];
		step((uint64_t)rand() << (seed % 32), (uint64_t)rand() << 31, (uint64_t)rand());
	}
	CHECK(state != NULL);
}

int main(void)
{
	test_spread();
	test_past();
	test_scale();
	test_changed_quota();
	test_own();
	test_exact();
	test_steal();
	test_dense();
	test_random();
	test_load();
	free(state);
	return done_testing();
}
