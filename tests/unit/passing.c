/* SPDX-License-Identifier: MIT */
/* passing.c - nodes that come and go, also after a crash that left anything in them. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"

#include "passing.h"

static struct plugin_section on = { .name = (char *)"on", .enabled = true };
static struct lxcfsd_tree tree = { .path = "/t" };

static struct vault_header *vault;
static struct nodes nodes;
static struct plugin plugin;
static struct plugins some;
static const struct node *root;

/* What the next worker finds. */
static void take_over(void)
{
	static uint32_t generation;

	plugin = (struct plugin){
		.section = &on, .enabled = true, .trees = &tree, .meta.tree_count = 1
	};
	some = (struct plugins){ .list = &plugin, .count = 1 };
	atomic_store(&vault->writer, ++generation);
	CHECK(nodes_open(&nodes, vault, &some, NULL) == 0);
	root = nodes_lookup(&nodes, nodes_get(&nodes, NODE_ROOT), "t");
	CHECK(root && root->tree == &tree);
}

static void begin(int *ret_fd)
{
	if (vault_create(ret_fd, &vault) < 0)
		exit(1);
	take_over();
}

static void end(int fd)
{
	nodes_done(&nodes);
	vault_unmap(vault);
	close(fd);
}

static uint64_t unique;

static const struct node *look_up(const struct node *parent, const char *name, uint64_t object)
{
	const struct passing_find find = { .parent = parent,
					   .name = name,
					   .type = NODE_DIR,
					   .object = object,
					   .owner = object % 7,
					   .unique = unique += 2 };
	const struct node *node = NULL;

	return passing_add(&nodes, &find, &node) == 0 ? node : NULL;
}

static const char *path_of(const struct node *node)
{
	static struct node_path buf;

	return node ? nodes_path(&nodes, node, &buf) : "none";
}

static void test_counts(void)
{
	const struct node *a, *b, *c;
	uint64_t number;
	int fd;

	begin(&fd);
	a = look_up(root, "a", 1);
	b = look_up(a, "b", 2);
	CHECK(a && b && a->tree_root == root->id);
	CHECK_STR(path_of(b), "/t/a/b");
	CHECK(nodes_get(&nodes, node_number(b)) == b && !nodes_get(&nodes, b->id));
	/* found again: counted twice; another thing of the same name: another node */
	CHECK(look_up(root, "a", 1) == a);
	CHECK((c = look_up(root, "a", 3)) && c != a);
	number = node_number(c);
	passing_forget(&nodes, number, 1);
	CHECK(!nodes_get(&nodes, number));
	passing_forget(&nodes, number, 1);
	passing_forget(&nodes, node_number(a), 1);
	CHECK(nodes_get(&nodes, node_number(a)) == a);
	/* its place is given again, its number is not */
	CHECK((c = look_up(root, "c", 3)) && (uint32_t)number == c->id && node_number(c) != number);
	CHECK(!nodes_get(&nodes, number));
	/* more than there are, of one that is not, of what is for ever */
	passing_forget(&nodes, node_number(c), UINT64_MAX);
	passing_forget(&nodes, UINT64_MAX, 1);
	passing_forget(&nodes, root->id, 1);
	CHECK(nodes_get(&nodes, root->id) == root);
	/* what is above it has passed: so has it */
	number = node_number(b);
	passing_forget(&nodes, node_number(a), 1);
	CHECK(!nodes_get(&nodes, number));
	passing_forget(&nodes, number, 1);
	CHECK_U64(nodes.passing.free_count, atomic_load(&nodes.passing.part->high));
	end(fd);
}

static void test_next_worker(void)
{
	struct passing_find find = { .name = "r", .type = NODE_DIR, .unique = 1001 };
	const struct node *a, *b, *r;
	uint64_t of_a, of_b;
	int fd;

	begin(&fd);
	a = look_up(root, "a", 1);
	of_a = node_number(a);
	of_b = node_number(look_up(a, "b", 2));
	find.parent = root;
	CHECK(passing_add(&nodes, &find, &r) == 0);
	nodes_done(&nodes);
	take_over();
	a = nodes_get(&nodes, of_a);
	b = nodes_get(&nodes, of_b);
	CHECK_STR(path_of(b), "/t/a/b");
	CHECK(a && a->tree_root == root->id && look_up(root, "a", 1) == a);
	/* a LOOKUP that the one before had counted and not answered is counted once */
	find.parent = root;
	find.replay = true;
	CHECK(passing_add(&nodes, &find, &r) == 0);
	passing_forget(&nodes, node_number(r), 1);
	CHECK(!nodes_get(&nodes, node_number(r)));
	/* two at a time, on one node */
	find.replay = false;
	for (find.unique = 2001; find.unique < 2005; find.unique += 2)
		CHECK(passing_add(&nodes, &find, &r) == 0);
	nodes_done(&nodes);
	take_over();
	find.parent = root;
	find.replay = true;
	for (find.unique = 2001; find.unique < 2005; find.unique += 2)
		CHECK(passing_add(&nodes, &find, &r) == 0);
	of_a = node_number(r);
	passing_forget(&nodes, of_a, 1);
	CHECK(nodes_get(&nodes, of_a));
	passing_forget(&nodes, of_a, 1);
	CHECK(!nodes_get(&nodes, of_a));
	/* one that was given up counts nothing */
	atomic_store(&vault->writer, 77);
	CHECK(passing_add(&nodes, &find, &r) == -ESTALE);
	passing_forget(&nodes, of_b, 1);
	CHECK(nodes_get(&nodes, of_b));
	end(fd);
}

/* A thread that is late finds what it had, whatever the kernel has forgotten. */
static void test_pins(void)
{
	const struct node *a, *b;
	uint64_t of_a, of_b;
	int fd;

	begin(&fd);
	a = look_up(root, "a", 1);
	of_a = node_number(a);
	b = look_up(a, "b", 2);
	of_b = node_number(b);
	CHECK(!passing_pinned(&nodes, of_b));
	CHECK(passing_pin(&nodes, of_b) == b && passing_pinned(&nodes, of_b) == b);
	passing_forget(&nodes, of_b, 1);
	passing_forget(&nodes, of_a, 1);
	CHECK(!nodes_get(&nodes, of_a) && passing_pinned(&nodes, of_b) == b);
	CHECK(b->tree_root == root->id);
	/* nothing new in what has passed */
	CHECK(!look_up(b, "c", 3));
	passing_unpin(&nodes, of_b);
	CHECK(!passing_pinned(&nodes, of_b) && !nodes_get(&nodes, of_b));
	CHECK(!passing_pin(&nodes, of_b));
	passing_unpin(&nodes, of_b);
	CHECK_U64(nodes.passing.free_count, atomic_load(&nodes.passing.part->high));
	end(fd);
}

static void test_share(void)
{
	struct passing_find find = { .type = NODE_FILE, .owner = 5 };
	const struct node *node;
	unsigned int many = 0;
	char name[32];
	int fd, r = 0;

	begin(&fd);
	find.parent = root;
	find.name = name;
	for (; r == 0; many++) {
		snprintf(name, sizeof(name), "n%u", many);
		r = passing_add(&nodes, &find, &node);
	}
	CHECK(r == -ENFILE && many - 1 == PASSING_MAX / 16);
	find.owner = 6;
	CHECK(passing_add(&nodes, &find, &node) == 0);
	end(fd);
}

/* Any bytes: it starts, no node leads outside, new ones work. */
static void test_garbage(uint32_t high, bool plausible)
{
	struct vault_passing *table;
	const struct node *node;
	uint32_t seed = 1, top;
	int fd;

	begin(&fd);
	top = root->id;
	table = nodes.passing.part->table;
	nodes_done(&nodes);
	for (uint32_t i = 0; i < 3000; i++) {
		uint8_t *bytes = (uint8_t *)&table[i];

		for (size_t k = 0; k < sizeof(table[i]); k++)
			bytes[k] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
		atomic_store(&table[i].used, 1);
		if (!plausible)
			continue;
		table[i].type = i % 5 ? NODE_DIR : NODE_FILE;
		table[i].account %= 5000;
		table[i].name[i % 250 + 1] = '\0';
		table[i].serial = i + 1;
		table[i].parent = i % 3 ? NODES_MAX + 1 + table[i].parent % 3000 : top;
		table[i].parent_serial = i % 3 ? table[i].parent - NODES_MAX : 0;
	}
	atomic_store(&((struct vault_passings *)(void *)table)->high, high);
	take_over();
	for (uint64_t i = 0; i < 3000; i++) {
		node = nodes_get(&nodes, (uint64_t)table[i].serial << 32 | (NODES_MAX + 1 + i));
		if (node && strncmp(path_of(node), "/t/", 3) != 0)
			CHECK(!"it is outside");
	}
	node = look_up(look_up(root, "new", 1), "one", 2);
	CHECK_STR(path_of(node), "/t/new/one");
	for (uint64_t i = 0; i < 3000; i++)
		passing_forget(&nodes, (uint64_t)table[i].serial << 32 | (NODES_MAX + 1 + i),
			       UINT64_MAX);
	CHECK_U64(nodes.passing.free_count, atomic_load(&nodes.passing.part->high));
	end(fd);
}

/* In a container's root is what there is for all. */
static void test_roots(void)
{
	static const struct {
		const char *name;
		uint64_t object;
	} wrong[] = { { "017", 17 }, { "18", 19 }, { "x", 17 }, { "0", 0 } };
	const struct node *roots, *own, *other, *top, *below;
	struct vault_passing *table;
	uint32_t place = 0, count = 0;
	char name[PASSING_NUMBER_MAX];
	uint64_t numbers[3];
	int fd;

	begin(&fd);
	CHECK(nodes.roots == 0 &&
	      !nodes_lookup(&nodes, nodes_get(&nodes, NODE_ROOT), "containers"));
	CHECK(nodes_open_roots(&nodes) == 0);
	roots = nodes_lookup(&nodes, nodes_get(&nodes, NODE_ROOT), "containers");
	CHECK(roots && roots->id == nodes.roots && roots->mode == 0700);
	own = look_up(roots, "17", 17);
	other = look_up(roots, "18", 18);
	top = look_up(own, "t", 0);
	below = look_up(top, "x", 5);
	CHECK(own && own->container == 17 && own->like->id == NODE_ROOT && !own->tree_root);
	CHECK(top && top->container == 17 && top->like == root && top->tree_top);
	CHECK(below && below->container == 17 && below->tree_root == root->id && !below->tree_top);
	CHECK_STR(path_of(own), "");
	CHECK_STR(path_of(top), "/t");
	CHECK_STR(path_of(below), "/t/x");
	CHECK(node_for_all(top) == root && !node_for_all(below));
	CHECK(!look_up(own, "no-such-thing", 0));
	CHECK((below = look_up(top, "x", 5)) && look_up(look_up(other, "t", 0), "x", 5) != below);
	while (passing_next(&nodes, roots, &place, name))
		count += !strcmp(name, "17") || !strcmp(name, "18");
	CHECK_U64(count, 2);
	numbers[0] = node_number(own);
	numbers[1] = node_number(top);
	numbers[2] = node_number(below);
	/* the next worker, after a crash that left some that are none */
	table = nodes.passing.part->table;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct vault_passing *kept = &table[100 + i];

		*kept = table[own->id - 1 - NODES_MAX];
		snprintf(kept->name, sizeof(kept->name), "%s", wrong[i].name);
		kept->object = wrong[i].object;
	}
	table[104] = table[top->id - 1 - NODES_MAX];
	table[104].type = NODE_FILE; /* it is none */
	atomic_store(&nodes.passing.part->high, 105);
	nodes_done(&nodes);
	take_over();
	CHECK(nodes.roots != 0);
	own = nodes_get(&nodes, numbers[0]);
	top = nodes_get(&nodes, numbers[1]);
	below = nodes_get(&nodes, numbers[2]);
	CHECK(own && own->container == 17 && top && top->like == root && top->tree_top);
	CHECK(below && below->container == 17 && below->object == 5);
	CHECK_STR(path_of(below), "/t/x");
	for (uint32_t i = 100; i < 105; i++)
		CHECK(!nodes.list[NODES_MAX + i].id);
	end(fd);
}

int main(void)
{
	test_roots();
	test_counts();
	test_next_worker();
	test_pins();
	test_share();
	test_garbage(3000, false);
	test_garbage(3000, true);
	test_garbage(UINT32_MAX, true);
	test_garbage(0, true);
	return done_testing();
}
