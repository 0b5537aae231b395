/* SPDX-License-Identifier: MIT */
/* text.h - reading text that somebody else wrote: exact keys, digits demanded,
 * overflow reported, nothing behind the end. */
#ifndef LXCFSD_TEXT_H
#define LXCFSD_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lxcfsd/plugin.h>

/* A NUL-terminated string as text. */
struct lxcfsd_text text_of(const char *string);

/* Takes the next line (without its newline) off `rest`; false at the end. */
bool text_line(struct lxcfsd_text *rest, struct lxcfsd_text *ret_line);

/* Takes the next word (separated by blanks and tabs) off `rest`; false when
 * there is none. */
bool text_word(struct lxcfsd_text *rest, struct lxcfsd_text *ret_word);

/* Takes what stands before the next `separator` off `rest` (all when there is
 * none); false when `rest` is empty. */
bool text_until(struct lxcfsd_text *rest, char separator, struct lxcfsd_text *ret_part);

bool text_is(struct lxcfsd_text text, const char *string);

/* The whole of `text`, blanks and newlines around it aside, as a decimal
 * number.  -EINVAL without digits or with anything else, -ERANGE beyond 64 bits. */
int parse_u64(struct lxcfsd_text text, uint64_t *ret);

/* "0-3,8\n" as ascending numbers; at most `max` of them, none above `highest`.
 * An empty list gives 0.  -EINVAL, -ERANGE, -E2BIG. */
int parse_cpu_list(struct lxcfsd_text text, uint32_t highest, uint32_t *ids, size_t max,
		   size_t *ret_count);

/* a - b, at least 0. */
static inline uint64_t sub0(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

#endif
