/* SPDX-License-Identifier: MIT */
/*
 * rules.h - a tree that is a table of what may be seen of a directory of the host.
 *
 * A rule is a path below the tree's root.  In it
 *
 *	%	is the number of a CPU that the container sees, as it is shown
 *	@	is the number of a NUMA node whose memory the container may use
 *	#	is any number
 *	*	is a word of small letters, digits and underscores
 *
 * What no rule says is not there, nor is what the host does not have, has as something
 * else, or does not let everybody read.  The host's path is made of the rule and of
 * numbers; of the reader's words only such a word is ever used.
 */
#ifndef LXCFSD_PLUGINS_RULES_H
#define LXCFSD_PLUGINS_RULES_H

#include <lxcfsd/plugin.h>

#define RULES_PATH_SIZE 160
#define RULES_TEXT_SIZE 32768 /* of a list, a mask, or the names in a directory */

struct rule {
	const char *path;
	uint32_t type; /* enum lxcfsd_type */
	uint32_t what; /* the plugin's own */
};

struct rules {
	const char *root;
	const struct rule *list;
	size_t count;
	bool mems; /* there is an @ in it */
};

struct rules_found {
	const struct rule *rule;
	struct lxcfsd_cpus cpus, mems;
	uint32_t node;		    /* of the @ */
	char path[RULES_PATH_SIZE]; /* the host's */
};

/* The rule for `below`, whatever the host has.  -ENOENT. */
int rules_find(const struct rules *rules, const struct lxcfsd_services *svc,
	       struct lxcfsd_request *req, const char *below, struct rules_found *ret);

/* The callbacks of a tree. */
int rules_lookup(const struct rules *rules, const struct lxcfsd_services *svc,
		 struct lxcfsd_request *req, const char *below, struct lxcfsd_entry *ret);
int rules_list(const struct rules *rules, const struct lxcfsd_services *svc,
	       struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out);
int rules_readlink(const struct rules *rules, const struct lxcfsd_services *svc,
		   struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out);

/* A file of the host into `buf`. */
int rules_text(const struct lxcfsd_services *svc, struct lxcfsd_request *req, const char *path,
	       char buf[RULES_TEXT_SIZE], struct lxcfsd_text *ret);

#endif
