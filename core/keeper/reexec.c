/* SPDX-License-Identifier: MIT */
/* reexec.c - see reexec.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "change.h"
#include "conns.h"
#include "io.h"
#include "reexec.h"
#include "state.h"

#define MS		 1000000u
#define TRIAL_TIMEOUT_MS 10000 /* nobody waits for it */
#define SAYS_MAX	 4096

static void forget(struct reexec *x)
{
	if (x->exe_fd >= 0)
		close(x->exe_fd);
	if (x->out_fd >= 0)
		close(x->out_fd);
	x->exe_fd = x->out_fd = -1;
	x->child = 0;
	x->tried = x->killed = false;
}

static void give_up(struct keeper *k, const char *what, const char *reason)
{
	char text[SAYS_MAX + PATH_MAX];

	snprintf(text, sizeof(text), "the new program '%s' %s%s%s", k->options->exe, what,
		 reason[0] ? ": " : "", reason);
	forget(&k->handover.reexec);
	change_reload_ended(k, false, text);
}

/* What is to be handed over stands still. */
static bool is_quiet(const struct keeper *k)
{
	return change_is_quiet(k) && !conns_inner_moves(k) && !k->reattach.child;
}

static _Noreturn void try_program(const struct bundle *all, int exe_fd, int out_fd)
{
	const struct rlimit limit = { SAYS_MAX, SAYS_MAX };
	char name[] = "lxcfsd", option[] = "--check-state";
	char *argv[] = { name, option, NULL };
	sigset_t none;

	setrlimit(RLIMIT_FSIZE, &limit);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (dup2(out_fd, STDOUT_FILENO) >= 0 && dup2(out_fd, STDERR_FILENO) >= 0 &&
	    bundle_to_exec(all, KEPT(STATE) | KEPT(VAULT)) == 0)
		execveat(exe_fd, "", argv, environ, AT_EMPTY_PATH);
	dprintf(out_fd, "cannot be executed: %m\n");
	_exit(127);
}

static void start_trial(struct keeper *k)
{
	struct reexec *x = &k->handover.reexec;
	struct bundle all;
	int r = state_write(k->handover.state_fd, k, &k->handover.state_seq);

	x->wanted = false;
	if (r < 0) {
		give_up(k, "cannot be tried", strerror(-r));
		return;
	}
	handover_bundle(k, &all);
	x->exe_fd = open(k->options->exe, O_PATH | O_CLOEXEC);
	if (x->exe_fd < 0) {
		give_up(k, "cannot be opened", strerror(errno));
		return;
	}
	x->out_fd = memfd_create("lxcfsd-trial", MFD_CLOEXEC);
	x->child = x->out_fd < 0 ? -1 : fork();
	if (x->child == 0)
		try_program(&all, x->exe_fd, x->out_fd);
	if (x->child < 0) {
		give_up(k, "cannot be tried", strerror(errno));
		return;
	}
	x->since_ns = io_now_ns();
}

/* The same process goes on as another program, or, if that fails, as this one. */
static void execute(struct keeper *k)
{
	struct reexec *x = &k->handover.reexec;
	struct bundle all;
	int r;

	standby_drop(k);
	handover_bundle(k, &all);
	r = state_write(k->handover.state_fd, k, &k->handover.state_seq);
	if (r == 0)
		r = bundle_to_exec(&all, ~0u);
	if (r == 0) {
		execveat(x->exe_fd, "", k->options->argv, environ, AT_EMPTY_PATH);
		r = -errno;
	}
	bundle_not_executed(&all);
	give_up(k, "cannot be executed", strerror(-r));
}

int reexec_step(struct keeper *k, uint64_t now)
{
	struct reexec *x = &k->handover.reexec;
	uint64_t passed_ms = now > x->since_ns ? (now - x->since_ns) / MS : 0;

	if (x->child && !x->killed) {
		if (passed_ms < TRIAL_TIMEOUT_MS)
			return (int)(TRIAL_TIMEOUT_MS - passed_ms);
		kill(x->child, SIGKILL);
		x->killed = true;
	} else if (x->tried && is_quiet(k)) {
		execute(k);
		return 0;
	} else if (x->wanted && !x->child && !x->tried && is_quiet(k)) {
		start_trial(k);
		return 0;
	}
	return INT_MAX;
}

/* The first line says that it is good: what exits with 0 alone may be any program. */
static bool said_good(const char *text)
{
	return strncmp(text, REEXEC_GOOD, strlen(REEXEC_GOOD)) == 0;
}

bool reexec_reaped(struct keeper *k, pid_t pid, int status)
{
	struct reexec *x = &k->handover.reexec;
	char text[SAYS_MAX + 2], how[64];

	if (!x->child || pid != x->child)
		return false;
	x->child = 0;
	if (io_pread_all(x->out_fd, text, sizeof(text)) < 0)
		text[0] = '\0';
	if (x->killed) {
		give_up(k, "did not say in time that it can go on from here", text);
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		char what[128];

		snprintf(what, sizeof(what), "does not start (%s)",
			 process_status_text(status, how, sizeof(how)));
		give_up(k, what, text);
	} else if (!said_good(text)) {
		give_up(k, "is not lxcfsd", "");
	} else {
		text[strcspn(text, "\n")] = '\0';
		log_info("SIGHUP: executing lxcfsd %s", text + strlen(REEXEC_GOOD));
		x->tried = true;
	}
	return true;
}

int reexec_check(struct bundle *bundle)
{
	static struct keeper k;
	struct vault_header *vault;
	struct options options;
	uint32_t seq;
	int r = state_read_options(bundle->fds[KEPT_STATE], &options);

	if (r == 0)
		r = state_read(bundle->fds[KEPT_STATE], &k, &seq);
	if (r < 0) {
		fprintf(stderr, "cannot read the state: %s\n", strerror(-r));
		return 1;
	}
	r = vault_map(bundle->fds[KEPT_VAULT], &vault);
	if (r < 0) {
		fprintf(stderr, "cannot use the vault: %s\n", strerror(-r));
		return 1;
	}
	vault_unmap(vault);
	options_done(&options);
	puts(REEXEC_GOOD LXCFSD_VERSION);
	return 0;
}
