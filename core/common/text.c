/* SPDX-License-Identifier: MIT */
/* text.c - see text.h. */
#include <errno.h>
#include <string.h>

#include "text.h"

struct lxcfsd_text text_of(const char *string)
{
	return (struct lxcfsd_text){ string, strlen(string) };
}

static struct lxcfsd_text skip(struct lxcfsd_text text, size_t n)
{
	return (struct lxcfsd_text){ text.data + n, text.len - n };
}

bool text_until(struct lxcfsd_text *rest, char separator, struct lxcfsd_text *ret_part)
{
	const char *end;
	size_t len;

	if (rest->len == 0)
		return false;
	end = memchr(rest->data, separator, rest->len);
	len = end ? (size_t)(end - rest->data) : rest->len;
	*ret_part = (struct lxcfsd_text){ rest->data, len };
	*rest = skip(*rest, end ? len + 1 : len);
	return true;
}

bool text_line(struct lxcfsd_text *rest, struct lxcfsd_text *ret_line)
{
	return text_until(rest, '\n', ret_line);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool text_word(struct lxcfsd_text *rest, struct lxcfsd_text *ret_word)
{
	size_t n = 0;

	while (rest->len > 0 && is_blank(rest->data[0]))
		*rest = skip(*rest, 1);
	while (n < rest->len && !is_blank(rest->data[n]))
		n++;
	if (n == 0)
		return false;
	*ret_word = (struct lxcfsd_text){ rest->data, n };
	*rest = skip(*rest, n);
	return true;
}

bool text_is(struct lxcfsd_text text, const char *string)
{
	size_t len = strlen(string);

	return text.len == len && memcmp(text.data, string, len) == 0;
}

/* The digits at the front of `rest`, taken off. */
static int take_u64(struct lxcfsd_text *rest, uint64_t *ret)
{
	uint64_t value = 0;
	size_t n = 0;

	while (n < rest->len && rest->data[n] >= '0' && rest->data[n] <= '9') {
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(rest->data[n] - '0'), &value))
			return -ERANGE;
		n++;
	}
	if (n == 0)
		return -EINVAL;
	*rest = skip(*rest, n);
	*ret = value;
	return 0;
}

int parse_u64(struct lxcfsd_text text, uint64_t *ret)
{
	struct lxcfsd_text word, rest = text, more;
	uint64_t value;
	int r;

	if (!text_word(&rest, &word) || text_word(&rest, &more))
		return -EINVAL;
	r = take_u64(&word, &value);
	if (r < 0)
		return r;
	if (word.len != 0)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* One "N" or "N-M". */
static int parse_range(struct lxcfsd_text part, uint64_t *ret_first, uint64_t *ret_last)
{
	int r = take_u64(&part, ret_first);

	if (r < 0)
		return r;
	*ret_last = *ret_first;
	if (part.len > 0 && part.data[0] == '-') {
		part = skip(part, 1);
		r = take_u64(&part, ret_last);
		if (r < 0)
			return r;
	}
	return part.len == 0 && *ret_first <= *ret_last ? 0 : -EINVAL;
}

int parse_cpu_list(struct lxcfsd_text text, uint32_t highest, uint32_t *ids, size_t max,
		   size_t *ret_count)
{
	struct lxcfsd_text part, word, rest = text;
	uint64_t first, last, next = 0;
	size_t count = 0;
	int r;

	if (!text_word(&rest, &word)) {
		*ret_count = 0;
		return 0;
	}
	if (text_word(&rest, &part))
		return -EINVAL;
	while (text_until(&word, ',', &part)) {
		r = parse_range(part, &first, &last);
		if (r < 0)
			return r;
		if (first < next)
			return -EINVAL; /* the kernel prints them ascending */
		if (last > highest)
			return -ERANGE;
		for (uint64_t id = first; id <= last; id++) {
			if (count == max)
				return -E2BIG;
			ids[count++] = (uint32_t)id;
		}
		next = last + 1;
	}
	*ret_count = count;
	return 0;
}
