/* SPDX-License-Identifier: MIT */
/*
 * guilt.h - which file of which plugin is to blame for a worker's death.
 *
 * All files and trees of all plugins are numbered in the order of the sections.  A
 * worker tells the keeper their names before it serves anybody, so that nothing but
 * numbers has to be taken from the vault after a crash; while a thread runs a plugin, the
 * number stands in its slot (journal_runs()).  The keeper counts, and says with GO which
 * files are quarantined: their plugins are not asked until the next reload.
 */
#ifndef LXCFSD_GUILT_H
#define LXCFSD_GUILT_H

#include "serve.h"
#include "wire.h"

/* Tells the keeper the names. */
int guilt_tell(const struct plugins *plugins, int sock);
/* Gives the nodes their numbers, and takes what GO says. */
void guilt_take(struct server *s, const uint32_t quarantined[QUARANTINE_MAX]);

#endif
