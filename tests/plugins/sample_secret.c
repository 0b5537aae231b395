/* SPDX-License-Identifier: MIT */
/* A file that only root may read. */
#define SAMPLE_PATH "/proc/lxcfsd_secret"
#define SAMPLE_MODE 0400
#define SAMPLE_TEXT "secret\n"
#include "sample.h"
