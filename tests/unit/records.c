/* SPDX-License-Identifier: MIT */
/* records - what is kept for a container outlives workers, and a damaged vault. */
#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "fixture.h"
#include "records.h"
#include "subject.h"

static struct settings settings;
static struct model *model;
static struct records records;
static struct vault_header *vault;
static int vault_fd;

static struct subject *container(unsigned int n)
{
	struct subject *subject = NULL;
	char text[64];
	int len = snprintf(text, sizeof(text), "init %u 1\n:/a/b\n", n + 1);

	if (model_subject_load(model, text, (size_t)len, &subject) < 0)
		fixture_die("subject");
	return subject;
}

/* As the next worker finds it. */
static void next_worker(uint32_t generation)
{
	records_done(&records);
	atomic_store(&vault->writer, generation);
	CHECK(records_open(&records, vault, generation) == 0);
}

static bool put(unsigned int n, const char *text)
{
	struct subject *subject = container(n);
	bool kept = record_write(&records, "test", 1, subject, text, strlen(text) + 1);

	subject_unref(subject);
	return kept;
}

static const char *got(unsigned int n)
{
	static char buf[8192];
	struct subject *subject = container(n);
	ssize_t len = record_read(&records, "test", 1, subject, buf, sizeof(buf));

	subject_unref(subject);
	return len < 0 ? NULL : buf;
}

static struct vault_record *entry_of(unsigned int n)
{
	struct subject *subject = container(n);
	struct vault_record *found = NULL;

	for (uint32_t i = 0; i < RECORDS_MAX; i++)
		if (atomic_load(&records.part->table[i].used) &&
		    records.part->table[i].subject == subject_id(subject))
			found = &records.part->table[i];
	subject_unref(subject);
	return found;
}

static void test_plain(void)
{
	struct subject *one = container(1);
	char buf[8];

	CHECK(got(1) == NULL);
	CHECK(put(1, "first"));
	CHECK_STR(got(1), "first");
	CHECK(put(1, "second") && put(2, "other"));
	CHECK_STR(got(1), "second");
	CHECK_STR(got(2), "other");
	/* another owner, another version, too little room */
	CHECK(record_read(&records, "other", 1, one, buf, sizeof(buf)) == -ENOENT);
	CHECK(record_read(&records, "test", 2, one, buf, sizeof(buf)) == -ENOENT);
	CHECK(record_read(&records, "test", 1, one, buf, 3) == -ENOENT);
	CHECK(!record_write(&records, "a name with 17 by", 1, one, buf, 8));
	CHECK(!record_write(&records, "test", 1, one, buf, 0));
	next_worker(2);
	CHECK_STR(got(1), "second");
	CHECK_STR(got(2), "other");
	CHECK(record_write(&records, "test", 2, one, "new", 4));
	CHECK(got(1) == NULL);
	CHECK(record_read(&records, "test", 2, one, buf, sizeof(buf)) == 4);
	/* given up by the keeper */
	atomic_store(&vault->writer, 3);
	CHECK(!put(2, "late"));
	next_worker(3);
	CHECK_STR(got(2), "other");
	subject_unref(one);
}

/* A worker that dies while it writes leaves what was there. */
static void test_crash(void)
{
	struct vault_record *entry;
	uint32_t other;

	CHECK(put(3, "before"));
	entry = entry_of(3);
	other = ~atomic_load(&entry->turn) & 1;
	entry->len[other] = 4711;
	memset(records.part->arena + ((size_t)entry->block + other * entry->blocks) * RECORD_BLOCK,
	       0xa5, 100);
	next_worker(4);
	CHECK_STR(got(3), "before");
	/* an entry that was not yet committed */
	entry = entry_of(3);
	atomic_store(&entry->used, 0);
	next_worker(5);
	CHECK(got(3) == NULL);
	CHECK(put(3, "after"));
	CHECK_STR(got(3), "after");
}

static void test_growth(void)
{
	char text[6000];

	for (size_t len = 1; len < sizeof(text); len += 500) {
		memset(text, 'x', len);
		text[len] = '\0';
		CHECK(put(4, text));
		CHECK_STR(got(4), text);
	}
	CHECK_STR(got(3), "after");
}

static void test_damage(void)
{
	struct vault_record *entry, *twin = &records.part->table[RECORDS_MAX - 1];

	CHECK(put(5, "five") && put(6, "six") && put(7, "seven") && put(8, "eight"));
	entry = entry_of(5);
	records.part
		->arena[(size_t)(entry->block + (atomic_load(&entry->turn) & 1) * entry->blocks) *
			RECORD_BLOCK] ^= 1;
	entry_of(6)->blocks = UINT32_MAX;
	entry_of(7)->block = entry_of(8)->block;
	*twin = *entry_of(8); /* two claim one place */
	atomic_store(&records.part->high, UINT32_MAX);
	next_worker(6);
	CHECK(got(5) == NULL && got(6) == NULL);
	CHECK(got(7) == NULL); /* never what is another container's */
	CHECK(put(5, "again") && put(6, "again") && put(7, "again") && put(8, "again"));
	CHECK_STR(got(5), "again");
	/* anything at all */
	for (unsigned int seed = 1; seed < 4; seed++) {
		uint8_t *at = (uint8_t *)records.part;

		srand(seed);
		for (size_t i = 0; i < (1 << 20) + 8192; i++)
			at[i] = (uint8_t)(seed == 3 ? 1 : rand());
		next_worker(6 + seed);
		CHECK(put(9, "works"));
		CHECK_STR(got(9), "works");
	}
}

/* More containers than there is room for: the longest unused one goes. */
static void test_full(void)
{
	char text[200];

	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memset(records.part, 0, 4096 + sizeof(records.part->table));
	next_worker(20);
	for (unsigned int n = 0; n < RECORDS_MAX + 100; n++)
		if (!put(n, text))
			CHECK(!"kept");
	CHECK(got(0) == NULL && got(99) == NULL);
	CHECK_STR(got(100), text);
	CHECK_STR(got(RECORDS_MAX + 99), text);
	next_worker(21);
	CHECK_STR(got(RECORDS_MAX + 99), text);
}

/* Nanoseconds since what is in /a/b began, for a new worker. */
static uint64_t age(void)
{
	struct lxcfsd_services svc = { 0 };
	struct lxcfsd_request req;
	struct subject *subject;
	struct model *fresh = fixture_model(&settings);
	uint64_t value = 4711;

	model_services(&svc);
	model_set_records(fresh, &records);
	if (model_subject_load(fresh, "init 0 0\n:/a/b\n", 15, &subject) < 0)
		fixture_die("subject");
	request_begin(&req, fresh, subject, 0);
	CHECK(svc.age_ns(&req, &value) == 0);
	request_end(&req);
	subject_unref(subject);
	model_free(fresh);
	return value;
}

/* A container whose oldest process ends is not younger to the next worker. */
static void test_age(void)
{
	char from[2 * PATH_MAX], to[2 * PATH_MAX];

	fixture_file("/clock", "100000000000 1700000000000000000\n");
	fixture_process(60, 1, "60", 100, "old", 1000, "0::/a/b\n");
	fixture_process(61, 1, "61", 100, "young", 9000, "0::/a/b\n");
	fixture_file("/sys/fs/cgroup/a/b/cgroup.procs", "60\n61\n");
	CHECK_U64(age(), 90000000000);
	fixture_file("/sys/fs/cgroup/a/b/cgroup.procs", "61\n");
	next_worker(30);
	CHECK_U64(age(), 90000000000);
	/* another cgroup of that name is another container */
	snprintf(from, sizeof(from), "%s/sys/fs/cgroup/a/b", fixture_root);
	snprintf(to, sizeof(to), "%s/sys/fs/cgroup/a/gone", fixture_root);
	CHECK(rename(from, to) == 0);
	fixture_file("/sys/fs/cgroup/a/b/cgroup.procs", "61\n");
	CHECK_U64(age(), 10000000000);
}

int main(void)
{
	fixture_v2();
	fixture_file("/sys/fs/cgroup/a/b/memory.max", "max\n");
	settings = fixture_settings();
	model = fixture_model(&settings);
	CHECK(vault_create(&vault_fd, &vault) == 0);
	CHECK(vault->secret != 0);
	next_worker(1);
	test_plain();
	test_crash();
	test_growth();
	test_damage();
	test_full();
	test_age();
	records_done(&records);
	model_free(model);
	vault_unmap(vault);
	close(vault_fd);
	return done_testing();
}
