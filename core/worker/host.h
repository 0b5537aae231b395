/* SPDX-License-Identifier: MIT */
/*
 * host.h - the host's own files, read at most once per cache interval.
 *
 * One entry per path with its content.  The first reader who finds it too old
 * reads it again under the entry's lock; whoever comes meanwhile waits for that
 * and takes the same bytes.  No other lock is held over the reading.
 */
#ifndef LXCFSD_HOST_H
#define LXCFSD_HOST_H

#include <sys/types.h>

#include "cache.h"
#include "fds.h"
#include "lent.h"
#include "roots.h"

#define HOST_FILE_MAX (4u << 20)

struct host {
	const struct roots *roots;
	struct fds *fds;
	uint64_t cache_ns;
	struct cache files;
};

int host_init(struct host *host, const struct roots *roots, struct fds *fds, uint64_t cache_ns);
void host_done(struct host *host);

/* A reference to the content.  `path` begins with /proc/ or /sys/. */
int host_read(struct host *host, const char *path, struct lent **ret);
int host_mode(struct host *host, const char *path, mode_t *ret);

/* host_tree.c; as the services of these names.  -EACCES when not everybody may read
 * the file or the directory, or come as far as the link. */
int host_entry(struct host *host, const char *path, struct lxcfsd_entry *ret);
int host_copy(struct host *host, const char *path, struct lxcfsd_out *out);
int host_list(struct host *host, const char *path, struct lxcfsd_out *out);
int host_link(struct host *host, const char *path, struct lxcfsd_out *out);

/* The directory that `path` is in and what follows it. */
int host_split(const struct host *host, const char *path, int *ret_dirfd, const char **ret_rest);
/* May everybody come as far as this file?  /sys/kernel/debug is closed, what is in
 * it is 0444. */
bool host_is_reachable(int dirfd, const char *rest);

#endif
