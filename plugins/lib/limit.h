/* SPDX-License-Identifier: MIT */
/* limit.h - limits in the unit of most files. */
#ifndef LXCFSD_PLUGINS_LIMIT_H
#define LXCFSD_PLUGINS_LIMIT_H

#include <lxcfsd/plugin.h>

#include "arith.h"

/* A limit on bytes in kB, at most `most`. */
static inline int limit_kb(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			   enum lxcfsd_limit which, uint64_t most, uint64_t *ret)
{
	uint64_t bytes;
	int r = svc->limit(req, which, &bytes);

	if (r < 0)
		return r;
	*ret = bytes == LXCFSD_NO_LIMIT ? most : min_u64(bytes / 1024, most);
	return 0;
}

#endif
