/* SPDX-License-Identifier: MIT */
/* output.h - numbers and columns for lxcfsd_out, without printf: these files
 * are read thousands of times a second. */
#ifndef LXCFSD_PLUGINS_OUTPUT_H
#define LXCFSD_PLUGINS_OUTPUT_H

#include <lxcfsd/plugin.h>

/* `count` times `c`. */
void out_fill(struct lxcfsd_out *out, char c, size_t count);

/* Right-aligned in `width` columns; a longer number takes what it needs. */
void out_u64(struct lxcfsd_out *out, uint64_t value, size_t width);

/* The same with zeros in front. */
void out_u64_zeros(struct lxcfsd_out *out, uint64_t value, size_t width);

static inline void out_text(struct lxcfsd_out *out, struct lxcfsd_text text)
{
	lxcfsd_put(out, text.data, text.len);
}

#endif
