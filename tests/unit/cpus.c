/* SPDX-License-Identifier: MIT */
/* Lists and masks of CPUs, cut and renumbered. */
#include "check.h"

#include "cpus.h"

static const uint32_t some[] = { 1, 33, 34, 70 };
static struct lxcfsd_cpus set = { some, 4, false };
static char buf[4096];

typedef int (*cut_fn)(struct lxcfsd_out *out, struct lxcfsd_text text,
		      const struct lxcfsd_cpus *cpus);

static const char *cut(cut_fn fn, const char *text, bool dense)
{
	struct lxcfsd_out out = { .buf = buf, .cap = sizeof(buf) - 1 };

	set.dense = dense;
	if (fn(&out, (struct lxcfsd_text){ text, strlen(text) }, &set) < 0)
		return "error";
	buf[out.len] = '\0';
	return out.err ? "too long" : buf;
}

static void test_list(void)
{
	CHECK_STR(cut(cpus_cut_list, "0-127\n", false), "1,33-34,70\n");
	CHECK_STR(cut(cpus_cut_list, "0-127\n", true), "0-3\n");
	CHECK_STR(cut(cpus_cut_list, "1,34-70\n", true), "0,2-3\n");
	CHECK_STR(cut(cpus_cut_list, "2-32\n", false), "\n");
	CHECK_STR(cut(cpus_cut_list, "\n", false), "\n");
	CHECK_STR(cut(cpus_cut_list, "", false), "\n");
	CHECK_STR(cut(cpus_cut_list, "1", false), "1\n");
	CHECK_STR(cut(cpus_cut_list, "3-1\n", false), "error");
	CHECK_STR(cut(cpus_cut_list, "x\n", false), "error");
	CHECK_STR(cut(cpus_cut_list, "1-\n", false), "error");
	CHECK_STR(cut(cpus_cut_list, "0-8191\n", false), "1,33-34,70\n");
	CHECK_STR(cut(cpus_cut_list, "0-8192\n", false), "error");
	CHECK_STR(cut(cpus_cut_list, "0-99999999999999999999\n", false), "error");
}

static void test_mask(void)
{
	char wide[3000];

	CHECK_STR(cut(cpus_cut_mask, "7f,ffffffff,ffffffff\n", false), "40,00000006,00000002\n");
	CHECK_STR(cut(cpus_cut_mask, "7f,ffffffff,ffffffff\n", true), "00,00000000,0000000f\n");
	CHECK_STR(cut(cpus_cut_mask, "00,00000004,00000002\n", true), "00,00000000,00000005\n");
	CHECK_STR(cut(cpus_cut_mask, "3\n", false), "2\n");
	CHECK_STR(cut(cpus_cut_mask, "0\n", false), "0\n");
	CHECK_STR(cut(cpus_cut_mask, "\n", false), "\n");
	CHECK_STR(cut(cpus_cut_mask, "xyz\n", false), "error");
	CHECK_STR(cut(cpus_cut_mask, "-1\n", false), "error");
	memset(wide, 'f', sizeof(wide));
	wide[2049] = '\0'; /* one digit more than the kernel can have */
	CHECK_STR(cut(cpus_cut_mask, wide, false), "error");
	wide[2048] = '\0';
	CHECK(strcmp(cut(cpus_cut_mask, wide, false), "error") != 0);
	CHECK_U64(strlen(buf), 2049);
}

static void test_find(void)
{
	uint32_t n = 99;

	set.dense = false;
	CHECK(cpus_find(&set, 34, &n) && n == 2);
	CHECK(cpus_find_shown(&set, 70, &n) && n == 3);
	CHECK(!cpus_find(&set, 2, &n) && !cpus_find_shown(&set, 0, &n));
	CHECK(!cpus_find(&set, UINT64_MAX, &n));
	set.dense = true;
	CHECK(cpus_find_shown(&set, 3, &n) && n == 3);
	CHECK(!cpus_find_shown(&set, 4, &n) && !cpus_find_shown(&set, UINT64_MAX, &n));
	CHECK(cpus_find(&set, 70, &n));
}

int main(void)
{
	test_list();
	test_mask();
	test_find();
	return done_testing();
}
