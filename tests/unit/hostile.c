/* SPDX-License-Identifier: MIT */
/*
 * hostile.c - random bytes in a vault that was in use, then all that a worker does when
 * it takes over, and some of what it does next.  Nothing is read or written beyond the
 * vault (the sanitizers say so), nothing takes long, and what is new works.
 *
 * LXCFSD_TEST_SEEDS: how many; LXCFSD_TEST_SEED: the first one, which is printed.
 */
#include <fcntl.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "fixture.h"

#include "handles.h"
#include "journal.h"
#include "lost.h"
#include "nodes.h"
#include "parts.h"
#include "records.h"
#include "subject.h"
#include "triggers.h"

#define CONTAINERS 40
#define IMAGE_MAX  (32u << 20)

static struct settings settings;
static struct model *model;
static struct vault_header *vault;
static int vault_fd, null_fd;
static uint64_t state;

static struct lxcfsd_file files[] = { { .path = "/proc/a", .mode = 0444 },
				      { .path = "/proc/dir/b", .mode = 0444 } };
static struct plugin_section section = { .name = (char *)"on", .enabled = true };
static struct plugin plugin = {
	.section = &section, .enabled = true, .files = files, .meta.file_count = 2
};
static struct plugins plugins = { .list = &plugin, .count = 1 };

static uint64_t next(void) /* xorshift64* */
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1du;
}

static struct subject *container(unsigned int n)
{
	struct subject *subject = NULL;
	char text[64];
	int len = snprintf(text, sizeof(text), "init %u 1\n:/a/%u\n", n + 2, n);

	if (model_subject_load(model, text, (size_t)len, &subject) < 0)
		fixture_die("subject");
	return subject;
}

/* ------------------------------------------------------------- the image */

static struct extent {
	off_t at;
	size_t len;
	uint8_t *bytes;
} image[4096];
static size_t extents;

static void take_image(void)
{
	off_t at = 0, end;
	size_t total = 0;

	while (extents < 4096 && (at = lseek(vault_fd, at, SEEK_DATA)) >= 0) {
		struct extent *e = &image[extents++];

		end = lseek(vault_fd, at, SEEK_HOLE);
		*e = (struct extent){ at, (size_t)(end - at), malloc((size_t)(end - at)) };
		memcpy(e->bytes, (uint8_t *)vault + at, e->len);
		total += e->len;
		at = end;
	}
	CHECK(total > 0 && total < IMAGE_MAX);
}

static void put_image(void)
{
	if (fallocate(vault_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, VAULT_SIZE) < 0)
		fixture_die("fallocate");
	for (size_t i = 0; i < extents; i++)
		memcpy((uint8_t *)vault + image[i].at, image[i].bytes, image[i].len);
}

/* Where something is, mostly; small numbers as well as large ones. */
static void damage(void)
{
	unsigned int count = 1 + (unsigned int)(next() % 200);

	for (unsigned int i = 0; i < count; i++) {
		const struct extent *e = &image[next() % extents];
		uint8_t *at = (uint8_t *)vault + e->at + next() % e->len / 4 * 4;
		uint64_t value = next() >> next() % 64;
		size_t len = next() % 8 ? 4 : 8;

		if (at + len > (uint8_t *)vault + VAULT_SIZE)
			continue;
		memcpy(at, &value, len);
	}
	atomic_store(&vault->writer, 2);
}

/* ---------------------------------------------------------------- use it */

struct worker {
	struct journal journal;
	struct nodes nodes;
	struct handles handles;
	struct records records;
	struct triggers triggers;
};

static void answer(void *arg, uint32_t conn, void *request, size_t len)
{
	(void)arg;
	if (conn >= VAULT_CONNS || !request_is_sound(request, len))
		CHECK(!"a request that the kernel cannot have sent");
}

static void open_worker(struct worker *w, uint32_t generation)
{
	atomic_store(&vault->writer, generation);
	if (nodes_open(&w->nodes, vault, &plugins, NULL) < 0 ||
	    handles_open(&w->handles, vault, generation, model, &settings) < 0 ||
	    triggers_open(&w->triggers, vault, generation, model, &w->handles) < 0 ||
	    records_open(&w->records, vault, generation) < 0 ||
	    journal_open(&w->journal, vault, generation, true) < 0)
		CHECK(!"a worker takes over");
	for (uint32_t i = 0; i < VAULT_CONNS; i++)
		journal_add(&w->journal, i, null_fd);
}

static void close_worker(struct worker *w)
{
	char *slots = (char *)w->journal.slots;

	if (slots < (char *)vault || slots >= (char *)vault + VAULT_SIZE)
		munmap(slots, sizeof(struct journal_slot) * JOURNAL_SLOTS);
	triggers_done(&w->triggers);
	handles_done(&w->handles);
	records_done(&w->records);
	nodes_done(&w->nodes);
}

/* Every open file that there is. */
static void use_handles(struct handles *h)
{
	static char buf[9000];

	for (uint32_t i = 0; h->part && i < HANDLES_MAX; i++) {
		uint64_t fh = (uint64_t)h->table[i].serial << 32 | i << 1 | 1;
		struct subject *subject = NULL;

		if (atomic_load(&h->table[i].used) != 1)
			continue;
		if (handle_subject(h, fh, h->table[i].node, &subject))
			subject_unref(subject);
		handle_copy(h, fh, next() % 9000, buf, sizeof(buf), 0);
		handle_keep(h, fh, buf, next() % 9000, next());
		if (next() % 2)
			handle_free(h, fh);
	}
}

static void use(struct worker *w)
{
	struct subject *subject;
	const struct node *node;
	struct node_path path;
	char buf[600];

	if (lost_some(&w->journal))
		lost_forget(&w->journal, next() % 2);
	journal_sift(&w->journal);
	journal_replay(&w->journal, 0, answer, NULL);
	for (uint32_t id = 1; id <= w->nodes.count; id++)
		if ((node = nodes_get(&w->nodes, id)))
			nodes_path(&w->nodes, node, &path);
	use_handles(&w->handles);
	for (unsigned int i = 0; i < CONTAINERS; i++) {
		subject = container(i);
		record_read(&w->records, "cpu", 1, subject, buf, sizeof(buf));
		record_write(&w->records, "cpu", 1, subject, buf, 1 + next() % sizeof(buf));
		subject_unref(subject);
	}
}

/* What comes new is as it should be. */
static bool works(struct worker *w)
{
	struct subject *subject = container(CONTAINERS), *got = NULL;
	const struct node *proc = nodes_lookup(&w->nodes, nodes_get(&w->nodes, NODE_ROOT), "proc");
	uint64_t fh = handle_new(&w->handles, CONN_PLAIN, 2, subject, 1, 77);
	char buf[8] = "";
	bool ok = proc && nodes_lookup(&w->nodes, proc, "a");

	if (w->handles.part) {
		handle_keep(&w->handles, fh, "whole", 5, 1);
		ok = ok && handle_copy(&w->handles, fh, 0, buf, sizeof(buf), 0) == 5;
		ok = ok && handle_subject(&w->handles, fh, 2, &got) && got == subject;
	}
	if (w->records.part) {
		ok = ok && record_write(&w->records, "new", 1, subject, "value", 6);
		ok = ok && record_read(&w->records, "new", 1, subject, buf, sizeof(buf)) == 6;
	}
	subject_unref(got);
	subject_unref(subject);
	return ok && strcmp(w->records.part ? buf : "value", "value") == 0;
}

static void fill_journal(void)
{
	struct journal_slot *slots = vault_part(vault, VAULT_JOURNAL, JOURNAL_VERSION, 1);
	struct fuse_read_in in = { .fh = 1, .size = 4096 };
	struct fuse_in_header head = { .len = sizeof(head) + sizeof(in),
				       .opcode = FUSE_READ,
				       .nodeid = 2 };

	for (unsigned int i = 0; i < 12; i++) {
		atomic_store(&slots[i].owner, 1);
		head.unique = i % 3 ? 1000 + 2 * i : 0;
		memcpy(slots[i].buf, &head, sizeof(head));
		memcpy(slots[i].buf + sizeof(head), &in, sizeof(in));
	}
}

static void fill_vault(struct worker *w)
{
	struct vault_trigger *trigger;
	static char text[6000];

	open_worker(w, 1);
	memset(text, 'x', sizeof(text));
	for (unsigned int i = 0; i < CONTAINERS; i++) {
		struct subject *subject = container(i);
		uint64_t fh = handle_new(&w->handles, CONN_PLAIN, 2, subject, 1, 2 * i);

		handle_keep(&w->handles, fh, text, 100 * i, 1);
		record_write(&w->records, "cpu", 1, subject, text, 10 + 10 * i);
		trigger = &w->triggers.saved[i];
		*trigger = (struct vault_trigger){ .node = 2,
						   .threshold_us = 1000,
						   .window_us = 2000000 };
		atomic_store(&trigger->fh, fh);
		subject_unref(subject);
	}
	fill_journal();
	atomic_store(&vault->dead, 1);
	close_worker(w);
}

static uint64_t from_environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

static void test_seeds(void)
{
	uint64_t count =
		from_environment("LXCFSD_TEST_SEEDS", getenv("LXCFSD_TEST_LONG") ? 20000 : 300);
	uint64_t first = from_environment("LXCFSD_TEST_SEED", (uint64_t)time(NULL) * 100000);
	static struct worker w;
	uint64_t seed, bad = 0;

	printf("# LXCFSD_TEST_SEED=%" PRIu64 "\n", first);
	fill_vault(&w);
	take_image();
	for (seed = first; seed < first + count && bad == 0; seed++) {
		state = seed * 2654435761u + 1;
		put_image();
		damage();
		open_worker(&w, 2);
		use(&w);
		bad += !works(&w);
		close_worker(&w);
		open_worker(&w, 3); /* what was dropped is gone for good */
		bad += !works(&w);
		close_worker(&w);
	}
	if (bad)
		printf("# LXCFSD_TEST_SEED=%" PRIu64 " is a bad one\n", seed - 1);
	CHECK_U64(bad, 0);
}

/* Containers that take all they can leave something for the next. */
static void test_share(void)
{
	static struct worker w;
	unsigned int stateless = 0;

	if (fallocate(vault_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20,
		      VAULT_SIZE - (1 << 20)) < 0)
		fixture_die("fallocate");
	open_worker(&w, 1);
	for (unsigned int i = 0; i < 200; i++) {
		struct subject *subject = container(i);

		for (unsigned int k = 0; k < 2000; k++)
			stateless += handle_new(&w.handles, CONN_PLAIN, 2, subject, 1, k) ==
				     HANDLE_STATELESS;
		subject_unref(subject);
	}
	CHECK(stateless >= 200 * 976);
	for (unsigned int i = 200; i < 210; i++) {
		struct subject *subject = container(i);

		CHECK(handle_new(&w.handles, CONN_PLAIN, 2, subject, 1, 0) != HANDLE_STATELESS);
		subject_unref(subject);
	}
	close_worker(&w);
}

int main(void)
{
	fixture_v2();
	settings = fixture_settings();
	settings.max_handles = 1024;
	settings.max_snapshot_kib = 4096;
	settings.test_snapshots = 1;
	model = fixture_model(&settings);
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (vault_create(&vault_fd, &vault) < 0)
		return 1;
	test_share();
	if (fallocate(vault_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 1 << 20,
		      VAULT_SIZE - (1 << 20)) < 0)
		return 1;
	if (!freopen("/dev/null", "w", stderr)) /* each seed says what it dropped */
		return 1;
	test_seeds();
	return done_testing();
}
