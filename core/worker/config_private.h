/* SPDX-License-Identifier: MIT */
/*
 * config_private.h - what the files of the configuration share.
 *
 *	config.c	the files' text as sections and keys, by inih
 *	config_schema.c	which keys there are and what they may hold
 *	config_build.c	the one checked by the other: struct config
 *	config_match.c	the same for [match NAME], whose keys name plugins
 */
#ifndef LXCFSD_CONFIG_PRIVATE_H
#define LXCFSD_CONFIG_PRIVATE_H

#include "config.h"

/* One [section] as it stands in a file, nothing interpreted. */
struct raw_section {
	char *title; /* its words with one blank between them */
	const char *file;
	unsigned int line;
	struct config_key *keys;
	size_t key_count;
};

struct raw_config {
	struct raw_section *sections;
	size_t section_count;
	char **files;
	size_t file_count;
};

/* `path` and the *.ini of conf.d beside it.  What is wrong goes to `problems`;
 * the return value is 0 or -ENOMEM. */
int raw_read(const char *path, struct problems *problems, struct raw_config *raw);
void raw_done(struct raw_config *raw);
void config_keys_free(struct config_key *keys, size_t count);

/* A key of [lxcfsd] and the field of struct settings that it fills. */
struct setting {
	struct lxcfsd_opt opt;
	size_t offset;	/* of a uint64_t, or of a char * for LXCFSD_STRING */
	uint64_t first; /* LXCFSD_ENUM: what the first of its words stands for */
	bool is_path;
};
extern const struct setting config_settings[];
extern const size_t config_setting_count;

/* The keys that every [plugin NAME] has. */
enum { PLUGIN_MODULE, PLUGIN_ENABLED, PLUGIN_ON_ERROR, PLUGIN_KEY_COUNT };
extern const struct lxcfsd_opt config_plugin_keys[PLUGIN_KEY_COUNT];
/* Its index, or PLUGIN_KEY_COUNT. */
size_t config_find_plugin_key(const char *key);

/* The keys that come on top where the plugin has LXCFSD_PATH_FROM_CONFIG. */
enum { PATH_PATH, PATH_MODE, PATH_KEY_COUNT };
extern const struct lxcfsd_opt config_path_keys[PATH_KEY_COUNT];

/* The key of [match NAME] that says for whom it is. */
extern const struct lxcfsd_opt config_match_key;

/* What may stand behind `plugin` and `match` in the name of a section. */
#define SECTION_NAME_MAX 32
bool config_is_name(struct lxcfsd_text name);

/* Adds the section to config->matches; all plugins' sections are there already.
 * -ENOMEM. */
int config_build_match(struct config *config, struct raw_section *section, struct lxcfsd_text name,
		       struct problems *problems);

/* Finds the key that somebody who wrote `word` may have meant. */
struct nearest {
	const char *word;
	const char *key; /* NULL: nothing is close */
	unsigned int distance;
};
void nearest_try(struct nearest *nearest, const char *key);

/* "unknown key 'x'", and what was meant when something is close. */
void problem_unknown_key(struct problems *problems, const struct config_key *key,
			 const struct nearest *nearest, const char *where);

#endif
