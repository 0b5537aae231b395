/* SPDX-License-Identifier: MIT */
/* runtime.c - see runtime.h. */
#include <errno.h>
#include <fcntl.h>
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

static int claim(const char *what, const char *path, mode_t mode, int *ret)
{
	uint64_t holder = 0;
	int r = claim_file(path, mode, ret, &holder);

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
	return 0;
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

void runtime_report_reload(const struct runtime *rt, unsigned int number, bool ok,
			   const char *reasons)
{
	char path[sizeof(rt->dir) + 16], temp[sizeof(rt->dir) + 16], head[64];
	_close_ int fd = -1;
	int n = snprintf(head, sizeof(head), "%u %s\n", number, ok ? "ok" : "failed");
	size_t len = strlen(reasons);

	snprintf(path, sizeof(path), "%s/last-reload", rt->dir);
	snprintf(temp, sizeof(temp), "%s/.last-reload", rt->dir);
	mkdir(rt->dir, 0700); /* somebody may have removed it */
	fd = open(temp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 || io_write_all(fd, head, (size_t)n) < 0 ||
	    io_write_all(fd, reasons, strlen(reasons)) < 0 ||
	    (len > 0 && reasons[len - 1] != '\n' && io_write_all(fd, "\n", 1) < 0) ||
	    rename(temp, path) < 0)
		log_warn("cannot write '%s': %m", path);
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
