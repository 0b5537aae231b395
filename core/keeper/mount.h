/* SPDX-License-Identifier: MIT */
/* mount.h - the mount and its one FUSE_INIT.  Nothing here ever looks into the
 * mount: when nobody serves, that would hang. */
#ifndef LXCFSD_MOUNT_H
#define LXCFSD_MOUNT_H

#include <stdbool.h>

#include "vault.h"

struct mount {
	char path[4096]; /* without symbolic links; "" when not mounted */
	int fuse_fd;	 /* -1 when not mounted */
	int lock_fd;	 /* the directory below, locked: one daemon per mount point */
	int tree_fd;	 /* a copy of the mount that nobody can take off; -1: none */
	char device[32]; /* as in mountinfo: how we know our own */
};

/*
 * Mounts on `path` and saves the connection's FUSE_INIT in `conn`.  A mount whose
 * server is dead is taken off first; a living one is refused (-EBUSY).  On
 * failure *reason is a sentence for the log.
 */
int mount_new(struct mount *mount, const char *path, struct vault_conn *conn, char *reason,
	      size_t size);

/* The FUSE_INIT of a new connection, which the kernel sends once. */
int mount_read_init(int fuse_fd, struct vault_conn *conn);
/* What is mounted on `path`, as mountinfo writes it; "": nothing.  `ret` has 32 bytes. */
int mount_device_at(const char *path, char *ret);

/* It is in a mount namespace that is not the host's, and nowhere else. */
bool mount_is_private(const struct mount *mount);

/* The connection is ended for good: unmounted everywhere, or aborted. */
bool mount_is_gone(const struct mount *mount);

/* Puts the mount back where somebody has taken it off (umount, umount -l): the same
 * connection, so containers never knew.  -errno: it is not there and cannot be. */
int mount_restore(struct mount *mount, bool *ret_restored);

/* Takes the mount off, lazily, and closes our end. */
void mount_drop(struct mount *mount);

#endif
