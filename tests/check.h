/* SPDX-License-Identifier: MIT */
/*
 * check.h - a small TAP harness: one line per check on standard output.
 *
 *	CHECK(r == 0);  CHECK_U64(got, want);  CHECK_STR(got, want);
 *	SKIP("needs root");
 *	return done_testing();
 *
 * A failed check is printed and counted, and the test goes on.
 */
#ifndef LXCFSD_CHECK_H
#define LXCFSD_CHECK_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static struct {
	unsigned int run;
	unsigned int failed;
} check_state;

/* The head of the line; what was got follows for a failed check. */
static inline void check_begin(bool good, const char *file, int line, const char *text)
{
	check_state.run++;
	if (good) {
		printf("ok %u - %s", check_state.run, text);
		return;
	}
	check_state.failed++;
	printf("not ok %u - %s:%d: %s", check_state.run, file, line, text);
}

static inline void check_end(void)
{
	putchar('\n');
	fflush(stdout); /* what was checked stays known when the next one crashes */
}

static inline bool check_true(bool good, const char *file, int line, const char *text)
{
	check_begin(good, file, line, text);
	check_end();
	return good;
}

static inline bool check_u64(uint64_t got, uint64_t want, const char *file, int line,
			     const char *text)
{
	bool good = got == want;

	check_begin(good, file, line, text);
	if (!good)
		printf(" (got %" PRIu64 ", want %" PRIu64 ")", got, want);
	check_end();
	return good;
}

/* Quoted and on one line, whatever is in it. */
static inline void check_quote(const char *text)
{
	if (!text) {
		fputs("NULL", stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", stdout);
		else if ((unsigned char)*text < ' ')
			printf("\\x%02x", (unsigned int)(unsigned char)*text);
		else
			putchar(*text);
	}
	putchar('"');
}

static inline bool check_str(const char *got, const char *want, const char *file, int line,
			     const char *text)
{
	bool good = got == want || (got && want && strcmp(got, want) == 0);

	check_begin(good, file, line, text);
	if (!good) {
		fputs(" (got ", stdout);
		check_quote(got);
		fputs(", want ", stdout);
		check_quote(want);
		putchar(')');
	}
	check_end();
	return good;
}

static inline void check_skip(const char *reason)
{
	check_state.run++;
	printf("ok %u # SKIP %s", check_state.run, reason);
	check_end();
}

/* The plan, and the exit status of main(). */
static inline int done_testing(void)
{
	printf("1..%u\n", check_state.run);
	fflush(stdout);
	return check_state.failed || !check_state.run ? 1 : 0;
}

/* Each gives true when the check was good. */
#define CHECK(cond)	     check_true((cond), __FILE__, __LINE__, #cond)
#define CHECK_U64(got, want) check_u64((got), (want), __FILE__, __LINE__, #got " is " #want)
#define CHECK_STR(got, want) check_str((got), (want), __FILE__, __LINE__, #got)
#define SKIP(reason)	     check_skip(reason)

#endif
