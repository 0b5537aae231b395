/* SPDX-License-Identifier: MIT */
/*
 * swap.h - the swap that a container has: one arithmetic for every file that
 * shows it, so that they agree.
 */
#ifndef LXCFSD_PLUGINS_SWAP_H
#define LXCFSD_PLUGINS_SWAP_H

#include <lxcfsd/plugin.h>

/* In kB; `used` is at most `total`. */
struct swap {
	uint64_t total, used;
};

/*
 * The total is the smallest of memory.swap.max, memory.memsw.limit_in_bytes and
 * the host's (`host_kb`).  v1 has no limit on swap alone: all that memsw allows
 * can be swapped out, also where the limit on memory is the same.
 *
 * Where memory is counted and swap is not (swapaccount=0) there is none.  Where
 * neither is (no controller) nothing is limited.  With v1's swappiness 0, which
 * keeps the kernel from swapping, there is only what is in use.
 */
int swap_measure(const struct lxcfsd_services *svc, struct lxcfsd_request *req, uint64_t host_kb,
		 struct swap *ret);

#endif
