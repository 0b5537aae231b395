/* SPDX-License-Identifier: MIT */
/* confine.h - a worker that has loaded everything gives up what it has no use for. */
#ifndef LXCFSD_CONFINE_H
#define LXCFSD_CONFINE_H

#include <stddef.h>
#include <stdint.h>

/* Before there is a second thread.  Never fails: what this kernel or a container around us
 * does not grant is logged, and the rest holds. */
void confine(void);

/* After it: no more processes (see closer.h for the last one). */
void confine_to_threads(void);

/* For other processes (deputy.h).  No capabilities but these, as far as this one has them. */
int confine_capabilities(const uint32_t list[], size_t count);
/* No system calls but these, also of whatever this process begins.  With no_new_privs. */
int confine_to_calls(const uint32_t calls[], size_t count);

#endif
