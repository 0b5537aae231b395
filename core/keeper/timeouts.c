/* SPDX-License-Identifier: MIT */
/* timeouts.c - see timeouts.h. */
#include <fcntl.h>

#include "io.h"
#include "log.h"
#include "text.h"
#include "timeouts.h"

static void check(const char *path, const char *name)
{
	uint64_t seconds;
	char buf[32];
	ssize_t n = io_read_at(AT_FDCWD, path, buf, sizeof(buf));
	struct lxcfsd_text rest = { buf, n > 0 ? (size_t)n : 0 }, line;

	if (!text_line(&rest, &line) || parse_u64(line, &seconds) < 0 || seconds == 0)
		return; /* not there, or without a limit */
	log_warn("%s = %llu: when no worker can be started for that long, the kernel ends the "
		 "connection and containers that run lose their files; 0 is safe",
		 name, (unsigned long long)seconds);
}

void timeouts_check(void)
{
	check("/proc/sys/fs/fuse/default_request_timeout", "fs.fuse.default_request_timeout");
	check("/proc/sys/fs/fuse/max_request_timeout", "fs.fuse.max_request_timeout");
}
