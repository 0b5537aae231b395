/* SPDX-License-Identifier: MIT */
/* config_modules.c - sections for what is in the directory of modules. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"

/* A section for a module: NAME.so is [plugin NAME]. */
static int add_section(struct config *config, const char *module)
{
	struct plugin_section *list, *section;

	list = reallocarray(config->plugins, config->plugin_count + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	config->plugins = list;
	section = &list[config->plugin_count];
	*section = (struct plugin_section){
		.name = strndup(module, strlen(module) - 3),
		.module = strdup(module),
		.enabled = true,
	};
	config->plugin_count++; /* config_free() frees what there is of it */
	return section->name && section->module ? 0 : -ENOMEM;
}

static bool has_section(const struct config *config, const char *module)
{
	for (size_t i = 0; i < config->plugin_count; i++)
		if (strcmp(config->plugins[i].module, module) == 0)
			return true;
	return false;
}

static int is_module(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 3 && strcmp(entry->d_name + len - 3, ".so") == 0;
}

int config_add_modules(struct config *config, const char *dir)
{
	struct dirent **entries;
	int r = 0, count = scandir(dir, &entries, is_module, alphasort);

	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		if (r == 0 && !has_section(config, entries[i]->d_name))
			r = add_section(config, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return r;
}
