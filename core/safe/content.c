/* SPDX-License-Identifier: MIT */
/* content.c - what a node shows: the host's, or what was read of it before. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "safe.h"

#define TEXT_START (64u << 10)
#define TEXT_MAX   (8u << 20)
/* As a worker has them, see serve.c there. */
#define TREE_FILE_SIZE 4096
#define FILE_SIZE_MIN  65536u
#define FILE_SIZE_MAX  (8u << 20)

static __thread struct lxcfsd_out text_buf;

/* -------------------------------------------------------------------- text */

static int grow(size_t size)
{
	char *buf;

	if (text_buf.cap >= size)
		return 0;
	buf = realloc(text_buf.buf, size);
	if (!buf)
		return -ENOMEM;
	text_buf.buf = buf;
	text_buf.cap = size;
	return 0;
}

static int copy_host(struct safe *s, const struct node *node, const char *path)
{
	text_buf.len = 0;
	return node->type == NODE_DIR	 ? host_list(&s->host, path, &text_buf)
	       : node->type == NODE_LINK ? host_link(&s->host, path, &text_buf)
					 : host_copy(&s->host, path, &text_buf);
}

/* The host's, into this thread's text. */
static int take_host(struct safe *s, const struct node *node)
{
	struct node_path buf;
	const char *path = nodes_path(&s->nodes, node, &buf);
	int r = grow(TEXT_START);

	if (r == 0 && s->hide_host && node->type == NODE_FILE)
		return -EIO;
	if (r == 0 && node->is_private)
		r = -EACCES;
	else if (r == 0)
		r = copy_host(s, node, path);
	while (r == -ENOSPC && text_buf.cap < TEXT_MAX) {
		r = grow(text_buf.cap * 2);
		if (r == 0)
			r = copy_host(s, node, path);
	}
	if (r == -EACCES) { /* not for everybody: it is there, and empty */
		text_buf.len = 0;
		r = 0;
	}
	return r == -ENOSPC ? -EFBIG : r;
}

/* ------------------------------------------------------------------- names */

static uint32_t type_of(const struct lxcfsd_entry *entry)
{
	return entry->type == LXCFSD_DIR    ? NODE_DIR
	       : entry->type == LXCFSD_LINK ? NODE_LINK
					    : NODE_FILE;
}

/* Directories of ours are there, whatever the host has; of what is in a tree the host
 * decides. */
int content_mode(struct safe *s, const struct node *node, uint32_t *ret)
{
	bool in_tree = node->tree_root && node->tree_root != node->id;
	struct lxcfsd_entry entry;
	struct node_path buf;
	int r;

	*ret = node->type == NODE_LINK ? 0777 : node->mode;
	if (!in_tree && node->type != NODE_FILE)
		return 0;
	r = host_entry(&s->host, nodes_path(&s->nodes, node, &buf), &entry);
	if (r == 0 && type_of(&entry) != node->type)
		r = -ENOENT;
	if (r == 0 && node->type == NODE_FILE)
		*ret &= entry.mode & 0444;
	return in_tree ? r : 0;
}

static uint64_t size_for(uint64_t len)
{
	uint64_t size = FILE_SIZE_MIN;

	while (size < 2 * len && size < FILE_SIZE_MAX)
		size *= 2;
	return size;
}

uint64_t content_size(struct safe *s, const struct node *node)
{
	_Atomic uint64_t *known = &s->sizes[node->id - 1];
	uint64_t size = atomic_load_explicit(known, memory_order_relaxed);

	if (node->tree_root)
		return TREE_FILE_SIZE;
	if (size == 0) {
		size = size_for(take_host(s, node) == 0 ? text_buf.len : 0);
		atomic_store_explicit(known, size, memory_order_relaxed);
	}
	return size;
}

/* In a tree: a name that the host has is made known, so that its id stays.  One that is
 * known and not there is found all the same, or the kernel would drop it for all. */
static int find_in_tree(struct safe *s, const struct node *dir, const char *name,
			const struct node **ret)
{
	struct lxcfsd_entry entry;
	struct node_path path;
	const struct node *known;
	int r;

	r = nodes_path_below(&s->nodes, dir, name, &path);
	if (r < 0)
		return r;
	if (host_entry(&s->host, path.text, &entry) == 0)
		return nodes_add(&s->nodes, dir, name, type_of(&entry), ret);
	known = nodes_lookup(&s->nodes, dir, name);
	if (!known)
		return -ENOENT;
	*ret = known;
	return 0;
}

int content_find(struct safe *s, const struct node *dir, const char *name, const struct node **ret)
{
	const struct node *node;

	if (dir->tree_root)
		return find_in_tree(s, dir, name, ret);
	node = nodes_lookup(&s->nodes, dir, name);
	if (!node)
		return -ENOENT;
	*ret = node;
	return 0;
}

/* -------------------------------------------------------------------- read */

static ssize_t from_snapshot(struct safe *s, const struct content_read *read, uint64_t unique)
{
	ssize_t len = handle_length(&s->handles, read->fh);
	size_t size = read->size;

	if (len < 0)
		return len;
	if (size > (size_t)len)
		size = (size_t)len;
	return grow(size) < 0 ? -ENOMEM
			      : handle_copy(&s->handles, read->fh, read->offset, text_buf.buf, size,
					    unique);
}

ssize_t content_read(struct safe *s, const struct content_read *read, const char **ret)
{
	ssize_t n = -ENODATA;
	size_t left;
	int r;

	if (read->offset > 0)
		n = from_snapshot(s, read, 0);
	else if (read->replay) /* the one who died may have shown a part of it already */
		n = from_snapshot(s, read, read->unique);
	if (n >= 0) {
		*ret = text_buf.buf;
		return n;
	}
	r = take_host(s, read->node);
	if (r < 0)
		return r;
	handle_keep(&s->handles, read->fh, text_buf.buf, text_buf.len, read->unique);
	left = read->offset < text_buf.len ? text_buf.len - read->offset : 0;
	*ret = left ? text_buf.buf + read->offset : "";
	return (ssize_t)(left < read->size ? left : read->size);
}

ssize_t content_list(struct safe *s, const struct content_read *read, const char **ret)
{
	struct content_read whole = *read;
	ssize_t n = -ENODATA;

	whole.offset = 0;
	whole.size = SIZE_MAX;
	if (read->offset > 0) /* the names that the first part was taken from */
		n = from_snapshot(s, &whole, 0);
	if (n < 0)
		return content_read(s, &whole, ret);
	*ret = text_buf.buf;
	return n;
}

/* ------------------------------------------------------------------- start */

static int note_listed(struct safe *s)
{
	uint32_t count = atomic_load(&s->nodes.count), n = 0;

	s->listed = calloc(count ? count : 1, sizeof(*s->listed));
	if (!s->listed)
		return -ENOMEM;
	for (uint32_t id = NODE_ROOT + 1; id <= count; id++) {
		const struct node *node = nodes_get(&s->nodes, id);

		if (node && (!node->tree_root || node->tree_root == id))
			s->listed[n++] = id;
	}
	s->listed_count = n;
	return 0;
}

int content_open(struct safe *s, struct vault_header *vault, uint32_t generation, const char *root)
{
	static const struct settings bounds = { .max_handles = 1024,
						.max_snapshot_kib = 4096,
						.test_snapshots = 1 };
	const struct plugins none = { .count = 0 };
	int r = roots_open(&s->roots, root);

	s->vault = vault;
	s->host = (struct host){ .roots = &s->roots };
	if (r == 0)
		r = nodes_open(&s->nodes, vault, &none, NULL);
	if (r == 0)
		r = handles_open(&s->handles, vault, generation, NULL, &bounds);
	if (r < 0)
		return r;
	s->handles.unresolved = true;
	s->triggers = vault_part(vault, VAULT_TRIGGERS, TRIGGERS_VERSION,
				 sizeof(struct vault_trigger) * TRIGGERS_MAX);
	s->sizes = calloc(NODES_MAX, sizeof(*s->sizes));
	return s->sizes ? note_listed(s) : -ENOMEM;
}
