/* SPDX-License-Identifier: MIT */
/* journal.c - requests that are taken from their threads, and slots of workers that
 * cannot be reaped.  A socket plays the device: whatever is written to it is taken. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "check.h"

#include "io.h"
#include "journal.h"

#define LIMIT 1000000000ull

static struct vault_header *vault;
static struct journal journal;
static int vault_fd, device, kernel;

static void begin(uint32_t generation)
{
	int pair[2];

	if (!vault && vault_create(&vault_fd, &vault) < 0)
		exit(1);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		exit(1);
	device = pair[0];
	kernel = pair[1];
	atomic_store(&vault->writer, generation);
	CHECK(journal_open(&journal, vault, generation, true) == 0);
	journal_add(&journal, CONN_PLAIN, device);
}

static void end(void)
{
	close(journal.wake_fd);
	close(device);
	close(kernel);
}

static void end_vault(void)
{
	vault_unmap(vault);
	close(vault_fd);
	vault = NULL;
}

static struct fuse_in_header request(uint64_t unique)
{
	return (struct fuse_in_header){ .len = sizeof(struct fuse_in_header),
					.opcode = FUSE_READLINK,
					.unique = unique,
					.nodeid = 7 };
}

static void take(void *buf, uint64_t unique)
{
	struct fuse_in_header head = request(unique);

	CHECK(write(kernel, &head, sizeof(head)) == sizeof(head));
	CHECK(journal_read(&journal, buf, JOURNAL_BUF_SIZE) == sizeof(head));
	CHECK_U64(journal_unique(), unique);
}

static ssize_t answer(uint64_t unique, int error)
{
	struct fuse_out_header out = { .len = sizeof(out), .error = error, .unique = unique };
	struct iovec iov = { &out, sizeof(out) };

	return journal_writev(&journal, &iov, 1);
}

/* What has been answered so far: the error, or 1 when nothing has. */
static int answered(uint64_t unique)
{
	struct fuse_out_header out;

	while (recv(kernel, &out, sizeof(out), MSG_DONTWAIT) == sizeof(out))
		if (out.unique == unique)
			return out.error;
	return 1;
}

static uint64_t unique_in(int index)
{
	return ((struct fuse_in_header *)journal.slots[index].buf)->unique;
}

static void test_in_time(void)
{
	struct journal_late late;
	uint64_t next;
	void *buf;

	begin(1);
	buf = journal_attach(&journal, CONN_PLAIN);
	take(buf, 10);
	CHECK(!journal_take_late(&journal, io_now_ns(), LIMIT, &late, &next));
	CHECK(next > io_now_ns() && next <= io_now_ns() + LIMIT);
	CHECK(answer(10, 0) > 0 && answered(10) == 0);
	CHECK(!journal_take_late(&journal, io_now_ns() + 2 * LIMIT, LIMIT, &late, &next));
	CHECK_U64(next, 0);

	/* who has claimed the answer gives it */
	take(buf, 12);
	CHECK(journal_claim());
	CHECK(!journal_take_late(&journal, io_now_ns() + 2 * LIMIT, LIMIT, &late, &next));
	CHECK(journal_claim() && answer(12, 0) > 0 && answered(12) == 0);
	CHECK(!journal_was_late());
	CHECK_U64(atomic_load(&vault->late), 0);
	journal_detach(&journal, false);
	CHECK_U64(journal.slots[0].owner, 0);
	end();
	end_vault();
}

static void test_late(void)
{
	struct journal_late late;
	uint64_t next;
	void *buf;

	begin(1);
	buf = journal_attach(&journal, CONN_PLAIN);
	take(buf, 10);
	if (!CHECK(journal_take_late(&journal, io_now_ns() + 2 * LIMIT, LIMIT, &late, &next)))
		return;
	CHECK_U64(late.unique, 10);
	CHECK_U64(late.node, 7);
	CHECK(late.index == 1 && late.from == 0 && !late.spare);
	CHECK_U64(unique_in(0), 0); /* a successor finds it in one place */
	CHECK_U64(unique_in(1), 10);
	CHECK_U64(atomic_load(&vault->late), 1);

	/* the thread that it was taken from has nothing to say any more */
	CHECK(journal_was_late() && !journal_claim());
	errno = 0;
	CHECK(answer(10, 0) < 0 && errno == ENOENT);
	CHECK(answered(10) == 1);
	journal_forget();
	CHECK_U64(unique_in(1), 10);
	take(buf, 12); /* it may go on */
	CHECK(!journal_was_late() && answer(12, 0) > 0);
	journal_detach(&journal, false);

	journal_adopt(&journal, CONN_PLAIN, (unsigned int)late.index);
	CHECK(journal_is_spare() && journal_unique() == 10);
	CHECK(answer(10, -EIO) > 0 && answered(10) == -EIO);
	CHECK_U64(unique_in(1), 0);
	journal_detach(&journal, false);
	end();
	end_vault();
}

/* The spare thread hangs as well; and there is no slot for one. */
static void test_twice_late(void)
{
	struct journal_late first, second;
	uint64_t later = io_now_ns() + 2 * LIMIT, next;
	void *buf;

	begin(1);
	buf = journal_attach(&journal, CONN_PLAIN);
	take(buf, 10);
	CHECK(journal_take_late(&journal, later, LIMIT, &first, &next));
	CHECK(journal_take_late(&journal, later, LIMIT, &second, &next));
	CHECK(second.spare && second.unique == 10 && (int)second.from == first.index);
	journal_fail_late(&journal, &second);
	CHECK(answered(10) == -EIO);
	CHECK_U64(unique_in(first.index), 0);
	CHECK_U64(unique_in(second.index), 0);
	CHECK_U64(atomic_load(&vault->late), 1);

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
		atomic_store(&journal.slots[i].owner, 1);
	take(buf, 12);
	CHECK(journal_take_late(&journal, later, LIMIT, &first, &next));
	CHECK(first.index < 0);
	journal_fail_late(&journal, &first);
	CHECK(answered(12) == -EIO);
	CHECK_U64(unique_in(0), 0);
	journal_detach(&journal, false);
	end();
	end_vault();
}

static unsigned int replayed;

static void replay_one(void *arg, uint32_t conn, void *buf, size_t len)
{
	const struct fuse_in_header *head = buf;

	(void)arg;
	replayed++;
	CHECK(conn == CONN_PLAIN && len == sizeof(*head) && head->unique == 20);
	answer(head->unique, 0);
	journal_forget();
}

static void fill(int index, uint32_t owner, uint64_t unique)
{
	struct journal_slot *slot = &journal.slots[index];
	struct fuse_in_header head = request(unique);

	memcpy(slot->buf, &head, sizeof(head));
	slot->conn = CONN_PLAIN;
	atomic_store(&slot->owner, owner);
}

/* Generation 1 is killed and cannot be reaped: one thread of it has a request in hand,
 * one sits in read(2). */
static void test_unreaped(void)
{
	bool more;

	begin(2);
	fill(0, 1, 20);
	fill(1, 1, 0);
	atomic_store(&vault->dead, 1);
	atomic_store(&vault->unreaped, 1);
	CHECK_U64(journal_sift(&journal), 1);
	CHECK_U64(journal.slots[0].owner, 1); /* the kernel may write there */
	CHECK_U64(journal.slots[1].owner, 1);
	CHECK_U64(unique_in(0), 0);
	CHECK_U64(unique_in(2), 20);
	CHECK(journal_replay(&journal, CONN_PLAIN, replay_one, NULL));
	CHECK_U64(replayed, 1);
	CHECK(answered(20) == 0);

	/* the one that was in read(2) had something after all */
	CHECK_U64(journal_look_back(&journal, &more), 0);
	CHECK(more);
	fill(1, 1, 20);
	CHECK_U64(journal_look_back(&journal, &more), 1);
	CHECK(journal_replay(&journal, CONN_PLAIN, replay_one, NULL));
	CHECK_U64(replayed, 2);

	atomic_store(&vault->unreaped, 0);
	CHECK_U64(journal_look_back(&journal, &more), 0);
	CHECK(!more);
	CHECK_U64(journal.slots[0].owner, 0);
	CHECK_U64(journal.slots[1].owner, 0);
	end();
	end_vault();
}

/* Whatever a crash has left: no slot is lost, nothing is read beyond its end. */
static void test_random(void)
{
	struct journal_late late;
	uint64_t next;
	bool more;

	srand(1);
	for (unsigned int round = 0; round < 20; round++) {
		begin(2);
		for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
			uint8_t *at = (uint8_t *)&journal.slots[i];

			for (size_t n = 0; n < 256; n++)
				at[n] = (uint8_t)rand();
			for (size_t n = 0; n < 64; n++)
				journal.slots[i].buf[n] = (uint8_t)rand();
		}
		atomic_store(&vault->unreaped, atomic_load(&journal.slots[round].owner));
		journal_sift(&journal);
		atomic_store(&vault->unreaped, 0);
		journal_look_back(&journal, &more);
		CHECK(!more);
		journal_take_late(&journal, io_now_ns() + 2 * LIMIT, LIMIT, &late, &next);
		for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
			if (journal.slots[i].owner != 0 &&
			    journal.slots[i].owner != JOURNAL_PENDING)
				CHECK_U64(journal.slots[i].owner, 0);
		end();
	}
	end_vault();
}

int main(void)
{
	test_in_time();
	test_late();
	test_twice_late();
	test_unreaped();
	test_random();
	return done_testing();
}
