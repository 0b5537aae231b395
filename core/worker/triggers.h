/* SPDX-License-Identifier: MIT */
/*
 * triggers.h - PSI triggers: who sleeps in poll(2) until a container has waited too long.
 *
 * Theory of operation.  A trigger belongs to an open file.  It is armed in the
 * kernel's own *.pressure file of the container's cgroup, on a descriptor that is held
 * here; one thread waits for all of them and wakes the sleeper, who then asks by POLL
 * what has happened.  Entry i of the table in the vault is what a successor needs to
 * arm entry i of ours again: descriptors end with their process, and with them what
 * the kernel had armed.  It does so beside serving and wakes everybody once, for
 * nothing: whoever slept asks again, and an event is not lost, because it is marked in the
 * vault before anybody is woken.
 *
 * An entry in the vault exists while its `fh` is not 0, which is written last.
 *
 * The kernel waits for all CPUs when a descriptor with a trigger is closed: another
 * thread does that, and until then the entry counts against its container, which so
 * pays for it alone.
 *
 * They are armed without CAP_SYS_RESOURCE, or the kernel would start a real-time
 * thread for the container; before Linux 6.4 it can only be had with it.
 */
#ifndef LXCFSD_TRIGGERS_H
#define LXCFSD_TRIGGERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "handles.h"
#include "model.h"
#include "vault.h"

#define TRIGGERS_PER_SUBJECT 64

struct trigger_spec {
	uint32_t control; /* enum lxcfsd_control */
	bool full;
	uint32_t threshold_us;
	uint32_t window_us;
};

enum trigger_state {
	TRIGGER_FREE,
	TRIGGER_ARMING, /* somebody opens its descriptor, without the lock */
	TRIGGER_ARMED,
	TRIGGER_CLOSING,
};

struct trigger {
	enum trigger_state state;
	uint32_t serial; /* tells it from earlier owners of the entry */
	uint64_t fh;
	struct subject *subject;
	int fd;	   /* -1: none */
	bool dead; /* its cgroup is gone, or it could not be armed again */
};

struct triggers {
	struct vault_header *vault;
	uint32_t generation;
	struct model *model;
	struct vault_trigger *saved; /* TRIGGERS_MAX, our own when the vault has no room */
	bool saved_is_ours;
	struct trigger *list;
	int epoll_fd;
	pthread_mutex_t lock;	/* of the list and, with it, of `saved` */
	pthread_cond_t closing; /* there is something to close */
	/* wakes a sleeper */
	void (*wake)(void *arg, uint64_t sleeper);
	void *wake_arg;
};

/* "some 150000 2000000", as the kernel takes it from the unprivileged.  -EINVAL. */
int trigger_parse(const char *bytes, size_t size, struct trigger_spec *ret);

/* Would the kernel have told of another event?  `growth_us` of total= within `elapsed_us`:
 * not before a window is over, and by the mean, which is all that is known. */
bool trigger_is_due(const struct trigger_spec *spec, uint64_t elapsed_us, uint64_t growth_us);

/* Takes over what is in the vault; nothing is armed yet. */
int triggers_open(struct triggers *t, struct vault_header *vault, uint32_t generation,
		  struct model *model, struct handles *handles);
/* Frees what triggers_open() made; the vault stays.  Not after triggers_start(). */
void triggers_done(struct triggers *t);
/* Starts the threads. */
int triggers_start(struct triggers *t, void (*wake)(void *arg, uint64_t sleeper), void *arg);

/* -EBUSY: the file has one; 0 when the same WRITE made it.  -ENOSPC: over a bound.
 * -EOPNOTSUPP: the subject has no pressure of its own. */
int trigger_arm(struct triggers *t, uint64_t fh, uint32_t node, struct subject *subject,
		const struct trigger_spec *spec, uint64_t unique);

enum trigger_poll { TRIGGER_NONE, TRIGGER_QUIET, TRIGGER_EVENT, TRIGGER_DEAD };
/* What the POLL `unique` of an open file is to be told; `sleeper`, if not 0, is to be
 * woken from now on. */
enum trigger_poll trigger_poll(struct triggers *t, uint64_t fh, uint64_t sleeper, uint64_t unique);

/* The file is closed. */
void trigger_drop(struct triggers *t, uint64_t fh);

#endif
