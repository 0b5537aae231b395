/* SPDX-License-Identifier: MIT */
/*
 * nspid.c - the init of a pid namespace before NS_GET_TGID_FROM_PIDNS.
 *
 * The ancestors of a process are followed as long as they are in its namespace:
 * the last of them is init.  A process that came in from outside (nsenter, or
 * `exec` of a container engine) has its parent outside; but engines put it into the
 * cgroup that init is in, so the first processes there are looked at.  If that does
 * not help either, every process is.  That is slow and a tenant can provoke it, so
 * one does it at a time, within a time limit, and the outcome is remembered, a
 * failure too.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "identity.h"
#include "io.h"
#include "path.h"
#include "text.h"

/* Nobody nests this deep; a longer chain is a loop (pids given out again). */
#define STEPS_MAX   256
#define LIMIT_MS    50
#define REMEMBER_MS 1000
#define MS	    1000000u

/* In the innermost namespace it has the number 1. */
static bool is_init(struct identity *identity, pid_t pid, pid_t *ret_tgid)
{
	struct proc_status status;

	if (proc_status(identity->roots->proc_fd, pid, &status) < 0 || status.innermost != 1)
		return false;
	*ret_tgid = status.tgid;
	return true;
}

static bool is_in(struct identity *identity, pid_t pid, uint64_t inode)
{
	uint64_t own;

	return proc_pidns(identity->roots->proc_fd, pid, &own) == 0 && own == inode;
}

static int climb(struct identity *identity, pid_t tid, uint64_t inode, uint64_t end_ns, pid_t *ret)
{
	pid_t pid = tid, parent;

	if (!is_in(identity, tid, inode))
		return -ESRCH;
	for (int i = 0; i < STEPS_MAX && io_now_ns() < end_ns; i++) {
		int r = proc_parent(identity->roots->proc_fd, pid, &parent);

		if (r < 0)
			return r;
		if (parent == 0 || !is_in(identity, parent, inode))
			return is_init(identity, pid, ret) ? 0 : -ESRCH;
		pid = parent;
	}
	return -ESRCH;
}

/* Init is the oldest of its namespace, so mostly among the first. */
static int look_nearby(struct identity *identity, const struct init_hint *hint, uint64_t inode,
		       uint64_t end_ns, pid_t *ret)
{
	_close_ int dir = hint->hierarchy ? hierarchy_open(hint->hierarchy, hint->path) : -1;
	_close_ int fd = dir < 0 ? -1 : path_open(dir, "cgroup.procs", O_RDONLY, PATH_NO_LINKS);
	struct lxcfsd_text rest, line;
	char buf[4096];
	uint64_t pid;
	ssize_t n = fd < 0 ? -1 : pread(fd, buf, sizeof(buf), 0);

	if (n <= 0)
		return -ESRCH;
	rest = (struct lxcfsd_text){ buf, (size_t)n };
	/* what is cut at the end of the buffer is another number: is_in() says so */
	while (text_line(&rest, &line) && io_now_ns() < end_ns)
		if (parse_u64(line, &pid) == 0 && pid > 0 && pid <= INT32_MAX &&
		    is_in(identity, (pid_t)pid, inode) && is_init(identity, (pid_t)pid, ret))
			return 0;
	return -ESRCH;
}

static int scan(struct identity *identity, uint64_t inode, uint64_t end_ns, pid_t *ret)
{
	int fd = openat(identity->roots->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int r = -ESRCH;
	uint64_t pid;

	if (!dir) {
		io_closep(&fd);
		return -ENOMEM;
	}
	while (r == -ESRCH && (entry = readdir(dir))) {
		if (parse_u64(text_of(entry->d_name), &pid) < 0 || pid > INT32_MAX)
			continue;
		if (is_in(identity, (pid_t)pid, inode) && is_init(identity, (pid_t)pid, ret))
			r = 0;
		else if (io_now_ns() > end_ns)
			r = -ETIMEDOUT;
	}
	closedir(dir);
	return r;
}

/* Under the lock, so that who waited for another's scan has its result. */
static int scan_once(struct identity *identity, uint64_t inode, pid_t *ret)
{
	struct scanned *last = &identity->scanned[inode % SCANNED_MAX];
	uint64_t now = io_now_ns();

	if (last->inode != inode || now >= last->until_ns) {
		*last = (struct scanned){ .inode = inode };
		last->error = scan(identity, inode, now + LIMIT_MS * MS, &last->init);
		last->until_ns = io_now_ns() + REMEMBER_MS * MS;
	}
	if (last->error == 0)
		*ret = last->init;
	return last->error;
}

int nspid_find(struct identity *identity, pid_t tid, uint64_t inode, const struct init_hint *hint,
	       pid_t *ret)
{
	struct timespec until;
	uint64_t end_ns = io_now_ns() + LIMIT_MS * MS;
	int r = climb(identity, tid, inode, end_ns, ret);

	if (r < 0)
		r = look_nearby(identity, hint, inode, end_ns, ret);
	if (r == 0)
		return 0;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LIMIT_MS * MS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}
	if (pthread_mutex_timedlock(&identity->scan_lock, &until) != 0)
		return -ETIMEDOUT;
	r = scan_once(identity, inode, ret);
	pthread_mutex_unlock(&identity->scan_lock);
	return r;
}
