/* SPDX-License-Identifier: MIT */
/* wire.c - see wire.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire.h"

int wire_send(int sock, uint32_t type, const void *payload, size_t len, const int *fds,
	      unsigned int fd_count)
{
	uint32_t head[2] = { type, (uint32_t)len };
	struct iovec iov[2] = { { head, sizeof(head) }, { (void *)payload, len } };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)] = { 0 };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	if (len > WIRE_TEXT_MAX || fd_count > WIRE_FDS_MAX)
		return -EMSGSIZE;
	if (fd_count) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(cmsg), fds, sizeof(int) * fd_count);
	}
	while (sendmsg(sock, &msg, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static void take_fds(struct msghdr *msg, struct wire_msg *ret)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (ret->fd_count < WIRE_FDS_MAX)
				ret->fds[ret->fd_count++] = fd;
			else
				close(fd);
		}
	}
}

int wire_recv(int sock, struct wire_msg *ret, int flags)
{
	uint32_t head[2];
	struct iovec iov[2] = { { head, sizeof(head) }, { ret->text, WIRE_TEXT_MAX } };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int) * WIRE_FDS_MAX)];
	struct msghdr msg = { .msg_iov = iov,
			      .msg_iovlen = 2,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	do
		n = recvmsg(sock, &msg, flags | MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (n == 0)
		return -ECONNRESET;
	take_fds(&msg, ret);
	if ((size_t)n < sizeof(head) || (msg.msg_flags & MSG_TRUNC) ||
	    head[1] != (size_t)n - sizeof(head)) {
		wire_close_fds(ret);
		return -EPROTO;
	}
	ret->type = head[0];
	ret->len = head[1];
	return 0;
}

bool wire_await_go(int fd, struct wire_msg *ret)
{
	int r;

	do
		r = wire_recv(fd, ret, 0);
	while (r == -EPROTO);
	return r == 0 && ret->type == WIRE_GO && ret->fd_count >= 2;
}

void wire_close_fds(struct wire_msg *msg)
{
	while (msg->fd_count)
		close(msg->fds[--msg->fd_count]);
}
