/* SPDX-License-Identifier: MIT */
/* lastgood - what was kept of a subject and file, an empty text among it. */
#include "check.h"
#include "fixture.h"

#include "io.h"
#include "lastgood.h"

/* Like a worker's: never freed. */
static struct lastgood *lg = NULL;
static struct model *model;

int main(void)
{
	const struct settings settings = fixture_settings();
	struct draw_buf buf = { .data = malloc(64), .cap = 64 };
	struct subject *a = NULL, *b = NULL;
	const uint64_t now = io_now_ns();
	size_t len = 4711;

	fixture_v2();
	fixture_dir("/sys/fs/cgroup/a");
	fixture_dir("/sys/fs/cgroup/b");
	model = fixture_model(&settings);
	if (lastgood_new(&lg) < 0 || model_subject_by_path(model, "/a", &a) < 0 ||
	    model_subject_by_path(model, "/b", &b) < 0)
		fixture_die("no subject");

	CHECK(lastgood_get(lg, a, 1, &buf, &len) == -ENOENT);
	/* a container without disks has an empty file (null pointers: see the sanitizer) */
	lastgood_put(lg, a, 1, now, buf.data, 0);
	CHECK(lastgood_get(lg, a, 1, &buf, &len) == 0);
	CHECK_U64(len, 0);
	lastgood_put(lg, b, 1, now, "text", 4);
	CHECK(lastgood_get(lg, b, 1, &buf, &len) == 0);
	CHECK(len == 4 && memcmp(buf.data, "text", 4) == 0);
	CHECK(lastgood_get(lg, b, 2, &buf, &len) == -ENOENT);
	CHECK(lastgood_get(lg, a, 1, &buf, &len) == 0 && len == 0);

	/* the newest, however short the time between two; who was slower has the older one */
	lastgood_put(lg, b, 1, now + 2, "three", 5);
	CHECK(lastgood_get(lg, b, 1, &buf, &len) == 0 && len == 5);
	lastgood_put(lg, b, 1, now + 1, "two", 3);
	CHECK(lastgood_get(lg, b, 1, &buf, &len) == 0 && len == 5);

	subject_unref(a);
	subject_unref(b);
	free(buf.data);
	return done_testing();
}
