/* SPDX-License-Identifier: MIT */
/* guilt.c - see guilt.h. */
#include <stdio.h>
#include <string.h>

#include "guilt.h"

struct telling {
	int sock, r;
	size_t len;
	char text[WIRE_TEXT_MAX];
};

static void send_lines(struct telling *t)
{
	if (t->len > 0 && t->r == 0)
		t->r = wire_send(t->sock, WIRE_FILES, t->text, t->len, NULL, 0);
	t->len = 0;
}

/* `mark` is "/" behind the path of a tree. */
static void tell(struct telling *t, const char *plugin, const char *path, const char *mark)
{
	/* with a tab and a newline */
	size_t need = strlen(plugin) + 1 + strlen(path) + strlen(mark) + 1;

	if (need >= sizeof(t->text)) { /* the numbers must stay right */
		plugin = path = "?";
		need = 5;
	}
	if (t->len + need >= sizeof(t->text))
		send_lines(t);
	t->len += (size_t)snprintf(t->text + t->len, sizeof(t->text) - t->len, "%s\t%s%s\n", plugin,
				   path, mark);
}

static size_t file_count(const struct plugin *p)
{
	return p->files ? p->meta.file_count : 0;
}

static size_t tree_count(const struct plugin *p)
{
	return p->trees ? p->meta.tree_count : 0;
}

int guilt_tell(const struct plugins *plugins, int sock)
{
	static struct telling t;

	t = (struct telling){ .sock = sock };
	for (size_t i = 0; i < plugins->count; i++) {
		const struct plugin *p = &plugins->list[i];

		for (size_t k = 0; k < file_count(p); k++)
			tell(&t, p->section->name, p->files[k].path, "");
		for (size_t k = 0; k < tree_count(p); k++)
			tell(&t, p->section->name, p->trees[k].path, "/");
	}
	send_lines(&t);
	return t.r;
}

static uint32_t number_of(const struct plugins *plugins, const struct node *node)
{
	size_t number = 1;

	for (const struct plugin *p = plugins->list; p != node->plugin; p++)
		number += file_count(p) + tree_count(p);
	number += node->file
			  ? (size_t)(node->file - node->plugin->files)
			  : file_count(node->plugin) + (size_t)(node->tree - node->plugin->trees);
	return (uint32_t)number;
}

void guilt_take(struct server *s, const uint32_t quarantined[QUARANTINE_MAX])
{
	uint32_t count = atomic_load(&s->nodes.count);

	for (uint32_t id = 1; id <= count; id++) {
		const struct node *node = &s->nodes.list[id - 1];
		struct node_count *c = &s->counts[id - 1];

		if (!node->plugin || (!node->file && !node->tree))
			continue;
		c->number = number_of(&s->plugins, node);
		for (unsigned int i = 0; i < QUARANTINE_MAX && quarantined[i]; i++)
			if (quarantined[i] == c->number)
				c->quarantined = true;
	}
}
