/* SPDX-License-Identifier: MIT */
/*
 * plugin_private.h - what the files of the plugin loader share.
 *
 *	plugin.c	a file's bytes become a module of this process
 *	plugin_elf.c	whether the bytes are a whole shared object
 *	plugin_meta.c	what the module says of itself, checked and copied
 *	plugin_set.c	all sections of a configuration
 *
 * Each function but elf_check() is called before the worker serves anything.
 */
#ifndef LXCFSD_PLUGIN_PRIVATE_H
#define LXCFSD_PLUGIN_PRIVATE_H

#include <stdarg.h>
#include <stddef.h>

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

#endif
