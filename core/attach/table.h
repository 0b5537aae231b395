/* SPDX-License-Identifier: MIT */
/* table.h - a table of mounts, /proc/PID/mountinfo, read line by line: a tenant may
 * have made it, with 100,000 lines of 30 KiB. */
#ifndef LXCFSD_TABLE_H
#define LXCFSD_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

/* The texts are valid within the call that they are handed to. */
struct table_line {
	uint64_t id;
	uint64_t parent;
	struct lxcfsd_text device;  /* "MAJOR:MINOR" */
	struct lxcfsd_text root;    /* what of the file system, escaped */
	struct lxcfsd_text point;   /* where, escaped */
	struct lxcfsd_text options; /* of this mount: "ro,nosuid" */
	struct lxcfsd_text type;
	bool shared; /* what happens there happens in other namespaces too */
	bool slave;  /* what happens in another one happens there */
};

/* Hands each line of the open `fd` to `each`, until that returns false.  A line that
 * makes no sense is left out. */
int table_read(int fd, bool (*each)(void *arg, const struct table_line *line), void *arg);

/* A path of a line with its \ooo undone, and without the "//deleted" of a name that is
 * gone.  -EINVAL, -ENAMETOOLONG. */
int table_path(struct lxcfsd_text field, char *ret, size_t size);

#endif
