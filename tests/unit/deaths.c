/* SPDX-License-Identifier: MIT */
/* deaths.c and watch.c of the keeper: who is to blame for a death, when a worker is
 * killed, and that nothing in the vault can confuse them. */
#include "../../core/keeper/deaths.c"
#include "../../core/keeper/watch.c"

#include "check.h"

#define S 1000000000ull

/* What the two call and is not tested here. */
static unsigned int kills, given_up;
void change_kill(struct process *p, const char *why)
{
	(void)why;
	p->ended = true;
	kills++;
}
void change_give_up(struct keeper *k)
{
	k->active.state = PROCESS_NONE;
	given_up++;
}
bool process_status_is_fault(int status)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV;
}

static struct keeper k;
static struct journal_slot *slots;

static void begin(void)
{
	struct wire_go go = { .generation = 1 };

	k = (struct keeper){ .vault_fd = -1, .started = true };
	if (vault_create(&k.vault_fd, &k.vault) < 0)
		exit(1);
	k.mount.fuse_fd = k.inner[0].fuse_fd = k.inner[1].fuse_fd = -1;
	k.watch.oom_fd = k.watch.proc_fd = -1;
	slots = vault_part(k.vault, VAULT_JOURNAL, JOURNAL_VERSION, 1);
	k.active = (struct process){ .state = PROCESS_SERVING, .pid = getpid(), .generation = 1 };
	k.active.ready.request_timeout_ms = 2000;
	kills = given_up = 0;
	death_names(&k.watch, 1, "a\t/proc/one\na\t/proc/two\n");
	death_names(&k.watch, 1, "b\t/proc/three\nb\t/sys/tree/\n");
	death_promote(&k.watch, true, &go);
}

static void end(void)
{
	vault_unmap(k.vault);
	close(k.vault_fd);
	free(k.watch.active_names.text);
	free(k.watch.next_names.text);
}

static void in_hand(unsigned int slot, uint32_t opcode, uint32_t runs, uint32_t fault)
{
	struct fuse_in_header *head = (void *)slots[slot].buf;

	head->opcode = opcode;
	head->unique = 2;
	atomic_store(&slots[slot].owner, 1);
	atomic_store(&slots[slot].runs, runs);
	atomic_store(&slots[slot].fault, fault);
}

static bool says(const char *what)
{
	return strstr(k.watch.last_death_text, what) != NULL;
}

static unsigned int quarantined(void)
{
	struct wire_go go = { .generation = 2 };
	unsigned int n = 0;

	k.watch.next_names = k.watch.active_names; /* the next one has the same */
	k.watch.active_names = (struct names){ NULL, 0 };
	death_promote(&k.watch, false, &go);
	while (n < QUARANTINE_MAX && go.quarantined[n])
		n++;
	return n;
}

static void test_blame(void)
{
	begin();
	in_hand(0, FUSE_READ, 1, 0);
	in_hand(1, FUSE_READ, 3, SIGSEGV);
	death_tell(&k, SIGSEGV, "signal 11");
	CHECK(says("in READ of '/proc/three' (plugin 'b')") && !says("one"));
	CHECK_U64(quarantined(), 0);
	death_tell(&k, SIGSEGV, "signal 11");
	CHECK_U64(quarantined(), 1);
	CHECK_STR(k.watch.suspects[0].name, "b\t/proc/three");
	CHECK_U64(k.watch.deaths[DEATH_FAULT], 2);

	/* another one's set of plugins: by name */
	{
		struct wire_go go = { .generation = 3 };

		death_names(&k.watch, 2, "b\t/proc/three\n");
		death_promote(&k.watch, false, &go);
		CHECK_U64(go.quarantined[0], 1);
		death_names(&k.watch, 3, "b\t/proc/thre\nc\t/proc/three\n");
		go = (struct wire_go){ .generation = 4 };
		death_promote(&k.watch, false, &go);
		CHECK_U64(go.quarantined[0], 0);
		death_promote(&k.watch, true, &go);
		CHECK_U64(k.watch.suspects[0].quarantined, 0);
	}
	end();
}

static void test_innocent(void)
{
	begin();
	in_hand(0, FUSE_READ, 1, 0);
	in_hand(1, FUSE_OPEN, 0, 0);
	for (unsigned int i = 0; i < 5; i++)
		death_tell(&k, SIGSEGV, "signal 11"); /* nobody in it says that it was him */
	for (unsigned int i = 0; i < 5; i++)
		death_tell(&k, SIGKILL, "signal 9");
	CHECK(says("in hand: READ of '/proc/one' (plugin 'a'), OPEN"));
	k.watch.killed = k.watch.was_stopped = true;
	death_tell(&k, SIGKILL, "signal 9");
	death_tell(&k, SIGKILL, "signal 9");
	CHECK(says("it was stopped"));
	CHECK_U64(quarantined(), 0);
	CHECK_U64(k.watch.deaths[DEATH_FAULT], 5);
	CHECK_U64(k.watch.deaths[DEATH_KILLED], 5);
	CHECK_U64(k.watch.deaths[DEATH_HUNG], 2);

	/* exit(): the only one that ran something */
	k.watch.killed = false;
	for (unsigned int i = 0; i < 2; i++)
		death_tell(&k, 1 << 8, "exit status 1");
	CHECK_U64(quarantined(), 1);
	CHECK_U64(k.watch.deaths[DEATH_EXIT], 2);
	end();
}

/* Two deaths that are far from each other are none. */
static void test_window(void)
{
	begin();
	blame(&k.watch, 1, 1 * S);
	blame(&k.watch, 1, 602 * S);
	CHECK_U64(quarantined(), 0);
	blame(&k.watch, 1, 603 * S);
	CHECK_U64(quarantined(), 1);
	for (unsigned int i = 0; i < 3; i++)
		blame(&k.watch, 4, 604 * S);
	CHECK_U64(quarantined(), 1); /* the other names of a tree are worth some patience */
	blame(&k.watch, 4, 604 * S);
	CHECK_U64(quarantined(), 2);
	/* more files than there is room for: the oldest one is forgotten */
	for (uint32_t i = 0; i < 3 * SUSPECTS_MAX; i++) {
		char name[32];

		snprintf(name, sizeof(name), "p\t/proc/%u", i);
		find_suspect(&k.watch, text_of(name), 700 * S + i);
	}
	CHECK_U64(quarantined(), 2);
	end();
}

static void test_flood(void)
{
	begin();
	for (unsigned int i = 0; i < 100; i++)
		death_tell(&k, SIGKILL, "signal 9");
	CHECK_U64(k.watch.said, SAY_MAX);
	CHECK_U64(k.watch.unsaid, 100 - SAY_MAX);
	CHECK(death_patience_ms(&k.watch, k.watch.period_ns + 1) <= 10000);
	CHECK(death_patience_ms(&k.watch, k.watch.period_ns + SAY_PERIOD) == INT_MAX);
	CHECK_U64(k.watch.unsaid, 0);
	end();
}

static void test_random(void)
{
	srand(1);
	for (unsigned int round = 0; round < 50; round++) {
		begin();
		for (unsigned int i = 0; i < JOURNAL_SLOTS; i++) {
			uint8_t *at = (uint8_t *)&slots[i];

			for (size_t n = 0; n < 128; n++)
				at[n] = (uint8_t)rand();
			for (size_t n = 0; n < 64; n++)
				slots[i].buf[n] = (uint8_t)rand();
			if (rand() % 2)
				atomic_store(&slots[i].owner, 1);
			if (rand() % 2)
				atomic_store(&slots[i].runs, (uint32_t)rand() % 5);
		}
		death_tell(&k, SIGSEGV, "signal 11");
		if (round == 0)
			CHECK(strlen(k.watch.last_death_text) < DEATH_TEXT);
		watch_patience_ms(&k, io_now_ns());
		end();
	}
	begin();
	memset(k.vault->parts, 0xff, sizeof(k.vault->parts));
	death_tell(&k, SIGSEGV, "signal 11");
	CHECK(says("nothing in hand"));
	CHECK(watch_patience_ms(&k, io_now_ns()) > 0);
	end();
}

/* ------------------------------------------------------------------ watchdog */

static void test_hung(void)
{
	begin();
	CHECK_U64(watch_patience_ms(&k, 100 * S) > 500, 1); /* nothing waits */
	in_hand(0, FUSE_READ, 1, 0);
	slots[0].started_ns = 101 * S;
	CHECK(watch_patience_ms(&k, 102 * S) <= 1001);
	CHECK(watch_patience_ms(&k, 103 * S + 1) > 0);
	/* it is not known to be stopped: it gets half a second more */
	CHECK(watch_patience_ms(&k, 103 * S + 21000000) > 0 && kills == 0);
	slots[0].answered++; /* something was answered: all is well */
	CHECK(watch_patience_ms(&k, 104 * S) > 0 && kills == 0);
	slots[0].started_ns = 104 * S;
	CHECK(watch_patience_ms(&k, 105 * S) > 0 && kills == 0);
	CHECK(watch_patience_ms(&k, 106 * S + 100000000) > 0 && kills == 0);
	CHECK(watch_patience_ms(&k, 106 * S + 600000000) == 0 && kills == 1);
	CHECK(k.watch.killed && !k.watch.was_stopped);

	/* it does not end: after 200 ms the next one is started, once */
	CHECK(watch_patience_ms(&k, 107 * S) <= 201 && given_up == 0);
	CHECK(watch_patience_ms(&k, 107 * S + 200000000) == 0 && given_up == 1);
	CHECK_U64(atomic_load(&k.vault->unreaped), 1);
	k.active = (struct process){ .state = PROCESS_SERVING, .pid = 1, .generation = 2 };
	k.active.ended = true;
	CHECK(watch_patience_ms(&k, 108 * S) == INT_MAX && given_up == 1);
	watch_reaped(&k, getpid());
	CHECK_U64(atomic_load(&k.vault->unreaped), 0);
	end();
}

/* Of what cannot be true nothing follows, but that it may be killed in the end. */
static void test_future(void)
{
	begin();
	watch_patience_ms(&k, 100 * S);
	in_hand(0, FUSE_READ, 1, 0);
	slots[0].started_ns = UINT64_MAX;
	for (uint64_t at = 101; at < 103; at++)
		CHECK(watch_patience_ms(&k, at * S) > 0);
	watch_patience_ms(&k, 104 * S);
	CHECK_U64(kills, 1);
	end();
}

int main(void)
{
	log_open("test", LOG_TO_STDERR, -1);
	test_blame();
	test_innocent();
	test_window();
	test_flood();
	test_random();
	test_hung();
	test_future();
	return done_testing();
}
