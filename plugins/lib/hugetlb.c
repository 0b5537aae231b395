/* SPDX-License-Identifier: MIT */
/* hugetlb.c - see hugetlb.h. */
#include "hugetlb.h"

#include "arith.h"
#include "cursor.h"

/* In kB: all that kernels have. */
static const uint32_t sizes[] = {
	64, 512, 1024, 2048, 4096, 8192, 16384, 32768, 262144, 524288, 1048576, 2097152, 16777216,
};

/* Pages of one size, of which the host has `pool`. */
static int measure_size(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			uint64_t size_kb, uint64_t pool, uint64_t *ret_total, uint64_t *ret_used)
{
	uint64_t size = sat_mul(size_kb, 1024), limit, usage;
	int r;

	if (pool == 0 || size == 0) {
		*ret_total = *ret_used = 0;
		return 0;
	}
	r = svc->hugetlb(req, size, &limit, &usage);
	if (r == -EINVAL) { /* a size of no known kernel */
		limit = 0;
		usage = 0;
	} else if (r < 0) {
		return r;
	}
	*ret_total = limit == LXCFSD_NO_LIMIT ? pool : min_u64(limit / size, pool);
	*ret_used = usage == LXCFSD_UNKNOWN ? 0 : min_u64(usage / size, *ret_total);
	return 0;
}

static uint64_t host_pool(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
			  uint64_t size_kb)
{
	char path[80];
	struct lxcfsd_text text;
	uint64_t pages;

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/hugepages-%llukB/nr_hugepages",
		 (unsigned long long)size_kb);
	if (svc->host_file(req, path, &text) < 0 || !cursor_u64(&text, &pages))
		return 0;
	return pages;
}

int hugetlb_measure(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		    const struct hugetlb_host *host, struct hugetlb *ret)
{
	struct hugetlb h = { 0 };
	uint64_t others, pages, used;
	int r;

	r = measure_size(svc, req, host->size_kb, host->total, &h.total, &h.used);
	if (r < 0)
		return r;
	h.all_kb = sat_mul(h.total, host->size_kb);
	/* Few machines have pools of other sizes: only then it is worth looking. */
	others = sat_sub(host->all_kb, sat_mul(host->total, host->size_kb));
	for (unsigned int i = 0; i < LXCFSD_COUNT(sizes) && others > 0; i++) {
		if (sizes[i] == host->size_kb)
			continue;
		pages = host_pool(svc, req, sizes[i]);
		others = sat_sub(others, sat_mul(pages, sizes[i]));
		r = measure_size(svc, req, sizes[i], pages, &pages, &used);
		if (r < 0)
			return r;
		h.all_kb = sat_add(h.all_kb, sat_mul(pages, sizes[i]));
	}
	*ret = h;
	return 0;
}
