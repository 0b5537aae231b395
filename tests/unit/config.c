/* SPDX-License-Identifier: MIT */
/* lxcfsd.ini: what is read, and that nothing wrong in it passes silently. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "config.h"
#include "io.h"
#include "wire.h"

static char dir[] = "/tmp/lxcfsd-config.XXXXXX";
static char path[128];
static struct problems problems;
static struct config *config;

static void write_file(const char *name, const char *text, size_t len)
{
	char file[160];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || io_write_all(fd, text, len) < 0)
		abort();
	close(fd);
}

static void remove_file(const char *name)
{
	char file[160];

	snprintf(file, sizeof(file), "%s/%s", dir, name);
	unlink(file);
}

static int load_bytes(const char *text, size_t len)
{
	problems_done(&problems);
	config = config_free(config);
	write_file("lxcfsd.ini", text, len);
	return config_load(path, NULL, 0, &problems, &config);
}

static int load(const char *text)
{
	return load_bytes(text, strlen(text));
}

/* That `text` is refused, with this as the n-th line behind the directory. */
static bool says(size_t n, const char *want)
{
	const char *line = n < problems.count ? problems.lines[n] : "(no such line)";

	if (strncmp(line, dir, strlen(dir)) == 0)
		line += strlen(dir) + 1;
	return CHECK_STR(line, want);
}

static void refused(const char *text, const char *want)
{
	CHECK(load(text) == -EINVAL);
	CHECK_U64(problems.count, 1);
	says(0, want);
}

static void test_defaults(void)
{
	struct config *defaults = NULL;
	const struct settings *s;

	if (!CHECK(config_defaults(&defaults) == 0))
		return;
	s = &defaults->settings;
	CHECK_STR(s->mountpoint, "/var/lib/lxcfs");
	CHECK(s->plugin_dir == NULL);
	CHECK_STR(s->strip, "init.scope init .lxc");
	CHECK_U64(s->log_level, 6);
	CHECK_U64(s->threads, 0);
	CHECK_U64(s->cache_ms, 50);
	CHECK_U64(s->max_fds, 4096);
	CHECK_U64(s->max_handles, 1024);
	CHECK_U64(s->max_snapshot_kib, 4096);
	CHECK_U64(s->ready_timeout_ms, 10000);
	CHECK_U64(s->drain_ms, 100);
	CHECK_U64(s->request_timeout_ms, 2000);
	CHECK_U64(s->on_error, ON_ERROR_HOST);
	CHECK_U64(s->subject, SUBJECT_AUTO);
	CHECK_U64(s->host_pidns, HOST_PIDNS_CALLER);
	CHECK_U64(s->identity, IDENTITY_AUTO);
	CHECK_U64(s->cpu_quota, CPU_QUOTA_CEIL);
	CHECK_U64(s->cpu_numbering, CPU_NUMBERING_HOST);
	CHECK_U64(s->reattach, WIRE_REATTACH_ALL);
	CHECK_U64(s->standby, 1);
	CHECK_U64(s->container_roots, 0);
	CHECK_U64(s->confine, 1);
	CHECK_U64(s->test_journal, 1);
	CHECK_U64(s->test_snapshots, 1);
	CHECK_U64(s->test_resend, 1);
	config_free(defaults);
}

static void test_values(void)
{
	/* a mark in front of UTF-8, lines that end in \r\n, comments, no newline at the end */
	CHECK(load("\xef\xbb\xbf[lxcfsd] ; the daemon\r\n"
		   "# a comment\r\n\t; an indented one\r\n\r\n"
		   "log_level = debug\r\ncache_ms=0 ; none\r\non_error: eio\r\n"
		   "cpu_quota = off\nsubject = init\nhost_pidns = host\nidentity = nspid\n"
		   "cpu_numbering = dense\nstrip =\nplugin_dir = /opt/p\ntest_journal = off\n"
		   "threads = 32") == 0);
	if (!config)
		return;
	CHECK_U64(config->settings.log_level, 7);
	CHECK_U64(config->settings.cache_ms, 0);
	CHECK_U64(config->settings.on_error, ON_ERROR_EIO);
	CHECK_U64(config->settings.cpu_quota, CPU_QUOTA_OFF);
	CHECK_U64(config->settings.subject, SUBJECT_INIT);
	CHECK_U64(config->settings.host_pidns, HOST_PIDNS_HOST);
	CHECK_U64(config->settings.identity, IDENTITY_NSPID);
	CHECK_U64(config->settings.cpu_numbering, CPU_NUMBERING_DENSE);
	CHECK_STR(config->settings.strip, "");
	CHECK_STR(config->settings.plugin_dir, "/opt/p");
	CHECK_U64(config->settings.test_journal, 0);
	CHECK_U64(config->settings.threads, 32);
	CHECK_U64(config->file_count, 1);
	CHECK_STR(config->files[0], path);
	CHECK(load("") == 0); /* an empty file is the defaults */
}

static void test_plugins(void)
{
	const struct plugin_section *p;

	CHECK(load("[plugin one]\n"
		   "[plugin  two]\nenabled = no\non_error = host\nmodule = 2.so\nown = 1\n"
		   "[lxcfsd]\non_error = eio\n"
		   "[plugin t-3_]\nmodule=/abs/x.so\nkey = a b\nother =\n") == 0);
	if (!config || !CHECK_U64(config->plugin_count, 3))
		return;
	p = &config->plugins[0];
	CHECK_STR(p->name, "one");
	CHECK_STR(p->module, "one.so");
	CHECK(p->enabled && p->on_error == ON_ERROR_EIO);
	CHECK_U64(p->line, 1);
	CHECK_U64(p->key_count, 0);
	p = &config->plugins[1];
	CHECK_STR(p->name, "two");
	CHECK_STR(p->module, "2.so");
	CHECK(!p->enabled && p->on_error == ON_ERROR_HOST);
	CHECK_U64(p->key_count, 1);
	CHECK_STR(p->keys[0].key, "own");
	p = &config->plugins[2];
	CHECK_STR(p->module, "/abs/x.so");
	CHECK_U64(p->key_count, 2);
	CHECK_STR(p->keys[0].value, "a b");
	CHECK_STR(p->keys[1].value, "");
	CHECK_U64(p->keys[1].line, 12);
}

static void test_bad_values(void)
{
	refused("[lxcfsd]\ncache_ms = 1001\n",
		"lxcfsd.ini:2: cache_ms = 1001: must be a number from 0 to 1000");
	refused("[lxcfsd]\ncache_ms = 5O\n",
		"lxcfsd.ini:2: cache_ms = 5O: must be a number from 0 to 1000");
	refused("[lxcfsd]\ncache_ms =\n",
		"lxcfsd.ini:2: cache_ms = : must be a number from 0 to 1000");
	refused("[lxcfsd]\ncache_ms = 99999999999999999999\n",
		"lxcfsd.ini:2: cache_ms = 99999999999999999999: must be a number from 0 to 1000");
	refused("[lxcfsd]\ncpu_quota = up\n",
		"lxcfsd.ini:2: cpu_quota = up: must be one of: ceil, floor, round, off");
	refused("[lxcfsd]\ncpu_quota =\n",
		"lxcfsd.ini:2: cpu_quota = : must be one of: ceil, floor, round, off");
	refused("[lxcfsd]\ntest_journal = maybe\n",
		"lxcfsd.ini:2: test_journal = maybe: must be yes or no");
	refused("[lxcfsd]\nmountpoint = lxcfs\n",
		"lxcfsd.ini:2: mountpoint = lxcfs: must be a path that begins with /");
	refused("[lxcfsd]\nmountpoint =\n", "mountpoint is empty: give a directory");
	refused("[plugin x]\nenabled = 2\n", "lxcfsd.ini:2: enabled = 2: must be yes or no");
	refused("[plugin x]\non_error = never\nown = 1\n",
		"lxcfsd.ini:2: on_error = never: must be one of: host, eio");
	refused("[plugin x]\nmodule = ../x.so\n",
		"lxcfsd.ini:2: module = ../x.so: must be a file name or a path that begins with /");
}

static void test_unknown(void)
{
	refused("[lxcfsd]\ncahce_ms = 1\n",
		"lxcfsd.ini:2: unknown key 'cahce_ms' in [lxcfsd]: did you mean 'cache_ms'?");
	refused("[lxcfsd]\nzzz = 1\n", "lxcfsd.ini:2: unknown key 'zzz' in [lxcfsd]: "
				       "`lxcfsd --help-config` lists them");
	refused("[lxcfs]\n",
		"lxcfsd.ini:1: unknown section [lxcfs]: there are [lxcfsd], [plugin NAME] and "
		"[match NAME]");
	refused("[]\n", "lxcfsd.ini:1: unknown section []: there are [lxcfsd], [plugin NAME] and "
			"[match NAME]");
#define NAMES "a plugin's name has 1 to 32 of the characters a-z 0-9 _ -"
	refused("[plugin]\n", "lxcfsd.ini:1: [plugin]: " NAMES);
	refused("[plugin Big]\n", "lxcfsd.ini:1: [plugin Big]: " NAMES);
	refused("[plugin a b]\n", "lxcfsd.ini:1: [plugin a b]: " NAMES);
	refused("[plugin a/b]\n", "lxcfsd.ini:1: [plugin a/b]: " NAMES);
	refused("[plugin 123456789012345678901234567890123]\n",
		"lxcfsd.ini:1: [plugin 123456789012345678901234567890123]: " NAMES);
}

static void test_matches(void)
{
	const struct match_section *m;

	/* whatever stands first in the file; a section without keys is an exception */
	CHECK(load("[match a]\nmeminfo.swap = no\ncgroup = /a/*\nup.enabled = no\n"
		   "[plugin meminfo]\n[plugin up]\n"
		   "[match  b-2]\ncgroup = /**\n") == 0);
	if (!config || !CHECK_U64(config->match_count, 2))
		return;
	m = &config->matches[0];
	CHECK_STR(m->name, "a");
	CHECK_STR(m->cgroup, "/a/*");
	CHECK_U64(m->line, 1);
	CHECK_U64(m->key_count, 2);
	CHECK_STR(m->keys[0].key, "meminfo.swap");
	CHECK_STR(m->keys[1].value, "no");
	CHECK_U64(m->keys[1].line, 4);
	CHECK_STR(config_option(&m->keys[0], "meminfo"), "swap");
	CHECK(config_option(&m->keys[0], "mem") == NULL);
	CHECK_STR(config->matches[1].name, "b-2");
	CHECK_STR(config->matches[1].cgroup, "/**");
	CHECK_U64(config->matches[1].key_count, 0);
}

static void test_bad_matches(void)
{
	char want[300];

#define MATCH(keys) "[plugin meminfo]\n[match web]\ncgroup = /w\n" keys
	refused("[match]\ncgroup = /\n",
		"lxcfsd.ini:1: [match]: a match's name has 1 to 32 of the characters a-z 0-9 _ -");
	refused("[match A]\ncgroup = /\n", "lxcfsd.ini:1: [match A]: a match's name has 1 to 32 "
					   "of the characters a-z 0-9 _ -");
	refused("[match web]\n",
		"lxcfsd.ini:1: [match web] has no key cgroup: say for which containers it is");
	refused("[match web]\ncgroup = web\n",
		"lxcfsd.ini:2: cgroup = web: must be the path of a cgroup: /NAME/NAME, with no / "
		"at the end and no component that is empty, . or ..");
	refused("[match web]\ncgroup = /a**\n",
		"lxcfsd.ini:2: cgroup = /a**: ** must be a whole component: /**/");
	refused(MATCH("mem.swap = no\n"), "lxcfsd.ini:4: mem.swap: there is no [plugin mem]");
	refused(MATCH("memnfo.swap = no\n"),
		"lxcfsd.ini:4: memnfo.swap: there is no [plugin memnfo]: did you mean 'meminfo'?");
	refused(MATCH("cgruop = no\n"),
		"lxcfsd.ini:4: unknown key 'cgruop' in [match web]: did you mean 'cgroup'?");
	refused(MATCH("swap = no\n"), "lxcfsd.ini:4: unknown key 'swap' in [match web]: "
				      "`lxcfsd --help-config` lists them");
	refused(MATCH("meminfo.enabled = 2\n"),
		"lxcfsd.ini:4: meminfo.enabled = 2: must be yes or no");
	refused(MATCH("meminfo.on_error = no\n"),
		"lxcfsd.ini:4: meminfo.on_error = no: must be one of: host, eio");
	refused(MATCH("meminfo.module = x.so\n"),
		"lxcfsd.ini:4: meminfo.module: is the same for all containers: it belongs into "
		"[plugin meminfo]");
	CHECK(load(MATCH("cgroup = /x\n")) == -EINVAL);
	snprintf(want, sizeof(want),
		 "lxcfsd.ini:4: key 'cgroup' stands already in %s:3: keep one of them", path);
	says(0, want);
	CHECK(load("[match a]\n[match a]\n") == -EINVAL);
	CHECK_U64(problems.count, 2);
	CHECK(load("[plugin A]\n[match b]\nc = 1\nd.e = 2\n") == -EINVAL);
	CHECK_U64(problems.count, 4); /* all of it at once */
}

static void test_twice(void)
{
	char want[300];

	CHECK(load("[lxcfsd]\ncache_ms = 1\ncache_ms = 1\n") == -EINVAL);
	snprintf(want, sizeof(want),
		 "lxcfsd.ini:3: key 'cache_ms' stands already in %s:2: keep one of them", path);
	says(0, want);
	CHECK(load("[plugin a]\n[lxcfsd]\n\n[plugin   a]\nenabled = what\n") == -EINVAL);
	CHECK_U64(problems.count, 1);
	snprintf(want, sizeof(want),
		 "lxcfsd.ini:4: section [plugin a] stands already in %s:1: put its keys there",
		 path);
	says(0, want);
}

static void test_lines(void)
{
	char text[512], longest[256];

	memset(longest, 'x', sizeof(longest));
	snprintf(text, sizeof(text), "[plugin a]\nkey = %.*s\nb = 1\n", 198 - 6, longest);
	CHECK(load(text) == 0);
	if (config) {
		CHECK_U64(strlen(config->plugins[0].keys[0].value), 192);
		CHECK_U64(config->plugins[0].key_count, 2);
	}
	snprintf(text, sizeof(text), "[plugin a]\nkey = %.*s\nb = 1\n", 199 - 6, longest);
	refused(text, "lxcfsd.ini:2: the line has 199 bytes, at most 198 are read: shorten it");
	snprintf(text, sizeof(text), "[plugin a]\n# %.*s\n", 250, longest);
	CHECK(load(text) == 0);
	snprintf(text, sizeof(text), "[plugin a]\n%.*s = 1\n", 49, longest);
	CHECK(load(text) == 0);
	snprintf(text, sizeof(text), "[plugin a]\n%.*s = 1\n", 50, longest);
	refused(text, "lxcfsd.ini:2: a key has at most 49 bytes, this one has 50");
	snprintf(text, sizeof(text), "[plugin %.*s]\n", 43, longest);
	refused(text, "lxcfsd.ini:1: a section's name has at most 49 bytes, this one has 50");
#define BLANK                                                                                      \
	"the line begins with a blank: a value cannot go on in the next line, and keys are not "   \
	"indented"
	refused("[plugin a]\nkey = 1\n  2\n", "lxcfsd.ini:3: " BLANK);
	refused("[plugin a]\n\tkey = 1\n", "lxcfsd.ini:2: " BLANK);
	refused("[plugin a]\nkey\n", "lxcfsd.ini:2: not a `key = value` line");
	refused("[plugin a]\nkey\nb = 1", "lxcfsd.ini:2: not a `key = value` line");
	refused("[plugin a]\nkey", "lxcfsd.ini:2: not a `key = value` line");
	refused("[plugin a]\n= 1\n", "lxcfsd.ini:2: there is no key in front of the =");
	refused("a = 1\n[plugin a]\n", "lxcfsd.ini:1: key 'a' stands in front of the first "
				       "section: write [lxcfsd] above it");
	refused("[plugin a\nb = 1\n", "lxcfsd.ini:1: a section's name must end with ]");
	refused("[plugin [a]\n", "lxcfsd.ini:1: a section's name cannot contain [ or ;");
#define BEHIND                                                                                     \
	"lxcfsd.ini:1: text behind the section's name: a name cannot contain ], and a key needs "  \
	"a line of its own"
	refused("[plugin a]b]\nc = 1\n", BEHIND);
	refused("[plugin a] b = 1\n", BEHIND);
	refused("[plugin a]\nb = \x1b[2J\n", "lxcfsd.ini:2: a control byte (0x1b): remove it");
	CHECK(load_bytes("[plugin a]\nb\0 = 1\n", 18) == -EINVAL);
	says(0, "lxcfsd.ini:2: a NUL byte: this is not a text file, or it was damaged");
}

/* All that is wrong is said at once, and no more than fits. */
static void test_all(void)
{
	char text[4096];
	size_t len = 0;

	CHECK(load("x = 1\n[lxcfsd]\nthreads = 33\nsubject = me\nbroken\n[plugin B]\n") == -EINVAL);
	CHECK_U64(problems.count, 5);
	for (int i = 0; i < 200; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "broken\n");
	CHECK(load(text) == -EINVAL);
	CHECK_U64(problems.count, 200);
	says(PROBLEMS_MAX - 1, "lxcfsd.ini:50: not a `key = value` line");
}

static void test_directory(void)
{
	char want[400];

	write_file("conf.d/20-b.ini", "[plugin b]\n", 11);
	write_file("conf.d/10-a.ini", "[plugin a]\n", 11);
	write_file("conf.d/.hidden.ini", "[junk]\n", 7);
	write_file("conf.d/x.ini.bak", "[junk]\n", 7);
	CHECK(load("[plugin z]\n") == 0);
	if (config && CHECK_U64(config->plugin_count, 3)) {
		CHECK_STR(config->plugins[0].name, "z");
		CHECK_STR(config->plugins[1].name, "a");
		CHECK_STR(config->plugins[2].name, "b");
		CHECK_U64(config->file_count, 3);
		CHECK_STR(strrchr(config->plugins[2].file, '/'), "/20-b.ini");
	}
	/* a section may go on in another file, a key may not stand twice */
	write_file("conf.d/30-c.ini", "[lxcfsd]\nthreads = 3\n[plugin b]\nenabled = no\n", 45);
	CHECK(load("[plugin b]\non_error = eio\n[lxcfsd]\ncache_ms = 7\n") == 0);
	if (config && CHECK_U64(config->plugin_count, 2)) {
		CHECK(!config->plugins[0].enabled);
		CHECK_U64(config->plugins[0].on_error, ON_ERROR_EIO);
		CHECK_U64(config->settings.threads, 3);
		CHECK_U64(config->settings.cache_ms, 7);
	}
	CHECK(load("[lxcfsd]\nthreads = 1\n") == -EINVAL);
	snprintf(want, sizeof(want),
		 "conf.d/30-c.ini:2: key 'threads' stands already in %s:2: keep one of them", path);
	says(0, want);
	/* a [match] stands where it was first seen, and may go on as well */
	write_file("conf.d/30-c.ini", "[match m]\nb.x = 1\n[match n]\ncgroup = /n\n", 40);
	CHECK(load("[match m]\ncgroup = /m\na.x = 1\n") == 0);
	if (config && CHECK_U64(config->match_count, 2)) {
		CHECK_STR(config->matches[0].name, "m");
		CHECK_U64(config->matches[0].key_count, 2);
		CHECK_STR(config->matches[1].name, "n");
	}
	remove_file("conf.d/30-c.ini");
	/* the section of one file does not reach into the next */
	write_file("conf.d/10-a.ini", "a = 1\n", 6);
	CHECK(load("[plugin z]\n") == -EINVAL);
	says(0, "conf.d/10-a.ini:1: key 'a' stands in front of the first section: write [lxcfsd] "
		"above it");
	remove_file("conf.d/10-a.ini");
	remove_file("conf.d/20-b.ini");
	remove_file("conf.d/.hidden.ini");
	remove_file("conf.d/x.ini.bak");
}

static void test_missing(void)
{
	char no[192], want[256];

	config = config_free(config);
	problems_done(&problems);
	snprintf(no, sizeof(no), "%s/none.ini", dir);
	CHECK(config_load(no, NULL, 0, &problems, &config) == -EINVAL);
	says(0, "none.ini: cannot be read: No such file or directory");
	CHECK(config == NULL);
	problems_done(&problems);
	CHECK(config_load(dir, NULL, 0, &problems, &config) == -EINVAL);
	snprintf(want, sizeof(want), "%s: cannot be read: Is a directory", dir);
	CHECK_STR(problems.lines[0], want);
}

static void test_overrides(void)
{
	const struct config_override good[] = {
		{ "cpu_quota", "ceil", "--enable-cfs" },
		{ "mountpoint", "/srv", "/srv" },
		{ "on_error", "eio", "-o" },
	};
	const struct config_override wrong[] = {
		{ "thread", "1", "--set thread=1" },
		{ "threads", "many", "--set threads=many" },
	};

	load("[lxcfsd]\ncpu_quota = off\n[plugin a]\n");
	config = config_free(config);
	CHECK(config_load(path, good, 3, &problems, &config) == 0);
	if (config) {
		CHECK_U64(config->settings.cpu_quota, CPU_QUOTA_CEIL);
		CHECK_STR(config->settings.mountpoint, "/srv");
		CHECK(config->plugins[0].on_error == ON_ERROR_EIO);
	}
	config = config_free(config);
	CHECK(config_load(path, wrong, 2, &problems, &config) == -EINVAL);
	says(0, "--set thread=1: unknown key 'thread': did you mean 'threads'?");
	says(1, "--set threads=many: threads = many: must be a number from 0 to 32");
}

/* Lines of every kind in any order: refused exactly when a problem was named. */
static void test_noise(void)
{
	static const char *const pieces[] = {
		"[lxcfsd]", "[plugin a]", "[plugin b]", "[match x]", "[",	"]",
		";",	    "#",	  "=",		":",	     " ",	"\t",
		"\n",	    "\r\n",	  "\n",		"\n",	     "threads", "enabled",
		"module",   "key",	  "= 1\n",	"= yes\n",   "x.so",	"\xff",
		"cgroup",   "= /*\n",	  "a.enabled",	"b.key",     "**",	"/",
	};
	unsigned int seed = 1, broken = 0;
	char text[1024];

	for (int i = 0; i < 2000; i++) {
		size_t len = 0, count = (size_t)rand_r(&seed) % 60;
		int r;

		for (size_t j = 0; j < count; j++) {
			const char *piece = pieces[(size_t)rand_r(&seed) %
						   (sizeof(pieces) / sizeof(pieces[0]))];

			len += (size_t)snprintf(text + len, sizeof(text) - len, "%s", piece);
		}
		r = load_bytes(text, len);
		broken += (r == 0) != (problems.count == 0) || (r == 0) != (config != NULL);
	}
	CHECK_U64(broken, 0);
}

/* The file that is shipped: it loads, and each key stands in it with its default. */
static void test_shipped(void)
{
	_free_ char *text = NULL;
	_free_ char *help = NULL;
	struct config *shipped = NULL;
	char *line, *at = NULL, *key;
	unsigned int found = 0;
	size_t len;
	FILE *out;

	problems_done(&problems);
	if (io_read_alloc(AT_FDCWD, "lxcfsd.ini", 65536, &text, &len) < 0) {
		SKIP("lxcfsd.ini is not in the working directory");
		return;
	}
	CHECK(config_load("lxcfsd.ini", NULL, 0, &problems, &shipped) == 0);
	if (shipped)
		CHECK(shipped->plugin_count >= 3);
	config_free(shipped);
	out = open_memstream(&help, &len);
	config_print_help(out);
	fclose(out);
	help[strcspn(help, "[")] = '\0'; /* "KEY DEFAULT" goes; what follows stays whole */
	for (line = strtok_r(help + strlen(help) + 1, "\n", &at); line && *line != '[';
	     line = strtok_r(NULL, "\n", &at)) {
		char want[128];

		if (strncmp(line, "  ", 2) != 0 || line[2] == ' ')
			continue; /* a line of help, not of a key */
		key = line + 2;
		key[strcspn(key, " ")] = '\0';
		snprintf(want, sizeof(want), "\n#%s =", key);
		if (!CHECK(strstr(text, want) != NULL))
			printf("# %s\n", key);
		found++;
	}
	CHECK_U64(found, 28);
}

int main(void)
{
	char conf_d[64];

	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof(path), "%s/lxcfsd.ini", dir);
	snprintf(conf_d, sizeof(conf_d), "%s/conf.d", dir);
	test_defaults();
	test_values();
	test_plugins();
	test_bad_values();
	test_unknown();
	test_matches();
	test_bad_matches();
	test_twice();
	test_lines();
	test_all();
	if (mkdir(conf_d, 0700) < 0)
		return 1;
	test_directory();
	test_missing();
	test_overrides();
	test_noise();
	test_shipped();
	config_free(config);
	problems_done(&problems);
	unlink(path);
	rmdir(conf_d);
	rmdir(dir);
	return done_testing();
}
