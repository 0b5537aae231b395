/* SPDX-License-Identifier: MIT */
/* The same file with another text: the plugin's next version. */
#define SAMPLE_TEXT "two\n"
#include "sample.h"
