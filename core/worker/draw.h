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

/*
 * Renders into `buf`.  0 with *ret_len; LXCFSD_NO_VIEW when this reader is to
 * see the host's file (never that of a file without 0004); -EFBIG past 4 MiB; other -errno.  What
 * the request was lent stays until request_end().
 */
int draw(const struct plugin *plugin, const struct lxcfsd_file *file, struct lxcfsd_request *req,
	 struct draw_buf *buf, size_t *ret_len);

#endif
