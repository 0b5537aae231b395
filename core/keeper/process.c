/* SPDX-License-Identifier: MIT */
/* process.c - see process.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io.h"
#include "process.h"

#define CONTROL_FD 3

static _Noreturn void become_worker(const struct options *o, int ctl, enum log_target log)
{
	static const char *const targets[] = { "stderr", "journal", "syslog" };
	static const int steered[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2 };
	const char *argv[12 + 2 * OVERRIDES_MAX];
	unsigned int n = 0;
	sigset_t none;

	argv[n++] = "lxcfsd-worker";
	argv[n++] = "--serve";
	argv[n++] = "--log";
	argv[n++] = targets[log];
	argv[n++] = "--config";
	argv[n++] = o->config;
	for (unsigned int i = 0; i < o->override_count; i++) {
		argv[n++] = "--set";
		argv[n++] = o->overrides[i];
	}
	argv[n] = NULL;
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
	if (ctl == CONTROL_FD)
		fcntl(ctl, F_SETFD, 0);
	else
		dup2(ctl, CONTROL_FD);
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

int process_start(struct process *p, const struct options *options, uint32_t generation,
		  enum log_target log)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid == 0)
		become_worker(options, pair[1], log);
	close(pair[1]);
	if (pid < 0) {
		int r = -errno;

		close(pair[0]);
		return r;
	}
	*p = (struct process){ .pid = pid, .ctl = pair[0], .generation = generation };
	process_set_state(p, PROCESS_LOADING);
	return 0;
}

void process_set_state(struct process *p, enum process_state state)
{
	p->state = state;
	p->since_ns = io_now_ns();
}

void process_done(struct process *p)
{
	if (p->state != PROCESS_NONE)
		close(p->ctl);
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
