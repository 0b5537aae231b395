/* SPDX-License-Identifier: MIT */
/* notify.c - see notify.h. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "io.h"

#include "notify.h"
#include "text.h"

/* With `fd`, unless that is -1. */
static int notify(const char *text, int fd)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec iov = { (void *)text, strlen(text) };
	struct msghdr msg = { .msg_name = &address, .msg_iov = &iov, .msg_iovlen = 1 };
	_close_ int sock = -1;
	size_t len = path ? strlen(path) : 0;

	if (len < 2 || len >= sizeof(address.sun_path))
		return -ENOENT;
	memcpy(address.sun_path, path, len);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	msg.msg_namelen = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (fd >= 0) {
		struct cmsghdr *cmsg;

		msg.msg_control = control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &fd, sizeof(int));
	}
	sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sock < 0 || sendmsg(sock, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}

void notify_ready(const char *status)
{
	char text[256];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=%s", status);
	notify(text, -1);
}

void notify_stopping(void)
{
	notify("STOPPING=1", -1);
}

bool notify_keeps_fds(void)
{
	const char *count = getenv("FDSTORE");
	uint64_t value;

	return count && getenv("NOTIFY_SOCKET") && parse_u64(text_of(count), &value) == 0 &&
	       value > 0;
}

int notify_store(const char *name, int fd)
{
	char text[128];

	/* polled, it would wake systemd at every request; and one that is ended from
	 * outside is ours to give up */
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	return notify(text, fd);
}

int notify_forget(const char *name)
{
	char text[128];

	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return notify(text, -1);
}
