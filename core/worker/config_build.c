/* SPDX-License-Identifier: MIT */
/* config_build.c - from sections and keys to a struct config, all or nothing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"
#include "text.h"

static void *field(struct settings *settings, const struct setting *setting)
{
	return (char *)settings + setting->offset;
}

/* -EINVAL with `reason`, -ENOMEM. */
static int set_setting(struct settings *settings, const struct setting *setting, const char *text,
		       char *reason, size_t size)
{
	union lxcfsd_value value;
	char **string, *copy = NULL;
	int r;

	r = config_parse_value(&setting->opt, text, &value, reason, size);
	if (r < 0)
		return r;
	if (setting->opt.type == LXCFSD_STRING) {
		string = field(settings, setting);
		/* an empty path is none at all: the reader of it looks for NULL */
		if (*text || !setting->is_path) {
			copy = strdup(text);
			if (!copy)
				return -ENOMEM;
		}
		free(*string);
		*string = copy;
		return 0;
	}
	if (setting->opt.type == LXCFSD_ENUM)
		value.u += setting->first;
	*(uint64_t *)field(settings, setting) = value.u;
	return 0;
}

static int set_defaults(struct settings *settings)
{
	char reason[128];

	for (size_t i = 0; i < config_setting_count; i++) {
		const struct setting *setting = &config_settings[i];
		int r = set_setting(settings, setting, setting->opt.def, reason, sizeof(reason));

		if (r < 0)
			return r;
	}
	return 0;
}

static const struct setting *find_setting(const char *key, struct nearest *nearest)
{
	for (size_t i = 0; i < config_setting_count; i++) {
		if (strcmp(config_settings[i].opt.key, key) == 0)
			return &config_settings[i];
		nearest_try(nearest, config_settings[i].opt.key);
	}
	return NULL;
}

static int build_settings(struct config *config, const struct raw_section *section,
			  struct problems *problems)
{
	for (size_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];
		struct nearest nearest = { .word = key->key };
		const struct setting *setting = find_setting(key->key, &nearest);
		char reason[128];
		int r;

		if (!setting) {
			problem_unknown_key(problems, key, &nearest, section->title);
			continue;
		}
		/* on a command line it is relative to something, in a file it is not */
		if (setting->is_path && *key->value && *key->value != '/') {
			problem_add(problems, key->file, key->line,
				    "%s = %s: must be a path that begins with /", key->key,
				    key->value);
			continue;
		}
		r = set_setting(&config->settings, setting, key->value, reason, sizeof(reason));
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			problem_add(problems, key->file, key->line, "%s = %s: %s", key->key,
				    key->value, reason);
	}
	return 0;
}

/* For every plugin that has such an option: who knows these takes it. */
static int keep_override(struct config *config, const struct config_override *given)
{
	struct config_key *more = reallocarray(config->overrides, config->override_count + 1,
					       sizeof(*more)),
			  *key;

	if (!more)
		return -ENOMEM;
	config->overrides = more;
	key = &more[config->override_count++];
	*key = (struct config_key){ .key = strdup(given->key),
				    .value = strdup(given->value),
				    .file = given->origin };
	return key->key && key->value ? 0 : -ENOMEM;
}

static int build_overrides(struct config *config, const struct config_override *overrides,
			   size_t count, struct problems *problems)
{
	for (size_t i = 0; i < count; i++) {
		const struct config_override *given = &overrides[i];
		struct nearest nearest = { .word = given->key };
		const struct setting *setting = find_setting(given->key, &nearest);
		char reason[128];
		int r;

		if (strncmp(given->key, "*.", 2) == 0) {
			r = keep_override(config, given);
			if (r < 0)
				return r;
			continue;
		}
		if (!setting) {
			problem_add(problems, given->origin, 0, "unknown key '%s'%s%s%s",
				    given->key, nearest.key ? ": did you mean '" : "",
				    nearest.key ? nearest.key : "", nearest.key ? "'?" : "");
			continue;
		}
		r = set_setting(&config->settings, setting, given->value, reason, sizeof(reason));
		if (r == -ENOMEM)
			return r;
		if (r < 0)
			problem_add(problems, given->origin, 0, "%s = %s: %s", given->key,
				    given->value, reason);
	}
	return 0;
}

/* One of the keys that every plugin has; `key` stays the caller's. */
static int set_plugin_key(struct plugin_section *plugin, size_t which, const struct config_key *key,
			  struct problems *problems)
{
	union lxcfsd_value value;
	char reason[128];
	char *copy;

	if (config_parse_value(&config_plugin_keys[which], key->value, &value, reason,
			       sizeof(reason)) < 0) {
		problem_add(problems, key->file, key->line, "%s = %s: %s", key->key, key->value,
			    reason);
		return 0;
	}
	switch (which) {
	case PLUGIN_ENABLED:
		plugin->enabled = value.u != 0;
		return 0;
	case PLUGIN_ON_ERROR:
		plugin->on_error = (enum on_error)value.u;
		return 0;
	}
	/* a way out of the directory, or into another by accident, is not a name */
	if (!*value.s || (value.s[0] != '/' && strchr(value.s, '/'))) {
		problem_add(problems, key->file, key->line,
			    "module = %s: must be a file name or a path that begins with /",
			    value.s);
		return 0;
	}
	copy = strdup(value.s);
	if (!copy)
		return -ENOMEM;
	free(plugin->module);
	plugin->module = copy;
	return 0;
}

/* Takes the section's keys: ours are used up, the plugin's own are handed on. */
static int take_keys(struct plugin_section *plugin, struct raw_section *section,
		     struct problems *problems)
{
	plugin->keys = section->keys;
	section->keys = NULL;
	for (size_t i = 0; i < section->key_count; i++) {
		struct config_key key = plugin->keys[i];
		size_t which = config_find_plugin_key(key.key);
		int r;

		plugin->keys[i] = (struct config_key){ .line = 0 };
		if (which == PLUGIN_KEY_COUNT) {
			plugin->keys[plugin->key_count++] = key;
			continue;
		}
		r = set_plugin_key(plugin, which, &key, problems);
		free(key.key);
		free(key.value);
		if (r < 0) {
			/* so that what is left has an owner */
			for (size_t j = i + 1; j < section->key_count; j++)
				plugin->keys[plugin->key_count++] = plugin->keys[j];
			section->key_count = 0;
			return r;
		}
	}
	section->key_count = 0;
	return 0;
}

bool config_is_name(struct lxcfsd_text name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_-";

	for (size_t i = 0; i < name.len; i++)
		if (!memchr(allowed, name.data[i], sizeof(allowed) - 1))
			return false;
	return name.len > 0 && name.len <= SECTION_NAME_MAX;
}

static int build_plugin(struct config *config, struct raw_section *section, struct lxcfsd_text name,
			struct problems *problems)
{
	struct plugin_section *plugin, *more;

	more = reallocarray(config->plugins, config->plugin_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	config->plugins = more;
	plugin = &more[config->plugin_count++];
	*plugin = (struct plugin_section){
		.name = strndup(name.data, name.len),
		.enabled = true,
		.on_error = (enum on_error)config->settings.on_error,
		.file = section->file,
		.line = section->line,
	};
	if (!plugin->name || asprintf(&plugin->module, "%s.so", plugin->name) < 0) {
		plugin->module = NULL;
		return -ENOMEM;
	}
	return take_keys(plugin, section, problems);
}

/* The sections of one kind: `plugin` or `match`, with a name. */
static int build_sections(struct config *config, struct raw_config *raw, const char *kind,
			  int (*build_one)(struct config *config, struct raw_section *section,
					   struct lxcfsd_text name, struct problems *problems),
			  struct problems *problems)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < raw->section_count; i++) {
		struct raw_section *section = &raw->sections[i];
		struct lxcfsd_text rest = text_of(section->title), word, name = { "", 0 };

		if (!text_word(&rest, &word) || !text_is(word, kind))
			continue;
		if (!text_word(&rest, &name) || rest.len > 0 || !config_is_name(name))
			problem_add(problems, section->file, section->line,
				    "[%s]: a %s's name has 1 to %d of the characters a-z 0-9 _ -",
				    section->title, kind, SECTION_NAME_MAX);
		else
			r = build_one(config, section, name, problems);
	}
	return r;
}

static void check_titles(const struct raw_config *raw, struct problems *problems)
{
	for (size_t i = 0; i < raw->section_count; i++) {
		struct lxcfsd_text rest = text_of(raw->sections[i].title), word = { "", 0 };

		text_word(&rest, &word);
		if (strcmp(raw->sections[i].title, "lxcfsd") != 0 && !text_is(word, "plugin") &&
		    !text_is(word, "match"))
			problem_add(problems, raw->sections[i].file, raw->sections[i].line,
				    "unknown section [%s]: there are [lxcfsd], [plugin NAME] and "
				    "[match NAME]",
				    raw->sections[i].title);
	}
}

static int build(struct config *config, struct raw_config *raw,
		 const struct config_override *overrides, size_t count, struct problems *problems)
{
	int r = set_defaults(&config->settings);

	for (size_t i = 0; r == 0 && i < raw->section_count; i++)
		if (strcmp(raw->sections[i].title, "lxcfsd") == 0)
			r = build_settings(config, &raw->sections[i], problems);
	if (r == 0)
		r = build_overrides(config, overrides, count, problems);
	if (r == 0 && !config->settings.mountpoint)
		problem_add(problems, NULL, 0, "mountpoint is empty: give a directory");
	check_titles(raw, problems);
	/* each kind needs what the one before it says */
	if (r == 0)
		r = build_sections(config, raw, "plugin", build_plugin, problems);
	if (r == 0)
		r = build_sections(config, raw, "match", config_build_match, problems);
	return r;
}

int config_load_partly(const char *path, const struct config_override *overrides, size_t count,
		       struct problems *problems, struct config **ret)
{
	struct config *config = calloc(1, sizeof(*config));
	struct raw_config raw = { .section_count = 0 };
	int r;

	if (!config)
		return -ENOMEM;
	r = raw_read(path, problems, &raw);
	/* the sections' places point into these names */
	config->files = raw.files;
	config->file_count = raw.file_count;
	raw.files = NULL;
	raw.file_count = 0;
	if (r == 0)
		r = build(config, &raw, overrides, count, problems);
	raw_done(&raw);
	if (r < 0) {
		config_free(config);
		return r;
	}
	*ret = config;
	return 0;
}

int config_load(const char *path, const struct config_override *overrides, size_t count,
		struct problems *problems, struct config **ret)
{
	size_t before = problems->count;
	struct config *config;
	int r = config_load_partly(path, overrides, count, problems, &config);

	if (r < 0)
		return r;
	if (problems->count > before) {
		config_free(config);
		return -EINVAL;
	}
	*ret = config;
	return 0;
}

int config_defaults(struct config **ret)
{
	struct config *config = calloc(1, sizeof(*config));
	int r;

	if (!config)
		return -ENOMEM;
	r = set_defaults(&config->settings);
	if (r < 0) {
		config_free(config);
		return r;
	}
	*ret = config;
	return 0;
}

struct config *config_free(struct config *config)
{
	if (!config)
		return NULL;
	for (size_t i = 0; i < config_setting_count; i++)
		if (config_settings[i].opt.type == LXCFSD_STRING)
			free(*(char **)field(&config->settings, &config_settings[i]));
	for (size_t i = 0; i < config->plugin_count; i++) {
		free(config->plugins[i].name);
		free(config->plugins[i].module);
		config_keys_free(config->plugins[i].keys, config->plugins[i].key_count);
	}
	free(config->plugins);
	for (size_t i = 0; i < config->match_count; i++) {
		free(config->matches[i].name);
		free(config->matches[i].cgroup);
		config_keys_free(config->matches[i].keys, config->matches[i].key_count);
	}
	free(config->matches);
	config_keys_free(config->overrides, config->override_count);
	for (size_t i = 0; i < config->file_count; i++)
		free(config->files[i]);
	free(config->files);
	free(config);
	return NULL;
}
