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
 */
#include <errno.h>
#include <string.h>

#include "draw.h"
#include "journal.h"
#include "serve.h"

static int ask_plugin(struct server *s, const struct node *root, const char *path,
		      struct subject *subject, pid_t reader, struct lxcfsd_entry *ret)
{
	struct lxcfsd_request req;
	int r;

	request_begin(&req, s->model, subject, reader);
	journal_runs(serve_number(s, root));
	r = draw_lookup(root->plugin, root->tree, path, &req, ret);
	journal_runs(0);
	request_end(&req);
	return r;
}

static int find_entry(struct server *s, const struct node *root, const char *path,
		      struct subject *subject, int subject_error, const struct serve_read *who,
		      struct lxcfsd_entry *ret)
{
	int r = serve_by_plugin(s, root, subject_error, who->suspect);

	if (r == 0)
		r = ask_plugin(s, root, path, subject, who->reader, ret);
	if (r == 0 || r == -ENOENT)
		return r;
	if (r < 0) {
		bool host = draw_view(root->plugin, subject)->on_error == ON_ERROR_HOST;

		log_limited(&s->counts[root->id - 1].failing, 4, "'%s' for '%s': %s, %s", path,
			    subject ? subject_name(subject) : "unknown reader", strerror(-r),
			    host ? "showing what the host has" : "the reader gets an error");
		if (!host)
			return -EIO;
	}
	return model_host_entry(s->model, path, ret);
}

int serve_is_there(struct server *s, const struct node *node, struct subject *subject,
		   int subject_error, const struct serve_read *who)
{
	struct lxcfsd_entry entry;
	struct node_path path;
	int r;

	if (!serve_depends(node))
		return 0;
	r = find_entry(s, &s->nodes.list[node->tree_root - 1], nodes_path(&s->nodes, node, &path),
		       subject, subject_error, who, &entry);
	return r < 0 ? r : entry.type == serve_type(node) ? 0 : -ENOENT;
}

int serve_entry(struct server *s, const struct serve_read *who, struct lxcfsd_entry *ret)
{
	const struct node *node = who->node;
	struct subject *subject;
	struct node_path path;
	int r;

	r = serve_subject(s, who->reader, &subject);
	r = find_entry(s, &s->nodes.list[node->tree_root - 1], nodes_path(&s->nodes, node, &path),
		       subject, r, who, ret);
	subject_unref(subject);
	serve_wake(s);
	return r == 0 && ret->type != serve_type(node) ? -ENOENT : r;
}

/* This reader has no such thing, or it failed: see the head. */
static int known_to_others(struct server *s, const struct node *dir, const char *name, int error,
			   const struct node **ret_node, struct lxcfsd_entry *ret)
{
	const struct node *node = nodes_lookup(&s->nodes, dir, name);

	if (!node)
		return error;
	*ret_node = node;
	/* the kernel has one inode for all: whom it concerns may just be at it */
	*ret = (struct lxcfsd_entry){ serve_type(node),
				      atomic_load_explicit(&s->counts[node->id - 1].shown_mode,
							   memory_order_relaxed) };
	return 0;
}

int serve_lookup(struct server *s, const struct serve_read *who, const char *name,
		 const struct node **ret_node, struct lxcfsd_entry *ret)
{
	static const uint32_t types[] = {
		[LXCFSD_DIR] = NODE_DIR, [LXCFSD_REG] = NODE_FILE, [LXCFSD_LINK] = NODE_LINK
	};
	const struct node *dir = who->node;
	struct subject *subject;
	struct node_path path;
	int r;

	r = nodes_path_below(&s->nodes, dir, name, &path);
	if (r < 0)
		return r;
	r = serve_subject(s, who->reader, &subject);
	r = find_entry(s, &s->nodes.list[dir->tree_root - 1], path.text, subject, r, who, ret);
	subject_unref(subject);
	serve_wake(s);
	if (r < 0)
		return known_to_others(s, dir, name, r, ret_node, ret);
	r = nodes_add(&s->nodes, dir, name, types[ret->type], ret_node);
	if (r == 0)
		atomic_store_explicit(&s->counts[(*ret_node)->id - 1].shown_mode, ret->mode,
				      memory_order_relaxed);
	return r;
}
