/* SPDX-License-Identifier: MIT */
/* Its init() never returns. */
#include <unistd.h>

#include <lxcfsd/plugin.h>

static int init_waits(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		      void **ret_state)
{
	(void)svc;
	(void)opts;
	(void)ret_state;
	for (;;)
		pause();
	return 0;
}

#define SAMPLE_INIT init_waits
#include "sample.h"
