/* SPDX-License-Identifier: MIT */
/*
 * nspid.c - the init of a pid namespace before NS_GET_TGID_FROM_PIDNS.
 *
 * The ancestors of a process are looked at as long as they are in its namespace:
 * the last of them is init.  A process that came in from outside (nsenter, or
 * `exec` of a container engine) has its parent outside; then every process is
 * looked at.  That is slow, so one does it at a time; the answer is cached.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "identity.h"
#include "io.h"
#include "text.h"

/* Nobody nests this deep; a longer chain is a loop (pids given out again). */
#define STEPS_MAX 256

/* Is `pid` a process of that namespace, with the number 1 in it? */
static int is_init(struct identity *identity, pid_t pid, uint64_t inode,
		   struct proc_status *ret_status)
{
	int proc_fd = identity->roots->proc_fd, r;
	uint64_t own;

	r = proc_pidns(proc_fd, pid, &own);
	if (r < 0)
		return r;
	if (own != inode)
		return -EXDEV;
	r = proc_status(proc_fd, pid, ret_status);
	return r < 0 ? r : ret_status->innermost == 1;
}

static int climb(struct identity *identity, pid_t tid, uint64_t inode, pid_t *ret)
{
	struct proc_status status;
	pid_t pid = tid;
	int r;

	for (int i = 0; i < STEPS_MAX && pid > 0; i++) {
		r = is_init(identity, pid, inode, &status);
		if (r < 0)
			return r;
		if (r > 0) {
			*ret = status.tgid;
			return 0;
		}
		pid = status.ppid;
	}
	return -ESRCH;
}

static int scan(struct identity *identity, uint64_t inode, pid_t *ret)
{
	int fd = openat(identity->roots->proc_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct proc_status status;
	struct dirent *entry;
	int r = -ESRCH;
	uint64_t pid;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while ((entry = readdir(dir))) {
		if (parse_u64(text_of(entry->d_name), &pid) < 0 || pid > INT32_MAX)
			continue;
		if (is_init(identity, (pid_t)pid, inode, &status) > 0) {
			*ret = status.tgid;
			r = 0;
			break;
		}
	}
	closedir(dir);
	return r;
}

int nspid_find(struct identity *identity, pid_t tid, uint64_t inode, pid_t *ret)
{
	int r = climb(identity, tid, inode, ret);

	if (r == 0)
		return 0;
	pthread_mutex_lock(&identity->scan_lock);
	r = scan(identity, inode, ret);
	pthread_mutex_unlock(&identity->scan_lock);
	return r;
}
