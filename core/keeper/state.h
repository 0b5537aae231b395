/* SPDX-License-Identifier: MIT */
/*
 * state.h - what a keeper knows and its successor must know too, as text in a memfd.
 *
 * A line is a name, a blank and a value.  The successor may be of another release, older or
 * newer: names are only added, unknown ones are passed over, and what is missing keeps
 * the value that it has.
 *
 * The memfd has two halves, written in turn.  A keeper may be killed at any moment, also in
 * the middle of writing: then the last line of that half is missing and the other one holds.
 */
#ifndef LXCFSD_STATE_H
#define LXCFSD_STATE_H

#include <stdint.h>

#include "options.h"

struct keeper;

int state_new(int *ret_fd);
/* *seq counts how often it was written. */
int state_write(int fd, const struct keeper *k, uint32_t *seq);
/* -EINVAL: nobody has written this, or nobody who means the same by it. */
int state_read(int fd, struct keeper *k, uint32_t *ret_seq);
/* The options that the one before was started with. */
int state_read_options(int fd, struct options *ret);

#endif
