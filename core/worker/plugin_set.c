/* SPDX-License-Identifier: MIT */
/* plugin_set.c - the plugins of a configuration: loaded, given their options, started. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin_private.h"
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
	plugin_free_views(plugin);
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

size_t plugin_find_option(const struct plugin *plugin, const char *name, struct nearest *nearest)
{
	size_t i = 0;

	while (i < plugin->meta.opt_count && strcmp(plugin->opts[i].key, name) != 0)
		nearest_try(nearest, plugin->opts[i++].key);
	return i;
}

bool plugin_is_path_key(const struct plugin *plugin, const char *key)
{
	for (size_t i = 0; (plugin->meta.flags & LXCFSD_PATH_FROM_CONFIG) && i < PATH_KEY_COUNT;
	     i++)
		if (strcmp(config_path_keys[i].key, key) == 0)
			return true;
	return false;
}

void plugin_try_core_keys(const struct plugin *plugin, struct nearest *nearest)
{
	for (size_t i = 0; i < PLUGIN_KEY_COUNT; i++)
		nearest_try(nearest, config_plugin_keys[i].key);
	for (size_t i = 0; (plugin->meta.flags & LXCFSD_PATH_FROM_CONFIG) && i < PATH_KEY_COUNT;
	     i++)
		nearest_try(nearest, config_path_keys[i].key);
}

/* As chmod(1) takes it: "0444".  -EINVAL: it is more than reading, or nothing. */
static int parse_mode(const char *text, uint32_t *ret)
{
	size_t digits = strspn(text, "01234567");
	uint32_t mode = 0;

	if (digits == 0 || digits > 4 || text[digits])
		return -EINVAL;
	for (; *text; text++)
		mode = mode * 8 + (uint32_t)(*text - '0');
	if (mode == 0 || (mode & ~0444u) != 0)
		return -EINVAL;
	*ret = mode;
	return 0;
}

/* The keys that are ours where the path comes from the configuration. */
static bool take_path_key(struct plugin *plugin, const struct config_key *key, bool *has_path,
			  struct problems *problems)
{
	if (!(plugin->meta.flags & LXCFSD_PATH_FROM_CONFIG))
		return false;
	if (strcmp(key->key, config_path_keys[PATH_PATH].key) == 0) {
		*has_path = true;
		if (plugin_path_is_clean(key->value))
			plugin->files[0].path = key->value;
		else
			problem_add(problems, key->file, key->line,
				    "path = %s: must be an absolute path of clean components",
				    key->value);
		return true;
	}
	if (strcmp(key->key, config_path_keys[PATH_MODE].key) != 0)
		return false;
	if (parse_mode(key->value, &plugin->files[0].mode) < 0)
		problem_add(problems, key->file, key->line,
			    "mode = %s: must be octal, only reading, at most 0444", key->value);
	return true;
}

/* Whoever gets its path from the configuration has no file without one. */
static void check_own_path(struct plugin *plugin, bool has_path, struct problems *problems)
{
	const struct plugin_section *section = plugin->section;

	if (!(plugin->meta.flags & LXCFSD_PATH_FROM_CONFIG) || plugin->files[0].path)
		return;
	plugin->meta.file_count = 0;
	if (!section->file)
		plugin->enabled = false; /* nobody has asked for it */
	else if (!has_path)
		problem_add(problems, section->file, section->line,
			    "[plugin %s] has no key path: say where its file is shown",
			    section->name);
}

static void take_keys(struct plugin *plugin, struct problems *problems)
{
	const struct plugin_section *section = plugin->section;
	bool has_path = false;

	for (size_t i = 0; i < section->key_count; i++) {
		const struct config_key *key = &section->keys[i];
		struct nearest nearest = { .word = key->key };
		char title[64], reason[128];
		size_t j;

		if (take_path_key(plugin, key, &has_path, problems))
			continue;
		j = plugin_find_option(plugin, key->key, &nearest);
		if (j == plugin->meta.opt_count) {
			plugin_try_core_keys(plugin, &nearest);
			snprintf(title, sizeof(title), "plugin %s", section->name);
			problem_unknown_key(problems, key, &nearest, title);
		} else if (config_parse_value(&plugin->opts[j], key->value, &plugin->values[j],
					      reason, sizeof(reason)) < 0) {
			problem_add(problems, key->file, key->line, "%s = %s: %s", key->key,
				    key->value, reason);
		}
	}
	check_own_path(plugin, has_path, problems);
}

/* What the command line says to every plugin that has the option: it beats the file. */
static void take_overrides(struct plugin *plugin, const struct config *config,
			   struct problems *problems)
{
	for (size_t i = 0; i < config->override_count; i++) {
		const struct config_key *given = &config->overrides[i];
		const char *option = config_option(given, "*");
		char reason[128];

		for (size_t j = 0; option && j < plugin->meta.opt_count; j++) {
			if (strcmp(option, plugin->opts[j].key) != 0)
				continue;
			if (config_parse_value(&plugin->opts[j], given->value, &plugin->values[j],
					       reason, sizeof(reason)) < 0)
				problem_add(problems, given->file, 0, "%s = %s: %s", option,
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

	*plugin = (struct plugin){
		.section = section,
		.enabled = section->enabled || plugin_matched_on(section, config),
	};
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
		return plugin_take_matches(plugin, config, problems);
	}
	forget(plugin);
	if (r == -ENOMEM)
		return r;
	/* switching a broken plugin off is how an administrator gets rid of it */
	if (plugin->enabled)
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
		plugin_free_loaded(&plugins->list[i]);
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
	plugin->services.load_file = plugin_load_file;
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
		if (plugins->list[i].enabled && plugins->list[i].object) {
			plugins->list[i].root = plugins->root;
			init_one(&plugins->list[i], services, problems);
		}
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
