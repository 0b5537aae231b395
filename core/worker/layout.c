/* SPDX-License-Identifier: MIT */
/*
 * layout.c - see layout.h.
 *
 * mountinfo is read from its start: a hierarchy that is mounted several times
 * counts once, and a mount that shows all of it beats one that shows a part.  A
 * mount point that something is mounted over later shows that and not the
 * hierarchy, so it is passed over; on a live machine the device number of what
 * was opened is compared as well, which also notices a cover further up.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "io.h"
#include "layout.h"
#include "path.h"
#include "text.h"

/* A machine with 10,000 containers has some 10 MiB of them. */
#define MOUNTINFO_MAX (64u << 20)
#define WORDS_MAX     16

/* One line, as far as we need it; still escaped. */
struct mount {
	struct lxcfsd_text device, top, point, type, options;
};

/* What v1 can carry; nothing will be added to it any more. */
static const char v1_names[] = "blkio cpu cpuacct cpuset debug devices freezer hugetlb memory "
			       "misc net_cls net_prio perf_event pids rdma";

static const struct {
	const char *v1, *v2;
	uint32_t bit;
} names[CONTROLLER_COUNT] = {
	{ "cpu", "cpu", LXCFSD_CPU },
	{ "cpuacct", NULL, LXCFSD_CPUACCT },
	{ "cpuset", "cpuset", LXCFSD_CPUSET },
	{ "memory", "memory", LXCFSD_MEMORY },
	{ "blkio", "io", LXCFSD_IO },
	{ "pids", "pids", LXCFSD_PIDS },
	{ "hugetlb", "hugetlb", LXCFSD_HUGETLB },
};

static bool text_equal(struct lxcfsd_text a, struct lxcfsd_text b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

static bool parse_mount(struct lxcfsd_text line, struct mount *ret)
{
	struct lxcfsd_text word;

	/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS */
	if (!text_until(&line, ' ', &word) || !text_until(&line, ' ', &word) ||
	    !text_until(&line, ' ', &ret->device) || !text_until(&line, ' ', &ret->top) ||
	    !text_until(&line, ' ', &ret->point) || !text_until(&line, ' ', &word))
		return false;
	do
		if (!text_until(&line, ' ', &word))
			return false;
	while (!text_is(word, "-"));
	return text_until(&line, ' ', &ret->type) && text_until(&line, ' ', &word) &&
	       text_until(&line, ' ', &ret->options);
}

/* mountinfo writes blank, tab, newline and backslash as \ooo. */
static char *unescape(struct lxcfsd_text text)
{
	char *out = malloc(text.len + 1);
	size_t len = 0;

	if (!out)
		return NULL;
	for (size_t i = 0; i < text.len; i++) {
		const char *c = text.data + i;

		if (*c == '\\' && text.len - i > 3 && c[1] >= '0' && c[1] <= '3' && c[2] >= '0' &&
		    c[2] <= '7' && c[3] >= '0' && c[3] <= '7') {
			out[len++] = (char)((c[1] - '0') * 64 + (c[2] - '0') * 8 + c[3] - '0');
			i += 3;
		} else {
			out[len++] = *c;
		}
	}
	out[len] = '\0';
	return out;
}

static bool is_v1_name(struct lxcfsd_text option)
{
	struct lxcfsd_text rest = text_of(v1_names), name;

	if (option.len > 5 && memcmp(option.data, "name=", 5) == 0)
		return true;
	while (text_word(&rest, &name))
		if (text_equal(name, option))
			return true;
	return false;
}

static int compare_words(const void *a, const void *b)
{
	const struct lxcfsd_text *x = a, *y = b;
	int r = memcmp(x->data, y->data, x->len < y->len ? x->len : y->len);

	return r ? r : (x->len > y->len) - (x->len < y->len);
}

/* "rw,cpuacct,cpu" -> "cpu,cpuacct" and its bits. */
static int v1_key(struct lxcfsd_text options, struct hierarchy *h)
{
	struct lxcfsd_text words[WORDS_MAX], word;
	size_t count = 0, len = 0;

	while (text_until(&options, ',', &word))
		if (is_v1_name(word) && count < WORDS_MAX)
			words[count++] = word;
	qsort(words, count, sizeof(words[0]), compare_words);
	for (size_t i = 0; i < count; i++) {
		if (words[i].len + 2 > sizeof(h->key) - len)
			return -E2BIG;
		if (len > 0)
			h->key[len++] = ',';
		memcpy(h->key + len, words[i].data, words[i].len);
		len += words[i].len;
		for (size_t n = 0; n < CONTROLLER_COUNT; n++)
			if (text_is(words[i], names[n].v1))
				h->controllers |= names[n].bit;
	}
	h->key[len] = '\0';
	return count > 0 ? 0 : -EINVAL;
}

static bool is_covered(struct lxcfsd_text later, struct lxcfsd_text point)
{
	struct lxcfsd_text line;
	struct mount mount;

	while (text_line(&later, &line))
		if (parse_mount(line, &mount) && text_equal(mount.point, point))
			return true;
	return false;
}

static bool is_device(int fd, struct lxcfsd_text device)
{
	struct lxcfsd_text part;
	uint64_t dev_major, dev_minor;
	struct stat st;

	return text_until(&device, ':', &part) && parse_u64(part, &dev_major) == 0 &&
	       parse_u64(device, &dev_minor) == 0 && fstat(fd, &st) == 0 &&
	       major(st.st_dev) == dev_major && minor(st.st_dev) == dev_minor;
}

static int open_mount(const struct roots *roots, const struct mount *mount)
{
	_free_ char *point = unescape(mount->point);
	int fd;

	if (!point)
		return -ENOMEM;
	if (!path_is_clean(text_of(point)) || point[1] == '\0')
		return -EINVAL;
	fd = path_open(roots->root_fd, point + 1, O_PATH | O_DIRECTORY, PATH_LINKS);
	if (fd >= 0 && roots->live && !is_device(fd, mount->device)) {
		close(fd);
		return -ENOENT;
	}
	return fd;
}

/* cgroup2 has what it lists and no v1 hierarchy took.  It accounts CPU time also
 * without a controller. */
static void v2_controllers(struct layout *layout, struct hierarchy *h)
{
	struct lxcfsd_text rest, word;
	uint32_t taken = 0;
	char buf[1024];
	ssize_t n;

	for (unsigned int i = 0; i < layout->count; i++)
		taken |= layout->list[i].controllers;
	h->controllers = LXCFSD_CPUACCT & ~taken;
	n = h->fd < 0 ? -1 : io_read_at(h->fd, "cgroup.controllers", buf, sizeof(buf));
	rest = (struct lxcfsd_text){ buf, n < 0 ? 0 : (size_t)n };
	while (text_word(&rest, &word))
		for (size_t i = 0; i < CONTROLLER_COUNT; i++)
			if (names[i].v2 && text_is(word, names[i].v2))
				h->controllers |= names[i].bit & ~taken;
}

static struct hierarchy *find_key(struct layout *layout, const struct hierarchy *like)
{
	for (unsigned int i = 0; i < layout->count; i++)
		if (layout->list[i].v2 == like->v2 && strcmp(layout->list[i].key, like->key) == 0)
			return &layout->list[i];
	return NULL;
}

/* One cgroup mount; `later` is what stands behind it. */
static int take_mount(struct layout *layout, const struct roots *roots, const struct mount *mount,
		      struct lxcfsd_text later)
{
	struct hierarchy found = { .fd = -1, .v2 = text_is(mount->type, "cgroup2") }, *there;

	if (!found.v2 && v1_key(mount->options, &found) < 0)
		return 0;
	there = find_key(layout, &found);
	if (there && there->fd >= 0 && strcmp(there->top, "/") == 0)
		return 0;
	if (!there && layout->count == HIERARCHIES_MAX)
		return -E2BIG;
	if (is_covered(later, mount->point))
		return 0;
	found.fd = open_mount(roots, mount);
	if (found.fd < 0)
		return found.fd == -ENOMEM ? -ENOMEM : 0;
	found.top = unescape(mount->top);
	if (!found.top || (there && strcmp(found.top, "/") != 0)) {
		close(found.fd);
		free(found.top);
		return there ? 0 : -ENOMEM;
	}
	if (there) {
		close(there->fd);
		free(there->top);
		found.index = there->index;
	} else {
		found.index = layout->count;
		there = &layout->list[layout->count++];
	}
	*there = found;
	return 0;
}

int layout_read(struct layout *layout, const struct roots *roots)
{
	struct lxcfsd_text rest, line;
	_free_ char *text = NULL;
	struct mount mount;
	int r;

	*layout = (struct layout){ .count = 0 };
	r = io_read_alloc(roots->proc_fd, "self/mountinfo", MOUNTINFO_MAX, &text, &rest.len);
	if (r < 0)
		return r;
	rest.data = text;
	while (text_line(&rest, &line)) {
		if (!parse_mount(line, &mount) ||
		    !(text_is(mount.type, "cgroup") || text_is(mount.type, "cgroup2")))
			continue;
		r = take_mount(layout, roots, &mount, rest);
		if (r < 0) {
			layout_done(layout);
			return r;
		}
	}
	for (unsigned int i = 0; i < layout->count; i++)
		if (layout->list[i].v2)
			v2_controllers(layout, &layout->list[i]);
	return 0;
}

void layout_done(struct layout *layout)
{
	for (unsigned int i = 0; i < layout->count; i++) {
		io_closep(&layout->list[i].fd);
		free(layout->list[i].top);
	}
	layout->count = 0;
}

const struct hierarchy *layout_find(const struct layout *layout, uint32_t controller)
{
	for (unsigned int i = 0; i < layout->count; i++)
		if (layout->list[i].controllers & controller)
			return &layout->list[i];
	return NULL;
}

static bool has_word(const char *key, struct lxcfsd_text word)
{
	struct lxcfsd_text rest = text_of(key), part;

	while (text_until(&rest, ',', &part))
		if (text_equal(part, word))
			return true;
	return false;
}

const struct hierarchy *layout_by_controllers(const struct layout *layout,
					      struct lxcfsd_text controllers)
{
	struct lxcfsd_text first = { "", 0 };

	/* a controller or a name is in one hierarchy only: the first one tells */
	text_until(&controllers, ',', &first);
	for (unsigned int i = 0; i < layout->count; i++) {
		const struct hierarchy *h = &layout->list[i];

		if (first.len == 0 ? h->v2 : !h->v2 && has_word(h->key, first))
			return h;
	}
	return NULL;
}

bool hierarchy_below(const struct hierarchy *hierarchy, struct lxcfsd_text path,
		     struct lxcfsd_text *ret)
{
	struct lxcfsd_text top = text_of(hierarchy->top);
	size_t skip;

	if (!path_is_clean(path) || !path_is_clean(top) || !path_at_or_below(path, top))
		return false;
	skip = path.len == top.len ? top.len : top.len == 1 ? 1 : top.len + 1;
	*ret = (struct lxcfsd_text){ path.data + skip, path.len - skip };
	return true;
}

int hierarchy_open(const struct hierarchy *hierarchy, struct lxcfsd_text path)
{
	char copy[PATH_BYTES_MAX + 1];
	struct lxcfsd_text below;

	if (hierarchy->fd < 0 || !hierarchy_below(hierarchy, path, &below))
		return -ENOENT;
	if (below.len == 0)
		below = text_of(".");
	memcpy(copy, below.data, below.len);
	copy[below.len] = '\0';
	return path_open(hierarchy->fd, copy, O_PATH | O_DIRECTORY, PATH_NO_LINKS);
}
