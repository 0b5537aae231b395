/* SPDX-License-Identifier: MIT */
/* wire.c - messages between keeper and worker, also of another release. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

#include "wire.h"

int main(void)
{
	static struct wire_msg msg;
	static char text[WIRE_TEXT_MAX + 1];
	struct wire_go go = { .generation = 7, .conns = 1 };
	uint32_t short_head = 1, lying_head[2] = { WIRE_GO, 100 };
	int pair[2], fds[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	CHECK(pipe(fds) == 0);
	CHECK(wire_recv(pair[1], &msg, MSG_DONTWAIT) == -EAGAIN);
	CHECK(wire_send(pair[0], WIRE_GO, &go, sizeof(go), fds, 2) == 0);
	CHECK(wire_recv(pair[1], &msg, MSG_DONTWAIT) == 0);
	CHECK_U64(msg.type, WIRE_GO);
	CHECK_U64(msg.go.generation, 7);
	CHECK_U64(msg.fd_count, 2);
	CHECK(write(msg.fds[1], "x", 1) == 1 && read(fds[0], text, 2) == 1);

	/* an older sender knows fewer fields: they read as 0 */
	CHECK(wire_send(pair[0], WIRE_GO, &go, sizeof(uint32_t), NULL, 0) == 0);
	CHECK(wire_recv(pair[1], &msg, MSG_DONTWAIT) == 0);
	CHECK_U64(msg.go.generation, 7);
	CHECK_U64(msg.go.conns, 0);

	memset(text, 'a', WIRE_TEXT_MAX);
	CHECK(wire_send(pair[0], WIRE_FAILED, text, WIRE_TEXT_MAX, NULL, 0) == 0);
	CHECK(wire_recv(pair[1], &msg, MSG_DONTWAIT) == 0);
	CHECK_U64(strlen(msg.text), WIRE_TEXT_MAX);
	CHECK(wire_send(pair[0], WIRE_FAILED, text, WIRE_TEXT_MAX + 1, NULL, 0) == -EMSGSIZE);

	CHECK(send(pair[0], &short_head, sizeof(short_head), 0) > 0);
	CHECK(wire_recv(pair[1], &msg, MSG_DONTWAIT) == -EPROTO);
	CHECK(send(pair[0], lying_head, sizeof(lying_head), 0) > 0);
	CHECK(wire_recv(pair[1], &msg, MSG_DONTWAIT) == -EPROTO);
	close(pair[0]);
	CHECK(wire_recv(pair[1], &msg, MSG_DONTWAIT) == -ECONNRESET);
	return done_testing();
}
