/* SPDX-License-Identifier: MIT */
/*
 * log.h - one line per event, to stderr or to syslog.
 *
 * Library functions return errors and do not log; whoever decides what happens
 * next logs once, and says what happens next.  What a container can provoke
 * goes through log_limited().
 */
#ifndef LXCFSD_LOG_H
#define LXCFSD_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

enum log_target {
	LOG_TO_STDERR,	/* with the time and the program's name */
	LOG_TO_JOURNAL, /* stderr, with the level as <N> in front */
	LOG_TO_SYSLOG,
};

/* `program` must stay valid.  `max_level` as of syslog(3). */
void log_open(const char *program, enum log_target target, int max_level);
void log_set_level(int max_level);
enum log_target log_current_target(void);

void log_line(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_vline(int level, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

#define log_err(...)	log_line(3, __VA_ARGS__)
#define log_warn(...)	log_line(4, __VA_ARGS__)
#define log_notice(...) log_line(5, __VA_ARGS__)
#define log_info(...)	log_line(6, __VA_ARGS__)
#define log_debug(...)	log_line(7, __VA_ARGS__)

/*
 * At most one line per cause: the first at once, then after 1 s, 2 s, 4 s, ...
 * up to an hour, with the number that was left out.  One object per cause,
 * zero-initialised.
 */
struct log_limit {
	uint64_t next_ms;
	uint64_t interval_ms;
	uint64_t left_out;
};
void log_limited(struct log_limit *limit, int level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
