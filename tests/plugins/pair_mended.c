/* SPDX-License-Identifier: MIT */
/* The same plugin's next version. */
#define PAIR_FIRST(out) lxcfsd_puts(out, "mended\n")
#include "pair.h"
