/* SPDX-License-Identifier: MIT */
/* errand.h - the process beside a worker that does things as somebody else: deputy.h. */
#ifndef LXCFSD_ERRAND_H
#define LXCFSD_ERRAND_H

#include "deputy.h"

/* What comes with an errand: where to say what came of it, the directory, the vault, and
 * the caller's pid namespace if it is about a process. */
enum errand_fd { ERRAND_REPLY, ERRAND_DIR, ERRAND_VAULT, ERRAND_NS, ERRAND_FDS };

/* Until the other side is gone. */
void errand_loop(struct model *model, int sock);

#endif
