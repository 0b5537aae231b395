/* SPDX-License-Identifier: MIT */
/* The release that this was built of. */
#define SAMPLE_TEXT LXCFSD_VERSION "\n"
#define SAMPLE_PATH "/proc/lxcfsd_release"
#include "sample.h"
