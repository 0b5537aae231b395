/* SPDX-License-Identifier: MIT */
/* plugin_set.c - the plugins of a configuration: loaded, given their options, started. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_private.h"
#include "config_private.h"
#include "goodset.h"
#include "io.h"
#include "log.h"

#define LINE_BYTES 1024

/* "plugin 'NAME' (PATH): text", where the section stands. */
static void complain(struct problems *problems, const struct plugin *plugin, const char *text)
{
	problem_add(problems, plugin->section->file, plugin->section->line, "plugin '%s' (%s): %s",
		    plugin->section->name, plugin->path, text);
}

/* ------------------------------------------------------------- loading */

static char *module_path(const char *dir, const char *module)
{
	char *path;

	if (module[0] == '/')
		return strdup(module);
	return asprintf(&path, "%s/%s", dir, module) < 0 ? NULL : path;
}

static const struct lxcfsd_plugin *find_loaded(const struct plugins *plugins, const char *path)
{
	for (size_t i = 0; i < plugins->count; i++)
		if (plugins->list[i].object && strcmp(plugins->list[i].path, path) == 0)
			return plugins->list[i].object;
	return NULL;
}

/* As if nothing had been loaded. */
static void forget(struct plugin *plugin)
{
	free(plugin->files);
	free(plugin->trees);
	free(plugin->opts);
	free(plugin->values);
	plugin->files = NULL;
	plugin->trees = NULL;
	plugin->opts = NULL;
	plugin->values = NULL;
	plugin->object = NULL;
	plugin->meta = (struct lxcfsd_plugin){ .abi = 0 };
}

static void take_keys(struct plugin *plugin, struct problems *problems)
{
	const struct plugin_section *section = plugin->section;

	for (size_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];
		struct nearest nearest = { .word = key->key };
		char title[64], reason[128];
		size_t j = 0;

		while (j < plugin->meta.opt_count && strcmp(plugin->opts[j].key, key->key) != 0)
			nearest_try(&nearest, plugin->opts[j++].key);
		if (j == plugin->meta.opt_count) {
			for (size_t k = 0; k < PLUGIN_KEY_COUNT; k++)
				nearest_try(&nearest, config_plugin_keys[k].key);
			snprintf(title, sizeof(title), "plugin %s", section->name);
			problem_unknown_key(problems, key, &nearest, title);
		} else if (config_parse_value(&plugin->opts[j], key->value, &plugin->values[j],
					      reason, sizeof(reason)) < 0) {
			problem_add(problems, key->file, key->line, "%s = %s: %s", key->key,
				    key->value, reason);
		}
	}
}

/* What the command line says to every plugin that has the option: it beats the file. */
static void take_overrides(struct plugin *plugin, const struct config *config,
			   struct problems *problems)
{
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_key *given = &config->overrides[i];
		char reason[128];

		for (size_t j = 0; j < plugin->meta.opt_count; j++) {
			if (strcmp(given->key, plugin->opts[j].key) != 0)
				continue;
			if (config_parse_value(&plugin->opts[j], given->value, &plugin->values[j],
					       reason, sizeof(reason)) < 0)
				problem_add(problems, given->file, 0, "%s = %s: %s", given->key,
					    given->value, reason);
		}
	}
}

/* The next of plugins->list. */
static int load_one(struct plugins *plugins, const struct config *config, size_t index,
		    const char *plugin_dir, struct problems *problems)
{
	const struct plugin_section *section = &config->plugins[index];
	struct plugin *plugin = &plugins->list[plugins->count];
	struct reason reason = { "" };
	int r = 0;

	*plugin = (struct plugin){ .section = section };
	plugin->path = module_path(plugin_dir, section->module);
	if (!plugin->path)
		return -ENOMEM;
	plugin->object = find_loaded(plugins, plugin->path);
	plugins->count++;
	if (!plugin->object)
		r = module_load(plugin->path, &plugin->object, &reason);
	if (r == 0)
		r = plugin_describe(plugin, &reason);
	if (r == 0) {
		take_keys(plugin, problems);
		take_overrides(plugin, config, problems);
		return 0;
	}
	forget(plugin);
	if (r == -ENOMEM)
		return r;
	/* switching a broken plugin off is how an administrator gets rid of it */
	if (section->enabled)
		complain(problems, plugin, reason.text);
	else if (r != -ENOENT)
		log_notice("plugin '%s' (%s): %s; it is switched off, its files are not shown",
			   section->name, plugin->path, reason.text);
	return 0;
}

/* That `a` is `b`, or a directory above it. */
static bool is_at_or_above(const char *a, const char *b)
{
	size_t len = strlen(a);

	return strncmp(a, b, len) == 0 && (b[len] == '\0' || b[len] == '/');
}

/* The n-th path that a plugin serves: its files, then its trees. */
static const char *served_path(const struct plugin *plugin, size_t n)
{
	return n < plugin->meta.file_count ? plugin->files[n].path
					   : plugin->trees[n - plugin->meta.file_count].path;
}

static size_t served_count(const struct plugin *plugin)
{
	return (size_t)plugin->meta.file_count + plugin->meta.tree_count;
}

static void check_pair(const struct plugin *a, const struct plugin *b, size_t first,
		       const char *one, struct problems *problems)
{
	for (size_t i = first; i < served_count(b); i++) {
		const char *two = served_path(b, i);

		if (!is_at_or_above(one, two) && !is_at_or_above(two, one))
			continue;
		if (a == b)
			problem_add(problems, b->section->file, b->section->line,
				    "plugin '%s' (%s): its files %s and %s cannot both be there",
				    b->section->name, b->path, one, two);
		else
			problem_add(problems, b->section->file, b->section->line,
				    "plugin '%s' serves %s, but plugin '%s' of %s:%u serves %s: "
				    "remove one of the two sections",
				    b->section->name, two, a->section->name, a->section->file,
				    a->section->line, one);
	}
}

static void check_paths(const struct plugins *plugins, struct problems *problems)
{
	for (size_t a = 0; a < plugins->count; a++)
		for (size_t i = 0; i < served_count(&plugins->list[a]); i++)
			for (size_t b = a; b < plugins->count; b++)
				check_pair(&plugins->list[a], &plugins->list[b], a == b ? i + 1 : 0,
					   served_path(&plugins->list[a], i), problems);
}

#define DIR_ENTRY "plugin_dir" /* of the set of files; no path of a file is like this */

/* The directory of modules: given, else of the settings, else the default one. */
static int find_dir(const struct config *config, const char *given, char **ret)
{
	char buf[4096];
	size_t len;
	int r;

	if (goodset_is_restored()) /* it may be gone from the disk: the files are not */
		return goodset_read(DIR_ENTRY, ret, &len);
	if (!given)
		given = config->settings.plugin_dir;
	if (!given) {
		r = plugins_default_dir(buf, sizeof(buf));
		if (r < 0)
			return r;
		given = buf;
	}
	*ret = strdup(given);
	if (!*ret)
		return -ENOMEM;
	goodset_record(DIR_ENTRY, *ret, strlen(*ret));
	return 0;
}

int plugins_load(const struct config *config, const char *plugin_dir, struct problems *problems,
		 struct plugins *ret)
{
	struct plugins plugins = { .count = 0 };
	size_t before = problems->count;
	_free_ char *dir = NULL;
	int r;

	r = find_dir(config, plugin_dir, &dir);
	if (r < 0)
		return r;
	plugins.list = calloc(config->plugin_count + 1, sizeof(*plugins.list));
	if (!plugins.list)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < config->plugin_count; i++)
		r = load_one(&plugins, config, i, dir, problems);
	if (r == 0)
		check_paths(&plugins, problems);
	if (r == 0 && problems->count > before)
		r = -EINVAL;
	if (r < 0) {
		plugins_done(&plugins);
		return r;
	}
	*ret = plugins;
	return 0;
}

void plugins_done(struct plugins *plugins)
{
	for (size_t i = 0; i < plugins->count; i++) {
		forget(&plugins->list[i]);
		free(plugins->list[i].path);
		free(plugins->list[i].last_error);
	}
	free(plugins->list);
	*plugins = (struct plugins){ .count = 0 };
}

/* ------------------------------------------------------------ starting */

/* What a plugin calls as svc->log. */
static void __attribute__((format(printf, 3, 4)))
plugin_log(const struct lxcfsd_services *svc, int level, const char *format, ...)
{
	/* ours, given as const only because a plugin is to leave it alone */
	struct plugin *plugin = (struct plugin *)(uintptr_t)svc->core;
	char line[LINE_BYTES];
	va_list args;

	if (level < LXCFSD_LOG_ERROR)
		level = LXCFSD_LOG_ERROR;
	if (level > LXCFSD_LOG_DEBUG)
		level = LXCFSD_LOG_DEBUG;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	log_line(level, "plugin '%s': %s", plugin->section->name, line);
	/* from then on several threads may be here */
	if (level == LXCFSD_LOG_ERROR && !plugin->initialised) {
		free(plugin->last_error);
		plugin->last_error = strdup(line);
	}
}

static void init_one(struct plugin *plugin, const struct lxcfsd_services *services,
		     struct problems *problems)
{
	char text[LINE_BYTES + 32];
	int r = 0;

	plugin->services = *services;
	plugin->services.size = sizeof(plugin->services);
	plugin->services.core = plugin;
	plugin->services.log = plugin_log;
	if (plugin->meta.init)
		r = plugin->meta.init(&plugin->services, plugin->values, &plugin->state);
	if (r == 0) {
		plugin->initialised = true;
		return;
	}
	if (plugin->last_error)
		snprintf(text, sizeof(text), "init failed: %s", plugin->last_error);
	else if (r < 0)
		snprintf(text, sizeof(text), "init failed: %s", strerror(-r));
	else
		snprintf(text, sizeof(text), "init failed: it returned %d, which means nothing", r);
	complain(problems, plugin, text);
}

int plugins_init(struct plugins *plugins, const struct lxcfsd_services *services,
		 struct problems *problems)
{
	size_t before = problems->count;

	for (size_t i = 0; i < plugins->count; i++)
		if (plugins->list[i].section->enabled && plugins->list[i].object)
			init_one(&plugins->list[i], services, problems);
	return problems->count > before ? -EINVAL : 0;
}

int plugins_default_dir(char *buf, size_t size)
{
	/* beside us (the build tree), or as installed relative to us */
	static const char *const places[] = { "plugins", "../../lib/lxcfsd/plugins" };
	char exe[4096], path[4096 + 64];
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	char *slash;
	int len;

	exe[n > 0 ? n : 0] = '\0';
	slash = strrchr(exe, '/');
	for (size_t i = 0; slash && i < 2; i++) {
		struct stat st;

		*slash = '\0';
		snprintf(path, sizeof(path), "%s/%s", exe, places[i]);
		if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
			continue;
		len = snprintf(buf, size, "%s", path);
		return (size_t)len < size ? 0 : -ENAMETOOLONG;
	}
	len = snprintf(buf, size, "%s", LXCFSD_PLUGINDIR);
	return (size_t)len < size ? 0 : -ENAMETOOLONG;
}
