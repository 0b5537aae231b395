/* SPDX-License-Identifier: MIT */
/* Its init() fails, and says why. */
#include <lxcfsd/plugin.h>

static int init_fails(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		      void **ret_state)
{
	(void)opts;
	(void)ret_state;
	svc->log(svc, LXCFSD_LOG_ERROR, "the sample does not feel like it");
	return -EINVAL;
}

#define SAMPLE_INIT init_fails
#include "sample.h"
