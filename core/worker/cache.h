/* SPDX-License-Identifier: MIT */
/*
 * cache.h - a bounded table of shared objects.
 *
 * Tenants decide how many objects there could be, so each table has a limit.  An
 * object is in use (somebody holds a reference) or idle; when there are too many
 * the object that has been idle for longest goes.  Objects in use never go, so
 * the limit may be exceeded by what is in use at one moment and by no more.
 *
 * Invariant: refs, chain and list are only touched under the table's lock, and
 * an object is freed outside it (freeing may put other objects back).
 */
#ifndef LXCFSD_CACHE_H
#define LXCFSD_CACHE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First member of each object. */
struct cache_node {
	struct cache_node *chain;
	struct cache_node *newer, *older; /* of the idle ones */
	uint64_t hash;
	uint64_t idle_since_ns;
	unsigned int refs;
	bool listed; /* can be found */
	bool idle;
};

struct cache {
	pthread_mutex_t lock;
	struct cache_node **buckets;
	size_t mask;
	size_t count;
	size_t max;
	struct cache_node *newest, *oldest;
	bool (*equal)(const struct cache_node *node, const void *key);
	void (*free)(struct cache_node *node, void *context);
	void *context;
};

int cache_init(struct cache *cache, size_t max,
	       bool (*equal)(const struct cache_node *node, const void *key),
	       void (*free)(struct cache_node *node, void *context), void *context);
/* Nobody may hold a reference any more. */
void cache_done(struct cache *cache);

/* The object with that key and a reference to it, or NULL. */
struct cache_node *cache_get(struct cache *cache, uint64_t hash, const void *key);

/* Puts in `fresh` and gives a reference to it.  When somebody else was faster,
 * `fresh` is freed and theirs is given. */
struct cache_node *cache_add(struct cache *cache, uint64_t hash, const void *key,
			     struct cache_node *fresh);

struct cache_node *cache_ref(struct cache *cache, struct cache_node *node);
void cache_put(struct cache *cache, struct cache_node *node);

/* From now on not found; freed with the last reference, which the caller keeps. */
void cache_forget(struct cache *cache, struct cache_node *node);

/* Frees what has been idle since before `before_ns`. */
void cache_tidy(struct cache *cache, uint64_t before_ns);
size_t cache_count(struct cache *cache);

/* FNV-1a and a final mix; `seed` 0 or the hash of what stands before. */
uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t len);

#endif
