/* SPDX-License-Identifier: MIT */
/* Its render() fails, for a file that the host has. */
#define SAMPLE_PATH   "/proc/version"
#define SAMPLE_RETURN -EIO
#include "sample.h"
