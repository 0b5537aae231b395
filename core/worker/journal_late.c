/* SPDX-License-Identifier: MIT */
/* journal_late.c - requests past their deadline, and what workers hold that cannot be
 * reaped: see journal.h. */
#include <errno.h>
#include <unistd.h>

#include "journal_private.h"
#include "log.h"

/* What one worker may use of the slots: should it ever be one that cannot be reaped,
 * its successor has the rest. */
#define SLOTS_OF_ONE 40

static unsigned int slots_in_use(struct journal *journal)
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
		count += atomic_load(&journal->slots[i].owner) == journal->generation;
	return count;
}

static void give_back(struct journal_slot *slot)
{
	journal_set_unique(slot, 0);
	atomic_store(&slot->owner, 0);
}

/* The unique of a request that has been moved or answered; not of a newer one. */
static void clear_unique(struct journal_slot *slot, uint64_t unique)
{
	(void)__atomic_compare_exchange_n(&journal_head(slot)->unique, &unique, 0, false,
					  __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

/* Its thread may end it and begin another at any moment: `turn` tells. */
static bool take(struct journal *journal, unsigned int from, uint64_t turn,
		 struct journal_late *ret)
{
	struct journal_slot *slot = &journal->slots[from];
	struct journal_hand *hand = &journal->hands[from];
	int index = slots_in_use(journal) < SLOTS_OF_ONE ? journal_take_free(journal) : -1;

	*ret = (struct journal_late){ .index = index,
				      .from = from,
				      .conn = slot->conn,
				      .thread_conn = atomic_load(&hand->thread_conn),
				      .unique = journal_get_unique(slot),
				      .node = journal_head(slot)->nodeid,
				      .opcode = journal_head(slot)->opcode,
				      .spare = atomic_load(&hand->spare) };
	if ((index >= 0 && !journal_copy(&journal->slots[index], slot)) ||
	    !atomic_compare_exchange_strong(&hand->turn, &turn,
					    (turn & ~(uint64_t)TURN_MASK) | TURN_TAKEN)) {
		if (index >= 0)
			give_back(&journal->slots[index]);
		return false;
	}
	if (slot->tried == 1) { /* it is slow, it does not kill: the next suspect's turn */
		slot->tried = 0;
		atomic_store(&journal->one_suspect, false);
	}
	if (index >= 0) {
		/* what it has begun meanwhile: from now on it begins nothing */
		atomic_store(&journal->slots[index].deed, atomic_load(&slot->deed));
		clear_unique(slot, ret->unique);
		journal_begin(journal, (unsigned int)index, ret->thread_conn, true);
	}
	if (!ret->spare)
		atomic_fetch_add(&journal->vault->late, 1);
	return true;
}

bool journal_take_late(struct journal *journal, uint64_t now, uint64_t limit_ns,
		       struct journal_late *ret, uint64_t *ret_next_ns)
{
	uint64_t next = 0;

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_hand *hand = &journal->hands[i];
		uint64_t turn = atomic_load(&hand->turn), end;

		if ((turn & TURN_MASK) != TURN_IN_HAND)
			continue;
		end = atomic_load(&hand->since_ns) + limit_ns;
		if (now >= end && take(journal, i, turn, ret))
			return true;
		if (!next || end < next)
			next = end;
	}
	*ret_next_ns = next;
	return false;
}

void journal_fail_late(struct journal *journal, const struct journal_late *late)
{
	struct fuse_out_header reply = { .len = sizeof(reply),
					 .error = -EIO,
					 .unique = late->unique };
	int fd = late->conn < VAULT_CONNS ? atomic_load(&journal->fds[late->conn]) : -1;

	if (write(fd, &reply, sizeof(reply)) < 0 && errno != ENOENT)
		log_debug("the device does not take an error reply: %m");
	if (late->index < 0) {
		clear_unique(&journal->slots[late->from], late->unique);
		return;
	}
	atomic_store(&journal->hands[late->index].turn, 0);
	give_back(&journal->slots[late->index]);
}

/* To a slot where journal_replay() finds it. */
static bool move_to_replay(struct journal *journal, struct journal_slot *slot, uint32_t owner)
{
	int index = journal_take_free(journal);
	struct journal_slot *to;

	if (index < 0) {
		journal_answer_error(journal, slot);
		return false;
	}
	to = &journal->slots[index];
	if (!journal_copy(to, slot)) {
		give_back(to);
		return false;
	}
	to->deaths++;
	to->faults += owner == atomic_load(&journal->vault->dead_faulty);
	atomic_store(&to->owner, JOURNAL_PENDING);
	return true;
}

unsigned int journal_look_back(struct journal *journal, bool *ret_more)
{
	uint32_t unreaped = atomic_load(&journal->vault->unreaped);
	unsigned int found = 0;

	*ret_more = false;
	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &journal->slots[i];
		uint32_t owner = atomic_load(&slot->owner);
		bool waits;

		if (!owner || owner == JOURNAL_PENDING || owner == journal->generation)
			continue;
		/* one that the kernel is still writing does not wait yet: later */
		waits = journal_still_to_do(journal, slot);
		if (waits)
			found += move_to_replay(journal, slot, owner);
		if (waits || owner != unreaped)
			journal_set_unique(slot, 0);
		if (owner == unreaped)
			*ret_more = true;
		else
			atomic_store(&slot->owner, 0);
	}
	return found;
}
