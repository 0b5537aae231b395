/* SPDX-License-Identifier: MIT */
/*
 * records.c - see records.h.
 *
 * The order of the stores is the invariant: an entry exists from its `used` word
 * on, a copy of the bytes from `turn` on; both are written last.  Bytes have a sum
 * over them, so that a vault that was damaged is noticed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "records.h"
#include "subject.h"

struct key {
	const char *owner;
	uint64_t subject, check;
};

static struct key key_of(const struct records *r, const char *owner, const struct subject *subject)
{
	return (struct key){ owner, subject->id,
			     hash_bytes(r->vault->secret, subject->text, subject->len) };
}

static uint32_t *bucket_of(struct records *r, uint64_t subject)
{
	return &r->buckets[subject % RECORDS_MAX];
}

static uint8_t *copy_at(const struct records *r, const struct vault_record *entry, uint32_t which)
{
	return r->part->arena + ((size_t)entry->block + which * entry->blocks) * RECORD_BLOCK;
}

static uint64_t sum_of(const struct records *r, const void *bytes, size_t len)
{
	return hash_bytes(r->vault->secret, bytes, len);
}

/* ------------------------------------------------------------------- table */

static struct vault_record *find(struct records *r, const struct key *key)
{
	for (uint32_t at = *bucket_of(r, key->subject); at; at = r->chain[at - 1]) {
		struct vault_record *entry = &r->part->table[at - 1];

		if (entry->subject == key->subject && entry->check == key->check &&
		    strcmp(entry->owner, key->owner) == 0)
			return entry;
	}
	return NULL;
}

static void link_entry(struct records *r, const struct vault_record *entry)
{
	uint32_t index = (uint32_t)(entry - r->part->table);
	uint32_t *bucket = bucket_of(r, entry->subject);

	r->chain[index] = *bucket;
	*bucket = index + 1;
}

static void drop(struct records *r, struct vault_record *entry)
{
	uint32_t index = (uint32_t)(entry - r->part->table);
	uint32_t *at = bucket_of(r, entry->subject);

	while (*at && *at != index + 1)
		at = &r->chain[*at - 1];
	if (*at)
		*at = r->chain[index];
	atomic_store(&entry->used, 0);
	runs_give(&r->blocks, entry->block, 2 * entry->blocks);
	if (index < r->hint)
		r->hint = index;
}

static void drop_oldest(struct records *r)
{
	struct vault_record *oldest = NULL;

	for (uint32_t i = 0; i < atomic_load(&r->part->high); i++) {
		struct vault_record *entry = &r->part->table[i];

		if (atomic_load(&entry->used) == 1 && (!oldest || entry->used_ns < oldest->used_ns))
			oldest = entry;
	}
	if (oldest)
		drop(r, oldest);
}

static struct vault_record *free_entry(struct records *r)
{
	while (r->hint < RECORDS_MAX && atomic_load(&r->part->table[r->hint].used) == 1)
		r->hint++;
	if (r->hint == RECORDS_MAX)
		return NULL;
	if (r->hint >= atomic_load(&r->part->high))
		atomic_store(&r->part->high, r->hint + 1);
	return &r->part->table[r->hint];
}

/* An entry for two copies of `len` bytes, not yet committed. */
static struct vault_record *new_entry(struct records *r, const struct key *key, size_t len)
{
	uint32_t blocks = (uint32_t)((len + RECORD_BLOCK - 1) / RECORD_BLOCK), first = 0;
	struct vault_record *entry = free_entry(r);

	if (!entry) {
		drop_oldest(r);
		entry = free_entry(r);
	}
	for (int tries = 0; !runs_take(&r->blocks, 2 * blocks, &first); tries++) {
		if (tries == RECORDS_MAX)
			return NULL;
		drop_oldest(r);
	}
	*entry = (struct vault_record){
		.subject = key->subject,
		.check = key->check,
		.block = first,
		.blocks = blocks,
	};
	strncpy(entry->owner, key->owner, sizeof(entry->owner) - 1);
	return entry;
}

/* ----------------------------------------------------------- read and write */

/* The good copy; NULL when there is none or it is damaged. */
static const void *good_copy(const struct records *r, const struct vault_record *entry,
			     size_t *ret_len)
{
	uint32_t turn = atomic_load_explicit(&entry->turn, memory_order_acquire), which = turn & 1;
	const void *bytes;

	if (!turn || entry->len[which] > (size_t)entry->blocks * RECORD_BLOCK)
		return NULL;
	bytes = copy_at(r, entry, which);
	if (sum_of(r, bytes, entry->len[which]) != entry->sum[which])
		return NULL;
	*ret_len = entry->len[which];
	return bytes;
}

static ssize_t read_entry(struct records *r, struct vault_record *entry, uint32_t version,
			  void *buf, size_t size)
{
	const void *bytes;
	size_t len;

	if (entry->version != version) {
		log_limited(&r->outdated, 5,
			    "what was kept for '%s' is of another release: "
			    "it begins anew",
			    entry->owner);
		return -ENOENT;
	}
	bytes = good_copy(r, entry, &len);
	if (!bytes) {
		log_limited(&r->damaged, 4, "a record of '%s' is damaged: it begins anew",
			    entry->owner);
		drop(r, entry);
		return -ENOENT;
	}
	if (len > size)
		return -ENOENT;
	memcpy(buf, bytes, len);
	return (ssize_t)len;
}

ssize_t record_read(struct records *r, const char *owner, uint32_t version,
		    const struct subject *subject, void *buf, size_t size)
{
	struct vault_record *entry;
	ssize_t n = -ENOENT;
	struct key key;

	if (!r || !r->part)
		return -ENOENT;
	key = key_of(r, owner, subject);
	pthread_mutex_lock(&r->lock);
	entry = find(r, &key);
	if (entry)
		n = read_entry(r, entry, version, buf, size);
	pthread_mutex_unlock(&r->lock);
	return n;
}

static void put_copy(struct records *r, struct vault_record *entry, const void *bytes, size_t len)
{
	uint32_t turn = atomic_load(&entry->turn) + 1, which;

	turn += turn == 0;
	which = turn & 1;
	entry->len[which] = (uint32_t)len;
	entry->sum[which] = sum_of(r, bytes, len);
	memcpy(copy_at(r, entry, which), bytes, len);
	entry->used_ns = io_now_ns();
	atomic_store_explicit(&entry->turn, turn, memory_order_release);
}

bool record_write(struct records *r, const char *owner, uint32_t version,
		  const struct subject *subject, const void *bytes, size_t len)
{
	struct vault_record *entry;
	struct key key;

	if (!r || !r->part || len == 0 || strlen(owner) >= RECORD_OWNER_MAX ||
	    atomic_load(&r->vault->writer) != r->generation)
		return false;
	key = key_of(r, owner, subject);
	pthread_mutex_lock(&r->lock);
	entry = find(r, &key);
	if (entry && (entry->version != version || len > (size_t)entry->blocks * RECORD_BLOCK)) {
		drop(r, entry); /* a crash right now would lose its past; it seldom grows */
		entry = NULL;
	}
	if (entry) {
		put_copy(r, entry, bytes, len);
	} else {
		entry = new_entry(r, &key, len);
		if (entry) {
			entry->version = version;
			put_copy(r, entry, bytes, len);
			link_entry(r, entry);
			atomic_store_explicit(&entry->used, 1, memory_order_release);
		}
	}
	pthread_mutex_unlock(&r->lock);
	return entry;
}

/* ------------------------------------------------------------------- start */

/* Could we have written this? */
static bool is_sound(struct records *r, const struct vault_record *entry)
{
	struct key key = { entry->owner, entry->subject, entry->check };

	return entry->owner[0] && memchr(entry->owner, '\0', sizeof(entry->owner)) &&
	       entry->blocks > 0 && entry->blocks <= RECORD_BLOCKS_MAX / 2 && !find(r, &key) &&
	       runs_claim(&r->blocks, entry->block, 2 * entry->blocks);
}

static void recover(struct records *r)
{
	unsigned int dropped = 0;

	if (atomic_load(&r->part->high) > RECORDS_MAX)
		atomic_store(&r->part->high, RECORDS_MAX);
	for (uint32_t i = 0; i < atomic_load(&r->part->high); i++) {
		struct vault_record *entry = &r->part->table[i];

		if (atomic_load(&entry->used) == 1 && is_sound(r, entry)) {
			link_entry(r, entry);
			continue;
		}
		dropped += atomic_load(&entry->used) != 0;
		atomic_store(&entry->used, 0);
	}
	if (dropped)
		log_warn("%u records in the vault are damaged: what they counted begins anew",
			 dropped);
}

int records_open(struct records *r, struct vault_header *vault, uint32_t generation)
{
	*r = (struct records){ .vault = vault, .generation = generation };
	pthread_mutex_init(&r->lock, NULL);
	r->part = vault_part(vault, VAULT_RECORDS, RECORDS_VERSION, sizeof(*r->part));
	if (!r->part) {
		log_warn("the vault is of another release: counters begin anew");
		return 0;
	}
	r->buckets = calloc(RECORDS_MAX, sizeof(*r->buckets));
	r->chain = calloc(RECORDS_MAX, sizeof(*r->chain));
	if (runs_init(&r->blocks, RECORD_BLOCKS_MAX) < 0 || !r->buckets || !r->chain)
		return -ENOMEM;
	recover(r);
	return 0;
}

void records_done(struct records *r)
{
	if (!r->vault)
		return;
	free(r->buckets);
	free(r->chain);
	runs_done(&r->blocks);
	pthread_mutex_destroy(&r->lock);
	*r = (struct records){ .vault = NULL };
}
