/* SPDX-License-Identifier: MIT */
/* triggers - what is written, who may have how many, and what a successor makes of it.
 * The control file is a FIFO, so that it can be seen what the kernel would get. */
#include <sys/epoll.h>

#include "check.h"
#include "fixture.h"

#include "io.h"
#include "triggers.h"

#define CG "/sys/fs/cgroup"

static struct settings settings;
static struct model *model;
static struct vault_header *vault;
static struct handles handles;
static int fifo;

static const char *parsed(const char *text, size_t size)
{
	static char buf[64];
	struct trigger_spec spec = { 0 };
	int r = trigger_parse(text, size, &spec);

	if (r < 0)
		return strerrorname_np(-r);
	snprintf(buf, sizeof(buf), "%s %u %u", spec.full ? "full" : "some", spec.threshold_us,
		 spec.window_us);
	return buf;
}

#define PARSED(text) parsed(text, sizeof(text)) /* with its NUL */

static void test_parse(void)
{
	CHECK_STR(PARSED("some 150000 2000000"), "some 150000 2000000");
	CHECK_STR(PARSED("full 1 10000000"), "full 1 10000000");
	CHECK_STR(parsed("some 150000 2000000\n", 20), "some 150000 2000000");
	/* the last byte is not looked at, as the kernel does it */
	CHECK_STR(parsed("some 150000 20000000", 20), "some 150000 2000000");
	CHECK_STR(PARSED("some 2000000 2000000"), "some 2000000 2000000");
	CHECK_STR(PARSED("some 2000001 2000000"), "EINVAL");
	CHECK_STR(PARSED("some 0 2000000"), "EINVAL");
	CHECK_STR(PARSED("some 150000 0"), "EINVAL");
	CHECK_STR(PARSED("some 150000 1000000"), "EINVAL");
	CHECK_STR(PARSED("some 150000 3000000"), "EINVAL");
	CHECK_STR(PARSED("some 150000 12000000"), "EINVAL");
	CHECK_STR(PARSED("some 150000"), "EINVAL");
	CHECK_STR(PARSED("some 150000 2000000 1"), "EINVAL");
	CHECK_STR(PARSED("some -1 2000000"), "EINVAL");
	CHECK_STR(PARSED("some 1 99999999999999999999"), "EINVAL");
	CHECK_STR(PARSED(" some 1 2000000"), "EINVAL");
	CHECK_STR(PARSED("somewhat 1 2000000"), "EINVAL");
	CHECK_STR(PARSED("some1 2000000"), "EINVAL");
	CHECK_STR(PARSED(""), "EINVAL");
	CHECK_STR(parsed("", 0), "EINVAL");
	CHECK_STR(parsed("some 1 2000000\0 3", 18), "some 1 2000000");
	CHECK_STR(PARSED("some 1                           2000000"), "EINVAL");
}

static void start(struct triggers *t, uint32_t generation)
{
	atomic_store(&vault->writer, generation);
	handles_done(&handles);
	CHECK(handles_open(&handles, vault, generation, model, &settings) == 0);
	CHECK(triggers_open(t, vault, generation, model, &handles) == 0);
}

/* What has been written since the last look. */
static const char *written(void)
{
	static char buf[4096];
	ssize_t n = read(fifo, buf, sizeof(buf) - 1);

	buf[n < 0 ? 0 : n] = '\0';
	return buf;
}

static const struct trigger_spec some = { LXCFSD_CPU_PRESSURE, false, 150000, 2000000 };
static uint64_t unique = 100;

static uint64_t open_file(struct subject *subject)
{
	uint64_t fh = handle_new(&handles, CONN_INNER, 7, subject, 1, unique += 2);

	CHECK(fh != HANDLE_STATELESS);
	return fh;
}

static struct subject *subject_of(const char *path)
{
	struct subject *subject = NULL;

	CHECK(model_subject_by_path(model, path, &subject) == 0);
	return subject;
}

static struct vault_trigger *saved_of(struct triggers *t, uint64_t fh)
{
	uint32_t i = 0;

	while (i < TRIGGERS_MAX - 1 && atomic_load(&t->saved[i].fh) != fh)
		i++;
	return &t->saved[i];
}

static void test_one(void)
{
	struct subject *a = subject_of("/a"), *b = subject_of("/b");
	struct triggers t;
	uint64_t fh, other;

	start(&t, 1);
	fh = open_file(a);
	CHECK(trigger_poll(&t, fh, 5, 1000) == TRIGGER_NONE);
	CHECK(trigger_poll(&t, 0, 5, 1000) == TRIGGER_NONE);
	CHECK(trigger_arm(&t, fh, 7, a, &some, 2000) == 0);
	CHECK_STR(written(), "some 150000 2000000");
	CHECK(trigger_arm(&t, fh, 7, a, &some, 2002) == -EBUSY);
	CHECK(trigger_arm(&t, fh, 7, a, &some, 2000) == 0); /* the same WRITE again */
	CHECK_STR(written(), "");
	CHECK(trigger_poll(&t, fh, 5, 1002) == TRIGGER_QUIET);
	CHECK_U64(atomic_load(&saved_of(&t, fh)->sleeper), 5);
	CHECK(trigger_poll(&t, fh, 0, 1004) == TRIGGER_QUIET);
	CHECK_U64(atomic_load(&saved_of(&t, fh)->sleeper), 5);
	atomic_store(&saved_of(&t, fh)->event, 1);
	CHECK(trigger_poll(&t, fh, 0, 1006) == TRIGGER_EVENT);
	CHECK(trigger_poll(&t, fh, 0, 1006) == TRIGGER_EVENT); /* the same POLL again */
	CHECK(trigger_poll(&t, fh, 0, 1008) == TRIGGER_QUIET);

	/* one without pressure of its own */
	other = open_file(b);
	CHECK(trigger_arm(&t, other, 7, b, &some, 2004) == -EOPNOTSUPP);
	CHECK(trigger_poll(&t, other, 0, 1010) == TRIGGER_NONE);
	/* whoever was given up does nothing */
	atomic_store(&vault->writer, 9);
	CHECK(trigger_arm(&t, other, 7, a, &some, 2006) == -ESTALE);
	trigger_drop(&t, fh);
	CHECK_U64(atomic_load(&saved_of(&t, fh)->fh), fh);
	triggers_done(&t);
	atomic_store(&saved_of(&(struct triggers){ .saved = vault_part(vault, VAULT_TRIGGERS,
								       TRIGGERS_VERSION, 1) },
			       fh)
			      ->fh,
		     0);
	subject_unref(a);
	subject_unref(b);
}

static void test_bound(void)
{
	struct subject *a = subject_of("/a"), *c = subject_of("/c");
	struct triggers t;
	uint64_t fh = 0;

	start(&t, 2);
	for (unsigned int i = 0; i < TRIGGERS_PER_SUBJECT; i++)
		CHECK(trigger_arm(&t, fh = open_file(a), 7, a, &some, unique) == 0);
	CHECK(trigger_arm(&t, open_file(a), 7, a, &some, unique) == -ENOSPC);
	CHECK(trigger_arm(&t, open_file(c), 7, c, &some, unique) == 0); /* another has room */
	trigger_drop(&t, fh);
	trigger_drop(&t, fh);
	CHECK(trigger_poll(&t, fh, 0, 1) == TRIGGER_NONE);
	/* it counts until its descriptor is closed */
	CHECK(trigger_arm(&t, open_file(a), 7, a, &some, unique) == -ENOSPC);
	triggers_done(&t);
	written();
	subject_unref(a);
	subject_unref(c);
}

/* What the ones before have left: 63 of a, 1 of c; some of them are damaged. */
static void test_damaged(void)
{
	struct vault_trigger *saved =
		vault_part(vault, VAULT_TRIGGERS, TRIGGERS_VERSION, sizeof(*saved) * TRIGGERS_MAX);
	struct triggers t;
	unsigned int count = 0;

	saved[0].window_us = 0;
	saved[1].threshold_us = UINT32_MAX;
	saved[2].node = 8;
	atomic_store(&saved[3].fh, atomic_load(&saved[4].fh));
	atomic_store(&saved[5].fh, UINT64_MAX);
	memset(&saved[TRIGGERS_MAX - 1], 0xa5, sizeof(*saved));
	start(&t, 3);
	for (uint32_t i = 0; i < TRIGGERS_MAX; i++) {
		count += t.list[i].state == TRIGGER_ARMING;
		CHECK((t.list[i].state == TRIGGER_ARMING) == (atomic_load(&saved[i].fh) != 0));
	}
	CHECK_U64(count, 63 + 1 - 5);
	triggers_done(&t);
	/* those of a connection that is no more */
	vault->conn_serials[CONN_INNER]++;
	start(&t, 4);
	for (uint32_t i = 0; i < TRIGGERS_MAX; i++)
		CHECK(t.list[i].state == TRIGGER_FREE && !atomic_load(&saved[i].fh));
	triggers_done(&t);
}

static _Atomic uint64_t woken;

static void wake(void *arg, uint64_t sleeper)
{
	(void)arg;
	atomic_store(&woken, sleeper);
}

static void test_again(void)
{
	static struct triggers t, later;
	const struct trigger_spec full = { LXCFSD_CPU_PRESSURE, true, 1, 4000000 };
	struct subject *a = subject_of("/a");
	uint64_t fh;

	start(&t, 5);
	fh = open_file(a);
	CHECK(trigger_arm(&t, fh, 7, a, &full, 3000) == 0);
	CHECK(trigger_poll(&t, fh, 77, 3002) == TRIGGER_QUIET);
	atomic_store(&saved_of(&t, fh)->event, 1); /* and then it ends */
	triggers_done(&t);
	written();
	start(&later, 6);
	CHECK(trigger_arm(&later, fh, 7, a, &full, 3000) == 0);
	CHECK(trigger_arm(&later, fh, 7, a, &full, 3004) == -EBUSY);
	CHECK(triggers_start(&later, wake, NULL) == 0);
	for (int i = 0; i < 2000 && atomic_load(&woken) != 77; i++)
		usleep(5000);
	CHECK_U64(atomic_load(&woken), 77);
	CHECK_STR(written(), "full 1 4000000");
	CHECK(trigger_poll(&later, fh, 77, 3006) == TRIGGER_EVENT);
	/* closed by the other thread, and its place is free again */
	trigger_drop(&later, fh);
	for (int i = 0; i < 2000 && later.list[0].state != TRIGGER_FREE; i++)
		usleep(5000);
	CHECK(later.list[0].state == TRIGGER_FREE);
	subject_unref(a);
}

/* What happened while nobody could see it. */
static void test_missed(void)
{
	const struct trigger_spec spec = { LXCFSD_CPU_PRESSURE, false, 100000, 2000000 };

	CHECK(!trigger_is_due(&spec, 1, 0));
	CHECK(!trigger_is_due(&spec, 1999999, 1000000)); /* one per window */
	CHECK(!trigger_is_due(&spec, 2000000, 99999));
	CHECK(trigger_is_due(&spec, 2000000, 100000));
	CHECK(!trigger_is_due(&spec, 4000000, 199999)); /* 5 % of the time */
	CHECK(trigger_is_due(&spec, 4000000, 200000));
	CHECK(!trigger_is_due(&spec, UINT64_MAX, 200000));
	CHECK(trigger_is_due(&spec, UINT64_MAX, UINT64_MAX));
}

static struct triggers living; /* its threads never end */

static void wait_until_free(uint32_t index)
{
	for (int i = 0; i < 2000 && living.list[index].state != TRIGGER_FREE; i++)
		usleep(5000);
	CHECK(living.list[index].state == TRIGGER_FREE);
}

/* One thread writes, another one polls: what is saved in the entry is not theirs yet. */
static void test_poll_while_arming(void)
{
	struct subject *a = subject_of("/a");
	struct triggers t;
	uint64_t fh;

	start(&t, 7);
	fh = open_file(a);
	t.list[3] = (struct trigger){ .state = TRIGGER_ARMING, .serial = 9, .fh = fh, .fd = -1 };
	atomic_store(&t.saved[3].event, 1);
	atomic_store(&t.saved[3].sleeper, 4);
	CHECK(trigger_poll(&t, fh, 5, 4000) == TRIGGER_NONE);
	CHECK_U64(atomic_load(&t.saved[3].event), 1);
	CHECK_U64(atomic_load(&t.saved[3].sleeper), 4);
	triggers_done(&t);
	subject_unref(a);
}

/* What a later worker arms again is told by its serial number from what is armed meanwhile,
 * also in the same entry. */
static void test_reused(void)
{
	struct subject *a = subject_of("/a"), *c = subject_of("/c");
	struct triggers t;
	uint64_t fh, other;

	start(&t, 8);
	fh = open_file(a);
	CHECK(trigger_arm(&t, fh, 7, a, &some, 5000) == 0);
	CHECK(t.list[0].serial != 1);
	triggers_done(&t);
	start(&living, 9);
	CHECK_U64(living.list[0].serial, 1);
	other = open_file(c);
	CHECK(triggers_start(&living, wake, NULL) == 0);
	trigger_drop(&living, fh);
	wait_until_free(0);
	CHECK(trigger_arm(&living, other, 7, c, &some, 5002) == 0);
	CHECK_U64(living.list[0].fh, other);
	CHECK(living.list[0].serial != 1);
	CHECK(trigger_poll(&living, other, 88, 5004) == TRIGGER_QUIET);
	subject_unref(a);
	subject_unref(c);
}

/* What is told of a descriptor that is closed by now does not hit who has its entry. */
static void test_late_event(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 1ull << 32 };
	int fds[2];

	CHECK(living.list[0].state == TRIGGER_ARMED && living.list[0].serial != 1);
	CHECK(pipe(fds) == 0 && close(fds[1]) == 0);
	CHECK(epoll_ctl(living.epoll_fd, EPOLL_CTL_ADD, fds[0], &event) == 0); /* it hung up */
	usleep(100000);
	close(fds[0]);
	event = (struct epoll_event){ .events = EPOLLPRI,
				      .data.u64 = (uint64_t)living.list[0].serial << 32 };
	CHECK(epoll_ctl(living.epoll_fd, EPOLL_CTL_MOD, living.list[0].fd, &event) == 0);
}

/* Who closes and arms again and again does not keep others waiting to be closed. */
static void test_turns(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int closed = epoll_create1(EPOLL_CLOEXEC), fds[2][2];
	static const uint32_t index[2] = { 10, 90 };

	pthread_mutex_lock(&living.lock);
	living.list[50] = (struct trigger){ .state = TRIGGER_CLOSING, .fd = -1 };
	pthread_cond_signal(&living.closing);
	pthread_mutex_unlock(&living.lock);
	wait_until_free(50);
	pthread_mutex_lock(&living.lock);
	for (uint32_t i = 0; i < 2; i++) {
		event.data.u32 = i;
		CHECK(pipe(fds[i]) == 0);
		CHECK(epoll_ctl(closed, EPOLL_CTL_ADD, fds[i][0], &event) == 0);
		living.list[index[i]] =
			(struct trigger){ .state = TRIGGER_CLOSING, .fd = fds[i][1] };
	}
	pthread_cond_signal(&living.closing);
	pthread_mutex_unlock(&living.lock);
	wait_until_free(10);
	wait_until_free(90);
	CHECK(epoll_wait(closed, &event, 1, 0) == 1);
	CHECK_U64(event.data.u32, 1); /* the one behind the one that was closed last */
	close(fds[0][0]);
	close(fds[1][0]);
	close(closed);
}

int main(void)
{
	char path[2 * PATH_MAX];
	int fd;

	test_parse();
	fixture_v2();
	fixture_dir(CG "/a");
	fixture_dir(CG "/b");
	fixture_file(CG "/c/cpu.pressure", "%s", "");
	remove((snprintf(path, sizeof(path), "%s" CG "/c/cpu.pressure", fixture_root), path));
	if (mkfifo(path, 0600) < 0)
		fixture_die(path);
	snprintf(path, sizeof(path), "%s" CG "/a/cpu.pressure", fixture_root);
	if (mkfifo(path, 0600) < 0)
		fixture_die(path);
	fifo = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	settings = fixture_settings();
	settings.max_handles = 1024;
	settings.max_snapshot_kib = 4096;
	model = fixture_model(&settings);
	if (vault_create(&fd, &vault) < 0)
		return 1;
	test_one();
	test_bound();
	test_damaged();
	test_again();
	test_missed();
	test_poll_while_arming();
	test_reused();
	test_late_event();
	test_turns();
	return done_testing();
}
