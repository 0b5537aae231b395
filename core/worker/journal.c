/* SPDX-License-Identifier: MIT */
/* journal.c - see journal.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "io.h"
#include "journal.h"
#include "log.h"

#define SUSPECT_FAULTS 2

static __thread struct journal_slot *mine;
static __thread bool replaying;

static struct fuse_in_header *head_of(struct journal_slot *slot)
{
	return (struct fuse_in_header *)slot->buf;
}

/* The one word that says whether the slot is in use: written in order, never torn. */
static void set_unique(struct journal_slot *slot, uint64_t unique)
{
	__atomic_store_n(&head_of(slot)->unique, unique, __ATOMIC_RELEASE);
}

static uint64_t get_unique(struct journal_slot *slot)
{
	return __atomic_load_n(&head_of(slot)->unique, __ATOMIC_ACQUIRE);
}

int journal_open(struct journal *journal, struct vault_header *vault, uint32_t generation,
		 bool keep, int fd)
{
	const size_t size = sizeof(struct journal_slot) * JOURNAL_SLOTS;
	void *slots = NULL;

	if (keep)
		slots = vault_part(vault, VAULT_JOURNAL, JOURNAL_VERSION, size);
	if (!slots) {
		slots = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			     0);
		if (slots == MAP_FAILED)
			return -errno;
		log_warn("the journal is off: requests in flight are lost when a worker dies");
	}
	*journal = (struct journal){ vault, slots, generation, fd };
	return 0;
}

static void claim(struct journal *journal, struct journal_slot *slot)
{
	slot->faults = 0;
	set_unique(slot, 0);
	atomic_store(&slot->owner, journal->generation);
}

void *journal_attach(struct journal *journal, unsigned int index)
{
	mine = &journal->slots[index];
	claim(journal, mine);
	/* a page that is not there yet makes the kernel fail the request; what a
	 * request without data needs is made present now */
	for (size_t at = 0; at < 3 * 4096; at += 4096)
		*(volatile uint8_t *)&mine->buf[at] = 0;
	return mine->buf;
}

ssize_t journal_read(struct journal *journal, void *buf, size_t len)
{
	ssize_t n;

	if (!mine || buf != mine->buf || len > JOURNAL_BUF_SIZE) {
		errno = EINVAL;
		return -1;
	}
	if (atomic_load(&journal->vault->writer) != journal->generation)
		_exit(0); /* given up by the keeper: another one serves */
	set_unique(mine, 0);
	mine->faults = 0;
	n = read(journal->fd, mine->buf, len);
	if (n > 0)
		mine->started_ns = io_now_ns();
	return n;
}

ssize_t journal_writev(struct journal *journal, const struct iovec *iov, int count)
{
	const struct fuse_out_header *out = iov[0].iov_base;
	ssize_t n = writev(journal->fd, iov, count);
	int saved = errno;

	if (mine && out->unique == get_unique(mine)) {
		set_unique(mine, 0);
		atomic_fetch_add_explicit(&mine->answered, 1, memory_order_relaxed);
	}
	errno = saved;
	return n;
}

void journal_forget(void)
{
	if (mine)
		set_unique(mine, 0);
}

uint64_t journal_unique(void)
{
	return mine ? get_unique(mine) : 0;
}

bool journal_is_replay(void)
{
	return replaying;
}

bool journal_is_suspect(void)
{
	return replaying && mine && mine->faults >= SUSPECT_FAULTS;
}

static bool still_waits(struct journal *journal, uint64_t unique)
{
	struct fuse_out_header probe = { .len = sizeof(probe), .unique = unique | 1 };

	return write(journal->fd, &probe, sizeof(probe)) >= 0 || errno != ENOENT;
}

/* Could it be a request that waits for an answer?  The vault is not trusted. */
static bool is_plausible(struct journal_slot *slot)
{
	const struct fuse_in_header *head = head_of(slot);

	if (!head->unique || head->unique & 1 || head->len < sizeof(*head) ||
	    head->len > JOURNAL_BUF_SIZE)
		return false;
	switch (head->opcode) {
	case FUSE_FORGET: /* no answer is expected */
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
	case FUSE_INIT:
		return false;
	}
	return true;
}

static void replay(struct journal *journal, struct journal_slot *slot,
		   void (*answer)(void *arg, void *request, size_t len), void *arg)
{
	/* from now on it is ours: if it kills us, it alone is to blame */
	atomic_store(&slot->owner, journal->generation);
	mine = slot;
	replaying = true;
	if (slot->faults >= SUSPECT_FAULTS)
		log_err("a request of thread %u (opcode %u, node %llu) has killed %u workers: it "
			"is "
			"answered without its plugin",
			head_of(slot)->pid, head_of(slot)->opcode,
			(unsigned long long)head_of(slot)->nodeid, slot->faults);
	answer(arg, slot->buf, head_of(slot)->len);
	replaying = false;
	mine = NULL;
}

unsigned int journal_recover(struct journal *journal,
			     void (*answer)(void *arg, void *request, size_t len), void *arg)
{
	uint32_t dead = atomic_load(&journal->vault->dead);
	bool faulty = atomic_load(&journal->vault->dead_faulty);
	unsigned int answered = 0;

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &journal->slots[i];

		if (!is_plausible(slot) || !still_waits(journal, get_unique(slot)))
			set_unique(slot, 0);
		else if (faulty && atomic_load(&slot->owner) == dead)
			slot->faults++;
	}
	atomic_store(&journal->vault->dead_faulty, 0); /* counted: not twice */
	for (int suspects = 0; suspects < 2; suspects++) {
		for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
			struct journal_slot *slot = &journal->slots[i];

			if (!get_unique(slot) || (slot->faults > 0) != suspects)
				continue;
			replay(journal, slot, answer, arg);
			claim(journal, slot);
			answered++;
		}
	}
	return answered;
}
