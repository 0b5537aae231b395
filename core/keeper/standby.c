/* SPDX-License-Identifier: MIT */
/* standby.c - see standby.h. */
#include <limits.h>
#include <string.h>

#include "change.h"
#include "io.h"
#include "standby.h"

#define MS	  1000000u
#define PAUSE_MS  100 /* readers that had to wait come first */
#define PEACE_MS  60000
#define DOUBLINGS 10 /* of the pause, after so many failures */

bool standby_is_next(const struct keeper *k)
{
	return k->next.state != PROCESS_NONE && k->purpose == FOR_STANDBY;
}

static bool is_wanted(const struct keeper *k)
{
	return k->active.state == PROCESS_SERVING && k->active.ready.standby &&
	       !k->active.made_of.last_resort && k->good.set_fd >= 0 &&
	       k->next.state == PROCESS_NONE;
}

int standby_patience_ms(struct keeper *k, uint64_t now)
{
	struct standby *s = &k->standby;

	if (!is_wanted(k)) {
		s->start_at_ns = 0;
		return INT_MAX;
	}
	if (!s->start_at_ns)
		s->start_at_ns = now + ((uint64_t)PAUSE_MS << s->failures) * MS;
	if (now < s->start_at_ns)
		return (int)((s->start_at_ns - now) / MS) + 1;
	s->start_at_ns = 0;
	s->began_ns = now;
	change_start(k, FOR_STANDBY);
	return 0;
}

void standby_drop(struct keeper *k)
{
	if (!standby_is_next(k))
		return;
	process_kill(&k->next); /* and forgotten: reaped some time */
	process_done(&k->next);
}

void standby_promoted(struct keeper *k)
{
	k->purpose = FOR_RESPAWN;
	k->standby.failures = 0;
}

void standby_ended(struct keeper *k, const char *why)
{
	struct standby *s = &k->standby;

	if (io_now_ns() - s->began_ns > (uint64_t)PEACE_MS * MS)
		s->failures = 0;
	if (s->failures < DOUBLINGS)
		s->failures++;
	log_line(s->failures == 1 ? 4 : 7,
		 "the worker in reserve has ended (%.*s); another one follows in %u ms",
		 (int)strcspn(why, "\n"), why, PAUSE_MS << s->failures);
}
