/* SPDX-License-Identifier: MIT */
/* oom.c - see oom.h. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "oom.h"
#include "text.h"

#define FILE_NAME "/proc/self/oom_score_adj"
#define NEVER	  "-1000"
#define EARLIER	  100 /* as if it had a tenth of the machine's memory more */
#define SCORE_MAX 1000

static void set(const char *score)
{
	_close_ int fd = open(FILE_NAME, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, score, strlen(score)) < 0)
		log_debug(FILE_NAME ": %m");
}

static bool get(char *buf, size_t size, struct lxcfsd_text *ret)
{
	ssize_t n = io_read_at(AT_FDCWD, FILE_NAME, buf, size);
	struct lxcfsd_text rest = { buf, n > 0 ? (size_t)n : 0 };

	return text_line(&rest, ret);
}

void oom_protect(void)
{
	struct lxcfsd_text score;
	char buf[16];

	if (get(buf, sizeof(buf), &score) && text_is(score, "0"))
		set(NEVER);
}

void oom_expose(void)
{
	struct lxcfsd_text score;
	bool negative;
	uint64_t size;
	char buf[16];
	int64_t wanted;

	if (!get(buf, sizeof(buf), &score))
		return;
	negative = score.len > 0 && score.data[0] == '-';
	if (negative)
		score = (struct lxcfsd_text){ score.data + 1, score.len - 1 };
	if (parse_u64(score, &size) < 0 || size > SCORE_MAX)
		return;
	wanted = (negative ? -(int64_t)size : (int64_t)size) + EARLIER;
	snprintf(buf, sizeof(buf), "%d", (int)(wanted < SCORE_MAX ? wanted : SCORE_MAX));
	set(buf);
}
