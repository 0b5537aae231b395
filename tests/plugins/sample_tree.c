/* SPDX-License-Identifier: MIT */
/* A tree of what a tree may do, well and badly. */
#include <stdlib.h>

#include <lxcfsd/plugin.h>

#define MANY 5000

static int look_up(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		   const char *below, struct lxcfsd_entry *ret)
{
	(void)state, (void)opts, (void)req;
	*ret = (struct lxcfsd_entry){ LXCFSD_REG, 0444 };
	if (!strcmp(below, "fine") || !strcmp(below, "mute"))
		return 0;
	if (!strcmp(below, "shy")) {
		ret->mode = 0700;
		return 0;
	}
	ret->type = LXCFSD_DIR;
	if (!strcmp(below, "many"))
		return 0;
	ret->type = LXCFSD_LINK;
	if (!strcmp(below, "link") || !strcmp(below, "nowhere"))
		return 0;
	ret->type = 77;
	if (!strcmp(below, "odd"))
		return 0;
	if (!strcmp(below, "crash"))
		abort();
	return !strncmp(below, "transparent_hugepage", 20) ? -EIO : -ENOENT;
}

static int list(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		const char *below, struct lxcfsd_out *out)
{
	char name[64];

	(void)state, (void)opts, (void)req;
	if (!*below) {
		lxcfsd_name(out, LXCFSD_REG, "fine");
		lxcfsd_name(out, LXCFSD_DIR, "many");
		lxcfsd_name(out, LXCFSD_LINK, "link");
		return 0;
	}
	for (int i = 0; i < MANY; i++) {
		snprintf(name, sizeof(name), "a-rather-long-name-of-a-file-%d", i);
		lxcfsd_name(out, LXCFSD_REG, name);
	}
	return 0;
}

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  const char *below, struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req;
	if (!strcmp(below, "mute"))
		return -EIO;
	lxcfsd_printf(out, "%s\n", below);
	return 0;
}

static int read_link(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		     const char *below, struct lxcfsd_out *out)
{
	(void)state, (void)opts, (void)req;
	if (!strcmp(below, "link"))
		lxcfsd_puts(out, "fine");
	return 0;
}

/* clang-format off */
static const struct lxcfsd_tree trees[] = {
	{ .path = "/sys/kernel/mm", .lookup = look_up, .list = list, .render = render,
	  .readlink = read_link },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "sample_tree", .version = "1", .summary = "a tree",
	.trees = trees, .tree_count = LXCFSD_COUNT(trees),
};
/* clang-format on */
