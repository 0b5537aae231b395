/* SPDX-License-Identifier: MIT */
/* conns.h - the connections to the kernel: how they are made, and made anew when somebody
 * has ended them from outside (umount -f, or an abort). */
#ifndef LXCFSD_CONNS_H
#define LXCFSD_CONNS_H

#include <stdbool.h>
#include <sys/types.h>

struct keeper;

/* Mounts on `path`.  -errno: the log says why. */
int conns_mount(struct keeper *k, const char *path);
/* Makes the inner mounts that the active worker wants, or puts them back. */
void conns_inner(struct keeper *k);
/* A child is at it. */
bool conns_inner_moves(const struct keeper *k);
/* An inner connection was ended from outside. */
bool conns_inner_gone(const struct keeper *k);
/* Such ones are forgotten, to be made anew. */
void conns_inner_ended(struct keeper *k);
/* A process has ended: was it such a child? */
bool conns_reaped(struct keeper *k, pid_t pid, int status);
/* The plain one was: a new mount with a new vault, or the end. */
void conns_anew(struct keeper *k);

#endif
