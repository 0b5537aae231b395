/* SPDX-License-Identifier: MIT */
/*
 * resolve.c - from a reader to its subject.
 *
 * Per hierarchy: I is the cgroup of the init of the reader's pid namespace
 * (without its last component when that is one of `strip`: init systems put
 * themselves into a leaf), C the reader's own.  When C is I or below it, the
 * reader sits in the container that init began, and I is the answer; a reader
 * who only shares the namespace with that init has its own C.
 */
#include <errno.h>

#include "io.h"
#include "parts.h"
#include "path.h"
#include "text.h"

static const char deleted[] = " (deleted)";

/* A tenant may nest as deep as it likes, and each level is looked at: what lies
 * deeper gets the view of this level.  Its ancestors' limits hold all the same. */
#define DEPTH_MAX      64
#define PATH_BYTES_CUT 2048

static bool exists(const struct hierarchy *h, struct lxcfsd_text path)
{
	int fd = hierarchy_open(h, path);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* The kernel adds " (deleted)" to the path of a cgroup that was removed, but a
 * name may end like that as well. */
static struct lxcfsd_text cut_deleted(const struct hierarchy *h, struct lxcfsd_text path)
{
	size_t len = sizeof(deleted) - 1;

	if (path.len <= len || memcmp(path.data + path.len - len, deleted, len) != 0 ||
	    exists(h, path))
		return path;
	path.len -= len;
	return path;
}

/* The lines "ID:CONTROLLERS:PATH" of /proc/PID/cgroup.  A path that makes no
 * sense here (it lies outside of our cgroup namespace) stays unknown. */
static void parse_cgroups(const struct layout *layout, struct lxcfsd_text text,
			  struct lxcfsd_text paths[HIERARCHIES_MAX])
{
	struct lxcfsd_text line, id, controllers;

	memset(paths, 0, HIERARCHIES_MAX * sizeof(paths[0]));
	while (text_line(&text, &line)) {
		const struct hierarchy *h;

		if (!text_until(&line, ':', &id) || !text_until(&line, ':', &controllers))
			continue;
		h = layout_by_controllers(layout, controllers);
		if (!h || !path_is_clean(line))
			continue;
		line = cut_deleted(h, line);
		if (path_is_clean(line))
			paths[h->index] = path_cut(line, DEPTH_MAX, PATH_BYTES_CUT);
	}
}

/* Never down to "/": a name in the root would turn a container into the host. */
static struct lxcfsd_text strip(const struct settings *settings, struct lxcfsd_text path)
{
	struct lxcfsd_text rest = text_of(settings->strip ? settings->strip : "");
	struct lxcfsd_text last = path_last(path), parent = path_parent(path), word;

	if (parent.len == 1)
		return path;
	while (text_word(&rest, &word))
		if (word.len == last.len && memcmp(word.data, last.data, word.len) == 0)
			return parent;
	return path;
}

static int read_own(struct model *model, pid_t tid, struct small_file *ret)
{
	_close_ int fd = proc_open(model->roots.proc_fd, tid, "cgroup");

	return fd < 0 ? fd : small_file_read(ret, fd);
}

/* Each hierarchy's answer.  False: in one of them the reader is not in init's. */
static bool choose(const struct model *model, const struct lxcfsd_text own[],
		   const struct lxcfsd_text init[], struct subject_draft *draft)
{
	bool inside = true;

	for (unsigned int i = 0; i < model->layout.count; i++) {
		struct lxcfsd_text top = { NULL, 0 };
		bool below;

		if (init[i].len > 0)
			top = strip(model->settings, init[i]);
		below = own[i].len == 0 || (top.len > 0 && path_at_or_below(own[i], top));
		if (model->settings->subject == SUBJECT_CALLER) {
			draft->paths[i] = own[i];
			inside = inside && below;
		} else if (model->settings->subject == SUBJECT_INIT || below) {
			draft->paths[i] = top;
		} else {
			draft->paths[i] = own[i];
			inside = false;
		}
	}
	return inside;
}

static int finish(struct model *model, const struct subject_draft *draft, struct subject **ret)
{
	struct subject *subject;
	bool known = model->layout.count == 0;
	int r;

	for (unsigned int i = 0; i < model->layout.count; i++)
		known = known || draft->paths[i].len > 0;
	if (!known)
		return -ENOENT;
	r = subject_intern(&model->subjects, draft, &subject);
	if (r < 0)
		return r;
	if (subject_is_root(subject, 0)) {
		subject_unref(subject);
		return LXCFSD_NO_VIEW;
	}
	*ret = subject;
	return 0;
}

/* A reader in the host's pid namespace has no init of its own. */
static int resolve_on_host(struct model *model, pid_t tid, struct subject **ret)
{
	struct subject_draft draft = { .init = 0 };
	struct small_file own;
	int r;

	if (model->settings->host_pidns == HOST_PIDNS_HOST)
		return LXCFSD_NO_VIEW;
	r = read_own(model, tid, &own);
	if (r < 0)
		return r;
	parse_cgroups(&model->layout, own.text, draft.paths);
	r = finish(model, &draft, ret);
	small_file_done(&own);
	return r;
}

static int resolve_in_container(struct model *model, pid_t tid, uint64_t pidns,
				struct subject **ret)
{
	struct lxcfsd_text own_paths[HIERARCHIES_MAX], init_paths[HIERARCHIES_MAX];
	const struct hierarchy *memory = layout_find(&model->layout, LXCFSD_MEMORY);
	struct subject_draft draft = { .init = 0 };
	struct init_hint hint = { NULL, { NULL, 0 } };
	struct small_file own;
	struct init_process init;
	int r;

	/* a path that is too long for the kernel to say is no way out: init's holds */
	r = read_own(model, tid, &own);
	if (r == -ENAMETOOLONG)
		own = (struct small_file){ .big = NULL };
	else if (r < 0)
		return r;
	parse_cgroups(&model->layout, own.text, own_paths);
	if (memory)
		hint = (struct init_hint){ memory, own_paths[memory->index] };
	/* without an init to be found the reader's own cgroup decides */
	if (identity_find(&model->identity, tid, pidns, &hint, &init) < 0) {
		if (r < 0)
			return r;
		init = (struct init_process){ .pid = 0 };
	}
	parse_cgroups(&model->layout, init.cgroups.text, init_paths);
	if (choose(model, own_paths, init_paths, &draft)) {
		draft.init = init.pid;
		draft.init_start = init.start;
	}
	r = finish(model, &draft, ret);
	init_process_done(&init);
	small_file_done(&own);
	return r;
}

int model_resolve(struct model *model, pid_t tid, struct subject **ret)
{
	uint64_t pidns;
	int r;

	if (tid <= 0)
		return -ESRCH;
	r = proc_pidns(model->roots.proc_fd, tid, &pidns);
	if (r < 0)
		return r;
	if (pidns == model->identity.host_pidns)
		return resolve_on_host(model, tid, ret);
	return resolve_in_container(model, tid, pidns, ret);
}

/* On v1 a container need not have its cgroup everywhere; its processes are in
 * the nearest one above then. */
int model_subject_by_path(struct model *model, const char *path, struct subject **ret)
{
	struct subject_draft draft = { .init = 0 };
	struct lxcfsd_text whole = text_of(path);
	bool found = false;

	if (!path_is_clean(whole))
		return -EINVAL;
	for (unsigned int i = 0; i < model->layout.count; i++) {
		struct lxcfsd_text at = whole;

		while (at.len > 1 && !exists(&model->layout.list[i], at))
			at = path_parent(at);
		found = found || at.len == whole.len;
		draft.paths[i] = at;
	}
	return found ? subject_intern(&model->subjects, &draft, ret) : -ENOENT;
}

int model_subject_load(struct model *model, const void *bytes, size_t len, struct subject **ret)
{
	return subject_parse(&model->subjects, (struct lxcfsd_text){ bytes, len }, ret);
}
