/* SPDX-License-Identifier: MIT */
/* One of its two files writes to where nothing is. */
static volatile int *volatile nowhere;

#define PAIR_FIRST(out) (lxcfsd_puts(out, "half of it"), *nowhere = 1)
#include "pair.h"
