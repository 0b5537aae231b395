/* SPDX-License-Identifier: MIT */
/* cache.c - see cache.h. */
#include <errno.h>
#include <stdlib.h>

#include "cache.h"
#include "io.h"

uint64_t hash_bytes(uint64_t seed, const void *bytes, size_t len)
{
	const unsigned char *at = bytes;
	uint64_t hash = seed ^ 0xcbf29ce484222325u;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ at[i]) * 0x100000001b3u;
	hash ^= hash >> 32;
	hash *= 0xd6e8feb86659fd93u;
	return hash ^ hash >> 32;
}

int cache_init(struct cache *cache, size_t max,
	       bool (*equal)(const struct cache_node *node, const void *key),
	       void (*free_node)(struct cache_node *node, void *context), void *context)
{
	size_t buckets = 16;

	while (buckets < max)
		buckets *= 2;
	*cache = (struct cache){
		.buckets = calloc(buckets, sizeof(struct cache_node *)),
		.mask = buckets - 1,
		.max = max,
		.equal = equal,
		.free = free_node,
		.context = context,
	};
	if (!cache->buckets)
		return -ENOMEM;
	pthread_mutex_init(&cache->lock, NULL);
	return 0;
}

static void make_idle(struct cache *cache, struct cache_node *node)
{
	node->idle = true;
	node->idle_since_ns = io_now_ns();
	node->older = cache->newest;
	node->newer = NULL;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = node;
	cache->newest = node;
}

static void make_busy(struct cache *cache, struct cache_node *node)
{
	*(node->newer ? &node->newer->older : &cache->newest) = node->older;
	*(node->older ? &node->older->newer : &cache->oldest) = node->newer;
	node->idle = false;
}

static void unlist(struct cache *cache, struct cache_node *node)
{
	struct cache_node **at = &cache->buckets[node->hash & cache->mask];

	while (*at != node)
		at = &(*at)->chain;
	*at = node->chain;
	node->chain = NULL;
	node->listed = false;
	cache->count--;
}

/* The longest idle object, taken out, when there are too many or it is that old. */
static struct cache_node *take_victim(struct cache *cache, uint64_t before_ns)
{
	struct cache_node *node = cache->oldest;

	if (!node || (cache->count <= cache->max && node->idle_since_ns >= before_ns))
		return NULL;
	make_busy(cache, node);
	unlist(cache, node);
	return node;
}

static void free_victims(struct cache *cache, uint64_t before_ns)
{
	struct cache_node *victims = NULL, *node;

	pthread_mutex_lock(&cache->lock);
	while ((node = take_victim(cache, before_ns))) {
		node->chain = victims;
		victims = node;
	}
	pthread_mutex_unlock(&cache->lock);
	while ((node = victims)) {
		victims = node->chain;
		cache->free(node, cache->context);
	}
}

static struct cache_node *find(struct cache *cache, uint64_t hash, const void *key)
{
	struct cache_node *node = cache->buckets[hash & cache->mask];

	while (node && (node->hash != hash || !cache->equal(node, key)))
		node = node->chain;
	if (!node)
		return NULL;
	if (node->idle)
		make_busy(cache, node);
	node->refs++;
	return node;
}

struct cache_node *cache_get(struct cache *cache, uint64_t hash, const void *key)
{
	struct cache_node *node;

	pthread_mutex_lock(&cache->lock);
	node = find(cache, hash, key);
	pthread_mutex_unlock(&cache->lock);
	return node;
}

struct cache_node *cache_add(struct cache *cache, uint64_t hash, const void *key,
			     struct cache_node *fresh)
{
	struct cache_node *there;
	bool full;

	pthread_mutex_lock(&cache->lock);
	there = find(cache, hash, key);
	if (!there) {
		fresh->hash = hash;
		fresh->refs = 1;
		fresh->idle = false;
		fresh->listed = true;
		fresh->chain = cache->buckets[hash & cache->mask];
		cache->buckets[hash & cache->mask] = fresh;
		cache->count++;
	}
	full = cache->count > cache->max;
	pthread_mutex_unlock(&cache->lock);
	if (there)
		cache->free(fresh, cache->context);
	if (full)
		free_victims(cache, 0);
	return there ? there : fresh;
}

struct cache_node *cache_ref(struct cache *cache, struct cache_node *node)
{
	pthread_mutex_lock(&cache->lock);
	node->refs++;
	pthread_mutex_unlock(&cache->lock);
	return node;
}

void cache_put(struct cache *cache, struct cache_node *node)
{
	bool dead = false, full;

	pthread_mutex_lock(&cache->lock);
	if (--node->refs == 0) {
		if (node->listed)
			make_idle(cache, node);
		else
			dead = true;
	}
	full = cache->count > cache->max;
	pthread_mutex_unlock(&cache->lock);
	if (dead)
		cache->free(node, cache->context);
	if (full)
		free_victims(cache, 0);
}

void cache_forget(struct cache *cache, struct cache_node *node)
{
	pthread_mutex_lock(&cache->lock);
	if (node->listed)
		unlist(cache, node);
	pthread_mutex_unlock(&cache->lock);
}

void cache_tidy(struct cache *cache, uint64_t before_ns)
{
	free_victims(cache, before_ns);
}

size_t cache_count(struct cache *cache)
{
	size_t count;

	pthread_mutex_lock(&cache->lock);
	count = cache->count;
	pthread_mutex_unlock(&cache->lock);
	return count;
}

void cache_done(struct cache *cache)
{
	if (!cache->buckets)
		return;
	/* an object may hold another one of the same table: as often as it takes */
	for (size_t before = 0; cache->count != before;) {
		before = cache->count;
		free_victims(cache, UINT64_MAX);
	}
	pthread_mutex_destroy(&cache->lock);
	free(cache->buckets);
	cache->buckets = NULL;
}
