/* SPDX-License-Identifier: MIT */
/*
 * times.c - a container's CPU time: what the kernel says of it, taken over by
 * cputime.c, and kept in the vault.
 *
 * v2: cpu.stat (cgroup-v2.rst).  v1: cpuacct.usage, divided as cpuacct.usage_all says,
 * which knows the CPUs (kernel/sched/cpuacct.c); where that is missing all of it as user
 * time.  A step ends when the file
 * was read, not when somebody asked: the file may be some milliseconds old.
 *
 * The first step is all that happened since the container began.  Each step is written
 * to the vault before it is shown, so that no other worker ever shows less.
 */
#include <errno.h>
#include <stdlib.h>

#include "io.h"
#include "parts.h"
#include "text.h"

#define OWNER	 "cpu"
#define US	 1000u
#define SECOND	 1000000000ull
#define RAWS_MAX 8192 /* as the kernel's NR_CPUS */
/* The largest state: a line and a share for each CPU. */
#define STATE_MAX                                                                                  \
	(sizeof(struct cpu_state) +                                                                \
	 RAWS_MAX * (2 * sizeof(struct cpu_line) + sizeof(struct cpu_share)))

/* ----------------------------------------------------------------- reading */

static uint64_t from_us(uint64_t us)
{
	uint64_t ns;

	if (us == LXCFSD_UNKNOWN || __builtin_mul_overflow(us, (uint64_t)US, &ns))
		return 0;
	return ns;
}

static void take_cpu_stat(struct lxcfsd_text text, struct cpu_sample *sample)
{
	static const struct lxcfsd_key keys[] = { { "user_usec", NULL },
						  { "system_usec", NULL },
						  { "nice_usec", NULL },
						  { "throttled_usec", NULL } };
	uint64_t values[LXCFSD_COUNT(keys)], nice;

	stat_pick(text, true, keys, LXCFSD_COUNT(keys), values);
	nice = from_us(values[2]); /* user time, too */
	sample->used = (struct cpu_share){ .user = sub0(from_us(values[0]), nice),
					   .nice = nice,
					   .system = from_us(values[1]) };
	sample->throttled = from_us(values[3]);
}

/* "cpu user system", then a line per possible CPU, nanoseconds. */
static int take_usage_all(struct lxcfsd_text text, struct cpu_sample *sample,
			  struct cpu_share **ret)
{
	struct cpu_share *raw = calloc(RAWS_MAX, sizeof(*raw));
	struct lxcfsd_text line, word;
	uint64_t id, user, system;

	if (!raw)
		return -ENOMEM;
	while (text_line(&text, &line)) {
		if (!text_word(&line, &word) || parse_u64(word, &id) < 0 || id >= RAWS_MAX ||
		    !text_word(&line, &word) || parse_u64(word, &user) < 0 ||
		    !text_word(&line, &word) || parse_u64(word, &system) < 0)
			continue;
		if (sample->raw_count <= id)
			sample->raw_count = (uint32_t)id + 1;
		raw[id] = (struct cpu_share){ .user = user, .system = system };
		sample->used.user += user;
		sample->used.system += system;
	}
	sample->raw = *ret = raw;
	return 0;
}

/* v1 says it in a file of the cpu controller. */
static int read_throttled(struct model *model, const struct subject *subject, uint64_t *ret)
{
	static const struct lxcfsd_key key = { NULL, "throttled_time" };
	struct cgroup *cgroup;
	struct lent *text;
	uint64_t value = LXCFSD_UNKNOWN;
	int r = subject_own_cgroup(model, subject, LXCFSD_CPU, &cgroup);

	if (r < 0 || !cgroup)
		return r;
	r = cgroup_text(&model->cgroups, cgroup, CG_CPU_THROTTLED, &text);
	if (r == 0) {
		stat_pick((struct lxcfsd_text){ text->data, text->len }, false, &key, 1, &value);
		lent_unref(text);
	}
	cgroup_put(&model->cgroups, cgroup);
	*ret = value == LXCFSD_UNKNOWN ? 0 : value;
	return r == -ENOENT ? 0 : r;
}

/* `last_ns`: of the last step.  Where nothing was read since, sample->read_ns is that
 * and nothing else is said. */
static int read_v1(struct model *model, const struct subject *subject, struct cgroup *cgroup,
		   uint64_t last_ns, struct cpu_sample *sample, struct cpu_share **ret_raw)
{
	struct lent *text;
	int r = cgroup_text_at(&model->cgroups, cgroup, CG_CPU_USAGE_ALL, &text, &sample->read_ns);

	if (r == 0) {
		if (sample->read_ns != last_ns) {
			r = take_usage_all((struct lxcfsd_text){ text->data, text->len }, sample,
					   ret_raw);
			if (r == 0)
				r = cgroup_value(&model->cgroups, cgroup, CG_CPU_USAGE,
						 &sample->exact);
			if (r == -ENOENT)
				r = 0;
		}
		lent_unref(text);
	} else if (r == -ENOENT) {
		r = cgroup_value(&model->cgroups, cgroup, CG_CPU_USAGE, &sample->used.user);
		if (r == -ENOENT)
			r = 0;
		sample->read_ns = io_now_ns();
	}
	return r < 0 ? r : read_throttled(model, subject, &sample->throttled);
}

static int read_v2(struct model *model, struct cgroup *cgroup, uint64_t last_ns,
		   struct cpu_sample *sample)
{
	struct lent *text;
	int r = cgroup_text_at(&model->cgroups, cgroup, CG_CPU_STAT, &text, &sample->read_ns);

	if (r < 0)
		return r;
	if (sample->read_ns != last_ns)
		take_cpu_stat((struct lxcfsd_text){ text->data, text->len }, sample);
	lent_unref(text);
	return 0;
}

/* A container that is not accounted uses nothing. */
static int read_sample(struct model *model, const struct subject *subject, uint64_t last_ns,
		       struct cpu_sample *sample, struct cpu_share **ret_raw)
{
	struct cgroup *cgroup;
	int r = subject_own_cgroup(model, subject, LXCFSD_CPUACCT, &cgroup);

	*sample = (struct cpu_sample){ .read_ns = io_now_ns() };
	if (r < 0 || !cgroup)
		return r;
	if (layout_find(&model->layout, LXCFSD_CPUACCT)->v2)
		r = read_v2(model, cgroup, last_ns, sample);
	else
		r = read_v1(model, subject, cgroup, last_ns, sample, ret_raw);
	cgroup_put(&model->cgroups, cgroup);
	return r == -ENOENT ? 0 : r;
}

/* ----------------------------------------------------------------- stepping */

static int make_view(struct model *model, const struct subject *subject, const struct lent *cpus,
		     struct cpu_view *ret)
{
	uint64_t quota, period;
	int r = subject_quota(model, subject, &quota, &period);

	if (r < 0)
		return r;
	*ret = (struct cpu_view){
		.ids = (const uint32_t *)(const void *)cpus->data,
		.count = (uint32_t)(cpus->len / sizeof(uint32_t)),
		.dense = model->settings->cpu_numbering == CPU_NUMBERING_DENSE,
		.quota = quota,
		.period = period,
		.scale = model->settings->cpu_scale,
		.steal = model->settings->cpu_throttled == CPU_THROTTLED_STEAL,
	};
	return 0;
}

/* As an earlier worker left it, else a container that begins.  With the lock. */
static int begin(struct model *model, struct subject *subject)
{
	_free_ void *buf = malloc(STATE_MAX);
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	n = record_read(model->records, OWNER, CPU_STATE_VERSION, subject, buf, STATE_MAX);
	if (n >= 0)
		subject->times = cpu_state_load(buf, (size_t)n);
	if (subject->times && subject->times->read_ns > io_now_ns()) {
		free(subject->times);
		subject->times = NULL;
	}
	if (!subject->times)
		subject->times = cpu_state_new();
	return subject->times ? 0 : -ENOMEM;
}

/* How long a step it is.  An age that is not known: as long as it was busy. */
static uint64_t step_length(struct model *model, struct subject *subject,
			    const struct cpu_sample *sample, const struct cpu_view *view)
{
	uint64_t age, busy = sample->used.user + sample->used.nice + sample->used.system;

	if (subject->times->read_ns)
		return sub0(sample->read_ns, subject->times->read_ns);
	return subject_age_ns(model, subject, &age) == 0 ? age : busy / view->count;
}

static int step(struct model *model, struct subject *subject, const struct lent *cpus)
{
	_free_ struct cpu_share *raw = NULL;
	uint64_t last_ns = subject->times->read_ns;
	struct cpu_sample sample;
	struct cpu_view view;
	int r;

	r = read_sample(model, subject, last_ns, &sample, &raw);
	if (r == 0 && sample.read_ns <= last_ns)
		return 0;
	if (r == 0)
		r = make_view(model, subject, cpus, &view);
	if (r < 0)
		return last_ns ? 0 : r; /* it stays as it was */
	r = cpu_state_step(&subject->times, &sample, &view,
			   step_length(model, subject, &sample, &view));
	if (r == 0)
		record_write(model->records, OWNER, CPU_STATE_VERSION, subject, subject->times,
			     cpu_state_size(subject->times));
	return r;
}

/* ------------------------------------------------------------------ showing */

/* What is lent: the total, the times of the visible CPUs, their numbers. */
#define SHOWN_BYTES(count)                                                                         \
	(((count) + 1) * sizeof(struct lxcfsd_cpu_time) + (count) * sizeof(uint32_t))

static int show(struct model *model, struct subject *subject, struct lent *cpus)
{
	const uint32_t *ids = (const uint32_t *)(const void *)cpus->data;
	size_t count = cpus->len / sizeof(uint32_t);
	bool dense = model->settings->cpu_numbering == CPU_NUMBERING_DENSE;
	struct lxcfsd_cpu_time *times;
	uint32_t *numbers;
	int r;

	if (subject->times_cpus == cpus && subject->times_shown_ns == subject->times->read_ns)
		return 0;
	r = lent_own(&subject->times_shown, SHOWN_BYTES(count));
	if (r < 0)
		return r;
	times = (struct lxcfsd_cpu_time *)(void *)subject->times_shown->data;
	numbers = (uint32_t *)(void *)(times + count + 1);
	times[0] = cpu_state_total(subject->times, SECOND / model->roots.clock_ticks);
	for (size_t i = 0; i < count; i++) {
		numbers[i] = dense ? (uint32_t)i : ids[i];
		times[i + 1] = cpu_state_line(subject->times, numbers[i]);
	}
	subject->times_shown->len = SHOWN_BYTES(count);
	lent_unref(subject->times_cpus);
	subject->times_cpus = lent_ref(cpus);
	subject->times_shown_ns = subject->times->read_ns;
	return 0;
}

static int take_step(struct model *model, struct subject *subject, struct lent **ret)
{
	struct lent *cpus;
	int r = subject_cpus(model, subject, &cpus);

	if (r < 0)
		return r;
	pthread_mutex_lock(&subject->times_lock);
	r = subject->times ? 0 : begin(model, subject);
	if (r == 0)
		r = step(model, subject, cpus);
	if (r == 0)
		r = show(model, subject, cpus);
	if (r == 0)
		*ret = lent_ref(subject->times_shown);
	pthread_mutex_unlock(&subject->times_lock);
	lent_unref(cpus);
	return r;
}

int subject_cpu_times(struct lxcfsd_request *req, struct lxcfsd_cpu_times *ret)
{
	const struct lxcfsd_cpu_time *times;
	struct lent *shown = NULL;
	size_t count;
	int r;

	if (!req->subject)
		return -ESRCH;
	r = take_step(req->model, req->subject, &shown);
	if (r < 0)
		return r;
	r = request_lend(req, shown);
	if (r < 0)
		return r;
	times = (const struct lxcfsd_cpu_time *)(const void *)shown->data;
	count = (shown->len - SHOWN_BYTES(0)) / (SHOWN_BYTES(1) - SHOWN_BYTES(0));
	*ret = (struct lxcfsd_cpu_times){
		.total = times[0],
		.cpus = times + 1,
		.numbers = (const uint32_t *)(const void *)(times + 1 + count),
		.count = (uint32_t)count,
	};
	return 0;
}
