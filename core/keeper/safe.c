/* SPDX-License-Identifier: MIT */
/* safe.c (keeper) - see safe.h. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "io.h"
#include "log.h"
#include "notify.h"
#include "safe.h"

#define MS	    1000000u
#define PATIENCE_MS 5000
#define RETRY_MS    1000
/* Of its own: beyond that many in a row workers are tried before it is started again,
 * and nothing is started at once any more. */
#define CRASHES_FREE  5
#define CRASH_MS      1000
#define DELAY_MS      100
#define DELAY_DOUBLES 3

void safe_open(struct safe *safe, const struct options *options)
{
	const char *slash = strrchr(options->worker, '/');
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%.*s/lxcfsd-safe", slash ? (int)(slash - options->worker) : 0,
		 options->worker);
	safe->made_of.exe_fd = open(path, O_PATH | O_CLOEXEC);
	if (safe->made_of.exe_fd < 0)
		log_warn("cannot open '%s': %m; if ever no worker can start, nobody serves", path);
}

bool safe_is_due(const struct safe *safe)
{
	return safe->due && safe_exists(safe);
}

unsigned int safe_delay_ms(const struct safe *safe)
{
	unsigned int more = safe->crashes > CRASHES_FREE ? safe->crashes - CRASHES_FREE : 0;

	return more ? DELAY_MS << (more < DELAY_DOUBLES ? more : DELAY_DOUBLES) : 0;
}

int safe_patience_ms(const struct safe *safe, int otherwise)
{
	return safe_exists(safe) ? PATIENCE_MS : otherwise;
}

static void try_later(struct safe *safe)
{
	safe->retry_at_ns = io_now_ns() + (uint64_t)RETRY_MS * MS;
}

int safe_retry_ms(struct safe *safe, uint64_t now)
{
	if (!safe->retry_at_ns)
		return INT_MAX;
	if (now < safe->retry_at_ns)
		return (int)((safe->retry_at_ns - now) / MS) + 1;
	try_later(safe);
	return 0;
}

/* True: it is another one than before. */
static bool set_reason(struct safe *safe, const char *why)
{
	char line[SAFE_REASON_MAX];

	snprintf(line, sizeof(line), "%.*s", (int)strcspn(why, "\n"), why);
	if (strcmp(line, safe->reason) == 0)
		return false;
	memcpy(safe->reason, line, sizeof(line));
	return true;
}

bool safe_worker_failed(struct safe *safe, bool last, uint64_t died_ns, const char *why)
{
	bool changed = set_reason(safe, why);

	if (!safe->since_ns) {
		safe->due =
			safe->due || last || io_now_ns() - died_ns >= (uint64_t)PATIENCE_MS * MS;
		return true;
	}
	safe->due = true;
	safe->tries++;
	try_later(safe);
	return changed;
}

void safe_workers_die(struct safe *safe, unsigned int failures)
{
	char why[64];

	if (safe_is_due(safe) || !safe_exists(safe))
		return;
	snprintf(why, sizeof(why), "%u workers in a row have failed", failures);
	set_reason(safe, why);
	safe->due = true;
}

void safe_died(struct safe *safe, bool fault, uint64_t lived_ns)
{
	if (lived_ns >= (uint64_t)CRASH_MS * MS)
		safe->crashes = 0;
	safe->crashes += fault;
	safe->retry_at_ns = 0;
	if (safe->crashes > CRASHES_FREE)
		safe->due = false;
}

void safe_serves(struct safe *safe, uint64_t died_ns)
{
	double ms = (double)(io_now_ns() - died_ns) / 1e6;

	safe->starts++;
	try_later(safe);
	if (safe->since_ns) {
		log_notice("lxcfsd-safe serves again %.1f ms after its death", ms);
		return;
	}
	safe->since_ns = io_now_ns();
	safe->tries = 0;
	safe->episodes++;
	log_err("no worker can start (%s): lxcfsd-safe serves, %.1f ms after the death; containers "
		"see the host's files, and what is not for everybody as empty, until one can",
		safe->reason, ms);
	notify_ready("no worker can start: containers see the host's files, see the log");
}

bool safe_ends(struct safe *safe, const struct wire_ready *ready)
{
	uint64_t since_ns = safe->since_ns;

	safe->ready = *ready;
	safe->due = false;
	safe->since_ns = safe->retry_at_ns = 0;
	safe->crashes = 0;
	if (!since_ns)
		return false;
	log_notice("a worker serves again: containers see their own, they saw the host's files for "
		   "%.1f s (%u workers failed meanwhile)",
		   (double)(io_now_ns() - since_ns) / 1e9, safe->tries);
	notify_ready("serving");
	return true;
}
