/* SPDX-License-Identifier: MIT */
/*
 * model.h - the machine as a worker sees it: the host's files, the cgroup
 * hierarchies, and who is asking.
 *
 * A subject is the cgroup whose view a reader gets: one path per hierarchy, and
 * the init of the reader's pid namespace for its age.  It is resolved once, at
 * OPEN, and is immutable from then on.
 *
 * Every root (procfs, sysfs, cgroupfs, the clock) is injectable: with `root` the
 * whole model lives below that directory and the program needs no privilege.
 */
#ifndef LXCFSD_MODEL_H
#define LXCFSD_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <lxcfsd/plugin.h>

#include "config.h"

struct model;
struct subject;

/* `root` NULL: this machine.  `settings` must outlive the model. */
int model_new(const struct settings *settings, const char *root, struct model **ret);
struct model *model_free(struct model *model);
/* From now on what must outlive this worker is kept there.  Before anybody reads. */
struct records;
void model_set_records(struct model *model, struct records *records);
/* Whose [match] sections hold, before there is a subject.  `config` must outlive the
 * model. */
void model_use_matches(struct model *model, const struct config *config);

/* Once a second or so, while model_busy(): closes what nobody has read for 10 s. */
void model_tidy(struct model *model);
bool model_busy(struct model *model);

/* ---- who is asking ---- */

/*
 * The subject of a reader by the id of its thread in our pid namespace.  0 with
 * *ret; LXCFSD_NO_VIEW when the reader is to see the host's files (host_pidns =
 * host, or in the root cgroup of every hierarchy); -ESRCH when the reader is not
 * visible or gone; other -errno.
 */
int model_resolve(struct model *model, pid_t tid, struct subject **ret);

/* `--subject`: a path that holds in every hierarchy. */
int model_subject_by_path(struct model *model, const char *path, struct subject **ret);

/* That of the cgroup with this number (numbers.h), in whatever namespace.  0, -ENOENT, or
 * LXCFSD_NO_VIEW: it is the root. */
int model_subject_by_number(struct model *model, uint64_t number, struct subject **ret);

struct subject *subject_ref(struct subject *subject);
struct subject *subject_unref(struct subject *subject);

/* The same for equal subjects and never 0: counts a container's open files. */
uint64_t subject_id(const struct subject *subject);

/* For the log: the memory hierarchy's path or cgroup2's. */
const char *subject_name(const struct subject *subject);

/* In the root cgroup of every hierarchy that carries one of `controllers`
 * (enum lxcfsd_controller; 0: of all hierarchies). */
bool subject_is_root(const struct subject *subject, uint32_t controllers);

/* Which [match] section is for it, from 1 in file order; 0: none. */
unsigned int subject_match(const struct subject *subject);

/* As bytes that another worker can read, and back.  They come from shared memory
 * after a crash: model_subject_load() trusts nothing.  subject_save() gives
 * -ENOSPC when they do not fit. */
int subject_save(const struct subject *subject, void *buf, size_t size, size_t *ret_len);
int model_subject_load(struct model *model, const void *bytes, size_t len, struct subject **ret);

/* ---- one render ---- */

/* What is lent to a plugin is held here until request_end(). */
#define REQUEST_LENT_MAX 16
struct lent;
struct deputy_caller;
struct lxcfsd_request {
	struct model *model;
	struct subject *subject; /* may be NULL: no view of its own */
	pid_t reader;		 /* thread id, 0 when not known */
	uint64_t object;	 /* lxcfsd_found.object of what is asked for, 0: not known ... */
	uint64_t above;		 /* ... of the directory in which it is looked up */
	const struct deputy_caller *caller; /* of a change; else NULL */
	struct lent *lent[REQUEST_LENT_MAX];
	unsigned int lent_count;
};

void request_begin(struct lxcfsd_request *req, struct model *model, struct subject *subject,
		   pid_t reader);
void request_end(struct lxcfsd_request *req);

/* Everything of the services but `core` and `log`. */
void model_services(struct lxcfsd_services *svc);

/* A file of the host, as services.host_file. */
int model_host_file(struct lxcfsd_request *req, const char *path, struct lxcfsd_text *ret);
/* Bytes of it, 0 when it cannot be read. */
size_t model_host_length(struct model *model, const char *path);
/* The same for trees: without following links, and with nothing kept. */
int model_host_entry(struct model *model, const char *path, struct lxcfsd_entry *ret);
/* The content of what is there, as a plugin's render(), list() or readlink() would
 * give it.  -EACCES: not everybody may read it. */
int model_host_content(struct model *model, const char *path, uint32_t type,
		       struct lxcfsd_out *out);
/* False: the file is LXCFSD_IF_HOST, and this host has none or cannot read it. */
bool model_has_file(struct model *model, const struct lxcfsd_file *file);
/* Its type and permission bits.  -ENOENT. */
int model_host_mode(struct model *model, const char *path, mode_t *ret);

#endif
