/* SPDX-License-Identifier: MIT */
/* deputy.c - the worker's side: see deputy.h.  What the child does is in errand.c. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "errand.h"
#include "io.h"
#include "journal.h"
#include "parts.h"
#include "proc.h"
#include "text.h"
#include "vault.h"

#define REPLAY_WAIT_MS 10000 /* a request past its deadline is answered without us */

/* ------------------------------------------------------------------ start */

static void be_deputy(struct model *model, int sock)
{
	prctl(PR_SET_NAME, "lxcfsd-deputy");
	prctl(PR_SET_DUMPABLE, 0);
	signal(SIGCHLD, SIG_IGN);
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
	return 0;
}

void deputy_use_vault(struct model *model, int vault_fd, const void *vault)
{
	model->deputy.vault_fd = vault_fd;
	model->deputy.vault = vault;
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

static void begin_deed(struct model *model, struct errand *errand)
{
	_Atomic uint64_t *deed = journal_deed();
	const char *vault = model->deputy.vault;

	if (!deed || (const char *)deed < vault || (const char *)deed >= vault + VAULT_SIZE)
		return;
	errand->deed = deed_of_request() | DEED_BEGUN;
	errand->deed_at = (uint64_t)((const char *)deed - vault);
	atomic_store(deed, errand->deed);
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

/* In the numbers of our user namespace. */
static int find_caller(struct model *model, pid_t tid, struct errand *errand)
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
	if (r == 0 && found != 3)
		r = -ESRCH;
	return r < 0 ? r : journal_was_late() ? -ESRCH : 0; /* he does not wait any more */
}

/* For a process number: the caller's namespace, which is not the host's. */
static int find_namespace(struct model *model, pid_t tid, int *ret)
{
	struct stat st;
	int fd = proc_open(model->roots.proc_fd, tid, "ns/pid");

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0 || st.st_ino == model->identity.host_pidns) {
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
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	r = send_errand(model, errand, dir_fd, ns_fd, pair[1]);
	close(pair[1]);
	if (r == 0)
		r = await_reply(pair[0]);
	else
		drop_deed(errand);
	close(pair[0]);
	return r;
}

int deputy_do(struct model *model, const struct deputy_caller *caller, int dir_fd,
	      struct errand *errand)
{
	_close_ int ns_fd = -1;
	int r;

	if (!model->deputy.sock || !model->deputy.vault)
		return -EROFS;
	r = find_caller(model, caller->tid, errand);
	if (r == 0 && errand->pids != DEPUTY_NO_PIDS)
		r = find_namespace(model, caller->tid, &ns_fd);
	if (r == 0 && errand->pids != DEPUTY_NO_PIDS && !errand->number)
		errand->number = -caller->tid;
	if (r < 0)
		return r;
	begin_deed(model, errand);
	return run_errand(model, errand, dir_fd, ns_fd);
}
