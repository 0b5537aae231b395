/* SPDX-License-Identifier: MIT */
/* deputy.c - the worker's side: see deputy.h.  What the deputy does is in errand.c. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errand.h"
#include "io.h"
#include "journal.h"
#include "log.h"
#include "parts.h"
#include "proc.h"
#include "text.h"
#include "vault.h"

/* Of one container at a time, and how long another one waits for that. */
#define TURNS_MAX      2
#define TURN_WAIT_MS   100
#define REPLAY_WAIT_MS 10000 /* a request past its deadline is answered without us */

/* ------------------------------------------------------------------ start */

static void be_deputy(struct model *model, int sock)
{
	prctl(PR_SET_NAME, "lxcfsd-deputy");
	prctl(PR_SET_DUMPABLE, 0);
	errand_loop(model, sock);
	_exit(0);
}

int deputy_start(struct model *model)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		be_deputy(model, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -EAGAIN;
	}
	model->deputy.sock = pair[0];
	model->deputy.pid = pid;
	return 0;
}

/* It is not to be killed for memory before the worker is: its score is that of a candidate. */
static void settle(pid_t pid)
{
	char path[48], score[16];
	ssize_t n = io_read_at(AT_FDCWD, "/proc/self/oom_score_adj", score, sizeof(score));
	_close_ int fd = -1;

	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (n <= 0 || fd < 0 || write(fd, score, (size_t)n) < 0)
		log_debug("the deputy's score: %m");
}

void deputy_use_vault(struct model *model, int vault_fd, const void *vault)
{
	if (!model->deputy.sock)
		return;
	model->deputy.vault_fd = vault_fd;
	model->deputy.vault = vault;
	settle(model->deputy.pid);
}

/* ----------------------------------------------------------------- once only */

static uint64_t deed_of_request(void)
{
	return (uint64_t)(uint32_t)journal_unique() << 32;
}

bool deputy_look_back(int *ret)
{
	_Atomic uint64_t *deed = journal_deed();
	uint64_t end = io_now_ns() + (uint64_t)REPLAY_WAIT_MS * 1000000u, now;

	if (!deed || !journal_is_replay())
		return false;
	*ret = -EINTR;
	if (journal_is_resent()) /* the slot that it was in is lost */
		return true;
	do {
		now = atomic_load(deed);
		if (now >> 32 != deed_of_request() >> 32)
			return false;
		if ((uint32_t)now >= DEED_DONE) {
			*ret = -(int)((uint32_t)now - DEED_DONE);
			return true;
		}
		poll(NULL, 0, 1); /* who has begun it lives longer than who has asked */
	} while (io_now_ns() < end);
	return true;
}

/* -ETIMEDOUT: somebody else answers, and has the deed as it was before. */
static int begin_deed(struct model *model, struct errand *errand)
{
	_Atomic uint64_t *deed = journal_deed();
	const char *vault = model->deputy.vault;

	if (!deed || (const char *)deed < vault || (const char *)deed >= vault + VAULT_SIZE)
		return 0;
	errand->deed = deed_of_request() | DEED_BEGUN;
	errand->deed_at = (uint64_t)((const char *)deed - vault);
	atomic_store(deed, errand->deed);
	if (!journal_was_late())
		return 0;
	atomic_store(deed, 0);
	return -ETIMEDOUT;
}

/* What did not even begin may be tried again. */
static void drop_deed(const struct errand *errand)
{
	if (errand->deed_at)
		atomic_store(journal_deed(), 0);
}

/* ---------------------------------------------------------------- the caller */

/* "Uid:\treal effective saved fs", likewise of groups: the last one decides about files. */
static int take_id(struct lxcfsd_text line, uint32_t *ret)
{
	struct lxcfsd_text word;
	uint64_t id = UINT64_MAX;

	while (text_word(&line, &word))
		if (parse_u64(word, &id) < 0)
			return -ESRCH;
	if (id >= UINT32_MAX)
		return -ESRCH;
	*ret = (uint32_t)id;
	return 0;
}

static int take_groups(struct lxcfsd_text line, struct errand *errand)
{
	struct lxcfsd_text word;
	uint64_t group;

	while (text_word(&line, &word)) {
		/* with less than all of them it would be somebody else */
		if (errand->group_count == DEPUTY_GROUPS_MAX || parse_u64(word, &group) < 0 ||
		    group >= UINT32_MAX)
			return -EPERM;
		errand->groups[errand->group_count++] = (uint32_t)group;
	}
	return 0;
}

static int read_status(struct model *model, pid_t tid, struct errand *errand)
{
	_close_ int fd = proc_open(model->roots.proc_fd, tid, "status");
	struct lxcfsd_text rest, line, word;
	struct small_file file;
	unsigned int found = 0;
	int r = fd < 0 ? fd : small_file_read(&file, fd);

	if (r < 0)
		return r;
	errand->group_count = 0;
	rest = file.text;
	while (r == 0 && text_line(&rest, &line)) {
		if (!text_word(&line, &word))
			continue;
		if (text_is(word, "Uid:"))
			r = take_id(line, &errand->caller_uid);
		else if (text_is(word, "Gid:"))
			r = take_id(line, &errand->caller_gid);
		else if (text_is(word, "Groups:"))
			r = take_groups(line, errand);
		else
			continue;
		found++;
	}
	small_file_done(&file);
	return r == 0 && found != 3 ? -ESRCH : r;
}

/* include/linux/sched.h: a thread of the kernel's, or io_uring's of a process. */
#define PF_IO_WORKER 0x00000010u
#define PF_KTHREAD   0x00200000u

/* Of such a thread /proc does not say for whom it works. */
static int check_thread(struct model *model, pid_t tid)
{
	_close_ int fd = proc_open(model->roots.proc_fd, tid, "stat");
	struct lxcfsd_text rest, word;
	uint64_t flags = UINT64_MAX;
	const char *behind;
	char buf[1024];

	if (fd < 0 || io_pread_all(fd, buf, sizeof(buf)) < 0)
		return -ESRCH;
	behind = strrchr(buf, ')'); /* of its name, which may hold anything */
	rest = text_of(behind ? behind + 1 : "");
	for (int field = 3; field <= 9 && text_word(&rest, &word); field++)
		if (field == 9 && parse_u64(word, &flags) < 0)
			return -ESRCH;
	return flags == UINT64_MAX ? -ESRCH : flags & (PF_IO_WORKER | PF_KTHREAD) ? -EPERM : 0;
}

static int find_caller(struct model *model, pid_t tid, struct errand *errand)
{
	int r = check_thread(model, tid);

	if (r == 0)
		r = read_status(model, tid, errand);
	return r < 0 ? r : journal_was_late() ? -ESRCH : 0; /* he does not wait any more */
}

int deputy_identify(struct model *model, pid_t tid, struct deputy_who *ret)
{
	struct errand errand;
	int r = find_caller(model, tid, &errand);

	if (r == 0)
		r = proc_pidns(model->roots.proc_fd, tid, &ret->pidns);
	if (r == 0)
		ret->uid = errand.caller_uid;
	return r;
}

/* For a process number: the caller's namespace, which is not the host's. */
static int find_namespace(struct model *model, pid_t tid, const struct deputy_who *opener, int *ret)
{
	struct stat st;
	int fd = proc_open(model->roots.proc_fd, tid, "ns/pid");

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_ino == model->identity.host_pidns ||
	    (opener && st.st_ino != opener->pidns)) {
		close(fd);
		return -EPERM;
	}
	*ret = fd;
	return 0;
}

/* --------------------------------------------------------------------- errand */

static int send_errand(struct model *model, const struct errand *errand, int dir_fd, int ns_fd,
		       int reply_fd)
{
	int fds[ERRAND_FDS] = { reply_fd, dir_fd, model->deputy.vault_fd, ns_fd };
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(sizeof(fds))];
	} control = { .head = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	unsigned int count = ns_fd >= 0 ? ERRAND_FDS : ERRAND_FDS - 1;
	struct iovec iov = { (void *)(uintptr_t)errand, sizeof(*errand) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = CMSG_SPACE(count * sizeof(int)) };

	control.head.cmsg_len = CMSG_LEN(count * sizeof(int));
	memcpy(CMSG_DATA(&control.head), fds, count * sizeof(int));
	return sendmsg(model->deputy.sock, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* Whoever is to say something has ended without a word: nobody knows. */
static int await_reply(int fd)
{
	int32_t result;
	ssize_t n;

	do
		n = read(fd, &result, sizeof(result));
	while (n < 0 && errno == EINTR);
	return n == sizeof(result) && result <= 0 ? result : -EINTR;
}

static int run_errand(struct model *model, const struct errand *errand, int dir_fd, int ns_fd)
{
	static struct log_limit gone;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = send_errand(model, errand, dir_fd, ns_fd, pair[1]);
	close(pair[1]);
	if (r == 0)
		r = await_reply(pair[0]);
	else
		log_limited(&gone, 3,
			    "the deputy is gone (%s): no container can change its "
			    "cgroups until the next reload",
			    strerror(-r));
	close(pair[0]);
	return r == -EPIPE || r == -ECONNRESET ? -EROFS : r;
}

/* A tenant may have no more of the threads that all share. */
static bool take_turn(struct model *model, uint64_t container)
{
	_Atomic uint32_t *turns = &model->deputy.turns[container % DEPUTY_TURNS];

	for (unsigned int i = 0; i < TURN_WAIT_MS; i++) {
		if (atomic_fetch_add(turns, 1) < TURNS_MAX)
			return true;
		atomic_fetch_sub(turns, 1);
		poll(NULL, 0, 1);
	}
	return false;
}

static void end_turn(struct model *model, uint64_t container)
{
	atomic_fetch_sub(&model->deputy.turns[container % DEPUTY_TURNS], 1);
}

static int prepare(struct model *model, const struct deputy_caller *caller, struct errand *errand,
		   int *ret_ns_fd)
{
	int r = find_caller(model, caller->tid, errand);

	if (r == 0 && caller->opener && caller->opener->uid != errand->caller_uid)
		r = -EPERM;
	if (r == 0 && errand->pids != DEPUTY_NO_PIDS)
		r = find_namespace(model, caller->tid, caller->opener, ret_ns_fd);
	if (r == 0 && errand->pids != DEPUTY_NO_PIDS && !errand->number)
		errand->number = -caller->tid;
	errand->limit_ms = (uint32_t)(model->settings->request_timeout_ms * 3 / 4);
	return r;
}

int deputy_do(struct model *model, const struct deputy_caller *caller, int dir_fd,
	      struct errand *errand)
{
	_close_ int ns_fd = -1;
	int r;

	if (!model->deputy.sock || !model->deputy.vault)
		return -EROFS;
	r = prepare(model, caller, errand, &ns_fd);
	if (r < 0)
		return r;
	if (!take_turn(model, caller->container))
		return -EAGAIN;
	journal_runs(0); /* the plugin has done its part */
	r = begin_deed(model, errand);
	if (r == 0)
		r = run_errand(model, errand, dir_fd, ns_fd);
	if (r == -EAGAIN || r == -EROFS)
		drop_deed(errand); /* it was not done */
	end_turn(model, caller->container);
	return r;
}
