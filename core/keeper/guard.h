/* SPDX-License-Identifier: MIT */
/*
 * guard.h - the head of the vault, as the keeper knows it.
 *
 * Without its head the vault is of no use to anybody: where the parts are, what the
 * kernel was told at INIT, which directory the inner connection is of.  A worker may have
 * scribbled on it before it died.  The keeper has put most of it there itself, so it
 * keeps a copy and puts back what is different before the next worker is told GO.
 */
#ifndef LXCFSD_GUARD_H
#define LXCFSD_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "vault.h"

struct guard {
	bool knows; /* something was learnt */
	struct vault_header known;
	uint32_t view_off;   /* what SIGUSR2 has last set */
	unsigned int mended; /* how many times something was put back */
};

/* The head is as it should be now. */
void guard_learn(struct guard *guard, const struct vault_header *vault);
/* Puts back what is different, and says so. */
void guard_mend(struct guard *guard, struct vault_header *vault);

#endif
