/* SPDX-License-Identifier: MIT */
/*
 * match.h - does a cgroup's path fit the pattern of a [match] section?
 *
 * Component by component as fnmatch(3) with its *, ? and [...].  A component that is
 * `**` stands for any number of components, also none.  A backslash is a character
 * like any other: systemd has it in names, and a path is compared as the kernel
 * spells it.
 */
#ifndef LXCFSD_MATCH_H
#define LXCFSD_MATCH_H

#include <stdbool.h>

#include <lxcfsd/plugin.h>

/* NULL, or why it can be no pattern: made to stand behind a colon. */
const char *match_refuse(const char *pattern);

/* `pattern` is one that was not refused, `path` is clean (path_is_clean()). */
bool match_path(const char *pattern, struct lxcfsd_text path);

#endif
