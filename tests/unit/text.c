/* SPDX-License-Identifier: MIT */
/* text - reading what somebody else wrote, and paths. */
#include "check.h"
#include "path.h"
#include "text.h"

static uint64_t number(const char *text)
{
	uint64_t value = 4711;
	int r = parse_u64(text_of(text), &value);

	return r < 0 ? (uint64_t)(int64_t)r : value;
}
#define ERROR(r) ((uint64_t)(int64_t)(r))

static void test_numbers(void)
{
	uint64_t untouched = 7;

	CHECK_U64(number("0"), 0);
	CHECK_U64(number(" 42\n"), 42);
	CHECK_U64(number("18446744073709551615"), UINT64_MAX);
	CHECK_U64(number("18446744073709551616"), ERROR(-ERANGE));
	CHECK_U64(number("99999999999999999999999"), ERROR(-ERANGE));
	CHECK_U64(number(""), ERROR(-EINVAL));
	CHECK_U64(number("\n"), ERROR(-EINVAL));
	CHECK_U64(number("-1"), ERROR(-EINVAL));
	CHECK_U64(number("+1"), ERROR(-EINVAL));
	CHECK_U64(number("0x10"), ERROR(-EINVAL));
	CHECK_U64(number("1 2"), ERROR(-EINVAL));
	CHECK_U64(number("max"), ERROR(-EINVAL));
	CHECK(parse_u64(text_of("x"), &untouched) < 0 && untouched == 7);
	CHECK_U64(sub0(1, 2), 0);
	CHECK_U64(sub0(3, 2), 1);
}

static void test_words(void)
{
	struct lxcfsd_text rest = text_of("a b\n\nlast"), line, word;

	CHECK(text_line(&rest, &line) && text_is(line, "a b"));
	CHECK(text_word(&line, &word) && text_is(word, "a"));
	CHECK(text_word(&line, &word) && text_is(word, "b"));
	CHECK(!text_word(&line, &word));
	CHECK(text_line(&rest, &line) && text_is(line, ""));
	CHECK(text_line(&rest, &line) && text_is(line, "last"));
	CHECK(!text_line(&rest, &line));
	CHECK(!text_is(text_of("ab"), "a"));
	CHECK(!text_is(text_of("a"), "ab"));
}

static void test_lists(void)
{
	uint32_t ids[8];
	size_t count = 99;

	CHECK(parse_cpu_list(text_of("0-2,5\n"), 63, ids, 8, &count) == 0);
	CHECK_U64(count, 4);
	CHECK(ids[0] == 0 && ids[2] == 2 && ids[3] == 5);
	CHECK(parse_cpu_list(text_of("\n"), 63, ids, 8, &count) == 0);
	CHECK_U64(count, 0);
	CHECK(parse_cpu_list(text_of("0-8"), 63, ids, 8, &count) == -E2BIG);
	CHECK(parse_cpu_list(text_of("64"), 63, ids, 8, &count) == -ERANGE);
	CHECK(parse_cpu_list(text_of("0-18446744073709551615"), 63, ids, 8, &count) == -ERANGE);
	CHECK(parse_cpu_list(text_of("3-1"), 63, ids, 8, &count) == -EINVAL);
	CHECK(parse_cpu_list(text_of("1,1"), 63, ids, 8, &count) == -EINVAL);
	CHECK(parse_cpu_list(text_of("1,,2"), 63, ids, 8, &count) == -EINVAL);
	CHECK(parse_cpu_list(text_of("1 2"), 63, ids, 8, &count) == -EINVAL);
	CHECK_U64(count, 0);
}

static bool clean(const char *path)
{
	return path_is_clean(text_of(path));
}

static bool below(const char *path, const char *top)
{
	return path_at_or_below(text_of(path), text_of(top));
}

static void test_paths(void)
{
	char longest[5000];

	CHECK(clean("/"));
	CHECK(clean("/a b/%s\\x/.../..x (deleted)"));
	CHECK(!clean(""));
	CHECK(!clean("a"));
	CHECK(!clean("//"));
	CHECK(!clean("/a//b"));
	CHECK(!clean("/a/"));
	CHECK(!clean("/a/./b"));
	CHECK(!clean("/a/.."));
	CHECK(!clean("/.."));
	CHECK(!clean("/a\nb"));
	CHECK(!path_is_clean((struct lxcfsd_text){ "/a\0b", 4 }));
	memset(longest, 'a', sizeof(longest));
	longest[0] = '/';
	CHECK(path_is_clean((struct lxcfsd_text){ longest, PATH_BYTES_MAX }));
	CHECK(!path_is_clean((struct lxcfsd_text){ longest, PATH_BYTES_MAX + 1 }));
	CHECK(below("/x_1", "/x_1"));
	CHECK(below("/x_1/y", "/x_1"));
	CHECK(!below("/x_10", "/x_1"));
	CHECK(!below("/x_1", "/x_10"));
	CHECK(!below("/", "/x"));
	CHECK(below("/x", "/"));
	CHECK(text_is(path_last(text_of("/a/b")), "b"));
	CHECK(text_is(path_last(text_of("/")), ""));
	CHECK(text_is(path_parent(text_of("/a/b")), "/a"));
	CHECK(text_is(path_cut(text_of("/a/bb/ccc"), 3, 100), "/a/bb/ccc"));
	CHECK(text_is(path_cut(text_of("/a/bb/ccc"), 2, 100), "/a/bb"));
	CHECK(text_is(path_cut(text_of("/a/bb/ccc"), 9, 9), "/a/bb/ccc"));
	CHECK(text_is(path_cut(text_of("/a/bb/ccc"), 9, 8), "/a/bb"));
	CHECK(text_is(path_cut(text_of("/a/bb/ccc"), 9, 4), "/a"));
	CHECK(text_is(path_cut(text_of("/aaaa"), 9, 3), "/"));
	CHECK(text_is(path_cut(text_of("/"), 9, 3), "/"));
	CHECK(text_is(path_parent(text_of("/a")), "/"));
	CHECK(text_is(path_parent(text_of("/")), "/"));
}

int main(void)
{
	test_numbers();
	test_words();
	test_lists();
	test_paths();
	return done_testing();
}
