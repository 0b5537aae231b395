/* SPDX-License-Identifier: MIT */
/* options.h - the command line: ours, and every form that lxcfs takes. */
#ifndef LXCFSD_OPTIONS_H
#define LXCFSD_OPTIONS_H

#include <stdbool.h>

#define OVERRIDES_MAX 16

enum mode {
	MODE_RUN,
	MODE_TEST,
	MODE_HELP,
	MODE_HELP_CONFIG,
	MODE_VERSION,
	MODE_UNMOUNT,
	MODE_CHECK_STATE, /* a keeper tries the program that is to take its place */
};

struct options {
	enum mode mode;
	bool foreground;
	char *config;	   /* absolute */
	char *pidfile;	   /* absolute */
	char *runtime_dir; /* absolute */
	char *worker;	   /* path of lxcfsd-worker */
	char *exe;	   /* of this program: what SIGHUP executes */
	char **argv;	   /* as we were called; not ours */
	/* settings given on the command line, as `--set KEY=VALUE` for the worker */
	char *overrides[OVERRIDES_MAX];
	unsigned int override_count;
	char ignored[256]; /* options of lxcfs without a meaning here */
};

/* 0, or -EINVAL after saying on stderr what is wrong. */
int options_parse(int argc, char **argv, struct options *ret);
void options_done(struct options *options);
/* Finds the worker, and what else lies beside this program. */
int options_find_worker(struct options *options);
void options_print_help(void);

#endif
