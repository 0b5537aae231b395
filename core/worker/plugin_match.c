/* SPDX-License-Identifier: MIT */
/*
 * plugin_match.c - what [match] sections make of a plugin.
 *
 * Each section gives a view of its own: what it does not name is as in the plugin's
 * section, and never as in another [match].  What the command line says holds for all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_private.h"

bool plugin_matched_on(const struct plugin_section *section, const struct config *config)
{
	for (size_t i = 0; i < config->match_count; i++) {
		const struct match_section *match = &config->matches[i];

		for (size_t k = 0; k < match->key_count; k++) {
			const char *option = config_option(&match->keys[k], section->name);
			union lxcfsd_value value = { .u = 0 };
			char reason[64];

			if (option && config_find_plugin_key(option) == PLUGIN_ENABLED &&
			    config_parse_value(&config_plugin_keys[PLUGIN_ENABLED],
					       match->keys[k].value, &value, reason,
					       sizeof(reason)) == 0 &&
			    value.u)
				return true;
		}
	}
	return false;
}

static bool is_fixed(const struct plugin *plugin, const struct config *config, const char *option)
{
	const struct plugin_section *section = plugin->section;

	for (size_t i = 0; i < config->override_count; i++) {
		const char *given = config_option(&config->overrides[i], "*");

		if (given && strcmp(given, option) == 0)
			return true;
	}
	for (size_t i = 0; i < section->key_count; i++)
		if (!section->keys[i].line && strcmp(section->keys[i].key, option) == 0)
			return true;
	return false;
}

static void unknown_option(const struct plugin *plugin, const struct match_section *match,
			   const struct config_key *key, struct nearest *nearest,
			   struct problems *problems)
{
	char title[64], meant[128];

	plugin_try_core_keys(plugin, nearest);
	if (nearest->key) {
		snprintf(meant, sizeof(meant), "%s.%s", plugin->section->name, nearest->key);
		nearest->key = meant;
	}
	snprintf(title, sizeof(title), "match %s", match->name);
	problem_unknown_key(problems, key, nearest, title);
}

/* Option `i` of the view becomes the key's value. */
static int take_value(struct plugin *plugin, const struct config *config, struct plugin_view *view,
		      size_t i, const struct config_key *key, struct problems *problems)
{
	size_t size = (plugin->meta.opt_count + 1) * sizeof(*view->values);
	union lxcfsd_value value;
	char reason[128];

	if (config_parse_value(&plugin->opts[i], key->value, &value, reason, sizeof(reason)) < 0) {
		problem_add(problems, key->file, key->line, "%s = %s: %s", key->key, key->value,
			    reason);
		return 0;
	}
	if (is_fixed(plugin, config, plugin->opts[i].key))
		return 0;
	if (view->values == plugin->values) { /* its own from now on */
		view->values = malloc(size);
		if (!view->values) {
			view->values = plugin->values;
			return -ENOMEM;
		}
		memcpy(view->values, plugin->values, size);
	}
	view->values[i] = value;
	return 0;
}

/* One of the keys that are the daemon's, which has checked it. */
static void take_plugin_key(struct plugin_view *view, size_t which, const char *text)
{
	union lxcfsd_value value;
	char reason[128];

	if (config_parse_value(&config_plugin_keys[which], text, &value, reason, sizeof(reason)) <
	    0)
		return;
	if (which == PLUGIN_ENABLED)
		view->enabled = value.u != 0;
	if (which == PLUGIN_ON_ERROR)
		view->on_error = (enum on_error)value.u;
}

static int take_key(struct plugin *plugin, const struct config *config,
		    const struct match_section *match, struct plugin_view *view,
		    const struct config_key *key, struct problems *problems)
{
	const char *option = config_option(key, plugin->section->name);
	struct nearest nearest = { .word = option };
	size_t which, i;

	if (!option)
		return 0;
	which = config_find_plugin_key(option);
	if (which < PLUGIN_KEY_COUNT) {
		take_plugin_key(view, which, key->value);
		return 0;
	}
	i = plugin_find_option(plugin, option, &nearest);
	if (plugin_is_path_key(plugin, option) ||
	    (i < plugin->meta.opt_count && plugin->opts[i].flags & LXCFSD_OPT_INIT)) {
		problem_add(problems, key->file, key->line,
			    "%s: is the same for all containers: it belongs into [plugin %s]",
			    key->key, plugin->section->name);
		return 0;
	}
	if (i < plugin->meta.opt_count)
		return take_value(plugin, config, view, i, key, problems);
	unknown_option(plugin, match, key, &nearest, problems);
	return 0;
}

int plugin_take_matches(struct plugin *plugin, const struct config *config,
			struct problems *problems)
{
	const struct plugin_view own = {
		.values = plugin->values,
		.enabled = plugin->section->enabled,
		.on_error = plugin->section->on_error,
	};
	int r = 0;

	plugin->views = calloc(config->match_count + 1, sizeof(*plugin->views));
	if (!plugin->views)
		return -ENOMEM;
	plugin->view_count = config->match_count + 1;
	for (size_t i = 0; i < plugin->view_count; i++)
		plugin->views[i] = own;
	for (size_t i = 0; i < config->match_count; i++) {
		const struct match_section *match = &config->matches[i];

		for (size_t k = 0; r == 0 && k < match->key_count; k++)
			r = take_key(plugin, config, match, &plugin->views[i + 1], &match->keys[k],
				     problems);
	}
	return r;
}

void plugin_free_views(struct plugin *plugin)
{
	for (size_t i = 0; i < plugin->view_count; i++)
		if (plugin->views[i].values != plugin->values)
			free(plugin->views[i].values);
	free(plugin->views);
	plugin->views = NULL;
	plugin->view_count = 0;
}
