/* SPDX-License-Identifier: MIT */
/* nodes.c - see nodes.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "nodes.h"
#include "passing.h"
#include "path.h"
#include "text.h"

#define BUCKETS 65536

const struct node *nodes_get(const struct nodes *nodes, uint64_t id)
{
	uint32_t count = atomic_load_explicit(&nodes->count, memory_order_acquire);

	if (id > NODES_MAX)
		return passing_get(nodes, id);
	return id >= 1 && id <= count && nodes->list[id - 1].id ? &nodes->list[id - 1] : NULL;
}

/* ------------------------------------------------------------------- names */

static _Atomic uint32_t *bucket_of(const struct nodes *nodes, uint32_t parent, const char *name,
				   size_t len)
{
	return &nodes->buckets[hash_bytes(parent, name, len) % BUCKETS];
}

/* Of the same parent and name, the last one that was made known; then the others. */
static struct node *next_named(const struct nodes *nodes, uint32_t id, uint32_t parent,
			       const char *name, size_t len)
{
	for (; id; id = nodes->list[id - 1].chain) {
		struct node *node = &nodes->list[id - 1];

		if (node->parent == parent && strlen(node->name) == len &&
		    memcmp(node->name, name, len) == 0)
			return node;
	}
	return NULL;
}

static struct node *find_child(const struct nodes *nodes, uint32_t parent, const char *name,
			       size_t len, uint32_t type)
{
	uint32_t id =
		atomic_load_explicit(bucket_of(nodes, parent, name, len), memory_order_acquire);
	struct node *node;

	while ((node = next_named(nodes, id, parent, name, len)) && node->type != type)
		id = node->chain;
	return node;
}

const struct node *nodes_find(const struct nodes *nodes, const struct node *parent,
			      const char *name, uint32_t type)
{
	return find_child(nodes, parent->id, name, strlen(name), type);
}

const struct node *nodes_lookup(const struct nodes *nodes, const struct node *parent,
				const char *name)
{
	size_t len = strlen(name);
	uint32_t id =
		atomic_load_explicit(bucket_of(nodes, parent->id, name, len), memory_order_acquire);
	const struct node *found = NULL, *node;

	/* what is served goes before what once was and is of another type */
	for (; (node = next_named(nodes, id, parent->id, name, len)); id = node->chain)
		if (!found || node->fixed)
			found = node;
	return found && !found->absent ? found : NULL;
}

const char *nodes_path(const struct nodes *nodes, const struct node *node, struct node_path *buf)
{
	size_t left = node->path_len;

	buf->text[left] = '\0';
	/* up to the root of all, or of a container */
	for (; node->path_len; node = &nodes->list[node->parent - 1]) {
		size_t len = strlen(node->name);

		if (len >= left) /* one that has passed meanwhile, with its name */
			break;
		left -= len;
		memcpy(buf->text + left, node->name, len);
		buf->text[--left] = '/';
	}
	memset(buf->text, '/', left); /* likewise, with a shorter name */
	return buf->text;
}

/* ----------------------------------------------------------------- entries */

int nodes_path_below(const struct nodes *nodes, const struct node *dir, const char *name,
		     struct node_path *ret)
{
	size_t len = strlen(name);

	if (len == 0 || !strcmp(name, ".") || !strcmp(name, "..") || memchr(name, '/', len))
		return -ENOENT;
	if (len > NODE_NAME_MAX || dir->path_len + 1 + len > NODE_PATH_MAX)
		return -ENAMETOOLONG;
	nodes_path(nodes, dir, ret);
	ret->text[dir->path_len] = '/';
	memcpy(ret->text + dir->path_len + 1, name, len + 1);
	return 0;
}

static bool is_type(uint32_t type)
{
	return type == NODE_DIR || type == NODE_FILE || type == NODE_LINK ||
	       type == (NODE_DIR | NODE_TREE) || type == (NODE_FILE | NODE_PRIVATE);
}

/* The entry may come out of a crash: is it one that we could have written? */
static bool is_sound(const struct nodes *nodes, const struct vault_node *entry, uint32_t id)
{
	const struct node *parent;
	const char *name, *end;

	if (!is_type(entry->type) || entry->name >= NODE_NAMES_SIZE)
		return false;
	name = nodes->registry->names + entry->name;
	end = memchr(name, '\0', NODE_NAMES_SIZE - entry->name);
	if (!end || end - name > NODE_NAME_MAX)
		return false;
	if (id == NODE_ROOT)
		return entry->parent == NODE_ROOT && entry->type == NODE_DIR && end == name;
	if (end == name || memchr(name, '/', (size_t)(end - name)) || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return false;
	parent = entry->parent < id ? nodes_get(nodes, entry->parent) : NULL;
	return parent && parent->type == NODE_DIR &&
	       parent->path_len + 1 + (size_t)(end - name) <= NODE_PATH_MAX;
}

/* Makes the node of a sound registry entry known. */
static void take_entry(struct nodes *nodes, uint32_t id)
{
	const struct vault_node *entry = &nodes->registry->nodes[id - 1];
	struct node *node = &nodes->list[id - 1];
	const char *name = nodes->registry->names + entry->name;
	_Atomic uint32_t *bucket = bucket_of(nodes, entry->parent, name, strlen(name));
	const struct node *parent = &nodes->list[entry->parent - 1];

	*node = (struct node){
		.parent = entry->parent,
		.type = entry->type & ~(NODE_TREE | NODE_PRIVATE),
		.was_tree = entry->type & NODE_TREE,
		.is_private = entry->type & NODE_PRIVATE,
		.name = name,
		.mode = entry->type == NODE_FILE		    ? 0444
			: entry->type == (NODE_FILE | NODE_PRIVATE) ? 0400
								    : 0555,
	};
	node->id = id;
	if (id != NODE_ROOT) {
		node->path_len = parent->path_len + 1 + (uint32_t)strlen(name);
		node->tree_root = parent->tree_root;
		node->chain = atomic_load_explicit(bucket, memory_order_relaxed);
	}
	atomic_store_explicit(&nodes->count, id, memory_order_release);
	if (id != NODE_ROOT)
		atomic_store_explicit(bucket, id, memory_order_release);
}

/* Called with the lock, or before anybody else is there. */
static int add_entry(struct nodes *nodes, uint32_t parent, uint32_t type, const char *name,
		     size_t len, struct node **ret)
{
	uint32_t id = atomic_load_explicit(&nodes->count, memory_order_relaxed) + 1;
	struct vault_node *entry;

	if (id > NODES_MAX || len >= NODE_NAMES_SIZE - nodes->names_used)
		return -ENOSPC;
	if (len > NODE_NAME_MAX || nodes->list[parent - 1].path_len + 1 + len > NODE_PATH_MAX)
		return -ENAMETOOLONG;
	entry = &nodes->registry->nodes[id - 1];
	memcpy(nodes->registry->names + nodes->names_used, name, len);
	nodes->registry->names[nodes->names_used + len] = '\0';
	atomic_thread_fence(memory_order_release);
	*entry = (struct vault_node){ parent, type, nodes->names_used };
	/* the commit: until now the entry did not exist */
	atomic_store_explicit(&nodes->registry->count, id, memory_order_release);
	nodes->names_used += (uint32_t)len + 1;
	take_entry(nodes, id);
	*ret = &nodes->list[id - 1];
	return 0;
}

int nodes_add(struct nodes *nodes, const struct node *parent, const char *name, uint32_t type,
	      const struct node **ret)
{
	size_t len = strlen(name);
	struct node *node = find_child(nodes, parent->id, name, len, type);
	int r = 0;

	if (!node) {
		pthread_mutex_lock(&nodes->lock);
		node = find_child(nodes, parent->id, name, len, type);
		if (!node && atomic_load(&nodes->vault->writer) != nodes->generation)
			r = -ESTALE; /* given up: another worker gives ids now */
		else if (!node)
			r = add_entry(nodes, parent->id, type, name, len, &node);
		pthread_mutex_unlock(&nodes->lock);
	}
	if (r == -ENOSPC)
		log_limited(&nodes->full, 3,
			    "there is no room for '%s': names that nobody has looked up yet give "
			    "an error until the next start",
			    name);
	if (r == 0)
		*ret = node;
	return r;
}

static int add_path(struct nodes *nodes, const char *path, uint32_t last, struct node **ret)
{
	struct node *at = &nodes->list[NODE_ROOT - 1];
	int r;

	while (*path) {
		const char *name = path + 1;
		size_t len = strcspn(name, "/");
		uint32_t type = name[len] ? NODE_DIR : last;
		struct node *child = find_child(nodes, at->id, name, len, type);

		if (!child) {
			r = add_entry(nodes, at->id, type, name, len, &child);
			if (r < 0)
				return r;
		}
		at = child;
		path = name + len;
	}
	*ret = at;
	return 0;
}

int nodes_directory(struct nodes *nodes, const char *path, const struct node **ret)
{
	struct lxcfsd_text rest = text_of(path), part;
	const struct node *at = nodes_get(nodes, NODE_ROOT);
	char name[NODE_NAME_MAX + 1];
	int r = path_is_clean(rest) ? 0 : -EINVAL;

	text_until(&rest, '/', &part); /* nothing is before the first one */
	while (r == 0 && text_until(&rest, '/', &part)) {
		if (part.len > NODE_NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name, part.data, part.len);
		name[part.len] = '\0';
		r = nodes_add(nodes, at, name, NODE_DIR, &at);
	}
	if (r == 0)
		*ret = at;
	return r;
}

/* -------------------------------------------------------------------- load */

/* How many there must have been, when the count itself is damaged. */
static uint32_t last_plausible(const struct nodes *nodes)
{
	uint32_t id = NODES_MAX;

	while (id > 0 && !is_type(nodes->registry->nodes[id - 1].type))
		id--; /* never used */
	return id;
}

static int load(struct nodes *nodes)
{
	struct vault_nodes *registry = nodes->registry;
	uint32_t count = atomic_load_explicit(&registry->count, memory_order_acquire);
	uint32_t damaged = 0;
	struct node *root;

	nodes->names_used = 1;
	if (count > NODES_MAX) {
		count = last_plausible(nodes);
		log_err("the number of node ids is damaged: %u were found", count);
	}
	/* behind it there was never anything: the count is too small */
	while (count < NODES_MAX && is_type(registry->nodes[count].type))
		count++;
	if (count == 0 || !is_sound(nodes, &registry->nodes[0], NODE_ROOT)) {
		damaged = count > 0;
		registry->names[0] = '\0';
		registry->nodes[0] = (struct vault_node){ NODE_ROOT, NODE_DIR, 0 };
	}
	for (uint32_t id = 1; id <= count; id++) {
		uint32_t end;

		if (!is_sound(nodes, &registry->nodes[id - 1], id)) {
			damaged++; /* a hole: the kernel may know the id, it is not given again */
			continue;
		}
		take_entry(nodes, id);
		end = registry->nodes[id - 1].name + (uint32_t)strlen(nodes->list[id - 1].name) + 1;
		if (end > nodes->names_used)
			nodes->names_used = end;
	}
	if (damaged)
		log_err("%u of %u node ids are damaged: mounts that containers hold of them give "
			"an error, new mounts work",
			damaged, count);
	atomic_store(&nodes->count, count);
	return count ? 0 : add_entry(nodes, NODE_ROOT, NODE_DIR, "", 0, &root);
}

/* Into its parent's chain, which ascends. */
static void list_node(struct nodes *nodes, struct node *node)
{
	uint32_t *at = &nodes->list[node->parent - 1].first_child;

	node->listed = true;
	if (node->id == NODE_ROOT)
		return;
	while (*at && *at < node->id)
		at = &nodes->list[*at - 1].next;
	node->next = *at;
	*at = node->id;
}

static struct node *attach(struct nodes *nodes, const struct plugin *plugin, const char *path,
			   uint32_t type, bool absent)
{
	struct node *node;
	int r = add_path(nodes, path, type, &node);

	if (r < 0) {
		log_err("plugin '%s': cannot serve '%s': %s", plugin->section->name, path,
			strerror(-r));
		return NULL;
	}
	node->plugin = plugin;
	node->served = plugin->enabled;
	node->absent = absent;
	for (struct node *at = node; !at->fixed; at = &nodes->list[at->parent - 1])
		at->fixed = true;
	for (struct node *at = node; node->served && !absent && !at->listed;
	     at = &nodes->list[at->parent - 1])
		list_node(nodes, at);
	return node;
}

static void attach_all(struct nodes *nodes, const struct plugin *plugin, struct model *model)
{
	struct node *node;

	for (uint32_t i = 0; plugin->files && i < plugin->meta.file_count; i++) {
		node = attach(nodes, plugin, plugin->files[i].path, NODE_FILE,
			      !model_has_file(model, &plugin->files[i]));
		if (!node)
			continue;
		node->file = &plugin->files[i];
		node->mode = node->file->mode;
		node->is_private = !(node->mode & 0004);
		/* for who has no such plugin and only the host's file */
		nodes->registry->nodes[node->id - 1].type =
			NODE_FILE | (node->is_private ? NODE_PRIVATE : 0);
	}
	for (uint32_t i = 0; plugin->trees && i < plugin->meta.tree_count; i++) {
		node = attach(nodes, plugin, plugin->trees[i].path, NODE_DIR, false);
		if (!node)
			continue;
		node->tree = &plugin->trees[i];
		node->was_tree = true;
		/* for a worker that comes later and has no such plugin */
		nodes->registry->nodes[node->id - 1].type = NODE_DIR | NODE_TREE;
	}
}

/* Who is in which tree.  A parent's id is smaller than its children's. */
static void settle(struct nodes *nodes)
{
	uint32_t count = atomic_load(&nodes->count);

	for (uint32_t id = NODE_ROOT; id <= count; id++) {
		struct node *node = &nodes->list[id - 1];

		if (!node->id)
			continue;
		if (node->tree || (node->was_tree && !node->fixed))
			node->tree_root = id;
		else if (node->fixed || id == NODE_ROOT)
			node->tree_root = 0; /* in what is no tree any more */
		else
			node->tree_root = nodes->list[node->parent - 1].tree_root;
	}
}

/* A directory of ours is absent when all that is in it is.  Children have the higher
 * ids. */
static void hide_directories(struct nodes *nodes)
{
	for (uint32_t id = atomic_load(&nodes->count); id > NODE_ROOT; id--) {
		struct node *node = &nodes->list[id - 1];

		if (!node->fixed)
			continue;
		if (!node->file && !node->tree)
			node->absent = !node->occupied;
		if (!node->absent)
			nodes->list[node->parent - 1].occupied = true;
	}
}

/* Once made known it stays: containers have it bound. */
static void find_roots(struct nodes *nodes)
{
	struct node *node =
		find_child(nodes, NODE_ROOT, &NODES_ROOTS[1], strlen(NODES_ROOTS) - 1, NODE_DIR);

	if (!node || node->tree_root)
		return;
	node->fixed = true;
	node->absent = false;
	node->mode = 0700; /* whose is in there is told by who binds it */
	nodes->roots = node->id;
}

int nodes_open(struct nodes *nodes, struct vault_header *vault, const struct plugins *plugins,
	       struct model *model)
{
	int r;

	*nodes = (struct nodes){ .vault = vault, .generation = atomic_load(&vault->writer) };
	pthread_mutex_init(&nodes->lock, NULL);
	nodes->registry = vault_part(vault, VAULT_NODES, NODES_VERSION, sizeof(struct vault_nodes));
	if (!nodes->registry) {
		/* Made by another release: ids of files are given in the same order, those
		 * in trees by who comes first. */
		nodes->registry = calloc(1, sizeof(struct vault_nodes));
		nodes->registry_is_ours = true;
	}
	nodes->list = calloc(NODES_MAX + PASSING_MAX, sizeof(*nodes->list));
	nodes->buckets = calloc(BUCKETS, sizeof(*nodes->buckets));
	if (!nodes->registry || !nodes->list || !nodes->buckets)
		return -ENOMEM;
	r = load(nodes);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plugins->count; i++)
		attach_all(nodes, &plugins->list[i], model);
	settle(nodes);
	hide_directories(nodes);
	find_roots(nodes);
	return passing_open(nodes);
}

int nodes_open_roots(struct nodes *nodes)
{
	const struct node *found;
	int r = nodes_directory(nodes, NODES_ROOTS, &found);

	if (r < 0)
		return r;
	find_roots(nodes);
	if (!found->listed)
		list_node(nodes, &nodes->list[nodes->roots - 1]);
	return 0;
}

void nodes_done(struct nodes *nodes)
{
	free(nodes->list);
	free(nodes->buckets);
	passing_done(nodes);
	if (nodes->registry_is_ours)
		free(nodes->registry);
	*nodes = (struct nodes){ .registry_is_ours = false };
}
