/* SPDX-License-Identifier: MIT */
/* cgroup_view.c - see cgroup_view.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup_view.h"
#include "copy.h"
#include "deputy.h"
#include "io.h"
#include "parts.h"
#include "path.h"
#include "text.h"

static bool is_v2(const struct layout *layout)
{
	return layout->count == 1 && layout->list[0].v2;
}

bool cgroup_view_is_v2(struct lxcfsd_request *req)
{
	return is_v2(&req->model->layout);
}

/* Its directory: as v1 hierarchies are mounted by everybody. */
static struct lxcfsd_text name_of(const struct hierarchy *hierarchy)
{
	struct lxcfsd_text key = text_of(hierarchy->v2 ? "unified" : hierarchy->key);

	if (key.len > 5 && memcmp(key.data, "name=", 5) == 0)
		key = (struct lxcfsd_text){ key.data + 5, key.len - 5 };
	return key;
}

/* Where the container has its place: who made one for it gave it this path everywhere. */
static struct lxcfsd_text main_path(const struct layout *layout, const struct subject *subject)
{
	static const uint32_t order[] = { LXCFSD_MEMORY, LXCFSD_CPU, LXCFSD_PIDS };
	struct lxcfsd_text path = { "", 0 };

	for (size_t i = 0; i < LXCFSD_COUNT(order) && path.len < 2; i++) {
		const struct hierarchy *hierarchy = layout_find(layout, order[i]);

		if (hierarchy)
			path = subject->paths[hierarchy->index];
	}
	return path;
}

/* The container's cgroup there; len 0: it has none of its own, but is in one with others
 * (as on cgroup2 of a hybrid host), whose it is not to see. */
static struct lxcfsd_text own_path(const struct lxcfsd_request *req,
				   const struct hierarchy *hierarchy)
{
	const struct layout *layout = &req->model->layout;
	const struct lxcfsd_text none = { "", 0 };
	struct lxcfsd_text path, own;

	if (hierarchy->fd < 0)
		return none;
	if (!req->subject)
		return req->model->subjects.root;
	path = req->subject->paths[hierarchy->index];
	if (subject_is_root(req->subject, 0) || is_v2(layout))
		return path;
	own = main_path(layout, req->subject);
	return path.len == own.len && memcmp(path.data, own.data, own.len) == 0 &&
			       !subjects_is_root(&req->model->subjects, path)
		       ? path
		       : none;
}

/* Files of v1 that tell of the whole host: the interfaces, cgroups' insides. */
static bool is_hidden(const char *name)
{
	return !strncmp(name, "net_prio.", 9) || !strncmp(name, "debug.", 6);
}

/* What of `below` is the hierarchy, and what is in it.  NULL: there is no such one. */
static const struct hierarchy *split(const struct lxcfsd_request *req, const char *below,
				     const char **ret_rest)
{
	const struct layout *layout = &req->model->layout;
	size_t len = strcspn(below, "/");

	if (is_v2(layout)) {
		*ret_rest = below;
		return own_path(req, &layout->list[0]).len ? &layout->list[0] : NULL;
	}
	for (unsigned int i = 0; i < layout->count; i++) {
		const struct hierarchy *hierarchy = &layout->list[i];
		struct lxcfsd_text name = name_of(hierarchy);

		if (name.len != len || memcmp(name.data, below, len) != 0 ||
		    !own_path(req, hierarchy).len)
			continue;
		*ret_rest = below[len] ? below + len + 1 : below + len;
		return hierarchy;
	}
	return NULL;
}

/* Inode numbers are of one hierarchy: they are too large to meet. */
static uint64_t object_of(const struct hierarchy *hierarchy, const struct stat *st)
{
	return st->st_ino ^ (uint64_t)(hierarchy->index + 1) << 56;
}

static uint64_t inode_of(const struct hierarchy *hierarchy, uint64_t object)
{
	return object ^ (uint64_t)(hierarchy->index + 1) << 56;
}

/* Opens `rest` from the container's own cgroup on.  What is looked up in a directory is
 * looked up in that very one, not in one that has its name by now. */
static int open_from(const struct lxcfsd_request *req, const struct hierarchy *hierarchy, int own,
		     const char *rest, int flags)
{
	const char *slash = strrchr(rest, '/');
	size_t len = slash ? (size_t)(slash - rest) : 0;
	char above[PATH_MAX];
	_close_ int dir = -1;
	struct stat st;

	if (!req->above)
		return path_open(own, *rest ? rest : ".", flags, PATH_NO_LINKS);
	if (len >= sizeof(above))
		return -ENAMETOOLONG;
	memcpy(above, len ? rest : ".", len ? len : 1);
	above[len ? len : 1] = '\0';
	dir = path_open(own, above, O_PATH | O_DIRECTORY | O_NOFOLLOW, PATH_NO_LINKS);
	if (dir < 0)
		return dir;
	if (fstat(dir, &st) < 0 || req->above != object_of(hierarchy, &st))
		return -ENOENT;
	return path_open(dir, slash ? slash + 1 : rest, flags, PATH_NO_LINKS);
}

/* Opens what `rest` names below the container's own cgroup. */
static int open_below(const struct lxcfsd_request *req, const struct hierarchy *hierarchy,
		      const char *rest, int flags)
{
	_close_ int own = hierarchy_open(hierarchy, own_path(req, hierarchy)), fd = -1;
	const char *name = strrchr(rest, '/');
	struct stat top, st;
	int r;

	if (is_hidden(name ? name + 1 : rest))
		return -ENOENT;
	if (own < 0)
		return own;
	fd = open_from(req, hierarchy, own, rest,
		       flags | O_NOFOLLOW | (flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY));
	/* ENODEV: the cgroup is being removed */
	if (fd == -ELOOP || fd == -ENOTDIR || fd == -EXDEV || fd == -ENODEV)
		return -ENOENT;
	if (fd < 0)
		return fd;
	/* something that the host has mounted there */
	if (fstat(own, &top) < 0 || fstat(fd, &st) < 0 || top.st_dev != st.st_dev)
		return -ENOENT;
	/* renamed meanwhile, and another one has its name */
	if (req->object && req->object != object_of(hierarchy, &st))
		return -ENOENT;
	r = fd;
	fd = -1;
	return r;
}

/* The directory above the hierarchies. */
static bool is_above(const struct lxcfsd_request *req, const char *below)
{
	return !*below && !is_v2(&req->model->layout);
}

int cgroup_view_find(struct lxcfsd_request *req, const char *below, struct lxcfsd_found *ret)
{
	const struct hierarchy *hierarchy;
	const char *rest;
	struct stat st;
	_close_ int fd = -1;

	if (is_above(req, below)) {
		*ret = (struct lxcfsd_found){ .entry = { LXCFSD_DIR, 0555 } };
		return 0;
	}
	hierarchy = split(req, below, &rest);
	if (!hierarchy)
		return -ENOENT;
	fd = open_below(req, hierarchy, rest, O_PATH);
	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode))
		return -ENOENT;
	*ret = (struct lxcfsd_found){
		.entry = { S_ISDIR(st.st_mode) ? LXCFSD_DIR : LXCFSD_REG, st.st_mode & 0777 },
		.uid = st.st_uid,
		.gid = st.st_gid,
		.object = object_of(hierarchy, &st),
	};
	return 0;
}

/* ------------------------------------------------------------------ content */

int cgroup_view_copy(struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out)
{
	const char *rest, *name = strrchr(below, '/');
	const struct hierarchy *hierarchy = split(req, below, &rest);
	_close_ int fd = -1;

	if (!hierarchy)
		return -ENOENT;
	fd = open_below(req, hierarchy, rest, O_RDONLY);
	if (fd < 0)
		return fd;
	name = name ? name + 1 : below;
	if (!strcmp(name, "cgroup.procs") || !strcmp(name, "cgroup.threads") ||
	    !strcmp(name, "tasks"))
		return pidlist_copy(req->model, req->reader, fd, out);
	return copy_file(fd, out);
}

/* ------------------------------------------------------------------ listing */

static void list_hierarchies(const struct lxcfsd_request *req, struct lxcfsd_out *out)
{
	const struct layout *layout = &req->model->layout;
	char name[HIERARCHY_KEY_MAX];

	for (unsigned int i = 0; i < layout->count; i++) {
		struct lxcfsd_text text = name_of(&layout->list[i]);

		if (!own_path(req, &layout->list[i]).len || text.len >= sizeof(name))
			continue;
		memcpy(name, text.data, text.len);
		name[text.len] = '\0';
		lxcfsd_name(out, LXCFSD_DIR, name);
	}
}

int cgroup_view_list(struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out)
{
	const struct hierarchy *hierarchy;
	const char *rest;
	_close_ int fd = -1;

	if (is_above(req, below)) {
		list_hierarchies(req, out);
		return 0;
	}
	hierarchy = split(req, below, &rest);
	if (!hierarchy)
		return -ENOENT;
	fd = open_below(req, hierarchy, rest, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	return copy_names(fd, is_hidden, out);
}

/* ------------------------------------------------------------------ changes */

static enum deputy_pids pids_in(const char *name)
{
	if (!strcmp(name, "cgroup.procs"))
		return DEPUTY_PROCESS;
	return !strcmp(name, "tasks") || !strcmp(name, "cgroup.threads") ? DEPUTY_THREAD
									 : DEPUTY_NO_PIDS;
}

/* One number, as the kernel takes it; 0: the writer. */
static int parse_number(const struct lxcfsd_change *change, int32_t *ret)
{
	struct lxcfsd_text text = { change->bytes, change->len }, word;
	uint64_t number;

	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	if (!text_word(&text, &word) || text.len > 0 || parse_u64(word, &number) < 0 ||
	    number > INT32_MAX)
		return -EINVAL;
	*ret = (int32_t)number;
	return 0;
}

static int fill_errand(const struct lxcfsd_request *req, const struct hierarchy *hierarchy,
		       const char *name, const struct lxcfsd_change *change, struct errand *ret)
{
	struct lxcfsd_text own = own_path(req, hierarchy);

	if (strlen(name) >= sizeof(ret->name) || own.len >= sizeof(ret->own))
		return -ENAMETOOLONG;
	memset(ret, 0, offsetof(struct errand, bytes));
	ret->kind = change->kind;
	ret->mode = change->mode;
	ret->uid = change->uid;
	ret->gid = change->gid;
	ret->hierarchy = hierarchy->index;
	memcpy(ret->own, own.data, own.len);
	strcpy(ret->name, name);
	if (change->kind != LXCFSD_CHANGE_WRITE)
		return 0;
	if (change->len > sizeof(ret->bytes))
		return -E2BIG;
	ret->len = (uint32_t)change->len;
	memcpy(ret->bytes, change->bytes, change->len);
	ret->pids = pids_in(name);
	return ret->pids == DEPUTY_NO_PIDS ? 0 : parse_number(change, &ret->number);
}

int cgroup_view_change(struct lxcfsd_request *req, const char *below,
		       const struct lxcfsd_change *change)
{
	const char *rest, *name;
	const struct hierarchy *hierarchy = split(req, below, &rest);
	char above[PATH_BYTES_MAX + 1];
	struct errand errand;
	_close_ int dir = -1;
	struct stat st;
	int r;

	if (!req->caller || !req->subject)
		return -EROFS;
	if (!hierarchy)
		return -ENOENT;
	name = strrchr(rest, '/');
	name = name ? name + 1 : rest;
	if (!*rest || (size_t)(name - rest) >= sizeof(above))
		return -EPERM;
	if (change->kind == LXCFSD_CHANGE_OPEN)
		return 0;
	memcpy(above, rest, (size_t)(name - rest));
	above[name > rest ? name - rest - 1 : 0] = '\0';
	if (is_hidden(name))
		return -ENOENT;
	dir = open_below(req, hierarchy, above, O_PATH | O_DIRECTORY);
	if (dir < 0)
		return dir;
	if (fstat(dir, &st) < 0 ||
	    (req->caller->above && req->caller->above != object_of(hierarchy, &st)))
		return -ENOENT;
	r = fill_errand(req, hierarchy, name, change, &errand);
	if (r == 0 && req->caller->object)
		errand.inode = inode_of(hierarchy, req->caller->object);
	return r < 0 ? r : deputy_do(req->model, req->caller, dir, &errand);
}
