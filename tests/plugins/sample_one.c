/* SPDX-License-Identifier: MIT */
/* A file that the host does not have. */
#define SAMPLE_TEXT "one\n"
#include "sample.h"
