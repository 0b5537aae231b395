/* SPDX-License-Identifier: MIT */
/* main.c (safe) - see safe.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "safe.h"
#include "wire.h"

#define CONTROL_FD 3
/* One host file that does not answer must not stop all. */
#define THREADS	      4
#define INNER_THREADS 2

static struct safe self;

static void ignore_signals(void)
{
	static const int steered[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };

	for (size_t i = 0; i < sizeof(steered) / sizeof(steered[0]); i++)
		signal(steered[i], SIG_IGN);
}

static void start_log(int argc, char **argv)
{
	enum log_target target = LOG_TO_STDERR;

	for (int i = 1; i + 1 < argc; i++)
		if (!strcmp(argv[i], "--log"))
			target = !strcmp(argv[i + 1], "syslog")	   ? LOG_TO_SYSLOG
				 : !strcmp(argv[i + 1], "journal") ? LOG_TO_JOURNAL
								   : LOG_TO_STDERR;
	log_open("lxcfsd-safe", target, 6);
}

/* What it would say of a configuration the keeper knows from the last worker. */
static void tell_ready(void)
{
	static const struct wire_ready nothing;

	if (wire_send(CONTROL_FD, WIRE_READY, &nothing, sizeof(nothing), NULL, 0) < 0)
		_exit(1);
}

/* Nobody but the plain connection is worth failing for. */
static void add_inner(uint32_t index, int fd)
{
	int r = loop_add(&self, index, fd);

	if (r == 0)
		r = loop_start(&self, index, INNER_THREADS);
	if (r < 0)
		log_err("cannot serve connection %u: %s", index, strerror(-r));
}

static int take_over(const struct wire_msg *msg)
{
	bool inner[VAULT_CONNS] = { false };
	struct vault_header *vault;
	int r = vault_map(msg->fds[0], &vault);

	self.hide_host = msg->go.hide_host;
	if (r == 0)
		r = content_open(&self, vault, msg->go.generation, NULL);
	if (r == 0)
		r = journal_open(&self.journal, vault, msg->go.generation, true);
	if (r == 0)
		r = loop_add(&self, CONN_PLAIN, msg->fds[1]);
	if (r < 0)
		return r;
	/* all, before anybody answers what was left of any */
	for (unsigned int i = 2; i < msg->fd_count; i++)
		inner[wire_go_index(msg, i)] =
			loop_add(&self, wire_go_index(msg, i), msg->fds[i]) == 0;
	journal_sift(&self.journal);
	r = loop_start(&self, CONN_PLAIN, THREADS);
	for (uint32_t i = CONN_INNER; r == 0 && i < CONN_INNER + INNER_COUNT; i++)
		if (inner[i])
			(void)loop_start(&self, i, INNER_THREADS);
	if (r == 0)
		wire_send(CONTROL_FD, WIRE_SERVING, NULL, 0, NULL, 0);
	return r;
}

/* Until told to end; without a keeper for ever, as a worker does. */
static void steer(struct wire_msg *msg)
{
	for (;;) {
		int r = wire_recv(CONTROL_FD, msg, 0);

		if (r == 0 && msg->type == WIRE_DRAIN) {
			loop_drain();
			_exit(0);
		}
		if (r == 0 && msg->type == WIRE_CONN && msg->fd_count == 1 &&
		    msg->conn.index >= CONN_INNER && msg->conn.index < CONN_INNER + INNER_COUNT)
			add_inner(msg->conn.index, msg->fds[--msg->fd_count]);
		while (r == 0 && msg->fd_count)
			close(msg->fds[--msg->fd_count]);
		if (r == -ECONNRESET) {
			log_err("the keeper is gone; serving on without it");
			for (;;)
				pause();
		}
	}
}

int main(int argc, char **argv)
{
	static struct wire_msg msg;
	int r;

	io_open_standard();
	prctl(PR_SET_NAME, "lxcfsd-safe"); /* executed by descriptor it would be a number */
	if (argc < 2 || strcmp(argv[1], "--serve") != 0) {
		fputs("lxcfsd-safe " LXCFSD_VERSION ": lxcfsd starts it when no worker can\n",
		      stderr);
		return 2;
	}
	ignore_signals();
	fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	start_log(argc, argv);
	tell_ready();
	if (!wire_await_go(CONTROL_FD, &msg))
		_exit(0);
	r = take_over(&msg);
	if (r < 0) {
		log_err("cannot take over: %s", strerror(-r));
		return 1;
	}
	steer(&msg);
	return 0;
}
