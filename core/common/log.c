/* SPDX-License-Identifier: MIT */
/* log.c - see log.h. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

#define LINE_MAX_BYTES	1024
#define INTERVAL_MAX_MS (3600 * 1000)

static struct {
	const char *program;
	enum log_target target;
	int max_level;
} self = { "lxcfsd", LOG_TO_STDERR, 6 };

void log_open(const char *program, enum log_target target, int max_level)
{
	self.program = program;
	self.target = target;
	self.max_level = max_level;
	if (target == LOG_TO_SYSLOG)
		openlog(program, LOG_PID, LOG_DAEMON);
}

void log_set_level(int max_level)
{
	self.max_level = max_level;
}

enum log_target log_current_target(void)
{
	return self.target;
}

/* One write(2) per line, so that lines of several threads and of keeper and
 * worker never mix. */
static void write_line(int level, char *line)
{
	char out[LINE_MAX_BYTES + 128];
	int n;

	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?'; /* names come from containers: no control bytes, no second line */
	if (self.target == LOG_TO_SYSLOG) {
		syslog(level, "%s", line);
		return;
	}
	if (self.target == LOG_TO_JOURNAL) {
		n = snprintf(out, sizeof(out), "<%d>%s: %s\n", level, self.program, line);
	} else {
		struct timespec now;
		struct tm tm;

		clock_gettime(CLOCK_REALTIME, &now);
		localtime_r(&now.tv_sec, &tm);
		n = snprintf(out, sizeof(out), "%02d:%02d:%02d.%03ld %s: %s\n", tm.tm_hour,
			     tm.tm_min, tm.tm_sec, now.tv_nsec / 1000000, self.program, line);
	}
	if (n > 0 && (size_t)n < sizeof(out) && write(STDERR_FILENO, out, (size_t)n) < 0)
		return; /* nowhere to say so */
}

void log_vline(int level, const char *format, va_list args)
{
	char line[LINE_MAX_BYTES];
	int saved = errno;

	if (level <= self.max_level) {
		vsnprintf(line, sizeof(line), format, args);
		write_line(level, line);
	}
	errno = saved;
}

void log_line(int level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	log_vline(level, format, args);
	va_end(args);
}

void log_limited(struct log_limit *limit, int level, const char *format, ...)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	char line[LINE_MAX_BYTES];
	struct timespec now;
	uint64_t ms, left_out;
	va_list args;
	bool say;

	clock_gettime(CLOCK_MONOTONIC, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	pthread_mutex_lock(&lock);
	left_out = limit->left_out;
	say = ms >= limit->next_ms;
	if (say) {
		/* an hour of peace ends the patience that was learnt */
		if (ms - limit->next_ms > INTERVAL_MAX_MS)
			limit->interval_ms = 0;
		limit->interval_ms = limit->interval_ms ? limit->interval_ms * 2 : 1000;
		if (limit->interval_ms > INTERVAL_MAX_MS)
			limit->interval_ms = INTERVAL_MAX_MS;
		limit->next_ms = ms + limit->interval_ms;
		limit->left_out = 0;
	} else {
		limit->left_out++;
	}
	pthread_mutex_unlock(&lock);
	if (!say)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (left_out)
		log_line(level, "%s (and %llu times before)", line, (unsigned long long)left_out);
	else
		log_line(level, "%s", line);
}
