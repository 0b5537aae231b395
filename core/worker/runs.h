/* SPDX-License-Identifier: MIT */
/*
 * runs.h - which blocks of an arena are in use, and runs of free ones.
 *
 * The arena itself lies in the vault; this is the worker's own memory and is
 * rebuilt from what the vault says at start.  No lock of its own.
 */
#ifndef LXCFSD_RUNS_H
#define LXCFSD_RUNS_H

#include <stdbool.h>
#include <stdint.h>

struct runs {
	uint64_t *map; /* a bit per block: in use */
	uint32_t count;
	uint32_t hint; /* no free block below */
};

/* `count`: a multiple of 64. */
int runs_init(struct runs *runs, uint32_t count);
void runs_done(struct runs *runs);

/* The first run of `count` free blocks, now in use: low ones first, to stay
 * compact.  False: there is none. */
bool runs_take(struct runs *runs, uint32_t count, uint32_t *ret);

/* Takes just these.  False, and nothing taken, when one of them is in use or does
 * not exist. */
bool runs_claim(struct runs *runs, uint32_t first, uint32_t count);

void runs_give(struct runs *runs, uint32_t first, uint32_t count);

#endif
