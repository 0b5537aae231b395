/* SPDX-License-Identifier: MIT */
/* load.c - see load.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "io.h"
#include "parts.h"
#include "proc.h"
#include "tasks.h"
#include "text.h"

#define OWNER	    "load"
#define MS	    1000000ull
#define SECOND	    1000000000ull
#define WATCHED_MAX 4096
#define LATELY_NS   (300 * SECOND) /* who has not been read for so long is not looked at */
/* The thread works for a tenth of a CPU at most; one look takes what a slice has. */
#define SLICE_NS    (10 * MS)
#define PAUSE_NS    (90 * MS)
#define PERIODS_MAX 5000 /* after so many nothing is left of what was before */

/* --------------------------------------------------------------- arithmetic */

/* calc_load() */
static uint64_t decay(uint64_t load, uint64_t factor, uint64_t active)
{
	uint64_t next = load * factor + active * (LXCFSD_LOAD_ONE - factor);

	if (active >= load)
		next += LXCFSD_LOAD_ONE - 1;
	return next / LXCFSD_LOAD_ONE;
}

void load_advance(struct load_state *state, uint64_t active, uint64_t now_ns)
{
	/* EXP_1, EXP_5, EXP_15: 1 / exp(5 s / 1, 5, 15 min) */
	static const uint64_t factors[3] = { 1884, 2014, 2037 };
	uint64_t periods = sub0(now_ns, state->taken_ns) / LOAD_PERIOD_NS;

	active *= LXCFSD_LOAD_ONE;
	if (!state->taken_ns) {
		state->avg[0] = state->avg[1] = state->avg[2] = active;
		state->taken_ns = now_ns;
		return;
	}
	state->taken_ns += periods * LOAD_PERIOD_NS;
	for (uint64_t n = 0; n < periods && n < PERIODS_MAX; n++)
		for (int i = 0; i < 3; i++)
			state->avg[i] = decay(state->avg[i], factors[i], active);
}

/* ------------------------------------------------------------------ looking */

/* Is the youngest thread one that came since the last look, or one of those that were
 * there before and outlived the others? */
static bool is_newer(const struct load_state *state, const struct tasks *tasks)
{
	if (tasks->last_pid == 0)
		return false;
	return tasks->last_start > state->last_start ||
	       (tasks->last_start == state->last_start && tasks->last_pid > state->last_pid);
}

/* How many processes and threads have been started: as far as their numbers say, as
 * they do in a namespace of its own.  Beyond the largest they begin again.  Without a
 * number (the youngest has ended meanwhile) as many as there are. */
static void count_forks(struct load_state *state, bool own_numbers, const struct tasks *tasks)
{
	bool newer = is_newer(state, tasks), known = own_numbers && state->last_pid > 0;
	uint32_t least = own_numbers && newer ? tasks->last_pid : tasks->threads;

	if (!known)
		state->forks = state->forks > least ? state->forks : least;
	else if (newer)
		state->forks += tasks->last_pid > state->last_pid
					? tasks->last_pid - state->last_pid
					: tasks->last_pid;
	if (newer) {
		state->last_pid = tasks->last_pid;
		state->last_start = tasks->last_start;
	}
}

/* Under the subject's lock.  -ESRCH: there is no such container any more. */
static int look(struct model *model, struct subject *subject)
{
	struct load_state *state = &subject->load;
	uint64_t used = LXCFSD_UNKNOWN, now = io_now_ns();
	struct tasks tasks;
	bool changed;
	int r = 0;

	if (subject_usage(model, subject, LXCFSD_CPU_USAGE, &used) < 0)
		used = LXCFSD_UNKNOWN;
	changed = !state->taken_ns || used != state->used || used == LXCFSD_UNKNOWN;
	if (changed)
		r = tasks_count(model, subject, SLICE_NS, &tasks);
	if (changed && r == 0) {
		state->running = tasks.running;
		state->blocked = tasks.blocked;
		state->threads = tasks.threads;
		count_forks(state, subject->init > 0, &tasks);
		state->used = used;
	}
	load_advance(state, (uint64_t)state->running + state->blocked, now);
	record_write(model->records, OWNER, LOAD_STATE_VERSION, subject, state, sizeof(*state));
	return r == -ESRCH ? r : 0;
}

/* As an earlier worker left it.  What the vault says is not trusted: averages beyond
 * all reason could overflow. */
static void begin(struct model *model, struct subject *subject)
{
	struct load_state state;
	bool good = record_read(model->records, OWNER, LOAD_STATE_VERSION, subject, &state,
				sizeof(state)) == (ssize_t)sizeof(state);

	subject->load_begun = true;
	for (int i = 0; i < 3; i++)
		good = good && state.avg[i] <= (uint64_t)UINT32_MAX * LXCFSD_LOAD_ONE;
	if (good && state.taken_ns <= io_now_ns())
		subject->load = state;
}

/* ------------------------------------------------------------------- thread */

void loads_init(struct loads *loads)
{
	pthread_condattr_t attr;

	*loads = (struct loads){ .list = NULL };
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&loads->wake, &attr);
	pthread_condattr_destroy(&attr);
	pthread_mutex_init(&loads->lock, NULL);
}

/* Until `ns`, or somebody comes; with the lock. */
static void sleep_until(struct loads *loads, uint64_t ns)
{
	struct timespec until = { .tv_sec = (time_t)(ns / SECOND), .tv_nsec = (long)(ns % SECOND) };

	pthread_cond_timedwait(&loads->wake, &loads->lock, &until);
}

/* As long as it says, whoever comes meanwhile; with the lock. */
static void pause_for(struct loads *loads, uint64_t ns)
{
	uint64_t end = io_now_ns() + ns;

	while (!loads->stop && io_now_ns() < end)
		sleep_until(loads, end);
}

/* Anybody can begin pid namespaces, each of which is a container to us, one after the
 * other: who is gone must not take the time of those who are there. */
static bool has_ended(const struct model *model, const struct subject *subject)
{
	uint64_t start;
	int r;

	if (subject->init == 0)
		return false;
	r = proc_start(model->roots.proc_fd, subject->init, &start);
	return r == -ESRCH || (r == 0 && start != subject->init_start);
}

bool load_visit(struct model *model, struct subject *subject)
{
	bool keep;

	pthread_mutex_lock(&subject->load_lock);
	keep = subject->load_read_ns && io_now_ns() - subject->load_read_ns < LATELY_NS &&
	       !has_ended(model, subject) && look(model, subject) == 0;
	subject->load_watched = keep;
	pthread_mutex_unlock(&subject->load_lock);
	return keep;
}

void loads_pass(struct model *model)
{
	struct loads *loads = &model->loads;
	uint64_t began = io_used_ns();

	for (uint32_t i = 0; i < loads->count && !loads->stop;) {
		struct subject *subject = loads->list[i];
		bool keep;

		pthread_mutex_unlock(&loads->lock);
		keep = load_visit(model, subject);
		pthread_mutex_lock(&loads->lock);
		if (keep) {
			i++;
		} else {
			loads->list[i] = loads->list[--loads->count];
			pthread_mutex_unlock(&loads->lock);
			subject_unref(subject);
			pthread_mutex_lock(&loads->lock);
		}
		if (io_used_ns() - began > SLICE_NS) {
			pause_for(loads, PAUSE_NS);
			began = io_used_ns();
		}
	}
}

static void *watch(void *arg)
{
	struct model *model = arg;
	struct loads *loads = &model->loads;
	uint64_t next = io_now_ns() + LOAD_PERIOD_NS;

	pthread_mutex_lock(&loads->lock);
	while (!loads->stop) {
		if (loads->count == 0) {
			pthread_cond_wait(&loads->wake, &loads->lock);
			next = io_now_ns() + LOAD_PERIOD_NS;
		} else if (io_now_ns() < next) {
			sleep_until(loads, next);
		} else {
			next += LOAD_PERIOD_NS;
			loads_pass(model);
		}
	}
	pthread_mutex_unlock(&loads->lock);
	return NULL;
}

/* From now on it is looked at.  Called with the subject's lock; a table that is full
 * or a thread that cannot be started means averages that are only as good as reads
 * are frequent. */
static void enlist(struct model *model, struct subject *subject)
{
	struct loads *loads = &model->loads;
	struct subject **list;

	if (!model->roots.live || !model->records)
		return;
	pthread_mutex_lock(&loads->lock);
	if (loads->count == loads->room && loads->room < WATCHED_MAX) {
		list = reallocarray(loads->list, loads->room + 64, sizeof(struct subject *));
		if (list) {
			loads->list = list;
			loads->room += 64;
		}
	}
	if (!loads->running)
		loads->running = pthread_create(&loads->thread, NULL, watch, model) == 0;
	if (loads->running && loads->count < loads->room) {
		loads->list[loads->count++] = subject_ref(subject);
		subject->load_watched = true;
		pthread_cond_signal(&loads->wake);
	}
	pthread_mutex_unlock(&loads->lock);
}

void loads_done(struct loads *loads)
{
	pthread_mutex_lock(&loads->lock);
	loads->stop = true;
	pthread_cond_signal(&loads->wake);
	pthread_mutex_unlock(&loads->lock);
	if (loads->running)
		pthread_join(loads->thread, NULL);
	while (loads->count > 0)
		subject_unref(loads->list[--loads->count]);
	free(loads->list);
	pthread_cond_destroy(&loads->wake);
	pthread_mutex_destroy(&loads->lock);
}

int subject_load(struct lxcfsd_request *req, struct lxcfsd_load *ret)
{
	struct subject *subject = req->subject;
	struct load_state *state;
	uint64_t now = io_now_ns();

	if (!subject)
		return -ESRCH;
	state = &subject->load;
	pthread_mutex_lock(&subject->load_lock);
	if (!subject->load_begun)
		begin(req->model, subject);
	subject->load_read_ns = now;
	if (!subject->load_watched) {
		/* nobody has looked for a period or more: this reader does */
		if (sub0(now, state->taken_ns) >= LOAD_PERIOD_NS)
			look(req->model, subject);
		enlist(req->model, subject);
	}
	*ret = (struct lxcfsd_load){
		.avg = { state->avg[0], state->avg[1], state->avg[2] },
		.running = state->running,
		.blocked = state->blocked,
		.threads = state->threads,
		.last_pid = state->last_pid,
		.forks = state->forks,
	};
	pthread_mutex_unlock(&subject->load_lock);
	return 0;
}
