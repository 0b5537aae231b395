/* SPDX-License-Identifier: MIT */
/* cputime.c - see cputime.h.  Arithmetic only: nothing is read here. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cputime.h"
#include "text.h"

#define LINES_MAX 65536
#define MILLION	  1000000u

static uint64_t sum_of(struct cpu_share s)
{
	return s.user + s.nice + s.system;
}

static struct cpu_share add(struct cpu_share a, struct cpu_share b)
{
	return (struct cpu_share){ a.user + b.user, a.nice + b.nice, a.system + b.system };
}

/* Saturating: a cgroup that was made anew begins at 0 again. */
static struct cpu_share less(struct cpu_share a, struct cpu_share b)
{
	return (struct cpu_share){ sub0(a.user, b.user), sub0(a.nice, b.nice),
				   sub0(a.system, b.system) };
}

/* Doubles are exact up to 104 days of nanoseconds, and a step is shorter; what is
 * rounded beyond that is not missed. */
static uint64_t scaled(uint64_t ns, double factor)
{
	double product = (double)ns * factor;

	return product < (double)INT64_MAX ? (uint64_t)product : INT64_MAX;
}

static struct cpu_share times(struct cpu_share s, double factor)
{
	return (struct cpu_share){ scaled(s.user, factor), scaled(s.nice, factor),
				   scaled(s.system, factor) };
}

static struct cpu_share at_most(struct cpu_share s, uint64_t most)
{
	uint64_t sum = sum_of(s);

	return sum <= most ? s : times(s, (double)most / (double)sum);
}

/* ------------------------------------------------------------------- state */

static struct cpu_share *raw_of(struct cpu_state *state)
{
	return (struct cpu_share *)(void *)(state->lines + state->line_count);
}

static size_t size_for(uint64_t lines, uint64_t raws)
{
	return sizeof(struct cpu_state) + lines * sizeof(struct cpu_line) +
	       raws * sizeof(struct cpu_share);
}

struct cpu_state *cpu_state_new(void)
{
	return calloc(1, sizeof(struct cpu_state));
}

size_t cpu_state_size(const struct cpu_state *state)
{
	return size_for(state->line_count, state->raw_count);
}

struct cpu_state *cpu_state_load(const void *bytes, size_t len)
{
	struct cpu_state *state;

	if (len < sizeof(*state))
		return NULL;
	state = malloc(len);
	if (!state)
		return NULL;
	memcpy(state, bytes, len);
	if (state->line_count > LINES_MAX || state->raw_count > LINES_MAX ||
	    cpu_state_size(state) != len)
		goto bad;
	for (uint32_t i = 1; i < state->line_count; i++)
		if (state->lines[i].number <= state->lines[i - 1].number)
			goto bad;
	return state;
bad:
	free(state);
	return NULL;
}

static uint64_t shown(const struct cpu_view *view, uint32_t i)
{
	return view->dense ? i : view->ids[i];
}

/* The first line that is not below `number`. */
static uint32_t lower_bound(const struct cpu_state *state, uint64_t number)
{
	uint32_t low = 0, high = state->line_count;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (state->lines[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool has_line(const struct cpu_state *state, uint64_t number)
{
	uint32_t at = lower_bound(state, number);

	return at < state->line_count && state->lines[at].number == number;
}

/* The same with a line for each visible CPU and room for the sample's shares: itself
 * when it has that, as it mostly does. */
static struct cpu_state *widen(struct cpu_state *old, const struct cpu_sample *sample,
			       const struct cpu_view *view)
{
	uint32_t missing = 0, raws = sample->raw_count, from = 0, to = 0, v = 0;
	struct cpu_state *state;

	for (uint32_t i = 0; i < view->count; i++)
		missing += !has_line(old, shown(view, i));
	if (missing == 0 && raws == old->raw_count)
		return old;
	state = calloc(1, size_for((uint64_t)old->line_count + missing, raws));
	if (!state)
		return NULL;
	memcpy(state, old, sizeof(*old));
	while (from < old->line_count || v < view->count) {
		bool take_old = v == view->count || (from < old->line_count &&
						     old->lines[from].number <= shown(view, v));
		uint64_t number = take_old ? old->lines[from].number : shown(view, v);

		if (take_old)
			state->lines[to] = old->lines[from++];
		state->lines[to++].number = number;
		v += v < view->count && shown(view, v) == number;
	}
	state->line_count = to;
	state->raw_count = raws;
	/* what was not known before is taken as not used before */
	memcpy(raw_of(state), raw_of(old),
	       sizeof(struct cpu_share) * (raws < old->raw_count ? raws : old->raw_count));
	return state;
}

/* -------------------------------------------------------------------- step */

/* One step in the making. */
struct step {
	struct cpu_state *state;
	const struct cpu_sample *sample;
	const struct cpu_view *view;
	uint64_t dt;
	double factor;		       /* of what the kernel says was used */
	struct cpu_share pool;	       /* busy, on no particular CPU */
	uint64_t room, room_seen;      /* for it, on all CPUs and on those that had theirs */
	struct cpu_share given;	       /* of it */
	uint64_t stolen, stolen_given; /* to be shown instead of idle time */
	uint64_t idle, idle_seen;
};

/* What is known to have run on the i-th visible CPU. */
static struct cpu_share own_share(const struct step *step, uint32_t i)
{
	uint32_t id = step->view->ids[i];
	struct cpu_share none = { 0, 0, 0 };

	if (id >= step->sample->raw_count)
		return none;
	return at_most(times(less(step->sample->raw[id], raw_of(step->state)[id]), step->factor),
		       step->dt);
}

/* `part` of `whole`, of `amount`. */
static uint64_t fraction(uint64_t amount, uint64_t part, uint64_t whole)
{
	return part >= whole ? amount : scaled(amount, (double)part / (double)whole);
}

/* The i-th CPU's share of the pool.  By what has been given up to here, so that the
 * roundings do not add up. */
static struct cpu_share pool_share(struct step *step, uint64_t room)
{
	struct cpu_share until, share;

	if (step->room == 0)
		return (struct cpu_share){ 0, 0, 0 };
	step->room_seen += room;
	until = (struct cpu_share){ fraction(step->pool.user, step->room_seen, step->room),
				    fraction(step->pool.nice, step->room_seen, step->room),
				    fraction(step->pool.system, step->room_seen, step->room) };
	share = less(until, step->given);
	step->given = until;
	return share;
}

static uint64_t stolen_share(struct step *step, uint64_t idle)
{
	uint64_t until, share;

	if (step->idle == 0)
		return 0;
	step->idle_seen += idle;
	until = fraction(step->stolen, step->idle_seen, step->idle);
	share = sub0(until, step->stolen_given);
	step->stolen_given = until;
	return share < idle ? share : idle;
}

static double scale_of(const struct cpu_view *view)
{
	if (!view->scale || view->steal || view->quota == 0 || view->quota / MILLION >= view->count)
		return 1;
	return (double)view->count * MILLION / (double)view->quota;
}

/* What was used, with step->factor, which brings its sum to what is exact. */
static struct cpu_share take_used(struct step *step, bool first)
{
	const struct cpu_state *state = step->state;
	struct cpu_share used = less(step->sample->used, state->used);
	uint64_t exact = sub0(step->sample->exact, state->exact), sum = sum_of(used);

	step->factor = scale_of(step->view);
	if (step->sample->exact == 0 || (state->exact == 0 && !first))
		return times(used, step->factor);
	if (sum == 0)
		used.user = exact;
	else
		step->factor *= (double)exact / (double)sum;
	return times(used, step->factor);
}

/* How much there is to spread, and what is left for the next step. */
static void measure(struct step *step, bool first)
{
	uint64_t all, own_sum, carry;
	struct cpu_share own = { 0, 0, 0 }, busy, wanted;
	struct cpu_state *state = step->state;

	if (__builtin_mul_overflow(step->dt, step->view->count, &all))
		all = UINT64_MAX;
	if (__builtin_mul_overflow(step->view->period, step->view->count, &carry))
		carry = 0;
	if (state->quota != step->view->quota || state->count != step->view->count)
		state->owed = (struct cpu_share){ 0, 0, 0 };
	wanted = add(take_used(step, first), state->owed);
	busy = at_most(wanted, all);
	for (uint32_t i = 0; i < step->view->count; i++)
		own = add(own, own_share(step, i));
	own_sum = sum_of(own);
	step->pool = at_most(less(busy, own), sub0(all, own_sum));
	step->room = sub0(all, own_sum);
	step->idle = sub0(step->room, sum_of(step->pool));
	if (step->view->steal) {
		step->stolen = sub0(step->sample->throttled, state->throttled);
		if (step->stolen > step->idle)
			step->stolen = step->idle;
	}
	/* what a container did before we knew it has no later to be shown in */
	state->owed = first ? (struct cpu_share){ 0, 0, 0 } : at_most(less(wanted, busy), carry);
	state->quota = step->view->quota;
	state->count = step->view->count;
}

static void spread(struct step *step)
{
	struct cpu_state *state = step->state;

	for (uint32_t i = 0; i < step->view->count; i++) {
		struct lxcfsd_cpu_time *time =
			&state->lines[lower_bound(state, shown(step->view, i))].time;
		struct cpu_share own = own_share(step, i), busy;
		uint64_t idle, stolen;

		busy = add(own, pool_share(step, sub0(step->dt, sum_of(own))));
		idle = sub0(step->dt, sum_of(busy));
		stolen = stolen_share(step, idle);
		time->user += busy.user;
		time->nice += busy.nice;
		time->system += busy.system;
		time->idle += idle - stolen;
		time->steal += stolen;
	}
}

int cpu_state_step(struct cpu_state **at, const struct cpu_sample *sample,
		   const struct cpu_view *view, uint64_t dt)
{
	struct step step = { .sample = sample, .view = view, .dt = dt };
	struct cpu_state *state = widen(*at, sample, view);

	if (!state)
		return -ENOMEM;
	if (state != *at)
		free(*at);
	*at = step.state = state;
	measure(&step, state->read_ns == 0);
	spread(&step);
	state->read_ns = sample->read_ns;
	state->used = sample->used;
	state->throttled = sample->throttled;
	state->exact = sample->exact;
	if (sample->raw_count)
		memcpy(raw_of(state), sample->raw, sample->raw_count * sizeof(*sample->raw));
	return 0;
}

struct lxcfsd_cpu_time cpu_state_line(const struct cpu_state *state, uint64_t number)
{
	return has_line(state, number) ? state->lines[lower_bound(state, number)].time
				       : (struct lxcfsd_cpu_time){ 0 };
}

struct lxcfsd_cpu_time cpu_state_total(const struct cpu_state *state, uint64_t unit)
{
	struct lxcfsd_cpu_time total = { 0 };

	for (uint32_t i = 0; i < state->line_count; i++) {
		const struct lxcfsd_cpu_time *time = &state->lines[i].time;

		total.user += time->user - time->user % unit;
		total.nice += time->nice - time->nice % unit;
		total.system += time->system - time->system % unit;
		total.idle += time->idle - time->idle % unit;
		total.steal += time->steal - time->steal % unit;
	}
	return total;
}
