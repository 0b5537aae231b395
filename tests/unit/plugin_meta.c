/* SPDX-License-Identifier: MIT */
/* What a module says of itself: each thing that may be wrong with it, and the words. */
#include <stdlib.h>

#include "check.h"
#include "plugin_private.h"

static int render_nothing(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			  struct lxcfsd_out *out)
{
	(void)state;
	(void)opts;
	(void)req;
	(void)out;
	return 0;
}

static int look_up_nothing(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			   const char *below, struct lxcfsd_entry *ret)
{
	(void)state, (void)opts, (void)req, (void)below, (void)ret;
	return -ENOENT;
}

static int write_nothing(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			 const char *below, struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req, (void)below, (void)out;
	return 0;
}

/* A good description, to be spoilt in one place. */
static struct lxcfsd_file a_file;
static struct lxcfsd_tree a_tree;
static struct lxcfsd_opt an_opt[2];
static struct lxcfsd_plugin an_object;

static void whole(void)
{
	a_file = (struct lxcfsd_file){ .path = "/proc/x", .mode = 0444, .render = render_nothing };
	a_tree = (struct lxcfsd_tree){ .path = "/sys/x",
				       .lookup = look_up_nothing,
				       .list = write_nothing,
				       .render = write_nothing };
	for (size_t i = 0; i < 2; i++)
		an_opt[i] = (struct lxcfsd_opt){ .key = i ? "b" : "a",
						 .type = LXCFSD_UINT,
						 .def = "1",
						 .max = 2,
						 .help = "a number" };
	an_object = (struct lxcfsd_plugin){
		LXCFSD_PLUGIN_HEADER, .name = "x",     .version = "1", .summary = "nothing",
		.files = &a_file,     .file_count = 1, .opts = an_opt, .opt_count = 2,
		.trees = &a_tree,     .tree_count = 1,
	};
}

static const char *verdict(void)
{
	static struct reason reason;
	struct plugin plugin = { .object = &an_object };
	int r = plugin_describe(&plugin, &reason);

	free(plugin.files);
	free(plugin.trees);
	free(plugin.opts);
	free(plugin.values);
	whole();
	return r == 0 ? "taken" : reason.text;
}

#define SPOILT(statement, want)                                                                    \
	do {                                                                                       \
		statement;                                                                         \
		CHECK_STR(verdict(), want);                                                        \
	} while (0)

static void test_described(void)
{
	whole();
	CHECK_STR(verdict(), "taken");
	SPOILT(an_object.size = 72,
	       "its structures are smaller than any release's (72, 40, 56 bytes): "
	       "LXCFSD_PLUGIN_HEADER must be its first line");
	SPOILT(an_object.file_size = 16,
	       "its structures are smaller than any release's (96, 16, 56 bytes): "
	       "LXCFSD_PLUGIN_HEADER must be its first line");
	SPOILT(an_object.opt_size = 57, "its structures have impossible sizes");
	SPOILT(an_object.name = NULL, "it lacks a name, a version or a summary");
	SPOILT(an_object.summary = NULL, "it lacks a name, a version or a summary");
	SPOILT(an_object.file_count = 65, "it serves 65 files: at most 64 are possible");
	SPOILT(an_object.files = NULL, "it serves 0 files: at most 64 are possible");
	SPOILT(an_object.opt_count = 65, "it has 65 options: at most 64 are possible");
	SPOILT(an_object.flags = 3,
	       "it needs what this daemon does not have (flags 0x3): a newer daemon has it");
	SPOILT(an_object.flags = 2,
	       "it needs what this daemon does not have (flags 0x2): a newer daemon has it");
	SPOILT(a_file.mode = 0644, "/proc/x has mode 0644: only reading, at most 0444");
	SPOILT(a_file.mode = 04444, "/proc/x has mode 04444: only reading, at most 0444");
	SPOILT(a_file.render = NULL, "/proc/x has no render()");
	SPOILT(a_file.flags = LXCFSD_IF_HOST, "taken");
	SPOILT(a_file.flags = LXCFSD_IF_HOST | 4,
	       "/proc/x needs what this daemon does not have (flags 0x5): a newer daemon has it");
	SPOILT(an_opt[0].key = "", "its option '' has no key that could be written");
	SPOILT(an_opt[0].key = "a=b", "its option 'a=b' has no key that could be written");
	SPOILT(an_opt[1].key = "a", "its option 'a' is there already");
	SPOILT(an_opt[1].key = "module", "its option 'module' is there already");
	SPOILT(an_opt[1].def = "3",
	       "the default '3' of its option 'b' must be a number from 0 to 2");
	SPOILT(an_opt[1].def = NULL, "its option 'b' lacks a default or a help line");
	SPOILT(an_opt[1].type = 9, "the default '1' of its option 'b' has a type that this daemon "
				   "does not know");
	SPOILT(an_opt[1].type = LXCFSD_ENUM, "its option 'b' has no choices");
	SPOILT(an_opt[1].flags = LXCFSD_OPT_INIT, "taken");
	SPOILT(an_opt[1].flags = 3,
	       "its option 'b' needs what this daemon does not have (flags 0x3)");
}

/* LXCFSD_PATH_FROM_CONFIG */
static void test_path_from_config(void)
{
#define ONE_FILE    "its path comes from the configuration, so it must have one file, without a path"
#define FROM_CONFIG an_object.flags = LXCFSD_PATH_FROM_CONFIG, a_file.path = NULL
	whole();
	SPOILT((FROM_CONFIG), "taken");
	SPOILT((FROM_CONFIG, a_file.path = "/proc/x"), ONE_FILE);
	SPOILT((FROM_CONFIG, a_file.path = ""), ONE_FILE);
	SPOILT((FROM_CONFIG, an_object.file_count = 2), ONE_FILE);
	SPOILT((FROM_CONFIG, a_file.mode = 0600),
	       "its file has mode 0600: only reading, at most 0444");
	SPOILT((FROM_CONFIG, a_file.render = NULL), "its file has no render()");
	SPOILT((FROM_CONFIG, an_opt[1].key = "path"), "its option 'path' is there already");
	SPOILT((FROM_CONFIG, an_opt[1].key = "mode"), "its option 'mode' is there already");
	/* without the flag these are names like others, and a path is needed */
	SPOILT(an_opt[1].key = "path", "taken");
	SPOILT(a_file.path = NULL, "its file '' is not a clean absolute path");
}

static void test_trees(void)
{
	whole();
	SPOILT(an_object.file_count = 0, "taken");
	SPOILT(an_object.tree_count = 0, "taken");
	/* what an object without these fields has behind its end does not count */
	an_object.file_count = 0;
	SPOILT(an_object.size = 80, "it serves nothing: it has no files and no trees");
	SPOILT(an_object.tree_count = 17, "it serves 17 trees: at most 16 are possible");
	SPOILT(an_object.trees = NULL, "it serves 0 trees: at most 16 are possible");
	SPOILT(an_object.tree_size = 40, "its trees have an impossible size (40 bytes)");
	SPOILT(an_object.tree_size = 49, "its trees have an impossible size (49 bytes)");
	SPOILT(a_tree.path = "/sys/../x", "its tree '/sys/../x' is not a clean absolute path");
	SPOILT(a_tree.path = NULL, "its tree '' is not a clean absolute path");
	SPOILT(a_tree.controllers = 1 << 20,
	       "/sys/x names controllers that this daemon does not know (0x100000)");
	SPOILT(a_tree.list = NULL, "/sys/x lacks a lookup(), a list() or a render()");
	SPOILT(a_tree.render = NULL, "/sys/x lacks a lookup(), a list() or a render()");
}

static void test_clean_paths(void)
{
	static const char *const bad[] = { "",	      "/",	  "proc/x",
					   "/proc/",  "/proc//x", "/proc/../x",
					   "/proc/.", "/./x",	  "/proc/a\nb" };
	char longest[1100], want[1200];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(want, sizeof(want), "its file '%s' is not a clean absolute path", bad[i]);
		SPOILT(a_file.path = bad[i], want);
	}
	SPOILT(a_file.path = "/proc/..x/.y", "taken");
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[257] = '\0';
	a_file.path = longest;
	CHECK(strcmp(verdict(), "taken") != 0); /* a component of 256 bytes */
	longest[256] = '\0';
	SPOILT(a_file.path = longest, "taken");
	memset(longest, 'x', sizeof(longest));
	for (size_t i = 0; i < sizeof(longest); i += 100)
		longest[i] = '/';
	longest[1024] = '\0';
	a_file.path = longest;
	CHECK(strcmp(verdict(), "taken") != 0);
	longest[1023] = '\0';
	SPOILT(a_file.path = longest, "taken");
}

int main(void)
{
	test_described();
	test_path_from_config();
	test_trees();
	test_clean_paths();
	return done_testing();
}
