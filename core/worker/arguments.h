/* SPDX-License-Identifier: MIT */
/* arguments.h - what the keeper says on a worker's command line. */
#ifndef LXCFSD_ARGUMENTS_H
#define LXCFSD_ARGUMENTS_H

#include "config.h"
#include "log.h"

#define SET_MAX 32

struct arguments {
	const char *config;
	const char *goodset; /* number of an fd; NULL: from the disk */
	enum log_target log;
	struct config_override overrides[SET_MAX];
	size_t override_count;
};

/* From argv[2] on.  -EINVAL: not understood. */
int arguments_parse(int argc, char **argv, struct arguments *ret);

#endif
