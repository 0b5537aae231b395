/* SPDX-License-Identifier: MIT */
/*
 * move.c - a process number is written, in the caller's numbering: see deputy.h.
 *
 * Theory of operation.  Three processes.  The child of the errand stays root and outside;
 * what it asks of the others it waits for, for a limited time, and it kills them.
 * The *leader* prepares, outside, whatever is to be in the namespace: it enters it for its
 * children, has an empty directory as its root, becomes the caller, opens the file as he,
 * closes all else, and gives up every system call that is not needed.  Only then it makes
 * the *guest*, which is in the namespace: that opens a pidfd for the number, hands it out,
 * and when it is told so writes the number to the file.
 *
 * So what a container can see and stop there, and trace if it has the capability for that,
 * has nothing that the caller does not have: no capability, no file but that one, no
 * directory, no memory that is shared.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"
#include "errand.h"
#include "io.h"
#include "parts.h"
#include "path.h"
#include "proc.h"
#include "text.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* Linux 6.9 */
#endif

/* Of the leader and the guest. */
#define TALK_FD 0
#define FILE_FD 1

#define MS 1000000u

/* What they say: an error, or the guest's number; with a pidfd; at last what came of it. */
struct word {
	int32_t result;
};

/* ---------------------------------------------------------------- in there */

static int open_subject(const struct errand *errand)
{
	int fd = (int)syscall(SYS_pidfd_open, errand->number, 0);

	/* not the first thread of its process: that takes a newer kernel */
	if (fd < 0 && errand->pids == DEPUTY_THREAD)
		fd = (int)syscall(SYS_pidfd_open, errand->number, PIDFD_THREAD);
	if (fd < 0)
		return errno == ENOENT || errno == EINVAL ? -EINVAL : -errno;
	return fd;
}

static void say(int32_t result, int fd)
{
	struct word word = { result };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { &word, sizeof(word) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = fd >= 0 ? &control : NULL,
			      .msg_controllen = fd >= 0 ? sizeof(control) : 0 };

	if (fd >= 0)
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	(void)!sendmsg(TALK_FD, &msg, MSG_NOSIGNAL);
}

static int write_number(const struct errand *errand)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", errand->number);

	return write(FILE_FD, text, (size_t)len) == len ? 0 : -errno;
}

static _Noreturn void be_guest(const struct errand *errand)
{
	int fd = open_subject(errand);
	struct word go;

	say(fd < 0 ? fd : 0, fd);
	if (fd >= 0 && read(TALK_FD, &go, sizeof(go)) == sizeof(go))
		say(write_number(errand), -1);
	_exit(0);
}

/* ------------------------------------------------------------------ the leader */

/* Their root, their files, their calls: what is left when one of them is another's. */
static int leave_all(struct job *job, int talk)
{
	static const uint32_t calls[] = {
		SYS_clone,	SYS_wait4,   SYS_exit, SYS_exit_group,
		SYS_pidfd_open, SYS_sendmsg, SYS_read, SYS_write,
#ifdef SYS_socketcall
		SYS_socketcall,
#endif
	};
	int file, r;

	if (fchdir(job->empty_fd) < 0 || chroot(".") < 0)
		return -errno;
	r = errand_become(job->errand);
	if (r < 0)
		return r;
	file = errand_open(job->errand, job->fds[ERRAND_DIR]);
	if (file < 0)
		return file;
	/* neither is one of the standard ones, which are open everywhere */
	if (dup2(talk, TALK_FD) < 0 || dup2(file, FILE_FD) < 0)
		return -errno;
	close_range(FILE_FD + 1, ~0u, 0);
	return confine_to_calls(calls, sizeof(calls) / sizeof(calls[0]));
}

static _Noreturn void be_leader(struct job *job, int talk)
{
	int r = setns(job->fds[ERRAND_NS], CLONE_NEWPID) < 0 ? -errno : 0;
	long guest;

	if (r == 0)
		r = leave_all(job, talk);
	if (r < 0) {
		dup2(talk, TALK_FD);
		say(r, -1);
		_exit(0);
	}
#ifdef __s390x__
	guest = syscall(SYS_clone, NULL, (long)SIGCHLD, NULL, NULL, NULL);
#else
	guest = syscall(SYS_clone, (long)SIGCHLD, NULL, NULL, NULL, NULL);
#endif
	if (guest == 0)
		be_guest(job->errand);
	say(guest < 0 ? -errno : (int32_t)guest, -1);
	if (guest > 0)
		syscall(SYS_wait4, guest, NULL, 0, NULL);
	_exit(0);
}

/* ---------------------------------------------------------------- from outside */

struct talk {
	int fd;
	pid_t leader;
	pid_t guest; /* as we count; 0: there is none yet */
	int subject; /* pidfd; -1: not yet known */
	uint64_t end_ns;
};

/* One word; with a pidfd, that is kept.  -ETIMEDOUT. */
static int hear(struct talk *t, struct word *ret)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = { ret, sizeof(*ret) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	uint64_t now = io_now_ns();
	const struct cmsghdr *head;

	if (now >= t->end_ns || poll(&p, 1, (int)((t->end_ns - now) / MS) + 1) <= 0)
		return -ETIMEDOUT;
	if (recvmsg(t->fd, &msg, MSG_CMSG_CLOEXEC) != sizeof(*ret))
		return -EINTR;
	head = CMSG_FIRSTHDR(&msg);
	if (head && head->cmsg_type == SCM_RIGHTS && head->cmsg_len == CMSG_LEN(sizeof(int))) {
		if (t->subject >= 0)
			close(t->subject);
		memcpy(&t->subject, CMSG_DATA(head), sizeof(int));
	}
	return 0;
}

/* "Pid:\t123" of a pidfd, here. */
static int number_here(struct job *job, int pidfd, pid_t *ret)
{
	char path[48], buf[1024];
	struct lxcfsd_text rest, line, word;
	uint64_t pid;
	ssize_t n;

	snprintf(path, sizeof(path), "self/fdinfo/%d", pidfd);
	n = io_read_at(job->model->roots.proc_fd, path, buf, sizeof(buf));
	rest = (struct lxcfsd_text){ buf, n > 0 ? (size_t)n : 0 };
	while (text_line(&rest, &line))
		if (text_word(&line, &word) && text_is(word, "Pid:") && text_word(&line, &word) &&
		    parse_u64(word, &pid) == 0 && pid > 0 && pid <= INT32_MAX) {
			*ret = (pid_t)pid;
			return 0;
		}
	return -ESRCH; /* it has ended, or is no process */
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

static int check_subject(struct job *job, int pidfd)
{
	pid_t pid;
	int r = pidfd < 0 ? -EINTR : number_here(job, pidfd, &pid);

	return r < 0 ? r : check_place(job, pid);
}

static bool is_alive(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

/* The leader says who the guest is, the guest whom the number stands for: in any order. */
static int meet(struct talk *t)
{
	struct word word;
	int r = 0;

	while (r == 0 && (t->subject < 0 || !t->guest)) {
		r = hear(t, &word);
		if (r == 0 && word.result < 0)
			r = word.result;
		else if (r == 0 && word.result > 0)
			t->guest = word.result;
	}
	return r;
}

static int write_in_namespace(struct job *job, struct talk *t)
{
	struct word word = { 0 };
	int r = meet(t);

	if (r == 0)
		r = check_subject(job, t->subject);
	if (r == 0 && write(t->fd, &word, sizeof(word)) != sizeof(word))
		r = -EINTR;
	if (r == 0)
		r = hear(t, &word);
	if (r == 0)
		r = word.result < 0 ? word.result : 0;
	/* its number may have been another's already when it was written */
	return r == 0 && !is_alive(t->subject) ? -ESRCH : r;
}

/* Its number comes from in there, and may be anybody's. */
static void kill_guest(struct job *job, const struct talk *t)
{
	pid_t parent;

	if (t->guest > 0 && t->leader > 0 &&
	    proc_parent(job->model->roots.proc_fd, t->guest, &parent) == 0 && parent == t->leader)
		kill(t->guest, SIGKILL);
}

/* Whoever stops or holds up the guest gets nothing from it. */
static int move_other(struct job *job)
{
	struct talk t = { .subject = -1,
			  .end_ns = io_now_ns() + (uint64_t)job->errand->limit_ms * MS / 2 };
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	t.fd = pair[0];
	t.leader = fork();
	if (t.leader == 0)
		be_leader(job, pair[1]);
	close(pair[1]);
	r = t.leader < 0 ? -EAGAIN : write_in_namespace(job, &t);
	kill_guest(job, &t);
	if (t.leader > 0) {
		if (r == -ETIMEDOUT)
			kill(t.leader, SIGKILL);
		waitpid(t.leader, NULL, 0);
	}
	return r == -ETIMEDOUT ? -EINTR : r;
}

/* The caller himself, who waits for us: nobody has to be in his namespace for that. */
static int move_caller(struct job *job)
{
	struct errand *errand = job->errand;
	struct proc_status status = { .tgid = -errand->number };
	_close_ int pidfd = -1, file = -1;
	char text[16];
	int len, r = 0;

	if (errand->pids == DEPUTY_PROCESS)
		r = proc_status(job->model->roots.proc_fd, -errand->number, &status);
	if (r < 0)
		return r;
	errand->number = status.tgid;
	pidfd = open_subject(errand);
	r = pidfd < 0 ? pidfd : check_subject(job, pidfd);
	if (r == 0)
		r = errand_become(errand);
	if (r < 0)
		return r;
	file = errand_open(errand, job->fds[ERRAND_DIR]);
	if (file < 0)
		return file;
	len = snprintf(text, sizeof(text), "%d\n", errand->number);
	r = write(file, text, (size_t)len) == len ? 0 : -errno;
	return r == 0 && !is_alive(pidfd) ? -ESRCH : r;
}

int errand_move(struct job *job)
{
	return job->errand->number < 0 ? move_caller(job) : move_other(job);
}
