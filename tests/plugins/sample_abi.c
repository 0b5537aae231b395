/* SPDX-License-Identifier: MIT */
/* Built against a header that is not ours. */
#define SAMPLE_ABI (LXCFSD_ABI + 7)
#include "sample.h"
