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
 *
 * Past its deadline a request is taken away from the thread that has it in hand, and
 * a spare thread answers it.  Whose the answer is, is decided once, by one compare and
 * exchange of the slot's `turn`: who commits anything that the reader can see
 * (a snapshot, a reply) claims it first.  The request moves to the spare thread's own
 * slot before it leaves that of the stuck thread, so that it is always in one; what the
 * stuck thread says later goes nowhere.
 *
 * A worker that was killed but cannot be reaped (a thread of it waits in the kernel
 * for a disk) never executes an instruction again: nothing of it commits, and what a
 * reply of it, already in the kernel, says is right.  But a read(2) of the device that
 * hangs in the middle would still fill its slot.  So the slots of the `unreaped` generation
 * are nobody's: what is in them is copied to free ones and answered, now and each time
 * that one is found later, until the keeper says that the worker is gone.
 */
#ifndef LXCFSD_JOURNAL_H
#define LXCFSD_JOURNAL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "vault.h"

/* In the number of a request: the kernel sends it once more (since Linux 6.9). */
#define JOURNAL_RESENT (1ull << 63)
/* What only this process needs to know of a slot. */
struct journal_hand {
	_Atomic uint64_t turn;	      /* how many requests it has had << 2 | enum turn */
	_Atomic uint64_t since_ns;    /* when this one was taken in hand */
	_Atomic uint32_t thread_conn; /* what its thread serves */
	_Atomic bool spare;	      /* it was taken from another thread */
	bool attached;
	bool kept;	  /* it is free, but for the successor it was this worker's */
	pthread_t thread; /* if attached */
};

struct journal {
	struct vault_header *vault;
	struct journal_slot *slots; /* JOURNAL_SLOTS of them */
	uint32_t generation;
	_Atomic int fds[VAULT_CONNS]; /* of the connections; -1: there is none */
	struct journal_hand hands[JOURNAL_SLOTS];
	pthread_mutex_t lock;	  /* of hands[].attached */
	_Atomic bool one_suspect; /* is being answered */
	int wake_fd;		  /* eventfd: something was taken in hand while nobody ... */
	_Atomic bool asleep;	  /* ... looked at the deadlines */
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
/* Slot `index`, which journal_take_late() has filled. */
void *journal_adopt(struct journal *journal, uint32_t conn, unsigned int index);
/* `ends`: and so does the process. */
void journal_detach(struct journal *journal, bool ends);
/* It did not end after all: the slots that were kept are free. */
void journal_reuse(struct journal *journal);
/* Sends `signal` to all threads that have a slot. */
void journal_kick(struct journal *journal, int signal);

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

/* The kernel has sent it once more, into another slot. */
bool journal_is_resent(void);
/* What it changes: see vault.h.  NULL: there is no request. */
_Atomic uint64_t *journal_deed(void);

/* From now on the answer is this thread's to give.  False: it took too long, and
 * another one has given it. */
bool journal_claim(void);
/* The request that this thread had last was answered by another one. */
bool journal_was_late(void);
/* The one in this thread's slot was taken from another's. */
bool journal_is_spare(void);

/* This thread runs file `number` of a plugin; 0: no more. */
void journal_runs(uint32_t number);
/* In a signal handler, of a thread that has caused a fault. */
void journal_mark_fault(int signal);

/* A request past its deadline. */
struct journal_late {
	int index;	      /* of the slot to which it was moved; -1: there is none free */
	unsigned int from;    /* of the slot in which it was */
	uint32_t conn;	      /* that it came from */
	uint32_t thread_conn; /* what the thread serves that is stuck */
	uint64_t unique, node;
	uint32_t opcode;
	bool spare; /* its thread was to answer it in another's place */
};
/* Takes one from its thread.  Else false, and when to look again (0: when woken). */
bool journal_take_late(struct journal *journal, uint64_t now, uint64_t limit_ns,
		       struct journal_late *ret, uint64_t *ret_next_ns);
/* Answers it with an error, and frees the slot that it was moved to. */
void journal_fail_late(struct journal *journal, const struct journal_late *late);

/* Looks into the slots of workers that cannot be reaped.  How many requests there are
 * now for journal_replay(); *ret_more: it is to be called again some time. */
unsigned int journal_look_back(struct journal *journal, bool *ret_more);

/* Looks through what dead generations left and keeps what still waits; returns how
 * much.  Once, before the threads start. */
unsigned int journal_sift(struct journal *journal);

/* Calls `answer` for what waits, suspects last, until nothing is left to take.  By
 * every thread, before it attaches, and of whatever connection. */
typedef void (*journal_answer)(void *arg, uint32_t conn, void *request, size_t len);
/* `conn` is what this thread serves.  False: it took too long over one, and another
 * thread has its place. */
bool journal_replay(struct journal *journal, uint32_t conn, journal_answer answer, void *arg);

#endif
