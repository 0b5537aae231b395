/* SPDX-License-Identifier: MIT */
/*
 * dying.h - a worker that crashes says which of its requests is to blame.
 *
 * The handler of a fault signal marks the slot of the thread that has caused it, puts
 * the default action back, and lets the same happen again: so the process dies as it
 * would have, with a core dump of the place.  A signal that somebody else has sent
 * marks nothing.  Nor does SIGKILL, which nobody can handle.  exit() in a plugin marks
 * its thread as well.
 */
#ifndef LXCFSD_DYING_H
#define LXCFSD_DYING_H

/* Once, in a process that serves. */
void dying_watch(void);
/* In each thread that takes requests: a stack for the handler, should the thread's own
 * be what has overflowed. */
void dying_enter(void);

#endif
