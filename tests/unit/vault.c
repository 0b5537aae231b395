/* SPDX-License-Identifier: MIT */
/* vault.c - the vault's parts, the node registry and open files, also after a
 * crash that left anything in them. */
#include <errno.h>
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
	*plugin = (struct plugin){ .section = section,
				   .enabled = section->enabled,
				   .files = files,
				   .meta.file_count = 2 };
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

static const char *path_of(const struct nodes *nodes, const struct node *node)
{
	static struct node_path buf;

	return node ? nodes_path(nodes, node, &buf) : NULL;
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
	CHECK_STR(path_of(&nodes, a), "/proc/a");
	b = nodes_lookup(&nodes, nodes_lookup(&nodes, proc, "dir"), "b");
	CHECK(b && b->mode == 0400);
	CHECK(!nodes_lookup(&nodes, proc, "aa") && !nodes_lookup(&nodes, a, "x"));
	CHECK(!nodes_get(&nodes, 0) && !nodes_get(&nodes, 99) && !nodes_get(&nodes, UINT64_MAX));

	/* without the plugin the ids go on, but are no longer listed */
	CHECK(reopen(&later, vault, &none) == 0);
	CHECK_U64(later.count, nodes.count);
	CHECK_STR(path_of(&later, nodes_get(&later, a->id)), "/proc/a");
	CHECK(!nodes_get(&later, a->id)->listed && !nodes_get(&later, a->id)->file);
	some = plugins_of(&plugin, &off);
	CHECK(reopen(&later, vault, &some) == 0);
	CHECK(!nodes_get(&later, a->id)->served && nodes_get(&later, a->id)->file);
	CHECK(!nodes_get(&later, proc->id)->listed);

	/* a damaged entry is a hole, what is below it too; the others stay */
	nodes.registry->names[nodes.registry->nodes[proc->id - 1].name] = '/';
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

static struct lxcfsd_tree tree = { .path = "/sys/t" };

static struct plugins tree_of(struct plugin *plugin, struct plugin_section *section)
{
	*plugin = (struct plugin){ .section = section,
				   .enabled = section->enabled,
				   .trees = &tree,
				   .meta.tree_count = 1 };
	return (struct plugins){ .list = plugin, .count = 1 };
}

static const struct node *at_path(const struct nodes *nodes, const char *a, const char *b)
{
	const struct node *dir = nodes_lookup(nodes, nodes_get(nodes, NODE_ROOT), a);

	return dir ? nodes_lookup(nodes, dir, b) : NULL;
}

/* Names of a tree are learnt one by one, and keep their ids. */
static void test_tree(void)
{
	struct plugin plugin;
	struct plugins some = tree_of(&plugin, &on), none = { 0 };
	struct nodes nodes, later = { 0 };
	const struct node *root, *cpu, *core, *link, *again;
	uint32_t root_id, cpu_id, core_id;
	char longest[NODE_NAME_MAX + 2];
	int fd;
	struct vault_header *vault = new_vault(&fd);

	CHECK(nodes_open(&nodes, vault, &some, model) == 0);
	root = at_path(&nodes, "sys", "t");
	CHECK(root && root->tree == &tree && root->tree_root == root->id && root->listed);
	CHECK(nodes_get(&nodes, root->parent)->tree_root == 0);
	CHECK(!nodes_find(&nodes, root, "cpu0", NODE_DIR));
	CHECK(nodes_add(&nodes, root, "cpu0", NODE_DIR, &cpu) == 0);
	CHECK(nodes_add(&nodes, cpu, "core", NODE_FILE, &core) == 0);
	CHECK_STR(path_of(&nodes, core), "/sys/t/cpu0/core");
	CHECK(core->tree_root == root->id);
	CHECK(nodes_add(&nodes, root, "cpu0", NODE_DIR, &again) == 0 && again == cpu);
	CHECK(nodes_find(&nodes, cpu, "core", NODE_FILE) == core);
	/* the same name as something else is something else */
	CHECK(nodes_add(&nodes, cpu, "core", NODE_LINK, &link) == 0 && link->id != core->id);
	CHECK(nodes_find(&nodes, cpu, "core", NODE_FILE) == core);
	memset(longest, 'x', sizeof(longest));
	longest[NODE_NAME_MAX + 1] = '\0';
	CHECK(nodes_add(&nodes, cpu, longest, NODE_FILE, &again) == -ENAMETOOLONG);
	longest[NODE_NAME_MAX] = '\0';
	CHECK(nodes_add(&nodes, cpu, longest, NODE_FILE, &again) == 0);

	/* the root of a connection stays what it is, and what is none never becomes one */
	CHECK(nodes_directory(&nodes, "/sys/t", &again) == 0 && again == root);
	CHECK(nodes_directory(&nodes, "/sys/later/on", &again) == 0 && again->type == NODE_DIR);
	CHECK_STR(path_of(&nodes, again), "/sys/later/on");
	CHECK(nodes_directory(&nodes, "sys", &again) == -EINVAL);
	CHECK(nodes_directory(&nodes, "/sys/../t", &again) == -EINVAL);
	CHECK(nodes_add(&nodes, cpu, longest, NODE_FILE, &again) == 0);

	/* the next worker, with and without the plugin, and switched off */
	CHECK(reopen(&later, vault, &some) == 0);
	CHECK_U64(later.count, nodes.count);
	CHECK_STR(path_of(&later, nodes_get(&later, core->id)), "/sys/t/cpu0/core");
	CHECK_STR(nodes_get(&later, again->id)->name, longest);
	CHECK(reopen(&later, vault, &none) == 0);
	CHECK(nodes_get(&later, core->id)->tree_root == root->id);
	CHECK(!nodes_get(&later, root->id)->tree && !nodes_get(&later, root->id)->listed);
	some = tree_of(&plugin, &off);
	CHECK(reopen(&later, vault, &some) == 0);
	CHECK(nodes_get(&later, root->id)->tree && !nodes_get(&later, root->id)->served);
	/* a worker that was given up adds nothing */
	atomic_store(&vault->writer, 2);
	CHECK(nodes_add(&nodes, root, "cpu1", NODE_DIR, &again) == -ESTALE);
	CHECK(reopen(&later, vault, &some) == 0);
	CHECK(nodes_add(&later, nodes_get(&later, root->id), "cpu1", NODE_DIR, &again) == 0);
	CHECK_U64(again->id, nodes.count + 1);

	/* damage: of a name, of what it points to, of the count */
	root_id = root->id, cpu_id = cpu->id, core_id = core->id;
	later.registry->nodes[cpu_id - 1].name = NODE_NAMES_SIZE;
	CHECK(reopen(&nodes, vault, &some) == 0);
	CHECK(!nodes_get(&nodes, cpu_id) && !nodes_get(&nodes, core_id));
	CHECK_STR(path_of(&nodes, nodes_get(&nodes, again->id)), "/sys/t/cpu1");
	atomic_store(&later.registry->count, UINT32_MAX);
	CHECK(reopen(&nodes, vault, &some) == 0);
	CHECK_U64(nodes.count, later.count);
	CHECK(nodes_add(&nodes, nodes_get(&nodes, root_id), "cpu0", NODE_DIR, &cpu) == 0);
	CHECK_U64(cpu->id, later.count + 1);
	nodes_done(&nodes);
	nodes_done(&later);
	vault_unmap(vault);
	close(fd);
}

#define THREADS 4
#define NAMES	3000

static struct nodes shared;
static uint32_t ids[THREADS][NAMES];

static void *learn(void *arg)
{
	uint32_t *mine = arg;
	const struct node *root = at_path(&shared, "sys", "t"), *node;
	char name[16];

	for (uint32_t i = 0; i < NAMES; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		mine[i] = nodes_add(&shared, root, name, NODE_FILE, &node) == 0 &&
					  !strcmp(node->name, name)
				  ? node->id
				  : 0;
	}
	return NULL;
}

/* Many learn the same names at once: each has one id. */
static void test_threads(void)
{
	struct plugin plugin;
	struct plugins some = tree_of(&plugin, &on);
	pthread_t threads[THREADS];
	uint32_t wrong = 0;
	int fd;
	struct vault_header *vault = new_vault(&fd);

	CHECK(nodes_open(&shared, vault, &some, model) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, learn, ids[i]);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < NAMES; i++)
		for (int k = 0; k < THREADS; k++)
			wrong += ids[k][i] == 0 || ids[k][i] != ids[0][i];
	CHECK_U64(wrong, 0);
	CHECK_U64(shared.count, 3 + NAMES); /* and /, /sys, /sys/t */
	nodes_done(&shared);
	vault_unmap(vault);
	close(fd);
}

/* What was a file is a tree in the next release: the ids stay, and are in the tree. */
static void test_file_becomes_tree(void)
{
	static struct lxcfsd_file file = { .path = "/sys/t/online", .mode = 0444 };
	struct plugin plugin = { .section = &on, .files = &file, .meta.file_count = 1 };
	struct plugins some = { .list = &plugin, .count = 1 };
	struct nodes nodes;
	const struct node *root, *online;
	uint32_t id;
	int fd;
	struct vault_header *vault = new_vault(&fd);

	CHECK(nodes_open(&nodes, vault, &some, model) == 0);
	root = at_path(&nodes, "sys", "t");
	CHECK(root && !root->tree_root);
	id = nodes_lookup(&nodes, root, "online")->id;
	some = tree_of(&plugin, &on);
	CHECK(reopen(&nodes, vault, &some) == 0);
	root = at_path(&nodes, "sys", "t");
	online = nodes_find(&nodes, root, "online", NODE_FILE);
	CHECK(online && online->id == id && online->tree_root == root->id);
	/* and back, while the kernel knows names of the tree */
	CHECK(nodes_add(&nodes, root, "cpu0", NODE_DIR, &online) == 0);
	plugin = (struct plugin){
		.section = &on, .enabled = true, .files = &file, .meta.file_count = 1
	};
	CHECK(reopen(&nodes, vault, &some) == 0);
	root = at_path(&nodes, "sys", "t");
	CHECK(root->tree_root == 0 && nodes_lookup(&nodes, root, "online")->file == &file);
	CHECK(nodes_lookup(&nodes, root, "cpu0") != NULL);
	nodes_done(&nodes);
	vault_unmap(vault);
	close(fd);
}

/* Full, first of names, then of nodes: what is known goes on. */
static void test_full(void)
{
	struct plugin plugin;
	struct plugins some = tree_of(&plugin, &on);
	char name[NODE_NAME_MAX + 1];
	const struct node *root, *node;
	struct nodes nodes;
	uint32_t i = 0;
	int fd, r = 0;
	struct vault_header *vault = new_vault(&fd);

	CHECK(nodes_open(&nodes, vault, &some, model) == 0);
	root = at_path(&nodes, "sys", "t");
	while (r == 0 && i < NODES_MAX) {
		snprintf(name, sizeof(name), "%0200u", i++);
		r = nodes_add(&nodes, root, name, NODE_FILE, &node);
	}
	CHECK(r == -ENOSPC && i < NODES_MAX);
	snprintf(name, sizeof(name), "%0200u", 0);
	CHECK(nodes_add(&nodes, root, name, NODE_FILE, &node) == 0);
	nodes_done(&nodes);
	vault_unmap(vault);
	close(fd);

	vault = new_vault(&fd);
	CHECK(nodes_open(&nodes, vault, &some, model) == 0);
	root = at_path(&nodes, "sys", "t");
	for (i = r = 0; r == 0 && i <= NODES_MAX; i++) {
		snprintf(name, sizeof(name), "%x", i);
		r = nodes_add(&nodes, root, name, NODE_FILE, &node);
	}
	CHECK(r == -ENOSPC);
	CHECK_U64(nodes.count, NODES_MAX);
	CHECK(reopen(&nodes, vault, &some) == 0);
	root = at_path(&nodes, "sys", "t");
	CHECK(nodes_add(&nodes, root, "100", NODE_FILE, &node) == 0);
	CHECK_STR(path_of(&nodes, node), "/sys/t/100");
	CHECK(nodes_add(&nodes, root, "new", NODE_FILE, &node) == -ENOSPC);
	nodes_done(&nodes);
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

static const struct settings settings = { .max_handles = 4,
					  .max_snapshot_kib = 16,
					  .test_snapshots = 1 };

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
	fh = handle_new(&h, 0, 7, NULL, 1, 1000);
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
	CHECK(handle_find(&later, 0, 7, 1000) == fh);
	CHECK(handle_find(&later, 0, 7, 1001) == HANDLE_STATELESS);
	CHECK(handle_find(&later, CONN_INNER, 7, 1000) == HANDLE_STATELESS);
	CHECK(handle_copy(&later, fh, 4, buf, 3, 0) == 3 && !memcmp(buf, "456", 3));
	other = handle_new(&later, 0, 7, NULL, 1, 1002);
	CHECK(other != fh);
	handle_keep(&later, other, text, sizeof(text), 57);
	CHECK(handle_copy(&later, fh, 4, buf, 3, 0) == 3 && !memcmp(buf, "456", 3));
	CHECK(handle_copy(&later, other, 5000, buf, 9000, 0) == 9000 && !memcmp(buf, text, 9000));
	/* the one before was given up: it commits nothing */
	CHECK(handle_new(&h, 0, 7, NULL, 1, 1003) == HANDLE_STATELESS);
	handle_keep(&h, fh, "zzzzzzzzzz", 10, 58);
	CHECK(handle_copy(&later, fh, 4, buf, 3, 0) == 3 && !memcmp(buf, "456", 3));

	handle_free(&later, fh);
	handle_free(&later, fh);
	CHECK(handle_copy(&later, fh, 0, buf, 3, 0) == -ENODATA);
	CHECK(handle_new(&later, 0, 7, NULL, 1, 1004) != fh);
	handles_done(&h);
	handles_done(&later);
	vault_unmap(vault);
	close(fd);
}

/* Files that were open on a connection that is no more. */
static void test_other_connection(void)
{
	static struct handles h, later;
	struct subject *subject;
	uint64_t plain, inner;
	int fd;
	struct vault_header *vault = new_vault(&fd);

	open_handles(&h, vault, 1);
	plain = handle_new(&h, CONN_PLAIN, 7, NULL, 1, 1000);
	inner = handle_new(&h, CONN_INNER, 7, NULL, 1, 1000);
	CHECK(handle_find(&h, CONN_INNER, 7, 1000) == inner);
	vault->conn_serials[CONN_INNER]++;
	open_handles(&later, vault, 2);
	CHECK(handle_subject(&later, plain, 7, &subject));
	CHECK(!handle_subject(&later, inner, 7, &subject));
	handles_done(&h);
	handles_done(&later);
	vault_unmap(vault);
	close(fd);
}

/* Any bytes: it starts, no handle points outside, new ones work. */
static void test_garbage(uint32_t high)
{
	static struct handles h;
	static char buf[4096];
	uint32_t seed = 1;
	int fd;
	struct vault_header *vault = new_vault(&fd);
	struct vault_handles *part = vault_part(vault, VAULT_HANDLES, HANDLES_VERSION, 1);
	struct vault_handle *table = part->table;
	uint64_t fh;

	atomic_store(&part->high, high);
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
	CHECK_U64(h.free_count, high < HANDLES_MAX ? high : HANDLES_MAX);
	for (size_t i = 0; i < SNAPSHOT_PAGES_MAX / 64; i++)
		if (h.pages.map[i])
			CHECK(!"a page is lost");
	fh = handle_new(&h, 0, 7, NULL, 1, 1);
	handle_keep(&h, fh, "fine", 4, 1);
	CHECK(handle_copy(&h, fh, 0, buf, 10, 0) == 4);
	CHECK(handle_copy(&h, fh + 2, 0, buf, 10, 0) == -ENODATA);
	handles_done(&h);
	vault_unmap(vault);
	close(fd);
}

int main(void)
{
	test_vault();
	test_nodes();
	test_tree();
	test_threads();
	test_file_becomes_tree();
	test_full();
	test_absent();
	test_handles();
	test_other_connection();
	test_garbage(2000);
	test_garbage(UINT32_MAX);
	test_garbage(0); /* none of them exists */
	return done_testing();
}
