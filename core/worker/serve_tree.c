/* SPDX-License-Identifier: MIT */
/*
 * serve_tree.c - which names a reader finds in a tree.
 *
 * The kernel keeps no name and no attribute of these (their timeouts are 0), because
 * all containers share its cache: each walk asks for whoever walks.  The plugin says
 * what there is; where it is not to be asked, or fails and the administrator allows
 * that, what the host has counts, never outside of the tree.
 *
 * A name that the kernel knows already is found by everybody, and it is GETATTR,
 * OPEN and READLINK that say ENOENT to whom it does not concern: the kernel asks
 * before it lets anybody do anything with it.  An ENOENT to the LOOKUP would make it
 * drop the name for all, and with it what another container has mounted there.
 *
 * That is not so where names come and go (passing.h): of these a container may not learn
 * that another one has them, and each has nodes of its own; nor in a container's root, where
 * there are no others.
 */
#include <errno.h>
#include <string.h>

#include "draw.h"
#include "journal.h"
#include "passing.h"
#include "serve.h"

static int ask_plugin(struct server *s, const struct node *root, const struct node *dir,
		      const char *path, struct subject *subject, pid_t reader,
		      struct lxcfsd_found *ret)
{
	struct lxcfsd_request req;
	int r;

	request_begin(&req, s->model, subject, reader);
	req.above = dir && dir->serial ? dir->object : 0;
	journal_runs(serve_number(s, root));
	r = draw_lookup(root->plugin, root->tree, path, &req, ret);
	journal_runs(0);
	request_end(&req);
	return r;
}

/* `dir`: in which it is looked up; NULL: it is known already. */
static int find_entry(struct server *s, const struct node *root, const struct node *dir,
		      const char *path, struct subject *subject, int subject_error,
		      const struct serve_read *who, struct lxcfsd_found *ret)
{
	int r = serve_by_plugin(s, root, subject_error, who->suspect);

	if (r == 0)
		r = ask_plugin(s, root, dir, path, subject, who->reader, ret);
	if (r == 0 || r == -ENOENT)
		return r;
	if (serve_is_passing(s, root)) /* the kernel's error is the reader's */
		return r == LXCFSD_NO_VIEW ? -ENOENT : r;
	if (r < 0) {
		bool host = draw_view(root->plugin, subject)->on_error == ON_ERROR_HOST;

		log_limited(&s->counts[root->id - 1].failing, 4, "'%s' for '%s': %s, %s", path,
			    subject ? subject_name(subject) : "unknown reader", strerror(-r),
			    host ? "showing what the host has" : "the reader gets an error");
		if (!host)
			return -EIO;
	}
	*ret = (struct lxcfsd_found){ .object = 0 };
	return model_host_entry(s->model, path, &ret->entry);
}

/* The very thing that the node stands for? */
static int check(const struct node *node, const struct lxcfsd_found *found)
{
	return found->entry.type == serve_type(node) &&
			       (!node->serial || found->object == node->object)
		       ? 0
		       : -ENOENT;
}

int serve_is_there(struct server *s, const struct node *node, struct subject *subject,
		   int subject_error, const struct serve_read *who)
{
	struct lxcfsd_found found;
	struct node_path path;
	int r;

	if (!serve_depends(node))
		return 0;
	r = find_entry(s, &s->nodes.list[node->tree_root - 1], NULL,
		       nodes_path(&s->nodes, node, &path), subject, subject_error, who, &found);
	return r < 0 ? r : check(node, &found);
}

int serve_entry(struct server *s, const struct serve_read *who, struct lxcfsd_found *ret)
{
	const struct node *node = who->node;
	struct subject *subject;
	struct node_path path;
	int r;

	r = serve_subject(s, node, who->reader, &subject);
	r = find_entry(s, &s->nodes.list[node->tree_root - 1], NULL,
		       nodes_path(&s->nodes, node, &path), subject, r, who, ret);
	subject_unref(subject);
	serve_wake(s);
	return r == 0 ? check(node, ret) : r;
}

/* This reader has no such thing, or it failed: see the head. */
static int known_to_others(struct server *s, const struct node *dir, const char *name, int error,
			   const struct node **ret_node, struct lxcfsd_found *ret)
{
	const struct node *node = nodes_lookup(&s->nodes, dir, name);

	if (!node)
		return error;
	*ret_node = node;
	/* the kernel has one inode for all: whom it concerns may just be at it */
	*ret = (struct lxcfsd_found){ .entry = { serve_type(node),
						 atomic_load_explicit(
							 &s->counts[node->id - 1].shown_mode,
							 memory_order_relaxed) } };
	return 0;
}

static const uint32_t types[] = {
	[LXCFSD_DIR] = NODE_DIR, [LXCFSD_REG] = NODE_FILE, [LXCFSD_LINK] = NODE_LINK
};

/* Of a tree whose names come and go; `owner` as of subject_id(). */
static int add_passing(struct server *s, const struct serve_read *who, const char *name,
		       uint64_t owner, const struct node **ret_node,
		       const struct lxcfsd_found *found)
{
	const struct passing_find find = { .parent = who->node,
					   .name = name,
					   .type = types[found->entry.type],
					   .object = found->object,
					   .owner = owner,
					   .unique = who->unique,
					   .replay = who->replay };

	return passing_add(&s->nodes, &find, ret_node);
}

void serve_forget(struct server *s, uint64_t number, uint64_t count)
{
	passing_forget(&s->nodes, number, count);
}

/* Of /containers itself: the number of a cgroup that there is. */
static int find_container(struct server *s, const char *name, struct lxcfsd_found *ret)
{
	struct subject *subject = NULL;
	uint64_t number = 0;
	int r = passing_is_number(name, &number) ? 0 : -ENOENT;

	if (r == 0)
		r = model_subject_by_number(s->model, number, &subject);
	subject_unref(subject);
	*ret = (struct lxcfsd_found){ .entry = { LXCFSD_DIR, 0555 }, .object = number };
	return r < 0 ? -ENOENT : 0;
}

/* In a container's root, where that is no tree: as it is for all.  What the root of a
 * find()ing tree is like is for the plugin to say. */
static int find_like(struct server *s, const struct serve_read *who, const char *name,
		     struct lxcfsd_found *ret)
{
	const struct node *like = nodes_lookup(&s->nodes, who->node->like, name);
	struct subject *subject = NULL;
	struct node_path path;
	int r;

	if (!like || like->id == s->nodes.roots)
		return -ENOENT;
	r = serve_subject(s, who->node, who->reader, &subject);
	if (r == 0 && serve_is_passing(s, like))
		r = find_entry(s, like, NULL, nodes_path(&s->nodes, like, &path), subject, 0, who,
			       ret);
	else if (r == 0)
		*ret = (struct lxcfsd_found){ .entry = { serve_type(like), serve_mode(s, like) } };
	subject_unref(subject);
	return r < 0 ? -ENOENT : 0;
}

static int lookup_own(struct server *s, const struct serve_read *who, const char *name,
		      const struct node **ret_node, struct lxcfsd_found *ret)
{
	const struct node *dir = who->node;
	int r = dir->container ? find_like(s, who, name, ret) : find_container(s, name, ret);

	if (r < 0)
		return r;
	return add_passing(s, who, name, dir->container ? dir->container : ret->object, ret_node,
			   ret);
}

int serve_lookup(struct server *s, const struct serve_read *who, const char *name,
		 const struct node **ret_node, struct lxcfsd_found *ret)
{
	const struct node *dir = who->node;
	uint64_t owner;
	struct subject *subject;
	struct node_path path;
	int r;

	if (node_has_own(&s->nodes, dir) && !dir->tree_root)
		return lookup_own(s, who, name, ret_node, ret);
	r = nodes_path_below(&s->nodes, dir, name, &path);
	if (r < 0)
		return r;
	r = serve_subject(s, dir, who->reader, &subject);
	r = find_entry(s, &s->nodes.list[dir->tree_root - 1], dir, path.text, subject, r, who, ret);
	owner = dir->container ? dir->container : subject ? subject_id(subject) : 0;
	subject_unref(subject);
	serve_wake(s);
	if (dir->container || serve_is_passing(s, dir))
		return r < 0 ? r : add_passing(s, who, name, owner, ret_node, ret);
	if (r < 0)
		return known_to_others(s, dir, name, r, ret_node, ret);
	r = nodes_add(&s->nodes, dir, name, types[ret->entry.type], ret_node);
	if (r == 0)
		atomic_store_explicit(&s->counts[(*ret_node)->id - 1].shown_mode, ret->entry.mode,
				      memory_order_relaxed);
	return r;
}
