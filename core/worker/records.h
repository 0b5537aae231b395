/* SPDX-License-Identifier: MIT */
/*
 * records.h - small state per container that outlives a worker: CPU accumulators,
 * load averages.
 *
 * Kept in the vault, by owner (a word of the core's) and subject.  A record is
 * written whole and so that a crash in the middle leaves the old one.  Another
 * version than the reader's, or damage, is as if there were none, with a notice.
 * When there is no room the record goes that was not written for longest.
 */
#ifndef LXCFSD_RECORDS_H
#define LXCFSD_RECORDS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "log.h"
#include "runs.h"
#include "vault.h"

struct subject;

struct records {
	struct vault_header *vault;
	uint32_t generation;
	struct vault_records *part; /* NULL: nothing is kept */
	pthread_mutex_t lock;	    /* of everything below, and of the part */
	struct runs blocks;
	uint32_t *buckets; /* index + 1 of a table entry; 0: none */
	uint32_t *chain;   /* by table index, likewise */
	uint32_t hint;	   /* no free entry below */
	struct log_limit damaged, outdated;
};

/* -ENOMEM. */
int records_open(struct records *records, struct vault_header *vault, uint32_t generation);
void records_done(struct records *records);

/* Length of the record, copied into `buf`; -ENOENT: there is none of that version
 * that fits. */
ssize_t record_read(struct records *records, const char *owner, uint32_t version,
		    const struct subject *subject, void *buf, size_t size);

/* False: it is not kept (no room, or another worker writes now). */
bool record_write(struct records *records, const char *owner, uint32_t version,
		  const struct subject *subject, const void *bytes, size_t len);

#endif
