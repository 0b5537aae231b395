/* SPDX-License-Identifier: MIT */
/* runtime.c - see runtime.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "runtime.h"
#include "text.h"

#define CLAIM_NS 1000000000ull

/* Opens and locks `path`.  -EBUSY with the holder's pid, if it wrote one. */
static int claim_file(const char *path, mode_t mode, int *ret, uint64_t *ret_holder)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
	char buf[32];
	ssize_t n;
	int r;

	if (fd < 0)
		return -errno;
	/* lxcfs takes the one of fcntl(2) on its pid file: so both */
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fcntl(fd, F_SETLK, &whole) == 0) {
		*ret = fd;
		return 0;
	}
	r = errno == EWOULDBLOCK || errno == EACCES ? -EBUSY : -errno;
	n = io_pread_all(fd, buf, sizeof(buf));
	*ret_holder = 0;
	if (n > 0)
		(void)parse_u64((struct lxcfsd_text){ buf, (size_t)n }, ret_holder);
	close(fd);
	return r;
}

static int write_pid(int fd)
{
	char buf[32];
	int n = snprintf(buf, sizeof(buf), "%d\n", getpid());

	if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	return io_write_all(fd, buf, (size_t)n);
}

static bool is_alive(uint64_t pid)
{
	return pid > 0 && pid <= INT32_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

static int claim(const char *what, const char *path, mode_t mode, int *ret)
{
	uint64_t holder = 0, end = io_now_ns() + CLAIM_NS;
	int r = claim_file(path, mode, ret, &holder);

	/* who has not written its number yet, or is just ending */
	while (r == -EBUSY && !is_alive(holder) && io_now_ns() < end) {
		poll(NULL, 0, 10);
		r = claim_file(path, mode, ret, &holder);
	}
	if (r == -EBUSY)
		log_err("already running: pid %llu has the %s '%s'.  'kill -USR1 %llu' reloads it; "
			"a second one needs its own --runtime-dir, --pidfile and mount point",
			(unsigned long long)holder, what, path, (unsigned long long)holder);
	else if (r < 0)
		log_err("%s '%s': %s", what, path, strerror(-r));
	return r;
}

int runtime_claim(struct runtime *rt, const struct options *options)
{
	char path[sizeof(rt->dir) + 16];
	int r;

	rt->lock_fd = rt->pid_fd = -1;
	if (mkdir(options->runtime_dir, 0755) < 0 && errno != EEXIST) {
		r = -errno;
		log_err("runtime directory '%s': %s", options->runtime_dir, strerror(-r));
		return r;
	}
	if ((size_t)snprintf(rt->dir, sizeof(rt->dir), "%s/lxcfsd", options->runtime_dir) >=
	    sizeof(rt->dir))
		return -ENAMETOOLONG;
	if (mkdir(rt->dir, 0700) < 0 && errno != EEXIST) {
		r = -errno;
		log_err("runtime directory '%s': %s", rt->dir, strerror(-r));
		return r;
	}
	snprintf(path, sizeof(path), "%s/lock", rt->dir);
	r = claim("runtime directory's lock", path, 0600, &rt->lock_fd);
	if (r < 0)
		return r;
	rt->pidfile = options->pidfile;
	r = claim("pid file", rt->pidfile, 0644, &rt->pid_fd);
	if (r < 0) {
		close(rt->lock_fd);
		rt->lock_fd = -1;
		return r;
	}
	r = write_pid(rt->lock_fd);
	if (r < 0) {
		log_err("cannot write '%s': %s", path, strerror(-r));
		runtime_release(rt);
		return r;
	}
	snprintf(path, sizeof(path), "%s/last-reload", rt->dir);
	unlink(path); /* it was of another one's */
	snprintf(path, sizeof(path), "%s/status", rt->dir);
	unlink(path);
	return 0;
}

void runtime_resume(struct runtime *rt, const struct options *options, int lock_fd, int pid_fd)
{
	snprintf(rt->dir, sizeof(rt->dir), "%s/lxcfsd", options->runtime_dir);
	rt->pidfile = options->pidfile;
	rt->lock_fd = lock_fd;
	rt->pid_fd = pid_fd;
}

int runtime_write_pid(struct runtime *rt)
{
	return write_pid(rt->pid_fd);
}

void runtime_release(struct runtime *rt)
{
	if (rt->pid_fd >= 0) {
		unlink(rt->pidfile);
		close(rt->pid_fd);
	}
	if (rt->lock_fd >= 0) {
		if (ftruncate(rt->lock_fd, 0) < 0)
			log_debug("lock: %m");
		close(rt->lock_fd);
	}
	rt->pid_fd = rt->lock_fd = -1;
}

/* Somebody has removed it: its parent may be gone as well. */
static int make_dir_again(const struct runtime *rt)
{
	char parent[sizeof(rt->dir)];

	memcpy(parent, rt->dir, sizeof(parent));
	*strrchr(parent, '/') = '\0';
	if (parent[0] && mkdir(parent, 0755) < 0 && errno != EEXIST)
		return -errno;
	return mkdir(rt->dir, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

static int open_new(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

	return fd < 0 ? -errno : fd;
}

int runtime_replace(const struct runtime *rt, const char *name, const void *bytes, size_t len)
{
	char path[sizeof(rt->dir) + 32], temp[sizeof(rt->dir) + 32];
	_close_ int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/%s", rt->dir, name);
	snprintf(temp, sizeof(temp), "%s/.%s", rt->dir, name);
	fd = open_new(temp);
	if (fd == -ENOENT) {
		r = make_dir_again(rt);
		fd = r < 0 ? r : open_new(temp);
	}
	if (fd < 0)
		return fd;
	r = io_write_all(fd, bytes, len);
	if (r == 0 && rename(temp, path) < 0)
		r = -errno;
	return r;
}

void runtime_report_reload(const struct runtime *rt, unsigned int number, bool ok,
			   const char *reasons)
{
	size_t len = strlen(reasons);
	_free_ char *text = NULL;
	int n = asprintf(&text, "%u %s\n%s%s", number, ok ? "ok" : "failed", reasons,
			 len > 0 && reasons[len - 1] != '\n' ? "\n" : "");
	int r;

	if (n < 0)
		text = NULL;
	r = text ? runtime_replace(rt, "last-reload", text, (size_t)n) : -ENOMEM;
	if (r < 0)
		log_warn("cannot write '%s/last-reload': %s", rt->dir, strerror(-r));
}

int runtime_detach(struct runtime *rt)
{
	int pipe_fds[2];
	pid_t pid;
	char byte;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid > 0) {
		close(pipe_fds[1]);
		/* end of file without a byte: the child is gone, and has said why */
		_exit(read(pipe_fds[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(pipe_fds[0]);
	setsid();
	rt->waiting_fd = pipe_fds[1];
	return 0;
}

void runtime_release_parent(struct runtime *rt)
{
	_close_ int null = -1;

	if (rt->waiting_fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; null >= 0 && fd < 3; fd++)
		dup2(null, fd);
	if (chdir("/") < 0)
		log_debug("chdir: %m");
	if (write(rt->waiting_fd, "", 1) < 0)
		log_debug("the starting process is gone: %m");
	close(rt->waiting_fd);
	rt->waiting_fd = -1;
}
