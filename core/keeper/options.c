/* SPDX-License-Identifier: MIT */
/* options.c - see options.h. */
#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "options.h"

static const char help_text[] =
	"Usage: lxcfsd [OPTION]... [MOUNTPOINT]\n"
	"Lets containers see their own /proc and /sys instead of the host's.\n"
	"\n"
	"  -f, --foreground      stay in the foreground, log to stderr\n"
	"  -c, --config FILE     configuration (default: " LXCFSD_SYSCONFDIR "/lxcfsd/lxcfsd.ini)\n"
	"  -p, --pidfile FILE    where to write the process id (default: DIR/lxcfs.pid)\n"
	"      --runtime-dir DIR directory for lock and status (default: /run)\n"
	"  -d, --debug           log everything, stay in the foreground\n"
	"  -t, --test            only check configuration and plugins; exit status 0 if good\n"
	"      --help-config     every key of the configuration, with its default\n"
	"      --unmount         take off a mount that an ended lxcfsd has left\n"
	"  -h, --help            this text\n"
	"  -v, --version\n"
	"\n"
	"MOUNTPOINT (default: /var/lib/lxcfs) beats the one in the configuration.\n"
	"\n"
	"Signals: HUP takes over a new version of lxcfsd itself and reloads, USR1 reloads\n"
	"configuration and plugins, USR2 switches the containers' view off and on again, TERM\n"
	"unmounts and ends (running containers lose their files).\n"
	"\n"
	"Options of lxcfs: -u (--disable-swap) shows no swap; --enable-cfs is the default here;\n"
	"-l -s -z -o LIST --enable-loadavg --enable-pidfd --enable-psi-poll --enable-cgroup\n"
	"--disable-zswap are taken and have no effect: see the configuration instead.\n";

enum long_only {
	OPT_RUNTIME_DIR = 256,
	OPT_HELP_CONFIG,
	OPT_CFS,
	OPT_IGNORED,
	OPT_UNMOUNT,
	OPT_CHECK_STATE,
};

/* clang-format off */
static const struct option long_options[] = {
	{ "foreground",      no_argument,       NULL, 'f' },
	{ "config",          required_argument, NULL, 'c' },
	{ "pidfile",         required_argument, NULL, 'p' },
	{ "runtime-dir",     required_argument, NULL, OPT_RUNTIME_DIR },
	{ "debug",           no_argument,       NULL, 'd' },
	{ "test",            no_argument,       NULL, 't' },
	{ "help-config",     no_argument,       NULL, OPT_HELP_CONFIG },
	{ "unmount",         no_argument,       NULL, OPT_UNMOUNT },
	{ "check-state",     no_argument,       NULL, OPT_CHECK_STATE },
	{ "help",            no_argument,       NULL, 'h' },
	{ "version",         no_argument,       NULL, 'v' },
	{ "disable-swap",    no_argument,       NULL, 'u' },
	{ "enable-cfs",      no_argument,       NULL, OPT_CFS },
	{ "enable-loadavg",  no_argument,       NULL, OPT_IGNORED },
	{ "enable-pidfd",    no_argument,       NULL, OPT_IGNORED },
	{ "enable-psi-poll", no_argument,       NULL, OPT_IGNORED },
	{ "enable-cgroup",   no_argument,       NULL, OPT_IGNORED },
	{ "disable-zswap",   no_argument,       NULL, OPT_IGNORED },
	{ NULL,              0,                 NULL, 0 },
};
/* clang-format on */

void options_print_help(void)
{
	fputs(help_text, stdout);
}

static int refuse(const char *what, const char *which)
{
	fprintf(stderr, "lxcfsd: %s%s%s\nTry 'lxcfsd --help'.\n", what, which ? " " : "",
		which ? which : "");
	return -EINVAL;
}

/* A path that holds after chdir(). */
static int set_path(char **at, const char *path)
{
	char cwd[PATH_MAX];
	char *full = NULL;

	if (path[0] == '/') {
		full = strdup(path);
	} else {
		if (!getcwd(cwd, sizeof(cwd)))
			return -errno;
		if (asprintf(&full, "%s/%s", cwd, path) < 0)
			full = NULL;
	}
	if (!full)
		return -ENOMEM;
	free(*at);
	*at = full;
	return 0;
}

static int add_override(struct options *o, const char *key, const char *value)
{
	char **slot = &o->overrides[o->override_count];

	if (o->override_count == OVERRIDES_MAX)
		return refuse("too many options", NULL);
	if (asprintf(slot, "%s=%s", key, value) < 0) {
		*slot = NULL;
		return -ENOMEM;
	}
	o->override_count++;
	return 0;
}

static void add_ignored(struct options *o, const char *what)
{
	size_t len = strlen(o->ignored);

	snprintf(o->ignored + len, sizeof(o->ignored) - len, "%s%s", len ? " " : "", what);
}

static int take_path(char **at, const char *path)
{
	return path[0] ? set_path(at, path)
		       : refuse("an option's file or directory is empty", NULL);
}

static int take(struct options *o, int opt, const char *word)
{
	switch (opt) {
	case 'f':
		o->foreground = true;
		return 0;
	case 'c':
		return take_path(&o->config, optarg);
	case 'p':
		return take_path(&o->pidfile, optarg);
	case OPT_RUNTIME_DIR:
		return take_path(&o->runtime_dir, optarg);
	case 'd':
		o->foreground = true;
		return add_override(o, "log_level", "debug");
	case 't':
		o->mode = MODE_TEST;
		return 0;
	case 'h':
		o->mode = MODE_HELP;
		return 0;
	case 'v':
		o->mode = MODE_VERSION;
		return 0;
	case OPT_HELP_CONFIG:
		o->mode = MODE_HELP_CONFIG;
		return 0;
	case OPT_UNMOUNT:
		o->mode = MODE_UNMOUNT;
		return 0;
	case OPT_CHECK_STATE:
		o->mode = MODE_CHECK_STATE;
		return 0;
	case 'u':
		return add_override(o, "*.swap", "no"); /* of every plugin that has it */
	case OPT_CFS:
		return add_override(o, "cpu_quota", "ceil");
	case 'l':
	case 's':
	case 'z':
	case 'o':
	case OPT_IGNORED:
		add_ignored(o, word);
		return 0;
	default:
		return -EINVAL; /* getopt has said why */
	}
}

static int parse_words(int argc, char **argv, struct options *o)
{
	int opt, r;

	for (;;) {
		char word[32];
		int index = -1;

		opt = getopt_long(argc, argv, "fc:p:dthvulszo:", long_options, &index);
		if (opt < 0)
			break;
		if (opt == '?') {
			fputs("Try 'lxcfsd --help'.\n", stderr);
			return -EINVAL;
		}
		if (index >= 0)
			snprintf(word, sizeof(word), "--%s", long_options[index].name);
		else
			snprintf(word, sizeof(word), "-%c", opt);
		r = take(o, opt, word);
		if (r < 0)
			return r;
	}
	if (argc - optind > 1)
		return refuse("more than one mount point:", argv[optind + 1]);
	if (argc - optind == 1) {
		char *mountpoint = NULL;

		r = take_path(&mountpoint, argv[optind]);
		if (r == 0)
			r = add_override(o, "mountpoint", mountpoint);
		free(mountpoint);
		return r;
	}
	return 0;
}

/* What the kernel adds when the file has been replaced since. */
#define DELETED " (deleted)"

static int find_exe(char *ret, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", ret, size - 1);
	size_t cut = strlen(DELETED);

	if (n < 0)
		return -errno;
	ret[n] = '\0';
	if ((size_t)n > cut && strcmp(ret + n - cut, DELETED) == 0)
		ret[(size_t)n - cut] = '\0';
	return 0;
}

/* Beside us (the build tree), as installed relative to us, or as installed. */
int options_find_worker(struct options *o)
{
	static const char *const places[] = { "lxcfsd-worker", "../libexec/lxcfsd/lxcfsd-worker" };
	char exe[PATH_MAX], path[PATH_MAX + 64];
	const char *dir;
	size_t i = 0;
	int r = find_exe(exe, sizeof(exe));

	if (r < 0)
		return r;
	if (!o->exe) {
		o->exe = strdup(exe);
		if (!o->exe)
			return -ENOMEM;
	}
	dir = dirname(exe);
	for (; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, places[i]);
		if (access(path, X_OK) == 0)
			break;
	}
	o->worker = strdup(i < 2 ? path : LXCFSD_LIBEXECDIR "/lxcfsd-worker");
	if (!o->worker)
		return -ENOMEM;
	snprintf(path, sizeof(path), "%s/../lxcfsd.ini", dir);
	return i > 0 || o->config || access(path, R_OK) != 0 ? 0 : set_path(&o->config, path);
}

void options_done(struct options *options)
{
	free(options->config);
	free(options->pidfile);
	free(options->runtime_dir);
	free(options->worker);
	free(options->exe);
	while (options->override_count)
		free(options->overrides[--options->override_count]);
}

int options_parse(int argc, char **argv, struct options *ret)
{
	struct options o = { 0 };
	int r = parse_words(argc, argv, &o);

	if (r < 0) {
		options_done(&o);
		return r;
	}
	r = options_find_worker(&o);
	if (r == 0 && !o.config)
		r = set_path(&o.config, LXCFSD_SYSCONFDIR "/lxcfsd/lxcfsd.ini");
	if (r == 0 && !o.runtime_dir)
		r = set_path(&o.runtime_dir, "/run");
	if (r == 0 && !o.pidfile) {
		_free_ char *path = NULL;

		if (asprintf(&path, "%s/lxcfs.pid", o.runtime_dir) < 0)
			path = NULL;
		r = path ? set_path(&o.pidfile, path) : -ENOMEM;
	}
	if (r < 0) {
		fprintf(stderr, "lxcfsd: %s\n", strerror(-r));
		options_done(&o);
		return r;
	}
	*ret = o;
	return 0;
}
