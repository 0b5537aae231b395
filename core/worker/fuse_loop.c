/* SPDX-License-Identifier: MIT */
/* fuse_loop.c - the connections and the threads that take their requests: see fuse.h. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "dying.h"
#include "fuse_private.h"
#include "log.h"
#include "lost.h"
#include "wire.h"

#define KICK SIGRTMIN

int fuse_conns_new(struct server *server, bool keep_journal, struct fuse_conns **ret)
{
	struct fuse_conns *conns = calloc(1, sizeof(*conns));
	int r;

	if (!conns)
		return -ENOMEM;
	conns->server = server;
	r = journal_open(&conns->journal, server->vault, server->generation, keep_journal);
	if (r < 0) {
		free(conns);
		return r;
	}
	*ret = conns;
	return 0;
}

static uint32_t find_root(struct server *s, uint32_t index)
{
	char path[CONN_ROOT_MAX];
	const struct node *node;
	int r;

	memcpy(path, s->vault->conn_roots[index], sizeof(path));
	path[sizeof(path) - 1] = '\0';
	if (!path[0])
		return NODE_ROOT;
	r = nodes_directory(&s->nodes, path, &node);
	if (r < 0) /* what is open and bound goes on by its ids */
		log_err("the directory '%s' cannot be found any more: %s", path, strerror(-r));
	return r < 0 ? NODE_ROOT : node->id;
}

int fuse_conns_add(struct fuse_conns *conns, uint32_t index, int fd)
{
	struct fuse_conn *conn;
	int r;

	if (index >= VAULT_CONNS || conns->list[index].session)
		return -EEXIST;
	conn = &conns->list[index];
	conn->all = conns;
	conn->index = index;
	conn->fd = fd;
	pthread_mutex_init(&conn->first, NULL);
	conn->saved = &conns->server->vault->conns[index];
	conn->root = find_root(conns->server, index);
	r = fuse_conn_open(conn);
	if (r == 0)
		journal_add(&conns->journal, index, fd);
	return r;
}

static void answer(void *arg, uint32_t index, void *request, size_t len)
{
	struct fuse_conns *conns = arg;

	fuse_conn_answer(&conns->list[index], request, len);
}

static void find_lost(struct fuse_conns *conns)
{
	bool any = false;

	log_err("the journal is damaged: the requests that it has lost are taken again, or end "
		"with an error");
	for (uint32_t i = 0; i < VAULT_CONNS; i++) {
		struct fuse_conn *conn = &conns->list[i];

		conn->lost = conn->session && !(conns->server->config->settings.test_resend &&
						lost_resend(conn->fd, conn->saved));
		any = any || conn->lost;
	}
	lost_forget(&conns->journal, !any);
}

unsigned int fuse_conns_left(struct fuse_conns *conns)
{
	if (lost_some(&conns->journal))
		find_lost(conns);
	return journal_sift(&conns->journal);
}

void fuse_conns_wake(void *arg, uint64_t sleeper)
{
	struct fuse_conns *conns = arg;
	int fd = atomic_load(&conns->journal.fds[CONN_INNER]);
	struct {
		struct fuse_out_header head;
		struct fuse_notify_poll_wakeup_out body;
	} wake = { .head = { .len = sizeof(wake), .error = FUSE_NOTIFY_POLL },
		   .body = { .kh = sleeper } };

	if (fd >= 0 && write(fd, &wake, sizeof(wake)) < 0 && errno != ENOENT)
		log_debug("a poller could not be woken: %m");
}

/* -------------------------------------------------------------------- loop */

/* The kernel ends a request with an error when it cannot hand it over; a device
 * that gives nothing else is of no use. */
#define ERRORS_MAX 100

/* Somebody else has its place, unless the connection has lost threads. */
static bool take_place(struct fuse_conn *conn)
{
	unsigned int running = atomic_load(&conn->running);

	while (running < conn->wanted)
		if (atomic_compare_exchange_weak(&conn->running, &running, running + 1))
			return true;
	return false;
}

/* False: it has no place any more. */
static bool take_one(struct fuse_conn *conn, void *buf, unsigned int *errors)
{
	struct fuse_conns *all = conn->all;
	size_t len;
	int n = fuse_conn_receive(conn, buf, &len);

	if (n == 0 && !atomic_load(&all->draining))
		_exit(WORKER_EXIT_GONE); /* only a new mount helps */
	if (n == -EINTR || n == -EAGAIN)
		return true;
	if (n < 0 && ++*errors > ERRORS_MAX) {
		log_err("reading /dev/fuse: %s", strerror(-n));
		_exit(1);
	}
	if (n <= 0)
		return true;
	*errors = 0;
	/* once read, always answered: that is what makes a drain lose nothing */
	fuse_conn_answer(conn, buf, len);
	return !journal_was_late() || take_place(conn);
}

/* With requests lost, one is taken alone: nobody has one that was taken before it.
 * False: the thread has no place any more. */
static bool take_first(struct fuse_conn *conn, void *buf)
{
	struct fuse_conns *all = conn->all;
	bool taken = false;
	size_t len = 0;

	pthread_mutex_lock(&conn->first);
	while (conn->lost && !taken && !atomic_load(&all->draining)) {
		int n = fuse_conn_receive(conn, buf, &len);
		const struct fuse_in_header *head = buf;

		if (n == 0 && !atomic_load(&all->draining))
			_exit(WORKER_EXIT_GONE);
		if (n <= 0)
			continue;
		taken = head->opcode != FUSE_INTERRUPT; /* that has an older one's number */
		if (!taken) {
			fuse_conn_answer(conn, buf, len);
			continue;
		}
		log_err("%u requests were lost: their readers get an error",
			lost_end(&all->journal, conn->index, head->unique));
		conn->lost = false;
	}
	pthread_mutex_unlock(&conn->first);
	if (taken)
		fuse_conn_answer(conn, buf, len);
	return !taken || !journal_was_late() || take_place(conn);
}

struct start {
	struct fuse_conn *conn;
	int index;    /* of the slot of a request that was taken from another thread; -1: none */
	bool counted; /* in running */
};

static void *take_requests(void *arg)
{
	struct start start = *(struct start *)arg;
	struct fuse_conn *conn = start.conn;
	struct fuse_conns *all = conn->all;
	void *buf = NULL;
	unsigned int errors = 0;
	bool stays = start.counted;

	free(arg);
	dying_enter();
	if (start.index >= 0) {
		buf = journal_adopt(&all->journal, conn->index, (unsigned int)start.index);
		overdue_answer(all->server, &all->journal, buf);
	}
	if (start.index < 0 && !journal_replay(&all->journal, conn->index, answer, all))
		stays = false;
	stays = stays || take_place(conn);
	if (stays && !buf)
		buf = journal_attach(&all->journal, conn->index);
	if (stays && !buf)
		atomic_fetch_sub(&conn->running, 1);
	if (stays && buf)
		stays = take_first(conn, buf);
	while (stays && buf && !atomic_load(&all->draining))
		stays = take_one(conn, buf, &errors);
	journal_detach(&all->journal, atomic_load(&all->draining));
	if (stays && buf)
		atomic_fetch_sub(&conn->running, 1);
	return NULL;
}

static int start_thread(struct fuse_conn *conn, int index, bool counted)
{
	struct start *start = malloc(sizeof(*start));
	pthread_t thread;

	if (!start)
		return -ENOMEM;
	*start = (struct start){ conn, index, counted };
	if (counted)
		atomic_fetch_add(&conn->running, 1);
	if (pthread_create(&thread, NULL, take_requests, start) != 0) {
		if (counted)
			atomic_fetch_sub(&conn->running, 1);
		free(start);
		return -EAGAIN;
	}
	pthread_detach(thread);
	return 0;
}

static void replace(void *arg, const struct journal_late *late)
{
	struct fuse_conns *conns = arg;
	struct fuse_conn *conn = &conns->list[late->thread_conn];
	int index = late->spare ? -1 : late->index;

	if (!late->spare) /* one that answers for another was not counted */
		atomic_fetch_sub(&conn->running, 1);
	if (index < 0)
		journal_fail_late(&conns->journal, late);
	if (start_thread(conn, index, false) < 0 && index >= 0)
		journal_fail_late(&conns->journal, late);
}

static void help(void *arg)
{
	struct fuse_conns *conns = arg;

	if (start_thread(&conns->list[CONN_PLAIN], -1, false) < 0)
		log_err("requests of a worker that cannot die wait: no thread can be started");
}

static void on_kick(int signal)
{
	(void)signal; /* its only use is to end a read(2) with EINTR */
}

int fuse_conns_start(struct fuse_conns *conns, uint32_t index, unsigned int threads)
{
	struct sigaction kick = { .sa_handler = on_kick };
	struct fuse_conn *conn = &conns->list[index];

	sigaction(KICK, &kick, NULL);
	conn->wanted = threads < JOURNAL_SLOTS ? threads : JOURNAL_SLOTS;
	for (unsigned int i = 0; i < conn->wanted; i++)
		if (start_thread(conn, -1, true) < 0)
			return i > 0 ? 0 : -EAGAIN; /* fewer threads serve, too */
	return 0;
}

int fuse_conns_watch(struct fuse_conns *conns, uint64_t limit_ns)
{
	conns->overdue = (struct overdue){ .server = conns->server,
					   .journal = &conns->journal,
					   .limit_ns = limit_ns,
					   .replace = replace,
					   .help = help,
					   .arg = conns };
	return overdue_start(&conns->overdue);
}

static bool is_running(struct fuse_conns *conns)
{
	unsigned int running = 0;

	for (uint32_t i = 0; i < VAULT_CONNS; i++)
		running += atomic_load(&conns->list[i].running);
	return running > 0;
}

void fuse_conns_drain(struct fuse_conns *conns)
{
	struct timespec pause = { .tv_nsec = 100000 };

	atomic_store(&conns->draining, true);
	/* a kick between the look at `draining` and read(2) is lost: so again */
	while (is_running(conns)) {
		journal_kick(&conns->journal, KICK);
		nanosleep(&pause, NULL);
	}
}

void fuse_conns_resume(struct fuse_conns *conns)
{
	atomic_store(&conns->draining, false);
	journal_reuse(&conns->journal);
	for (uint32_t i = 0; i < VAULT_CONNS; i++) {
		struct fuse_conn *conn = &conns->list[i];

		for (unsigned int n = 0; conn->session && n < conn->wanted; n++)
			if (start_thread(conn, -1, true) < 0)
				log_err("cannot start a thread: fewer serve");
	}
}
