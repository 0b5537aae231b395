/* SPDX-License-Identifier: MIT */
/* main.c (keeper) - lxcfsd: the command that people run. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "attach.h"
#include "bundle.h"
#include "io.h"
#include "keeper.h"
#include "log.h"
#include "oom.h"
#include "options.h"
#include "reexec.h"
#include "runtime.h"
#include "state.h"
#include "unmount.h"

/* What only needs a look at configuration or plugins is the worker's. */
static int ask_worker(const struct options *o, const char *what)
{
	const char *argv[8 + 2 * OVERRIDES_MAX];
	unsigned int n = 0;

	argv[n++] = "lxcfsd";
	argv[n++] = what;
	argv[n++] = "--config";
	argv[n++] = o->config;
	for (unsigned int i = 0; i < o->override_count; i++) {
		argv[n++] = "--set";
		argv[n++] = o->overrides[i];
	}
	argv[n] = NULL;
	execv(o->worker, (char *const *)argv);
	fprintf(stderr, "lxcfsd: cannot run '%s': %m\n", o->worker);
	return 1;
}

/* What another keeper has left us, by any way but that of a worker. */
static int begin(struct options *o, struct runtime *rt, struct bundle *bundle)
{
	if (bundle->source == FROM_EXEC) {
		runtime_resume(rt, o, bundle_take(bundle, KEPT_RUNTIME),
			       bundle_take(bundle, KEPT_PIDFILE));
		if (!o->foreground)
			log_open("lxcfsd", LOG_TO_SYSLOG, 6);
		return 0;
	}
	bundle_from_store(bundle); /* a caller's pipe must not be held for as long as we run */
	if (!o->foreground && runtime_detach(rt) < 0) {
		log_err("cannot go into the background: %m");
		return -EIO;
	}
	return runtime_claim(rt, o);
}

static int run(struct options *o, struct bundle *bundle)
{
	struct runtime rt = { .lock_fd = -1, .pid_fd = -1, .waiting_fd = -1 };
	enum log_target target = getenv("JOURNAL_STREAM") ? LOG_TO_JOURNAL : LOG_TO_STDERR;
	int status;

	log_open("lxcfsd", target, 6);
	if (geteuid() != 0) {
		log_err("it takes root to mount and to look into containers");
		return 1;
	}
	if (begin(o, &rt, bundle) < 0)
		return 1;
	oom_protect();
	status = keeper_run(o, &rt, bundle);
	runtime_release(&rt);
	return status;
}

/* By hand: whatever is dead, also what another lxcfs has left. */
static int reattach(const struct options *o)
{
	struct attach_job job = {
		.mountpoint = o->mountpoint ? o->mountpoint : "/var/lib/lxcfs",
		.others = true,
	};
	struct attach_result result;
	char text[1024];
	int r;

	if (geteuid() != 0) {
		fputs("lxcfsd: it takes root to look into containers\n", stderr);
		return 1;
	}
	r = attach_run(&job, &result);
	if (r < 0) {
		fprintf(stderr, "lxcfsd: '%s': %s\n", job.mountpoint,
			r == -ENOENT ? "no lxcfsd is mounted there" : strerror(-r));
		return 1;
	}
	attach_describe(&result, text, sizeof(text));
	puts(text);
	return attach_complete(&result) && !result.slow ? 0 : 1;
}

static int do_mode(struct options *options, struct bundle *bundle)
{
	switch (options->mode) {
	case MODE_HELP:
		options_print_help();
		return 0;
	case MODE_VERSION:
		puts("lxcfsd " LXCFSD_VERSION);
		return 0;
	case MODE_TEST:
		return ask_worker(options, "--check");
	case MODE_HELP_CONFIG:
		return ask_worker(options, "--help-config");
	case MODE_CHECK_STATE:
		return reexec_check(bundle);
	case MODE_UNMOUNT:
		return unmount_left(options);
	case MODE_REATTACH:
		return reattach(options);
	case MODE_RUN:
		break;
	}
	return run(options, bundle);
}

int main(int argc, char **argv)
{
	struct options options;
	struct bundle bundle;
	int status;

	io_open_standard();
	prctl(PR_SET_NAME, "lxcfsd"); /* executed by descriptor it would be a number */
	bundle_from_exec(&bundle);
	if (bundle.fds[KEPT_CONTROL] >= 0) { /* the working directory was another one */
		if (state_read_options(bundle.fds[KEPT_STATE], &options) < 0)
			return 1;
	} else if (options_parse(argc, argv, &options) < 0) {
		return 2;
	}
	options.argv = argv;
	status = do_mode(&options, &bundle);
	options_done(&options);
	return status;
}
