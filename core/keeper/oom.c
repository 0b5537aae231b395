/* SPDX-License-Identifier: MIT */
/* oom.c - see oom.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "oom.h"
#include "text.h"

#define OWN	"/proc/self/oom_score_adj"
#define NEVER	(-1000)
#define EARLIER 100 /* as if it had a tenth of the machine's memory more */
#define FIRST	1000

static void set(const char *path, int score)
{
	_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	char buf[16];
	int len = snprintf(buf, sizeof(buf), "%d", score);

	if (fd < 0 || write(fd, buf, (size_t)len) < 0)
		log_debug("%s: %m", path);
}

static int get(int *ret)
{
	char buf[16];
	ssize_t n = io_read_at(AT_FDCWD, OWN, buf, sizeof(buf));
	struct lxcfsd_text rest = { buf, n > 0 ? (size_t)n : 0 }, score;
	uint64_t size;
	bool negative;

	if (n <= 0 || !text_line(&rest, &score))
		return -EIO;
	negative = score.len > 0 && score.data[0] == '-';
	if (negative)
		score = (struct lxcfsd_text){ score.data + 1, score.len - 1 };
	if (parse_u64(score, &size) < 0 || size > FIRST)
		return -EIO;
	*ret = negative ? -(int)size : (int)size;
	return 0;
}

void oom_protect(void)
{
	int score;

	if (get(&score) == 0 && score == 0)
		set(OWN, NEVER);
}

void oom_expose(void)
{
	int score;

	if (get(&score) == 0)
		set(OWN, score == NEVER ? NEVER + EARLIER : FIRST);
}

void oom_settle(pid_t worker)
{
	char path[48];
	int score;

	if (get(&score) < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", worker);
	set(path, score + EARLIER < FIRST ? score + EARLIER : FIRST);
}
