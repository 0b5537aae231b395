/* SPDX-License-Identifier: MIT */
/* ready.c - see ready.h. */
#include <stdio.h>
#include <string.h>

#include "ready.h"

unsigned int plugins_enabled(const struct plugins *plugins)
{
	unsigned int count = 0;

	for (size_t i = 0; i < plugins->count; i++)
		count += plugins->list[i].enabled;
	return count;
}

bool plugins_change(const struct plugins *plugins)
{
	for (size_t i = 0; i < plugins->count; i++) {
		const struct plugin *p = &plugins->list[i];

		for (uint32_t k = 0; p->enabled && p->trees && k < p->meta.tree_count; k++)
			if (p->trees[k].change)
				return true;
	}
	return false;
}

/* The directory of the files that can be written; "": there are none. */
static void find_inner(const struct server *s, char *ret, size_t size)
{
	ret[0] = '\0';
	for (size_t i = 0; i < s->plugins.count; i++) {
		const struct plugin *p = &s->plugins.list[i];

		for (uint32_t k = 0; p->enabled && p->files && k < p->meta.file_count; k++) {
			const struct lxcfsd_file *file = &p->files[k];
			size_t len = (size_t)(strrchr(file->path, '/') - file->path);

			if (!file->trigger || !model_has_file(s->model, file))
				continue;
			if (ret[0] && (strlen(ret) != len || memcmp(ret, file->path, len) != 0))
				log_warn("plugin '%s': '%s' cannot be written, only what is in "
					 "'%s' can",
					 p->section->name, file->path, ret);
			else if (len > 0 && len < size)
				snprintf(ret, size, "%.*s", (int)len, file->path);
		}
	}
}

void ready_fill(const struct server *s, struct wire_ready *ret)
{
	const struct settings *settings = &s->config->settings;

	ret->ready_timeout_ms = (uint32_t)settings->ready_timeout_ms;
	ret->drain_ms = (uint32_t)settings->drain_ms;
	ret->request_timeout_ms = (uint32_t)settings->request_timeout_ms;
	ret->log_level = (uint32_t)settings->log_level;
	ret->plugins = plugins_enabled(&s->plugins);
	ret->hide_host = settings->on_error != ON_ERROR_HOST;
	ret->reattach = (uint32_t)settings->reattach;
	ret->standby = (uint32_t)settings->standby;
	snprintf(ret->mountpoint, sizeof(ret->mountpoint), "%s", settings->mountpoint);
	find_inner(s, ret->inner, sizeof(ret->inner));
	if (settings->container_roots)
		snprintf(ret->roots, sizeof(ret->roots), "%s", NODES_ROOTS);
}
