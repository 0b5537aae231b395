/* SPDX-License-Identifier: MIT */
/*
 * main.c (worker) - lxcfsd-worker: does the work, for the keeper or by hand.
 *
 * A worker loads everything first and touches nothing that is shared until the
 * keeper says GO; then its threads answer what the one before has left, and serve until
 * they are told to drain.  When the keeper dies they go on serving.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arguments.h"
#include "closer.h"
#include "config_private.h"
#include "confine.h"
#include "deputy.h"
#include "dying.h"
#include "fuse.h"
#include "goodset.h"
#include "guilt.h"
#include "io.h"
#include "log.h"
#include "model.h"
#include "orphan.h"
#include "place.h"
#include "plugin.h"
#include "ready.h"
#include "render.h"
#include "serve.h"
#include "text.h"
#include "wire.h"

#define CONTROL_FD 3
#define TIDY_MS	   1000
/* They arm and wait; what has to be computed is read in them as well. */
#define INNER_THREADS 2
/* A container may hold up two of them, see deputy.c. */
#define ROOTS_THREADS 6

/* After a crash: made of what the one before was made of. */
static int take_goodset(const char *number, struct problems *problems)
{
	uint64_t fd;
	int r = parse_u64(text_of(number), &fd);

	if (r == 0)
		r = fd <= INT32_MAX ? goodset_restore((int)fd) : -EBADF;
	if (r < 0)
		problem_add(problems, NULL, 0, "cannot take the last good configuration: %s",
			    strerror(-r));
	else
		close((int)fd); /* it is mapped */
	return r;
}

/* Everything that can go wrong with files goes wrong here. */
static int load(const struct arguments *a, struct server *s, struct problems *problems)
{
	struct lxcfsd_services services = { .size = sizeof(services) };
	int r = a->goodset ? take_goodset(a->goodset, problems) : 0;

	if (r == 0)
		r = config_load_partly(a->config, a->overrides, a->override_count, problems,
				       &s->config);
	if (r < 0)
		return r;
	log_set_level((int)s->config->settings.log_level);
	/* a file that an editor has emptied must not take everybody's view away */
	if (s->config->plugin_count == 0 && problems->count == 0)
		problem_add(problems, a->config, 0,
			    "there is no [plugin NAME] section: nothing would be shown");
	r = plugins_load(s->config, NULL, problems, &s->plugins);
	place_check(&s->config->settings, problems);
	if (r == 0 && problems->count > 0)
		r = -EINVAL;
	if (r < 0)
		return r;
	r = model_new(&s->config->settings, NULL, &s->model);
	if (r < 0) {
		problem_add(problems, NULL, 0, "cannot look at this machine: %s", strerror(-r));
		return r;
	}
	model_use_matches(s->model, s->config);
	model_services(&services);
	return plugins_init(&s->plugins, &services, problems);
}

static char *problems_text(const struct problems *p, int error)
{
	char *text = calloc(1, WIRE_TEXT_MAX);
	size_t len = 0, shown = p->count < PROBLEMS_MAX ? p->count : PROBLEMS_MAX;

	if (!text)
		return NULL;
	for (size_t i = 0; i < shown && len < WIRE_TEXT_MAX; i++)
		len += (size_t)snprintf(text + len, WIRE_TEXT_MAX - len, "%s\n",
					p->lines[i] ? p->lines[i] : "out of memory");
	if (p->count > shown && len < WIRE_TEXT_MAX)
		snprintf(text + len, WIRE_TEXT_MAX - len, "and %zu more\n", p->count - shown);
	if (p->count == 0)
		snprintf(text, WIRE_TEXT_MAX, "%s\n", strerror(-error));
	return text;
}

/* ------------------------------------------------------------------- serve */

static void ignore_signals(void)
{
	static const int steered[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGPIPE };

	for (size_t i = 0; i < sizeof(steered) / sizeof(steered[0]); i++)
		signal(steered[i], SIG_IGN);
}

static void tell_ready(const struct server *s)
{
	int set_fd = goodset_seal();
	static struct wire_ready ready;

	ready_fill(s, &ready);
	if (guilt_tell(&s->plugins, CONTROL_FD) < 0 ||
	    wire_send(CONTROL_FD, WIRE_READY, &ready, sizeof(ready), &set_fd, set_fd >= 0) < 0)
		_exit(1); /* the keeper is gone, and nobody knows of us */
	if (set_fd >= 0)
		close(set_fd);
}

static unsigned int thread_count(const struct settings *settings)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	if (settings->threads)
		return (unsigned int)settings->threads;
	return cpus < 4 ? 4 : cpus > 16 ? 16 : (unsigned int)cpus;
}

/* Nobody but the plain connection is worth failing for. */
static void start_inner(struct fuse_conns *conns, uint32_t index)
{
	int r = fuse_conns_start(conns, index, index == CONN_ROOTS ? ROOTS_THREADS : INNER_THREADS);

	if (r < 0)
		log_err("cannot serve connection %u: %s", index, strerror(-r));
}

static int add_inner(struct fuse_conns *conns, uint32_t index, int fd)
{
	int r = fuse_conns_add(conns, index, fd);

	if (r < 0)
		log_err("cannot serve connection %u: %s", index, strerror(-r));
	return r;
}

static int start_threads(struct server *s, struct fuse_conns *conns, const bool inner[])
{
	unsigned int threads = thread_count(&s->config->settings);
	int r = fuse_conns_watch(conns, s->config->settings.request_timeout_ms * 1000000u);

	s->stuck_max = threads; /* then a thread for each of the others is still there */
	if (r == 0)
		r = fuse_conns_start(conns, CONN_PLAIN, threads);
	if (r == 0)
		r = triggers_start(&s->triggers, fuse_conns_wake, conns);
	for (uint32_t i = CONN_INNER; r == 0 && i < CONN_INNER + INNER_COUNT; i++)
		if (inner[i])
			start_inner(conns, i);
	return r;
}

static int take_over(struct server *s, const struct wire_msg *msg, struct fuse_conns **ret)
{
	bool keep_journal = s->config->settings.test_journal, inner[VAULT_CONNS] = { false };
	struct vault_header *vault;
	unsigned int left;
	int r = vault_map(msg->fds[0], &vault);

	if (r == 0)
		r = serve_take_over(s, vault, msg->go.generation);
	if (r == 0) {
		deputy_use_vault(s->model, msg->fds[0], vault);
		guilt_take(s, msg->go.quarantined);
		dying_watch();
	}
	if (r == 0)
		r = fuse_conns_new(s, keep_journal, ret);
	if (r == 0)
		r = fuse_conns_add(*ret, CONN_PLAIN, msg->fds[1]);
	if (r < 0)
		return r;
	for (unsigned int i = 2; i < msg->fd_count; i++) {
		uint32_t index = wire_go_index(msg, i);

		inner[index] = add_inner(*ret, index, msg->fds[i]) == 0;
	}
	left = keep_journal ? fuse_conns_left(*ret) : 0;
	if (left)
		log_debug("%u requests that the worker before had taken are answered first", left);
	s->wake_fd = eventfd(0, EFD_CLOEXEC);
	if (s->wake_fd < 0)
		return -errno;
	r = start_threads(s, *ret, inner);
	if (r < 0)
		return r;
	return wire_send(CONTROL_FD, WIRE_SERVING, NULL, 0, NULL, 0) == -EMSGSIZE ? -EIO : 0;
}

/* The keeper has made one more connection. */
static void add_conn(struct fuse_conns *conns, struct wire_msg *msg)
{
	uint32_t index = msg->conn.index;

	if (msg->fd_count == 1 && index >= CONN_INNER && index < CONN_INNER + INNER_COUNT &&
	    add_inner(conns, index, msg->fds[0]) == 0) {
		start_inner(conns, index);
		return;
	}
	wire_close_fds(msg);
}

/* A keeper that has died meanwhile has told nobody else to go. */
static void drain(struct fuse_conns *conns, int control)
{
	struct pollfd p = { .fd = control };

	fuse_conns_drain(conns);
	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLHUP))
		_exit(0);
	fuse_conns_resume(conns);
}

static void hear(struct fuse_conns *conns, struct pollfd *control)
{
	static struct wire_msg msg;
	int r = wire_recv(control->fd, &msg, MSG_DONTWAIT);

	if (r == 0 && msg.type == WIRE_DRAIN)
		drain(conns, control->fd);
	if (r == 0 && msg.type == WIRE_CONN)
		add_conn(conns, &msg);
	else if (r == 0 && msg.type == WIRE_KEEP)
		orphan_keep(&msg);
	else if (r == 0)
		wire_close_fds(&msg); /* of a newer release */
	if (r == -ECONNRESET) {	      /* an orphan serves on: a new keeper adopts it */
		log_err("the keeper is gone; serving on without it");
		close(control->fd);
		control->fd = -1;
	}
}

/* Until told to drain.  Sleeps without a limit while nobody reads. */
static void steer(struct server *s, struct fuse_conns *conns)
{
	struct pollfd fds[3] = { { .fd = CONTROL_FD, .events = POLLIN },
				 { .fd = s->wake_fd, .events = POLLIN },
				 { .fd = -1, .events = POLLIN } };

	for (;;) {
		uint64_t wakes;
		bool busy;
		int r;

		/* in this order: who reads in between wakes us, or is seen */
		atomic_store(&s->sleeping, true);
		busy = model_busy(s->model);
		if (busy) /* nobody is to put off the time to tidy up */
			atomic_store(&s->sleeping, false);
		fds[2].fd = fds[0].fd < 0 ? orphan_listens() : -1;
		r = poll(fds, 3, busy ? TIDY_MS : -1);
		if (r < 0)
			continue;
		if (fds[0].revents)
			hear(conns, &fds[0]);
		if (fds[1].revents && read(s->wake_fd, &wakes, sizeof(wakes)) < 0)
			log_debug("eventfd: %m");
		if (fds[2].revents)
			fds[0].fd = orphan_adopt();
		if (r == 0)
			serve_tidy(s);
	}
}

/* Large tables are mapped, and take memory only where they are used; the C library would
 * otherwise clear them in what others have given back, which readers wait for after a crash.
 * Later on it is the other way round: what a render needs is taken from there again. */
static void map_tables(bool begins)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, begins ? 8 << 10 : 16 << 20);
#else
	(void)begins;
#endif
}

static int serve(const struct arguments *a)
{
	static struct server server;
	static struct problems problems;
	static struct wire_msg msg;
	struct fuse_conns *conns;
	int r;

	map_tables(true);
	ignore_signals();
	fcntl(CONTROL_FD, F_SETFD, FD_CLOEXEC);
	log_open("lxcfsd-worker", a->log, 6);
	r = load(a, &server, &problems);
	if (r < 0) {
		char *text = problems_text(&problems, r);

		wire_send(CONTROL_FD, WIRE_FAILED, text ? text : "out of memory",
			  text ? strlen(text) : 13, NULL, 0);
		free(text);
		return 1;
	}
	problems_done(&problems);
	if (server.config->settings.container_roots && plugins_change(&server.plugins)) {
		r = deputy_start(server.model);
		if (r < 0)
			log_warn("nothing can be changed in containers' own roots: %s",
				 strerror(-r));
	}
	if (server.config->settings.confine)
		confine();
	r = closer_start(orphan_let_go);
	if (r < 0)
		log_notice("the end of this worker may take longer than it could: %s",
			   strerror(-r));
	if (server.config->settings.confine)
		confine_to_threads();
	tell_ready(&server);
	if (!wire_await_go(CONTROL_FD, &msg))
		_exit(0);
	r = take_over(&server, &msg, &conns);
	map_tables(false);
	if (r < 0) {
		log_err("cannot take over: %s", strerror(-r));
		return 1;
	}
	steer(&server, conns);
	return 0;
}

/* ----------------------------------------------------------- other errands */

static int check(const struct arguments *a)
{
	static struct server server;
	static struct problems problems;
	char *text;
	int r;

	log_open("lxcfsd", LOG_TO_STDERR, 3);
	r = load(a, &server, &problems);
	if (r == 0) {
		printf("%s: good, %u of %zu plugins switched on\n", a->config,
		       plugins_enabled(&server.plugins), server.plugins.count);
		return 0;
	}
	text = problems_text(&problems, r);
	fputs(text ? text : "out of memory\n", stderr);
	free(text);
	return 1;
}

static void add_modules(struct config *config)
{
	char dir[PATH_MAX];

	if (config->settings.plugin_dir)
		config_add_modules(config, config->settings.plugin_dir);
	else if (plugins_default_dir(dir, sizeof(dir)) == 0)
		config_add_modules(config, dir);
}

/* The core's keys, then those of every plugin that the configuration names or that is in
 * the directory of modules. */
static int help_config(const struct arguments *a)
{
	static struct problems problems;
	struct server s = { 0 };

	config_print_help(stdout);
	if (config_load(a->config, a->overrides, a->override_count, &problems, &s.config) < 0)
		return 0;
	add_modules(s.config);
	plugins_load(s.config, NULL, &problems, &s.plugins);
	for (size_t i = 0; i < s.plugins.count; i++) {
		const struct plugin *p = &s.plugins.list[i];

		if (!p->opts)
			continue;
		printf("\n[plugin %s]  %s\n", p->section->name, p->meta.summary);
		if (p->meta.flags & LXCFSD_PATH_FROM_CONFIG)
			config_print_opts(stdout, config_path_keys, PATH_KEY_COUNT);
		config_print_opts(stdout, p->opts, p->meta.opt_count);
	}
	plugins_done(&s.plugins);
	config_free(s.config);
	problems_done(&problems);
	return 0;
}

static int usage(FILE *out)
{
	fputs("Usage: lxcfsd-worker --render PATH --subject CGROUP [--root DIR]\n"
	      "                     [--config FILE] [--plugin-dir DIR] [--set "
	      "[PLUGIN.]KEY=VALUE]...\n"
	      "Prints a virtual file, or what is in a directory of a tree, as a container sees "
	      "it,\n"
	      "without a mount.\n"
	      "Everything else is for lxcfsd, which starts it by itself.\n",
	      out);
	return out == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	struct arguments arguments;

	io_open_standard();
	prctl(PR_SET_NAME, "lxcfsd-worker"); /* executed by descriptor it would be a number */
	if (argc < 2)
		return usage(stderr);
	if (!strcmp(argv[1], "--render"))
		return render_command(argc, argv);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return usage(stdout);
	if (!strcmp(argv[1], "--version")) {
		puts("lxcfsd-worker " LXCFSD_VERSION);
		return 0;
	}
	if (arguments_parse(argc, argv, &arguments) < 0)
		return usage(stderr);
	if (!strcmp(argv[1], "--serve"))
		return serve(&arguments);
	if (!strcmp(argv[1], "--check"))
		return check(&arguments);
	if (!strcmp(argv[1], "--help-config"))
		return help_config(&arguments);
	return usage(stderr);
}
