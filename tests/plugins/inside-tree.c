/* SPDX-License-Identifier: MIT */
/* A file in the tree of another plugin. */
#define SAMPLE_PATH "/sys/kernel/mm/inside/file"
#include "sample.h"
