/* SPDX-License-Identifier: MIT */
/* runs.c - see runs.h. */
#include <errno.h>
#include <stdlib.h>

#include "runs.h"

int runs_init(struct runs *runs, uint32_t count)
{
	*runs = (struct runs){ .map = calloc(count / 64, sizeof(*runs->map)), .count = count };
	return runs->map ? 0 : -ENOMEM;
}

void runs_done(struct runs *runs)
{
	free(runs->map);
	*runs = (struct runs){ .map = NULL };
}

static bool is_used(const struct runs *runs, uint32_t block)
{
	return runs->map[block / 64] >> (block % 64) & 1;
}

static void mark(struct runs *runs, uint32_t first, uint32_t count, bool used)
{
	for (uint32_t block = first; block < first + count; block++) {
		if (used)
			runs->map[block / 64] |= (uint64_t)1 << (block % 64);
		else
			runs->map[block / 64] &= ~((uint64_t)1 << (block % 64));
	}
}

bool runs_take(struct runs *runs, uint32_t count, uint32_t *ret)
{
	uint32_t run = 0;

	while (runs->hint < runs->count && is_used(runs, runs->hint))
		runs->hint++;
	for (uint32_t block = runs->hint; count > 0 && block < runs->count; block++) {
		if (run == 0 && block % 64 == 0 && runs->map[block / 64] == UINT64_MAX) {
			block += 63;
			continue;
		}
		run = is_used(runs, block) ? 0 : run + 1;
		if (run == count) {
			*ret = block - count + 1;
			mark(runs, *ret, count, true);
			return true;
		}
	}
	return false;
}

bool runs_claim(struct runs *runs, uint32_t first, uint32_t count)
{
	if (first > runs->count || count > runs->count - first)
		return false;
	for (uint32_t block = first; block < first + count; block++)
		if (is_used(runs, block))
			return false;
	mark(runs, first, count, true);
	return true;
}

void runs_give(struct runs *runs, uint32_t first, uint32_t count)
{
	mark(runs, first, count, false);
	if (count > 0 && first < runs->hint)
		runs->hint = first;
}
