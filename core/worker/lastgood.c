/* SPDX-License-Identifier: MIT */
/* lastgood.c - see lastgood.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "lastgood.h"

#define SETS	  256
#define WAYS	  4
#define TEXT_MAX  (128 << 10)
#define SECOND	  1000000000ull
#define MAX_AGE	  (60 * SECOND)
#define TOTAL_MAX (32 << 20)

struct entry {
	struct subject *subject; /* a reference; NULL: free */
	uint32_t node;
	uint64_t at_ns;
	char *text;
	size_t len, cap;
};

struct set {
	pthread_mutex_t lock;
	struct entry ways[WAYS];
};

struct lastgood {
	struct set sets[SETS];
	size_t total; /* bytes, __atomic */
};

int lastgood_new(struct lastgood **ret)
{
	struct lastgood *lg = calloc(1, sizeof(*lg));

	if (!lg)
		return -ENOMEM;
	for (unsigned int i = 0; i < SETS; i++)
		pthread_mutex_init(&lg->sets[i].lock, NULL);
	*ret = lg;
	return 0;
}

static struct set *set_of(struct lastgood *lg, const struct subject *subject, uint32_t node)
{
	uint64_t hash = (subject_id(subject) ^ node) * 0x9e3779b97f4a7c15u;

	return &lg->sets[hash >> 32 & (SETS - 1)];
}

/* Its own entry, else the oldest. */
static struct entry *find(struct set *set, const struct subject *subject, uint32_t node)
{
	struct entry *oldest = &set->ways[0];

	for (unsigned int i = 0; i < WAYS; i++) {
		struct entry *e = &set->ways[i];

		if (e->subject == subject && e->node == node)
			return e;
		if (!e->subject || e->at_ns < oldest->at_ns)
			oldest = e;
	}
	return oldest;
}

static bool make_room(struct lastgood *lg, struct entry *e, size_t len)
{
	char *text;

	if (len <= e->cap)
		return true;
	if (len > TEXT_MAX ||
	    __atomic_add_fetch(&lg->total, len - e->cap, __ATOMIC_RELAXED) > TOTAL_MAX) {
		if (len <= TEXT_MAX)
			__atomic_sub_fetch(&lg->total, len - e->cap, __ATOMIC_RELAXED);
		return false;
	}
	text = realloc(e->text, len);
	if (!text) {
		__atomic_sub_fetch(&lg->total, len - e->cap, __ATOMIC_RELAXED);
		return false;
	}
	e->text = text;
	e->cap = len;
	return true;
}

void lastgood_put(struct lastgood *lg, struct subject *subject, uint32_t node, uint64_t began_ns,
		  const char *text, size_t len)
{
	struct set *set = set_of(lg, subject, node);
	struct subject *old = NULL;
	struct entry *e;

	pthread_mutex_lock(&set->lock);
	e = find(set, subject, node);
	if (e->subject == subject && e->node == node && began_ns < e->at_ns) {
		pthread_mutex_unlock(&set->lock);
		return;
	}
	if (e->subject != subject) {
		old = e->subject;
		e->subject = NULL;
	}
	if (make_room(lg, e, len)) {
		if (len > 0) /* an empty text has no memory */
			memcpy(e->text, text, len);
		if (!e->subject)
			e->subject = subject_ref(subject);
		e->node = node;
		e->len = len;
		e->at_ns = began_ns;
	} else if (e->subject) { /* ours, but it cannot be kept up to date */
		old = e->subject;
		e->subject = NULL;
	}
	pthread_mutex_unlock(&set->lock);
	if (old)
		subject_unref(old);
}

int lastgood_get(struct lastgood *lg, struct subject *subject, uint32_t node, struct draw_buf *buf,
		 size_t *ret_len)
{
	struct set *set = set_of(lg, subject, node);
	struct entry *e;
	int r = -ENOENT;

	pthread_mutex_lock(&set->lock);
	e = find(set, subject, node);
	if (e->subject == subject && e->node == node && io_now_ns() - e->at_ns <= MAX_AGE &&
	    e->len <= buf->cap) {
		if (e->len > 0)
			memcpy(buf->data, e->text, e->len);
		*ret_len = e->len;
		r = 0;
	}
	pthread_mutex_unlock(&set->lock);
	return r;
}

void lastgood_tidy(struct lastgood *lg)
{
	uint64_t now = io_now_ns();

	for (unsigned int i = 0; i < SETS * WAYS; i++) {
		struct set *set = &lg->sets[i / WAYS];
		struct entry *e = &set->ways[i % WAYS], old = { 0 };

		pthread_mutex_lock(&set->lock);
		if (e->subject && now - e->at_ns > MAX_AGE) {
			old = *e;
			*e = (struct entry){ 0 };
		}
		pthread_mutex_unlock(&set->lock);
		if (!old.subject)
			continue;
		subject_unref(old.subject);
		free(old.text);
		__atomic_sub_fetch(&lg->total, old.cap, __ATOMIC_RELAXED);
	}
}
