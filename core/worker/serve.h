/* SPDX-License-Identifier: MIT */
/*
 * serve.h - what a reader gets: the text of a file, and what to fall back to.
 *
 * Fall-back order when a render fails: the last good text of the same subject and
 * file; then, with on_error = host, the host's file if others may read it there;
 * then EIO.  So it is for a request past its deadline, for a file that has crashed workers
 * (it is quarantined), and for one that holds up many threads.  A file that others may not read on
 * the host never shows the host's content: it is empty.  Everything is counted by file and cause.
 * Of what is in a tree no last good text is kept, and what counts is counted for the whole tree.
 */
#ifndef LXCFSD_SERVE_H
#define LXCFSD_SERVE_H

#include <stdatomic.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "config.h"
#include "handles.h"
#include "lastgood.h"
#include "log.h"
#include "model.h"
#include "nodes.h"
#include "plugin.h"
#include "records.h"
#include "triggers.h"
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
	_Atomic uint32_t shown_mode; /* of an entry in a tree: to whom it concerned last */
	_Atomic uint64_t size;	     /* what serve_size() says; 0: not yet asked */
	uint32_t number;	     /* of the file or tree, see guilt.h; 0: no plugin has it */
	bool quarantined;	     /* its plugin is not to be asked */
	_Atomic uint32_t stuck;	     /* threads that it holds up, past their deadlines ... */
	_Atomic uint32_t host_stuck; /* ... and that it still did without the plugin */
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
	struct triggers triggers;
	struct node_count *counts; /* by node id - 1; of a tree, that of its root counts */
	struct log_limit unknown_reader;
	uint32_t stuck_max;    /* threads that one file may hold up */
	int wake_fd;	       /* eventfd: the steering thread sleeps until somebody reads */
	_Atomic bool sleeping; /* it does */
};

/* The parts that need the vault; the others are there already. */
int serve_take_over(struct server *s, struct vault_header *vault, uint32_t generation);

/*
 * The size of a file as stat(2) shows it: more than any reader's text has.  It says
 * nothing of the text, which is longer for one reader than for another; but it cannot
 * be 0 as in procfs, or sendfile(2) and splice(2) would see an empty file: since Linux
 * 6.5 they go by the size and not by what is read.
 */
uint64_t serve_size(struct server *s, const struct node *node);

/* What stat(2) shows: of a node with these permission bits; of an entry of a tree, where
 * only those of files are the plugin's. */
void serve_stat(struct server *s, const struct node *node, mode_t mode, struct stat *st);
void serve_entry_stat(struct server *s, const struct node *node, const struct lxcfsd_found *found,
		      struct stat *st);

/* One request: an OPEN or a READ, of a directory as well. */
struct serve_read {
	const struct node *node;
	uint32_t conn;
	uint64_t fh;
	pid_t reader; /* thread id */
	uint64_t offset;
	size_t size;
	uint64_t unique; /* see handle_new() */
	bool replay;
	bool suspect; /* keep the plugin out of it */
	bool late;    /* past its deadline: whatever the plugin waits for may not be waited for */
};

/* -ENOENT: this reader has no such thing. */
int serve_open(struct server *s, const struct serve_read *open, uint64_t *ret_fh);
void serve_release(struct server *s, uint64_t fh);

/* What stands at `offset`, up to `size` bytes (0: the end), in memory of this
 * thread that is valid until its next read.  Of a link: where it leads to.  -errno. */
ssize_t serve_read(struct server *s, const struct serve_read *read, const char **ret);
/* All names of a directory in a tree, as lxcfsd_next_name() takes them.  With
 * `offset` not 0 those that the READDIR at 0 gave. */
ssize_t serve_list(struct server *s, const struct serve_read *read, const char **ret);

/* serve_trigger.c: arms a trigger for an open file.  -EPERM: this reader may not. */
int serve_write(struct server *s, const struct serve_read *who, const char *bytes, size_t size);
/* What poll(2) is to say of it; `sleeper`, if not 0, is to be woken when it changes. */
unsigned int serve_poll(struct server *s, const struct serve_read *who, uint64_t sleeper);

/* serve_tree.c: of the node or the name in it what this reader finds.  -ENOENT. */
int serve_entry(struct server *s, const struct serve_read *who, struct lxcfsd_found *ret);
int serve_lookup(struct server *s, const struct serve_read *who, const char *name,
		 const struct node **ret_node, struct lxcfsd_found *ret);
/* serve_change.c: there is something that can be changed at a node, or in it. */
bool serve_is_changeable(const struct server *s, const struct node *node);
/* Changes it, or what is called `name` in it.  -EROFS, -EPERM, -EINTR (it may have been
 * done), or what the kernel says. */
int serve_change(struct server *s, const struct serve_read *who, const char *name,
		 const struct lxcfsd_change *change);
/* As serve_open(), of what can be changed by writing to it. */
int serve_open_to_change(struct server *s, const struct serve_read *open, uint64_t *ret_fh);
/* One more name can be told to the kernel. */
bool serve_has_room(struct server *s, const struct serve_read *who);
/* The kernel has forgotten so many lookups of the node that it knows by this number. */
void serve_forget(struct server *s, uint64_t number, uint64_t count);
/* The same for a reader who is known; 0 for whatever is in no tree. */
int serve_is_there(struct server *s, const struct node *node, struct subject *subject,
		   int subject_error, const struct serve_read *who);

/* Entries of a tree depend on the reader; its root is there for all. */
static inline bool serve_depends(const struct node *node)
{
	return node->tree_root && node->tree_root != node->id && !node->tree_top;
}

/* Its names come and go, and nothing of the host stands behind it. */
static inline bool serve_is_passing(const struct server *s, const struct node *node)
{
	const struct node *root = node->tree_root ? &s->nodes.list[node->tree_root - 1] : NULL;

	return (node->serial && !node->like) || (root && root->tree && root->tree->find);
}

static inline uint32_t serve_type(const struct node *node)
{
	return node->type == NODE_DIR	 ? LXCFSD_DIR
	       : node->type == NODE_LINK ? LXCFSD_LINK
					 : LXCFSD_REG;
}

/* One more thread, or one less, is held up by a file (`host`: without its plugin). */
void serve_stuck(struct server *s, const struct node *node, bool host, bool more);
/* The number of its file for journal_runs(). */
uint32_t serve_number(struct server *s, const struct node *node);
/* 0: the plugin is to be asked; LXCFSD_NO_VIEW: the host; -errno: fall back. */
int serve_by_plugin(struct server *s, const struct node *node, int subject_error, bool suspect);
/* Whose a node is, if it is in a container's root; else who asks.  0 also with *ret NULL:
 * it is to see the host's. */
int serve_subject(struct server *s, const struct node *node, pid_t reader, struct subject **ret);
/* What is held open now is to be closed some time. */
void serve_wake(struct server *s);

/* Once a second or so, while the model is busy. */
void serve_tidy(struct server *s);

/* Permission bits of a node as they are now. */
uint32_t serve_mode(struct server *s, const struct node *node);

#endif
