/* SPDX-License-Identifier: MIT */
/* table.c - see table.h.  The format is show_mountinfo()'s, fs/proc_namespace.c. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "table.h"

/* Two paths of PATH_MAX, each byte of which may be escaped with four, and the rest. */
#define LINE_MAX_BYTES (64 << 10)

static bool begins(struct lxcfsd_text text, const char *with)
{
	size_t len = strlen(with);

	return text.len > len && memcmp(text.data, with, len) == 0;
}

static bool parse_line(struct lxcfsd_text rest, struct table_line *ret)
{
	struct table_line line = { 0 };
	struct lxcfsd_text id, parent, word;

	/* one blank between fields, and none in them: text_word() would also take the
	 * carriage return of a name for one */
	if (!text_until(&rest, ' ', &id) || !text_until(&rest, ' ', &parent) ||
	    !text_until(&rest, ' ', &line.device) || !text_until(&rest, ' ', &line.root) ||
	    !text_until(&rest, ' ', &line.point) || !text_until(&rest, ' ', &line.options) ||
	    parse_u64(id, &line.id) < 0 || parse_u64(parent, &line.parent) < 0)
		return false;
	do {
		if (!text_until(&rest, ' ', &word))
			return false;
		line.shared = line.shared || begins(word, "shared:");
		line.slave = line.slave || begins(word, "master:");
	} while (!text_is(word, "-"));
	if (!text_until(&rest, ' ', &line.type) || line.point.len == 0 || line.root.len == 0)
		return false;
	*ret = line;
	return true;
}

/* The complete lines in `text`; returns how many bytes they have, or -1 at the end. */
static ssize_t take_lines(struct lxcfsd_text text,
			  bool (*each)(void *arg, const struct table_line *line), void *arg)
{
	struct lxcfsd_text line_text;
	struct table_line line;
	size_t total = text.len;

	while (memchr(text.data, '\n', text.len) && text_line(&text, &line_text))
		if (parse_line(line_text, &line) && !each(arg, &line))
			return -1;
	return (ssize_t)(total - text.len);
}

int table_read(int fd, bool (*each)(void *arg, const struct table_line *line), void *arg)
{
	static char buf[2 * LINE_MAX_BYTES];
	size_t have = 0;

	for (;;) {
		ssize_t n = read(fd, buf + have, sizeof(buf) - have), taken;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		have += (size_t)n;
		taken = take_lines((struct lxcfsd_text){ buf, have }, each, arg);
		if (taken < 0)
			return 0;
		have -= (size_t)taken;
		memmove(buf, buf + taken, have);
		if (have == sizeof(buf)) /* no line is that long */
			return -EFBIG;
	}
}

static int octal(char c)
{
	return c >= '0' && c <= '7' ? c - '0' : -1;
}

int table_path(struct lxcfsd_text field, char *ret, size_t size)
{
	static const char gone[] = "//deleted";
	const size_t gone_len = sizeof(gone) - 1;
	size_t len = 0;

	if (field.len > gone_len && memcmp(field.data + field.len - gone_len, gone, gone_len) == 0)
		field.len -= gone_len;
	if (field.len == 0 || field.data[0] != '/')
		return -EINVAL;
	for (size_t i = 0; i < field.len; i++) {
		int c = (unsigned char)field.data[i];

		if (c == '\\') { /* one that is meant is written as \134 */
			int high = field.len - i > 3 ? octal(field.data[i + 1]) : -1;
			int mid = field.len - i > 3 ? octal(field.data[i + 2]) : -1;
			int low = field.len - i > 3 ? octal(field.data[i + 3]) : -1;

			if (high < 0 || mid < 0 || low < 0)
				return -EINVAL;
			c = high << 6 | mid << 3 | low;
			if (c == 0 || c > 255)
				return -EINVAL;
			i += 3;
		}
		if (len + 1 >= size)
			return -ENAMETOOLONG;
		ret[len++] = (char)c;
	}
	ret[len] = '\0';
	return 0;
}
