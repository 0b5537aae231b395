/* SPDX-License-Identifier: MIT */
/*
 * tasks.c - see tasks.h.
 *
 * cgroup.threads (v2) or tasks (v1) of each cgroup of the subtree lists thread ids;
 * the state of one is in /proc/TID/task/TID/stat: /proc/TID/stat would add up the
 * times of all threads of its process each time.  A tenant decides how many there
 * are, so the walk has an end in time, in depth and in number.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "io.h"
#include "parts.h"
#include "path.h"
#include "proc.h"
#include "tasks.h"
#include "text.h"

#define DEPTH_MAX 16
#define DIRS_MAX  1024
/* On a machine that is busy the walk itself waits for a CPU: just then the load is high
 * and none of it may be missed. */
#define WAIT_FACTOR 10

struct walk {
	const struct roots *roots;
	uint64_t used_end_ns; /* of CPU time */
	uint64_t end_ns;
	unsigned int dirs;
	struct tasks tasks;
	pid_t youngest;
	uint64_t youngest_start;
	bool over;
};

static void look_at_thread(struct walk *walk, pid_t tid)
{
	struct proc_thread thread;

	if (proc_thread(walk->roots->proc_fd, tid, &thread) < 0)
		return; /* it has ended */
	walk->tasks.threads++;
	walk->tasks.running += thread.state == 'R';
	walk->tasks.blocked += thread.state == 'D';
	if (thread.start > walk->youngest_start ||
	    (thread.start == walk->youngest_start && tid > walk->youngest)) {
		walk->youngest = tid;
		walk->youngest_start = thread.start;
	}
}

static void look_at_time(struct walk *walk)
{
	walk->over = io_used_ns() > walk->used_end_ns || io_now_ns() > walk->end_ns;
}

static void look_at_threads(struct walk *walk, int dirfd)
{
	_close_ int fd = path_open(dirfd, "cgroup.threads", O_RDONLY, PATH_NO_LINKS);
	struct lxcfsd_text rest, line;
	char buf[8192];
	size_t held = 0;
	uint64_t tid;
	ssize_t n;

	if (fd == -ENOENT)
		fd = path_open(dirfd, "tasks", O_RDONLY, PATH_NO_LINKS);
	while (fd >= 0 && !walk->over && (n = read(fd, buf + held, sizeof(buf) - held)) > 0) {
		const char *end = memrchr(buf, '\n', held + (size_t)n);

		if (!end)
			return; /* no list of numbers */
		rest = (struct lxcfsd_text){ buf, (size_t)(end + 1 - buf) };
		held = held + (size_t)n - rest.len;
		while (!walk->over && text_line(&rest, &line)) {
			if (parse_u64(line, &tid) == 0 && tid > 0 && tid <= INT32_MAX)
				look_at_thread(walk, (pid_t)tid);
			look_at_time(walk);
		}
		memmove(buf, end + 1, held);
	}
}

static void look_at_dir(struct walk *walk, int dirfd, const char *path, unsigned int depth)
{
	int fd = path_open(dirfd, path, O_RDONLY | O_DIRECTORY, PATH_NO_LINKS);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		io_closep(&fd);
		return;
	}
	look_at_threads(walk, fd);
	look_at_time(walk); /* there may be many with nobody in them */
	while (!walk->over && depth < DEPTH_MAX && walk->dirs < DIRS_MAX &&
	       (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		walk->dirs++;
		look_at_dir(walk, fd, entry->d_name, depth + 1);
	}
	closedir(dir);
}

/* The number that the container itself knows the thread by. */
static uint32_t own_number(const struct walk *walk, const struct subject *subject)
{
	struct proc_status init;
	pid_t number = 0;

	if (walk->youngest == 0)
		return 0;
	if (subject->init == 0)
		return (uint32_t)walk->youngest;
	if (proc_status(walk->roots->proc_fd, subject->init, &init) < 0 ||
	    proc_number(walk->roots->proc_fd, walk->youngest, init.depth, &number) < 0)
		return 0;
	return (uint32_t)number;
}

int tasks_count(struct model *model, const struct subject *subject, uint64_t slice_ns,
		struct tasks *ret)
{
	struct walk walk = {
		.roots = &model->roots,
		.used_end_ns = io_used_ns() + slice_ns,
		.end_ns = io_now_ns() + WAIT_FACTOR * slice_ns,
	};
	uint64_t inode;
	_close_ int fd = subject_open(model, subject, &inode);

	if (fd < 0)
		return fd;
	look_at_dir(&walk, fd, ".", 0);
	walk.tasks.last_pid = own_number(&walk, subject);
	walk.tasks.last_start = walk.youngest_start;
	*ret = walk.tasks;
	return 0;
}
