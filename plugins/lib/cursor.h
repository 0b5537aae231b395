/* SPDX-License-Identifier: MIT */
/*
 * cursor.h - walking over the text of a file in /proc.
 *
 * A cursor is a struct lxcfsd_text that shrinks from the front.  Nothing is
 * copied, nothing is read behind the end, keys are compared whole.
 */
#ifndef LXCFSD_PLUGINS_CURSOR_H
#define LXCFSD_PLUGINS_CURSOR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <lxcfsd/plugin.h>

/* Takes the next line off `rest`, without its newline; false at the end. */
bool cursor_line(struct lxcfsd_text *rest, struct lxcfsd_text *ret_line);

/* Takes the blanks and tabs at the front off `rest`. */
void cursor_blanks(struct lxcfsd_text *rest);

/* Takes the decimal number at the front off `rest`; false, and nothing taken,
 * without a digit or beyond 64 bits. */
bool cursor_u64(struct lxcfsd_text *rest, uint64_t *ret);

/* "key  :  value": the key without the blanks behind it, the value without
 * those in front of it.  False without a colon. */
bool cursor_field(struct lxcfsd_text line, struct lxcfsd_text *ret_key,
		  struct lxcfsd_text *ret_value);

/* Exactly these bytes. */
static inline bool cursor_is(struct lxcfsd_text text, const char *bytes, size_t len)
{
	return text.len == len && memcmp(text.data, bytes, len) == 0;
}

/* The same for a string literal. */
#define CURSOR_IS(text, literal) cursor_is((text), "" literal, sizeof(literal) - 1)

#endif
