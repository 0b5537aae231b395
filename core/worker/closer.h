/* SPDX-License-Identifier: MIT */
/* closer.h - the end of a worker is quick: somebody else closes its files. */
#ifndef LXCFSD_CLOSER_H
#define LXCFSD_CLOSER_H

/* By the main thread, before there is a second one.  `first` is called when the worker has
 * ended, before all the rest is closed; it may find any nonsense in the memory that a crash
 * has left.  0 or -errno; without a closer all that is different is how long the kernel
 * takes to end this process. */
int closer_start(void (*first)(void));

#endif
