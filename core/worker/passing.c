/* SPDX-License-Identifier: MIT */
/* passing.c - see passing.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "passing.h"
#include "text.h"

#define BUCKETS	    16384
#define ACCOUNTS    4096
#define ACCOUNT_MAX (PASSING_MAX / 16)
#define ACCOUNT_FEW 64
#define FEW_PLACES  (PASSING_MAX / 4)

static struct node *node_at(const struct nodes *nodes, uint32_t place)
{
	return &nodes->list[NODES_MAX + place];
}

static struct vault_passing *kept_of(const struct nodes *nodes, const struct node *node)
{
	return &nodes->passing.part->table[node->id - 1 - NODES_MAX];
}

const struct node *passing_get(const struct nodes *nodes, uint64_t number)
{
	uint32_t id = (uint32_t)number, serial = (uint32_t)(number >> 32), above = serial;
	const struct node *node, *at;

	if (id <= NODES_MAX || id > NODES_MAX + PASSING_MAX || !nodes->passing.part)
		return NULL;
	node = &nodes->list[id - 1];
	for (at = node; above; at = &nodes->list[at->parent - 1]) {
		if (__atomic_load_n(&at->id, __ATOMIC_ACQUIRE) == 0 || at->serial != above)
			return NULL;
		above = at->parent_serial;
	}
	return serial && at->id ? node : NULL;
}

/* ---------------------------------------------------------------- the hash */

/* With a secret, or who chooses names could make one long chain, for which all wait. */
static uint32_t *bucket_of(const struct nodes *nodes, uint32_t parent, uint64_t object,
			   const char *name)
{
	const uint64_t words[] = { nodes->vault->secret, parent, object };
	uint64_t seed = hash_bytes(0, words, sizeof(words));

	return &nodes->passing.buckets[hash_bytes(seed, name, strlen(name)) % BUCKETS];
}

static struct node *find(const struct nodes *nodes, const struct passing_find *f)
{
	uint32_t id = *bucket_of(nodes, f->parent->id, f->object, f->name);

	for (; id; id = nodes->list[id - 1].chain) {
		struct node *node = &nodes->list[id - 1];

		if (node->parent == f->parent->id && node->parent_serial == f->parent->serial &&
		    node->type == f->type && node->object == f->object &&
		    strcmp(node->name, f->name) == 0)
			return node;
	}
	return NULL;
}

static void unlink_node(struct nodes *nodes, struct node *node)
{
	uint32_t *at = bucket_of(nodes, node->parent, node->object, node->name);

	while (*at && *at != node->id)
		at = &nodes->list[*at - 1].chain;
	if (*at)
		*at = node->chain;
}

/* ------------------------------------------------------------- the accounts */

static uint32_t account_of(const struct nodes *nodes, uint64_t owner)
{
	return (uint32_t)(hash_bytes(nodes->vault->secret, &owner, sizeof(owner)) % ACCOUNTS);
}

static bool may_have(const struct passing *passing, uint32_t account)
{
	uint32_t has = passing->accounts[account];
	uint32_t left = passing->free_count + PASSING_MAX - atomic_load(&passing->part->high);

	return left > 0 && has < ACCOUNT_MAX && (has < ACCOUNT_FEW || left > FEW_PLACES);
}

bool passing_has_room(struct nodes *nodes, uint64_t owner)
{
	bool has = nodes->passing.part;

	pthread_mutex_lock(&nodes->lock);
	has = has && may_have(&nodes->passing, account_of(nodes, owner));
	pthread_mutex_unlock(&nodes->lock);
	return has;
}

/* ----------------------------------------------------------------- entries */

bool passing_is_number(const char *name, uint64_t *ret)
{
	return name[0] != '0' && strspn(name, "0123456789") == strlen(name) &&
	       parse_u64(text_of(name), ret) == 0;
}

/* What a name in a container's root shows; NULL: nothing that is known. */
static const struct node *find_like(const struct nodes *nodes, const struct node *parent,
				    const char *name, uint32_t type)
{
	if (parent->id == nodes->roots)
		return &nodes->list[NODE_ROOT - 1];
	return parent->tree_root ? &nodes->list[parent->tree_root - 1]
				 : nodes_find(nodes, parent->like, name, type);
}

/* In a container's root: whose, and what it shows. */
static void take_own(struct nodes *nodes, struct node *node, const struct node *parent)
{
	const struct node *like = find_like(nodes, parent, node->name, node->type);

	node->container = parent->id == nodes->roots ? node->object : parent->container;
	node->like = like;
	node->tree_root = like->tree_root;
	/* of a cgroup it is the kernel who says what the top is like */
	node->tree_top = !parent->tree_root && like->tree_root && !(like->tree && like->tree->find);
	if (parent->id == nodes->roots)
		node->path_len = 0;
}

/* Makes the node of an entry of the table known. */
static void take(struct nodes *nodes, uint32_t place, const struct node *parent)
{
	const struct vault_passing *kept = &nodes->passing.part->table[place];
	struct node *node = node_at(nodes, place);
	uint32_t *bucket = bucket_of(nodes, kept->parent, kept->object, kept->name);

	*node = (struct node){
		.parent = kept->parent,
		.parent_serial = kept->parent_serial,
		.serial = kept->serial,
		.type = kept->type,
		.object = kept->object,
		.name = kept->name,
		.tree_root = parent->tree_root,
		.path_len = parent->path_len + 1 + (uint32_t)strlen(kept->name),
		.chain = *bucket,
	};
	if (node_has_own(nodes, parent))
		take_own(nodes, node, parent);
	*bucket = NODES_MAX + place + 1;
	__atomic_store_n(&node->id, NODES_MAX + place + 1, __ATOMIC_RELEASE);
	nodes->passing.accounts[kept->account]++;
}

static int add(struct nodes *nodes, const struct passing_find *f, struct node **ret)
{
	struct passing *passing = &nodes->passing;
	uint32_t account = account_of(nodes, f->owner), place;
	size_t len = strlen(f->name);
	struct vault_passing *kept;

	if (node_has_own(nodes, f->parent) && !find_like(nodes, f->parent, f->name, f->type))
		return -ENOENT;
	if (len >= PASSING_NAME_MAX || f->parent->path_len + 1 + len > NODE_PATH_MAX)
		return -ENAMETOOLONG;
	if (!may_have(passing, account))
		return -ENFILE;
	place = passing->free_count ? passing->free_list[--passing->free_count]
				    : atomic_fetch_add(&passing->part->high, 1);
	kept = &passing->part->table[place];
	kept->serial = kept->serial + 1 ? kept->serial + 1 : 1;
	kept->parent = f->parent->id;
	kept->parent_serial = f->parent->serial;
	kept->type = f->type;
	kept->account = account;
	kept->object = f->object;
	kept->lookups = 0;
	memset(kept->uniques, 0, sizeof(kept->uniques));
	memcpy(kept->name, f->name, len + 1);
	atomic_store_explicit(&kept->used, 1, memory_order_release);
	take(nodes, place, f->parent);
	*ret = node_at(nodes, place);
	return 0;
}

static void count_lookup(struct vault_passing *kept, const struct passing_find *f)
{
	const size_t count = sizeof(kept->uniques) / sizeof(kept->uniques[0]);

	for (size_t i = 0; f->replay && i < count; i++)
		if (kept->uniques[i] == f->unique)
			return; /* by the worker that has died */
	memmove(kept->uniques + 1, kept->uniques, (count - 1) * sizeof(kept->uniques[0]));
	kept->uniques[0] = f->unique;
	kept->lookups++;
}

int passing_add(struct nodes *nodes, const struct passing_find *f, const struct node **ret)
{
	struct node *node;
	int r = 0;

	if (!nodes->passing.part)
		return -ENFILE;
	pthread_mutex_lock(&nodes->lock);
	node = find(nodes, f);
	if (atomic_load(&nodes->vault->writer) != nodes->generation)
		r = -ESTALE; /* given up: another worker counts now */
	else if (f->parent->serial && passing_get(nodes, node_number(f->parent)) != f->parent)
		r = -ESTALE; /* it has passed */
	else if (!node)
		r = add(nodes, f, &node);
	if (r == 0) {
		count_lookup(kept_of(nodes, node), f);
		*ret = node;
	}
	pthread_mutex_unlock(&nodes->lock);
	return r;
}

static void drop(struct nodes *nodes, struct node *node)
{
	struct passing *passing = &nodes->passing;
	struct vault_passing *kept = kept_of(nodes, node);

	unlink_node(nodes, node);
	passing->accounts[kept->account]--;
	atomic_store_explicit(&kept->used, 0, memory_order_release);
	passing->free_list[passing->free_count++] = node->id - 1 - NODES_MAX;
	__atomic_store_n(&node->id, 0, __ATOMIC_RELEASE);
}

void passing_forget(struct nodes *nodes, uint64_t number, uint64_t count)
{
	uint32_t id = (uint32_t)number;
	struct vault_passing *kept;
	struct node *node;

	if (id <= NODES_MAX || id > NODES_MAX + PASSING_MAX || !nodes->passing.part)
		return;
	pthread_mutex_lock(&nodes->lock);
	node = &nodes->list[id - 1];
	if (node->id == id && node->serial == number >> 32 &&
	    atomic_load(&nodes->vault->writer) == nodes->generation) {
		kept = kept_of(nodes, node);
		kept->lookups -= count < kept->lookups ? count : kept->lookups;
		if (kept->lookups == 0 && !node->pins)
			drop(nodes, node);
	}
	pthread_mutex_unlock(&nodes->lock);
}

bool passing_next(struct nodes *nodes, const struct node *parent, uint32_t *place,
		  char name[PASSING_NUMBER_MAX])
{
	uint32_t high = nodes->passing.part ? atomic_load(&nodes->passing.part->high) : 0;
	bool found = false;

	pthread_mutex_lock(&nodes->lock);
	for (; *place < high && !found; ++*place) {
		const struct node *node = node_at(nodes, *place);

		found = node->id && node->parent == parent->id && !node->parent_serial &&
			strlen(node->name) < PASSING_NUMBER_MAX;
		if (found)
			memcpy(name, node->name, strlen(node->name) + 1);
	}
	pthread_mutex_unlock(&nodes->lock);
	return found;
}

/* --------------------------------------------------------------------- pins */

const struct node *passing_pinned(const struct nodes *nodes, uint64_t number)
{
	uint32_t id = (uint32_t)number;
	const struct node *node;

	if (id <= NODES_MAX || id > NODES_MAX + PASSING_MAX || !nodes->passing.part)
		return NULL;
	node = &nodes->list[id - 1];
	return node->id && node->serial == number >> 32 && node->pins ? node : NULL;
}

const struct node *passing_pin(struct nodes *nodes, uint64_t number)
{
	struct node *node;

	pthread_mutex_lock(&nodes->lock);
	node = (struct node *)(uintptr_t)passing_get(nodes, number);
	if (node)
		node->pins++;
	pthread_mutex_unlock(&nodes->lock);
	return node;
}

void passing_unpin(struct nodes *nodes, uint64_t number)
{
	struct node *node;

	pthread_mutex_lock(&nodes->lock);
	node = (struct node *)(uintptr_t)passing_pinned(nodes, number);
	if (node && --node->pins == 0 && kept_of(nodes, node)->lookups == 0)
		drop(nodes, node);
	pthread_mutex_unlock(&nodes->lock);
}

/* -------------------------------------------------------------------- start */

/* What a crash has left may be anything. */
static bool is_sound(const struct vault_passing *kept, uint32_t high)
{
	const char *end = memchr(kept->name, '\0', sizeof(kept->name));

	if (!kept->serial || kept->account >= ACCOUNTS || !end || end == kept->name ||
	    memchr(kept->name, '/', (size_t)(end - kept->name)) || !strcmp(kept->name, ".") ||
	    !strcmp(kept->name, ".."))
		return false;
	if (kept->type != NODE_DIR && kept->type != NODE_FILE && kept->type != NODE_LINK)
		return false;
	return kept->parent_serial ? kept->parent > NODES_MAX && kept->parent <= NODES_MAX + high
				   : kept->parent > 0 && kept->parent <= NODES_MAX;
}

/* Its parent, if that is known already and a directory in a tree. */
static const struct node *known_parent(const struct nodes *nodes, const struct vault_passing *kept)
{
	const struct node *parent = &nodes->list[kept->parent - 1];

	uint64_t number;

	if (!parent->id || parent->serial != kept->parent_serial || parent->type != NODE_DIR ||
	    parent->path_len + 1 + strlen(kept->name) > NODE_PATH_MAX)
		return NULL;
	if (parent->id == nodes->roots)
		return passing_is_number(kept->name, &number) && number == kept->object &&
				       kept->type == NODE_DIR
			       ? parent
			       : NULL;
	if (parent->container)
		return find_like(nodes, parent, kept->name, kept->type) ? parent : NULL;
	return parent->tree_root ? parent : NULL;
}

/* Parents before their children, wherever they stand: as often as there are levels. */
static void recover(struct nodes *nodes, uint32_t high)
{
	struct vault_passing *table = nodes->passing.part->table;
	bool more = true;
	uint32_t place, dropped = 0;

	while (more) {
		more = false;
		for (place = 0; place < high; place++) {
			const struct node *parent;

			if (node_at(nodes, place)->id || atomic_load(&table[place].used) != 1 ||
			    !is_sound(&table[place], high))
				continue;
			parent = known_parent(nodes, &table[place]);
			if (!parent)
				continue;
			take(nodes, place, parent);
			more = true;
		}
	}
	for (place = high; place-- > 0;) {
		if (node_at(nodes, place)->id)
			continue;
		dropped += atomic_load(&table[place].used) != 0;
		atomic_store(&table[place].used, 0);
		nodes->passing.free_list[nodes->passing.free_count++] = place;
	}
	if (dropped)
		log_warn("%u names in trees are damaged, or of trees that are no more: what is "
			 "open there has to be opened again",
			 dropped);
}

int passing_open(struct nodes *nodes)
{
	struct passing *passing = &nodes->passing;

	passing->part =
		vault_part(nodes->vault, VAULT_PASSING, PASSING_VERSION, sizeof(*passing->part));
	if (!passing->part) {
		log_warn("the vault is of another release: names that come and go are not found");
		return 0;
	}
	passing->buckets = calloc(BUCKETS, sizeof(*passing->buckets));
	passing->free_list = calloc(PASSING_MAX, sizeof(*passing->free_list));
	passing->accounts = calloc(ACCOUNTS, sizeof(*passing->accounts));
	if (!passing->buckets || !passing->free_list || !passing->accounts)
		return -ENOMEM;
	if (atomic_load(&passing->part->high) > PASSING_MAX)
		atomic_store(&passing->part->high, PASSING_MAX);
	recover(nodes, atomic_load(&passing->part->high));
	return 0;
}

void passing_done(struct nodes *nodes)
{
	free(nodes->passing.buckets);
	free(nodes->passing.free_list);
	free(nodes->passing.accounts);
}
