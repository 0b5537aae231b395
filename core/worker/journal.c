/* SPDX-License-Identifier: MIT */
/* journal.c - see journal.h. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "io.h"
#include "journal.h"
#include "log.h"
#include "lost.h"

#define SUSPECT_FAULTS 2
#define SUSPECT_DEATHS 5

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

static bool is_suspect(const struct journal_slot *slot)
{
	return slot->faults >= SUSPECT_FAULTS || slot->deaths >= SUSPECT_DEATHS;
}

int journal_open(struct journal *journal, struct vault_header *vault, uint32_t generation,
		 bool keep)
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
	*journal = (struct journal){ vault, slots, generation, { -1, -1, -1, -1 } };
	return 0;
}

void journal_add(struct journal *journal, uint32_t conn, int fd)
{
	atomic_store(&journal->fds[conn], fd);
}

static int fd_of(struct journal *journal, const struct journal_slot *slot)
{
	return slot->conn < VAULT_CONNS ? atomic_load(&journal->fds[slot->conn]) : -1;
}

void *journal_attach(struct journal *journal, uint32_t conn)
{
	uint32_t nobody = 0;
	unsigned int i = 0;

	while (i < JOURNAL_SLOTS && !atomic_compare_exchange_strong(&journal->slots[i].owner,
								    &nobody, journal->generation)) {
		nobody = 0;
		i++;
	}
	if (i == JOURNAL_SLOTS)
		return NULL;
	mine = &journal->slots[i];
	set_unique(mine, 0);
	mine->conn = conn;
	mine->faults = mine->deaths = mine->tried = 0;
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
	mine->faults = mine->deaths = 0;
	n = read(fd_of(journal, mine), mine->buf, len);
	if (n > 0)
		mine->started_ns = io_now_ns();
	return n;
}

ssize_t journal_writev(struct journal *journal, const struct iovec *iov, int count)
{
	const struct fuse_out_header *out = iov[0].iov_base;
	ssize_t n;
	int saved;

	if (!mine) {
		errno = EINVAL;
		return -1;
	}
	n = writev(fd_of(journal, mine), iov, count);
	saved = errno;
	if (out->unique == get_unique(mine)) {
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

const void *journal_request(void)
{
	return mine && get_unique(mine) ? mine->buf : NULL;
}

uint64_t journal_unique(void)
{
	return mine ? get_unique(mine) & ~JOURNAL_RESENT : 0;
}

bool journal_is_replay(void)
{
	return replaying || (mine && get_unique(mine) & JOURNAL_RESENT);
}

bool journal_is_suspect(void)
{
	return replaying && mine && is_suspect(mine);
}

/* On its own connection: the numbers of another one mean other requests. */
static bool still_waits(struct journal *journal, const struct journal_slot *slot, uint64_t unique)
{
	struct fuse_out_header probe = { .len = sizeof(probe), .unique = unique | 1 };
	int fd = fd_of(journal, slot);

	return fd >= 0 && (write(fd, &probe, sizeof(probe)) >= 0 || errno != ENOENT);
}

static bool needs_no_answer(const struct fuse_in_header *head)
{
	return head->opcode == FUSE_FORGET || head->opcode == FUSE_BATCH_FORGET ||
	       head->opcode == FUSE_INTERRUPT || head->opcode == FUSE_INIT;
}

static void answer_error(struct journal *journal, struct journal_slot *slot)
{
	struct fuse_out_header reply = { .len = sizeof(reply),
					 .error = -EIO,
					 .unique = get_unique(slot) };

	if (write(fd_of(journal, slot), &reply, sizeof(reply)) < 0 && errno != ENOENT)
		log_debug("the device does not take an error reply: %m");
}

/* Does the slot hold a request that waits?  The vault is not trusted: one that
 * cannot be read is answered with an error, so that nobody waits for ever. */
static bool still_to_do(struct journal *journal, struct journal_slot *slot)
{
	const struct fuse_in_header *head = head_of(slot);

	if (!head->unique || head->unique & 1 || !still_waits(journal, slot, head->unique))
		return false;
	/* an operation that nobody knows would be denied for good */
	if (request_is_sound(head, head->len) && !needs_no_answer(head))
		return true;
	log_err("a request in the journal is damaged: its reader gets an error");
	answer_error(journal, slot);
	return false;
}

/* One that was in hand at a crash, or at two deaths of any kind. */
static bool is_suspicious(const struct journal_slot *slot)
{
	return slot->faults > 0 || slot->deaths >= 2;
}

/* The worker that ended had one suspect in hand: then no other request is to blame. */
static bool is_guilty_known(struct journal *journal)
{
	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
		if (journal->slots[i].tried == 1 && get_unique(&journal->slots[i]))
			return true;
	return false;
}

static void count_death(struct journal_slot *slot, bool fault)
{
	slot->faults += fault;
	/* by chance this happens twice; then it counts only when it is alone */
	if (slot->deaths < 2 || slot->tried == 1)
		slot->deaths++;
}

unsigned int journal_sift(struct journal *journal)
{
	uint32_t faulty = atomic_load(&journal->vault->dead_faulty);
	bool guilty_known = is_guilty_known(journal);
	unsigned int left = 0;

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &journal->slots[i];
		uint32_t owner = atomic_load(&slot->owner);

		if (!owner && !get_unique(slot))
			continue;
		if (!still_to_do(journal, slot)) {
			set_unique(slot, 0);
			atomic_store(&slot->owner, 0);
			continue;
		}
		if (owner != JOURNAL_PENDING && (!guilty_known || slot->tried == 1))
			count_death(slot, owner == faulty);
		atomic_store(&slot->owner, JOURNAL_PENDING);
		slot->tried = 0;
		left++;
	}
	return left;
}

static void replay(struct journal *journal, struct journal_slot *slot, journal_answer answer,
		   void *arg)
{
	const struct fuse_in_header *head = head_of(slot);

	if (is_suspect(slot))
		log_err("a request of thread %u (opcode %u, node %llu) was in hand when %u workers "
			"ended: it is answered without its plugin",
			head->pid, head->opcode, (unsigned long long)head->nodeid, slot->deaths);
	if (slot->faults > SUSPECT_FAULTS || slot->deaths > SUSPECT_DEATHS) {
		answer_error(journal, slot); /* that did not help */
	} else {
		mine = slot;
		replaying = true;
		answer(arg, slot->conn, slot->buf, head->len);
		replaying = false;
		mine = NULL;
	}
	set_unique(slot, 0);
	slot->tried = 0;
	atomic_store(&slot->owner, 0);
}

static void replay_class(struct journal *journal, bool suspects, journal_answer answer, void *arg)
{
	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &journal->slots[i];
		uint32_t pending = JOURNAL_PENDING;

		if (atomic_load(&slot->owner) != JOURNAL_PENDING || is_suspicious(slot) != suspects)
			continue;
		if (!atomic_compare_exchange_strong(&slot->owner, &pending, journal->generation))
			continue;
		slot->tried = suspects;
		replay(journal, slot, answer, arg);
	}
}

void journal_replay(struct journal *journal, journal_answer answer, void *arg)
{
	static pthread_mutex_t one_suspect = PTHREAD_MUTEX_INITIALIZER;

	replay_class(journal, false, answer, arg);
	if (pthread_mutex_trylock(&one_suspect) == 0) {
		replay_class(journal, true, answer, arg);
		pthread_mutex_unlock(&one_suspect);
	}
}
