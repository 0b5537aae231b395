/* SPDX-License-Identifier: MIT */
/* journal_private.h - what journal.c and journal_late.c share. */
#ifndef LXCFSD_JOURNAL_PRIVATE_H
#define LXCFSD_JOURNAL_PRIVATE_H

#include <linux/fuse.h>

#include "journal.h"

/* Whose the answer is. */
enum turn { TURN_IDLE, TURN_IN_HAND, TURN_CLAIMED, TURN_TAKEN, TURN_MASK = 3 };

static inline struct fuse_in_header *journal_head(struct journal_slot *slot)
{
	return (struct fuse_in_header *)slot->buf;
}

/* The one word that says whether the slot is in use: written in order, never torn. */
static inline void journal_set_unique(struct journal_slot *slot, uint64_t unique)
{
	__atomic_store_n(&journal_head(slot)->unique, unique, __ATOMIC_RELEASE);
}

static inline uint64_t journal_get_unique(struct journal_slot *slot)
{
	return __atomic_load_n(&journal_head(slot)->unique, __ATOMIC_ACQUIRE);
}

/* A slot of nobody's is this worker's now; -1: there is none. */
int journal_take_free(struct journal *journal);
/* The connection on which its request came; -1: there is none. */
int journal_fd_of(struct journal *journal, const struct journal_slot *slot);
/* Does the slot hold a request that waits for an answer? */
bool journal_still_to_do(struct journal *journal, struct journal_slot *slot);
void journal_answer_error(struct journal *journal, struct journal_slot *slot);
/* Copies the request of one slot to another, where it is from the last store on. */
bool journal_copy(struct journal_slot *to, struct journal_slot *from);
/* A request is in hand from now on. */
void journal_begin(struct journal *journal, unsigned int index, uint32_t thread_conn, bool spare);

#endif
