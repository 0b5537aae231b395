/* SPDX-License-Identifier: MIT */
/* confine.h - a worker that has loaded everything gives up what it has no use for. */
#ifndef LXCFSD_CONFINE_H
#define LXCFSD_CONFINE_H

/* Before there is a second thread.  Never fails: what this kernel or a container around us
 * does not grant is logged, and the rest holds. */
void confine(void);

/* After it: no more processes (see closer.h for the last one). */
void confine_to_threads(void);

#endif
