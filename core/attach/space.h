/* SPDX-License-Identifier: MIT */
/*
 * space.h - mounts of another mount namespace, by file descriptors.
 *
 * Theory of operation.  Parts of the living mount can only be copied in the namespace
 * that it is in, and put somewhere only in the other one: the process goes to and fro.
 * A path is walked once, to an O_PATH descriptor, never over a symbolic link, and from
 * then on that descriptor is the mount: its id says which one it is, it is asked whether
 * it is dead, and umount2() is given /proc/self/fd/N, which leads to that very mount
 * whatever its owner does to the path meanwhile.  None of this asks anything of the file
 * system that is mounted there but `is it dead`, which a dead one answers at once.
 */
#ifndef LXCFSD_SPACE_H
#define LXCFSD_SPACE_H

#include <stdbool.h>
#include <stdint.h>

struct space {
	int own;    /* the namespace with the living mount */
	int other;  /* the one to be repaired */
	int self;   /* the host's /proc/self */
	int fds;    /* and its fd */
	int living; /* the root of the living mount */
	int root;   /* of the other namespace */
};

/* Enters the other namespace; the process must have one thread. */
int space_enter(struct space *space, const char *mountpoint, int ns_fd);

/* An open table of mounts of the other namespace. */
int space_table(const struct space *space);

/* What is on top at `path`, without following links; an O_PATH descriptor. */
int space_place(const struct space *space, const char *path);

/* The id of the mount that `fd` is in, as in the table. */
int space_mount_id(const struct space *space, int fd, uint64_t *ret);

/* Lets one process of a run at a time change what is shared.  False: who has it needs
 * long, and may hang. */
bool space_lock(const struct space *space);
void space_unlock(const struct space *space);

/* Has the connection of the file system ended?  Hangs as long as the server does. */
bool space_is_dead(int fd);

/* A copy of `part` ("/proc/uptime") of the living mount, which is nowhere yet.
 * `attrs`: MOUNT_ATTR_*, in addition to those that it has.  `whole`: with what is mounted
 * in it. */
int space_copy(const struct space *space, const char *part, unsigned int attrs, bool whole,
	       int *ret);

/* Takes off the mount whose root `fd` is, with all that is mounted in it.  -EINVAL: it
 * is locked, having come from a user namespace with more rights. */
int space_take_off(const struct space *space, int fd);

/* Mounts `tree` on `fd`, or between the mount that `fd` is the root of and what that
 * is mounted on. */
int space_put(const struct space *space, int tree, int fd, unsigned int attrs);
int space_put_beneath(int tree, int fd);

#endif
