/* SPDX-License-Identifier: MIT */
/*
 * config_match.c - [match NAME]: other values for the containers of some cgroups.
 *
 * What is checked here is whom the section is for, which plugins its keys name, and
 * the keys that every plugin has.  What else a key may be called and hold, only its
 * plugin knows: plugin_match.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"
#include "match.h"

const char *config_option(const struct config_key *key, const char *plugin)
{
	size_t len = strlen(plugin);

	return strncmp(key->key, plugin, len) == 0 && key->key[len] == '.' ? key->key + len + 1
									   : NULL;
}

/* The key's option, or NULL with a problem when there is no such plugin. */
static const char *find_option(const struct config *config, const struct config_key *key,
			       const struct raw_section *section, struct problems *problems)
{
	size_t len = strcspn(key->key, ".");
	char name[64]; /* longer than any key */
	struct nearest nearest = { .word = name };

	for (size_t i = 0; i < config->plugin_count; i++) {
		const char *option = config_option(key, config->plugins[i].name);

		if (option)
			return option;
	}
	snprintf(name, sizeof(name), "%.*s", (int)len, key->key);
	if (!key->key[len]) {
		nearest_try(&nearest, config_match_key.key);
		problem_unknown_key(problems, key, &nearest, section->title);
		return NULL;
	}
	for (size_t i = 0; i < config->plugin_count; i++)
		nearest_try(&nearest, config->plugins[i].name);
	problem_add(problems, key->file, key->line, "%s: there is no [plugin %s]%s%s%s", key->key,
		    name, nearest.key ? ": did you mean '" : "", nearest.key ? nearest.key : "",
		    nearest.key ? "'?" : "");
	return NULL;
}

static void check_key(const struct config *config, const struct config_key *key,
		      const struct raw_section *section, struct problems *problems)
{
	const char *option = find_option(config, key, section, problems);
	size_t which = option ? config_find_plugin_key(option) : PLUGIN_KEY_COUNT;
	union lxcfsd_value value;
	char reason[128];

	if (which == PLUGIN_KEY_COUNT)
		return;
	if (which == PLUGIN_MODULE)
		problem_add(problems, key->file, key->line,
			    "%s: is the same for all containers: it belongs into [plugin %.*s]",
			    key->key, (int)(option - key->key - 1), key->key);
	else if (config_parse_value(&config_plugin_keys[which], key->value, &value, reason,
				    sizeof(reason)) < 0)
		problem_add(problems, key->file, key->line, "%s = %s: %s", key->key, key->value,
			    reason);
}

/* The key `cgroup`, which is taken out of the section; NULL: it has none. */
static char *take_cgroup(struct raw_section *section, struct problems *problems)
{
	for (size_t i = 0; i < section->key_count; i++) {
		struct config_key key = section->keys[i];
		const char *why;

		if (strcmp(key.key, config_match_key.key) != 0)
			continue;
		why = match_refuse(key.value);
		if (why)
			problem_add(problems, key.file, key.line, "cgroup = %s: %s", key.value,
				    why);
		section->key_count--;
		memmove(&section->keys[i], &section->keys[i + 1],
			(section->key_count - i) * sizeof(key));
		free(key.key);
		return key.value;
	}
	problem_add(problems, section->file, section->line,
		    "[%s] has no key cgroup: say for which containers it is", section->title);
	return NULL;
}

int config_build_match(struct config *config, struct raw_section *section, struct lxcfsd_text name,
		       struct problems *problems)
{
	struct match_section *match, *more;

	more = reallocarray(config->matches, config->match_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	config->matches = more;
	match = &more[config->match_count++];
	*match = (struct match_section){
		.name = strndup(name.data, name.len),
		.cgroup = take_cgroup(section, problems),
		.file = section->file,
		.line = section->line,
		.keys = section->keys,
		.key_count = section->key_count,
	};
	section->keys = NULL;
	section->key_count = 0;
	for (size_t i = 0; i < match->key_count; i++)
		check_key(config, &match->keys[i], section, problems);
	return match->name ? 0 : -ENOMEM;
}
