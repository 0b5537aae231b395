/* SPDX-License-Identifier: MIT */
/* no_model.c - what the shared parts ask the worker's model of.  There is none here: no
 * container is known, and no plugin. */
#include <errno.h>

#include "model.h"

bool model_has_file(struct model *model, const struct lxcfsd_file *file)
{
	(void)model, (void)file;
	return false;
}

int model_subject_load(struct model *model, const void *bytes, size_t len, struct subject **ret)
{
	(void)model, (void)bytes, (void)len, (void)ret;
	return -ENOENT;
}

uint64_t subject_id(const struct subject *subject)
{
	(void)subject;
	return 0;
}

int subject_save(const struct subject *subject, void *buf, size_t size, size_t *ret_len)
{
	(void)subject, (void)buf, (void)size, (void)ret_len;
	return -ENOSPC;
}

struct subject *subject_ref(struct subject *subject)
{
	return subject;
}

struct subject *subject_unref(struct subject *subject)
{
	(void)subject;
	return NULL;
}
