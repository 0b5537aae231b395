/* SPDX-License-Identifier: MIT */
/* proc.c - see proc.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io.h"
#include "proc.h"
#include "text.h"

/* 14 paths of at most 4 KiB. */
#define BIG_SIZE 65536
/* A process may be in 65536 groups, which stand in the middle of it. */
#define STATUS_MAX (1u << 20)

int small_file_read(struct small_file *file, int fd)
{
	ssize_t n = io_pread_all(fd, file->small, sizeof(file->small));

	file->big = NULL;
	file->text.data = file->small;
	if (n == -EFBIG) {
		file->big = malloc(BIG_SIZE);
		if (!file->big)
			return -ENOMEM;
		file->text.data = file->big;
		n = io_pread_all(fd, file->big, BIG_SIZE);
	}
	if (n < 0) {
		small_file_done(file);
		return (int)n;
	}
	file->text.len = (size_t)n;
	return 0;
}

void small_file_done(struct small_file *file)
{
	free(file->big);
	file->big = NULL;
}

int proc_open(int proc_fd, pid_t pid, const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%d/%s", (int)pid, name);
	fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd >= 0)
		return fd;
	return errno == ENOENT ? -ESRCH : -errno;
}

int proc_pidns(int proc_fd, pid_t pid, uint64_t *ret)
{
	char path[32], target[64];
	struct lxcfsd_text text = { target, 0 };
	uint64_t inode;
	ssize_t n;

	snprintf(path, sizeof(path), "%d/ns/pid", (int)pid);
	n = readlinkat(proc_fd, path, target, sizeof(target));
	if (n < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	/* "pid:[4026531836]" */
	if (n < 7 || (size_t)n == sizeof(target) || memcmp(target, "pid:[", 5) != 0 ||
	    target[n - 1] != ']')
		return -EINVAL;
	text = (struct lxcfsd_text){ target + 5, (size_t)n - 6 };
	if (parse_u64(text, &inode) < 0 || inode == 0)
		return -EINVAL;
	*ret = inode;
	return 0;
}

static int parse_pid(struct lxcfsd_text text, pid_t *ret)
{
	uint64_t value;
	int r = parse_u64(text, &value);

	if (r < 0)
		return r;
	if (value > INT32_MAX)
		return -ERANGE;
	*ret = (pid_t)value;
	return 0;
}

/* The kernel writes the name first and escapes its newlines: no line is forged. */
int proc_status(int proc_fd, pid_t pid, struct proc_status *ret)
{
	struct proc_status status = { .tgid = -1, .ppid = -1 };
	struct lxcfsd_text rest, line, key, word;
	_free_ char *text = NULL;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%d/status", (int)pid);
	r = io_read_alloc(proc_fd, path, STATUS_MAX, &text, &rest.len);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	rest.data = text;
	while (r == 0 && text_line(&rest, &line) && text_until(&line, ':', &key)) {
		if (text_is(key, "Tgid"))
			r = parse_pid(line, &status.tgid);
		else if (text_is(key, "PPid"))
			r = parse_pid(line, &status.ppid);
		else if (text_is(key, "NStgid"))
			for (; r == 0 && text_word(&line, &word); status.depth++)
				r = parse_pid(word, &status.innermost);
	}
	if (r < 0 || status.tgid < 0 || status.ppid < 0 || status.depth == 0)
		return -EINVAL;
	*ret = status;
	return 0;
}

int proc_number(int proc_fd, pid_t tid, unsigned int depth, pid_t *ret)
{
	struct lxcfsd_text rest, line, key, word = { NULL, 0 };
	_free_ char *text = NULL;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "%d/status", (int)tid);
	r = io_read_alloc(proc_fd, path, STATUS_MAX, &text, &rest.len);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	rest.data = text;
	while (text_line(&rest, &line) && text_until(&line, ':', &key)) {
		if (!text_is(key, "NSpid"))
			continue;
		for (unsigned int i = 0; i < depth; i++)
			if (!text_word(&line, &word))
				return -ESRCH;
		return parse_pid(word, ret);
	}
	return -ESRCH;
}

/* The fields of /proc/PID/stat behind the name: *ret_rest begins with the third. */
static int stat_fields(int proc_fd, pid_t pid, const char *name, char *buf, size_t size,
		       struct lxcfsd_text *ret_rest)
{
	_close_ int fd = proc_open(proc_fd, pid, name);
	const char *end;
	ssize_t n;

	if (fd < 0)
		return fd;
	n = io_pread_all(fd, buf, size);
	if (n < 0)
		return (int)n;
	/* the name is in parentheses and may hold any byte */
	end = memrchr(buf, ')', (size_t)n);
	if (!end)
		return -EINVAL;
	*ret_rest = (struct lxcfsd_text){ end + 1, (size_t)(buf + n - (end + 1)) };
	return 0;
}

static int stat_field(int proc_fd, pid_t pid, int number, uint64_t *ret)
{
	struct lxcfsd_text rest, word;
	char buf[2048];
	int r = stat_fields(proc_fd, pid, "stat", buf, sizeof(buf), &rest);

	if (r < 0)
		return r;
	for (int field = 3; field <= number; field++)
		if (!text_word(&rest, &word))
			return -EINVAL;
	return parse_u64(word, ret);
}

int proc_start(int proc_fd, pid_t pid, uint64_t *ret)
{
	return stat_field(proc_fd, pid, 22, ret);
}

int proc_parent(int proc_fd, pid_t pid, pid_t *ret)
{
	uint64_t ppid;
	int r = stat_field(proc_fd, pid, 4, &ppid);

	if (r < 0)
		return r;
	if (ppid > INT32_MAX)
		return -EINVAL;
	*ret = (pid_t)ppid;
	return 0;
}

int proc_thread(int proc_fd, pid_t tid, struct proc_thread *ret)
{
	struct lxcfsd_text rest, state, word;
	char name[32], buf[2048];
	uint64_t start;
	int r;

	snprintf(name, sizeof(name), "task/%d/stat", (int)tid);
	r = stat_fields(proc_fd, tid, name, buf, sizeof(buf), &rest);
	if (r < 0)
		return r;
	if (!text_word(&rest, &state))
		return -EINVAL;
	for (int field = 4; field <= 22; field++)
		if (!text_word(&rest, &word))
			return -EINVAL;
	r = parse_u64(word, &start);
	if (r < 0)
		return r;
	*ret = (struct proc_thread){ state.data[0], start };
	return 0;
}

static int parse_signed(struct lxcfsd_text text, int64_t *ret)
{
	bool negative = text.len > 0 && text.data[0] == '-';
	uint64_t value;
	int r;

	if (negative)
		text = (struct lxcfsd_text){ text.data + 1, text.len - 1 };
	r = parse_u64(text, &value);
	if (r < 0)
		return r;
	if (value > INT64_MAX)
		return -ERANGE;
	*ret = negative ? -(int64_t)value : (int64_t)value;
	return 0;
}

int proc_boottime_offset(int proc_fd, pid_t pid, int64_t *ret_ns)
{
	_close_ int fd = proc_open(proc_fd, pid, "timens_offsets");
	struct lxcfsd_text rest, line, word;
	int64_t s, ns;
	char buf[512];
	ssize_t n;

	*ret_ns = 0;
	if (fd == -ESRCH)
		return 0; /* a kernel without them */
	if (fd < 0)
		return fd;
	n = io_pread_all(fd, buf, sizeof(buf));
	if (n < 0)
		return (int)n;
	rest = (struct lxcfsd_text){ buf, (size_t)n };
	while (text_line(&rest, &line)) {
		if (!text_word(&line, &word) || !text_is(word, "boottime"))
			continue;
		if (!text_word(&line, &word) || parse_signed(word, &s) < 0 ||
		    !text_word(&line, &word) || parse_signed(word, &ns) < 0 ||
		    __builtin_mul_overflow(s, (int64_t)1000000000, &s) ||
		    __builtin_add_overflow(s, ns, ret_ns))
			return -EINVAL;
	}
	return 0;
}
