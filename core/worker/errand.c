/* SPDX-License-Identifier: MIT */
/*
 * errand.c - see errand.h, and deputy.h for why.
 *
 * Everything here runs in processes of their own: the deputy, which only makes children;
 * the child of one errand; and for a process number two of that one's own, one after the
 * other, in the caller's pid namespace, who share its descriptors.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>

#include "errand.h"
#include "io.h"
#include "parts.h"
#include "path.h"
#include "proc.h"
#include "text.h"
#include "vault.h"

/* The deputy's own; the others are above. */
#define SOCK_FD	 3
#define PROC_FD	 4
#define FIRST_FD 5

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

struct job {
	struct model *model;
	struct errand *errand;
	int fds[ERRAND_FDS];
	int pipe[2];	   /* of what is done in the namespace */
	int subject_pidfd; /* whom a number stands for */
};

/* ------------------------------------------------------------------ become */

/* Raw calls: the C library's would speak to threads that are not here any more. */
static int become(const struct errand *errand)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2];

	memset(none, 0, sizeof(none));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(SYS_setgroups, (long)errand->group_count, errand->groups) < 0 ||
	    syscall(SYS_setresgid, errand->caller_gid, errand->caller_gid, errand->caller_gid) <
		    0 ||
	    syscall(SYS_setresuid, errand->caller_uid, errand->caller_uid, errand->caller_uid) <
		    0 ||
	    syscall(SYS_capset, &head, none) < 0)
		return -errno;
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

/* -------------------------------------------------------------------- changes */

static int write_bytes(const struct errand *errand, int dir_fd, const char *bytes, size_t len)
{
	int fd = openat(dir_fd, errand->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY), r;
	struct stat st;
	ssize_t n;

	if (fd < 0)
		return -errno;
	if (errand->inode && (fstat(fd, &st) < 0 || st.st_ino != errand->inode)) {
		close(fd);
		return -ENODEV; /* what was opened is gone, and another one has its name */
	}
	n = write(fd, bytes, len);
	r = n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
	close(fd);
	return r;
}

static int change(const struct errand *errand, int dir_fd)
{
	int r;

	switch (errand->kind) {
	case LXCFSD_CHANGE_WRITE:
		return write_bytes(errand, dir_fd, errand->bytes, errand->len);
	case LXCFSD_CHANGE_MKDIR:
		r = mkdirat(dir_fd, errand->name, errand->mode & 0777);
		break;
	case LXCFSD_CHANGE_RMDIR:
		r = unlinkat(dir_fd, errand->name, AT_REMOVEDIR);
		break;
	case LXCFSD_CHANGE_OWNER:
		r = fchownat(dir_fd, errand->name, errand->uid, errand->gid, AT_SYMLINK_NOFOLLOW);
		break;
	case LXCFSD_CHANGE_MODE:
		r = fchmodat(dir_fd, errand->name, errand->mode & 0777, 0);
		break;
	default:
		return -EPERM;
	}
	return r < 0 ? -errno : 0;
}

/* ---------------------------------------------------------- in the namespace */

static long clone_sharing_files(void)
{
	const long flags = CLONE_FILES | SIGCHLD;

#ifdef __s390x__
	return syscall(SYS_clone, NULL, flags, NULL, NULL, NULL);
#else
	return syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
#endif
}

/* Runs `what` in a child, whose answer is *ret; in the namespace that is for children. */
static int run_child(struct job *job, int (*what)(struct job *), int *ret)
{
	int result;
	long pid = clone_sharing_files();

	if (pid == 0) {
		result = become(job->errand);
		if (result == 0)
			result = what(job);
		(void)!write(job->pipe[1], &result, sizeof(result));
		_exit(0);
	}
	if (pid < 0)
		return -errno;
	while (waitpid((pid_t)pid, NULL, 0) < 0 && errno == EINTR)
		;
	return read(job->pipe[0], ret, sizeof(*ret)) == sizeof(*ret) ? 0 : -EINTR;
}

static int name_subject(struct job *job)
{
	const struct errand *errand = job->errand;
	int fd = (int)syscall(SYS_pidfd_open, errand->number, 0);

	/* not the first thread of its process: that takes a newer kernel */
	if (fd < 0 && errand->pids == DEPUTY_THREAD)
		fd = (int)syscall(SYS_pidfd_open, errand->number, PIDFD_THREAD);
	if (fd < 0)
		return errno == ENOENT || errno == EINVAL ? -EINVAL : -errno;
	return fd;
}

static int write_number(struct job *job)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", job->errand->number);

	return write_bytes(job->errand, job->fds[ERRAND_DIR], text, (size_t)len);
}

/* ------------------------------------------------------------ the process */

/* "Pid:\t123" of a pidfd, here. */
static int number_here(struct job *job, pid_t *ret)
{
	char path[48], buf[1024];
	struct lxcfsd_text rest, line, word;
	uint64_t pid;
	ssize_t n;

	snprintf(path, sizeof(path), "self/fdinfo/%d", job->subject_pidfd);
	n = io_read_at(job->model->roots.proc_fd, path, buf, sizeof(buf));
	rest = (struct lxcfsd_text){ buf, n > 0 ? (size_t)n : 0 };
	while (text_line(&rest, &line))
		if (text_word(&line, &word) && text_is(word, "Pid:") && text_word(&line, &word) &&
		    parse_u64(word, &pid) == 0 && pid > 0 && pid <= INT32_MAX) {
			*ret = (pid_t)pid;
			return 0;
		}
	return -ESRCH; /* it has ended */
}

/* In the container's cgroup of this hierarchy, or below it. */
static int check_place(struct job *job, pid_t pid)
{
	const struct errand *errand = job->errand;
	const struct layout *layout = &job->model->layout;
	_close_ int fd = proc_open(job->model->roots.proc_fd, pid, "cgroup");
	struct lxcfsd_text rest, line, id, controllers, own = text_of(errand->own);
	struct small_file file;
	int r = fd < 0 ? fd : small_file_read(&file, fd);

	if (r < 0)
		return r;
	rest = file.text;
	r = -EPERM;
	while (r == -EPERM && text_line(&rest, &line)) {
		const struct hierarchy *h;

		if (!text_until(&line, ':', &id) || !text_until(&line, ':', &controllers))
			continue;
		h = layout_by_controllers(layout, controllers);
		if (h && h->index == errand->hierarchy && path_is_clean(line) &&
		    path_at_or_below(line, own))
			r = 0;
	}
	small_file_done(&file);
	return r;
}

static bool is_alive(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* The caller himself, who waits for us. */
static int take_caller(struct job *job)
{
	pid_t tid = -job->errand->number;
	struct proc_status status = { .tgid = tid };
	int r = job->errand->pids == DEPUTY_PROCESS
			? proc_status(job->model->roots.proc_fd, tid, &status)
			: 0;

	if (r < 0)
		return r;
	job->errand->number = status.tgid;
	return name_subject(job);
}

static int move_process(struct job *job)
{
	bool caller = job->errand->number < 0;
	pid_t pid;
	int r, result;

	signal(SIGCHLD, SIG_DFL);
	if (pipe2(job->pipe, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	if (!caller && setns(job->fds[ERRAND_NS], CLONE_NEWPID) < 0)
		return -errno;
	close(job->fds[ERRAND_NS]);
	result = 0;
	r = caller ? take_caller(job) : run_child(job, name_subject, &result);
	if (caller)
		result = r, r = 0;
	if (r < 0 || result < 0)
		return r < 0 ? r : result;
	job->subject_pidfd = result;
	r = number_here(job, &pid);
	if (r == 0)
		r = check_place(job, pid);
	if (r == 0)
		r = run_child(job, write_number, &result);
	if (r == 0)
		r = result;
	/* its number may have been another's already when it was written */
	return r == 0 && !is_alive(job->subject_pidfd) ? -ESRCH : r;
}

/* ------------------------------------------------------------------ errands */

/* That it was done, and with which result: for whoever replays the request. */
static void record(const struct job *job, _Atomic uint64_t *deed, int result)
{
	uint64_t begun = job->errand->deed;

	if (deed)
		atomic_compare_exchange_strong(deed, &begun,
					       (begun & ~(uint64_t)UINT32_MAX) |
						       (DEED_DONE + (uint32_t)-result));
}

/* The page that the deed is on; nobody in the container's namespace is to have it. */
static _Atomic uint64_t *map_deed(const struct job *job)
{
	uint64_t at = job->errand->deed_at, page = at & ~(uint64_t)4095;
	char *mapped;

	if (!at || at >= VAULT_SIZE - sizeof(uint64_t) || at % sizeof(uint64_t))
		return NULL;
	mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, job->fds[ERRAND_VAULT],
		      (off_t)page);
	if (mapped == MAP_FAILED || madvise(mapped, 4096, MADV_DONTFORK) < 0)
		return NULL;
	return (_Atomic uint64_t *)(void *)(mapped + (at - page));
}

static _Noreturn void run(struct job *job)
{
	_Atomic uint64_t *deed = map_deed(job);
	int32_t result;

	close(job->fds[ERRAND_VAULT]);
	close(SOCK_FD);
	umask(0); /* the caller's was taken off already */
	if (job->errand->pids != DEPUTY_NO_PIDS) {
		result = move_process(job);
	} else {
		result = become(job->errand);
		if (result == 0)
			result = change(job->errand, job->fds[ERRAND_DIR]);
	}
	if (result < -4095 || result > 0)
		result = -EIO;
	record(job, deed, result);
	(void)!write(job->fds[ERRAND_REPLY], &result, sizeof(result));
	_exit(0);
}

static bool is_sound(const struct errand *errand, size_t len, unsigned int fd_count)
{
	return len == sizeof(*errand) && errand->len <= DEPUTY_BYTES_MAX &&
	       errand->group_count <= DEPUTY_GROUPS_MAX &&
	       memchr(errand->name, '\0', sizeof(errand->name)) &&
	       memchr(errand->own, '\0', sizeof(errand->own)) && errand->name[0] &&
	       errand->caller_uid != UINT32_MAX && errand->caller_gid != UINT32_MAX &&
	       !strchr(errand->name, '/') &&
	       fd_count == (errand->pids == DEPUTY_NO_PIDS ? ERRAND_FDS - 1u : ERRAND_FDS);
}

/* False: the other side is gone. */
static bool take_errand(int sock, struct errand *errand, struct job *job)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(ERRAND_FDS * sizeof(int))];
	} control;
	struct iovec iov = { errand, sizeof(*errand) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	const struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	unsigned int count = 0;

	if (n == 0 || (n < 0 && errno != EINTR))
		return false;
	if (head && head->cmsg_type == SCM_RIGHTS)
		count = (unsigned int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	if (count)
		memcpy(job->fds, CMSG_DATA(head), count * sizeof(int));
	if (n > 0 && is_sound(errand, (size_t)n, count) && fork() == 0)
		run(job);
	for (unsigned int i = 0; i < count; i++)
		close(job->fds[i]);
	return true;
}

void errand_loop(struct model *model, int sock)
{
	static struct errand errand;
	struct job job = { .model = model, .errand = &errand };
	int proc = fcntl(model->roots.proc_fd, F_DUPFD_CLOEXEC, 64);

	/* of all that the worker has open, and may have to be closed, nothing else */
	if (proc < 0 || dup3(sock, SOCK_FD, O_CLOEXEC) < 0 || dup3(proc, PROC_FD, O_CLOEXEC) < 0)
		return;
	close_range(FIRST_FD, ~0u, 0);
	model->roots.proc_fd = PROC_FD;
	while (take_errand(SOCK_FD, &errand, &job))
		;
}
