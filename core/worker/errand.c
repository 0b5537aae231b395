/* SPDX-License-Identifier: MIT */
/*
 * errand.c - see errand.h, and deputy.h for why.
 *
 * Everything here runs in processes of their own: the deputy, which makes a child for each
 * errand and kills it when it takes too long; that child, which becomes the caller, unless
 * the errand is about a process.  Then it stays what it is and makes another one that leads
 * into the caller's pid namespace, see move.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/magic.h>

#include "confine.h"
#include "errand.h"
#include "io.h"
#include "parts.h"
#include "vault.h"

/* The deputy's own; the others are above. */
#define SOCK_FD	 3
#define PROC_FD	 4
#define EMPTY_FD 5
#define FIRST_FD 6

#define MS	     1000000u
#define CHILDREN_MAX 64

/* ------------------------------------------------------------------ become */

/* On 32-bit machines the calls without a number have 16 bits. */
#ifdef SYS_setresuid32
#define CALL_SETGROUPS SYS_setgroups32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETRESUID SYS_setresuid32
#else
#define CALL_SETGROUPS SYS_setgroups
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETRESUID SYS_setresuid
#endif

/* Raw calls: the C library's would speak to threads that are not here any more. */
int errand_become(const struct errand *errand)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2];
	uint32_t uid = errand->caller_uid, gid = errand->caller_gid;

	memset(none, 0, sizeof(none));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    syscall(CALL_SETGROUPS, (long)errand->group_count, errand->groups) < 0 ||
	    syscall(CALL_SETRESGID, gid, gid, gid) < 0 ||
	    syscall(CALL_SETRESUID, uid, uid, uid) < 0 || syscall(SYS_capset, &head, none) < 0)
		return -errno;
	return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}

/* -------------------------------------------------------------------- changes */

int errand_open(const struct errand *errand, int dir_fd)
{
	int fd = openat(dir_fd, errand->name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (errand->inode && (fstat(fd, &st) < 0 || st.st_ino != errand->inode)) {
		close(fd);
		return -ENODEV; /* what was opened is gone, and another one has its name */
	}
	return fd;
}

static int write_bytes(const struct errand *errand, int dir_fd)
{
	_close_ int fd = errand_open(errand, dir_fd);
	ssize_t n;

	if (fd < 0)
		return fd;
	n = write(fd, errand->bytes, errand->len);
	return n < 0 ? -errno : (size_t)n == errand->len ? 0 : -EIO;
}

static int change(const struct errand *errand, int dir_fd)
{
	int r = errand_become(errand);

	if (r < 0)
		return r;
	switch (errand->kind) {
	case LXCFSD_CHANGE_WRITE:
		return write_bytes(errand, dir_fd);
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

/* ------------------------------------------------------------------ one errand */

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
	uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE), at = job->errand->deed_at;
	uint64_t page = at & ~(size - 1);
	char *mapped;

	if (!at || at >= VAULT_SIZE - sizeof(uint64_t) || at % sizeof(uint64_t))
		return NULL;
	mapped = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, job->fds[ERRAND_VAULT],
		      (off_t)page);
	if (mapped == MAP_FAILED || madvise(mapped, size, MADV_DONTFORK) < 0)
		return NULL;
	return (_Atomic uint64_t *)(void *)(mapped + (at - page));
}

static _Noreturn void run(struct job *job)
{
	_Atomic uint64_t *deed = map_deed(job);
	int32_t result;

	close(job->fds[ERRAND_VAULT]);
	close(SOCK_FD);
	signal(SIGCHLD, SIG_DFL);
	umask(0); /* the caller's was taken off already */
	if (job->errand->pids == DEPUTY_NO_PIDS)
		result = change(job->errand, job->fds[ERRAND_DIR]);
	else
		result = errand_move(job);
	if (result < -4095 || result > 0)
		result = -EIO;
	record(job, deed, result);
	(void)!write(job->fds[ERRAND_REPLY], &result, sizeof(result));
	_exit(0);
}

/* ---------------------------------------------------------------- the deputy */

struct child {
	pid_t pid; /* 0: a free place */
	uint64_t end_ns;
};

/* Whoever asks is a worker, which a plugin or a tenant may have turned. */
static bool is_sound(const struct job *job, size_t len, unsigned int fd_count)
{
	const struct errand *errand = job->errand;
	struct statfs fs;
	struct stat ns;

	if (len != sizeof(*errand) || errand->len > DEPUTY_BYTES_MAX ||
	    errand->group_count > DEPUTY_GROUPS_MAX ||
	    !memchr(errand->name, '\0', sizeof(errand->name)) ||
	    !memchr(errand->own, '\0', sizeof(errand->own)) || !errand->name[0] ||
	    strchr(errand->name, '/') || errand->caller_uid == UINT32_MAX ||
	    errand->caller_gid == UINT32_MAX ||
	    fd_count != (errand->pids == DEPUTY_NO_PIDS ? ERRAND_FDS - 1u : ERRAND_FDS))
		return false;
	if (fstatfs(job->fds[ERRAND_DIR], &fs) < 0 ||
	    (fs.f_type != CGROUP_SUPER_MAGIC && fs.f_type != CGROUP2_SUPER_MAGIC))
		return false;
	return errand->pids == DEPUTY_NO_PIDS || (fstat(job->fds[ERRAND_NS], &ns) == 0 &&
						  ns.st_ino != job->model->identity.host_pidns);
}

static struct child *free_place(struct child children[])
{
	for (unsigned int i = 0; i < CHILDREN_MAX; i++)
		if (!children[i].pid)
			return &children[i];
	return NULL;
}

static void start(struct job *job, struct child children[])
{
	struct child *child = free_place(children);
	const int32_t result = -EAGAIN; /* nothing was begun */
	pid_t pid = child ? fork() : -1;

	if (pid == 0)
		run(job);
	if (pid > 0)
		*child = (struct child){ pid, io_now_ns() + (uint64_t)job->errand->limit_ms * MS };
	else
		(void)!write(job->fds[ERRAND_REPLY], &result, sizeof(result));
}

/* False: the other side is gone. */
static bool take_errand(struct job *job, struct child children[])
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(ERRAND_FDS * sizeof(int))];
	} control;
	struct iovec iov = { job->errand, sizeof(*job->errand) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(SOCK_FD, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	const struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	unsigned int count = 0;

	if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN))
		return false;
	if (head && head->cmsg_type == SCM_RIGHTS)
		count = (unsigned int)((head->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	if (count)
		memcpy(job->fds, CMSG_DATA(head), count * sizeof(int));
	if (n > 0 && is_sound(job, (size_t)n, count))
		start(job, children);
	for (unsigned int i = 0; i < count; i++)
		close(job->fds[i]);
	return true;
}

/* Takes who has ended, kills who takes too long.  Milliseconds until the next one would. */
static int look_after(struct child children[])
{
	uint64_t now = io_now_ns(), next = UINT64_MAX;
	pid_t pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0)
		for (unsigned int i = 0; i < CHILDREN_MAX; i++)
			if (children[i].pid == pid)
				children[i].pid = 0;
	for (unsigned int i = 0; i < CHILDREN_MAX; i++) {
		if (!children[i].pid)
			continue;
		if (now >= children[i].end_ns) {
			kill(children[i].pid, SIGKILL);
			children[i].end_ns = now + 1000ull * MS;
		}
		if (children[i].end_ns < next)
			next = children[i].end_ns;
	}
	return next == UINT64_MAX ? -1 : (int)((next - now) / MS) + 1;
}

/* What it is for, and no more. */
static int drop_capabilities(void)
{
	static const uint32_t kept[] = { CAP_SETUID,	 CAP_SETGID,	 CAP_SYS_ADMIN,
					 CAP_SYS_CHROOT, CAP_SYS_PTRACE, CAP_KILL };

	return confine_capabilities(kept, sizeof(kept) / sizeof(kept[0]));
}

/* A directory with nothing in it, that is nowhere. */
static int make_empty(void)
{
	_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC);
	int fd = -1;

	if (fs >= 0 && fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = fsmount(fs, FSMOUNT_CLOEXEC,
			     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				     MOUNT_ATTR_NOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Of all that the worker has open, and may have to be closed, nothing but these. */
static bool keep_fds(struct model *model, int sock)
{
	int proc = fcntl(model->roots.proc_fd, F_DUPFD_CLOEXEC, 64), empty = make_empty();

	empty = empty < 0 ? -1 : fcntl(empty, F_DUPFD_CLOEXEC, 64);
	if (proc < 0 || empty < 0 || dup3(sock, SOCK_FD, O_CLOEXEC) < 0 ||
	    dup3(proc, PROC_FD, O_CLOEXEC) < 0 || dup3(empty, EMPTY_FD, O_CLOEXEC) < 0)
		return false;
	close_range(FIRST_FD, ~0u, 0);
	model->roots.proc_fd = PROC_FD;
	return true;
}

void errand_loop(struct model *model, int sock)
{
	static struct child children[CHILDREN_MAX];
	static struct errand errand;
	struct job job = { .model = model, .errand = &errand, .empty_fd = EMPTY_FD };
	struct pollfd p = { .fd = SOCK_FD, .events = POLLIN };
	bool goes_on = keep_fds(model, sock) && drop_capabilities() == 0;

	while (goes_on) {
		int wait = look_after(children);

		/* of children nobody tells: one that ended is seen with the next errand */
		if (poll(&p, 1, wait) > 0)
			goes_on = take_errand(&job, children);
	}
}
