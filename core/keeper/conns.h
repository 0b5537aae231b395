/* SPDX-License-Identifier: MIT */
/* conns.h - the connections to the kernel: how they are made, and made anew when somebody
 * has ended them from outside (umount -f, or an abort). */
#ifndef LXCFSD_CONNS_H
#define LXCFSD_CONNS_H

struct keeper;

/* Mounts on `path`.  -errno: the log says why. */
int conns_mount(struct keeper *k, const char *path);
/* Makes the inner mount, if the active worker wants one, or puts it back. */
void conns_inner(struct keeper *k);
/* The inner connection was ended from outside, alone. */
void conns_inner_ended(struct keeper *k);
/* The plain one was: a new mount with a new vault, or the end. */
void conns_anew(struct keeper *k);

#endif
