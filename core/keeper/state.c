/* SPDX-License-Identifier: MIT */
/* state.c - see state.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "change.h"
#include "io.h"
#include "state.h"
#include "text.h"

#define HALF_SIZE (256u << 10)
#define HEAD	  "lxcfsd-state 1 " /* another number: a text that we cannot read */
#define END	  "end "

enum type { NUMBER32, NUMBER64, FLAG, TEXT, STRING };

struct field {
	const char *name;
	enum type type;
	size_t at;
	size_t size; /* of a TEXT */
};

#define OF(type, place) type, offsetof(struct keeper, place), sizeof(((struct keeper *)NULL)->place)
#define OPTION(type, place)                                                                        \
	type, offsetof(struct options, place), sizeof(((struct options *)NULL)->place)

/* clang-format off */
static const struct field keeper_fields[] = {
	{ "pid_namespace",           OF(NUMBER64, handover.pid_namespace) },
	{ "stored",                  OF(NUMBER32, handover.stored) },
	{ "mount.path",              OF(TEXT, mount.path) },
	{ "mount.device",            OF(TEXT, mount.device) },
	{ "mountpoint",              OF(TEXT, mountpoint) },
	{ "remounts",                OF(NUMBER32, remounts) },
	{ "remounted_ns",            OF(NUMBER64, remounted_ns) },
	{ "inner.path",              OF(TEXT, inner[0].path) },
	{ "inner.device",            OF(TEXT, inner[0].device) },
	{ "inner.stale",             OF(TEXT, inner[0].stale) },
	{ "inner.failed",            OF(FLAG, inner[0].failed) },
	{ "inner.remounts",          OF(NUMBER32, inner[0].remounts) },
	{ "inner.remounted_ns",      OF(NUMBER64, inner[0].remounted_ns) },
	{ "roots.path",              OF(TEXT, inner[1].path) },
	{ "roots.device",            OF(TEXT, inner[1].device) },
	{ "roots.stale",             OF(TEXT, inner[1].stale) },
	{ "roots.failed",            OF(FLAG, inner[1].failed) },
	{ "roots.remounts",          OF(NUMBER32, inner[1].remounts) },
	{ "roots.remounted_ns",      OF(NUMBER64, inner[1].remounted_ns) },
	{ "generation",              OF(NUMBER32, generation) },
	{ "reloads",                 OF(NUMBER32, reloads) },
	{ "failures",                OF(NUMBER32, failures) },
	{ "worker.pid",              OF(NUMBER32, active.pid) },
	{ "worker.started",          OF(NUMBER64, handover.worker_started) },
	{ "worker.generation",       OF(NUMBER32, active.generation) },
	{ "worker.since_ns",         OF(NUMBER64, active.since_ns) },
	{ "worker.started_ns",       OF(NUMBER64, active.started_ns) },
	{ "worker.ready_timeout_ms", OF(NUMBER32, active.ready.ready_timeout_ms) },
	{ "worker.request_timeout_ms", OF(NUMBER32, active.ready.request_timeout_ms) },
	{ "worker.drain_ms",         OF(NUMBER32, active.ready.drain_ms) },
	{ "worker.plugins",          OF(NUMBER32, active.ready.plugins) },
	{ "worker.log_level",        OF(NUMBER32, active.ready.log_level) },
	{ "worker.mountpoint",       OF(TEXT, active.ready.mountpoint) },
	{ "worker.inner",            OF(TEXT, active.ready.inner) },
	{ "worker.roots",            OF(TEXT, active.ready.roots) },
	{ "worker.hide_host",        OF(NUMBER32, active.ready.hide_host) },
	{ "worker.reattach",         OF(NUMBER32, active.ready.reattach) },
	{ "worker.standby",          OF(NUMBER32, active.ready.standby) },
	{ "reloads_ok",              OF(NUMBER64, watch.reloads_ok) },
	{ "reloads_failed",          OF(NUMBER64, watch.reloads_failed) },
	{ "deaths.fault",            OF(NUMBER64, watch.deaths[DEATH_FAULT]) },
	{ "deaths.exit",             OF(NUMBER64, watch.deaths[DEATH_EXIT]) },
	{ "deaths.killed",           OF(NUMBER64, watch.deaths[DEATH_KILLED]) },
	{ "deaths.oom",              OF(NUMBER64, watch.deaths[DEATH_OOM]) },
	{ "deaths.hung",             OF(NUMBER64, watch.deaths[DEATH_HUNG]) },
	{ "remounts.all",            OF(NUMBER64, watch.remounts) },
	{ "remounts.inner",          OF(NUMBER64, watch.inner_remounts) },
	{ "put_back",                OF(NUMBER64, watch.put_back) },
};
static const struct field option_fields[] = {
	{ "option.foreground",       OPTION(FLAG, foreground) },
	{ "option.config",           OPTION(STRING, config) },
	{ "option.pidfile",          OPTION(STRING, pidfile) },
	{ "option.runtime_dir",      OPTION(STRING, runtime_dir) },
	{ "option.exe",              OPTION(STRING, exe) },
	{ "option.mountpoint",       OPTION(STRING, mountpoint) },
};
/* clang-format on */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OVERRIDE     "option.override"

static char text[HALF_SIZE];

int state_new(int *ret_fd)
{
	int fd = memfd_create("lxcfsd-state", MFD_CLOEXEC | MFD_ALLOW_SEALING), r;

	if (fd < 0)
		return -errno;
	if (ftruncate(fd, 2 * HALF_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0) {
		r = -errno;
		close(fd);
		return r;
	}
	*ret_fd = fd;
	return 0;
}

/* ------------------------------------------------------------------ writing */

/* A bounded text; what did not fit is noticed at the end. */
struct sink {
	size_t len;
};

static void put(struct sink *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(struct sink *out, const char *format, ...)
{
	size_t room = sizeof(text) - out->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text + out->len, room, format, args);
	va_end(args);
	out->len = n < 0 || (size_t)n >= room ? sizeof(text) : out->len + (size_t)n;
}

/* Control bytes and backslashes as \ooo. */
static void put_text(struct sink *out, const char *name, const char *value)
{
	put(out, "%s ", name);
	for (; *value; value++)
		put(out, (unsigned char)*value < ' ' || *value == '\\' ? "\\%03o" : "%c",
		    (unsigned char)*value);
	put(out, "\n");
}

static void put_fields(struct sink *out, const struct field *fields, size_t count,
		       const void *object)
{
	for (const struct field *f = fields; f < fields + count; f++) {
		const void *at = (const char *)object + f->at;
		const char *string;

		switch (f->type) {
		case NUMBER32:
			put(out, "%s %u\n", f->name, *(const uint32_t *)at);
			break;
		case NUMBER64:
			put(out, "%s %llu\n", f->name, (unsigned long long)*(const uint64_t *)at);
			break;
		case FLAG:
			put(out, "%s %d\n", f->name, *(const bool *)at);
			break;
		case TEXT:
			put_text(out, f->name, at);
			break;
		case STRING:
			memcpy(&string, at, sizeof(string));
			put_text(out, f->name, string ? string : "");
			break;
		}
	}
}

int state_write(int fd, const struct keeper *k, uint32_t *seq)
{
	const struct options *o = k->options;
	struct sink out = { 0 };
	uint32_t next = *seq + 1;
	size_t len;
	ssize_t n;

	put(&out, HEAD "%u\n", next);
	put_fields(&out, keeper_fields, COUNT(keeper_fields), k);
	put_fields(&out, option_fields, COUNT(option_fields), o);
	for (unsigned int i = 0; i < o->override_count; i++)
		put_text(&out, OVERRIDE, o->overrides[i]);
	put(&out, END "%u\n", next);
	if (out.len >= sizeof(text))
		return -ENOSPC;
	len = out.len + 1; /* with its NUL */
	n = pwrite(fd, text, len, (off_t)(next % 2 * HALF_SIZE));
	if (n < 0)
		return -errno;
	if ((size_t)n != len)
		return -EIO;
	*seq = next;
	return 0;
}

/* ------------------------------------------------------------------ reading */

/* One half into `text`; its number, if it is whole. */
static int load_half(int fd, unsigned int half, uint32_t *ret_seq)
{
	struct lxcfsd_text rest, line;
	char end[32];
	uint64_t seq;
	ssize_t n = pread(fd, text, sizeof(text) - 1, (off_t)(half * HALF_SIZE));
	size_t len, end_len;

	if (n < 0)
		return -errno;
	text[n] = '\0';
	len = strlen(text);
	rest = (struct lxcfsd_text){ text, len };
	if (!text_line(&rest, &line) || line.len < strlen(HEAD) ||
	    memcmp(line.data, HEAD, strlen(HEAD)) != 0)
		return -EINVAL;
	line = (struct lxcfsd_text){ line.data + strlen(HEAD), line.len - strlen(HEAD) };
	if (parse_u64(line, &seq) < 0 || seq > UINT32_MAX)
		return -EINVAL;
	end_len = (size_t)snprintf(end, sizeof(end), "\n" END "%u\n", (uint32_t)seq);
	if (len < end_len || memcmp(text + len - end_len, end, end_len) != 0)
		return -EINVAL;
	*ret_seq = (uint32_t)seq;
	return 0;
}

/* The half that was written last into `text`. */
static int load(int fd, uint32_t *ret_seq)
{
	uint32_t seq[2];
	int r[2] = { load_half(fd, 0, &seq[0]), load_half(fd, 1, &seq[1]) };
	unsigned int newer;

	if (r[0] < 0 && r[1] < 0)
		return r[0];
	if (r[0] == 0 && r[1] == 0)
		newer = (int32_t)(seq[1] - seq[0]) > 0;
	else
		newer = r[1] == 0;
	return load_half(fd, newer, ret_seq);
}

static int unescape(struct lxcfsd_text value, char *ret, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < value.len; i++) {
		unsigned int c = (unsigned char)value.data[i];

		if (c == '\\') {
			c = 0;
			if (value.len - i < 4)
				return -EINVAL;
			for (unsigned int k = 1; k <= 3; k++) {
				if (value.data[i + k] < '0' || value.data[i + k] > '7')
					return -EINVAL;
				c = c << 3 | (unsigned int)(value.data[i + k] - '0');
			}
			i += 3;
		}
		if (c == 0 || c > 255 || len + 1 >= size)
			return -EINVAL;
		ret[len++] = (char)c;
	}
	ret[len] = '\0';
	return 0;
}

static int set_string(char **at, struct lxcfsd_text value)
{
	char *string = malloc(value.len + 1);
	int r = string ? unescape(value, string, value.len + 1) : -ENOMEM;

	if (r < 0) {
		free(string);
		return r;
	}
	free(*at);
	*at = string;
	return 0;
}

static int set_field(const struct field *f, void *object, struct lxcfsd_text value)
{
	void *at = (char *)object + f->at;
	uint64_t number;

	if (f->type == TEXT)
		return unescape(value, at, f->size);
	if (f->type == STRING)
		return set_string(at, value);
	if (parse_u64(value, &number) < 0)
		return -EINVAL;
	if (f->type == NUMBER64)
		*(uint64_t *)at = number;
	else if (f->type == FLAG && number <= 1)
		*(bool *)at = number;
	else if (f->type == NUMBER32 && number <= INT32_MAX)
		*(uint32_t *)at = (uint32_t)number;
	else
		return -EINVAL;
	return 0;
}

static int set_fields(const struct field *fields, size_t count, void *object)
{
	struct lxcfsd_text rest = text_of(text), line, name;
	int r = 0;

	while (r == 0 && text_line(&rest, &line)) {
		if (!text_until(&line, ' ', &name))
			continue;
		for (size_t i = 0; r == 0 && i < count; i++)
			if (text_is(name, fields[i].name))
				r = set_field(&fields[i], object, line);
	}
	return r;
}

int state_read(int fd, struct keeper *k, uint32_t *ret_seq)
{
	int r = load(fd, ret_seq);

	return r < 0 ? r : set_fields(keeper_fields, COUNT(keeper_fields), k);
}

static int add_override(struct options *o, struct lxcfsd_text value)
{
	if (o->override_count == OVERRIDES_MAX)
		return -E2BIG;
	return set_string(&o->overrides[o->override_count++], value);
}

int state_read_options(int fd, struct options *ret)
{
	struct lxcfsd_text rest, line, name;
	struct options o = { 0 };
	uint32_t seq;
	int r = load(fd, &seq);

	if (r == 0)
		r = set_fields(option_fields, COUNT(option_fields), &o);
	rest = text_of(text);
	while (r == 0 && text_line(&rest, &line))
		if (text_until(&line, ' ', &name) && text_is(name, OVERRIDE))
			r = add_override(&o, line);
	if (r == 0 && (!o.config || !o.pidfile || !o.runtime_dir || !o.exe))
		r = -EINVAL;
	if (r == 0)
		r = options_find_worker(&o);
	if (r < 0) {
		options_done(&o);
		return r;
	}
	*ret = o;
	return 0;
}
