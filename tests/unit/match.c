/* SPDX-License-Identifier: MIT */
/* match - which paths fit a pattern, and that no name makes it expensive. */
#include <stdlib.h>

#include "check.h"
#include "match.h"
#include "path.h"
#include "text.h"

static bool fits(const char *pattern, const char *path)
{
	return match_path(pattern, text_of(path));
}

#define FITS(pattern, path)                                                                        \
	CHECK(match_refuse(pattern) == NULL && path_is_clean(text_of(path)) && fits(pattern, path))
#define FITS_NOT(pattern, path)                                                                    \
	CHECK(match_refuse(pattern) == NULL && path_is_clean(text_of(path)) && !fits(pattern, path))

static void test_components(void)
{
	FITS("/", "/");
	FITS_NOT("/", "/a");
	FITS_NOT("/a", "/");
	FITS("/a", "/a");
	FITS_NOT("/a", "/ab");
	FITS_NOT("/ab", "/a");
	FITS_NOT("/a", "/a/b");
	FITS_NOT("/a/b", "/a");
	FITS("/*", "/a");
	FITS("/*", "/.a");
	FITS_NOT("/*", "/");
	FITS_NOT("/*", "/a/b");
	FITS("/lxc.payload.*", "/lxc.payload.web");
	FITS_NOT("/lxc.payload.*", "/lxc.payload.web/x");
	FITS_NOT("/lxc.payload.*", "/lxc_payload.web");
	FITS("/system.slice/docker-*.scope", "/system.slice/docker-0123ab.scope");
	FITS_NOT("/system.slice/docker-*.scope", "/user.slice/docker-0123ab.scope");
	FITS("/a?c", "/abc");
	FITS_NOT("/a?c", "/ac");
	FITS_NOT("/a?c", "/a/c");
	FITS("/[a-c]x", "/bx");
	FITS("/[!a-c]x", "/dx");
	FITS_NOT("/[!a-c]x", "/bx");
	FITS("/[[]x", "/[x");
	FITS("/x]", "/x]");
	FITS_NOT("/A", "/a");
	/* not what looks like a path to the C library, and in no locale */
	FITS("/\xff*", "/\xff\xfe");
	FITS("/?", "/\xff");
}

/* systemd writes "-" as \x2d: what is copied from /proc/PID/cgroup fits. */
static void test_raw(void)
{
	FITS("/machine.slice/machine-qemu\\x2d1.scope", "/machine.slice/machine-qemu\\x2d1.scope");
	FITS_NOT("/machine-qemu\\x2d1.scope", "/machine-qemu-1.scope");
	FITS_NOT("/machine-qemu\\x2d1.scope", "/machine-qemux2d1.scope");
	FITS("/\\*", "/\\x");
	FITS_NOT("/\\*", "/*");
	FITS("/a b", "/a b");
	FITS("/x (deleted)", "/x (deleted)");
	FITS("/%s%n", "/%s%n");
}

static void test_depth(void)
{
	FITS("/**", "/");
	FITS("/**", "/a");
	FITS("/**", "/a/b/c");
	FITS("/a/**", "/a");
	FITS("/a/**", "/a/b");
	FITS("/a/**", "/a/b/c");
	FITS_NOT("/a/**", "/ab");
	FITS_NOT("/a/**", "/b/a");
	FITS("/**/a", "/a");
	FITS("/**/a", "/x/y/a");
	FITS_NOT("/**/a", "/x/y/a/b");
	FITS("/a/**/b", "/a/b");
	FITS("/a/**/b", "/a/x/b/y/b");
	FITS_NOT("/a/**/b", "/a/x/b/y");
	FITS_NOT("/a/**/b", "/a");
	FITS("/a/**/*", "/a/b");
	FITS_NOT("/a/**/*", "/a");
	FITS("/**/**", "/a");
	FITS("/**/a/**/b/**", "/x/a/y/a/b/z");
	FITS_NOT("/**/a/**/b/**", "/x/b/y/a/z");
	FITS("/**/a/b/**/c", "/a/x/a/b/a/c");
	FITS_NOT("/**/a/b/**/c", "/a/x/b/c");
	FITS("/kubepods.slice/**/cri-*.scope",
	     "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-2.scope");
}

static void test_refused(void)
{
	static const char *const bad[] = { "",	   "a",	     "a/b",    "//",   "/a/",  "/a//b",
					   "/a/.", "/../a",  "/a**",   "/**a", "/***", "/a/x**y/b",
					   "/[",   "/[a/b]", "/]/x[a", "*",    "**" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!CHECK(match_refuse(bad[i]) != NULL))
			printf("# '%s'\n", bad[i]);
	CHECK_STR(match_refuse("/a/[x"), "there is a [ without its ] in the same component: the "
					 "character itself is [[]");
}

/* The longest paths and names there are, against patterns made for going astray:
 * with backtracking to more than one place this would not end in our lifetime. */
static void test_hostile(void)
{
	char path[PATH_BYTES_MAX + 1], stars[199] = "", depths[199] = "", name[300];
	size_t len = 0;

	while (strlen(stars) < 190)
		strcat(stars, *stars ? "a*" : "/*");
	strcat(stars, "b");
	while (strlen(depths) < 190)
		strcat(depths, "/**/a");
	strcat(depths, "/b");
	CHECK(match_refuse(stars) == NULL && match_refuse(depths) == NULL);
	while (len + 2 < sizeof(path))
		len += (size_t)snprintf(path + len, sizeof(path) - len, "/a");
	CHECK(path_is_clean(text_of(path)));
	memset(name, 'a', sizeof(name));
	name[0] = '/';
	name[256] = '\0';
	for (int i = 0; i < 10; i++) {
		if (fits(stars, name) || fits(depths, path))
			CHECK(!"it does not end in b");
	}
	name[255] = 'b';
	CHECK(fits(stars, name));
	path[len - 1] = 'b';
	CHECK(fits(depths, path));
	/* a component that no cgroup can have fits nothing */
	name[255] = 'a';
	name[256] = 'a';
	name[257] = '\0';
	CHECK(!fits("/*", name));
	CHECK(fits("/**", name));
}

/* Any order of pieces: as a matcher that tries everything says. */
static bool slow(struct lxcfsd_text want, struct lxcfsd_text have)
{
	struct lxcfsd_text part, name, rest = have;

	if (!text_until(&want, '/', &part))
		return have.len == 0;
	if (text_is(part, "**")) {
		if (slow(want, have))
			return true;
		while (text_until(&rest, '/', &name))
			if (slow(want, rest))
				return true;
		return false;
	}
	return text_until(&rest, '/', &name) && (text_is(part, "*") || *part.data == *name.data) &&
	       slow(want, rest);
}

static void test_noise(void)
{
	static const char *const pieces[] = { "/**", "/*", "/a", "/b" };
	unsigned int seed = 1, wrong = 0, good = 0;

	for (int i = 0; i < 50000; i++) {
		char pattern[64] = "", path[64] = "";

		for (int n = 0; n < 1 + i % 6; n++)
			strcat(pattern, pieces[(unsigned int)rand_r(&seed) / 7 % 4]);
		for (int n = 0; n < 1 + i / 6 % 8; n++)
			strcat(path, pieces[2 + (unsigned int)rand_r(&seed) / 7 % 2]);
		good += fits(pattern, path);
		wrong += fits(pattern, path) != slow(text_of(pattern + 1), text_of(path + 1));
	}
	CHECK_U64(wrong, 0);
	CHECK(good > 1000 && good < 49000);
}

int main(void)
{
	test_components();
	test_raw();
	test_depth();
	test_refused();
	test_hostile();
	test_noise();
	return done_testing();
}
