/* SPDX-License-Identifier: MIT */
/*
 * passing.h - nodes that come and go.
 *
 * Theory of operation.  The names in a tree of cgroups are the containers' choice and have
 * no end, so they cannot stay in the registry.  Such a node lives as long as the kernel
 * holds it: LOOKUP counts, FORGET counts back (the kernel drops a name without a timeout
 * as soon as nobody uses it).  It is found by parent, name, type and object, which is the
 * inode number of what the name stands for: one container's `x` is never another's, nor
 * what was called so before, and an inode's owner and mode are one container's alone.
 *
 * The table is in the vault, so that what containers hold outlives a worker; a place that
 * is given again has another serial.  A worker that dies may have counted LOOKUPs that are
 * then replayed: those are counted once, by their numbers (the last three of each node).  A
 * FORGET that it had taken is lost with all its nodes, whose places then are in use for the
 * life of the connection.
 *
 * A reader can hold as many names as it has descriptors.  So each subject has a share: 1 in
 * 16 of the table at most, and the last quarter is for those who have few.  They are told
 * apart by a hash; that two of them share an account is rare, and then they share.  (Whoever
 * makes many pid namespaces is many subjects, as for open files.)
 */
#ifndef LXCFSD_PASSING_H
#define LXCFSD_PASSING_H

#include "nodes.h"

int passing_open(struct nodes *nodes);
void passing_done(struct nodes *nodes);

/* NULL: it has passed, or something above it has. */
const struct node *passing_get(const struct nodes *nodes, uint64_t number);

/* What a LOOKUP has found. */
struct passing_find {
	const struct node *parent;
	const char *name;
	uint32_t type; /* enum node_type */
	uint64_t object;
	uint64_t owner;	 /* subject_id(), whose share it is of */
	uint64_t unique; /* of the LOOKUP */
	bool replay;
};
/* Its node, counted once more.  -ENFILE: its owner has enough; -ENAMETOOLONG, -ESTALE. */
int passing_add(struct nodes *nodes, const struct passing_find *find, const struct node **ret);
/* `owner` can have one more. */
bool passing_has_room(struct nodes *nodes, uint64_t owner);
/* A container's number, written as we would: what else it could be would be another name
 * for the same. */
bool passing_is_number(const char *name, uint64_t *ret);
/* Those in `parent`, one by one: begins with *place 0 and ends with false.  A container's
 * name has no more than 20 bytes. */
#define PASSING_NUMBER_MAX 21
bool passing_next(struct nodes *nodes, const struct node *parent, uint32_t *place,
		  char name[PASSING_NUMBER_MAX]);
/* The kernel has forgotten `count` of its lookups; of others nothing is counted. */
void passing_forget(struct nodes *nodes, uint64_t number, uint64_t count);

/* A request on it is past its deadline: the kernel may forget it before the thread that has
 * it comes back, which is to find it as it was.  NULL: it has passed. */
const struct node *passing_pin(struct nodes *nodes, uint64_t number);
/* The same node, until passing_unpin(), also when what is above it has passed. */
const struct node *passing_pinned(const struct nodes *nodes, uint64_t number);
void passing_unpin(struct nodes *nodes, uint64_t number);

#endif
