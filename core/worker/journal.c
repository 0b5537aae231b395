/* SPDX-License-Identifier: MIT */
/* journal.c - see journal.h. */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io.h"
#include "journal_private.h"
#include "log.h"
#include "lost.h"

#define SUSPECT_FAULTS 2
#define SUSPECT_DEATHS 5

static __thread struct journal_slot *mine;
static __thread struct journal_hand *my_hand;
static __thread uint32_t my_conn;
static __thread bool replaying;

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
	*journal = (struct journal){ .vault = vault,
				     .slots = slots,
				     .generation = generation,
				     .fds = { -1, -1, -1, -1 },
				     .wake_fd = eventfd(0, EFD_CLOEXEC) };
	pthread_mutex_init(&journal->lock, NULL);
	return journal->wake_fd < 0 ? -errno : 0;
}

void journal_add(struct journal *journal, uint32_t conn, int fd)
{
	atomic_store(&journal->fds[conn], fd);
}

int journal_fd_of(struct journal *journal, const struct journal_slot *slot)
{
	return slot->conn < VAULT_CONNS ? atomic_load(&journal->fds[slot->conn]) : -1;
}

/* ------------------------------------------------------------------- slots */

int journal_take_free(struct journal *journal)
{
	for (int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &journal->slots[i];
		uint32_t nobody = 0;

		if (!atomic_compare_exchange_strong(&slot->owner, &nobody, journal->generation))
			continue;
		journal_set_unique(slot, 0);
		slot->faults = slot->deaths = slot->tried = 0;
		slot->started_ns = 0;
		atomic_store(&slot->runs, 0);
		atomic_store(&slot->fault, 0);
		return i;
	}
	return -1;
}

void *journal_adopt(struct journal *journal, uint32_t conn, unsigned int index)
{
	my_conn = conn;
	mine = &journal->slots[index];
	my_hand = &journal->hands[index];
	pthread_mutex_lock(&journal->lock);
	my_hand->attached = true;
	my_hand->thread = pthread_self();
	pthread_mutex_unlock(&journal->lock);
	return mine->buf;
}

void *journal_attach(struct journal *journal, uint32_t conn)
{
	int index = journal_take_free(journal);
	struct journal_slot *slot;

	if (index < 0)
		return NULL;
	slot = &journal->slots[index];
	slot->conn = conn;
	/* a page that is not there yet makes the kernel fail the request; what a
	 * request without data needs is made present now */
	for (size_t at = 0; at < 3 * 4096; at += 4096)
		*(volatile uint8_t *)&slot->buf[at] = 0;
	return journal_adopt(journal, conn, (unsigned int)index);
}

void journal_detach(struct journal *journal, bool ends)
{
	if (!mine)
		return;
	pthread_mutex_lock(&journal->lock);
	my_hand->attached = false;
	my_hand->kept = ends;
	pthread_mutex_unlock(&journal->lock);
	atomic_store(&my_hand->turn, atomic_load(&my_hand->turn) & ~(uint64_t)TURN_MASK);
	if (!ends) /* else the successor sees by it that nothing was wiped out: lost.h */
		atomic_store(&mine->owner, 0);
	mine = NULL;
	my_hand = NULL;
}

void journal_reuse(struct journal *journal)
{
	pthread_mutex_lock(&journal->lock);
	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
		if (journal->hands[i].kept) {
			journal->hands[i].kept = false;
			atomic_store(&journal->slots[i].owner, 0);
		}
	pthread_mutex_unlock(&journal->lock);
}

void journal_kick(struct journal *journal, int signal)
{
	pthread_mutex_lock(&journal->lock);
	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
		if (journal->hands[i].attached)
			pthread_kill(journal->hands[i].thread, signal);
	pthread_mutex_unlock(&journal->lock);
}

/* -------------------------------------------------------- the one in hand */

void journal_begin(struct journal *journal, unsigned int index, uint32_t thread_conn, bool spare)
{
	struct journal_hand *hand = &journal->hands[index];
	const uint64_t one = 1, now = io_now_ns();

	journal->slots[index].started_ns = now;
	atomic_store_explicit(&hand->since_ns, now, memory_order_relaxed);
	atomic_store_explicit(&hand->thread_conn, thread_conn, memory_order_relaxed);
	atomic_store_explicit(&hand->spare, spare, memory_order_relaxed);
	/* in this order: whoever goes to sleep sees it, or is woken */
	atomic_store(&hand->turn, ((atomic_load(&hand->turn) >> 2) + 1) << 2 | TURN_IN_HAND);
	if (atomic_load(&journal->asleep) && atomic_exchange(&journal->asleep, false))
		(void)!write(journal->wake_fd, &one, sizeof(one));
}

static enum turn turn_of(const struct journal_hand *hand)
{
	return atomic_load(&hand->turn) & TURN_MASK;
}

/* Unless it was taken away: that stays known until the next one. */
static void end_turn(void)
{
	if (turn_of(my_hand) == TURN_TAKEN)
		return;
	journal_set_unique(mine, 0);
	atomic_store(&my_hand->turn, atomic_load(&my_hand->turn) & ~(uint64_t)TURN_MASK);
}

bool journal_claim(void)
{
	uint64_t turn = my_hand ? atomic_load(&my_hand->turn) : TURN_IDLE;

	if ((turn & TURN_MASK) != TURN_IN_HAND)
		return (turn & TURN_MASK) != TURN_TAKEN;
	return atomic_compare_exchange_strong(&my_hand->turn, &turn,
					      (turn & ~(uint64_t)TURN_MASK) | TURN_CLAIMED);
}

bool journal_was_late(void)
{
	return my_hand && turn_of(my_hand) == TURN_TAKEN;
}

bool journal_is_spare(void)
{
	return my_hand && atomic_load(&my_hand->spare);
}

void journal_runs(uint32_t number)
{
	if (mine)
		atomic_store_explicit(&mine->runs, number, memory_order_relaxed);
}

void journal_mark_fault(int signal)
{
	if (mine)
		atomic_store(&mine->fault, (uint32_t)signal);
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
	journal_set_unique(mine, 0);
	mine->faults = mine->deaths = 0;
	mine->conn = my_conn;
	atomic_store_explicit(&mine->deed, 0, memory_order_relaxed);
	n = read(journal_fd_of(journal, mine), mine->buf, len);
	if (n > 0)
		journal_begin(journal, (unsigned int)(mine - journal->slots), my_conn, false);
	return n;
}

ssize_t journal_writev(struct journal *journal, const struct iovec *iov, int count)
{
	const struct fuse_out_header *out = iov[0].iov_base;
	ssize_t n;
	int saved;

	if (!mine || !journal_claim()) {
		errno = mine ? ENOENT : EINVAL; /* as the kernel says it of one that has gone */
		return -1;
	}
	n = writev(journal_fd_of(journal, mine), iov, count);
	saved = errno;
	if (out->unique == journal_get_unique(mine)) {
		end_turn();
		atomic_fetch_add_explicit(&mine->answered, 1, memory_order_relaxed);
	}
	errno = saved;
	return n;
}

void journal_forget(void)
{
	if (mine)
		end_turn();
}

const void *journal_request(void)
{
	return mine && journal_get_unique(mine) ? mine->buf : NULL;
}

uint64_t journal_unique(void)
{
	return mine ? journal_get_unique(mine) & ~JOURNAL_RESENT : 0;
}

bool journal_is_replay(void)
{
	return replaying || (mine && journal_get_unique(mine) & JOURNAL_RESENT);
}

bool journal_is_resent(void)
{
	return mine && journal_get_unique(mine) & JOURNAL_RESENT;
}

_Atomic uint64_t *journal_deed(void)
{
	return mine ? &mine->deed : NULL;
}

bool journal_is_suspect(void)
{
	return replaying && mine && is_suspect(mine);
}

/* On its own connection: the numbers of another one mean other requests. */
static bool still_waits(struct journal *journal, const struct journal_slot *slot, uint64_t unique)
{
	struct fuse_out_header probe = { .len = sizeof(probe), .unique = unique | 1 };
	int fd = journal_fd_of(journal, slot);

	return fd >= 0 && (write(fd, &probe, sizeof(probe)) >= 0 || errno != ENOENT);
}

static bool needs_no_answer(const struct fuse_in_header *head)
{
	return head->opcode == FUSE_FORGET || head->opcode == FUSE_BATCH_FORGET ||
	       head->opcode == FUSE_INTERRUPT || head->opcode == FUSE_INIT;
}

void journal_answer_error(struct journal *journal, struct journal_slot *slot)
{
	struct fuse_out_header reply = { .len = sizeof(reply),
					 .error = -EIO,
					 .unique = journal_get_unique(slot) };

	if (write(journal_fd_of(journal, slot), &reply, sizeof(reply)) < 0 && errno != ENOENT)
		log_debug("the device does not take an error reply: %m");
}

/* Does the slot hold a request that waits?  The vault is not trusted: one that
 * cannot be read is answered with an error, so that nobody waits for ever. */
bool journal_still_to_do(struct journal *journal, struct journal_slot *slot)
{
	const struct fuse_in_header *head = journal_head(slot);

	if (!head->unique || head->unique & 1 || !still_waits(journal, slot, head->unique))
		return false;
	/* an operation that nobody knows would be denied for good */
	if (request_is_sound(head, head->len) && !needs_no_answer(head))
		return true;
	log_err("a request in the journal is damaged: its reader gets an error");
	journal_answer_error(journal, slot);
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
		if (journal->slots[i].tried == 1 && journal_get_unique(&journal->slots[i]))
			return true;
	return false;
}

bool journal_copy(struct journal_slot *to, struct journal_slot *from)
{
	const size_t unique_end = offsetof(struct fuse_in_header, unique) + sizeof(uint64_t);
	const struct fuse_in_header *head = journal_head(from);
	uint64_t unique = journal_get_unique(from);
	uint32_t len = head->len;

	if (!unique || len < sizeof(*head) || len > JOURNAL_BUF_SIZE)
		return false;
	to->conn = from->conn;
	to->faults = from->faults;
	to->deaths = from->deaths;
	atomic_store(&to->deed, atomic_load(&from->deed));
	journal_head(to)->len = len;
	journal_head(to)->opcode = head->opcode;
	memcpy(to->buf + unique_end, from->buf + unique_end, len - unique_end);
	journal_set_unique(to, unique);
	return true;
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
	uint32_t unreaped = atomic_load(&journal->vault->unreaped);
	bool guilty_known = is_guilty_known(journal), more;
	unsigned int left = 0;

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &journal->slots[i];
		uint32_t owner = atomic_load(&slot->owner);

		if ((!owner && !journal_get_unique(slot)) || (owner && owner == unreaped))
			continue;
		if (!journal_still_to_do(journal, slot)) {
			journal_set_unique(slot, 0);
			atomic_store(&slot->owner, 0);
			continue;
		}
		if (owner != JOURNAL_PENDING && (!guilty_known || slot->tried == 1))
			count_death(slot, owner == faulty);
		atomic_store(&slot->owner, JOURNAL_PENDING);
		slot->tried = 0;
		left++;
	}
	return left + journal_look_back(journal, &more);
}

/* False: it took too long. */
static bool replay(struct journal *journal, struct journal_slot *slot, journal_answer answer,
		   void *arg)
{
	const struct fuse_in_header *head = journal_head(slot);
	unsigned int index = (unsigned int)(slot - journal->slots);
	bool late = false;

	if (is_suspect(slot))
		log_err("a request of thread %u (opcode %u, node %llu) was in hand when %u workers "
			"ended: it is answered without its plugin",
			head->pid, head->opcode, (unsigned long long)head->nodeid, slot->deaths);
	if (slot->faults > SUSPECT_FAULTS || slot->deaths > SUSPECT_DEATHS) {
		journal_answer_error(journal, slot); /* that did not help */
	} else {
		mine = slot;
		my_hand = &journal->hands[index];
		journal_begin(journal, index, my_conn, false);
		replaying = true;
		answer(arg, slot->conn, slot->buf, head->len);
		replaying = false;
		late = journal_was_late();
		mine = NULL;
		my_hand = NULL;
	}
	journal_set_unique(slot, 0);
	slot->tried = 0;
	atomic_store(&slot->owner, 0);
	return !late;
}

static bool replay_class(struct journal *journal, bool suspects, journal_answer answer, void *arg)
{
	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
		struct journal_slot *slot = &journal->slots[i];
		uint32_t pending = JOURNAL_PENDING;

		if (atomic_load(&slot->owner) != JOURNAL_PENDING || is_suspicious(slot) != suspects)
			continue;
		if (!atomic_compare_exchange_strong(&slot->owner, &pending, journal->generation))
			continue;
		slot->tried = suspects;
		if (!replay(journal, slot, answer, arg))
			return false;
	}
	return true;
}

bool journal_replay(struct journal *journal, uint32_t conn, journal_answer answer, void *arg)
{
	my_conn = conn;
	if (!replay_class(journal, false, answer, arg))
		return false;
	if (atomic_exchange(&journal->one_suspect, true))
		return true;
	if (!replay_class(journal, true, answer, arg))
		return false; /* who took it away lets others go on with the next */
	atomic_store(&journal->one_suspect, false);
	return true;
}
