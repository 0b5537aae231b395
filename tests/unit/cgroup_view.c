/* SPDX-License-Identifier: MIT */
/* The cgroup view when cgroups change names between two requests: what a node stands for
 * is found by its object, and what is looked up in a directory in that very one. */
#include <stdio.h>

#include "cgroup_view.h"
#include "check.h"
#include "fixture.h"

#define CG "/sys/fs/cgroup"

static struct settings settings;
static struct model *model;
static struct subject *subject;
static char buf[4096];

static struct lxcfsd_request request(uint64_t object, uint64_t above)
{
	struct lxcfsd_request req;

	request_begin(&req, model, subject, 0);
	req.object = object;
	req.above = above;
	return req;
}

static uint64_t object_of(const char *below)
{
	struct lxcfsd_request req = request(0, 0);
	struct lxcfsd_found found = { .object = 0 };

	CHECK(cgroup_view_find(&req, below, &found) == 0);
	CHECK(found.object != 0);
	request_end(&req);
	return found.object;
}

static int copy(const char *below, uint64_t object)
{
	struct lxcfsd_request req = request(object, 0);
	struct lxcfsd_out out = { .buf = buf, .cap = sizeof(buf) };
	int r = cgroup_view_copy(&req, below, &out);

	request_end(&req);
	buf[out.len < sizeof(buf) ? out.len : 0] = '\0';
	return r;
}

static int list(const char *below, uint64_t object)
{
	struct lxcfsd_request req = request(object, 0);
	struct lxcfsd_out out = { .buf = buf, .cap = sizeof(buf) };
	int r = cgroup_view_list(&req, below, &out);

	request_end(&req);
	return r;
}

static int find(const char *below, uint64_t above)
{
	struct lxcfsd_request req = request(0, above);
	struct lxcfsd_found found;
	int r = cgroup_view_find(&req, below, &found);

	request_end(&req);
	return r;
}

static void swap(const char *one, const char *other)
{
	char a[2 * PATH_MAX], b[2 * PATH_MAX], third[2 * PATH_MAX];

	snprintf(a, sizeof(a), "%s%s", fixture_root, one);
	snprintf(b, sizeof(b), "%s%s", fixture_root, other);
	snprintf(third, sizeof(third), "%s%s", fixture_root, CG "/third");
	if (rename(a, third) || rename(b, a) || rename(third, b))
		fixture_die("rename");
}

static void test_swapped(void)
{
	uint64_t own, n, file, deep;

	fixture_v2();
	fixture_file(CG "/c/n/number", "1\n");
	fixture_file(CG "/c/n/in/number", "2\n");
	fixture_file(CG "/c/n1/number", "3\n");
	fixture_file(CG "/c/n1/in/number", "4\n");
	settings = fixture_settings();
	model = fixture_model(&settings);
	CHECK(model_subject_by_path(model, "/c", &subject) == 0);
	own = object_of("");
	n = object_of("n");
	file = object_of("n/number");
	deep = object_of("n/in");
	CHECK(copy("n/number", file) == 0);
	CHECK_STR(buf, "1\n");
	CHECK(list("n", n) == 0);
	CHECK(find("n", own) == 0);
	CHECK(find("n/number", n) == 0);
	CHECK(find("n/in/number", deep) == 0);
	CHECK(find("n/in/number", n) == -ENOENT); /* not the one that is just above */
	swap(CG "/c/n", CG "/c/n1");
	CHECK(copy("n/number", file) == -ENOENT);
	CHECK(list("n", n) == -ENOENT);
	CHECK(find("n", own) == 0);
	CHECK(find("n/number", n) == -ENOENT);
	CHECK(find("n/in/number", deep) == -ENOENT);
	CHECK(find("n1/number", n) == 0);
	CHECK(copy("n1/number", file) == 0);
	CHECK_STR(buf, "1\n");
	CHECK(copy("n/number", 0) == 0); /* who does not know what it was */
	CHECK_STR(buf, "3\n");
	/* the container's own is another by now */
	fixture_file(CG "/other/n/number", "5\n");
	swap(CG "/c", CG "/other");
	CHECK(find("n", own) == -ENOENT);
	CHECK(copy("n/number", file) == -ENOENT);
	subject_unref(subject);
	model = model_free(model);
}

int main(void)
{
	test_swapped();
	return done_testing();
}
