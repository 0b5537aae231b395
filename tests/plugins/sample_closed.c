/* SPDX-License-Identifier: MIT */
/* A file that everybody may read on the host, and here only root. */
#define SAMPLE_PATH "/proc/version"
#define SAMPLE_MODE 0400
#define SAMPLE_TEXT "closed\n"
#include "sample.h"
