/* SPDX-License-Identifier: MIT */
/*
 * handles.c - see handles.h.
 *
 * The order of the stores is the invariant: a handle exists from its `used` word
 * on, a snapshot from its `snap_valid` word on; both are written last and cleared
 * first.  A saved subject exists while its id is not 0; the id is written last.
 * Whatever a crash leaves half done is free for the successor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "deputy.h"
#include "handles.h"
#include "log.h"

#define SUBJECT_PROBES 32 /* places where a subject's record may stand */

/* Readers of the host's view are many and not one container: they have their own
 * bound, so that they cannot take what containers need. */
#define HOST_VIEW	 SUBJECTS_MAX
#define HOST_HANDLES_MAX (HANDLES_MAX / 4)
#define HOST_PAGES_MAX	 (SNAPSHOT_PAGES_MAX / 4)

/* The last quarter is for those who have few: however many containers take all they can,
 * there is some left for the next one. */
#define FEW_HANDLES 16
#define FEW_PAGES   64

static bool may_use(uint32_t wanted, uint32_t max, uint32_t few, uint32_t free, uint32_t total)
{
	return wanted <= max && (wanted <= few || free > total / 4);
}

static uint32_t account_of(uint32_t subject)
{
	return subject ? subject - 1 : HOST_VIEW;
}

static uint64_t fh_of(const struct handles *h, const struct vault_handle *handle)
{
	return (uint64_t)handle->serial << 32 | (uint64_t)(handle - h->table) << 1 | 1;
}

static struct vault_handle *get(struct handles *h, uint64_t fh)
{
	uint32_t index = (uint32_t)fh >> 1;
	struct vault_handle *handle;

	if (!(fh & 1) || !h->part || index >= atomic_load(&h->part->high))
		return NULL;
	handle = &h->table[index];
	return atomic_load_explicit(&handle->used, memory_order_acquire) == 1 &&
			       handle->serial == fh >> 32
		       ? handle
		       : NULL;
}

static pthread_mutex_t *snapshot_lock(struct handles *h, const struct vault_handle *handle)
{
	return &h->snapshot_locks[(size_t)(handle - h->table) % HANDLE_LOCKS];
}

static bool still_ours(const struct handles *h)
{
	return atomic_load(&h->vault->writer) == h->generation;
}

/* ------------------------------------------------------------------ pages */

/* Called with the snapshot's lock. */
static void drop_snapshot(struct handles *h, struct vault_handle *handle)
{
	uint32_t pages = handle->snap_pages;

	atomic_store_explicit(&handle->snap_valid, 0, memory_order_release);
	if (!pages)
		return;
	handle->snap_pages = 0;
	pthread_mutex_lock(&h->lock);
	runs_give(&h->pages, handle->snap_page, pages);
	h->subject_pages[account_of(handle->subject)] -= pages;
	h->used_pages -= pages;
	pthread_mutex_unlock(&h->lock);
}

/* Room for `count` pages, under the container's bound.  Called with the
 * snapshot's lock and without an old snapshot. */
static bool take_pages(struct handles *h, struct vault_handle *handle, uint32_t count)
{
	uint32_t *used = &h->subject_pages[account_of(handle->subject)];
	uint32_t max = handle->subject ? h->max_pages : HOST_PAGES_MAX, first = 0;
	bool ok;

	pthread_mutex_lock(&h->lock);
	ok = may_use(*used + count, max, FEW_PAGES, SNAPSHOT_PAGES_MAX - h->used_pages,
		     SNAPSHOT_PAGES_MAX) &&
	     runs_take(&h->pages, count, &first);
	if (ok) {
		*used += count;
		h->used_pages += count;
	} else {
		h->refused++;
	}
	pthread_mutex_unlock(&h->lock);
	if (ok) {
		handle->snap_page = first;
		handle->snap_pages = count;
	}
	return ok;
}

/* --------------------------------------------------------------- subjects */

/* Writes the subject's record.  Called with the lock. */
static bool save_subject(struct handles *h, uint32_t index, struct subject *subject)
{
	struct vault_subject *saved = &h->saved[index];
	size_t len;

	saved->id = 0;
	atomic_thread_fence(memory_order_release);
	if (subject_save(subject, saved->bytes, sizeof(saved->bytes), &len) < 0)
		return false;
	saved->len = (uint32_t)len;
	atomic_thread_fence(memory_order_release);
	saved->id = subject_id(subject);
	if (h->subjects[index])
		subject_unref(h->subjects[index]);
	h->subjects[index] = subject_ref(subject);
	return true;
}

/* The subject of a record; equal ones are one object.  Called with the lock. */
static struct subject *load_subject(struct handles *h, uint32_t index)
{
	struct vault_subject *saved = &h->saved[index];
	struct subject *subject;

	if (h->subjects[index] || !saved->id || saved->len > sizeof(saved->bytes) ||
	    model_subject_load(h->model, saved->bytes, saved->len, &subject) < 0)
		return h->subjects[index];
	if (subject_id(subject) == saved->id)
		h->subjects[index] = subject;
	else /* damaged, so that it is another container's */
		subject_unref(subject);
	return h->subjects[index];
}

/* The place of the subject's record, entry + 1; 0: there is no room.  Called with
 * the lock. */
static uint32_t place_subject(struct handles *h, struct subject *subject)
{
	uint64_t id = subject_id(subject);
	uint32_t free = SUBJECTS_MAX;

	for (uint32_t i = 0; i < SUBJECT_PROBES; i++) {
		uint32_t index = (uint32_t)((id + i) % SUBJECTS_MAX);

		if (h->saved[index].id == id && load_subject(h, index) == subject)
			return index + 1;
		if (free == SUBJECTS_MAX && h->subject_handles[index] == 0)
			free = index;
	}
	return free < SUBJECTS_MAX && save_subject(h, free, subject) ? free + 1 : 0;
}

static struct subject *subject_at(struct handles *h, uint32_t index)
{
	struct subject *subject;

	pthread_mutex_lock(&h->lock);
	subject = load_subject(h, index);
	if (subject)
		subject_ref(subject);
	pthread_mutex_unlock(&h->lock);
	return subject;
}

/* ---------------------------------------------------------------- handles */

static uint32_t free_handles(const struct handles *h)
{
	return h->free_count + HANDLES_MAX - atomic_load(&h->part->high);
}

/* What was used before comes first: the rest of the table takes no memory then. */
static struct vault_handle *pop_handle(struct handles *h)
{
	return &h->table[h->free_count ? h->free_list[--h->free_count]
				       : atomic_fetch_add(&h->part->high, 1)];
}

static struct vault_handle *take_handle(struct handles *h, struct subject *subject,
					uint32_t *ret_subject)
{
	uint32_t max = subject ? h->max_handles : HOST_HANDLES_MAX, place = 0, *used;
	struct vault_handle *handle = NULL;

	pthread_mutex_lock(&h->lock);
	if (free_handles(h) > 0 && subject)
		place = place_subject(h, subject);
	used = &h->subject_handles[account_of(place)];
	if (free_handles(h) > 0 && (!subject || place) &&
	    may_use(*used + 1, max, FEW_HANDLES, free_handles(h), HANDLES_MAX)) {
		handle = pop_handle(h);
		++*used;
	} else {
		h->refused++;
	}
	pthread_mutex_unlock(&h->lock);
	*ret_subject = place;
	return handle;
}

uint64_t handle_new(struct handles *h, uint32_t conn, uint32_t node, struct subject *subject,
		    pid_t opener, uint64_t unique)
{
	struct vault_handle *handle;
	uint32_t place;

	if (!h->part || !still_ours(h))
		return HANDLE_STATELESS;
	handle = take_handle(h, subject, &place);
	if (!handle)
		return HANDLE_STATELESS;
	handle->serial++;
	handle->node = node;
	handle->subject = place;
	handle->open_unique = unique;
	handle->opener = (uint32_t)opener;
	handle->conn = conn;
	handle->conn_serial = h->vault->conn_serials[conn];
	handle->snap_pages = 0;
	handle->snap_unique = 0;
	handle->unresolved = h->unresolved;
	atomic_store_explicit(&handle->snap_valid, 0, memory_order_relaxed);
	atomic_store_explicit(&handle->used, 1, memory_order_release);
	return fh_of(h, handle);
}

uint64_t handle_find(struct handles *h, uint32_t conn, uint32_t node, uint64_t unique)
{
	for (uint32_t i = 0; h->part && i < atomic_load(&h->part->high); i++) {
		struct vault_handle *handle = &h->table[i];

		if (atomic_load(&handle->used) == 1 && handle->open_unique == unique &&
		    handle->node == node && handle->conn == conn)
			return fh_of(h, handle);
	}
	return HANDLE_STATELESS;
}

void handle_free(struct handles *h, uint64_t fh)
{
	struct vault_handle *handle = get(h, fh);
	pthread_mutex_t *lock;

	if (!handle || !still_ours(h))
		return;
	lock = snapshot_lock(h, handle);
	pthread_mutex_lock(lock);
	drop_snapshot(h, handle);
	atomic_store_explicit(&handle->used, 0, memory_order_release);
	pthread_mutex_unlock(lock);
	pthread_mutex_lock(&h->lock);
	h->subject_handles[account_of(handle->subject)]--;
	h->free_list[h->free_count++] = (uint32_t)(handle - h->table);
	pthread_mutex_unlock(&h->lock);
}

bool handle_subject(struct handles *h, uint64_t fh, uint32_t node, struct subject **ret)
{
	struct vault_handle *handle = get(h, fh);
	struct subject *subject = NULL;

	if (!handle || handle->node != node || handle->unresolved)
		return false;
	if (handle->subject) {
		subject = subject_at(h, handle->subject - 1);
		if (!subject)
			return false;
	}
	*ret = subject;
	return true;
}

void handles_tidy(struct handles *h)
{
	for (uint32_t i = 0; h->part && i < SUBJECTS_MAX; i++) {
		struct subject *subject = NULL;

		pthread_mutex_lock(&h->lock);
		if (h->subjects[i] && h->subject_handles[i] == 0) {
			subject = h->subjects[i];
			h->subjects[i] = NULL;
		}
		pthread_mutex_unlock(&h->lock);
		if (subject)
			subject_unref(subject);
	}
}

/* -------------------------------------------------------------- snapshots */

void handle_set_opener(struct handles *h, uint64_t fh, const struct deputy_who *who)
{
	struct vault_handle *handle = get(h, fh);

	if (handle)
		h->part->openers[handle - h->table] =
			(struct vault_opener){ handle->serial, who->uid, who->pidns };
}

bool handle_opener(struct handles *h, uint64_t fh, struct deputy_who *ret)
{
	struct vault_handle *handle = get(h, fh);
	const struct vault_opener *opener = handle ? &h->part->openers[handle - h->table] : NULL;

	if (!opener || opener->serial != handle->serial)
		return false;
	*ret = (struct deputy_who){ .uid = opener->uid, .pidns = opener->pidns };
	return true;
}

void handle_keep(struct handles *h, uint64_t fh, const void *text, size_t len, uint64_t unique)
{
	struct vault_handle *handle = get(h, fh);
	uint32_t pages = (uint32_t)((len + SNAPSHOT_PAGE - 1) / SNAPSHOT_PAGE);
	pthread_mutex_t *lock;

	if (!handle || !still_ours(h) || len > (size_t)SNAPSHOT_PAGE * SNAPSHOT_PAGES_MAX)
		return;
	if (pages == 0)
		pages = 1;
	lock = snapshot_lock(h, handle);
	pthread_mutex_lock(lock);
	if (handle->snap_pages < pages) {
		drop_snapshot(h, handle);
		if (!take_pages(h, handle, pages)) {
			pthread_mutex_unlock(lock);
			return;
		}
	}
	atomic_store_explicit(&handle->snap_valid, 0, memory_order_release);
	memcpy(h->arena + (size_t)handle->snap_page * SNAPSHOT_PAGE, text, len);
	handle->snap_len = (uint32_t)len;
	handle->snap_unique = unique;
	atomic_store_explicit(&handle->snap_valid, 1, memory_order_release);
	pthread_mutex_unlock(lock);
}

ssize_t handle_length(struct handles *h, uint64_t fh)
{
	struct vault_handle *handle = get(h, fh);

	return handle && atomic_load_explicit(&handle->snap_valid, memory_order_acquire) == 1
		       ? (ssize_t)handle->snap_len
		       : -ENODATA;
}

ssize_t handle_copy(struct handles *h, uint64_t fh, uint64_t offset, void *buf, size_t size,
		    uint64_t unique)
{
	struct vault_handle *handle = get(h, fh);
	pthread_mutex_t *lock;
	ssize_t n = -ENODATA;

	if (!handle)
		return -ENODATA;
	lock = snapshot_lock(h, handle);
	pthread_mutex_lock(lock);
	if (atomic_load_explicit(&handle->snap_valid, memory_order_acquire) == 1 &&
	    (!unique || handle->snap_unique == unique)) {
		size_t left = offset < handle->snap_len ? handle->snap_len - offset : 0;

		n = (ssize_t)(left < size ? left : size);
		memcpy(buf, h->arena + (size_t)handle->snap_page * SNAPSHOT_PAGE + offset * (n > 0),
		       (size_t)n);
	}
	pthread_mutex_unlock(lock);
	return n;
}

/* ------------------------------------------------------------------ start */

/* What a crash has left may be anything: a handle that cannot be true is dropped,
 * a snapshot that cannot be true is forgotten. */
static bool recover_handle(struct handles *h, struct vault_handle *handle)
{
	if (handle->subject > SUBJECTS_MAX || !handle->node || handle->conn >= VAULT_CONNS ||
	    handle->conn_serial != h->vault->conn_serials[handle->conn] ||
	    (handle->subject && !h->saved[handle->subject - 1].id)) {
		atomic_store(&handle->used, 0);
		return false;
	}
	h->subject_handles[account_of(handle->subject)]++;
	if (!handle->snap_pages)
		atomic_store(&handle->snap_valid, 0);
	/* two handles may claim a page */
	if (!runs_claim(&h->pages, handle->snap_page, handle->snap_pages)) {
		handle->snap_pages = 0;
		atomic_store(&handle->snap_valid, 0);
		return true;
	}
	if (handle->snap_len > (uint64_t)handle->snap_pages * SNAPSHOT_PAGE)
		atomic_store(&handle->snap_valid, 0);
	h->subject_pages[account_of(handle->subject)] += handle->snap_pages;
	h->used_pages += handle->snap_pages;
	return true;
}

/* As if they had been in the memory of the worker that has ended. */
static void forget_snapshots(struct handles *h, uint32_t high)
{
	log_warn("half-read texts are lost when a worker dies");
	for (uint32_t i = 0; i < high; i++) {
		h->table[i].snap_pages = 0;
		atomic_store(&h->table[i].snap_valid, 0);
	}
}

static void recover(struct handles *h, uint32_t high)
{
	unsigned int dropped = 0;

	for (uint32_t i = 0; i < high; i++) {
		uint32_t used = atomic_load(&h->table[i].used);

		if (used > 1 || (used == 1 && !recover_handle(h, &h->table[i])))
			dropped++;
	}
	if (dropped)
		log_warn("%u open files in the vault are damaged or of a mount that is gone: "
			 "each read of them shows the text anew",
			 dropped);
	/* the lowest index on top */
	for (uint32_t i = high; i-- > 0;) {
		if (atomic_load(&h->table[i].used) == 1)
			continue;
		atomic_store(&h->table[i].used, 0);
		h->free_list[h->free_count++] = i;
	}
}

int handles_open(struct handles *h, struct vault_header *vault, uint32_t generation,
		 struct model *model, const struct settings *settings)
{
	memset(h, 0, sizeof(*h));
	h->vault = vault;
	h->generation = generation;
	h->model = model;
	h->max_handles = (uint32_t)settings->max_handles;
	h->max_pages = (uint32_t)(settings->max_snapshot_kib * 1024 / SNAPSHOT_PAGE);
	pthread_mutex_init(&h->lock, NULL);
	for (unsigned int i = 0; i < HANDLE_LOCKS; i++)
		pthread_mutex_init(&h->snapshot_locks[i], NULL);
	h->part = vault_part(vault, VAULT_HANDLES, HANDLES_VERSION, sizeof(*h->part));
	h->saved = vault_part(vault, VAULT_SUBJECTS, SUBJECTS_VERSION,
			      sizeof(struct vault_subject) * SUBJECTS_MAX);
	h->arena = vault_part(vault, VAULT_SNAPSHOTS, SNAPSHOTS_VERSION,
			      (size_t)SNAPSHOT_PAGE * SNAPSHOT_PAGES_MAX);
	if (!h->part || !h->saved || !h->arena) {
		log_warn("the vault is of another release: open files have no snapshots");
		h->part = NULL;
		return 0;
	}
	h->table = h->part->table;
	if (atomic_load(&h->part->high) > HANDLES_MAX)
		atomic_store(&h->part->high, HANDLES_MAX);
	if (!settings->test_snapshots)
		forget_snapshots(h, atomic_load(&h->part->high));
	h->free_list = calloc(HANDLES_MAX, sizeof(*h->free_list));
	h->subjects = calloc(SUBJECTS_MAX, sizeof(struct subject *));
	h->subject_handles = calloc(SUBJECTS_MAX + 1, sizeof(*h->subject_handles));
	h->subject_pages = calloc(SUBJECTS_MAX + 1, sizeof(*h->subject_pages));
	if (runs_init(&h->pages, SNAPSHOT_PAGES_MAX) < 0 || !h->free_list || !h->subjects ||
	    !h->subject_handles || !h->subject_pages)
		return -ENOMEM;
	recover(h, atomic_load(&h->part->high));
	return 0;
}

void handles_done(struct handles *h)
{
	for (uint32_t i = 0; h->subjects && i < SUBJECTS_MAX; i++)
		if (h->subjects[i])
			subject_unref(h->subjects[i]);
	free(h->free_list);
	runs_done(&h->pages);
	free(h->subjects);
	free(h->subject_handles);
	free(h->subject_pages);
	h->part = NULL;
}
