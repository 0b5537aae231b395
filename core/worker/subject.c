/* SPDX-License-Identifier: MIT */
/* subject.c - see subject.h and model.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "match.h"
#include "model.h"
#include "path.h"
#include "subject.h"
#include "text.h"

/* Idle ones included: as many as there are containers that read at one time. */
#define SUBJECTS_MAX 4096

static bool subject_equal(const struct cache_node *node, const void *key)
{
	const struct subject *subject = (const struct subject *)node;
	const struct lxcfsd_text *text = key;

	return subject->len == text->len && memcmp(subject->text, text->data, text->len) == 0;
}

static void subject_free(struct cache_node *node, void *context)
{
	struct subject *subject = (struct subject *)node;

	(void)context;
	lent_unref(subject->cpus);
	lent_unref(subject->times_shown);
	lent_unref(subject->times_cpus);
	free(subject->times);
	pthread_mutex_destroy(&subject->times_lock);
	pthread_mutex_destroy(&subject->load_lock);
	pthread_mutex_destroy(&subject->cpus_lock);
	pthread_mutex_destroy(&subject->age_lock);
	free(subject->name);
	free(subject);
}

int subjects_init(struct subjects *subjects, const struct layout *layout, const char *root)
{
	subjects->layout = layout;
	subjects->root = text_of(root ? root : "/");
	return cache_init(&subjects->table, SUBJECTS_MAX, subject_equal, subject_free, subjects);
}

void subjects_done(struct subjects *subjects)
{
	cache_done(&subjects->table);
}

static int write_text(const struct layout *layout, const struct subject_draft *draft, char *buf,
		      size_t size, size_t *ret_len)
{
	size_t len;
	int n;

	n = snprintf(buf, size, "init %lld %llu\n", (long long)draft->init,
		     (unsigned long long)draft->init_start);
	len = (size_t)n;
	for (unsigned int i = 0; i < layout->count; i++) {
		if (draft->paths[i].len == 0)
			continue;
		n = snprintf(buf + len, size - len, "%s:%.*s\n", layout->list[i].key,
			     (int)draft->paths[i].len, draft->paths[i].data);
		if (n < 0 || (size_t)n >= size - len)
			return -ENAMETOOLONG;
		len += (size_t)n;
	}
	*ret_len = len;
	return 0;
}

/* The paths again, now in the object's own text. */
static void point_paths(struct subject *subject, const struct layout *layout,
			const struct subject_draft *draft)
{
	const char *at = memchr(subject->text, '\n', subject->len);

	at++; /* behind the first line */
	for (unsigned int i = 0; i < layout->count; i++) {
		if (draft->paths[i].len == 0)
			continue;
		at += strlen(layout->list[i].key) + 1;
		subject->paths[i] = (struct lxcfsd_text){ at, draft->paths[i].len };
		at += draft->paths[i].len + 1;
	}
}

static char *make_name(const struct subject *subject, const struct layout *layout)
{
	const struct hierarchy *memory = layout_find(layout, LXCFSD_MEMORY);
	struct lxcfsd_text path = { "?", 1 };

	for (unsigned int i = 0; i < layout->count; i++)
		if (layout->list[i].v2 && subject->paths[i].len > 0)
			path = subject->paths[i];
	if (memory && subject->paths[memory->index].len > 0)
		path = subject->paths[memory->index];
	return strndup(path.data, path.len);
}

/* The path that patterns are for: cgroup2's where that carries controllers and the
 * container has a place of its own in it, else the memory hierarchy's. */
static struct lxcfsd_text path_to_match(const struct subject *subject, const struct layout *layout)
{
	const struct hierarchy *memory = layout_find(layout, LXCFSD_MEMORY);

	for (unsigned int i = 0; i < layout->count; i++)
		if (layout->list[i].v2 && layout->list[i].controllers && subject->paths[i].len > 1)
			return subject->paths[i];
	return memory ? subject->paths[memory->index] : (struct lxcfsd_text){ NULL, 0 };
}

static unsigned int find_match(const struct subjects *subjects, const struct subject *subject)
{
	struct lxcfsd_text path = path_to_match(subject, subjects->layout);

	for (size_t i = 0; path.len > 0 && subjects->config && i < subjects->config->match_count;
	     i++)
		if (match_path(subjects->config->matches[i].cgroup, path))
			return (unsigned int)i + 1;
	return 0;
}

static struct subject *make(struct subjects *subjects, const struct subject_draft *draft,
			    uint64_t hash, struct lxcfsd_text text)
{
	struct subject *subject = calloc(1, sizeof(*subject) + text.len + 1);

	if (!subject)
		return NULL;
	subject->subjects = subjects;
	subject->id = hash ? hash : 1;
	subject->made_ns = io_now_ns();
	subject->init = draft->init;
	subject->init_start = draft->init_start;
	subject->len = text.len;
	memcpy(subject->text, text.data, text.len);
	point_paths(subject, subjects->layout, draft);
	subject->name = make_name(subject, subjects->layout);
	if (!subject->name) {
		free(subject);
		return NULL;
	}
	subject->match = find_match(subjects, subject);
	pthread_mutex_init(&subject->cpus_lock, NULL);
	pthread_mutex_init(&subject->times_lock, NULL);
	pthread_mutex_init(&subject->load_lock, NULL);
	pthread_mutex_init(&subject->age_lock, NULL);
	return subject;
}

int subject_intern(struct subjects *subjects, const struct subject_draft *draft,
		   struct subject **ret)
{
	char buf[SUBJECT_TEXT_MAX + 1];
	struct lxcfsd_text text = { buf, 0 };
	struct cache_node *node;
	struct subject *fresh;
	uint64_t hash;
	int r;

	r = write_text(subjects->layout, draft, buf, sizeof(buf), &text.len);
	if (r < 0)
		return r;
	hash = hash_bytes(0, text.data, text.len);
	node = cache_get(&subjects->table, hash, &text);
	if (!node) {
		fresh = make(subjects, draft, hash, text);
		if (!fresh)
			return -ENOMEM;
		node = cache_add(&subjects->table, hash, &text, &fresh->node);
	}
	*ret = (struct subject *)node;
	return 0;
}

/* "init PID STARTTIME" */
static int parse_init(struct lxcfsd_text line, struct subject_draft *draft)
{
	struct lxcfsd_text word, pid, start, more;
	uint64_t value;

	if (!text_until(&line, ' ', &word) || !text_is(word, "init") || !text_word(&line, &pid) ||
	    !text_word(&line, &start) || text_word(&line, &more))
		return -EINVAL;
	if (parse_u64(pid, &value) < 0 || value > INT32_MAX ||
	    parse_u64(start, &draft->init_start) < 0)
		return -EINVAL;
	draft->init = (pid_t)value;
	return 0;
}

static int parse_path(const struct layout *layout, struct lxcfsd_text line,
		      struct subject_draft *draft)
{
	const char *colon = memchr(line.data, ':', line.len);
	struct lxcfsd_text key, path;

	if (!colon)
		return -EINVAL;
	key = (struct lxcfsd_text){ line.data, (size_t)(colon - line.data) };
	path = (struct lxcfsd_text){ colon + 1, line.len - key.len - 1 };
	if (!path_is_clean(path))
		return -EINVAL;
	for (unsigned int i = 0; i < layout->count; i++) {
		if (!text_is(key, layout->list[i].key))
			continue;
		if (draft->paths[i].len > 0)
			return -EINVAL;
		draft->paths[i] = path;
	}
	return 0; /* a hierarchy that is there no more */
}

int subject_parse(struct subjects *subjects, struct lxcfsd_text text, struct subject **ret)
{
	struct subject_draft draft = { .init = 0 };
	struct lxcfsd_text line;
	int r;

	if (text.len == 0 || text.len > SUBJECT_TEXT_MAX || text.data[text.len - 1] != '\n' ||
	    !text_line(&text, &line))
		return -EINVAL;
	r = parse_init(line, &draft);
	while (r == 0 && text_line(&text, &line))
		r = parse_path(subjects->layout, line, &draft);
	return r < 0 ? r : subject_intern(subjects, &draft, ret);
}

struct subject *subject_ref(struct subject *subject)
{
	cache_ref(&subject->subjects->table, &subject->node);
	return subject;
}

struct subject *subject_unref(struct subject *subject)
{
	if (subject)
		cache_put(&subject->subjects->table, &subject->node);
	return NULL;
}

uint64_t subject_id(const struct subject *subject)
{
	return subject->id;
}

const char *subject_name(const struct subject *subject)
{
	return subject->name;
}

bool subjects_is_root(const struct subjects *subjects, struct lxcfsd_text path)
{
	return path.len > 0 && path_at_or_below(subjects->root, path);
}

unsigned int subject_match(const struct subject *subject)
{
	return subject->match;
}

bool subject_is_root(const struct subject *subject, uint32_t controllers)
{
	const struct layout *layout = subject->subjects->layout;
	uint32_t carried = 0;

	for (unsigned int i = 0; i < layout->count; i++)
		carried |= layout->list[i].controllers;
	/* where nobody carries them, all hierarchies say who is a container */
	controllers &= carried;
	for (unsigned int i = 0; i < layout->count; i++) {
		const struct hierarchy *h = &layout->list[i];

		if ((controllers == 0 || (h->controllers & controllers)) &&
		    !subjects_is_root(subject->subjects, subject->paths[i]))
			return false;
	}
	return true;
}

int subject_save(const struct subject *subject, void *buf, size_t size, size_t *ret_len)
{
	if (subject->len > size)
		return -ENOSPC;
	memcpy(buf, subject->text, subject->len);
	*ret_len = subject->len;
	return 0;
}
