/* SPDX-License-Identifier: MIT */
/*
 * plugin_private.h - what the files of the plugin loader share.
 *
 *	plugin.c	a file's bytes become a module of this process
 *	plugin_elf.c	whether the bytes are a whole shared object
 *	plugin_meta.c	what the module says of itself, checked and copied
 *	plugin_match.c	what [match] sections change
 *	plugin_set.c	all sections of a configuration
 *	plugin_file.c	files of the host that init() asks for
 *
 * Each function but elf_check() is called before the worker serves anything.
 */
#ifndef LXCFSD_PLUGIN_PRIVATE_H
#define LXCFSD_PLUGIN_PRIVATE_H

#include <stdarg.h>
#include <stddef.h>

#include "config_private.h"
#include "plugin.h"

#define REASON_BYTES 512

/* Why a module was not taken: not a whole sentence, made to stand behind a colon. */
struct reason {
	char text[REASON_BYTES];
};

/* Writes the reason and returns `r`. */
int refuse(struct reason *reason, int r, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Loads the module's file; it is never unloaded.  -ENOENT when there is none. */
int module_load(const char *path, const struct lxcfsd_plugin **ret, struct reason *reason);

/* That `bytes` are a complete shared object for this machine. */
int elf_check(const void *bytes, size_t len, struct reason *reason);

/* Fills meta, files, opts and values (by default) from plugin->object. */
int plugin_describe(struct plugin *plugin, struct reason *reason);
/* "/proc/x": an absolute path of clean components. */
bool plugin_path_is_clean(const char *path);

/* The index of an option, or meta.opt_count, with what it may have been meant for. */
size_t plugin_find_option(const struct plugin *plugin, const char *name, struct nearest *nearest);
/* The same for the keys that are the daemon's in this plugin's section. */
void plugin_try_core_keys(const struct plugin *plugin, struct nearest *nearest);
bool plugin_is_path_key(const struct plugin *plugin, const char *key);

/* Does a [match] section switch this plugin on? */
bool plugin_matched_on(const struct plugin_section *section, const struct config *config);
/* Fills views; plugin->values are the section's.  -ENOMEM. */
int plugin_take_matches(struct plugin *plugin, const struct config *config,
			struct problems *problems);
void plugin_free_views(struct plugin *plugin);

/* What a plugin calls as svc->load_file. */
int plugin_load_file(const struct lxcfsd_services *svc, const char *path, size_t max,
		     struct lxcfsd_text *ret);
void plugin_free_loaded(struct plugin *plugin);

#endif
