/* SPDX-License-Identifier: MIT */
/*
 * pidlist.c - numbers of processes, from the host's pid namespace to the reader's.
 *
 * Since Linux 6.11 the kernel says it with one call for each (nsfs, fs/nsfs.c); before
 * that the line NSpid of /proc/PID/status does, and going up from its namespace, which take
 * some 40 us.  Who ended
 * meanwhile, or is not in the reader's namespace, is left out; so the numbers of other
 * containers' and the host's processes are never shown.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <linux/nsfs.h>

#include "cgroup_view.h"
#include "io.h"
#include "parts.h"
#include "proc.h"
#include "text.h"

/* <linux/nsfs.h> of Debian 12 is older. */
#define GET_PID_IN_PIDNS _IOR(0xb7, 0x8, int)

#define CHUNK	   65536
#define DEPTH_MAX  33 /* the kernel nests 32 */
#define LINE_BYTES 8  /* pid_max is 4194304 */
/* Where procfs has to be asked: a thread is held up meanwhile. */
#define LIMIT_NS 1000000000u
/* As many as fit into the largest text (4 MiB) by far. */
#define NUMBERS_MAX (1u << 20)

struct pid_numbers {
	pid_t *list;
	size_t count, cap;
};

/* The reader's view of the others. */
struct namespace
{
	const struct model *model;
	int fd;		    /* its pid namespace; -1: the host's own */
	uint64_t inode;	    /* of that */
	unsigned int depth; /* of that, where procfs is asked */
	bool by_ioctl;
};

static int add(struct pid_numbers *numbers, pid_t pid)
{
	if (numbers->count == numbers->cap) {
		size_t cap = numbers->cap ? numbers->cap * 2 : 256;
		pid_t *list =
			cap <= NUMBERS_MAX ? realloc(numbers->list, cap * sizeof(*list)) : NULL;

		if (!list)
			return cap <= NUMBERS_MAX ? -ENOMEM : -EFBIG;
		numbers->list = list;
		numbers->cap = cap;
	}
	numbers->list[numbers->count++] = pid;
	return 0;
}

/* A line may be in two pieces: what has begun stays in *digits. */
static int take_chunk(struct pid_numbers *numbers, const char *bytes, size_t len, uint64_t *value,
		      bool *digits)
{
	for (size_t i = 0; i < len; i++) {
		int r = 0;

		if (bytes[i] >= '0' && bytes[i] <= '9' && *value < UINT32_MAX) {
			*value = *value * 10 + (uint64_t)(bytes[i] - '0');
			*digits = true;
		} else if (bytes[i] == '\n' && *digits) {
			r = *value && *value <= INT32_MAX ? add(numbers, (pid_t)*value) : 0;
			*value = 0;
			*digits = false;
		} else {
			return -EIO; /* not what we know */
		}
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_numbers(int fd, struct pid_numbers *numbers)
{
	char buf[CHUNK];
	uint64_t value = 0;
	bool digits = false;
	ssize_t n;
	int r;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		r = take_chunk(numbers, buf, (size_t)n, &value, &digits);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The reader may be a thread of any process: what counts is its own namespace. */
static int enter(struct namespace *ns, const struct model *model, pid_t reader)
{
	struct proc_status status;
	int r;

	*ns = (struct namespace){ .model = model, .fd = -1 };
	r = proc_pidns(model->roots.proc_fd, reader, &ns->inode);
	if (r < 0)
		return r;
	if (ns->inode == model->identity.host_pidns)
		return 0;
	ns->fd = proc_open(model->roots.proc_fd, reader, "ns/pid");
	if (ns->fd < 0)
		return ns->fd;
	ns->by_ioctl = ioctl(ns->fd, GET_PID_IN_PIDNS, reader) > 0;
	if (ns->by_ioctl)
		return 0;
	r = proc_status(model->roots.proc_fd, reader, &status);
	ns->depth = r < 0 ? 0 : status.depth;
	return r;
}

/* Numbers of the same depth may be of two namespaces. */
static bool is_in(const struct namespace *ns, pid_t pid)
{
	int fd = proc_open(ns->model->roots.proc_fd, pid, "ns/pid"), above;
	struct stat st = { .st_ino = 0 };

	for (unsigned int i = 0; fd >= 0 && i < DEPTH_MAX; i++) {
		if (fstat(fd, &st) == 0 && st.st_ino == ns->inode)
			break;
		above = ioctl(fd, NS_GET_PARENT);
		close(fd);
		fd = above;
	}
	if (fd >= 0)
		close(fd);
	return fd >= 0 && st.st_ino == ns->inode;
}

static pid_t number_in(const struct namespace *ns, pid_t pid)
{
	pid_t number = 0;
	int n;

	if (ns->fd < 0)
		return pid;
	if (ns->by_ioctl) {
		n = ioctl(ns->fd, GET_PID_IN_PIDNS, pid);
		return n > 0 ? n : 0;
	}
	if (!is_in(ns, pid) || proc_number(ns->model->roots.proc_fd, pid, ns->depth, &number) < 0)
		return 0;
	return number;
}

static int by_number(const void *a, const void *b)
{
	pid_t x = *(const pid_t *)a, y = *(const pid_t *)b;

	return x < y ? -1 : x > y;
}

int pidlist_copy(const struct model *model, pid_t reader, int fd, struct lxcfsd_out *out)
{
	struct pid_numbers numbers = { NULL, 0, 0 };
	struct namespace ns;
	uint64_t end = io_now_ns() + LIMIT_NS;
	size_t kept = 0;
	int r = enter(&ns, model, reader);

	if (r == 0)
		r = read_numbers(fd, &numbers);
	/* what would not fit is not even begun: it would be begun anew with more room */
	if (r == 0 && numbers.count > (out->cap - out->len) / LINE_BYTES)
		r = -ENOSPC;
	for (size_t i = 0; r == 0 && i < numbers.count; i++) {
		pid_t number = number_in(&ns, numbers.list[i]);

		if (number > 0)
			numbers.list[kept++] = number;
		if (ns.fd >= 0 && !ns.by_ioctl && io_now_ns() > end)
			r = -EFBIG;
	}
	if (r == 0 && kept)
		qsort(numbers.list, kept, sizeof(*numbers.list), by_number);
	for (size_t i = 0; r == 0 && i < kept; i++)
		lxcfsd_printf(out, "%d\n", numbers.list[i]);
	free(numbers.list);
	if (ns.fd >= 0)
		close(ns.fd);
	return r;
}
