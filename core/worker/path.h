/* SPDX-License-Identifier: MIT */
/* path.h - cgroup paths, compared by component and never by string prefix, and
 * opening below a directory that nothing leads out of. */
#ifndef LXCFSD_PATH_H
#define LXCFSD_PATH_H

#include <stdbool.h>
#include <stddef.h>

#include <lxcfsd/plugin.h>

#define PATH_BYTES_MAX 4095

/* Starts with '/', no empty component, no "." and "..", no control bytes that
 * the kernel does not allow either, no '/' at the end unless it is all. */
bool path_is_clean(struct lxcfsd_text path);

/* `path` is `top` or lies below it. */
bool path_at_or_below(struct lxcfsd_text path, struct lxcfsd_text top);

/* The last component; empty for "/". */
struct lxcfsd_text path_last(struct lxcfsd_text path);
/* Without the last component; "/" stays. */
struct lxcfsd_text path_parent(struct lxcfsd_text path);

/* At most `components` components and `bytes` bytes from the front; never a part of
 * a component. */
struct lxcfsd_text path_cut(struct lxcfsd_text path, unsigned int components, size_t bytes);

enum path_links { PATH_NO_LINKS, PATH_LINKS };

/* openat() that never leaves `dirfd`, nor follows a link unless told so.  Where
 * the kernel has no openat2() the path alone must do. */
int path_open(int dirfd, const char *path, int flags, enum path_links links);

#endif
