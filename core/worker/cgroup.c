/* SPDX-License-Identifier: MIT */
/* cgroup.c - see cgroup.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup.h"
#include "io.h"
#include "path.h"

/* 1,000 containers with eight cgroups each; a cgroup is some 500 bytes and 200
 * per file that was read. */
#define OBJECTS_MAX 8192
/* memory.stat is some 2 KiB, a CPU list of 8192 CPUs with holes 40, io.stat 100
 * bytes for each device that the cgroup used. */
#define TEXT_MAX (1u << 20)
/* One number or two; what is longer is nothing we know. */
#define NUMBER_MAX 128
#define CHECK_NS   1000000000u

struct cg_file {
	struct held held;    /* its lock guards all below */
	uint64_t read_ns;    /* when reading began; 0: never */
	uint64_t checked_ns; /* when it was seen to be where it belongs */
	int error;
	uint64_t value;
	struct lent *text;
};

struct cgroup {
	struct cache_node node;
	const struct hierarchy *hierarchy;
	struct cgroup *parent;
	_Atomic uint64_t since_ns; /* what was read before may be another one's */
	pthread_mutex_t lock;	   /* of the array; a file that is there stays there */
	struct cg_file *files[CG_ATTR_COUNT];
	size_t len;
	char path[]; /* as of hierarchy_below() */
};

struct cgroup_key {
	const struct hierarchy *hierarchy;
	struct lxcfsd_text path;
};

static bool object_equal(const struct cache_node *node, const void *key)
{
	const struct cgroup *cgroup = (const struct cgroup *)node;
	const struct cgroup_key *k = key;

	return cgroup->hierarchy == k->hierarchy && cgroup->len == k->path.len &&
	       memcmp(cgroup->path, k->path.data, k->path.len) == 0;
}

static void object_free(struct cache_node *node, void *context)
{
	struct cgroup *cgroup = (struct cgroup *)node;
	struct cgroups *cgroups = context;

	for (size_t i = 0; i < CG_ATTR_COUNT; i++) {
		if (!cgroup->files[i])
			continue;
		held_done(cgroups->fds, &cgroup->files[i]->held);
		lent_unref(cgroup->files[i]->text);
		free(cgroup->files[i]);
	}
	if (cgroup->parent)
		cache_put(&cgroups->objects, &cgroup->parent->node);
	pthread_mutex_destroy(&cgroup->lock);
	free(cgroup);
}

int cgroups_init(struct cgroups *cgroups, struct fds *fds, uint64_t cache_ns)
{
	cgroups->fds = fds;
	cgroups->cache_ns = cache_ns;
	return cache_init(&cgroups->objects, OBJECTS_MAX, object_equal, object_free, cgroups);
}

void cgroups_done(struct cgroups *cgroups)
{
	cache_done(&cgroups->objects);
}

static uint64_t key_hash(const struct cgroup_key *key)
{
	return hash_bytes(key->hierarchy->index, key->path.data, key->path.len);
}

static struct cgroup *object_find(struct cgroups *cgroups, const struct cgroup_key *key)
{
	return (struct cgroup *)cache_get(&cgroups->objects, key_hash(key), key);
}

/* Takes over the reference to `parent`. */
static struct cgroup *object_add(struct cgroups *cgroups, const struct cgroup_key *key,
				 struct cgroup *parent)
{
	struct cgroup *cgroup = calloc(1, sizeof(*cgroup) + key->path.len + 1);

	if (!cgroup) {
		if (parent)
			cgroup_put(cgroups, parent);
		return NULL;
	}
	cgroup->hierarchy = key->hierarchy;
	cgroup->parent = parent;
	cgroup->len = key->path.len;
	memcpy(cgroup->path, key->path.data, key->path.len);
	pthread_mutex_init(&cgroup->lock, NULL);
	return (struct cgroup *)cache_add(&cgroups->objects, key_hash(key), key, &cgroup->node);
}

int cgroup_get(struct cgroups *cgroups, const struct hierarchy *hierarchy, struct lxcfsd_text below,
	       struct cgroup **ret)
{
	struct cgroup_key key = { hierarchy, below };
	struct cgroup *cgroup = object_find(cgroups, &key);
	size_t end = 0;

	if (cgroup) {
		*ret = cgroup;
		return 0;
	}
	/* from the top down, so that each has its parent */
	key.path.len = 0;
	for (;;) {
		struct cgroup *next = object_find(cgroups, &key);

		if (next && cgroup)
			cgroup_put(cgroups, cgroup);
		cgroup = next ? next : object_add(cgroups, &key, cgroup);
		if (!cgroup)
			return -ENOMEM;
		if (end == below.len)
			break;
		end += end > 0; /* over the slash */
		while (end < below.len && below.data[end] != '/')
			end++;
		key.path.len = end;
	}
	*ret = cgroup;
	return 0;
}

void cgroup_put(struct cgroups *cgroups, struct cgroup *cgroup)
{
	cache_put(&cgroups->objects, &cgroup->node);
}

struct cgroup *cgroup_parent(const struct cgroup *cgroup)
{
	return cgroup->parent;
}

void cgroup_renew(struct cgroup *cgroup, uint64_t since_ns)
{
	for (; cgroup; cgroup = cgroup->parent) {
		uint64_t before = atomic_load(&cgroup->since_ns);

		while (before < since_ns &&
		       !atomic_compare_exchange_weak(&cgroup->since_ns, &before, since_ns))
			;
	}
}

static struct cg_file *get_file(struct cgroup *cgroup, enum cg_attr attr)
{
	struct cg_file *file;

	pthread_mutex_lock(&cgroup->lock);
	file = cgroup->files[attr];
	if (!file) {
		file = calloc(1, sizeof(*file));
		if (file)
			held_init(&file->held);
		cgroup->files[attr] = file;
	}
	pthread_mutex_unlock(&cgroup->lock);
	return file;
}

static int open_control(const struct cgroup *cgroup, const char *name, int access)
{
	char path[PATH_BYTES_MAX + 64];
	int n;

	n = snprintf(path, sizeof(path), "%s%s%s", cgroup->path, cgroup->len ? "/" : "", name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	return path_open(cgroup->hierarchy->fd, path, access | O_NONBLOCK | O_NOCTTY,
			 PATH_NO_LINKS);
}

static int open_attr(const struct cgroup *cgroup, enum cg_attr attr, int access)
{
	const char *const *names = cgroup->hierarchy->v2 ? cg_attrs[attr].v2 : cg_attrs[attr].v1;
	int fd = -ENOENT, dir;

	for (size_t i = 0; i < 2 && names[i] && fd == -ENOENT; i++)
		fd = open_control(cgroup, names[i], access);
	if (fd != -ENOENT || !names[0] || cgroup->len == 0)
		return fd;
	/* is it the file that is missing, or the cgroup? */
	dir = path_open(cgroup->hierarchy->fd, cgroup->path, O_PATH | O_DIRECTORY, PATH_NO_LINKS);
	if (dir < 0)
		return dir == -ENOENT ? -ENODEV : dir;
	close(dir);
	return -ENOENT;
}

int cgroup_open(const struct cgroup *cgroup, enum cg_attr attr)
{
	return open_attr(cgroup, attr, O_RDWR);
}

static int read_attr(struct cg_file *file, enum cg_attr attr)
{
	char buf[NUMBER_MAX];
	ssize_t n;

	if (!cg_attrs[attr].parse)
		return lent_read(&file->text, file->held.fd, TEXT_MAX);
	n = io_pread_all(file->held.fd, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	return cg_attrs[attr].parse((struct lxcfsd_text){ buf, (size_t)n }, &file->value);
}

/* A cgroup of v1 can be renamed, and another one made in its place: what is held
 * open goes with the first.  Looked at once a second, and for a newcomer. */
static bool is_moved(const struct cgroup *cgroup, enum cg_attr attr, struct cg_file *file)
{
	struct stat held, now;
	int fd;
	bool moved;

	if (cgroup->hierarchy->v2 || (file->read_ns - file->checked_ns < CHECK_NS &&
				      file->checked_ns >= atomic_load(&cgroup->since_ns)))
		return false;
	file->checked_ns = file->read_ns;
	fd = open_attr(cgroup, attr, O_RDONLY);
	if (fd < 0)
		return true;
	moved = fstat(fd, &now) < 0 || fstat(file->held.fd, &held) < 0 ||
		now.st_ino != held.st_ino || now.st_dev != held.st_dev;
	close(fd);
	return moved;
}

static void refresh(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr,
		    struct cg_file *file)
{
	struct held *held = &file->held;
	int r = -EBADF;

	file->read_ns = io_now_ns();
	if (held->fd >= 0 && is_moved(cgroup, attr, file))
		held_close(cgroups->fds, held);
	if (held->fd >= 0) {
		r = read_attr(file, attr);
		if (r < 0)
			held_close(cgroups->fds, held);
	}
	if (held->fd < 0) {
		held->fd = open_attr(cgroup, attr, O_RDONLY);
		r = held->fd < 0 ? held->fd : read_attr(file, attr);
	}
	if (r < 0)
		held_close(cgroups->fds, held);
	else
		held_used(cgroups->fds, held);
	file->error = r;
}

/* The file with its lock held and a value no older than the cache interval. */
static int lock_fresh(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr,
		      struct cg_file **ret)
{
	struct cg_file *file = get_file(cgroup, attr);
	uint64_t arrived = io_now_ns();

	if (!file)
		return -ENOMEM;
	pthread_mutex_lock(&file->held.lock);
	if (file->read_ns < atomic_load(&cgroup->since_ns) ||
	    io_is_stale(file->read_ns, arrived, cgroups->cache_ns))
		refresh(cgroups, cgroup, attr, file);
	if (file->error < 0) {
		int r = file->error;

		pthread_mutex_unlock(&file->held.lock);
		return r;
	}
	*ret = file;
	return 0;
}

int cgroup_value(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr, uint64_t *ret)
{
	struct cg_file *file;
	int r;

	r = lock_fresh(cgroups, cgroup, attr, &file);
	if (r < 0)
		return r;
	*ret = file->value;
	pthread_mutex_unlock(&file->held.lock);
	return 0;
}

int cgroup_text_at(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr,
		   struct lent **ret, uint64_t *ret_ns)
{
	struct cg_file *file;
	int r;

	r = lock_fresh(cgroups, cgroup, attr, &file);
	if (r < 0)
		return r;
	*ret = lent_ref(file->text);
	*ret_ns = file->read_ns;
	pthread_mutex_unlock(&file->held.lock);
	return 0;
}

int cgroup_text(struct cgroups *cgroups, struct cgroup *cgroup, enum cg_attr attr,
		struct lent **ret)
{
	uint64_t when;

	return cgroup_text_at(cgroups, cgroup, attr, ret, &when);
}
