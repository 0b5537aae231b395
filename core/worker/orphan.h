/* SPDX-License-Identifier: MIT */
/*
 * orphan.h - a worker whose keeper has died waits for another one.
 *
 * The keeper gives each worker that serves what its own successor would need, as one
 * message of names and file descriptors that mean nothing to the worker.  Among
 * them is a socket that listens in the runtime directory: as long as a keeper lives
 * nobody answers there.  A worker that has lost its keeper does; whoever connects, and is
 * root, is given that message and steers the worker from then on.
 */
#ifndef LXCFSD_ORPHAN_H
#define LXCFSD_ORPHAN_H

#include "wire.h"

/* Takes what is to be held over, instead of what was held. */
void orphan_keep(struct wire_msg *msg);
/* Closes it: locks are among it, for which somebody may wait. */
void orphan_let_go(void);
/* The socket where a new keeper comes to; -1: there is none. */
int orphan_listens(void);
/* Somebody came: the socket by which we are steered, -1 when it is none of them. */
int orphan_adopt(void);

#endif
