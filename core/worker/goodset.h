/* SPDX-License-Identifier: MIT */
/*
 * goodset.h - the files that this worker is made of.
 *
 * Configuration and modules may be broken on disk by the time a worker crashes:
 * the administrator has not finished, a reload was refused, an upgrade went wrong.
 * So a worker records what it has read, whole, in one sealed memory file that the
 * keeper holds; the successor of a crash is made of exactly that, and only a
 * reload looks at the disk.
 *
 * One set per process, used while the worker loads, by one thread.
 */
#ifndef LXCFSD_GOODSET_H
#define LXCFSD_GOODSET_H

#include <stdbool.h>
#include <stddef.h>

/* From now on files come from the set `fd` and from nowhere else. */
int goodset_restore(int fd);
bool goodset_is_restored(void);

/* The file as it was; the bytes stay where they are.  -ENOENT: it is not in the set. */
int goodset_find(const char *path, const char **ret, size_t *ret_len);
/* The same in memory of its own, with a NUL behind it. */
int goodset_read(const char *path, char **ret, size_t *ret_len);
/* The files of a set in their order: NULL at the end.  *cursor begins at 0. */
const char *goodset_next(size_t *cursor);

/* Adds a file that was read.  What cannot be recorded makes goodset_seal() fail. */
void goodset_record(const char *path, const void *bytes, size_t len);
/* The set as a sealed memory file; -errno when there is none. */
int goodset_seal(void);

#endif
