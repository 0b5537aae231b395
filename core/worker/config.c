/* SPDX-License-Identifier: MIT */
/*
 * config.c - the text of lxcfsd.ini and conf.d/ as sections and keys.
 *
 * inih says neither where a key stands nor that a section begins, cuts a line at
 * 200 bytes and a name at 49, ends a section's name at the first `]`, and calls
 * back again with the same key for an indented line.  All of it is silent.  So
 * inih reads through next_line(), which counts, keeps track of the section and
 * hands over only what inih understands the way that its author did.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "config_private.h"
#include "goodset.h"
#include "io.h"
#include "text.h"

/* Each is far above what anybody writes; without them a wrong path (a disk
 * image, a log) would take all memory before it is refused. */
#define FILE_BYTES_MAX	 (256 * 1024)
#define SECTIONS_MAX	 1024
#define SECTION_KEYS_MAX 256

/* inih's line buffer has 200 bytes, for the newline and the NUL too. */
#define LINE_BYTES_MAX 198
#define NAME_BYTES_MAX 49

enum where {
	BEFORE_ANY, /* no section yet */
	IN_SECTION, /* the last of raw->sections */
	IN_REFUSED, /* a section that is a problem already: its keys say nothing new */
};

struct reader {
	struct raw_config *raw;
	struct problems *problems;
	const char *file;
	struct lxcfsd_text rest;
	unsigned int line;
	enum where where;
	size_t section; /* IN_SECTION: its index */
	bool key_due;	/* inih was given a line and has not called back */
	int err;
};

#define bad(reader, ...)                                                                           \
	problem_add((reader)->problems, (reader)->file, (reader)->line, __VA_ARGS__)

/* `title` with one blank between its words, so that equal sections are equal. */
static char *normal_title(struct lxcfsd_text title)
{
	char *out = malloc(title.len + 1);
	struct lxcfsd_text word;
	size_t len = 0;

	if (!out)
		return NULL;
	while (text_word(&title, &word)) {
		if (len > 0)
			out[len++] = ' ';
		memcpy(out + len, word.data, word.len);
		len += word.len;
	}
	out[len] = '\0';
	return out;
}

static const struct raw_section *find_section(const struct raw_config *raw, const char *title)
{
	for (size_t i = 0; i < raw->section_count; i++)
		if (strcmp(raw->sections[i].title, title) == 0)
			return &raw->sections[i];
	return NULL;
}

/* Takes `title` over. */
static void add_section(struct reader *reader, char *title)
{
	struct raw_config *raw = reader->raw;
	const struct raw_section *twin = find_section(raw, title);
	struct raw_section *more;

	reader->where = IN_REFUSED;
	if (twin && twin->file != reader->file) { /* another file adds to it */
		reader->where = IN_SECTION;
		reader->section = (size_t)(twin - raw->sections);
		free(title);
		return;
	}
	if (twin) {
		bad(reader, "section [%s] stands already in %s:%u: put its keys there", title,
		    twin->file, twin->line);
		free(title);
		return;
	}
	if (raw->section_count == SECTIONS_MAX) {
		bad(reader, "more than %d sections", SECTIONS_MAX);
		free(title);
		return;
	}
	more = reallocarray(raw->sections, raw->section_count + 1, sizeof(*more));
	if (!more) {
		reader->err = -ENOMEM;
		free(title);
		return;
	}
	raw->sections = more;
	reader->section = raw->section_count;
	more[raw->section_count++] = (struct raw_section){
		.title = title,
		.file = reader->file,
		.line = reader->line,
	};
	reader->where = IN_SECTION;
}

/* Nothing, or blanks and a comment. */
static bool is_end_of_line(struct lxcfsd_text text)
{
	struct lxcfsd_text word, rest = text;

	if (!text_word(&rest, &word))
		return true;
	return word.data > text.data && (word.data[0] == ';' || word.data[0] == '#');
}

/* A line that begins with `[`. */
static void section_line(struct reader *reader, struct lxcfsd_text line)
{
	struct lxcfsd_text title = { line.data + 1, line.len - 1 }, rest;
	const char *end = memchr(title.data, ']', title.len);
	char *name;

	reader->where = IN_REFUSED;
	if (!end) {
		bad(reader, "a section's name must end with ]");
		return;
	}
	rest = (struct lxcfsd_text){ end + 1, (size_t)(line.data + line.len - end - 1) };
	title.len = (size_t)(end - title.data);
	if (!is_end_of_line(rest)) {
		bad(reader, "text behind the section's name: a name cannot contain ], and a key "
			    "needs a line of its own");
		return;
	}
	if (title.len > NAME_BYTES_MAX) {
		bad(reader, "a section's name has at most %d bytes, this one has %zu",
		    NAME_BYTES_MAX, title.len);
		return;
	}
	if (memchr(title.data, '[', title.len) || memchr(title.data, ';', title.len)) {
		bad(reader, "a section's name cannot contain [ or ;");
		return;
	}
	name = normal_title(title);
	if (!name)
		reader->err = -ENOMEM;
	else
		add_section(reader, name);
}

/* The first byte that no line may have, or -1. */
static int control_byte(struct lxcfsd_text line)
{
	for (size_t i = 0; i < line.len; i++) {
		unsigned char c = (unsigned char)line.data[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return c;
	}
	return -1;
}

/* True for a line that is inih's to take apart. */
static bool is_key_line(struct reader *reader, struct lxcfsd_text line, size_t room)
{
	struct lxcfsd_text word, rest = line;
	int c = control_byte(line);

	if (c == 0)
		bad(reader, "a NUL byte: this is not a text file, or it was damaged");
	else if (c > 0)
		bad(reader, "a control byte (0x%02x): remove it", (unsigned int)c);
	else if (!text_word(&rest, &word) || word.data[0] == ';' || word.data[0] == '#')
		return false;
	else if (line.len > LINE_BYTES_MAX || line.len + 2 > room)
		bad(reader, "the line has %zu bytes, at most %d are read: shorten it", line.len,
		    LINE_BYTES_MAX);
	else if (word.data > line.data)
		bad(reader, "the line begins with a blank: a value cannot go on in the next line, "
			    "and keys are not indented");
	else if (line.data[0] == '[')
		section_line(reader, line);
	else
		return true;
	return false;
}

/* What inih calls as it would fgets(). */
static char *next_line(char *buf, int size, void *stream)
{
	struct reader *reader = stream;
	struct lxcfsd_text line;

	if (reader->key_due)
		bad(reader, "not a `key = value` line");
	reader->key_due = false;
	while (!reader->err && text_line(&reader->rest, &line)) {
		reader->line++;
		if (line.len > 0 && line.data[line.len - 1] == '\r')
			line.len--;
		if (!is_key_line(reader, line, (size_t)size))
			continue;
		memcpy(buf, line.data, line.len);
		memcpy(buf + line.len, "\n", 2);
		reader->key_due = true;
		return buf;
	}
	return NULL;
}

static void add_key(struct reader *reader, const char *name, const char *value)
{
	struct raw_section *section = &reader->raw->sections[reader->section];
	struct config_key *more, key = { .file = reader->file, .line = reader->line };

	for (size_t i = 0; i < section->key_count; i++)
		if (strcmp(section->keys[i].key, name) == 0) {
			bad(reader, "key '%s' stands already in %s:%u: keep one of them", name,
			    section->keys[i].file, section->keys[i].line);
			return;
		}
	if (section->key_count == SECTION_KEYS_MAX) {
		bad(reader, "more than %d keys in [%s]", SECTION_KEYS_MAX, section->title);
		return;
	}
	key.key = strdup(name);
	key.value = strdup(value);
	more = reallocarray(section->keys, section->key_count + 1, sizeof(*more));
	if (more)
		section->keys = more;
	if (!more || !key.key || !key.value) {
		free(key.key);
		free(key.value);
		reader->err = -ENOMEM;
		return;
	}
	section->keys[section->key_count++] = key;
}

/* What inih calls for each key.  Its idea of the section is not used. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct reader *reader = user;

	(void)section;
	reader->key_due = false;
	if (!*name)
		bad(reader, "there is no key in front of the =");
	else if (strlen(name) > NAME_BYTES_MAX)
		bad(reader, "a key has at most %d bytes, this one has %zu", NAME_BYTES_MAX,
		    strlen(name));
	else if (reader->where == BEFORE_ANY)
		bad(reader,
		    "key '%s' stands in front of the first section: write [lxcfsd] above "
		    "it",
		    name);
	else if (reader->where == IN_SECTION && !reader->err)
		add_key(reader, name, value);
	return 1;
}

/* The text of `file`, which raw->files already owns. */
static int read_text(struct raw_config *raw, const char *file, const char *text, size_t len,
		     struct problems *problems)
{
	struct reader reader = {
		.raw = raw,
		.problems = problems,
		.file = file,
		.rest = { text, len },
	};

	/* the mark that some editors put in front of UTF-8 */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		reader.rest = (struct lxcfsd_text){ text + 3, len - 3 };
	/* its only error that was not seen here: no memory */
	if (ini_parse_stream(next_line, &reader, on_key, &reader) == -2)
		return -ENOMEM;
	return reader.err;
}

static int read_one(struct raw_config *raw, const char *path, struct problems *problems)
{
	_free_ char *text = NULL;
	char **more, *file;
	size_t len;
	int r;

	if (goodset_is_restored())
		r = goodset_read(path, &text, &len);
	else
		r = io_read_alloc(AT_FDCWD, path, FILE_BYTES_MAX, &text, &len);
	if (r == -ENOMEM)
		return r;
	if (r == -EFBIG)
		problem_add(problems, path, 0, "larger than %d KiB: not a configuration",
			    FILE_BYTES_MAX / 1024);
	else if (r < 0)
		problem_add(problems, path, 0, "cannot be read: %s", strerror(-r));
	if (r < 0)
		return 0;
	goodset_record(path, text, len);
	more = reallocarray(raw->files, raw->file_count + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	raw->files = more;
	file = strdup(path);
	if (!file)
		return -ENOMEM;
	raw->files[raw->file_count++] = file;
	return read_text(raw, file, text, len, problems);
}

static int is_ini(const struct dirent *entry)
{
	return fnmatch("*.ini", entry->d_name, FNM_PERIOD) == 0;
}

/* By bytes: the order must not depend on the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* What stood in the directory when the set was recorded, in the same order. */
static int read_recorded(struct raw_config *raw, const char *dir, struct problems *problems)
{
	size_t len = strlen(dir), cursor = 0;
	const char *path;
	int r = 0;

	while (r == 0 && (path = goodset_next(&cursor)))
		if (strncmp(path, dir, len) == 0 && path[len] == '/' &&
		    fnmatch("*.ini", path + len + 1, FNM_PERIOD | FNM_PATHNAME) == 0)
			r = read_one(raw, path, problems);
	return r;
}

static int read_directory(struct raw_config *raw, const char *dir, struct problems *problems)
{
	struct dirent **entries;
	int n, r = 0;

	n = scandir(dir, &entries, is_ini, by_name);
	if (n < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (n < 0 && errno == ENOMEM)
		return -ENOMEM;
	if (n < 0) {
		problem_add(problems, dir, 0, "cannot be read: %s", strerror(errno));
		return 0;
	}
	for (int i = 0; i < n; i++) {
		_free_ char *path = NULL;

		if (r == 0 && asprintf(&path, "%s/%s", dir, entries[i]->d_name) < 0) {
			path = NULL;
			r = -ENOMEM;
		}
		if (r == 0)
			r = read_one(raw, path, problems);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int raw_read(const char *path, struct problems *problems, struct raw_config *raw)
{
	const char *slash = strrchr(path, '/');
	_free_ char *dir = NULL;
	int r;

	r = read_one(raw, path, problems);
	if (r < 0)
		return r;
	if (asprintf(&dir, "%.*sconf.d", slash ? (int)(slash - path + 1) : 0, path) < 0) {
		dir = NULL;
		return -ENOMEM;
	}
	return goodset_is_restored() ? read_recorded(raw, dir, problems)
				     : read_directory(raw, dir, problems);
}

void config_keys_free(struct config_key *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(keys[i].key);
		free(keys[i].value);
	}
	free(keys);
}

void raw_done(struct raw_config *raw)
{
	for (size_t i = 0; i < raw->section_count; i++) {
		free(raw->sections[i].title);
		config_keys_free(raw->sections[i].keys, raw->sections[i].key_count);
	}
	free(raw->sections);
	for (size_t i = 0; i < raw->file_count; i++)
		free(raw->files[i]);
	free(raw->files);
	*raw = (struct raw_config){ .section_count = 0 };
}
