/* SPDX-License-Identifier: MIT */
/*
 * serve.h - what a reader gets: the text of a file, and what to fall back to.
 *
 * Fall-back order when a render fails: the last good text of the same subject and
 * file; then, with on_error = host, the host's file if others may read it there;
 * then EIO.  A file that others may not read on the host never shows the host's
 * content: it is empty.  Everything is counted by file and cause.
 */
#ifndef LXCFSD_SERVE_H
#define LXCFSD_SERVE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "config.h"
#include "handles.h"
#include "lastgood.h"
#include "log.h"
#include "model.h"
#include "nodes.h"
#include "plugin.h"
#include "records.h"
#include "vault.h"

/* Where the text of a read came from. */
enum source {
	SOURCE_VIEW,	  /* the container's own */
	SOURCE_HOST,	  /* the host's: the reader has no view of its own, or the file is off */
	SOURCE_LAST_GOOD, /* render failed */
	SOURCE_FALL_BACK, /* render failed: the host's */
	SOURCE_EMPTY,	  /* the host's is not for everybody */
	SOURCE_ERROR,	  /* EIO */
	SOURCE_COUNT,
};

struct node_count {
	_Atomic uint64_t by_source[SOURCE_COUNT];
	struct log_limit failing;
};

struct server {
	struct config *config;
	struct plugins plugins;
	struct model *model;
	struct vault_header *vault;
	uint32_t generation;
	struct nodes nodes;
	struct handles handles;
	struct lastgood *lastgood;
	struct records records;
	struct node_count *counts; /* by node id - 1 */
	struct log_limit unknown_reader;
	int wake_fd;	       /* eventfd: the steering thread sleeps until somebody reads */
	_Atomic bool sleeping; /* it does */
};

/* The parts that need the vault; the others are there already. */
int serve_take_over(struct server *s, struct vault_header *vault, uint32_t generation);

/* `reader` is a thread id.  With `unique`, see handle_new(). */
uint64_t serve_open(struct server *s, const struct node *node, pid_t reader, uint64_t unique,
		    bool replay);
void serve_release(struct server *s, uint64_t fh);

struct serve_read {
	const struct node *node;
	uint64_t fh;
	pid_t reader;
	uint64_t offset;
	size_t size;
	uint64_t unique;
	bool replay;
	bool suspect; /* keep the plugin out of it */
};

/* What stands at `offset`, up to `size` bytes (0: the end), in memory of this
 * thread that is valid until its next read.  -errno. */
ssize_t serve_read(struct server *s, const struct serve_read *read, const char **ret);

/* Once a second or so, while the model is busy. */
void serve_tidy(struct server *s);

/* Permission bits of a node as they are now. */
uint32_t serve_mode(struct server *s, const struct node *node);

#endif
