/* SPDX-License-Identifier: MIT */
/*
 * lent.h - bytes that several readers share.
 *
 * Invariant: the bytes do not change while more than one reference exists.  The
 * owner (a cache entry, under its lock) is the only one who hands out further
 * references, so when it holds the last one it may overwrite in place: a cache
 * that is refreshed needs no memory.
 */
#ifndef LXCFSD_LENT_H
#define LXCFSD_LENT_H

#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>

struct lent {
	atomic_uint refs;
	size_t len;
	size_t cap;
	alignas(8) char data[]; /* len bytes and a NUL */
};

/* One reference, room for `cap` bytes and the NUL.  NULL: no memory. */
struct lent *lent_new(size_t cap);
struct lent *lent_ref(struct lent *lent);
struct lent *lent_unref(struct lent *lent);

/* *slot gets room for `cap` bytes that nobody else sees: the object that is
 * there when that will do, else a new one. */
int lent_own(struct lent **slot, size_t cap);

/* The whole of `fd` from its start into *slot, at most `max` bytes (-EFBIG).
 * After an error the bytes of *slot mean nothing. */
int lent_read(struct lent **slot, int fd, size_t max);

#endif
