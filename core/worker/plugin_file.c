/* SPDX-License-Identifier: MIT */
/*
 * plugin_file.c - files of the host that a plugin's init() asks for.
 *
 * They are a part of what a worker is made of: recorded in the good set, and after a
 * crash taken from there.  An entry is "load NAME PATH": not just a path, or a file that
 * is both shown and a part of the configuration would be read as such twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "goodset.h"
#include "io.h"
#include "plugin_private.h"

#define FILE_BYTES_MAX ((size_t)1 << 20)

struct plugin_loaded {
	struct plugin_loaded *next;
	char *bytes;
};

static int read_regular(const char *root, const char *path, size_t max, char **ret, size_t *ret_len)
{
	_free_ char *bytes = NULL, *full = NULL;
	_close_ int fd = -1;
	struct stat st;
	ssize_t n;

	if (asprintf(&full, "%s%s", root ? root : "", path) < 0) {
		full = NULL;
		return -ENOMEM;
	}
	fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	bytes = malloc(max + 2); /* one byte too many is seen */
	if (!bytes)
		return -ENOMEM;
	n = io_pread_all(fd, bytes, max + 2);
	if (n < 0)
		return (int)n;
	if ((size_t)n > max)
		return -EFBIG;
	*ret = bytes;
	*ret_len = (size_t)n;
	bytes = NULL;
	return 0;
}

/* Takes `bytes` over. */
static int keep(struct plugin *plugin, char *bytes)
{
	struct plugin_loaded *loaded = malloc(sizeof(*loaded));

	if (!loaded) {
		free(bytes);
		return -ENOMEM;
	}
	*loaded = (struct plugin_loaded){ plugin->loaded, bytes };
	plugin->loaded = loaded;
	return 0;
}

int plugin_load_file(const struct lxcfsd_services *svc, const char *path, size_t max,
		     struct lxcfsd_text *ret)
{
	/* ours, given as const only because a plugin is to leave it alone */
	struct plugin *plugin = (struct plugin *)(uintptr_t)svc->core;
	_free_ char *entry = NULL;
	char *bytes;
	size_t len;
	int r;

	if (plugin->initialised)
		return -EPERM;
	if (*path != '/')
		return -EINVAL;
	if (asprintf(&entry, "load %s %s", plugin->section->name, path) < 0) {
		entry = NULL;
		return -ENOMEM;
	}
	if (goodset_is_restored())
		r = goodset_read(entry, &bytes, &len);
	else
		r = read_regular(plugin->root, path, max < FILE_BYTES_MAX ? max : FILE_BYTES_MAX,
				 &bytes, &len);
	if (r < 0)
		return r;
	goodset_record(entry, bytes, len);
	r = keep(plugin, bytes);
	if (r == 0)
		*ret = (struct lxcfsd_text){ bytes, len };
	return r;
}

void plugin_free_loaded(struct plugin *plugin)
{
	while (plugin->loaded) {
		struct plugin_loaded *loaded = plugin->loaded;

		plugin->loaded = loaded->next;
		free(loaded->bytes);
		free(loaded);
	}
}
