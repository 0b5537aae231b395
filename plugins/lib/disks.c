/* SPDX-License-Identifier: MIT */
/* disks.c - see disks.h. */
#include "cursor.h"
#include "disks.h"

static struct disk *find(struct disks *disks, struct disk_id id)
{
	/* those who ask mostly ask in the same order */
	for (size_t i = 0; i < disks->count; i++) {
		size_t at = (disks->last + i) % disks->count;
		struct disk *disk = &disks->list[at];

		if (disk->id.major != id.major || disk->id.minor != id.minor)
			continue;
		disks->last = at;
		return disk;
	}
	return NULL;
}

const struct disk *disks_find(struct disks *disks, struct disk_id id)
{
	return find(disks, id);
}

bool disk_word(struct lxcfsd_text *rest, struct lxcfsd_text *ret)
{
	size_t len = 0;

	cursor_blanks(rest);
	while (len < rest->len && rest->data[len] != ' ' && rest->data[len] != '\t')
		len++;
	*ret = (struct lxcfsd_text){ rest->data, len };
	*rest = (struct lxcfsd_text){ rest->data + len, rest->len - len };
	return len > 0;
}

/* The whole word is a number. */
static bool word_u64(struct lxcfsd_text word, uint64_t *ret)
{
	uint64_t value;

	if (!cursor_u64(&word, &value) || word.len > 0)
		return false;
	*ret = value;
	return true;
}

bool disk_row(struct lxcfsd_text *rest, struct disk_id *ret)
{
	struct lxcfsd_text major, minor;

	return disk_word(rest, &major) && disk_word(rest, &minor) && word_u64(major, &ret->major) &&
	       word_u64(minor, &ret->minor);
}

/* The word's part in front of `c`; what follows stays in *word. */
static bool split(struct lxcfsd_text *word, char c, struct lxcfsd_text *ret)
{
	const char *at = word->len ? memchr(word->data, c, word->len) : NULL;
	size_t len;

	if (!at)
		return false;
	len = (size_t)(at - word->data);
	*ret = (struct lxcfsd_text){ word->data, len };
	*word = (struct lxcfsd_text){ at + 1, word->len - len - 1 };
	return true;
}

/* "MAJOR:MINOR" */
static bool parse_id(struct lxcfsd_text word, struct disk_id *ret)
{
	struct lxcfsd_text major;

	return split(&word, ':', &major) && word_u64(major, &ret->major) &&
	       word_u64(word, &ret->minor);
}

enum what { BYTES, COUNT };

static int note(struct disks *disks, struct disk_id id, enum what what, enum disk_op op,
		uint64_t value)
{
	struct disk *disk;
	uint64_t *to;

	if (value == 0)
		return 0;
	disk = find(disks, id);
	if (!disk && disks->count == DISKS_MAX)
		return -E2BIG;
	if (!disk) {
		disks->last = disks->count;
		disk = &disks->list[disks->count++];
		*disk = (struct disk){ .id = id };
	}
	to = what == BYTES ? &disk->bytes[op] : &disk->count[op];
	if (*to < value)
		*to = value;
	return 0;
}

/* "rbytes=8192" */
static int take_pair(struct disks *disks, struct disk_id id, struct lxcfsd_text word)
{
	static const struct {
		const char *key;
		enum what what;
		enum disk_op op;
	} keys[] = {
		{ "rbytes", BYTES, DISK_READ },	   { "wbytes", BYTES, DISK_WRITE },
		{ "dbytes", BYTES, DISK_DISCARD }, { "rios", COUNT, DISK_READ },
		{ "wios", COUNT, DISK_WRITE },	   { "dios", COUNT, DISK_DISCARD },
	};
	struct lxcfsd_text key;
	uint64_t value;

	if (!split(&word, '=', &key) || !word_u64(word, &value))
		return 0;
	for (size_t i = 0; i < LXCFSD_COUNT(keys); i++)
		if (cursor_is(key, keys[i].key, strlen(keys[i].key)))
			return note(disks, id, keys[i].what, keys[i].op, value);
	return 0; /* io.cost and io.latency add theirs */
}

/* A line begins with a device.  Linux 5.15 leaves devices without numbers, and no
 * newline, in front of it: the last one counts. */
static int take_io_stat(struct disks *disks, struct lxcfsd_text text)
{
	struct lxcfsd_text line, word;
	struct disk_id id;
	int r = 0;

	while (cursor_line(&text, &line)) {
		bool known = false;

		while (r == 0 && disk_word(&line, &word)) {
			if (parse_id(word, &id))
				known = true;
			else if (known)
				r = take_pair(disks, id, word);
		}
	}
	return r;
}

/* Lines "8:0 Read 4096"; Sync, Async and Total are other sums of the same. */
static int take_rwstat(struct disks *disks, enum what what, struct lxcfsd_text text)
{
	static const char *const names[] = {
		[DISK_READ] = "Read", [DISK_WRITE] = "Write", [DISK_DISCARD] = "Discard"
	};
	struct lxcfsd_text line, device, name, number, more;
	struct disk_id id;
	uint64_t value;
	int r = 0;

	while (r == 0 && cursor_line(&text, &line)) {
		if (!disk_word(&line, &device) || !disk_word(&line, &name) ||
		    !disk_word(&line, &number) || disk_word(&line, &more) ||
		    !parse_id(device, &id) || !word_u64(number, &value))
			continue;
		for (unsigned int op = 0; op < DISK_OP_COUNT && r == 0; op++)
			if (cursor_is(name, names[op], strlen(names[op])))
				r = note(disks, id, what, op, value);
	}
	return r;
}

int disks_read(const struct lxcfsd_services *svc, struct lxcfsd_request *req, struct disks *ret)
{
	static const struct {
		enum lxcfsd_control file;
		enum what what;
	} v1[] = {
		{ LXCFSD_BFQ_BYTES, BYTES },	  { LXCFSD_BFQ_COUNT, COUNT },
		{ LXCFSD_THROTTLE_BYTES, BYTES }, { LXCFSD_THROTTLE_COUNT, COUNT },
		{ LXCFSD_CFQ_BYTES, BYTES },	  { LXCFSD_CFQ_COUNT, COUNT },
	};
	struct lxcfsd_text text;
	int r;

	ret->count = ret->last = 0;
	r = svc->control(req, LXCFSD_IO_STAT, &text);
	if (r != -ENOENT)
		return r < 0 ? r : take_io_stat(ret, text);
	for (size_t i = 0; i < LXCFSD_COUNT(v1); i++) {
		r = svc->control(req, v1[i].file, &text);
		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = take_rwstat(ret, v1[i].what, text);
		if (r < 0)
			return r;
	}
	return 0;
}
