/* SPDX-License-Identifier: MIT */
/*
 * hugetlb.h - the huge pages that a container may have.
 *
 * Of each size the smaller of its limit and the host's pool.  A page is in use
 * when the container has it; what others took of the pool does not show, as with
 * memory.  Reservations and surplus pages are the pool's and not shown.
 */
#ifndef LXCFSD_PLUGINS_HUGETLB_H
#define LXCFSD_PLUGINS_HUGETLB_H

#include <lxcfsd/plugin.h>

/* What the host's /proc/meminfo says. */
struct hugetlb_host {
	uint64_t total, free; /* pages of the default size */
	uint64_t size_kb;     /* that size */
	uint64_t all_kb;      /* the pools of all sizes */
};

/* `used` is at most `total`. */
struct hugetlb {
	uint64_t total, used; /* pages of the default size */
	uint64_t all_kb;      /* of all sizes */
};

int hugetlb_measure(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		    const struct hugetlb_host *host, struct hugetlb *ret);

#endif
