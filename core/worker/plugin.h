/* SPDX-License-Identifier: MIT */
/*
 * plugin.h (worker) - loading plugins.
 *
 * A .so is read once into a sealed memfd, checked, and loaded from there, so
 * that whatever happens to the file later cannot hurt a running worker.  A
 * worker loads each module once and never unloads: a new plugin means a new
 * worker.
 */
#ifndef LXCFSD_WORKER_PLUGIN_H
#define LXCFSD_WORKER_PLUGIN_H

#include <lxcfsd/plugin.h>

#include "config.h"
#include "problems.h"

/* What the configuration makes of a plugin for some containers. */
struct plugin_view {
	union lxcfsd_value *values; /* by index of opts */
	bool enabled;
	enum on_error on_error;
};

/* A file that its init() asked for. */
struct plugin_loaded;

/* One [plugin NAME] section with its module. */
struct plugin {
	const struct plugin_section *section;
	bool enabled;			    /* for anybody: by its section or by a [match] */
	char *path;			    /* where the module's file was */
	const struct lxcfsd_plugin *object; /* the module's own; NULL: not loaded */
	struct lxcfsd_plugin meta;  /* what we know of it; newer fields cut, missing ones 0 */
	struct lxcfsd_file *files;  /* meta.file_count, of our size */
	struct lxcfsd_tree *trees;  /* meta.tree_count, of our size */
	struct lxcfsd_opt *opts;    /* meta.opt_count, of our size */
	union lxcfsd_value *values; /* the section's values, by index of opts */
	struct plugin_view *views;  /* [0]: the section's; [n]: by the n-th [match], from 1 */
	size_t view_count;
	struct lxcfsd_services services;
	void *state;	  /* from init() */
	char *last_error; /* the last LXCFSD_LOG_ERROR line said in init() */
	const char *root; /* as of struct plugins */
	struct plugin_loaded *loaded;
	bool initialised;
};

struct plugins {
	struct plugin *list; /* in the order of the sections */
	size_t count;
	const char *root; /* where the files are that init() asks for; NULL: "/" */
};

/*
 * Loads the module of every section and checks its options.  A section that is
 * switched off for all is loaded as well (its files keep their names) but its module
 * may be missing or broken: it then has no files.  So has one that stands in no file
 * (section->file is NULL) and lacks the path of its own.  Two sections that serve one
 * path, or something in the other's tree, are a problem.  `config` must outlive *ret.
 * `plugin_dir` may be NULL: settings.plugin_dir, else plugins_default_dir().
 */
int plugins_load(const struct config *config, const char *plugin_dir, struct problems *problems,
		 struct plugins *ret);

/* Frees what plugins_load() made.  Modules and their state stay where they are. */
void plugins_done(struct plugins *plugins);

/* init() of every enabled plugin, each with a copy of `services`. */
int plugins_init(struct plugins *plugins, const struct lxcfsd_services *services,
		 struct problems *problems);

/* The directory of modules when none is set: `plugins` beside the running
 * program, else where they are installed.  -ENAMETOOLONG. */
int plugins_default_dir(char *buf, size_t size);

#endif
