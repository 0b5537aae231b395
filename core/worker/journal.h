/* SPDX-License-Identifier: MIT */
/*
 * journal.h - the requests that this worker has taken and not yet answered.
 *
 * Theory of operation.  Each thread owns one slot in the vault and reads the
 * device of its connection straight into it.  The kernel fills the buffer before it moves the
 * request to its `processing` list, and a read(2) of the device cannot be killed
 * half way: so a request that waits for an answer is always in a slot, and a slot
 * whose `unique` is not 0 is one that perhaps waits.  (To copy it there after the
 * read would lose requests: that was measured.)  It is cleared after the reply.
 *
 * A successor asks the kernel about each slot of a dead generation: an error-free
 * reply to the request's INTERRUPT (unique | 1) gives ENOENT when the request has
 * been answered, and has no effect when it still waits (kernel >= 4.20).  What
 * still waits it answers itself, with the requester's own pid, before it serves.
 *
 * The threads of the successor share these requests out among themselves before
 * they take new ones, so that one that never ends holds up only its thread.
 *
 * Whoever was in hand when a worker crashed, or when two ended, is a suspect.
 * Suspects are answered one at a time: if a worker ends then, that one alone is to
 * blame.  A request that was in flight at two deaths by fault, or at five of any
 * kind, is answered without its plugin.  If that does not help either, it is
 * answered with an error.
 */
#ifndef LXCFSD_JOURNAL_H
#define LXCFSD_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "vault.h"

/* In the number of a request: the kernel sends it once more (since Linux 6.9). */
#define JOURNAL_RESENT (1ull << 63)

struct journal {
	struct vault_header *vault;
	struct journal_slot *slots; /* JOURNAL_SLOTS of them */
	uint32_t generation;
	_Atomic int fds[VAULT_CONNS]; /* of the connections; -1: there is none */
};

/* Without `keep` (a test switch) the slots are this process's own and whatever is
 * in flight at its death is lost. */
int journal_open(struct journal *journal, struct vault_header *vault, uint32_t generation,
		 bool keep);
/* From now on connection `conn` is `fd`. */
void journal_add(struct journal *journal, uint32_t conn, int fd);

/* Gives this thread, which serves `conn`, a free slot; its buffer is where the device
 * is to be read to.  NULL: there is none. */
void *journal_attach(struct journal *journal, uint32_t conn);

/* read(2) of the device into this thread's slot.  -1 and errno as read(2). */
ssize_t journal_read(struct journal *journal, void *buf, size_t len);
/* writev(2) of a reply; ends the request in this thread's slot. */
ssize_t journal_writev(struct journal *journal, const struct iovec *iov, int count);
/* The request in this thread's slot needs no reply. */
void journal_forget(void);

/* Of the request in this thread's slot; all of it, NULL when there is none. */
const void *journal_request(void);
uint64_t journal_unique(void);
bool journal_is_replay(void);
bool journal_is_suspect(void);

/* Looks through what dead generations left and keeps what still waits; returns how
 * much.  Once, before the threads start. */
unsigned int journal_sift(struct journal *journal);

/* Calls `answer` for what waits, suspects last, until nothing is left to take.  By
 * every thread, before it attaches, and of whatever connection. */
typedef void (*journal_answer)(void *arg, uint32_t conn, void *request, size_t len);
void journal_replay(struct journal *journal, journal_answer answer, void *arg);

#endif
