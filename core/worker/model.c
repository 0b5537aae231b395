/* SPDX-License-Identifier: MIT */
/* model.c - putting the parts together; see model.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "io.h"
#include "parts.h"

#define IDLE_NS	   (10ull * 1000000000u)
#define BUDGET_MIN 2
#define TABLE_MAX  65536
#define SPARE	   36 /* the wire, our roots, what we keep for a keeper, requests in hand */

/* Half of what we may open is for requests, plugins and the wire; and where that is
 * little, what is left of it beside the plugins, which are loaded by now. */
static size_t fd_budget(const struct settings *settings)
{
	int lowest = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);
	uint64_t budget = settings->max_fds, taken = SPARE + (uint64_t)(lowest < 0 ? 0 : lowest);
	struct rlimit limit;

	if (lowest >= 0)
		close(lowest);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur / 2 < budget)
		budget = limit.rlim_cur / 2;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < taken + budget)
		budget = limit.rlim_cur > taken ? limit.rlim_cur - taken : 0;
	return budget < BUDGET_MIN ? BUDGET_MIN : (size_t)budget;
}

/* The table of descriptors as large as it may become, as long as nobody shares it: to grow
 * one that threads share the kernel waits for an RCU grace period, and everybody who opens
 * something with it (expand_files() in fs/file.c). */
static void grow_fd_table(const struct fds *fds)
{
	struct rlimit limit;
	int top = (int)(fds->max < TABLE_MAX / 2 ? 2 * fds->max : TABLE_MAX), fd;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur <= (rlim_t)top)
		top = (int)limit.rlim_cur - 1;
	fd = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, top);
	if (fd >= 0)
		close(fd);
}

int model_new(const struct settings *settings, const char *root, struct model **ret)
{
	uint64_t cache_ns = settings->cache_ms * 1000000u;
	struct model *model = calloc(1, sizeof(*model));
	int r;

	if (!model)
		return -ENOMEM;
	model->settings = settings;
	loads_init(&model->loads);
	numbers_init(&model->numbers);
	fds_init(&model->fds, fd_budget(settings));
	grow_fd_table(&model->fds);
	r = roots_open(&model->roots, root);
	if (r == 0)
		r = layout_read(&model->layout, &model->roots);
	if (r == 0)
		r = host_init(&model->host, &model->roots, &model->fds, cache_ns);
	if (r == 0)
		r = cgroups_init(&model->cgroups, &model->fds, cache_ns);
	if (r == 0)
		r = subjects_init(&model->subjects, &model->layout, settings->cgroup_root);
	if (r == 0)
		r = identity_init(&model->identity, &model->roots, &model->fds, settings->identity);
	if (r < 0) {
		model_free(model);
		return r;
	}
	*ret = model;
	return 0;
}

struct model *model_free(struct model *model)
{
	if (!model)
		return NULL;
	loads_done(&model->loads); /* first: its thread reads all the others */
	identity_done(&model->identity);
	numbers_tidy(&model->numbers, UINT64_MAX);
	subjects_done(&model->subjects);
	cgroups_done(&model->cgroups);
	host_done(&model->host);
	layout_done(&model->layout);
	roots_close(&model->roots);
	fds_done(&model->fds);
	free(model);
	return NULL;
}

void model_set_records(struct model *model, struct records *records)
{
	model->records = records;
}

void model_use_matches(struct model *model, const struct config *config)
{
	model->subjects.config = config;
}

void model_tidy(struct model *model)
{
	uint64_t now = io_now_ns(), before = now > IDLE_NS ? now - IDLE_NS : 0;

	fds_tidy(&model->fds, before);
	numbers_tidy(&model->numbers, before);
	cache_tidy(&model->subjects.table, before);
	cache_tidy(&model->identity.inits, before);
	cache_tidy(&model->cgroups.objects, before);
	cache_tidy(&model->host.files, before);
}

bool model_busy(struct model *model)
{
	return fds_count(&model->fds) > 0 || cache_count(&model->subjects.table) > 0 ||
	       cache_count(&model->identity.inits) > 0 ||
	       cache_count(&model->cgroups.objects) > 0 || cache_count(&model->host.files) > 0;
}

void request_begin(struct lxcfsd_request *req, struct model *model, struct subject *subject,
		   pid_t reader)
{
	*req = (struct lxcfsd_request){ .model = model, .subject = subject, .reader = reader };
}

void request_end(struct lxcfsd_request *req)
{
	while (req->lent_count > 0)
		lent_unref(req->lent[--req->lent_count]);
}

int request_lend(struct lxcfsd_request *req, struct lent *lent)
{
	for (unsigned int i = 0; i < req->lent_count; i++) {
		if (req->lent[i] == lent) {
			lent_unref(lent);
			return 0;
		}
	}
	if (req->lent_count == REQUEST_LENT_MAX) {
		lent_unref(lent);
		return -ENOBUFS;
	}
	req->lent[req->lent_count++] = lent;
	return 0;
}

int model_host_file(struct lxcfsd_request *req, const char *path, struct lxcfsd_text *ret)
{
	struct lent *lent;
	int r;

	r = host_read(&req->model->host, path, &lent);
	if (r < 0)
		return r;
	r = request_lend(req, lent);
	if (r < 0)
		return r;
	*ret = (struct lxcfsd_text){ lent->data, lent->len };
	return 0;
}

size_t model_host_length(struct model *model, const char *path)
{
	struct lent *lent;
	size_t len;

	if (host_read(&model->host, path, &lent) < 0)
		return 0;
	len = lent->len;
	lent_unref(lent);
	return len;
}

int model_host_entry(struct model *model, const char *path, struct lxcfsd_entry *ret)
{
	return host_entry(&model->host, path, ret);
}

int model_host_content(struct model *model, const char *path, uint32_t type, struct lxcfsd_out *out)
{
	return type == LXCFSD_DIR    ? host_list(&model->host, path, out)
	       : type == LXCFSD_LINK ? host_link(&model->host, path, out)
				     : host_copy(&model->host, path, out);
}

/* A kernel without a feature has no file, or one that cannot be read. */
bool model_has_file(struct model *model, const struct lxcfsd_file *file)
{
	struct lent *lent;
	int r;

	if (!(file->flags & LXCFSD_IF_HOST))
		return true;
	r = host_read(&model->host, file->path, &lent);
	if (r == 0)
		lent_unref(lent);
	return r != -ENOENT && r != -EOPNOTSUPP;
}

int model_host_mode(struct model *model, const char *path, mode_t *ret)
{
	return host_mode(&model->host, path, ret);
}
