/* SPDX-License-Identifier: MIT */
/* keeper.h - the life of the mount. */
#ifndef LXCFSD_KEEPER_H
#define LXCFSD_KEEPER_H

#include "bundle.h"
#include "options.h"
#include "runtime.h"

/* Runs until told to end; returns the exit status.  `bundle`: what another keeper has
 * left, which is taken out of it. */
int keeper_run(const struct options *options, struct runtime *rt, struct bundle *bundle);

#endif
