/* SPDX-License-Identifier: MIT */
/* draw.h - one whole file for one reader. */
#ifndef LXCFSD_DRAW_H
#define LXCFSD_DRAW_H

#include <stddef.h>

#include "model.h"
#include "plugin.h"

/* Grows as needed and is kept for the next one; zero-initialised is empty. */
struct draw_buf {
	char *data;
	size_t cap;
};
void draw_buf_done(struct draw_buf *buf);

/* What the configuration makes of the plugin for this container.  `subject` may be NULL. */
const struct plugin_view *draw_view(const struct plugin *plugin, const struct subject *subject);

/*
 * Renders into `buf`.  0 with *ret_len; LXCFSD_NO_VIEW when this reader is to
 * see the host's file (never that of a file without 0004); -EFBIG past 4 MiB; other -errno.  What
 * the request was lent stays until request_end().
 */
int draw(const struct plugin *plugin, const struct lxcfsd_file *file, struct lxcfsd_request *req,
	 struct draw_buf *buf, size_t *ret_len);

/* Whose triggers this reader may arm: enum lxcfsd_control, or -errno. */
int draw_trigger(const struct plugin *plugin, const struct lxcfsd_file *file,
		 struct lxcfsd_request *req);

/*
 * The same for something in a tree: `write` is tree->render, list or readlink, and
 * `path` that of what is drawn.  -ENOENT: this reader has no such thing.
 */
typedef int (*draw_fn)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		       const char *below, struct lxcfsd_out *out);
int draw_tree(const struct plugin *plugin, const struct lxcfsd_tree *tree, draw_fn write,
	      const char *path, struct lxcfsd_request *req, struct draw_buf *buf, size_t *ret_len);

/* What this reader finds at `path` in a tree. */
int draw_lookup(const struct plugin *plugin, const struct lxcfsd_tree *tree, const char *path,
		struct lxcfsd_request *req, struct lxcfsd_found *ret);

/* Changes what is at `path` in it, which need not be there yet, as req->caller. */
int draw_change(const struct plugin *plugin, const struct lxcfsd_tree *tree, const char *path,
		struct lxcfsd_request *req, const struct lxcfsd_change *change);

/* What follows a tree's own path in one that is in it. */
const char *tree_below(const struct lxcfsd_tree *tree, const char *path);

/* What the host has there, as if it were drawn.  As model_host_content(). */
int draw_host(struct lxcfsd_request *req, const char *path, uint32_t type, struct draw_buf *buf,
	      size_t *ret_len);

#endif
