/* SPDX-License-Identifier: MIT */
/* adopt.h - where a worker that has lost its keeper is found, see orphan.h of the worker. */
#ifndef LXCFSD_ADOPT_H
#define LXCFSD_ADOPT_H

#include "bundle.h"

/* Makes the socket in directory `dir` for which workers that lose us listen. */
int adopt_listen(const char *dir, int *ret_fd);
/* Is it there, or has somebody cleaned up? */
bool adopt_can_be_found(const char *dir);
void adopt_unlink(const char *dir);
/* What a worker there holds, with the socket by which it is steered as KEPT_CONTROL.
 * -ENOENT: there is none.  -ETIMEDOUT: it does not answer. */
int adopt_ask(const char *dir, int timeout_ms, struct bundle *ret);
/* Tells the worker to finish, and waits for its end: it would wait for another keeper if
 * we were gone before. */
void adopt_end(const struct bundle *bundle);

#endif
