/* SPDX-License-Identifier: MIT */
/* nodes.c - see nodes.h. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "nodes.h"

const struct node *nodes_get(const struct nodes *nodes, uint64_t id)
{
	return id >= 1 && id <= nodes->count && nodes->list[id - 1].id ? &nodes->list[id - 1]
								       : NULL;
}

static struct node *find_child(const struct nodes *nodes, const struct node *parent,
			       const char *name, size_t len)
{
	for (uint32_t id = parent->first_child; id; id = nodes->list[id - 1].next) {
		struct node *child = &nodes->list[id - 1];

		if (strlen(child->name) == len && memcmp(child->name, name, len) == 0)
			return child;
	}
	return NULL;
}

const struct node *nodes_lookup(const struct nodes *nodes, const struct node *parent,
				const char *name)
{
	const struct node *child = NULL;

	if (parent->type == NODE_DIR)
		child = find_child(nodes, parent, name, strlen(name));
	return child && !child->absent ? child : NULL;
}

/* The entry may come out of a crash: is it one that we could have written? */
static bool is_sound(const struct nodes *nodes, const struct vault_node *entry, uint32_t id)
{
	const char *end = memchr(entry->name, '\0', sizeof(entry->name));
	const struct node *parent;

	if (!end || (entry->type != NODE_DIR && entry->type != NODE_FILE))
		return false;
	if (id == NODE_ROOT)
		return entry->parent == NODE_ROOT && entry->type == NODE_DIR && !entry->name[0];
	if (!entry->name[0] || memchr(entry->name, '/', (size_t)(end - entry->name)) ||
	    !strcmp(entry->name, ".") || !strcmp(entry->name, ".."))
		return false;
	parent = entry->parent < id ? nodes_get(nodes, entry->parent) : NULL;
	return parent && parent->type == NODE_DIR;
}

static char *join(const char *dir, const char *name)
{
	size_t a = strlen(dir), b = strlen(name);
	char *path = malloc(a + b + 2);

	if (!path)
		return NULL;
	memcpy(path, dir, a);
	path[a] = '/';
	memcpy(path + a + 1, name, b + 1);
	return path;
}

/* Makes the node of a registry entry known. */
static int take_entry(struct nodes *nodes, uint32_t id)
{
	const struct vault_node *entry = &nodes->registry->nodes[id - 1];
	struct node *node = &nodes->list[id - 1];
	uint32_t *last;

	node->parent = entry->parent;
	node->type = entry->type;
	node->name = strdup(entry->name);
	node->mode = entry->type == NODE_DIR ? 0555 : 0444;
	if (id == NODE_ROOT)
		node->path = strdup("");
	else
		node->path = join(nodes->list[entry->parent - 1].path, entry->name);
	if (!node->name || !node->path)
		return -ENOMEM;
	node->id = id;
	nodes->count = id;
	if (id == NODE_ROOT)
		return 0;
	last = &nodes->list[entry->parent - 1].first_child;
	while (*last)
		last = &nodes->list[*last - 1].next;
	*last = id;
	return 0;
}

static int add_entry(struct nodes *nodes, uint32_t parent, uint32_t type, const char *name,
		     size_t len, struct node **ret)
{
	struct vault_node *entry;
	uint32_t id = nodes->count + 1;
	int r;

	if (nodes->count == NODES_MAX)
		return -ENOSPC;
	if (len >= sizeof(entry->name))
		return -ENAMETOOLONG;
	entry = &nodes->registry->nodes[id - 1];
	memset(entry, 0, sizeof(*entry));
	entry->parent = parent;
	entry->type = type;
	memcpy(entry->name, name, len);
	r = take_entry(nodes, id);
	if (r < 0)
		return r;
	/* the commit: until now the entry did not exist */
	atomic_store_explicit(&nodes->registry->count, id, memory_order_release);
	*ret = &nodes->list[id - 1];
	return 0;
}

static int add_path(struct nodes *nodes, const char *path, struct node **ret)
{
	struct node *at = &nodes->list[NODE_ROOT - 1];
	int r;

	while (*path) {
		const char *name = path + 1;
		size_t len = strcspn(name, "/");
		uint32_t type = name[len] ? NODE_DIR : NODE_FILE;
		struct node *child = find_child(nodes, at, name, len);

		if (!child) {
			r = add_entry(nodes, at->id, type, name, len, &child);
			if (r < 0)
				return r;
		}
		if (child->type != type)
			return -EEXIST;
		at = child;
		path = name + len;
	}
	*ret = at;
	return 0;
}

/* How many there must have been, when the count itself is damaged. */
static uint32_t leading_sound(struct nodes *nodes)
{
	uint32_t id = 1;

	while (id <= NODES_MAX && nodes->registry->nodes[id - 1].parent <= id &&
	       memchr(nodes->registry->nodes[id - 1].name, '\0',
		      sizeof(nodes->registry->nodes[0].name)))
		id++;
	while (id > 1 && !nodes->registry->nodes[id - 2].type)
		id--; /* never used */
	return id - 1;
}

static int load(struct nodes *nodes)
{
	uint32_t count = atomic_load_explicit(&nodes->registry->count, memory_order_acquire);
	uint32_t damaged = 0;
	struct node *root;

	if (count > NODES_MAX)
		count = leading_sound(nodes);
	if (count && !is_sound(nodes, &nodes->registry->nodes[0], NODE_ROOT)) {
		damaged++;
		nodes->registry->nodes[0] = (struct vault_node){ NODE_ROOT, NODE_DIR, "" };
	}
	for (uint32_t id = 1; id <= count; id++) {
		int r = 0;

		if (is_sound(nodes, &nodes->registry->nodes[id - 1], id))
			r = take_entry(nodes, id);
		else
			damaged++; /* a hole: the kernel may know the id, it is not given again */
		if (r < 0)
			return r;
	}
	if (damaged)
		log_err("%u of %u node ids are damaged: mounts that containers hold of them give "
			"an error, new mounts work",
			damaged, count);
	nodes->count = count;
	return count ? 0 : add_entry(nodes, NODE_ROOT, NODE_DIR, "", 0, &root);
}

static void attach(struct nodes *nodes, const struct plugin *plugin, const struct lxcfsd_file *file,
		   struct model *model)
{
	struct node *node;
	int r = add_path(nodes, file->path, &node);

	if (r < 0) {
		log_err("plugin '%s': cannot serve '%s': %s", plugin->section->name, file->path,
			r == -EEXIST
				? "the path was a file before and is a directory now, or the other "
				  "way round; it takes a new mount"
				: strerror(-r));
		return;
	}
	node->plugin = plugin;
	node->file = file;
	node->mode = file->mode;
	node->served = plugin->section->enabled;
	node->absent = !model_has_file(model, file);
	if (!node->served || node->absent)
		return;
	for (uint32_t id = node->id; !nodes->list[id - 1].listed; id = nodes->list[id - 1].parent)
		nodes->list[id - 1].listed = true;
}

/* A directory is absent when all that is in it is. */
static void hide_directories(struct nodes *nodes)
{
	for (uint32_t i = nodes->count; i > 1; i--) { /* children have the higher ids */
		struct node *dir = &nodes->list[i - 1];

		dir->absent = dir->absent || dir->first_child;
		for (uint32_t id = dir->first_child; id; id = nodes->list[id - 1].next)
			dir->absent = dir->absent && nodes->list[id - 1].absent;
	}
}

int nodes_open(struct nodes *nodes, struct vault_header *vault, const struct plugins *plugins,
	       struct model *model)
{
	int r;

	*nodes = (struct nodes){ .registry_is_ours = false };
	nodes->registry = vault_part(vault, VAULT_NODES, NODES_VERSION, sizeof(struct vault_nodes));
	if (!nodes->registry) { /* made by another release: ids are given in the same order */
		nodes->registry = calloc(1, sizeof(struct vault_nodes));
		nodes->registry_is_ours = true;
	}
	nodes->list = calloc(NODES_MAX, sizeof(*nodes->list));
	if (!nodes->registry || !nodes->list)
		return -ENOMEM;
	r = load(nodes);
	if (r < 0)
		return r;
	for (size_t i = 0; i < plugins->count; i++) {
		const struct plugin *plugin = &plugins->list[i];

		for (uint32_t f = 0; plugin->files && f < plugin->meta.file_count; f++)
			attach(nodes, plugin, &plugin->files[f], model);
	}
	hide_directories(nodes);
	return 0;
}

void nodes_done(struct nodes *nodes)
{
	for (uint32_t i = 0; nodes->list && i < NODES_MAX; i++) {
		free((char *)nodes->list[i].name);
		free(nodes->list[i].path);
	}
	free(nodes->list);
	if (nodes->registry_is_ours)
		free(nodes->registry);
	*nodes = (struct nodes){ .registry_is_ours = false };
}
