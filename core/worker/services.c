/* SPDX-License-Identifier: MIT */
/* services.c - the table that plugins call; what each does is in plugin.h. */
#include <errno.h>
#include <unistd.h>

#include "cgroup_view.h"
#include "parts.h"

static int serve_limit(struct lxcfsd_request *req, enum lxcfsd_limit which, uint64_t *ret)
{
	return subject_limit(req->model, req->subject, which, ret);
}

static int serve_usage(struct lxcfsd_request *req, enum lxcfsd_usage which, uint64_t *ret)
{
	return subject_usage(req->model, req->subject, which, ret);
}

static int serve_stat(struct lxcfsd_request *req, enum lxcfsd_stat file,
		      const struct lxcfsd_key keys[], size_t count, uint64_t values[])
{
	uint32_t controller = file == LXCFSD_MEMORY_STAT ? LXCFSD_MEMORY : LXCFSD_CPUACCT;
	enum cg_attr attr = file == LXCFSD_MEMORY_STAT ? CG_MEMORY_STAT : CG_CPU_STAT;
	struct model *model = req->model;
	struct lent *text = NULL;
	struct cgroup *cgroup;
	bool v2 = false;
	int r;

	if (file != LXCFSD_MEMORY_STAT && file != LXCFSD_CPU_STAT)
		return -EINVAL;
	r = subject_own_cgroup(model, req->subject, controller, &cgroup);
	if (r < 0)
		return r;
	if (cgroup) {
		v2 = layout_find(&model->layout, controller)->v2;
		r = cgroup_text(&model->cgroups, cgroup, attr, &text);
		cgroup_put(&model->cgroups, cgroup);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	/* without the file all of them are unknown */
	stat_pick((struct lxcfsd_text){ text ? text->data : "", text ? text->len : 0 }, v2, keys,
		  count, values);
	lent_unref(text);
	return 0;
}

static int serve_cpus(struct lxcfsd_request *req, struct lxcfsd_cpus *ret)
{
	struct lent *lent;
	int r;

	r = subject_cpus(req->model, req->subject, &lent);
	if (r < 0)
		return r;
	r = request_lend(req, lent);
	if (r < 0)
		return r;
	*ret = (struct lxcfsd_cpus){
		.ids = (const uint32_t *)(const void *)lent->data,
		.count = (uint32_t)(lent->len / sizeof(uint32_t)),
		.dense = req->model->settings->cpu_numbering == CPU_NUMBERING_DENSE,
	};
	return 0;
}

static uint64_t serve_clock(struct lxcfsd_request *req, enum lxcfsd_clock which)
{
	return roots_clock_ns(&req->model->roots, which);
}

static int serve_age(struct lxcfsd_request *req, uint64_t *ret)
{
	return subject_age_ns(req->model, req->subject, ret);
}

static int serve_mems(struct lxcfsd_request *req, struct lxcfsd_cpus *ret)
{
	struct lent *lent;
	int r;

	r = subject_mems(req->model, req->subject, &lent);
	if (r == 0)
		r = request_lend(req, lent);
	if (r < 0)
		return r;
	*ret = (struct lxcfsd_cpus){
		.ids = (const uint32_t *)(const void *)lent->data,
		.count = (uint32_t)(lent->len / sizeof(uint32_t)),
	};
	return 0;
}

static int serve_numa_stat(struct lxcfsd_request *req, uint32_t node,
			   const struct lxcfsd_key keys[], size_t count, uint64_t values[])
{
	struct model *model = req->model;
	struct lent *text = NULL;
	struct cgroup *cgroup;
	bool v2 = false;
	int r;

	r = subject_own_cgroup(model, req->subject, LXCFSD_MEMORY, &cgroup);
	if (r < 0)
		return r;
	if (cgroup) {
		v2 = layout_find(&model->layout, LXCFSD_MEMORY)->v2;
		r = cgroup_text(&model->cgroups, cgroup, CG_NUMA_STAT, &text);
		cgroup_put(&model->cgroups, cgroup);
	}
	if (r < 0 && r != -ENOENT)
		return r;
	numa_pick((struct lxcfsd_text){ text ? text->data : "", text ? text->len : 0 }, v2, node,
		  v2 ? 1 : model->roots.page_size, keys, count, values);
	lent_unref(text);
	return 0;
}

static int serve_host_entry(struct lxcfsd_request *req, const char *path, struct lxcfsd_entry *ret)
{
	return host_entry(&req->model->host, path, ret);
}

static int serve_host_copy(struct lxcfsd_request *req, const char *path, struct lxcfsd_out *out)
{
	return host_copy(&req->model->host, path, out);
}

static int serve_host_list(struct lxcfsd_request *req, const char *path, struct lxcfsd_out *out)
{
	return host_list(&req->model->host, path, out);
}

static int serve_host_link(struct lxcfsd_request *req, const char *path, struct lxcfsd_out *out)
{
	return host_link(&req->model->host, path, out);
}

static int serve_hugetlb(struct lxcfsd_request *req, uint64_t page_bytes, uint64_t *ret_limit,
			 uint64_t *ret_usage)
{
	return subject_hugetlb(req->model, req->subject, page_bytes, ret_limit, ret_usage);
}

static int serve_control(struct lxcfsd_request *req, enum lxcfsd_control which,
			 struct lxcfsd_text *ret)
{
	struct lent *lent;
	int r;

	r = subject_control(req->model, req->subject, which, &lent);
	if (r == 0)
		r = request_lend(req, lent);
	if (r < 0)
		return r;
	*ret = (struct lxcfsd_text){ lent->data, lent->len };
	return 0;
}

void model_services(struct lxcfsd_services *svc)
{
	svc->size = sizeof(*svc);
	svc->page_size = (uint32_t)sysconf(_SC_PAGESIZE);
	svc->clock_ticks = (uint32_t)sysconf(_SC_CLK_TCK);
	svc->reserved = 0;
	svc->host_file = model_host_file;
	svc->limit = serve_limit;
	svc->usage = serve_usage;
	svc->stat = serve_stat;
	svc->cpus = serve_cpus;
	svc->clock_ns = serve_clock;
	svc->age_ns = serve_age;
	svc->cpu_times = subject_cpu_times;
	svc->load = subject_load;
	svc->host_entry = serve_host_entry;
	svc->host_copy = serve_host_copy;
	svc->host_list = serve_host_list;
	svc->host_link = serve_host_link;
	svc->mems = serve_mems;
	svc->numa_stat = serve_numa_stat;
	svc->hugetlb = serve_hugetlb;
	svc->control = serve_control;
	svc->cgroup_find = cgroup_view_find;
	svc->cgroup_copy = cgroup_view_copy;
	svc->cgroup_list = cgroup_view_list;
	svc->cgroup_is_v2 = cgroup_view_is_v2;
	svc->cgroup_change = cgroup_view_change;
}
