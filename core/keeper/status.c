/* SPDX-License-Identifier: MIT */
/* status.c - see status.h. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "change.h"
#include "io.h"
#include "notify.h"
#include "status.h"

#define MS	  1000000u
#define PERIOD_NS (1000ull * MS)

struct text {
	char buf[STATUS_MAX];
	size_t len;
};

/* "KEY VALUE"; of a value's bytes none can end the line. */
static void put(struct text *t, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void put(struct text *t, const char *key, const char *format, ...)
{
	char value[4400];
	va_list args;
	int n;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	for (char *c = value; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	n = snprintf(t->buf + t->len, sizeof(t->buf) - t->len, "%s %s\n", key, value);
	if (n > 0 && (size_t)n < sizeof(t->buf) - t->len)
		t->len += (size_t)n;
	else
		t->buf[t->len] = '\0'; /* a whole line or nothing */
}

static void put_number(struct text *t, const char *key, uint64_t value)
{
	put(t, key, "%llu", (unsigned long long)value);
}

static const char *state(const struct keeper *k)
{
	if (!k->started)
		return "starting";
	switch (k->active.state) {
	case PROCESS_SERVING:
		return "serving";
	case PROCESS_NONE:
		return "no-worker";
	default:
		return "changing";
	}
}

static unsigned int put_quarantined(struct text *t, const struct watch *w)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < SUSPECTS_MAX; i++) {
		const char *name = w->suspects[i].name, *tab = strchr(name, '\t');

		if (!w->suspects[i].quarantined || !tab)
			continue;
		put(t, "quarantined", "%.*s:%s", (int)(tab - name), name, tab + 1);
		count++;
	}
	return count;
}

static int64_t started_at(const struct process *p)
{
	return time(NULL) - (int64_t)((io_now_ns() - p->started_ns) / 1000000000u);
}

static unsigned int compose(struct keeper *k, struct text *t)
{
	struct watch *w = &k->watch;
	bool any = k->active.state != PROCESS_NONE;

	if (any && w->since_of != k->active.generation) { /* once: the clock may be set */
		w->since_of = k->active.generation;
		w->since = started_at(&k->active);
	}
	put(t, "version", "%s", LXCFSD_VERSION);
	put_number(t, "pid", (uint64_t)getpid());
	put(t, "state", "%s", state(k));
	put(t, "mountpoint", "%s", k->mount.path);
	put_number(t, "worker", any ? (uint64_t)k->active.pid : 0);
	put_number(t, "standby",
		   standby_is_next(k) && k->next.state == PROCESS_READY ? (uint64_t)k->next.pid
									: 0);
	put_number(t, "generation", any ? k->active.generation : 0);
	put(t, "worker-since", "%lld", any ? (long long)w->since : 0);
	put_number(t, "plugins", any ? k->active.ready.plugins : 0);
	put(t, "view", "%s", k->vault && atomic_load(&k->vault->view_off) ? "host" : "own");
	put_number(t, "reloads-ok", w->reloads_ok);
	put_number(t, "reloads-failed", w->reloads_failed);
	put_number(t, "deaths-fault", w->deaths[DEATH_FAULT]);
	put_number(t, "deaths-exit", w->deaths[DEATH_EXIT]);
	put_number(t, "deaths-killed", w->deaths[DEATH_KILLED]);
	put_number(t, "deaths-oom", w->deaths[DEATH_OOM]);
	put_number(t, "deaths-hung", w->deaths[DEATH_HUNG]);
	put(t, "last-death", "%lld%s%s", (long long)w->last_death, w->last_death ? " " : "",
	    w->last_death_text);
	put_number(t, "failed-in-row", k->failures);
	put_number(t, "unreaped", (uint64_t)w->unreaped);
	put_number(t, "late-requests", k->vault ? atomic_load(&k->vault->late) : 0);
	put_number(t, "remounts", w->remounts);
	put_number(t, "inner-remounts", w->inner_remounts);
	put_number(t, "put-back", w->put_back);
	put_number(t, "reexecs", k->handover.reexec.count);
	put_number(t, "adoptions", k->handover.adoptions);
	put_number(t, "safe-episodes", k->safe.episodes);
	put_number(t, "safe-starts", k->safe.starts);
	put(t, "safe-reason", "%s", k->safe.since_ns ? k->safe.reason : "");
	put_number(t, "reattach-runs", k->reattach.runs);
	put_number(t, "reattached", k->reattach.repaired);
	return put_quarantined(t, w);
}

static void tell_systemd(struct keeper *k, unsigned int quarantined)
{
	char text[sizeof(k->status.notified)];
	bool off = k->vault && atomic_load(&k->vault->view_off);
	size_t len;

	if (!k->started)
		return;
	len = (size_t)snprintf(text, sizeof(text), "%s%s%s", state(k),
			       off ? "; containers see the host's files (SIGUSR2)" : "",
			       k->watch.reload_failed ? "; the last reload failed, see the log"
						      : "");
	if (quarantined && len < sizeof(text))
		snprintf(text + len, sizeof(text) - len, "; %u files quarantined", quarantined);
	if (strcmp(text, k->status.notified) == 0)
		return;
	memcpy(k->status.notified, text, sizeof(text));
	notify_status(text);
}

int status_patience_ms(struct keeper *k, uint64_t now)
{
	static struct text t;
	struct status *s = &k->status;
	unsigned int quarantined;
	int r;

	if (now < s->next_ns && s->waits)
		return (int)((s->next_ns - now) / MS) + 1;
	t.len = 0;
	quarantined = compose(k, &t);
	if (strcmp(t.buf, s->written) == 0 && !s->failed) {
		s->waits = false;
		return INT_MAX;
	}
	s->waits = now < s->next_ns;
	if (s->waits)
		return (int)((s->next_ns - now) / MS) + 1;
	s->next_ns = now + PERIOD_NS;
	tell_systemd(k, quarantined);
	r = runtime_replace(k->rt, "status", t.buf, t.len);
	if (r < 0 && !s->failed)
		log_warn("cannot write '%s/status': %s; will try again", k->rt->dir, strerror(-r));
	if (r == 0 && s->failed)
		log_notice("'%s/status' can be written again", k->rt->dir);
	s->failed = r < 0;
	memcpy(s->written, t.buf, t.len + 1);
	return INT_MAX; /* one that failed is tried again with the next look at the worker */
}
