/* SPDX-License-Identifier: MIT */
/* vault.c - the vault's parts, the node registry and open files, also after a
 * crash that left anything in them. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"
#include "fixture.h"

#include "handles.h"
#include "nodes.h"
#include "vault.h"

static struct lxcfsd_file files[] = { { .path = "/proc/a", .mode = 0444 },
				      { .path = "/proc/dir/b", .mode = 0400 } };
static struct plugin_section on = { .name = (char *)"on", .enabled = true };
static struct plugin_section off = { .name = (char *)"off", .enabled = false };

static struct model *model; /* NULL: no file asks what the host has */

static struct vault_header *new_vault(int *ret_fd)
{
	struct vault_header *vault = NULL;

	if (vault_create(ret_fd, &vault) < 0)
		exit(1);
	atomic_store(&vault->writer, 1);
	return vault;
}

static struct plugins plugins_of(struct plugin *plugin, struct plugin_section *section)
{
	*plugin = (struct plugin){ .section = section, .files = files, .meta.file_count = 2 };
	return (struct plugins){ .list = plugin, .count = 1 };
}

static void test_vault(void)
{
	struct vault_header *vault, *again;
	int fd;

	vault = new_vault(&fd);
	CHECK(ftruncate(fd, 4096) < 0);
	CHECK(vault_map(fd, &again) == 0);
	vault_unmap(again);
	CHECK(vault_part(vault, VAULT_NODES, NODES_VERSION, sizeof(struct vault_nodes)) != NULL);
	CHECK(vault_part(vault, VAULT_NODES, NODES_VERSION + 1, 1) == NULL);
	CHECK(vault_part(vault, VAULT_NODES, NODES_VERSION, VAULT_SIZE) == NULL);
	vault->parts[VAULT_NODES].offset = VAULT_SIZE - 4096;
	CHECK(vault_part(vault, VAULT_NODES, NODES_VERSION, 4096) == NULL);
	vault->magic++;
	CHECK(vault_map(fd, &again) < 0);
	vault_unmap(vault);
	close(fd);
}

/* As a later worker finds it. */
static int reopen(struct nodes *nodes, struct vault_header *vault, const struct plugins *plugins)
{
	nodes_done(nodes);
	return nodes_open(nodes, vault, plugins, model);
}

static void test_nodes(void)
{
	struct plugin plugin;
	struct plugins some = plugins_of(&plugin, &on), none = { 0 };
	struct nodes nodes, later = { 0 };
	const struct node *proc, *a, *b;
	int fd;
	struct vault_header *vault = new_vault(&fd);

	CHECK(nodes_open(&nodes, vault, &some, model) == 0);
	proc = nodes_lookup(&nodes, nodes_get(&nodes, NODE_ROOT), "proc");
	CHECK(proc && proc->listed && proc->type == NODE_DIR);
	a = nodes_lookup(&nodes, proc, "a");
	CHECK(a && a->served && a->listed);
	CHECK_STR(a->path, "/proc/a");
	b = nodes_lookup(&nodes, nodes_lookup(&nodes, proc, "dir"), "b");
	CHECK(b && b->mode == 0400);
	CHECK(!nodes_lookup(&nodes, proc, "aa") && !nodes_lookup(&nodes, a, "x"));
	CHECK(!nodes_get(&nodes, 0) && !nodes_get(&nodes, 99) && !nodes_get(&nodes, UINT64_MAX));

	/* without the plugin the ids go on, but are no longer listed */
	CHECK(reopen(&later, vault, &none) == 0);
	CHECK_U64(later.count, nodes.count);
	CHECK_STR(nodes_get(&later, a->id)->path, "/proc/a");
	CHECK(!nodes_get(&later, a->id)->listed && !nodes_get(&later, a->id)->file);
	some = plugins_of(&plugin, &off);
	CHECK(reopen(&later, vault, &some) == 0);
	CHECK(!nodes_get(&later, a->id)->served && nodes_get(&later, a->id)->file);
	CHECK(!nodes_get(&later, proc->id)->listed);

	/* a damaged entry is a hole, what is below it too; the others stay */
	nodes.registry->nodes[proc->id - 1].name[0] = '/';
	CHECK(reopen(&later, vault, &none) == 0);
	CHECK(!nodes_get(&later, proc->id) && !nodes_get(&later, a->id));
	CHECK(nodes_get(&later, NODE_ROOT) != NULL);
	some = plugins_of(&plugin, &on);
	CHECK(reopen(&later, vault, &some) == 0);
	CHECK(nodes_lookup(&later, nodes_get(&later, NODE_ROOT), "proc")->id > b->id);
	memset(nodes.registry, 0xa5, sizeof(*nodes.registry));
	CHECK(reopen(&later, vault, &some) == 0);
	CHECK(nodes_lookup(&later, nodes_get(&later, NODE_ROOT), "proc") != NULL);
	nodes_done(&nodes);
	nodes_done(&later);
	vault_unmap(vault);
	close(fd);
}

/* Files that are there only when the host has them. */
static void test_absent(void)
{
	static struct lxcfsd_file if_host[] = {
		{ .path = "/proc/p/a", .mode = 0444, .flags = LXCFSD_IF_HOST },
		{ .path = "/proc/p/b", .mode = 0444, .flags = LXCFSD_IF_HOST },
	};
	const struct settings defaults = fixture_settings();
	struct plugin plugin;
	struct plugins some = plugins_of(&plugin, &on);
	struct nodes nodes = { 0 };
	const struct node *proc, *dir;
	int fd;
	struct vault_header *vault = new_vault(&fd);

	plugin.files = if_host;
	fixture_v2();
	fixture_file("/proc/p/b", "host's\n");
	model = fixture_model(&defaults);
	CHECK(reopen(&nodes, vault, &some) == 0);
	proc = nodes_lookup(&nodes, nodes_get(&nodes, NODE_ROOT), "proc");
	dir = nodes_lookup(&nodes, proc, "p");
	CHECK(dir && dir->listed);
	CHECK(dir && !nodes_lookup(&nodes, dir, "a"));
	CHECK(dir && nodes_lookup(&nodes, dir, "b") && nodes_lookup(&nodes, dir, "b")->listed);
	/* what a worker before listed */
	model = model_free(model);
	fixture_unlink_file("/proc/p/b");
	model = fixture_model(&defaults);
	CHECK(reopen(&nodes, vault, &some) == 0);
	proc = nodes_lookup(&nodes, nodes_get(&nodes, NODE_ROOT), "proc");
	CHECK(!proc);
	for (uint32_t id = 2; id <= nodes.count; id++)
		CHECK(!nodes_get(&nodes, id)->listed);
	/* the same id when it is there again */
	model = model_free(model);
	fixture_file("/proc/p/a", "host's\n");
	model = fixture_model(&defaults);
	CHECK(reopen(&nodes, vault, &some) == 0);
	proc = nodes_lookup(&nodes, nodes_get(&nodes, NODE_ROOT), "proc");
	dir = proc ? nodes_lookup(&nodes, proc, "p") : NULL;
	CHECK(dir && nodes_lookup(&nodes, dir, "a") && nodes_lookup(&nodes, dir, "a")->id == 4);
	CHECK(dir && !nodes_lookup(&nodes, dir, "b"));
	model = model_free(model);
	nodes_done(&nodes);
	vault_unmap(vault);
	close(fd);
}

static const struct settings settings = { .max_handles = 4, .max_snapshot_kib = 16 };

static void open_handles(struct handles *h, struct vault_header *vault, uint32_t generation)
{
	atomic_store(&vault->writer, generation);
	CHECK(handles_open(h, vault, generation, NULL, &settings) == 0);
}

static void test_handles(void)
{
	static struct handles h, later;
	static char text[20000], buf[20000];
	struct subject *subject;
	uint64_t fh, other;
	int fd;
	struct vault_header *vault = new_vault(&fd);

	memset(text, 'x', sizeof(text));
	open_handles(&h, vault, 1);
	fh = handle_new(&h, 7, NULL, 1, 1000);
	CHECK(fh != HANDLE_STATELESS);
	CHECK(handle_subject(&h, fh, 7, &subject) && !subject);
	CHECK(!handle_subject(&h, fh, 8, &subject));
	CHECK(handle_copy(&h, fh, 0, buf, 10, 0) == -ENODATA);
	handle_keep(&h, fh, "0123456789", 10, 55);
	CHECK(handle_copy(&h, fh, 4, buf, 3, 0) == 3 && !memcmp(buf, "456", 3));
	CHECK(handle_copy(&h, fh, 10, buf, 3, 0) == 0);
	CHECK(handle_copy(&h, fh, UINT64_MAX, buf, 3, 0) == 0);
	CHECK(handle_copy(&h, fh, 0, buf, 3, 56) == -ENODATA);
	CHECK(handle_copy(&h, fh, 0, buf, 3, 55) == 3);

	/* the next worker has it all */
	open_handles(&later, vault, 2);
	CHECK(handle_find(&later, 7, 1000) == fh);
	CHECK(handle_find(&later, 7, 1001) == HANDLE_STATELESS);
	CHECK(handle_copy(&later, fh, 4, buf, 3, 0) == 3 && !memcmp(buf, "456", 3));
	other = handle_new(&later, 7, NULL, 1, 1002);
	CHECK(other != fh);
	handle_keep(&later, other, text, sizeof(text), 57);
	CHECK(handle_copy(&later, fh, 4, buf, 3, 0) == 3 && !memcmp(buf, "456", 3));
	CHECK(handle_copy(&later, other, 5000, buf, 9000, 0) == 9000 && !memcmp(buf, text, 9000));
	/* the one before was given up: it commits nothing */
	CHECK(handle_new(&h, 7, NULL, 1, 1003) == HANDLE_STATELESS);
	handle_keep(&h, fh, "zzzzzzzzzz", 10, 58);
	CHECK(handle_copy(&later, fh, 4, buf, 3, 0) == 3 && !memcmp(buf, "456", 3));

	handle_free(&later, fh);
	handle_free(&later, fh);
	CHECK(handle_copy(&later, fh, 0, buf, 3, 0) == -ENODATA);
	CHECK(handle_new(&later, 7, NULL, 1, 1004) != fh);
	handles_done(&h);
	handles_done(&later);
	vault_unmap(vault);
	close(fd);
}

/* Any bytes: it starts, no handle points outside, new ones work. */
static void test_garbage(void)
{
	static struct handles h;
	static char buf[4096];
	uint32_t seed = 1;
	int fd;
	struct vault_header *vault = new_vault(&fd);
	struct vault_handle *table = vault_part(vault, VAULT_HANDLES, HANDLES_VERSION, 1);
	uint64_t fh;

	for (uint32_t i = 0; i < 2000; i++) {
		uint8_t *bytes = (uint8_t *)&table[i];

		for (size_t k = 0; k < sizeof(table[i]); k++)
			bytes[k] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		atomic_store(&table[i].used, 1);
		table[i].subject = i % 3 ? table[i].subject : 0;
		table[i].snap_pages %= i % 5 ? 40000 : 3;
		table[i].snap_page %= 40000;
		atomic_store(&table[i].snap_valid, 1);
	}
	open_handles(&h, vault, 1);
	for (uint32_t i = 0; i < 2000; i++) {
		fh = (uint64_t)table[i].serial << 32 | i << 1 | 1;
		if (handle_copy(&h, fh, i, buf, sizeof(buf), 0) > 0 && !table[i].snap_pages)
			CHECK(!"a snapshot without pages");
		handle_keep(&h, fh, buf, 5000 % (i + 1), 1);
	}
	for (uint32_t i = 0; i < 2000; i++)
		handle_free(&h, (uint64_t)table[i].serial << 32 | i << 1 | 1);
	CHECK_U64(h.free_count, HANDLES_MAX);
	for (size_t i = 0; i < SNAPSHOT_PAGES_MAX / 64; i++)
		if (h.page_map[i])
			CHECK(!"a page is lost");
	fh = handle_new(&h, 7, NULL, 1, 1);
	handle_keep(&h, fh, "fine", 4, 1);
	CHECK(handle_copy(&h, fh, 0, buf, 10, 0) == 4);
	handles_done(&h);
	vault_unmap(vault);
	close(fd);
}

int main(void)
{
	test_vault();
	test_nodes();
	test_absent();
	test_handles();
	test_garbage();
	return done_testing();
}
