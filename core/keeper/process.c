/* SPDX-License-Identifier: MIT */
/* process.c - see process.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"
#include "oom.h"
#include "process.h"

/* The child's; our own fds are kept out of their way. */
#define CONTROL_FD  3
#define SET_FD	    4
#define SET_FD_TEXT "4"
#define FIRST_FD    10

/* Lets the child have `fd` as `number`. */
static void hand_over(int fd, int number)
{
	if (fd == number)
		fcntl(fd, F_SETFD, 0);
	else
		dup2(fd, number);
}

static void make_argv(const struct options *o, enum log_target log, const struct making *made_of,
		      const char *argv[16 + 2 * OVERRIDES_MAX])
{
	static const char *const targets[] = { "stderr", "journal", "syslog" };
	unsigned int n = 0;

	argv[n++] = made_of && made_of->last_resort ? "lxcfsd-safe" : "lxcfsd-worker";
	argv[n++] = "--serve";
	argv[n++] = "--log";
	argv[n++] = targets[log];
	argv[n++] = "--config";
	argv[n++] = o->config;
	for (unsigned int i = 0; i < o->override_count; i++) {
		argv[n++] = "--set";
		argv[n++] = o->overrides[i];
	}
	if (made_of && made_of->set_fd >= 0) {
		argv[n++] = "--goodset";
		argv[n++] = SET_FD_TEXT;
	}
	argv[n] = NULL;
}

static _Noreturn void become_worker(const struct options *o, int ctl, enum log_target log,
				    int exe_fd, const struct making *made_of)
{
	static const int steered[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
	const char *argv[16 + 2 * OVERRIDES_MAX];
	sigset_t none;

	make_argv(o, log, made_of, argv);
	/* meant for us, sent to all of that name: they must not end it before it
	 * has come to ignore them itself */
	for (size_t i = 0; i < sizeof(steered) / sizeof(steered[0]); i++)
		signal(steered[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (log == LOG_TO_SYSLOG) { /* nothing may hold the terminal that we left */
		int null = open("/dev/null", O_RDWR);

		for (int fd = 0; null >= 0 && fd < 3; fd++)
			dup2(null, fd);
	}
	oom_expose();
	hand_over(ctl, CONTROL_FD);
	if (made_of && made_of->set_fd >= 0)
		hand_over(made_of->set_fd, SET_FD);
	if (exe_fd >= 0)
		execveat(exe_fd, "", (char *const *)argv, environ, AT_EMPTY_PATH);
	else
		execv(o->worker, (char *const *)argv);
	/* the keeper learns it as it learns any other reason */
	{
		char text[4200];
		int len = snprintf(text, sizeof(text), "cannot run '%s': %m", o->worker);

		if (len > 0 && (size_t)len < sizeof(text))
			wire_send(CONTROL_FD, WIRE_FAILED, text, (size_t)len, NULL, 0);
	}
	_exit(127);
}

/* Above the numbers that the child has use for. */
static int raise_fd(int fd)
{
	int raised = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD), saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return raised;
}

static int make_sockets(int ret[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret) < 0)
		return -errno;
	ret[0] = raise_fd(ret[0]);
	ret[1] = raise_fd(ret[1]);
	/* one that does not listen must not hold us up */
	return ret[0] < 0 || ret[1] < 0 || fcntl(ret[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

int process_start(struct process *p, const struct options *options, uint32_t generation,
		  enum log_target log, const struct making *made_of)
{
	int pair[2] = { -1, -1 }, exe_fd, r = make_sockets(pair);
	pid_t pid = -1;

	if (made_of)
		exe_fd = fcntl(made_of->exe_fd, F_DUPFD_CLOEXEC, FIRST_FD);
	else /* when it is not there, the child says so */
		exe_fd = raise_fd(open(options->worker, O_PATH | O_CLOEXEC));
	if (r == 0) {
		pid = fork();
		if (pid < 0)
			r = -errno;
	}
	if (pid == 0)
		become_worker(options, pair[1], log, exe_fd, made_of);
	if (pair[1] >= 0)
		close(pair[1]);
	if (r < 0) {
		if (pair[0] >= 0)
			close(pair[0]);
		if (exe_fd >= 0)
			close(exe_fd);
		return r;
	}
	*p = (struct process){ .pid = pid,
			       .ctl = pair[0],
			       .generation = generation,
			       .started_ns = io_now_ns(),
			       .again = made_of,
			       .made_of = { .exe_fd = exe_fd,
					    .set_fd = -1,
					    .last_resort = made_of && made_of->last_resort } };
	process_set_state(p, PROCESS_LOADING);
	return 0;
}

void making_done(struct making *making)
{
	if (making->exe_fd >= 0)
		close(making->exe_fd);
	if (making->set_fd >= 0)
		close(making->set_fd);
	*making = (struct making){ .exe_fd = -1, .set_fd = -1 };
}

void process_set_state(struct process *p, enum process_state state)
{
	p->state = state;
	p->since_ns = io_now_ns();
}

void process_kill(const struct process *p)
{
	if (p->orphan_fd)
		pidfd_send_signal(p->orphan_fd, SIGKILL, NULL, 0);
	else
		kill(p->pid, SIGKILL);
}

bool process_has_ended(const struct process *p)
{
	struct pollfd end = { .fd = p->orphan_fd, .events = POLLIN };

	return p->orphan_fd ? poll(&end, 1, 0) == 1 : waitpid(p->pid, NULL, WNOHANG) != 0;
}

void process_done(struct process *p)
{
	if (p->state != PROCESS_NONE) {
		if (p->ctl >= 0)
			close(p->ctl);
		if (p->orphan_fd)
			close(p->orphan_fd);
		making_done(&p->made_of);
	}
	free(p->failure);
	*p = (struct process){ .state = PROCESS_NONE, .ctl = -1 };
}

const char *process_status_text(int status, char *buf, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buf, size, "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(buf, size, "exit status %d", WEXITSTATUS(status));
	return buf;
}

bool process_status_is_fault(int status)
{
	if (!WIFSIGNALED(status))
		return true; /* nobody asked it to end: a plugin called exit() */
	switch (WTERMSIG(status)) {
	case SIGSEGV:
	case SIGABRT:
	case SIGBUS:
	case SIGILL:
	case SIGFPE:
	case SIGSYS:
	case SIGTRAP:
		return true;
	default:
		return false; /* SIGKILL: the administrator, or out of memory */
	}
}
