/* SPDX-License-Identifier: MIT */
/*
 * loop.c - connections and their threads.
 *
 * A request that was taken is always answered before its thread ends: that is what makes
 * it possible to hand over at any time.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "safe.h"
#include "wire.h"

#define KICK	    SIGRTMIN
#define THREADS_MAX 8
#define ERRORS_MAX  100

static struct connection {
	struct safe *safe;
	uint32_t index;
	unsigned int threads;
	pthread_t ids[THREADS_MAX];
} list[VAULT_CONNS];

static _Atomic bool draining;
static _Atomic unsigned int running;

/* What node id 1 stands for on that connection. */
static uint32_t find_root(struct safe *s, uint32_t conn)
{
	char path[CONN_ROOT_MAX];
	const struct node *node;

	memcpy(path, s->vault->conn_roots[conn], sizeof(path));
	path[sizeof(path) - 1] = '\0';
	if (!path[0] || nodes_directory(&s->nodes, path, &node) < 0)
		return NODE_ROOT;
	return node->id;
}

int loop_add(struct safe *s, uint32_t conn, int fd)
{
	int r;

	if (conn >= VAULT_CONNS || list[conn].safe)
		return -EEXIST;
	r = safe_init(s, conn, fd);
	if (r < 0)
		return r;
	s->conn_roots[conn] = find_root(s, conn);
	journal_add(&s->journal, conn, fd);
	list[conn] = (struct connection){ .safe = s, .index = conn };
	return 0;
}

static void answer(void *arg, uint32_t conn, void *request, size_t len)
{
	safe_answer(arg, conn, request, len);
}

static void *take_requests(void *arg)
{
	const struct connection *conn = arg;
	struct safe *s = conn->safe;
	unsigned int errors = 0;
	void *buf;

	(void)journal_replay(&s->journal, conn->index, answer, s); /* nobody takes any from us */
	buf = journal_attach(&s->journal, conn->index);
	while (buf && !atomic_load(&draining)) {
		ssize_t n = journal_read(&s->journal, buf, JOURNAL_BUF_SIZE);

		if (n > 0) {
			errors = 0;
			safe_answer(s, conn->index, buf, (size_t)n);
			continue;
		}
		if (n < 0 && errno == ENODEV)
			_exit(WORKER_EXIT_GONE);
		if (n < 0 && (errno == EINTR || errno == EAGAIN || errno == ENOENT))
			continue;
		if (++errors > ERRORS_MAX) {
			log_err("reading /dev/fuse: %m");
			_exit(1);
		}
	}
	atomic_fetch_sub(&running, 1);
	return NULL;
}

static void on_kick(int signal)
{
	(void)signal; /* its only use is to end a read(2) with EINTR */
}

int loop_start(struct safe *s, uint32_t conn, unsigned int threads)
{
	struct sigaction kick = { .sa_handler = on_kick };
	struct connection *c = &list[conn];

	(void)s;
	sigaction(KICK, &kick, NULL);
	while (c->threads < threads && c->threads < THREADS_MAX) {
		atomic_fetch_add(&running, 1);
		if (pthread_create(&c->ids[c->threads], NULL, take_requests, c) != 0) {
			atomic_fetch_sub(&running, 1);
			return c->threads > 0 ? 0 : -EAGAIN; /* fewer serve, too */
		}
		c->threads++;
	}
	return 0;
}

void loop_drain(void)
{
	struct timespec pause = { .tv_nsec = 100000 };

	atomic_store(&draining, true);
	/* a kick between the look at `draining` and read(2) is lost: so again */
	while (atomic_load(&running) > 0) {
		for (uint32_t i = 0; i < VAULT_CONNS; i++)
			for (unsigned int k = 0; k < list[i].threads; k++)
				pthread_kill(list[i].ids[k], KICK);
		nanosleep(&pause, NULL);
	}
}
