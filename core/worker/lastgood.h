/* SPDX-License-Identifier: MIT */
/* lastgood.h - the last text that a container got of a file, for when rendering
 * fails.  Bounded; what is old or crowded out is forgotten. */
#ifndef LXCFSD_LASTGOOD_H
#define LXCFSD_LASTGOOD_H

#include <stddef.h>
#include <stdint.h>

#include "draw.h"
#include "model.h"

struct lastgood;

int lastgood_new(struct lastgood **ret);
/* One whose rendering began at `began_ns`, before its reader gets it.  Each one: counters
 * may not go back, so what is kept is the newest that anybody has seen. */
void lastgood_put(struct lastgood *lg, struct subject *subject, uint32_t node, uint64_t began_ns,
		  const char *text, size_t len);
/* At most 60 s old, into `buf`.  -ENOENT. */
int lastgood_get(struct lastgood *lg, struct subject *subject, uint32_t node, struct draw_buf *buf,
		 size_t *ret_len);

/* Once a second or so: forgets what is too old. */
void lastgood_tidy(struct lastgood *lg);

#endif
