/* SPDX-License-Identifier: MIT */
/* triggers.c - see triggers.h. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "parts.h"
#include "text.h"
#include "triggers.h"

/* psi_write() of kernel/sched/psi.c takes that much and makes the last byte a NUL,
 * whatever it was. */
#define TEXT_MAX 32
/* psi_trigger_create(): the longest window; its unit without CAP_SYS_RESOURCE. */
#define WINDOW_MAX_US  10000000
#define WINDOW_UNIT_US 2000000

/* -------------------------------------------------------------------- text */

int trigger_parse(const char *bytes, size_t size, struct trigger_spec *ret)
{
	size_t taken = size < TEXT_MAX ? size : TEXT_MAX;
	struct lxcfsd_text rest = { bytes, taken ? strnlen(bytes, taken - 1) : 0 };
	struct lxcfsd_text kind, word;
	uint64_t threshold, window;

	if (!text_word(&rest, &kind) || kind.data != bytes ||
	    !(text_is(kind, "some") || text_is(kind, "full")))
		return -EINVAL;
	if (!text_word(&rest, &word) || parse_u64(word, &threshold) < 0 ||
	    !text_word(&rest, &word) || parse_u64(word, &window) < 0 || text_word(&rest, &word))
		return -EINVAL;
	if (window == 0 || window > WINDOW_MAX_US || window % WINDOW_UNIT_US || threshold == 0 ||
	    threshold > window)
		return -EINVAL;
	ret->full = text_is(kind, "full");
	ret->threshold_us = (uint32_t)threshold;
	ret->window_us = (uint32_t)window;
	return 0;
}

/* Its descriptor, armed. */
static int open_armed(struct model *model, const struct subject *subject,
		      const struct trigger_spec *spec)
{
	char text[TEXT_MAX];
	int n = snprintf(text, sizeof(text), "%s %u %u", spec->full ? "full" : "some",
			 spec->threshold_us, spec->window_us);
	int fd, r = 0;

	for (int privileged = 0; privileged < 2; privileged++) {
		fd = subject_open_pressure(model, subject, spec->control, privileged);
		if (fd < 0 && fd != -EPERM)
			return fd == -ENOENT ? -EOPNOTSUPP : fd;
		if (fd < 0)
			continue;
		r = write(fd, text, (size_t)n + 1) < 0 ? -errno : 0;
		if (r == 0)
			return fd;
		close(fd);
		fd = r;
		if (r != -EPERM)
			return r;
	}
	return fd;
}

/* ------------------------------------------------------- between two workers
 *
 * An event that came while a worker was stopped or dead dies with its trigger, and the next
 * one's begins to count anew: workers that die again and again would never tell.  But the
 * total= of the control file goes on, so it is kept with each trigger. */

bool trigger_is_due(const struct trigger_spec *spec, uint64_t elapsed_us, uint64_t growth_us)
{
	return elapsed_us >= spec->window_us &&
	       (double)growth_us / (double)elapsed_us >=
		       (double)spec->threshold_us / (double)spec->window_us;
}

/* The line `some` or `full` ends with "total=MICROSECONDS"; psi_show(). */
static int read_total(int fd, bool full, uint64_t *ret_us)
{
	char buf[512];
	ssize_t n = pread(fd, buf, sizeof(buf), 0);
	struct lxcfsd_text rest = { buf, n > 0 ? (size_t)n : 0 }, line, word, part;

	while (text_line(&rest, &line)) {
		if (!text_word(&line, &word) || !text_is(word, full ? "full" : "some"))
			continue;
		while (text_word(&line, &word))
			if (text_until(&word, '=', &part) && text_is(part, "total"))
				return parse_u64(word, ret_us);
	}
	return -ENODATA;
}

static void note_total(struct vault_trigger *saved, int fd)
{
	uint32_t now_ms = (uint32_t)(io_now_ns() / 1000000u);
	uint64_t total_us;

	saved->time_ms = 0;
	if (read_total(fd, saved->full == 1, &total_us) < 0)
		return;
	saved->total_ms = (uint32_t)(total_us / 1000);
	saved->time_ms = now_ms ? now_ms : 1;
}

/* Of a trigger that was armed anew: has anything happened in between? */
static bool has_missed(const struct vault_trigger *saved, const struct trigger_spec *spec, int fd)
{
	uint32_t elapsed_ms = (uint32_t)(io_now_ns() / 1000000u) - saved->time_ms, growth_ms;
	uint64_t total_us;

	if (!saved->time_ms || read_total(fd, spec->full, &total_us) < 0)
		return false;
	growth_ms = (uint32_t)(total_us / 1000) - saved->total_ms;
	return trigger_is_due(spec, elapsed_ms * 1000ull, growth_ms * 1000ull);
}

/* ----------------------------------------------------------------- entries */

static bool still_ours(const struct triggers *t)
{
	return atomic_load(&t->vault->writer) == t->generation;
}

/* Called with the lock, as all that follow here. */
static struct trigger *find(struct triggers *t, uint64_t fh)
{
	for (uint32_t i = 0; i < TRIGGERS_MAX; i++)
		if (t->list[i].fh == fh &&
		    (t->list[i].state == TRIGGER_ARMING || t->list[i].state == TRIGGER_ARMED))
			return &t->list[i];
	return NULL;
}

static struct vault_trigger *saved_of(struct triggers *t, const struct trigger *entry)
{
	return &t->saved[entry - t->list];
}

static void close_later(struct triggers *t, struct trigger *entry)
{
	if (still_ours(t))
		atomic_store(&saved_of(t, entry)->fh, 0);
	entry->state = TRIGGER_CLOSING;
	pthread_cond_signal(&t->closing);
}

/* Of an entry that the one before had armed: nobody else's. */
#define RECOVERED 1

static uint32_t next_serial(uint32_t serial)
{
	return serial < UINT32_MAX && serial > RECOVERED ? serial + 1 : RECOVERED + 1;
}

/* Under the container's bound and that of all. */
static struct trigger *reserve(struct triggers *t, uint64_t fh, struct subject *subject)
{
	struct trigger *free = NULL;
	unsigned int count = 0;

	for (uint32_t i = 0; i < TRIGGERS_MAX; i++) {
		struct trigger *entry = &t->list[i];

		if (entry->state == TRIGGER_FREE)
			free = free ? free : entry;
		else
			count += entry->subject == subject;
	}
	if (!free || count >= TRIGGERS_PER_SUBJECT)
		return NULL;
	*free = (struct trigger){ .state = TRIGGER_ARMING,
				  .serial = next_serial(free->serial),
				  .fh = fh,
				  .subject = subject_ref(subject),
				  .fd = -1 };
	return free;
}

static int watch(struct triggers *t, const struct trigger *entry)
{
	uint64_t index = (uint64_t)(entry - t->list);
	struct epoll_event event = { .events = EPOLLPRI,
				     .data.u64 = (uint64_t)entry->serial << 32 | index };

	return epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, entry->fd, &event) < 0 ? -errno : 0;
}

/* The descriptor is there, or -errno: into the entry, whose it is then.  -ECANCELED:
 * somebody dropped the entry meanwhile; it may be another file's by now. */
static int armed(struct triggers *t, struct trigger *entry, uint32_t serial, int fd)
{
	if (entry->serial != serial || entry->state != TRIGGER_ARMING)
		return -ECANCELED;
	entry->state = TRIGGER_ARMED;
	entry->fd = fd;
	return fd < 0 ? fd : watch(t, entry);
}

int trigger_arm(struct triggers *t, uint64_t fh, uint32_t node, struct subject *subject,
		const struct trigger_spec *spec, uint64_t unique)
{
	struct vault_trigger *saved;
	struct trigger *entry;
	uint32_t serial = 0;
	int fd, r = 0;

	if (!still_ours(t))
		return -ESTALE;
	pthread_mutex_lock(&t->lock);
	entry = find(t, fh);
	if (entry) /* a worker that ended may have done it and not said so */
		r = saved_of(t, entry)->write_unique == unique ? 0 : -EBUSY;
	else if (!(entry = reserve(t, fh, subject)))
		r = -ENOSPC;
	else
		serial = entry->serial;
	pthread_mutex_unlock(&t->lock);
	if (!serial)
		return r;
	fd = open_armed(t->model, subject, spec);
	pthread_mutex_lock(&t->lock);
	r = armed(t, entry, serial, fd);
	saved = saved_of(t, entry);
	if (r == 0) {
		*saved = (struct vault_trigger){ .node = node,
						 .control = spec->control,
						 .full = spec->full,
						 .threshold_us = spec->threshold_us,
						 .window_us = spec->window_us,
						 .write_unique = unique };
		note_total(saved, fd);
		atomic_store(&saved->fh, fh);
	} else if (r != -ECANCELED) {
		close_later(t, entry);
	}
	pthread_mutex_unlock(&t->lock);
	if (r == -ECANCELED && fd >= 0)
		close(fd); /* which takes long */
	return r == -ECANCELED ? -EBADF : r;
}

enum trigger_poll trigger_poll(struct triggers *t, uint64_t fh, uint64_t sleeper, uint64_t unique)
{
	enum trigger_poll what = TRIGGER_NONE;
	struct vault_trigger *saved;
	struct trigger *entry;

	pthread_mutex_lock(&t->lock);
	entry = fh ? find(t, fh) : NULL;
	saved = entry ? saved_of(t, entry) : NULL;
	/* while another thread still arms it, what is saved is an earlier owner's */
	if (entry && atomic_load(&saved->fh) == fh && still_ours(t)) {
		if (sleeper) /* before the look at the event: no wake-up is missed */
			atomic_store(&saved->sleeper, sleeper);
		what = entry->dead ? TRIGGER_DEAD : TRIGGER_QUIET;
		/* who was told by a worker that ended may not have heard it */
		if (what == TRIGGER_QUIET &&
		    (atomic_load(&saved->event) == 1 || saved->event_unique == unique)) {
			saved->event_unique = unique;
			atomic_store(&saved->event, 0);
			what = TRIGGER_EVENT;
		}
	}
	pthread_mutex_unlock(&t->lock);
	return what;
}

void trigger_drop(struct triggers *t, uint64_t fh)
{
	struct trigger *entry;

	if (!fh)
		return;
	pthread_mutex_lock(&t->lock);
	entry = find(t, fh);
	if (entry)
		close_later(t, entry);
	pthread_mutex_unlock(&t->lock);
}

/* ----------------------------------------------------------------- threads */

/* Marks what has happened; returns whom to wake. */
static uint64_t take_event(struct triggers *t, const struct epoll_event *event)
{
	uint32_t index = (uint32_t)event->data.u64, serial = (uint32_t)(event->data.u64 >> 32);
	struct trigger *entry = &t->list[index % TRIGGERS_MAX];
	struct vault_trigger *saved = saved_of(t, entry);
	uint64_t sleeper = 0;

	pthread_mutex_lock(&t->lock);
	if (entry->state == TRIGGER_ARMED && entry->serial == serial && still_ours(t)) {
		if (event->events & (EPOLLERR | EPOLLHUP)) { /* its cgroup was removed */
			epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, entry->fd, NULL);
			entry->dead = true;
		} else {
			note_total(saved, entry->fd);
		}
		atomic_store(&saved->event, 1);
		sleeper = atomic_load(&saved->sleeper);
	} else if (entry->serial == serial && entry->fd >= 0 &&
		   event->events & (EPOLLERR | EPOLLHUP)) {
		epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, entry->fd, NULL); /* it waits to be closed */
	}
	pthread_mutex_unlock(&t->lock);
	return sleeper;
}

/* What the one before had armed, if its file is still open. */
static void arm_again(struct triggers *t, struct trigger *entry)
{
	struct vault_trigger *saved = saved_of(t, entry);
	struct subject *subject = NULL;
	struct trigger_spec spec;
	uint64_t sleeper = 0;
	int fd, r;

	pthread_mutex_lock(&t->lock);
	if (entry->state == TRIGGER_ARMING && entry->serial == RECOVERED) {
		spec = (struct trigger_spec){ saved->control, saved->full == 1, saved->threshold_us,
					      saved->window_us };
		subject = subject_ref(entry->subject);
	}
	pthread_mutex_unlock(&t->lock);
	if (!subject)
		return;
	fd = open_armed(t->model, subject, &spec);
	subject_unref(subject);
	pthread_mutex_lock(&t->lock);
	r = armed(t, entry, RECOVERED, fd);
	if (r == 0 && still_ours(t) && has_missed(saved, &spec, fd)) {
		note_total(saved, fd);
		atomic_store(&saved->event, 1);
	}
	if (r != -ECANCELED) {
		entry->dead = r < 0;
		sleeper = atomic_load(&saved->sleeper);
	}
	pthread_mutex_unlock(&t->lock);
	if (r == -ECANCELED && fd >= 0)
		close(fd);
	if (sleeper)
		t->wake(t->wake_arg, sleeper);
}

static void *watch_all(void *arg)
{
	struct triggers *t = arg;
	struct epoll_event events[64];

	for (uint32_t i = 0; i < TRIGGERS_MAX; i++)
		arm_again(t, &t->list[i]);
	while (still_ours(t)) {
		int n = epoll_wait(t->epoll_fd, events, 64, -1);

		for (int i = 0; i < n; i++) {
			uint64_t sleeper = take_event(t, &events[i]);

			if (sleeper)
				t->wake(t->wake_arg, sleeper);
		}
	}
	return NULL;
}

/* The next one behind `last`: the first ones may be closed again and again. */
static struct trigger *find_closing(struct triggers *t, uint32_t last)
{
	for (uint32_t i = 1; i <= TRIGGERS_MAX; i++)
		if (t->list[(last + i) % TRIGGERS_MAX].state == TRIGGER_CLOSING)
			return &t->list[(last + i) % TRIGGERS_MAX];
	return NULL;
}

static void *close_all(void *arg)
{
	struct triggers *t = arg;
	uint32_t last = 0;

	pthread_mutex_lock(&t->lock);
	for (;;) {
		struct trigger *entry = find_closing(t, last);
		struct subject *subject;
		int fd;

		if (!entry) {
			pthread_cond_wait(&t->closing, &t->lock);
			continue;
		}
		last = (uint32_t)(entry - t->list);
		fd = entry->fd;
		entry->fd = -1;
		pthread_mutex_unlock(&t->lock);
		if (fd >= 0)
			close(fd);
		pthread_mutex_lock(&t->lock);
		subject = entry->subject;
		entry->subject = NULL;
		entry->fh = 0;
		entry->state = TRIGGER_FREE;
		pthread_mutex_unlock(&t->lock);
		subject_unref(subject);
		pthread_mutex_lock(&t->lock);
	}
	return NULL;
}

/* ------------------------------------------------------------------- start */

/* What is in the vault may be anything. */
static bool recover(struct triggers *t, uint32_t i, struct handles *handles)
{
	const struct vault_trigger *saved = &t->saved[i];
	uint64_t fh = atomic_load(&saved->fh);
	struct subject *subject = NULL;

	if (saved->window_us == 0 || saved->window_us > WINDOW_MAX_US ||
	    saved->window_us % WINDOW_UNIT_US || saved->threshold_us == 0 ||
	    saved->threshold_us > saved->window_us || find(t, fh) ||
	    !handle_subject(handles, fh, saved->node, &subject) || !subject)
		return false;
	t->list[i] = (struct trigger){
		.state = TRIGGER_ARMING, .serial = RECOVERED, .fh = fh, .subject = subject, .fd = -1
	};
	return true;
}

int triggers_open(struct triggers *t, struct vault_header *vault, uint32_t generation,
		  struct model *model, struct handles *handles)
{
	*t = (struct triggers){
		.vault = vault, .generation = generation, .model = model, .epoll_fd = -1
	};
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->closing, NULL);
	t->saved = vault_part(vault, VAULT_TRIGGERS, TRIGGERS_VERSION,
			      sizeof(struct vault_trigger) * TRIGGERS_MAX);
	if (!t->saved) { /* of another release: none outlives us */
		t->saved = calloc(TRIGGERS_MAX, sizeof(*t->saved));
		t->saved_is_ours = true;
	}
	t->list = calloc(TRIGGERS_MAX, sizeof(*t->list));
	t->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (!t->saved || !t->list || t->epoll_fd < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < TRIGGERS_MAX; i++)
		if (!atomic_load(&t->saved[i].fh) || !recover(t, i, handles))
			atomic_store(&t->saved[i].fh, 0);
	return 0;
}

void triggers_done(struct triggers *t)
{
	for (uint32_t i = 0; t->list && i < TRIGGERS_MAX; i++) {
		if (t->list[i].subject)
			subject_unref(t->list[i].subject);
		if (t->list[i].state != TRIGGER_FREE && t->list[i].fd >= 0)
			close(t->list[i].fd);
	}
	free(t->list);
	if (t->saved_is_ours)
		free(t->saved);
	if (t->epoll_fd >= 0)
		close(t->epoll_fd);
	*t = (struct triggers){ .epoll_fd = -1 };
}

int triggers_start(struct triggers *t, void (*wake)(void *arg, uint64_t sleeper), void *arg)
{
	pthread_t watcher, closer;

	t->wake = wake;
	t->wake_arg = arg;
	return -(pthread_create(&watcher, NULL, watch_all, t) ||
		 pthread_create(&closer, NULL, close_all, t)) *
	       EAGAIN;
}
