/* SPDX-License-Identifier: MIT */
/* adopt.c - see adopt.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "adopt.h"
#include "io.h"
#include "process.h"

#define NAME	       "worker"
#define END_TIMEOUT_MS 2000

/* By way of a descriptor: the directory's path may be longer than an address. */
static int address_in(const char *dir, struct sockaddr_un *ret, int *ret_dirfd)
{
	int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/" NAME, fd);
	*ret_dirfd = fd;
	return 0;
}

int adopt_listen(const char *dir, int *ret_fd)
{
	struct sockaddr_un address;
	_close_ int dirfd = -1;
	int fd, r = address_in(dir, &address, &dirfd);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	unlinkat(dirfd, NAME, 0);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

bool adopt_can_be_found(const char *dir)
{
	_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	return dirfd >= 0 && fstatat(dirfd, NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISSOCK(st.st_mode);
}

void adopt_unlink(const char *dir)
{
	_close_ int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (dirfd >= 0)
		unlinkat(dirfd, NAME, 0);
}

static int connect_to(const char *dir, int *ret)
{
	struct sockaddr_un address;
	_close_ int dirfd = -1;
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd, r = address_in(dir, &address, &dirfd);

	if (r < 0)
		return r;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		r = errno == ECONNREFUSED ? -ENOENT : -errno; /* of one that has died */
	else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0)
		r = -EPERM;
	if (r < 0) {
		close(fd);
		return r;
	}
	*ret = fd;
	return 0;
}

int adopt_ask(const char *dir, int timeout_ms, struct bundle *ret)
{
	static struct wire_msg msg;
	struct pollfd p = { .events = POLLIN };
	int r = connect_to(dir, &p.fd), raised;

	if (r < 0)
		return r;
	if (poll(&p, 1, timeout_ms) != 1)
		r = -ETIMEDOUT;
	else
		r = wire_recv(p.fd, &msg, MSG_DONTWAIT);
	if (r == 0 && msg.type != WIRE_ADOPTED) {
		wire_close_fds(&msg);
		r = -EPROTO;
	}
	raised = r < 0 ? -1 : fcntl(p.fd, F_DUPFD_CLOEXEC, 10);
	close(p.fd);
	if (r < 0)
		return r;
	bundle_from_message(ret, &msg);
	ret->fds[KEPT_CONTROL] = raised;
	return 0;
}

void adopt_end(const struct bundle *bundle)
{
	struct pollfd p = { .fd = bundle->fds[KEPT_CONTROL], .events = POLLIN };

	if (p.fd >= 0 && wire_send(p.fd, WIRE_DRAIN, NULL, 0, NULL, 0) == 0)
		poll(&p, 1, END_TIMEOUT_MS);
}
