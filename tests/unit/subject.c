/* SPDX-License-Identifier: MIT */
/* subject - equal ones are one, saved and loaded, hostile bytes refused. */
#include <pthread.h>

#include "check.h"
#include "fixture.h"

static struct settings settings;
static struct model *model;

static struct subject *by_path(const char *path)
{
	struct subject *subject = NULL;

	return model_subject_by_path(model, path, &subject) < 0 ? NULL : subject;
}

static int load(const char *bytes, size_t len)
{
	struct subject *subject = NULL;
	int r = model_subject_load(model, bytes, len, &subject);

	subject_unref(subject);
	return r;
}
#define LOAD(text) load(text, sizeof(text) - 1)

static void test_equal(void)
{
	struct subject *a, *b, *c;

	fixture_hybrid();
	fixture_dir("/sys/fs/cgroup/memory/x");
	fixture_dir("/sys/fs/cgroup/memory/y");
	settings = fixture_settings();
	model = fixture_model(&settings);
	a = by_path("/x");
	b = by_path("/x");
	c = by_path("/y");
	CHECK(a && a == b && a != c);
	CHECK(subject_id(a) != 0 && subject_id(a) != subject_id(c));
	CHECK_STR(subject_name(a), "/x");
	CHECK(by_path("x") == NULL);
	CHECK(by_path("/none") == NULL);
	CHECK(!subject_is_root(a, 0));
	CHECK(!subject_is_root(a, LXCFSD_MEMORY));
	CHECK(subject_is_root(a, LXCFSD_CPU));
	CHECK(!subject_is_root(a, LXCFSD_CPU | LXCFSD_MEMORY));
	/* nobody carries it: all decide */
	CHECK(!subject_is_root(a, LXCFSD_HUGETLB));
	subject_unref(subject_ref(a));
	subject_unref(a);
	subject_unref(b);
	subject_unref(c);
	a = by_path("/");
	CHECK(subject_is_root(a, 0));
	subject_unref(a);
	model_free(model);
}

static unsigned int match_of(const char *bytes, size_t len)
{
	struct subject *subject = NULL;
	unsigned int match = 99;

	if (model_subject_load(model, bytes, len, &subject) == 0)
		match = subject_match(subject);
	subject_unref(subject);
	return match;
}
#define MATCH(text) match_of(text, sizeof(text) - 1)

/* The first [match] section counts; which hierarchy's path it is asked for. */
static void test_match(void)
{
	static char a[] = "/a/*", b[] = "/*/b", all[] = "/**";
	struct match_section matches[] = { { .cgroup = a }, { .cgroup = b }, { .cgroup = all } };
	struct config config = { .matches = matches, .match_count = 2 };

	fixture_v2();
	model = fixture_model(&settings);
	CHECK_U64(MATCH("init 0 0\n:/a/b\n"), 0); /* there are none */
	model_use_matches(model, &config);
	/* what is known already does not change under a worker */
	CHECK_U64(MATCH("init 0 0\n:/a/b\n"), 0);
	CHECK_U64(MATCH("init 1 0\n:/a/b\n"), 1);
	CHECK_U64(MATCH("init 0 0\n:/x/b\n"), 2);
	CHECK_U64(MATCH("init 0 0\n:/x\n"), 0);
	CHECK_U64(MATCH("init 0 0\n:/\n"), 0);
	config.match_count = 3;
	CHECK_U64(MATCH("init 1 0\n:/x\n"), 3);
	CHECK_U64(MATCH("init 1 0\n"), 0); /* no path, so nothing fits */
	model_free(model);

	config.match_count = 2;
	fixture_v1();
	model = fixture_model(&settings);
	model_use_matches(model, &config);
	CHECK_U64(MATCH("init 0 0\ncpu,cpuacct:/a/b\nmemory:/x/b\n"), 2);
	CHECK_U64(MATCH("init 0 0\ncpu,cpuacct:/a/b\n"), 0);
	model_free(model);

	/* cgroup2 with a controller: its path, unless that is everybody's */
	fixture_hybrid();
	model = fixture_model(&settings);
	model_use_matches(model, &config);
	CHECK_U64(MATCH("init 0 0\nmemory:/x/b\n:/a/b\n"), 1);
	CHECK_U64(MATCH("init 0 0\nmemory:/x/b\n:/\n"), 2);
	CHECK_U64(MATCH("init 0 0\nmemory:/x/b\n"), 2);
	model_free(model);
	/* without one it is only for processes */
	fixture_file("/sys/fs/cgroup/unified/cgroup.controllers", "\n");
	model = fixture_model(&settings);
	model_use_matches(model, &config);
	CHECK_U64(MATCH("init 0 0\nmemory:/x/b\n:/a/b\n"), 2);
	model_free(model);
}

static void test_round_trip(void)
{
	struct subject *a, *b = NULL;
	char buf[8192];
	size_t len = 0;

	fixture_v2();
	fixture_dir("/sys/fs/cgroup/a b/%n\\x");
	model = fixture_model(&settings);
	a = by_path("/a b/%n\\x");
	CHECK(subject_save(a, buf, 5, &len) == -ENOSPC && len == 0);
	CHECK(subject_save(a, buf, sizeof(buf), &len) == 0);
	CHECK(model_subject_load(model, buf, len, &b) == 0);
	CHECK(a == b);
	subject_unref(b);
	/* cut anywhere: refused, or at least not the same */
	for (size_t cut = 0; cut < len; cut++) {
		b = NULL;
		if (model_subject_load(model, buf, cut, &b) == 0 && b == a)
			CHECK(!"a part counts as the whole");
		subject_unref(b);
	}
	/* another worker: the same id */
	{
		struct model *other = fixture_model(&settings);

		CHECK(model_subject_load(other, buf, len, &b) == 0);
		CHECK_U64(subject_id(b), subject_id(a));
		subject_unref(b);
		model_free(other);
	}
	subject_unref(a);
	model_free(model);
}

static void test_hostile(void)
{
	char buf[9000];
	uint32_t seed = 1;

	model = fixture_model(&settings);
	CHECK(LOAD("init 0 0\n:/x\n") == 0);
	CHECK(LOAD("init 0 0\nmemory:/x\n") == 0); /* a hierarchy we do not have */
	CHECK(LOAD("") == -EINVAL);
	CHECK(LOAD("init 0 0") == -EINVAL);
	CHECK(LOAD("init 0\n") == -EINVAL);
	CHECK(LOAD("init 0 0 0\n") == -EINVAL);
	CHECK(LOAD("init -1 0\n") == -EINVAL);
	CHECK(LOAD("init 2147483648 0\n") == -EINVAL);
	CHECK(LOAD("init 0 99999999999999999999\n") == -EINVAL);
	CHECK(LOAD("x 0 0\n:/x\n") == -EINVAL);
	CHECK(LOAD("init 0 0\n:x\n") == -EINVAL);
	CHECK(LOAD("init 0 0\n:/x/../y\n") == -EINVAL);
	CHECK(LOAD("init 0 0\n:/x/\n") == -EINVAL);
	CHECK(LOAD("init 0 0\n:/x\0y\n") == -EINVAL);
	CHECK(LOAD("init 0 0\n:/x\n:/y\n") == -EINVAL);
	CHECK(LOAD("init 0 0\n\n") == -EINVAL);
	CHECK(LOAD("init 0 0\nno colon\n") == -EINVAL);
	CHECK(LOAD("init 0 0\n:\n") == -EINVAL);
	memset(buf, 'a', sizeof(buf));
	memcpy(buf, "init 0 0\n:/", 11);
	buf[sizeof(buf) - 1] = '\n';
	CHECK(load(buf, sizeof(buf)) == -EINVAL);
	buf[7999] = '\n';
	CHECK(load(buf, 8000) == -EINVAL); /* longer than any path */
	for (int i = 0; i < 20000; i++) {
		size_t len = (size_t)i % 64;

		memcpy(buf, "init 0 0\n:/x/y\n", 15);
		for (size_t at = (size_t)i % 15; at < len; at++) {
			seed = seed * 1664525 + 1013904223;
			buf[at] = "init 0\n:/.x\0\xff"[(seed >> 16) % 13];
		}
		load(buf, len);
	}
	CHECK(model_busy(model));
	model_free(model);
}

/* ---- many threads at once ---- */

static void *hammer(void *seed_arg)
{
	unsigned int seed = *(unsigned int *)seed_arg;
	struct lxcfsd_services svc;
	unsigned long bad = 0;

	model_services(&svc);
	for (int i = 0; i < 300; i++) {
		unsigned int n = (seed * 7 + (unsigned int)i) % 20;
		struct lxcfsd_request req;
		struct subject *subject;
		struct lxcfsd_text text;
		struct lxcfsd_cpus cpus;
		const struct lxcfsd_key key = { "anon", NULL };
		uint64_t value, stat, age;

		if (model_resolve(model, (pid_t)(1000 + n), &subject) != 0) {
			bad++;
			continue;
		}
		request_begin(&req, model, subject, 0);
		if (svc.limit(&req, LXCFSD_MEM_MAX, &value) != 0 || value != 100 + n ||
		    svc.stat(&req, LXCFSD_MEMORY_STAT, &key, 1, &stat) != 0 || stat != n ||
		    svc.cpus(&req, &cpus) != 0 || cpus.count != 8 ||
		    svc.host_file(&req, "/proc/some", &text) != 0 || text.len != 5 ||
		    svc.age_ns(&req, &age) != 0)
			bad++;
		request_end(&req);
		subject_unref(subject);
		if (i % 50 == 0)
			model_tidy(model);
	}
	return bad ? seed_arg : NULL;
}

static void test_threads(uint64_t max_fds, uint64_t cache_ms)
{
	pthread_t threads[16];
	unsigned int seeds[16];
	char path[128], text[128], ids[32];
	bool good = true;

	fixture_v2();
	fixture_file("/proc/some", "bytes");
	fixture_process(1, 0, "1", 100, "init", 1, "0::/\n");
	for (unsigned int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup/c/c%u/memory.max", i);
		fixture_file(path, "%u\n", 100 + i);
		snprintf(path, sizeof(path), "/sys/fs/cgroup/c/c%u/memory.stat", i);
		fixture_file(path, "file 4\nanon %u\n", i);
		snprintf(text, sizeof(text), "0::/c/c%u\n", i);
		snprintf(ids, sizeof(ids), "%u 1", 1000 + i);
		fixture_process((int)(1000 + i), 1, ids, 200 + i, "init", i, text);
	}
	settings = fixture_settings();
	settings.max_fds = max_fds;
	settings.cache_ms = cache_ms;
	model = fixture_model(&settings);
	for (unsigned int i = 0; i < 16; i++) {
		seeds[i] = i;
		pthread_create(&threads[i], NULL, hammer, &seeds[i]);
	}
	for (unsigned int i = 0; i < 16; i++) {
		void *bad;

		pthread_join(threads[i], &bad);
		good = good && !bad;
	}
	CHECK(good);
	model_free(model);
}

int main(void)
{
	test_equal();
	test_match();
	test_round_trip();
	test_hostile();
	test_threads(4096, 50);
	test_threads(8, 0);
	test_threads(8, 1);
	return done_testing();
}
