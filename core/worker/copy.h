/* SPDX-License-Identifier: MIT */
/* copy.h - what an open file or directory of the host has, for a plugin's output. */
#ifndef LXCFSD_COPY_H
#define LXCFSD_COPY_H

#include <stdbool.h>
#include <sys/types.h>

#include <lxcfsd/plugin.h>

/* All of the file from where it stands.  -ENOSPC: it does not fit. */
int copy_file(int fd, struct lxcfsd_out *out);

/* A listing of the directory, without what `hidden` (may be NULL) says and what is neither
 * directory nor file nor link. */
int copy_names(int fd, bool (*hidden)(const char *name), struct lxcfsd_out *out);

/* enum lxcfsd_type; 0: none of them. */
uint32_t copy_type(mode_t mode);

#endif
