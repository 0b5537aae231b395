/* SPDX-License-Identifier: MIT */
/* orphan.c - see orphan.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "log.h"
#include "orphan.h"
#include "text.h"

static struct wire_msg kept;

void orphan_keep(struct wire_msg *msg)
{
	wire_close_fds(&kept);
	kept = *msg;
	msg->fd_count = 0;
}

void orphan_let_go(void)
{
	wire_close_fds(&kept);
}

int orphan_listens(void)
{
	struct lxcfsd_text rest = { kept.text, kept.len }, word;

	for (unsigned int i = 0; text_word(&rest, &word) && i < kept.fd_count; i++)
		if (text_is(word, "listen"))
			return kept.fds[i];
	return -1;
}

int orphan_adopt(void)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);
	int fd = accept4(orphan_listens(), NULL, NULL, SOCK_CLOEXEC), r;

	if (fd < 0)
		return -1;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != 0) {
		close(fd);
		return -1;
	}
	r = wire_send(fd, WIRE_ADOPTED, kept.text, kept.len, kept.fds, kept.fd_count);
	if (r < 0) {
		log_err("process %d came to steer, but: %s", peer.pid, strerror(-r));
		close(fd);
		return -1;
	}
	log_notice("steered by process %d from now on", peer.pid);
	return fd;
}
