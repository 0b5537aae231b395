/* SPDX-License-Identifier: MIT */
/*
 * nodes.h - what a node id means.
 *
 * The kernel remembers a node id as long as a container's bind mount holds it, so
 * an id means the same path for the life of the connection: a registry in the
 * vault that only grows.  A path whose plugin is switched off or gone stays and
 * gives the host's file; it is only no longer listed.  A file that is to be there
 * only when the host has it, and a directory with nothing but such files, has its
 * id and cannot be found.
 *
 * What the plugins serve is registered when a worker takes over; an entry of a tree
 * when somebody first looks it up, after the plugin has said that it is there: no
 * tenant can fill the registry with names that he invents.  Entries are found by
 * parent, name and type: what is a file today and a link tomorrow has two ids.
 *
 * Nodes are read without a lock: nothing in one changes once it can be found (its
 * id is in `count` and in the hash).  nodes_add() has a lock of its own.
 *
 * Where names come and go (cgroups), nodes do, too: see passing.h.
 *
 * Below /containers each container has a root of its own, by the number of its cgroup.
 * What is in there are passing nodes that are like those of the tree of all: `like` is what
 * such a one shows, its path is the path there, and whose it is, is known without looking
 * at the reader.
 */
#ifndef LXCFSD_NODES_H
#define LXCFSD_NODES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "log.h"
#include "model.h"
#include "plugin.h"
#include "vault.h"

/* Those that come and go. */
struct passing {
	struct vault_passings *part; /* NULL: of another release, there are none */
	uint32_t *buckets;
	uint32_t *free_list;
	uint32_t free_count;
	uint32_t *accounts; /* how many each has */
};

#define NODE_ROOT     1
#define NODE_NAME_MAX 255
#define NODE_PATH_MAX 2047

struct node {
	uint32_t id; /* 0: not in use */
	uint32_t parent;
	uint32_t type;	      /* enum node_type */
	uint32_t tree_root;   /* id of the tree that it is in, itself included; 0: none */
	uint32_t first_child; /* of those that are listed: id, 0: none; ascending */
	uint32_t next;	      /* of the same parent */
	uint32_t chain;	      /* the next one of the same hash */
	uint32_t path_len;
	const char *name; /* in the registry */
	const struct plugin *plugin;
	/* NULL both: no plugin serves it now */
	const struct lxcfsd_file *file;
	const struct lxcfsd_tree *tree; /* it is the root of that */
	bool was_tree;			/* the root of one, of this worker or an earlier one */
	bool is_private;		/* others may not read it, here or with an earlier one */
	bool fixed;			/* served, or above something that is */
	bool served;			/* the plugin is switched on, at least for some */
	bool listed;
	bool absent;   /* not to be found: the host has none */
	bool occupied; /* there is something in it that can be found */
	uint32_t mode; /* permission bits */

	uint32_t serial; /* of a passing node, never 0; 0: it is in the registry */
	uint32_t parent_serial;
	uint64_t object; /* what its name stood for */
	uint32_t pins;	 /* it stays although the kernel has forgotten it */

	uint64_t container;	 /* in whose root it is: the number of a cgroup; 0: in nobody's */
	const struct node *like; /* what it shows there; in a tree the root of that */
	bool tree_top;		 /* it is there for all readers, as `like` is */
};

struct nodes {
	struct vault_header *vault;
	uint32_t generation;
	struct vault_nodes *registry;
	bool registry_is_ours; /* not in the vault */
	struct node *list;     /* NODES_MAX, by id - 1, then PASSING_MAX */
	_Atomic uint32_t *buckets;
	_Atomic uint32_t count;
	pthread_mutex_t lock; /* of adding */
	uint32_t names_used;
	struct log_limit full;
	uint32_t roots; /* the id of /containers; 0: there are none */
	struct passing passing;
};

#define NODES_ROOTS "/containers"

/* Its path, which is also the host's, with a NUL. */
struct node_path {
	char text[NODE_PATH_MAX + 1];
};

/* Reads the registry and adds what the plugins serve; `model` says what the host has. */
int nodes_open(struct nodes *nodes, struct vault_header *vault, const struct plugins *plugins,
	       struct model *model);

/* There is to be a /containers.  After nodes_open(). */
int nodes_open_roots(struct nodes *nodes);

/* Frees what nodes_open() made; the registry stays. */
void nodes_done(struct nodes *nodes);

/* What it is or shows: one in the registry. */
static inline const struct node *node_shown(const struct node *node)
{
	return node->like ? node->like : node;
}

/* The one in the registry that is the same for all; NULL: there is none, it is a cgroup or in
 * a tree. */
static inline const struct node *node_for_all(const struct node *node)
{
	if (!node || !node->serial)
		return node;
	return node->like && node->path_len == node->like->path_len ? node->like : NULL;
}

/* In it are the roots, or what is in one of them. */
static inline bool node_has_own(const struct nodes *nodes, const struct node *node)
{
	return node->container || (nodes->roots && node->id == nodes->roots);
}

/* As the kernel knows it. */
static inline uint64_t node_number(const struct node *node)
{
	return (uint64_t)node->serial << 32 | node->id;
}

/* NULL: no such id. */
const struct node *nodes_get(const struct nodes *nodes, uint64_t id);
/* The path of what is called `name` in `dir`, known or not.  -ENOENT: nothing can be. */
int nodes_path_below(const struct nodes *nodes, const struct node *dir, const char *name,
		     struct node_path *ret);
/* One that is known, of whatever type. */
const struct node *nodes_lookup(const struct nodes *nodes, const struct node *parent,
				const char *name);
/* One that is known, of this type. */
const struct node *nodes_find(const struct nodes *nodes, const struct node *parent,
			      const char *name, uint32_t type);
/* The same, made known if it is not yet.  -ENOSPC when nothing more can be. */
int nodes_add(struct nodes *nodes, const struct node *parent, const char *name, uint32_t type,
	      const struct node **ret);

/* The directory at `path`, made known if it is not yet: the root of a connection stays
 * what it is also without its plugin. */
int nodes_directory(struct nodes *nodes, const char *path, const struct node **ret);

const char *nodes_path(const struct nodes *nodes, const struct node *node, struct node_path *buf);

#endif
