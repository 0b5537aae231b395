/* SPDX-License-Identifier: MIT */
/*
 * config.h - lxcfsd.ini: read whole, checked whole, never half applied.
 *
 * [lxcfsd] gives the settings, [plugin NAME] switches a plugin on, [match NAME] gives
 * some containers other values of the plugins' options.  The files are PATH and then,
 * in the order of their names, the *.ini of the directory conf.d beside PATH, where a
 * section may go on.  A key that stands twice is an error.  All errors are collected; a
 * configuration with one error is not used at all.
 */
#ifndef LXCFSD_CONFIG_H
#define LXCFSD_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <lxcfsd/plugin.h>

#include "problems.h"

enum on_error { ON_ERROR_HOST, ON_ERROR_EIO };
enum subject_policy { SUBJECT_AUTO, SUBJECT_CALLER, SUBJECT_INIT };
enum host_pidns { HOST_PIDNS_CALLER, HOST_PIDNS_HOST };
enum identity_method { IDENTITY_AUTO, IDENTITY_IOCTL, IDENTITY_NSPID };
enum cpu_quota { CPU_QUOTA_CEIL, CPU_QUOTA_FLOOR, CPU_QUOTA_ROUND, CPU_QUOTA_OFF };
enum cpu_throttled { CPU_THROTTLED_IDLE, CPU_THROTTLED_STEAL };
enum cpu_numbering { CPU_NUMBERING_HOST, CPU_NUMBERING_DENSE };

/* The section [lxcfsd].  The table in config_schema.c has each key's default, range and
 * meaning. */
struct settings {
	char *mountpoint;
	char *plugin_dir;  /* NULL: beside the worker, else the installed one */
	char *cgroup_root; /* NULL: "/", and this must be the host */
	char *strip;	   /* words with blanks between them */
	uint64_t log_level;
	uint64_t threads; /* 0: by the number of CPUs */
	uint64_t cache_ms;
	uint64_t max_fds;
	uint64_t max_handles;	   /* open files with a snapshot, per container */
	uint64_t max_snapshot_kib; /* per container */
	uint64_t ready_timeout_ms;
	uint64_t drain_ms;
	uint64_t request_timeout_ms;
	uint64_t on_error;	/* enum on_error */
	uint64_t subject;	/* enum subject_policy */
	uint64_t host_pidns;	/* enum host_pidns */
	uint64_t identity;	/* enum identity_method */
	uint64_t cpu_quota;	/* enum cpu_quota */
	uint64_t cpu_numbering; /* enum cpu_numbering */
	uint64_t cpu_scale;
	uint64_t cpu_throttled; /* enum cpu_throttled */
	uint64_t reattach;	/* enum wire_reattach */
	uint64_t standby;
	uint64_t container_roots;
	uint64_t confine;
	uint64_t test_journal;	 /* 0: lose requests on purpose (tests only) */
	uint64_t test_snapshots; /* 0: lose half-read texts on purpose (tests only) */
	uint64_t test_resend;	 /* 0: do not have requests sent again (tests only) */
};

/* One `key = value` of a plugin's section, not yet parsed. */
struct config_key {
	char *key;
	char *value;
	const char *file;
	unsigned int line; /* 0: of the command line, which beats the files */
};

struct plugin_section {
	char *name;
	char *module; /* file name in plugin_dir, or an absolute path */
	bool enabled;
	enum on_error on_error;
	const char *file; /* where the section begins; NULL: made of a module's name */
	unsigned int line;
	struct config_key *keys; /* the plugin's own */
	size_t key_count;
};

/* The first section in file order whose pattern fits a container's cgroup is the only
 * one that counts for it. */
struct match_section {
	char *name;
	char *cgroup; /* a pattern, see match.h */
	const char *file;
	unsigned int line;
	struct config_key *keys; /* PLUGIN.KEY, see config_option() */
	size_t key_count;
};

/* `KEY=VALUE` of [lxcfsd], from the command line: beats the files. */
struct config_override {
	const char *key;
	const char *value;
	const char *origin; /* as the user wrote it: "--enable-cfs" */
};

struct config {
	struct settings settings;
	struct plugin_section *plugins; /* in file order */
	size_t plugin_count;
	struct match_section *matches; /* in file order */
	size_t match_count;
	char **files; /* what was read */
	size_t file_count;
	struct config_key *overrides; /* `*.KEY` of the command line */
	size_t override_count;
};

/*
 * Reads and checks.  An override whose key is `*.KEY` sets KEY of every plugin that
 * has such an option.  On an error: -EINVAL, with every problem in
 * `problems`. */
int config_load(const char *path, const struct config_override *overrides, size_t count,
		struct problems *problems, struct config **ret);
/* The same, but what could be understood is given in spite of problems, so that
 * more of them can be found: 0 whenever *ret is written. */
int config_load_partly(const char *path, const struct config_override *overrides, size_t count,
		       struct problems *problems, struct config **ret);
struct config *config_free(struct config *config);

/* Everything at its default: for --render and tests. */
int config_defaults(struct config **ret);

/* A section, in no file, for each module of the directory `dir` that has none: NAME.so is
 * [plugin NAME]. */
int config_add_modules(struct config *config, const char *dir);

/* The KEY of a key `PLUGIN.KEY`; NULL when it is for another plugin. */
const char *config_option(const struct config_key *key, const char *plugin);

/* Parses `value` by the schema `opt` into *ret (a string is borrowed from
 * `value`).  -EINVAL, with the reason (not a whole sentence: "must be a number
 * from 1 to 64") in `reason`. */
int config_parse_value(const struct lxcfsd_opt *opt, const char *value, union lxcfsd_value *ret,
		       char *reason, size_t size);

/* The keys of [lxcfsd], [plugin] and [match], with type, range, default and meaning, as
 * `--help-config` prints them; config_print_opts() does one plugin's. */
void config_print_help(FILE *out);
void config_print_opts(FILE *out, const struct lxcfsd_opt *opts, size_t count);

#endif
