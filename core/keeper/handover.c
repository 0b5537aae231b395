/* SPDX-License-Identifier: MIT */
/* handover.c - see handover.h. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "adopt.h"
#include "change.h"
#include "handover.h"
#include "io.h"
#include "notify.h"
#include "state.h"
#include "take.h"
#include "text.h"

#define MS	 1000000u
#define RETRY_MS 100
/* What each way carries. */
#define FOR_WORKER ((KEPT(CONTROL) - 1u) | KEPT(ROOTS) | KEPT(ROOTS_TREE))
#define FOR_STORE                                                                                  \
	(KEPT(STATE) | KEPT(VAULT) | KEPT(FUSE) | KEPT(LOCK) | KEPT(INNER) | KEPT(EXE) |           \
	 KEPT(SET) | KEPT(ROOTS))

void handover_bundle(struct keeper *k, struct bundle *ret)
{
	bundle_init(ret);
	for (unsigned int i = 0; i < KEPT_COUNT; i++)
		ret->fds[i] = *take_place(k, i);
}

void handover_changed(struct keeper *k, uint32_t which)
{
	k->handover.unrecorded = true;
	k->handover.untold = k->handover.untold || which & FOR_WORKER;
	k->handover.unstored |= which & FOR_STORE;
}

void handover_worker(struct keeper *k)
{
	struct handover *h = &k->handover;
	int r = take_start_time(k->active.pid, &h->worker_started);

	if (r == 0)
		r = state_write(h->state_fd, k, &h->state_seq);
	if (r < 0)
		log_warn("what the next keeper must know cannot be written: %s", strerror(-r));
	h->untold = true;
}

static void tell_worker(struct keeper *k)
{
	struct handover *h = &k->handover;
	struct bundle all;
	int r;

	if (h->listen_fd < 0 || !adopt_can_be_found(k->rt->dir)) {
		int fd;

		r = adopt_listen(k->rt->dir, &fd);
		if (r < 0)
			log_warn("no place where a worker without a keeper can be found: %s",
				 strerror(-r));
		if (r == 0 && h->listen_fd >= 0)
			close(h->listen_fd);
		if (r == 0)
			h->listen_fd = fd;
	}
	handover_bundle(k, &all);
	r = bundle_send(&all, FOR_WORKER, k->active.ctl, WIRE_KEEP);
	h->untold = r == -EAGAIN; /* else it is dying */
}

static void store(struct keeper *k)
{
	struct handover *h = &k->handover;
	struct bundle all;

	handover_bundle(k, &all);
	for (unsigned int i = 0; i < KEPT_COUNT; i++) {
		uint32_t bit = 1u << i;
		int r = 0;

		if (!(h->unstored & bit))
			continue;
		if (h->stored & bit)
			r = notify_forget(bundle_name(i));
		if (r == 0)
			h->stored &= ~bit;
		if (r == 0 && all.fds[i] >= 0) {
			r = notify_store(bundle_name(i), all.fds[i]);
			if (r == 0)
				h->stored |= bit;
		}
		if (r == 0)
			h->unstored &= ~bit;
	}
}

static void record_mount(const struct keeper *k)
{
	char text[sizeof(k->mount.path) + sizeof(k->mount.device) + 2];
	int n = snprintf(text, sizeof(text), "%s %s\n", k->mount.device, k->mount.path);
	int r = runtime_replace(k->rt, "mount", text, (size_t)n);

	if (r < 0)
		log_warn("cannot write '%s/mount': %s", k->rt->dir, strerror(-r));
}

int handover_publish(struct keeper *k, uint64_t now)
{
	struct handover *h = &k->handover;
	bool serves = k->active.state == PROCESS_TAKING || k->active.state == PROCESS_SERVING;

	if (k->mount.fuse_fd < 0 || !serves)
		return INT_MAX;
	if (now < h->retry_at_ns)
		return (int)((h->retry_at_ns - now) / MS) + 1;
	if (h->untold && !k->active.ended)
		tell_worker(k);
	if (h->unstored & KEPT(FUSE))
		record_mount(k);
	if (!notify_keeps_fds())
		h->unstored = 0;
	else if (h->unstored)
		store(k);
	if (h->unrecorded && state_write(h->state_fd, k, &h->state_seq) == 0)
		h->unrecorded = false;
	if (!h->untold && !h->unstored)
		return INT_MAX;
	h->retry_at_ns = now + (uint64_t)RETRY_MS * MS;
	return RETRY_MS;
}

bool handover_stays(const struct keeper *k)
{
	const uint32_t needed = KEPT(STATE) | KEPT(VAULT) | KEPT(FUSE);

	return k->started && k->mount.fuse_fd >= 0 && notify_keeps_fds() &&
	       (k->handover.stored & needed) == needed;
}

void handover_done(struct keeper *k, bool stays)
{
	char path[sizeof(k->rt->dir) + 16];

	if (k->handover.listen_fd < 0)
		return; /* has never served: what lies there may be another one's */
	adopt_unlink(k->rt->dir);
	if (stays) {
		state_write(k->handover.state_fd, k, &k->handover.state_seq);
		return;
	}
	snprintf(path, sizeof(path), "%s/mount", k->rt->dir);
	unlink(path);
}
