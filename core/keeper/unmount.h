/* SPDX-License-Identifier: MIT */
/* unmount.h - lxcfsd --unmount: takes off what a daemon that has ended has left. */
#ifndef LXCFSD_UNMOUNT_H
#define LXCFSD_UNMOUNT_H

#include "options.h"

/* Returns the exit status: 0 when nothing is mounted any more, 1 when a daemon lives. */
int unmount_left(const struct options *options);

#endif
