/* SPDX-License-Identifier: MIT */
/* Its init() kills the process it is in. */
#include <stdlib.h>

#include <lxcfsd/plugin.h>

static int init_dies(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		     void **ret_state)
{
	(void)svc;
	(void)opts;
	(void)ret_state;
	abort();
}

#define SAMPLE_INIT init_dies
#include "sample.h"
