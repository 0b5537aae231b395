/* SPDX-License-Identifier: MIT */
/* draw.c - see draw.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"

#define FIRST_SIZE (64u << 10)
#define MAX_SIZE   (4u << 20)

void draw_buf_done(struct draw_buf *buf)
{
	free(buf->data);
	*buf = (struct draw_buf){ NULL, 0 };
}

/* To `cap` bytes; what was in it is of no use any more. */
static int grow(struct draw_buf *buf, size_t cap)
{
	char *data = malloc(cap);

	if (!data)
		return -ENOMEM;
	free(buf->data);
	*buf = (struct draw_buf){ data, cap };
	return 0;
}

const struct plugin_view *draw_view(const struct plugin *plugin, const struct subject *subject)
{
	return &plugin->views[subject ? subject_match(subject) : 0];
}

/* What is drawn: a file, something in a tree (`below` is set), or the host's. */
struct drawing {
	const struct plugin *plugin;
	const struct plugin_view *view;
	const struct lxcfsd_file *file;
	draw_fn write;
	const char *below;
	const char *host_path;
	uint32_t host_type;
};

static int draw_once(const struct drawing *d, struct lxcfsd_request *req,
		     const struct draw_buf *buf, size_t *ret_len)
{
	struct lxcfsd_out out = { .buf = buf->data, .cap = buf->cap };
	int r;

	if (d->host_path)
		r = model_host_content(req->model, d->host_path, d->host_type, &out);
	else if (d->below)
		r = d->write(d->plugin->state, d->view->values, req, d->below, &out);
	else
		r = d->file->render(d->plugin->state, d->view->values, req, &out);
	if (r == LXCFSD_NO_VIEW)
		return r;
	if (r > 0 || out.len > buf->cap || out.err > 0)
		return -EIO; /* a plugin that does not keep its word */
	/* that nothing more fitted may be what the plugin stumbled over */
	if (out.err == -ENOSPC || r == 0)
		r = out.err;
	if (r == 0)
		*ret_len = out.len;
	return r;
}

static int draw_whole(const struct drawing *d, struct lxcfsd_request *req, struct draw_buf *buf,
		      size_t *ret_len)
{
	int r = 0;

	if (buf->cap < FIRST_SIZE)
		r = grow(buf, FIRST_SIZE);
	while (r == 0) {
		r = draw_once(d, req, buf, ret_len);
		if (r != -ENOSPC)
			return r;
		if (buf->cap >= MAX_SIZE)
			return -EFBIG;
		request_end(req);
		r = grow(buf, buf->cap * 4);
	}
	return r;
}

/* Is there anything for this reader but the host's? */
static bool has_view(const struct plugin_view *view, const struct lxcfsd_request *req,
		     uint32_t controllers)
{
	return req->subject && !subject_is_root(req->subject, controllers) && view->enabled;
}

/* Behind a tree whose names come and go there is nothing of the host's. */
static bool has_tree(const struct plugin_view *view, const struct lxcfsd_request *req,
		     const struct lxcfsd_tree *tree)
{
	return tree->find ? view->enabled : has_view(view, req, tree->controllers);
}

int draw(const struct plugin *plugin, const struct lxcfsd_file *file, struct lxcfsd_request *req,
	 struct draw_buf *buf, size_t *ret_len)
{
	const struct drawing d = { .plugin = plugin,
				   .view = draw_view(plugin, req->subject),
				   .file = file };

	/* the host's content of a file that is not for everybody is for nobody */
	if (!has_view(d.view, req, file->controllers) && (file->mode & 0004 || !d.view->enabled))
		return LXCFSD_NO_VIEW;
	return draw_whole(&d, req, buf, ret_len);
}

int draw_trigger(const struct plugin *plugin, const struct lxcfsd_file *file,
		 struct lxcfsd_request *req)
{
	const struct plugin_view *view = draw_view(plugin, req->subject);
	int r;

	if (!view->enabled)
		return -EPERM;
	if (!has_view(view, req, file->controllers))
		return -EOPNOTSUPP;
	r = file->trigger(plugin->state, view->values, req);
	return r == 0 ? -EPERM : r;
}

int draw_change(const struct plugin *plugin, const struct lxcfsd_tree *tree, const char *path,
		struct lxcfsd_request *req, const struct lxcfsd_change *change)
{
	const struct plugin_view *view = draw_view(plugin, req->subject);
	int r = -EROFS;

	if (view->enabled && tree->change)
		r = tree->change(plugin->state, view->values, req, tree_below(tree, path), change);
	return r > 0 ? -EIO : r;
}

const char *tree_below(const struct lxcfsd_tree *tree, const char *path)
{
	path += strlen(tree->path);
	return *path == '/' ? path + 1 : path;
}

int draw_tree(const struct plugin *plugin, const struct lxcfsd_tree *tree, draw_fn write,
	      const char *path, struct lxcfsd_request *req, struct draw_buf *buf, size_t *ret_len)
{
	const struct drawing d = { .plugin = plugin,
				   .view = draw_view(plugin, req->subject),
				   .write = write,
				   .below = tree_below(tree, path) };

	if (!has_tree(d.view, req, tree))
		return LXCFSD_NO_VIEW;
	return write ? draw_whole(&d, req, buf, ret_len) : -ENOENT;
}

int draw_lookup(const struct plugin *plugin, const struct lxcfsd_tree *tree, const char *path,
		struct lxcfsd_request *req, struct lxcfsd_found *ret)
{
	const struct plugin_view *view = draw_view(plugin, req->subject);
	struct lxcfsd_found found = { .object = 0 };
	uint32_t type, modes = tree->find ? 0777 : 0444;
	int r;

	if (!has_tree(view, req, tree))
		return LXCFSD_NO_VIEW;
	if (tree->find)
		r = tree->find(plugin->state, view->values, req, tree_below(tree, path), &found);
	else
		r = tree->lookup(plugin->state, view->values, req, tree_below(tree, path),
				 &found.entry);
	type = found.entry.type;
	if (r > LXCFSD_NO_VIEW || (r == 0 && (type < LXCFSD_DIR || type > LXCFSD_LINK)))
		return -EIO; /* a plugin that does not keep its word */
	found.entry.mode &= modes;
	if (r == 0)
		*ret = found;
	return r;
}

int draw_host(struct lxcfsd_request *req, const char *path, uint32_t type, struct draw_buf *buf,
	      size_t *ret_len)
{
	const struct drawing d = { .host_path = path, .host_type = type };

	return draw_whole(&d, req, buf, ret_len);
}
