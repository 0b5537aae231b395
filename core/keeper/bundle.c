/* SPDX-License-Identifier: MIT */
/* bundle.c - see bundle.h. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bundle.h"
#include "text.h"

#define EXEC_VARIABLE "LXCFSD_HANDOVER"
#define FIRST_FD      10 /* a worker has use for the numbers below */
#define LISTEN_FIRST  3	 /* sd_listen_fds(3) */
#define LISTEN_MAX    64

/* clang-format off */
static const char *const names[KEPT_COUNT] = {
	[KEPT_STATE]      = "state",
	[KEPT_VAULT]      = "vault",
	[KEPT_FUSE]       = "fuse",
	[KEPT_LOCK]       = "lock",
	[KEPT_TREE]       = "tree",
	[KEPT_INNER]      = "inner",
	[KEPT_INNER_TREE] = "inner-tree",
	[KEPT_EXE]        = "exe",
	[KEPT_SET]        = "set",
	[KEPT_LISTEN]     = "listen",
	[KEPT_CONTROL]    = "control",
	[KEPT_RUNTIME]    = "runtime",
	[KEPT_PIDFILE]    = "pidfile",
	[KEPT_ROOTS]      = "roots",
	[KEPT_ROOTS_TREE] = "roots-tree",
};
/* clang-format on */
_Static_assert(KEPT_COUNT <= WIRE_FDS_MAX, "all in one message");

const char *bundle_name(enum kept which)
{
	return names[which];
}

void bundle_init(struct bundle *bundle)
{
	bundle->source = FROM_NOBODY;
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		bundle->fds[i] = -1;
}

void bundle_done(struct bundle *bundle)
{
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		if (bundle->fds[i] >= 0)
			close(bundle->fds[i]);
	bundle_init(bundle);
}

int bundle_take(struct bundle *bundle, enum kept which)
{
	int fd = bundle->fds[which];

	bundle->fds[which] = -1;
	return fd;
}

/* Puts a descriptor in its place, or closes it. */
static void put(struct bundle *bundle, struct lxcfsd_text name, int fd)
{
	for (unsigned int i = 0; i < KEPT_COUNT; i++) {
		if (bundle->fds[i] < 0 && text_is(name, names[i])) {
			bundle->fds[i] = fd;
			return;
		}
	}
	close(fd);
}

void bundle_from_exec(struct bundle *ret)
{
	const char *value = getenv(EXEC_VARIABLE);
	struct lxcfsd_text rest, part, name;
	uint64_t fd;

	bundle_init(ret);
	if (!value)
		return;
	rest = text_of(value);
	while (text_until(&rest, ':', &part)) {
		if (!text_until(&part, '=', &name) || parse_u64(part, &fd) < 0 || fd < 3 ||
		    fd > INT_MAX || fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
			continue;
		put(ret, name, (int)fd);
		ret->source = FROM_EXEC;
	}
	unsetenv(EXEC_VARIABLE);
}

/* How many systemd has for us; they are numbered from LISTEN_FIRST. */
static int count_listen(void)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	uint64_t value;

	if (!pid || !count || parse_u64(text_of(pid), &value) < 0 || value != (uint64_t)getpid() ||
	    parse_u64(text_of(count), &value) < 0 || value > LISTEN_MAX)
		return 0;
	return (int)value;
}

void bundle_from_store(struct bundle *ret)
{
	const char *value = getenv("LISTEN_FDNAMES");
	struct lxcfsd_text rest = text_of(value ? value : ""), name;
	int count = count_listen();

	bundle_init(ret);
	closefrom(LISTEN_FIRST + count);
	for (int fd = LISTEN_FIRST; fd < LISTEN_FIRST + count; fd++) {
		int raised = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD + LISTEN_MAX);

		close(fd);
		if (!text_until(&rest, ':', &name))
			name = text_of("");
		if (raised < 0)
			continue;
		put(ret, name, raised);
	}
	if (ret->fds[KEPT_STATE] >= 0 || ret->fds[KEPT_FUSE] >= 0)
		ret->source = FROM_STORE;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

void bundle_from_message(struct bundle *ret, struct wire_msg *msg)
{
	struct lxcfsd_text rest = { msg->text, msg->len }, name;

	bundle_init(ret);
	for (unsigned int i = 0; i < msg->fd_count; i++) {
		if (!text_word(&rest, &name))
			name = text_of("");
		put(ret, name, msg->fds[i]);
	}
	msg->fd_count = 0;
	ret->source = FROM_ORPHAN;
}

int bundle_to_exec(const struct bundle *bundle, uint32_t which)
{
	char value[KEPT_COUNT * 32] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < KEPT_COUNT; i++) {
		if (!(which & 1u << i) || bundle->fds[i] < 0)
			continue;
		len += (size_t)snprintf(value + len, sizeof(value) - len, "%s%s=%d", len ? ":" : "",
					names[i], bundle->fds[i]);
		if (fcntl(bundle->fds[i], F_SETFD, 0) < 0)
			return -errno;
	}
	return setenv(EXEC_VARIABLE, value, 1) < 0 ? -errno : 0;
}

void bundle_not_executed(const struct bundle *bundle)
{
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		if (bundle->fds[i] >= 0)
			fcntl(bundle->fds[i], F_SETFD, FD_CLOEXEC);
	unsetenv(EXEC_VARIABLE);
}

int bundle_send(const struct bundle *bundle, uint32_t which, int sock, uint32_t type)
{
	char text[KEPT_COUNT * 16] = "";
	int fds[KEPT_COUNT];
	unsigned int count = 0;
	size_t len = 0;

	for (unsigned int i = 0; i < KEPT_COUNT; i++) {
		if (!(which & 1u << i) || bundle->fds[i] < 0)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s ", names[i]);
		fds[count++] = bundle->fds[i];
	}
	return wire_send(sock, type, text, len, fds, count);
}
