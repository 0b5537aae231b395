/* SPDX-License-Identifier: MIT */
/* swap.c - see swap.h. */
#include "swap.h"

#include "arith.h"
#include "limit.h"

int swap_measure(const struct lxcfsd_services *svc, struct lxcfsd_request *req, uint64_t host_kb,
		 struct swap *ret)
{
	uint64_t total, memory, used, swappiness;
	int r = limit_kb(svc, req, LXCFSD_SWAP_MAX, host_kb, &total);

	if (r == 0)
		r = limit_kb(svc, req, LXCFSD_MEMSW_MAX, total, &total);
	if (r == 0)
		r = svc->usage(req, LXCFSD_SWAP_CURRENT, &used);
	if (r == 0)
		r = svc->usage(req, LXCFSD_MEM_CURRENT, &memory);
	if (r == 0)
		r = svc->usage(req, LXCFSD_SWAPPINESS, &swappiness);
	if (r < 0)
		return r;

	if (used == LXCFSD_UNKNOWN && memory != LXCFSD_UNKNOWN)
		total = 0;
	used = used == LXCFSD_UNKNOWN ? 0 : min_u64(used / 1024, total);
	*ret = (struct swap){ .total = swappiness == 0 ? used : total, .used = used };
	return 0;
}
