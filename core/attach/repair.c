/* SPDX-License-Identifier: MIT */
/*
 * repair.c - replaces the dead mounts of one mount namespace.
 *
 * Theory of operation.  The table of mounts says which mounts may be dead, where they
 * are, and which part of the tree they show.  Outer ones come first: what is mounted in
 * a dead directory cannot be reached, and goes with it; what of that is dead too is then
 * put into the new one.  A stack of dead mounts in one place becomes one mount, with part
 * and options of the topmost, which is what was seen.
 *
 * In each place the new mount is put beneath the dead one, then that one is taken off:
 * nobody sees what is below.  Where the kernel cannot (before 6.5), first off, then on.
 * What is locked cannot be taken off by anybody in there (a mount namespace copied into
 * a user namespace of its own): then the new one goes on top, and the next time that one
 * is replaced.
 *
 * What is done in one namespace may happen in others, while these are being repaired.  One
 * at a time changes a mount that is shared, and who comes too late finds that the dead one
 * is no longer there; slaves are left for the end, when their masters are done.
 *
 * Between off and on this process may be killed for being slow: what is to be there is
 * written down first, in memory that the next one gets.
 *
 * Known to get lost: what was mounted in a dead directory and could only be read there,
 * when this process is killed after the directory was replaced and before that was put
 * into it.
 *
 * A container can lie in its table about its own mounts only.  What it may gain by a
 * dead file system that pretends to be ours: a bind of what any container is given.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "io.h"
#include "repair.h"
#include "space.h"
#include "table.h"

#define CANDIDATES_MAX 1024
#define STACK_MAX      16

struct candidate {
	uint64_t id;
	uint64_t parent;
	uint64_t new_id; /* of what is there instead; 0: not replaced */
	unsigned int attrs;
	bool handled;
	bool shared;
	bool slave;
	char device[32];
	char *part; /* of the file system */
	char *point;
};

struct repair {
	const struct scene *scene;
	struct repair_part *shared;
	struct attach_result *result; /* in it */
	struct space space;
	bool own;
	struct candidate *list; /* outer ones before inner ones */
	size_t count;
	/* what has been asked already */
	char asked[64][32];
	bool dead[64];
	unsigned int asked_count;
};

static void fail(struct repair *rep, const char *point, int r)
{
	struct attach_result *result = rep->result;

	result->failed++;
	if (!result->reason[0])
		snprintf(result->reason, sizeof(result->reason), "'%.160s': %s", point,
			 strerror(-r));
}

/* ------------------------------------------------------------ what may be dead */

static const struct attach_dead *find_named(const struct attach_job *job, const char *device)
{
	for (unsigned int i = 0; i < job->dead_count; i++)
		if (strcmp(job->dead[i].device, device) == 0)
			return &job->dead[i];
	return NULL;
}

static bool is_others(const struct scene *scene, const char *device)
{
	for (unsigned int i = 0; i < scene->other_count; i++)
		if (strcmp(scene->others[i], device) == 0)
			return true;
	return false;
}

static bool may_be_dead(const struct repair *rep, const struct table_line *line, const char *device)
{
	const struct scene *scene = rep->scene;

	if (strcmp(device, scene->living) == 0 || strcmp(device, scene->inner) == 0 ||
	    strcmp(device, scene->roots) == 0)
		return false;
	if (scene->job->dead_count)
		return find_named(scene->job, device);
	if (!is_others(scene, device))
		return true;
	/* where another one is mounted as a whole it is for that one to come back */
	return scene->job->others && !(rep->own && text_is(line->root, "/"));
}

static unsigned int parse_attrs(struct lxcfsd_text options)
{
	static const struct {
		const char *word;
		unsigned int attr;
	} words[] = {
		{ "ro", MOUNT_ATTR_RDONLY },   { "nosuid", MOUNT_ATTR_NOSUID },
		{ "nodev", MOUNT_ATTR_NODEV }, { "noexec", MOUNT_ATTR_NOEXEC },
		{ "nosymfollow", 0x00200000 }, /* MOUNT_ATTR_NOSYMFOLLOW, Linux 5.14 */
	};
	struct lxcfsd_text word;
	unsigned int attrs = 0;

	while (text_until(&options, ',', &word))
		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (text_is(word, words[i].word))
				attrs |= words[i].attr;
	return attrs;
}

static bool gather(void *arg, const struct table_line *line)
{
	struct repair *rep = arg;
	struct candidate *c = &rep->list[rep->count];
	char part[PATH_MAX], point[PATH_MAX];

	if (!text_is(line->type, "fuse.lxcfs") || line->device.len >= sizeof(c->device))
		return true;
	snprintf(c->device, sizeof(c->device), "%.*s", (int)line->device.len, line->device.data);
	if (!may_be_dead(rep, line, c->device) || table_path(line->root, part, sizeof(part)) < 0 ||
	    table_path(line->point, point, sizeof(point)) < 0)
		return true;
	if (rep->count == CANDIDATES_MAX) {
		fail(rep, point, -E2BIG);
		return false;
	}
	c->id = line->id;
	c->parent = line->parent;
	c->new_id = 0;
	c->handled = false;
	c->shared = line->shared;
	c->slave = line->slave;
	c->attrs = parse_attrs(line->options);
	c->part = strdup(part);
	c->point = strdup(point);
	if (!c->part || !c->point)
		return false;
	rep->count++;
	return true;
}

/* A path is longer than those that lead to it. */
static int by_depth(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	size_t len_x = strlen(x->point), len_y = strlen(y->point);

	return len_x < len_y ? -1 : len_x > len_y;
}

static struct candidate *find_id(struct repair *rep, uint64_t id)
{
	for (size_t i = 0; i < rep->count; i++)
		if (rep->list[i].id == id)
			return &rep->list[i];
	return NULL;
}

static unsigned int find_asked(const struct repair *rep, const char *device)
{
	unsigned int i = 0;

	while (i < rep->asked_count && strcmp(rep->asked[i], device) != 0)
		i++;
	return i;
}

static bool is_known_dead(const struct repair *rep, const char *device)
{
	unsigned int i = find_asked(rep, device);

	return i < rep->asked_count && rep->dead[i];
}

static bool is_dead(struct repair *rep, const char *device, int fd)
{
	unsigned int i = find_asked(rep, device);

	if (i == rep->asked_count) {
		bool dead = space_is_dead(fd);

		if (i == sizeof(rep->asked) / sizeof(rep->asked[0]))
			return dead;
		memcpy(rep->asked[i], device, sizeof(rep->asked[i]));
		rep->dead[i] = dead;
		rep->asked_count++;
	}
	return rep->dead[i];
}

/* ------------------------------------------------------------ replacing one */

static bool ends_with(const char *path, const char *end)
{
	size_t len = strlen(path), end_len = strlen(end);

	return len >= end_len && strcmp(path + len - end_len, end) == 0;
}

/* Whether `c` was of the whole tree or of a mount within it is known of our own; of
 * others it is seen by the name, or by what is there: the number of a container's cgroup
 * is the same for whoever comes after us. */
static int copy_part(struct repair *rep, const struct candidate *c, bool with_inner, int *ret)
{
	const struct attach_dead *named = find_named(rep->scene->job, c->device);
	const char *below = named ? named->below : rep->scene->below;
	char inner[PATH_MAX + CONN_ROOT_MAX];
	bool whole = strcmp(c->part, "/") == 0, inner_first;
	int r;

	snprintf(inner, sizeof(inner), "%s%s", below, whole ? "" : c->part);
	inner_first = below[0] && (named || (whole && ends_with(c->point, below)));
	r = space_copy(&rep->space, inner_first ? inner : c->part, c->attrs, with_inner, ret);
	if (r == -ENOENT && !named && !inner_first && below[0])
		r = space_copy(&rep->space, inner, c->attrs, with_inner, ret);
	if (r == -ENOENT && !named && rep->scene->roots[0]) {
		snprintf(inner, sizeof(inner), SCENE_ROOTS "%s", whole ? "" : c->part);
		r = space_copy(&rep->space, inner, c->attrs, with_inner, ret);
	}
	return r;
}

/* What of the dead is mounted in `c` and comes with a copy of that part as a whole: what
 * is shared comes to all at once then.  Who finds that somebody else has replaced `c` could
 * not tell what is his to put into it.  (Not one that can only be read here: its copies
 * elsewhere could be written.) */
static struct candidate *carried(struct repair *rep, const struct candidate *c)
{
	const char *below = rep->scene->below;
	size_t len = strcmp(c->part, "/") == 0 ? 0 : strlen(c->part), point = strlen(c->point);

	if (!below[0] || strncmp(below, c->part, len) != 0 || below[len] != '/')
		return NULL;
	for (size_t i = 0; i < rep->count; i++) {
		struct candidate *inner = &rep->list[i];

		if (inner->parent == c->id && strncmp(inner->point, c->point, point) == 0 &&
		    strcmp(inner->point + point, below + len) == 0)
			return inner->attrs & MOUNT_ATTR_RDONLY ? NULL : inner;
	}
	return NULL;
}

/* `fd` is the root of the dead mount `c`. */
static int swap(struct repair *rep, const struct candidate *c, int fd, int tree, unsigned int attrs)
{
	_close_ int place = -1;
	uint64_t id;
	int r = space_put_beneath(tree, fd);

	if (r == 0)
		return space_take_off(&rep->space, fd);
	r = space_take_off(&rep->space, fd);
	if (r == -EINVAL)
		return space_put(&rep->space, tree, fd, attrs);
	if (r < 0)
		return r;
	place = space_place(&rep->space, c->point);
	if (place < 0)
		return place;
	r = space_mount_id(&rep->space, place, &id);
	if (r == 0 && id != c->parent)
		r = -ESTALE;
	return r < 0 ? r : space_put(&rep->space, tree, place, attrs);
}

/* Takes off what is dead and has another dead one below it in the same place; *c and
 * *fd are then the lowest. */
static int unstack(struct repair *rep, struct candidate **c, int *fd)
{
	for (int i = 0; i < STACK_MAX; i++) {
		struct candidate *under = find_id(rep, (*c)->parent);
		uint64_t id;
		int r, next;

		if (!under || strcmp(under->point, (*c)->point) != 0 ||
		    !is_known_dead(rep, under->device) || space_take_off(&rep->space, *fd) < 0)
			return 0;
		next = space_place(&rep->space, under->point);
		if (next < 0)
			return next;
		close(*fd);
		*fd = next;
		r = space_mount_id(&rep->space, next, &id);
		if (r < 0 || id != under->id)
			return r < 0 ? r : -ESTALE;
		under->handled = true;
		*c = under;
	}
	return -E2BIG;
}

/* Where nothing is, at `fd`. */
static int put_into(struct repair *rep, struct candidate *c, bool with_inner, int fd)
{
	_close_ int tree = -1;
	int r = copy_part(rep, c, with_inner, &tree);

	if (r == 0)
		r = space_put(&rep->space, tree, fd, c->attrs);
	return r < 0 ? r : space_mount_id(&rep->space, tree, &c->new_id);
}

static void owe(struct repair_owed *owed, const struct candidate *c, bool with_inner)
{
	owed->attrs = c->attrs;
	owed->with_inner = with_inner;
	memcpy(owed->device, c->device, sizeof(owed->device));
	snprintf(owed->part, sizeof(owed->part), "%s", c->part);
	snprintf(owed->point, sizeof(owed->point), "%s", c->point);
	atomic_store(&owed->set, 1);
}

struct look_for {
	uint64_t id;
	const char *point;
	bool found;
};

static bool look_for(void *arg, const struct table_line *line)
{
	struct look_for *look = arg;
	char point[PATH_MAX];

	if (line->id == look->id && table_path(line->point, point, sizeof(point)) == 0)
		look->found = strcmp(point, look->point) == 0;
	return true;
}

/* The last one who was here was killed, or failed, at a bad moment.  What has come to
 * that place since then stays; is it one that is dead, it is replaced like any other. */
static int pay(struct repair *rep, struct repair_owed *owed)
{
	struct candidate c = { .attrs = owed->attrs, .part = owed->part, .point = owed->point };
	_close_ int fd = space_place(&rep->space, owed->point);
	_close_ int table = -1;
	struct look_for look = { .point = owed->point };
	int r = fd < 0 ? fd : space_mount_id(&rep->space, fd, &look.id);

	memcpy(c.device, owed->device, sizeof(c.device));
	if (r == 0) {
		table = space_table(&rep->space);
		r = table < 0 ? table : table_read(table, look_for, &look);
	}
	if (r == 0 && !look.found) {
		r = put_into(rep, &c, owed->with_inner, fd);
		rep->result->repaired += r == 0;
	}
	if (r == 0)
		atomic_store(&owed->set, 0);
	return r;
}

/* `top` is dead, and `*fd` is its root. */
static int replace(struct repair *rep, struct candidate *top, int *fd)
{
	struct candidate *lowest = top, *inner = carried(rep, top);
	_close_ int tree = -1;
	uint64_t id = 0;
	int r = copy_part(rep, top, inner, &tree);

	if (r < 0)
		return r;
	if (top->shared && !space_lock(&rep->space) && !rep->scene->last)
		return -EAGAIN;
	owe(&rep->shared->owed, top, inner);
	r = unstack(rep, &lowest, fd);
	if (r == 0)
		r = swap(rep, lowest, *fd, tree, top->attrs);
	if (r == 0)
		atomic_store(&rep->shared->owed.set, 0);
	if (top->shared)
		space_unlock(&rep->space);
	if (r == 0)
		r = space_mount_id(&rep->space, tree, &id);
	if (r < 0)
		return r;
	if (inner) {
		inner->handled = true;
		rep->result->repaired++;
	}
	for (struct candidate *c = top;; c = find_id(rep, c->parent)) {
		c->new_id = id;
		if (c == lowest)
			return 0;
	}
}

/* A peer of this namespace has been repaired, and that came here. */
static bool is_gone(struct repair *rep, const struct candidate *c)
{
	_close_ int fd = space_place(&rep->space, c->point);
	uint64_t id;

	return fd >= 0 && space_mount_id(&rep->space, fd, &id) == 0 && id != c->id;
}

static void repair_place(struct repair *rep, struct candidate *c)
{
	struct candidate *outer = find_id(rep, c->parent), *top;
	_close_ int fd = space_place(&rep->space, c->point);
	uint64_t id;
	int r = fd < 0 ? fd : space_mount_id(&rep->space, fd, &id);

	if (r == -ENOENT || r == -ENOTDIR) {
		rep->result->hidden++;
		return;
	}
	if (r == -EXDEV && !rep->scene->last) { /* it was taken off while we walked */
		atomic_store(&rep->shared->again, 1);
		return;
	}
	if (r < 0) {
		fail(rep, c->point, r);
		return;
	}
	if (outer && outer->new_id == id && strcmp(outer->point, c->point) != 0) {
		r = put_into(rep, c, false,
			     fd); /* it went with the dead directory that it was in */
	} else {
		top = find_id(rep, id);
		if (!top || strcmp(top->point, c->point) != 0) {
			rep->result->hidden++;
			return;
		}
		if (!is_dead(rep, top->device, fd))
			return;
		c = top;
		c->handled = true;
		r = replace(rep, c, &fd);
	}
	if (r == 0)
		rep->result->repaired++;
	else if (r == -EAGAIN && !rep->scene->last)
		atomic_store(&rep->shared->again, 1);
	else if (!(c->shared || c->slave) || !is_gone(rep, c))
		fail(rep, c->point, r);
}

void repair_namespace(const struct scene *scene, int ns_fd, bool own, struct repair_part *part)
{
	static struct candidate list[CANDIDATES_MAX + 1];
	struct repair rep = {
		.scene = scene, .shared = part, .result = &part->result, .own = own, .list = list
	};
	_close_ int table = -1;
	int r = space_enter(&rep.space, scene->job->mountpoint, ns_fd);

	if (r == 0 && atomic_load(&part->owed.set)) {
		int owed = pay(&rep, &part->owed);

		if (owed < 0)
			fail(&rep, part->owed.point, owed);
	}
	if (r == 0) {
		table = space_table(&rep.space);
		r = table < 0 ? table : table_read(table, gather, &rep);
	}
	if (r < 0) {
		fail(&rep, "a mount namespace", r);
		return;
	}
	qsort(list, rep.count, sizeof(list[0]), by_depth);
	for (size_t i = 0; i < rep.count; i++) {
		if (list[i].handled)
			continue;
		if (list[i].slave && !scene->last) {
			atomic_store(&part->again, 1);
			continue;
		}
		list[i].handled = true;
		repair_place(&rep, &list[i]);
	}
}
