/* SPDX-License-Identifier: MIT */
/* ready.h - what a worker tells the keeper of its configuration. */
#ifndef LXCFSD_READY_H
#define LXCFSD_READY_H

#include "serve.h"
#include "wire.h"

void ready_fill(const struct server *s, struct wire_ready *ret);

/* How many plugins are switched on. */
unsigned int plugins_enabled(const struct plugins *plugins);
/* One of them has something that can be changed. */
bool plugins_change(const struct plugins *plugins);

#endif
