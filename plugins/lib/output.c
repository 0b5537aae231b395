/* SPDX-License-Identifier: MIT */
/* output.c - see output.h. */
#include "output.h"

void out_fill(struct lxcfsd_out *out, char c, size_t count)
{
	if (out->err)
		return;
	if (count > out->cap - out->len) {
		out->err = -ENOSPC;
		return;
	}
	memset(out->buf + out->len, c, count);
	out->len += count;
}

static void put_number(struct lxcfsd_out *out, uint64_t value, size_t width, char pad)
{
	char digits[20]; /* 2^64 - 1 has 20 */
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	if (width > sizeof(digits) - at)
		out_fill(out, pad, width - (sizeof(digits) - at));
	lxcfsd_put(out, digits + at, sizeof(digits) - at);
}

void out_u64(struct lxcfsd_out *out, uint64_t value, size_t width)
{
	put_number(out, value, width, ' ');
}

void out_u64_zeros(struct lxcfsd_out *out, uint64_t value, size_t width)
{
	put_number(out, value, width, '0');
}
