/* SPDX-License-Identifier: MIT */
/*
 * handles.h - open files, their subjects and their half-read texts, in the vault.
 *
 * A handle is an index and a serial number, never a pointer.  A read at offset 0
 * makes a snapshot of the whole text; what is read later comes from it, so that a
 * text read in pieces is one text, also when a worker dies in between.  Handles
 * and snapshots are bounded per container, and more tightly when few are left; beyond the
 * bound that container's further opens get the stateless handle 0: every read renders
 * anew.  Never an error, and no other container is touched.
 *
 * Free lists and counts are this worker's own memory and are rebuilt from the
 * table at start.
 */
#ifndef LXCFSD_HANDLES_H
#define LXCFSD_HANDLES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "runs.h"
#include "vault.h"

#define HANDLE_STATELESS 0
#define HANDLE_LOCKS	 256

struct handles {
	struct vault_header *vault;
	uint32_t generation;
	struct vault_handles *part; /* NULL: everything is stateless */
	struct vault_handle *table; /* its table */
	struct vault_subject *saved;
	uint8_t *arena;
	struct model *model;
	uint32_t max_handles; /* per container */
	uint32_t max_pages;   /* per container */
	bool unresolved;      /* whose the new ones are has to be asked later */
	pthread_mutex_t lock; /* of everything below */
	uint32_t *free_list;
	uint32_t free_count;
	struct runs pages;	   /* of the arena */
	struct subject **subjects; /* of the saved ones, made when first asked for */
	uint32_t *subject_handles;
	uint32_t *subject_pages; /* the last entry of both: the host's view */
	uint32_t used_pages;
	uint64_t refused; /* opens beyond a bound */
	pthread_mutex_t snapshot_locks[HANDLE_LOCKS];
};

int handles_open(struct handles *h, struct vault_header *vault, uint32_t generation,
		 struct model *model, const struct settings *settings);

/* Frees what handles_open() made; the vault stays as it is. */
void handles_done(struct handles *h);

/* The handle of a new open file; HANDLE_STATELESS beyond a bound.  `subject` may
 * be NULL: the host's view. */
uint64_t handle_new(struct handles *h, uint32_t conn, uint32_t node, struct subject *subject,
		    pid_t opener, uint64_t unique);
/* The one that a dead worker made for the same OPEN; HANDLE_STATELESS: none. */
uint64_t handle_find(struct handles *h, uint32_t conn, uint32_t node, uint64_t unique);
void handle_free(struct handles *h, uint64_t fh);

/* Once a second or so: lets go of subjects that have no open file any more. */
void handles_tidy(struct handles *h);

/* What `fh` was opened for.  false: no such handle with state (any more).  *ret is
 * a reference of its own, or NULL for the host's view. */
bool handle_subject(struct handles *h, uint64_t fh, uint32_t node, struct subject **ret);

/* Who has opened it: what he may is looked at again when something is written.  false: there
 * is no such handle, or nobody has said. */
struct deputy_who;
void handle_set_opener(struct handles *h, uint64_t fh, const struct deputy_who *who);
bool handle_opener(struct handles *h, uint64_t fh, struct deputy_who *ret);

/* Keeps `text` as the snapshot that the READ `unique` made.  Silently keeps
 * nothing beyond a bound. */
void handle_keep(struct handles *h, uint64_t fh, const void *text, size_t len, uint64_t unique);

/* Bytes of the snapshot; -ENODATA: there is none. */
ssize_t handle_length(struct handles *h, uint64_t fh);

/*
 * Copies up to `size` bytes of the snapshot from `offset`; returns how many, 0 at
 * its end, -ENODATA when there is none.  With `unique` not 0 only the snapshot
 * that this READ has made.
 */
ssize_t handle_copy(struct handles *h, uint64_t fh, uint64_t offset, void *buf, size_t size,
		    uint64_t unique);

#endif
