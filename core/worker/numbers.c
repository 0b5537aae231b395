/* SPDX-License-Identifier: MIT */
/* numbers.c - see numbers.h, and model_subject_by_number(). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "numbers.h"
#include "parts.h"
#include "text.h"

#define MS	    1000000u
#define KERNFS_TYPE 0xfe /* FILEID_KERNFS of linux/exportfs.h: the handle is the number */

void numbers_init(struct numbers *numbers)
{
	memset(numbers, 0, sizeof(*numbers));
	pthread_mutex_init(&numbers->lock, NULL);
}

void numbers_tidy(struct numbers *numbers, uint64_t before_ns)
{
	for (size_t i = 0; i < NUMBERS_CACHED; i++) {
		struct number *n = &numbers->cached[i];
		struct subject *old = NULL;

		pthread_mutex_lock(&numbers->lock);
		if (n->number && n->looked_ns <= before_ns) {
			old = n->subject;
			n->number = 0;
		}
		pthread_mutex_unlock(&numbers->lock);
		subject_unref(old);
	}
}

static struct subject *get(struct numbers *numbers, uint64_t number, uint64_t after_ns)
{
	struct number *n = &numbers->cached[number % NUMBERS_CACHED];
	struct subject *subject = NULL;

	pthread_mutex_lock(&numbers->lock);
	if (n->number == number && n->looked_ns > after_ns)
		subject = subject_ref(n->subject);
	pthread_mutex_unlock(&numbers->lock);
	return subject;
}

static void put(struct numbers *numbers, uint64_t number, struct subject *subject, uint64_t now)
{
	struct number *n = &numbers->cached[number % NUMBERS_CACHED];
	struct subject *old;

	subject_ref(subject);
	pthread_mutex_lock(&numbers->lock);
	old = n->number ? n->subject : NULL;
	*n = (struct number){ number, now, subject };
	pthread_mutex_unlock(&numbers->lock);
	subject_unref(old);
}

/* Where it is, as /proc says of what we have open. */
static int path_of(const struct model *model, int fd, char *ret, size_t size)
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "self/fd/%d", fd);
	n = readlinkat(model->roots.proc_fd, link, ret, size);
	if (n < 0)
		return -errno;
	if ((size_t)n >= size)
		return -ENAMETOOLONG;
	ret[n] = '\0';
	return 0;
}

static int open_number(const struct hierarchy *h, uint64_t number)
{
	struct {
		struct file_handle head;
		uint8_t number[sizeof(number)];
	} handle = { .head = { .handle_bytes = sizeof(number), .handle_type = KERNFS_TYPE } };
	/* one that was opened for its path alone will not do */
	_close_ int top = openat(h->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd;

	if (top < 0)
		return -errno;
	memcpy(handle.head.f_handle, &number, sizeof(number));
	fd = open_by_handle_at(top, &handle.head, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* The hierarchy's own directory is a prefix of whatever is in it. */
static int find_path(const struct model *model, const struct hierarchy *h, uint64_t number,
		     char *ret, size_t size)
{
	char top[PATH_MAX], path[PATH_MAX];
	_close_ int fd = open_number(h, number), again = -1;
	size_t len;
	struct stat st;
	int r, n;

	if (fd < 0)
		return fd == -ESTALE ? -ENOENT : fd;
	r = path_of(model, h->fd, top, sizeof(top));
	if (r == 0)
		r = path_of(model, fd, path, sizeof(path));
	if (r < 0)
		return r;
	len = strcmp(top, "/") == 0 ? 0 : strlen(top);
	if (strncmp(path, top, len) != 0 || (path[len] != '/' && path[len] != '\0'))
		return -ENOENT;
	n = snprintf(ret, size, "%s%s", strcmp(h->top, "/") == 0 ? "" : h->top, path + len);
	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	if (n == 0)
		snprintf(ret, size, "/");
	/* it may be removed, or renamed meanwhile */
	again = hierarchy_open(h, text_of(ret));
	return again >= 0 && fstat(again, &st) == 0 && st.st_ino == number ? 0 : -ENOENT;
}

static const struct hierarchy *main_hierarchy(const struct layout *layout)
{
	const struct hierarchy *h = layout_find(layout, LXCFSD_MEMORY);

	if (!h)
		h = layout_find(layout, LXCFSD_CPU);
	return h && h->fd >= 0 ? h : NULL;
}

int model_subject_by_number(struct model *model, uint64_t number, struct subject **ret)
{
	const struct hierarchy *h = main_hierarchy(&model->layout);
	uint64_t now = io_now_ns(), age = model->settings->cache_ms * MS;
	struct subject *subject = get(&model->numbers, number, now > age ? now - age : 0);
	char path[PATH_MAX];
	int r;

	if (!h || !number)
		return -ENOENT;
	if (!subject) {
		r = find_path(model, h, number, path, sizeof(path));
		if (r == 0)
			r = model_subject_by_path(model, path, &subject);
		if (r < 0)
			return r;
		put(&model->numbers, number, subject, now);
	}
	if (subject_is_root(subject, 0)) {
		subject_unref(subject);
		return LXCFSD_NO_VIEW;
	}
	*ret = subject;
	return 0;
}
