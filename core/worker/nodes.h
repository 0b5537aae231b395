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
 * Built once when a worker takes over, read-only from then on: no locks.
 */
#ifndef LXCFSD_NODES_H
#define LXCFSD_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "plugin.h"
#include "vault.h"

#define NODE_ROOT 1

struct node {
	uint32_t id; /* 0: not in use */
	uint32_t parent;
	uint32_t type;	      /* enum node_type */
	uint32_t first_child; /* id, 0: none; ascending */
	uint32_t next;	      /* of the same parent */
	const char *name;
	char *path; /* also the host's */
	const struct plugin *plugin;
	const struct lxcfsd_file *file; /* NULL: no plugin serves it now */
	bool served;			/* the plugin is switched on */
	bool listed;
	bool absent;   /* not to be found: the host has none */
	uint32_t mode; /* permission bits */
};

struct nodes {
	struct vault_nodes *registry;
	bool registry_is_ours; /* not in the vault */
	struct node *list;     /* NODES_MAX, by id - 1 */
	uint32_t count;
};

/* Reads the registry and adds what the plugins serve; `model` says what the host has. */
int nodes_open(struct nodes *nodes, struct vault_header *vault, const struct plugins *plugins,
	       struct model *model);

/* Frees what nodes_open() made; the registry stays. */
void nodes_done(struct nodes *nodes);

/* NULL: no such id. */
const struct node *nodes_get(const struct nodes *nodes, uint64_t id);
const struct node *nodes_lookup(const struct nodes *nodes, const struct node *parent,
				const char *name);

#endif
