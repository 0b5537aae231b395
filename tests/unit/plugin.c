/* SPDX-License-Identifier: MIT */
/* The plugin loader: what it takes, what it refuses and with which words. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "io.h"
#include "plugin_private.h"

static char dir[] = "/tmp/lxcfsd-plugin.XXXXXX";
static char ini[64];
static char modules[4096]; /* where the test plugins were built */
static struct problems problems;
static struct config *config;
static struct plugins plugins;

static const struct config_override *overrides;
static size_t override_count;

static void forget(void)
{
	plugins_done(&plugins);
	config = config_free(config);
	problems_done(&problems);
}

static int load_from(const char *where, const char *text)
{
	int fd = open(ini, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	forget();
	if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
	if (config_load(ini, overrides, override_count, &problems, &config) < 0)
		return -1;
	return plugins_load(config, where, &problems, &plugins);
}

static int load(const char *text)
{
	return load_from(modules, text);
}

/* The n-th problem, its directories cut. */
static const char *said(size_t n)
{
	static char line[1024];
	char *at, *slash;

	if (n >= problems.count)
		return "(no such line)";
	snprintf(line, sizeof(line), "%s", problems.lines[n]);
	while ((at = strstr(line, modules)) != NULL) {
		slash = at + strlen(modules) + 1;
		memmove(at, slash, strlen(slash) + 1);
	}
	while ((at = strstr(line, dir)) != NULL) {
		slash = at + strlen(dir) + 1;
		memmove(at, slash, strlen(slash) + 1);
	}
	return line;
}

static void refused(const char *text, const char *want)
{
	CHECK(load(text) == -EINVAL);
	CHECK_U64(problems.count, 1);
	CHECK_STR(said(0), want);
}

static const char *rendered(const struct plugin *plugin, size_t file)
{
	static char buf[256];
	struct lxcfsd_out out = { .buf = buf, .cap = sizeof(buf) - 1 };

	plugin->files[file].render(plugin->state, plugin->values, NULL, &out);
	buf[out.len] = '\0';
	return buf;
}

static void test_good(void)
{
	const struct lxcfsd_services services = { .page_size = 4096 };
	const struct plugin *p;

	if (!CHECK(load("[plugin good]\ncount = 9\nword = a b\n") == 0))
		return;
	CHECK(plugins_init(&plugins, &services, &problems) == 0);
	CHECK_U64(plugins.count, 1);
	p = &plugins.list[0];
	CHECK(p->initialised);
	CHECK_STR(p->meta.name, "good");
	CHECK_U64(p->meta.file_count, 2);
	CHECK_STR(p->files[1].path, "/proc/test/good2");
	CHECK_STR(rendered(p, 0), "good 1 9 1 a b\n");
	CHECK(p->services.core == p);
	CHECK_U64(p->services.page_size, 4096);
}

/* `*.KEY=VALUE` on the command line beats the section of every plugin that has KEY. */
static void test_overrides(void)
{
	static const struct config_override given[] = { { "*.count", "7", "command line" },
							{ "*.other", "1", "command line" } };
	static const struct config_override wrong[] = { { "*.count", "x", "command line" } };
	const struct lxcfsd_services services = { .page_size = 4096 };

	overrides = given;
	override_count = 2;
	CHECK(load("[plugin good]\ncount = 9\n") == 0);
	CHECK(plugins_init(&plugins, &services, &problems) == 0);
	CHECK_U64(plugins.list[0].values[1].u, 7);
	overrides = wrong;
	override_count = 1;
	CHECK(load("[plugin good]\n") == -EINVAL);
	CHECK_U64(problems.count, 1);
	overrides = NULL;
	override_count = 0;
}

/* What a container of the n-th [match] section is shown. */
static const char *shown(size_t n)
{
	static char buf[256];
	struct lxcfsd_out out = { .buf = buf, .cap = sizeof(buf) - 1 };
	const struct plugin *plugin = &plugins.list[0];

	plugin->files[0].render(plugin->state, plugin->views[n].values, NULL, &out);
	buf[out.len] = '\0';
	return buf;
}

static void test_matches(void)
{
	const struct lxcfsd_services services = { .page_size = 4096 };
	const struct plugin_view *views;

	if (!CHECK(load("[match a]\ncgroup = /a\ngood.count = 9\ngood.word = x\n"
			"[match b]\ncgroup = /b\n"
			"[match c]\ncgroup = /c\ngood.enabled = no\ngood.on_error = eio\n"
			"[plugin good]\ncount = 8\n") == 0))
		return;
	CHECK(plugins_init(&plugins, &services, &problems) == 0);
	views = plugins.list[0].views;
	CHECK_STR(shown(0), "good 1 8 1 \n");
	CHECK_STR(shown(1), "good 1 9 1 x\n");
	CHECK_STR(shown(2), "good 1 8 1 \n");
	CHECK(views[0].enabled && views[1].enabled && views[2].enabled && !views[3].enabled);
	CHECK(views[0].on_error == ON_ERROR_HOST && views[3].on_error == ON_ERROR_EIO);
	/* switched on for some: loaded and started for them */
	CHECK(load("[plugin good]\nenabled = no\n[match a]\ncgroup = /a\ngood.enabled = yes\n") ==
	      0);
	CHECK(plugins_init(&plugins, &services, &problems) == 0);
	CHECK(plugins.list[0].enabled && plugins.list[0].initialised);
	CHECK(!plugins.list[0].views[0].enabled && plugins.list[0].views[1].enabled);
	/* the command line beats it; what it says is checked all the same */
	overrides = (const struct config_override[]){ { "*.count", "7", "command line" } };
	override_count = 1;
	CHECK(load("[plugin good]\n[match a]\ncgroup = /a\ngood.count = 9\ngood.word = y\n") == 0);
	CHECK(plugins_init(&plugins, &services, &problems) == 0);
	CHECK_STR(shown(1), "good 1 7 1 y\n");
	CHECK(load("[plugin good]\n[match a]\ncgroup = /a\ngood.count = many\n") == -EINVAL);
	overrides = NULL;
	override_count = 0;
}

static void test_bad_matches(void)
{
#define MATCH "[plugin good]\n[match a]\ncgroup = /a\n"
	refused(MATCH "good.count = 10\n",
		"lxcfsd.ini:4: good.count = 10: must be a number from 1 to 9");
	refused(MATCH "good.cuont = 1\n", "lxcfsd.ini:4: unknown key 'good.cuont' in [match a]: "
					  "did you mean 'good.count'?");
	refused(MATCH "good.enable = no\n",
		"lxcfsd.ini:4: unknown key 'good.enable' in [match a]: did you mean "
		"'good.enabled'?");
	refused(MATCH "good.zzzz = 1\n", "lxcfsd.ini:4: unknown key 'good.zzzz' in [match a]: "
					 "`lxcfsd --help-config` lists them");
	/* a plugin that is switched off is checked as well, one that cannot be loaded is not */
	refused("[plugin good]\nenabled = no\n[match a]\ncgroup = /a\ngood.loud = yep\n",
		"lxcfsd.ini:5: good.loud = yep: must be yes or no");
	CHECK(load("[plugin none]\nenabled = no\n[match a]\ncgroup = /a\nnone.x = 1\n") == 0);
	refused("[plugin none]\nenabled = no\n[match a]\ncgroup = /a\nnone.enabled = yes\n",
		"lxcfsd.ini:1: plugin 'none' (none.so): No such file or directory");
}

/* ------------------------------------ a path from the configuration, and text */

/* From the directory of the plugins that are shipped, and started. */
static int load_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static int load_text(const char *format, ...)
{
	static char text[1024];
	const struct lxcfsd_services services = { .page_size = 4096 };
	char real[4200];
	va_list args;
	int r;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	snprintf(real, sizeof(real), "%s/../../plugins", modules);
	r = load_from(real, text);
	return r < 0 ? r : plugins_init(&plugins, &services, &problems);
}

#define REFUSED_TEXT(want, ...)                                                                    \
	do {                                                                                       \
		CHECK(load_text(__VA_ARGS__) == -EINVAL);                                          \
		CHECK_U64(problems.count, 1);                                                      \
		CHECK_STR(said(0), want);                                                          \
	} while (0)

static void test_path_from_config(void)
{
	CHECK(load_text("[plugin text]\npath = /proc/sys/a\ncontent = one\n"
			"[plugin t2]\nmodule = text.so\nmode = 0400\ncontent = two\n"
			"path = /etc/b.c\n") == 0);
	if (CHECK_U64(plugins.count, 2)) {
		CHECK_STR(plugins.list[0].files[0].path, "/proc/sys/a");
		CHECK_U64(plugins.list[0].files[0].mode, 0444);
		CHECK_STR(rendered(&plugins.list[0], 0), "one\n");
		CHECK_STR(plugins.list[1].files[0].path, "/etc/b.c");
		CHECK_U64(plugins.list[1].files[0].mode, 0400);
		CHECK_STR(rendered(&plugins.list[1], 0), "two\n");
	}
	REFUSED_TEXT("lxcfsd.ini:1: [plugin text] has no key path: say where its file is shown",
		     "[plugin text]\ncontent = x\n");
	REFUSED_TEXT("lxcfsd.ini:1: [plugin text] has no key path: say where its file is shown",
		     "[plugin text]\nenabled = no\n");
	REFUSED_TEXT("lxcfsd.ini:2: path = /a/../b: must be an absolute path of clean components",
		     "[plugin text]\npath = /a/../b\ncontent = x\n");
	REFUSED_TEXT("lxcfsd.ini:2: path = : must be an absolute path of clean components",
		     "[plugin text]\npath =\ncontent = x\n");
	for (size_t i = 0; i < 8; i++) {
		static const char *const modes[] = { "",     "0",     "0644", "444x",
						     "0448", "00444", "-1",   "1444" };
		char want[128];

		snprintf(want, sizeof(want),
			 "lxcfsd.ini:3: mode = %s: must be octal, only reading, at most 0444",
			 modes[i]);
		REFUSED_TEXT(want, "[plugin text]\npath = /a\nmode = %s\ncontent = x\n", modes[i]);
	}
	REFUSED_TEXT("lxcfsd.ini:4: plugin 't2' serves /a/b, but plugin 'text' of lxcfsd.ini:1 "
		     "serves /a: remove one of the two sections",
		     "[plugin text]\npath = /a\ncontent = x\n[plugin t2]\nmodule = text.so\n"
		     "path = /a/b\ncontent = x\n");
	REFUSED_TEXT("lxcfsd.ini:4: unknown key 'pth' in [plugin text]: did you mean 'path'?",
		     "[plugin text]\npath = /a\ncontent = x\npth = /a\n");
	/* the same for all, and these are no names of options elsewhere */
#define IN_MATCH "[plugin text]\npath = /a\ncontent = x\n[match m]\ncgroup = /m\n"
#define SAME	 ": is the same for all containers: it belongs into [plugin text]"
	REFUSED_TEXT("lxcfsd.ini:6: text.path" SAME, IN_MATCH "text.path = /b\n");
	REFUSED_TEXT("lxcfsd.ini:6: text.mode" SAME, IN_MATCH "text.mode = 0400\n");
	REFUSED_TEXT("lxcfsd.ini:6: text.content_file" SAME, IN_MATCH "text.content_file = /b\n");
	refused("[plugin good]\npath = /a\n", "lxcfsd.ini:2: unknown key 'path' in [plugin good]: "
					      "`lxcfsd --help-config` lists them");
}

static void write_content(size_t len, char c)
{
	char path[64], *bytes = malloc(len + 1);
	int fd;

	snprintf(path, sizeof(path), "%s/content", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	memset(bytes, c, len + 1);
	if (fd < 0 || io_write_all(fd, bytes, len) < 0)
		abort();
	close(fd);
	free(bytes);
}

static void test_content_file(void)
{
#define FILE_OF(file) "[plugin text]\npath = /a\ncontent_file = " file "\n", dir
#define FAILED	      "lxcfsd.ini:1: plugin 'text' (../../plugins/text.so): init failed: "
	struct lxcfsd_text text;

	write_content(3, 'x');
	CHECK(load_text(FILE_OF("%s/content")) == 0);
	if (plugins.count == 1) {
		CHECK_STR(rendered(&plugins.list[0], 0), "xxx");
		/* for good, and not at any other time */
		write_content(3, 'y');
		CHECK_STR(rendered(&plugins.list[0], 0), "xxx");
		CHECK(plugins.list[0].services.load_file(&plugins.list[0].services, ini, 100,
							 &text) == -EPERM);
	}
	CHECK(load_text("[plugin text]\npath = /a\ncontent_file = %s/content\n"
			"[match m]\ncgroup = /m\ntext.content = its own\n",
			dir) == 0);
	if (plugins.count == 1) {
		CHECK_STR(shown(0), "yyy");
		CHECK_STR(shown(1), "its own\n");
	}
	write_content(65536, 'x');
	CHECK(load_text(FILE_OF("%s/content")) == 0);
	write_content(65537, 'x');
	REFUSED_TEXT(FAILED "content_file content: larger than 64 KiB", FILE_OF("%s/content"));
	write_content(0, 'x');
	CHECK(load_text(FILE_OF("%s/content")) == 0);
	if (plugins.count == 1)
		CHECK_STR(rendered(&plugins.list[0], 0), "");
	write_content(2, '\0');
	REFUSED_TEXT(FAILED "content_file content: not a text: it has a NUL byte",
		     FILE_OF("%s/content"));
	REFUSED_TEXT(FAILED "content_file gone: No such file or directory", FILE_OF("%s/gone"));
	REFUSED_TEXT(FAILED "content_file /: must be the absolute path of a regular file",
		     "[plugin text]\npath = /a\ncontent_file = /\n");
	REFUSED_TEXT(FAILED "content_file x: must be the absolute path of a regular file",
		     "[plugin text]\npath = /a\ncontent_file = x\n");
	REFUSED_TEXT(FAILED "it has both content and content_file: remove one of them",
		     "[plugin text]\npath = /a\ncontent_file = /x\ncontent = y\n");
	REFUSED_TEXT(FAILED "it has neither content nor content_file",
		     "[plugin text]\npath = /a\n");
	/* switched off: nothing is looked for */
	CHECK(load_text("[plugin text]\npath = /a\nenabled = no\ncontent_file = /gone\n") == 0);
}

static void test_options(void)
{
	refused("[plugin good]\ncuont = 1\n", "lxcfsd.ini:2: unknown key 'cuont' in "
					      "[plugin good]: did you mean 'count'?");
	refused("[plugin good]\nenable = 1\n", "lxcfsd.ini:2: unknown key 'enable' in "
					       "[plugin good]: did you mean 'enabled'?");
	refused("[plugin good]\ncount = 10\n",
		"lxcfsd.ini:2: count = 10: must be a number from 1 to 9");
	refused("[plugin good]\ncolour = blue\n",
		"lxcfsd.ini:2: colour = blue: must be one of: red, green");
	refused("[plugin good]\nword = 123456789\n",
		"lxcfsd.ini:2: word = 123456789: must have at most 8 bytes");
	refused("[plugin good]\nloud = yep\n", "lxcfsd.ini:2: loud = yep: must be yes or no");
	/* a section that is switched off is checked as well */
	refused("[plugin good]\nenabled = no\nloud = yep\n",
		"lxcfsd.ini:3: loud = yep: must be yes or no");
}

static void test_refused(void)
{
	refused("[plugin other-abi]\n",
		"lxcfsd.ini:1: plugin 'other-abi' (other-abi.so): ABI 99, this daemon speaks ABI "
		"1: install the plugin that belongs to it");
	refused("[plugin no-plugin]\n",
		"lxcfsd.ini:1: plugin 'no-plugin' (no-plugin.so): not a plugin: it does not "
		"export lxcfsd_plugin");
	refused("\n[plugin none]\n",
		"lxcfsd.ini:2: plugin 'none' (none.so): No such file or directory");
	refused("[plugin x]\nmodule = /proc/self/exe\n",
		"lxcfsd.ini:1: plugin 'x' (/proc/self/exe): cannot dynamically load "
		"position-independent executable");
	refused("[plugin x]\nmodule = /dev/null\n",
		"lxcfsd.ini:1: plugin 'x' (/dev/null): not a regular file");
	refused("[plugin x]\nmodule = /\n", "lxcfsd.ini:1: plugin 'x' (/): not a regular file");
	CHECK(load("[plugin none]\n[plugin other-abi]\n[plugin good]\nx = 1\n") == -EINVAL);
	CHECK_U64(problems.count, 3);
}

static void test_paths(void)
{
	refused("[plugin good]\n[plugin duplicates-path]\nenabled = no\n",
		"lxcfsd.ini:2: plugin 'duplicates-path' serves /proc/test-good, but plugin 'good' "
		"of lxcfsd.ini:1 serves /proc/test-good: remove one of the two sections");
	CHECK(load("[plugin duplicates-path]\n") == 0);
	refused("[plugin inside-tree]\n[plugin sample_tree]\n",
		"lxcfsd.ini:2: plugin 'sample_tree' serves /sys/kernel/mm, but plugin "
		"'inside-tree' "
		"of lxcfsd.ini:1 serves /sys/kernel/mm/inside/file: remove one of the two "
		"sections");
	refused("[plugin sample_tree]\n[plugin inside-tree]\n",
		"lxcfsd.ini:2: plugin 'inside-tree' serves /sys/kernel/mm/inside/file, but plugin "
		"'sample_tree' of lxcfsd.ini:1 serves /sys/kernel/mm: remove one of the two "
		"sections");
	CHECK(load("[plugin sample_tree]\n") == 0);
	CHECK_U64(plugins.list[0].meta.tree_count, 1);
	/* the same module under two names wants the same files twice */
	CHECK(load("[plugin good]\n[plugin twin]\nmodule = good.so\n") == -EINVAL);
	CHECK_U64(problems.count, 2);
}

static void test_switched_off(void)
{
	const struct lxcfsd_services services = { .page_size = 4096 };

	CHECK(load("[plugin none]\nenabled = no\n[plugin other-abi]\nenabled = no\n"
		   "[plugin init-fails]\nenabled = no\n") == 0);
	CHECK_U64(plugins.count, 3);
	if (plugins.count != 3)
		return;
	CHECK_U64(plugins.list[0].meta.file_count, 0);
	CHECK_U64(plugins.list[1].meta.file_count, 0);
	CHECK_U64(plugins.list[2].meta.file_count, 1);
	CHECK(plugins_init(&plugins, &services, &problems) == 0);
	CHECK(!plugins.list[2].initialised);
}

static void test_init_fails(void)
{
	const struct lxcfsd_services services = { .page_size = 4096 };

	CHECK(load("[plugin good]\n[plugin init-fails]\n") == 0);
	CHECK(plugins_init(&plugins, &services, &problems) == -EINVAL);
	CHECK_U64(problems.count, 1);
	CHECK_STR(said(0), "lxcfsd.ini:2: plugin 'init-fails' (init-fails.so): init failed: "
			   "no luck on day 7");
}

/* Another release's structures, smaller and larger than ours. */
static void test_releases(void)
{
	CHECK(load("[plugin old-plugin]\nsecond = two\n[plugin newer]\nfirst = yes\n") == 0);
	if (plugins.count != 2)
		return;
	CHECK_STR(rendered(&plugins.list[0], 1), "old\n");
	CHECK_STR(plugins.list[0].files[1].path, "/sys/test-old");
	CHECK_U64(plugins.list[0].values[0].u, 5);
	CHECK_STR(plugins.list[0].values[1].s, "two");
	CHECK_STR(rendered(&plugins.list[1], 1), "newer\n");
	CHECK_STR(plugins.list[1].files[1].path, "/proc/test-newer2");
	CHECK_STR(plugins.list[1].opts[1].key, "second");
	CHECK_U64(plugins.list[1].values[0].u, 1);
	CHECK_U64(plugins.list[1].values[1].u, 1);
}

/* ------------------------------------------------------------- the file */

static char *read_module(const char *name, size_t *ret_len)
{
	char path[4200], *bytes = NULL;

	snprintf(path, sizeof(path), "%s/%s", modules, name);
	return io_read_alloc(AT_FDCWD, path, 1 << 24, &bytes, ret_len) < 0 ? NULL : bytes;
}

static void write_module(const char *name, const char *bytes, size_t len)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0 || io_write_all(fd, bytes, len) < 0)
		abort();
	close(fd);
}

/* Cut anywhere, or with any piece gone: never taken, never a crash. */
static void test_cut(void)
{
	size_t len, taken = 0;
	_free_ char *bytes = read_module("good.so", &len);
	struct reason reason;

	if (!CHECK(bytes != NULL))
		return;
	CHECK(elf_check(bytes, len, &reason) == 0);
	for (size_t cut = 0; cut < len; cut += cut < 4096 ? 1 : 97) {
		char *part = malloc(cut + 1); /* of its own, for the sanitizer */

		memcpy(part, bytes, cut);
		taken += elf_check(part, cut, &reason) == 0;
		free(part);
	}
	CHECK_U64(taken, 0);
	write_module("cut.so", bytes, len - 1);
	CHECK(load_from(dir, "[plugin cut]\n") == -EINVAL);
	CHECK_STR(said(0), "lxcfsd.ini:1: plugin 'cut' (cut.so): the file is cut short or damaged: "
			   "install it again");
	memset(bytes + 64, 0, len - 64);
	write_module("cut.so", bytes, len);
	CHECK(load_from(dir, "[plugin cut]\n") == -EINVAL);
	write_module("cut.so", "", 0);
	CHECK(load_from(dir, "[plugin cut]\n") == -EINVAL);
	CHECK_STR(said(0), "lxcfsd.ini:1: plugin 'cut' (cut.so): not a shared object");
}

/* elf_check() on headers full of noise: what it says does not matter here. */
static void test_noise(void)
{
	size_t len;
	_free_ char *bytes = read_module("good.so", &len);
	_free_ char *part = bytes ? malloc(len) : NULL;
	struct reason reason;
	unsigned int seed = 1;

	for (int i = 0; part && i < 20000; i++) {
		memcpy(part, bytes, len);
		for (int j = 0; j < 4; j++)
			part[(size_t)rand_r(&seed) % (j ? 1024 : 64)] = (char)rand_r(&seed);
		elf_check(part, len, &reason);
	}
	CHECK(part != NULL);
}

/* Another machine's, and what is not for loading at all. */
static void test_kinds(void)
{
	size_t len;
	_free_ char *bytes = read_module("good.so", &len);
	struct reason reason;

	if (!bytes)
		return;
	bytes[18] ^= 1; /* e_machine */
	CHECK(elf_check(bytes, len, &reason) == -ENOEXEC);
	CHECK_STR(reason.text, "made for another kind of machine");
	bytes[18] ^= 1;
	bytes[4] ^= 3; /* 32 and 64 bits */
	CHECK(elf_check(bytes, len, &reason) == -ENOEXEC);
	CHECK_STR(reason.text, "made for another kind of machine");
	bytes[4] ^= 3;
	bytes[16] = 1; /* ET_REL */
	CHECK(elf_check(bytes, len, &reason) == -ENOEXEC);
	CHECK_STR(reason.text, "an ELF file, but not a shared object");
}

/* The file may be overwritten and cut while its module is in use. */
static void test_overwritten(void)
{
	size_t len;
	_free_ char *bytes = read_module("good.so", &len);

	if (!bytes)
		return;
	write_module("good.so", bytes, len);
	CHECK(load_from(dir, "[plugin good]\nword = stays\n") == 0);
	write_module("good.so", "gone", 4);
	if (plugins.count == 1) {
		plugins.list[0].state = (void *)(uintptr_t) "x";
		CHECK_STR(rendered(&plugins.list[0], 0), "x 1 3 1 stays\n");
	}
}

/* ------------------------------------------------ no memory files allowed */

/* From here on memfd_create() gives EACCES in this process. */
static bool deny_memory_files(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_memfd_create, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { .len = sizeof(code) / sizeof(code[0]), .filter = code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void test_no_memory_files(void)
{
	char runtime[64];
	int status = 0;
	pid_t child;

	forget();
	snprintf(runtime, sizeof(runtime), "%s/run", dir);
	if (mkdir(runtime, 0700) < 0)
		abort();
	fflush(stdout);
	child = fork();
	if (child == 0) {
		setenv("RUNTIME_DIRECTORY", runtime, 1);
		if (!deny_memory_files())
			_exit(77);
		if (load("[plugin good]\n") != 0)
			_exit(1);
		plugins.list[0].state = (void *)(uintptr_t) "run";
		_exit(strcmp(rendered(&plugins.list[0], 0), "run 1 3 1 \n") == 0 ? 0 : 2);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		abort();
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		SKIP("no seccomp here");
	else
		CHECK_U64((uint64_t)status, 0);
	CHECK(rmdir(runtime) == 0); /* nothing stays behind */
}

int main(void)
{
	char name[128], *slash;
	ssize_t n = readlink("/proc/self/exe", modules, sizeof(modules) - 32);

	if (n <= 0 || !mkdtemp(dir))
		return 1;
	modules[n] = '\0';
	for (int i = 0; i < 2; i++) { /* .../tests/unit/plugin */
		slash = strrchr(modules, '/');
		if (slash)
			*slash = '\0';
	}
	snprintf(modules + strlen(modules), 16, "/plugins");
	snprintf(ini, sizeof(ini), "%s/lxcfsd.ini", dir);
	test_good();
	test_overrides();
	test_matches();
	test_bad_matches();
	test_path_from_config();
	test_content_file();
	test_options();
	test_refused();
	test_paths();
	test_switched_off();
	test_init_fails();
	test_releases();
	test_cut();
	test_noise();
	test_kinds();
	test_overwritten();
	test_no_memory_files();
	forget();
	unlink(ini);
	for (size_t i = 0; i < 3; i++) {
		static const char *const left[] = { "good.so", "cut.so", "content" };

		snprintf(name, sizeof(name), "%s/%s", dir, left[i]);
		unlink(name);
	}
	CHECK(rmdir(dir) == 0);
	return done_testing();
}
