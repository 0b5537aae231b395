/* SPDX-License-Identifier: MIT */
/*
 * safe.h - lxcfsd-safe: serves when no worker can start.
 *
 * Theory of operation.  It loads nothing: no configuration, no plugins, no libraries
 * where the libc can be linked statically.  The keeper holds it open from its own start
 * on and steers it like a worker: READY, GO, SERVING, DRAIN.  It speaks the kernel's
 * protocol by itself and shows the host's files, of those names that the node registry
 * in the vault has, and of what the host has in a directory that is a tree.  What
 * others may not read on the host, or in here, is empty.
 *
 * Whatever a worker does with the vault is done here by the same code: the journal,
 * node ids, open files and their half-read texts.  So a text that was half read is read
 * to its end, and whose an open file is, which cannot be known here, the next worker
 * finds out.  Triggers sleep on until that one arms them again.
 *
 * The registry, handles and journal are checked where they are taken over; nothing in
 * them can name what is not below /proc or /sys, or make it read what not everybody may.
 */
#ifndef LXCFSD_SAFE_H
#define LXCFSD_SAFE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "handles.h"
#include "host.h"
#include "journal.h"
#include "nodes.h"
#include "roots.h"
#include "vault.h"

struct safe {
	struct vault_header *vault;
	struct journal journal;
	struct nodes nodes;
	struct handles handles;
	struct vault_trigger *triggers; /* NULL: none that we understand */
	struct roots roots;
	struct host host;
	bool hide_host;	  /* files are an error: on_error = eio */
	uint32_t *listed; /* ids of what is in no tree, ascending */
	uint32_t listed_count;
	_Atomic uint64_t *sizes; /* by node id - 1, as stat(2) shows them; 0: not yet known */
	uint32_t conn_roots[VAULT_CONNS];
};

/* serve.c: answers what came from the kernel or out of the journal. */
void safe_answer(struct safe *s, uint32_t conn, const void *bytes, size_t len);
/* init.c: repeats what was agreed upon at a connection's INIT, or agrees upon it. */
int safe_init(struct safe *s, uint32_t conn, int fd);

/* content.c: takes over what is in the vault.  `root` as of roots_open(): NULL, the host. */
int content_open(struct safe *s, struct vault_header *vault, uint32_t generation, const char *root);
/* The node's type, and the permission bits that it is shown with.  -ENOENT: the host has
 * none, or another thing. */
int content_mode(struct safe *s, const struct node *node, uint32_t *ret);
uint64_t content_size(struct safe *s, const struct node *node);
/* What is called `name` in a directory.  -ENOENT. */
int content_find(struct safe *s, const struct node *dir, const char *name, const struct node **ret);

/* A READ, or all names of a tree's directory, or a link's target. */
struct content_read {
	const struct node *node;
	uint64_t fh;
	uint64_t offset;
	size_t size;
	uint64_t unique;
	bool replay;
};
/* What stands at `offset`, in memory of this thread that is valid until its next one. */
ssize_t content_read(struct safe *s, const struct content_read *read, const char **ret);
ssize_t content_list(struct safe *s, const struct content_read *read, const char **ret);

/* loop.c: connections and their threads. */
int loop_add(struct safe *s, uint32_t conn, int fd);
int loop_start(struct safe *s, uint32_t conn, unsigned int threads);
/* Takes nothing more, and returns when all that was taken is answered. */
void loop_drain(void);

#endif
