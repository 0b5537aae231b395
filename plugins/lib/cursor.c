/* SPDX-License-Identifier: MIT */
/* cursor.c - see cursor.h. */
#include "cursor.h"

static struct lxcfsd_text skip(struct lxcfsd_text text, size_t n)
{
	return (struct lxcfsd_text){ text.data + n, text.len - n };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool cursor_line(struct lxcfsd_text *rest, struct lxcfsd_text *ret_line)
{
	const char *end;
	size_t len;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, '\n', rest->len);
	len = end ? (size_t)(end - rest->data) : rest->len;
	*ret_line = (struct lxcfsd_text){ rest->data, len };
	*rest = skip(*rest, end ? len + 1 : len);
	return true;
}

void cursor_blanks(struct lxcfsd_text *rest)
{
	while (rest->len > 0 && is_blank(rest->data[0]))
		*rest = skip(*rest, 1);
}

bool cursor_u64(struct lxcfsd_text *rest, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < rest->len && rest->data[n] >= '0' && rest->data[n] <= '9') {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(rest->data[n] - '0'), &value))
			return false;
		n++;
	}
	if (n == 0)
		return false;
	*rest = skip(*rest, n);
	*ret = value;
	return true;
}

bool cursor_field(struct lxcfsd_text line, struct lxcfsd_text *ret_key,
		  struct lxcfsd_text *ret_value)
{
	const char *colon = line.len ? memchr(line.data, ':', line.len) : NULL;
	struct lxcfsd_text key, value;

	if (!colon)
		return false;
	key = (struct lxcfsd_text){ line.data, (size_t)(colon - line.data) };
	value = skip(line, key.len + 1);
	while (key.len > 0 && is_blank(key.data[key.len - 1]))
		key.len--;
	cursor_blanks(&value);
	*ret_key = key;
	*ret_value = value;
	return true;
}
