/* SPDX-License-Identifier: MIT */
/* draw.c - see draw.h. */
#include <errno.h>
#include <stdlib.h>

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

static int draw_once(const struct plugin *plugin, const struct lxcfsd_file *file,
		     struct lxcfsd_request *req, const struct draw_buf *buf, size_t *ret_len)
{
	struct lxcfsd_out out = { .buf = buf->data, .cap = buf->cap };
	int r;

	r = file->render(plugin->state, plugin->values, req, &out);
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

int draw(const struct plugin *plugin, const struct lxcfsd_file *file, struct lxcfsd_request *req,
	 struct draw_buf *buf, size_t *ret_len)
{
	bool has_view = req->subject && !subject_is_root(req->subject, file->controllers);
	int r = 0;

	/* the host's content of a file that is not for everybody is for nobody */
	if (!has_view && file->mode & 0004)
		return LXCFSD_NO_VIEW;
	if (buf->cap < FIRST_SIZE)
		r = grow(buf, FIRST_SIZE);
	while (r == 0) {
		r = draw_once(plugin, file, req, buf, ret_len);
		if (r != -ENOSPC)
			return r;
		if (buf->cap >= MAX_SIZE)
			return -EFBIG;
		request_end(req);
		r = grow(buf, buf->cap * 4);
	}
	return r;
}
