/* SPDX-License-Identifier: MIT */
/*
 * plugin_meta.c - what a module says of itself, checked and copied.
 *
 * The module may have been built against another release of the header.  Its
 * structures have their sizes with them; we copy what both sides know.  Nothing
 * is looked at before its size says that it is there.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "plugin_private.h"
#include "text.h"

/* What release 1 of the header had: nothing smaller has ever existed. */
#define END_OF(type, field) (offsetof(type, field) + sizeof(((type *)0)->field))
#define PLUGIN_BYTES_MIN    END_OF(struct lxcfsd_plugin, init)
#define FILE_BYTES_MIN	    END_OF(struct lxcfsd_file, render)
#define OPT_BYTES_MIN	    END_OF(struct lxcfsd_opt, help)
#define TREE_BYTES_MIN	    END_OF(struct lxcfsd_tree, readlink)

#define FILES_MAX     64
#define TREES_MAX     16
#define OPTS_MAX      64
#define PATH_MAX_ABI  1023
#define COMPONENT_MAX 255
#define KEY_MAX	      49 /* a longer one could not be read from the file */
#define ALL_CONTROLLERS                                                                            \
	(LXCFSD_CPU | LXCFSD_CPUACCT | LXCFSD_CPUSET | LXCFSD_MEMORY | LXCFSD_IO | LXCFSD_PIDS |   \
	 LXCFSD_HUGETLB)

/* `count` entries of `stride` bytes into an array of ours, of `size` each. */
static void *copy_array(const void *from, size_t count, size_t stride, size_t size)
{
	char *to = calloc(count + 1, size);
	size_t both = stride < size ? stride : size;

	for (size_t i = 0; to && i < count; i++)
		memcpy(to + i * size, (const char *)from + i * stride, both);
	return to;
}

static bool has_control_bytes(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

static int check_object(const struct lxcfsd_plugin *object, struct reason *reason)
{
	if (object->abi != LXCFSD_ABI)
		return refuse(reason, -ENOEXEC,
			      "ABI %u, this daemon speaks ABI %u: install the plugin that belongs "
			      "to it",
			      object->abi, LXCFSD_ABI);
	if (object->size < PLUGIN_BYTES_MIN || object->file_size < FILE_BYTES_MIN ||
	    object->opt_size < OPT_BYTES_MIN)
		return refuse(reason, -ENOEXEC,
			      "its structures are smaller than any release's (%u, %u, %u bytes): "
			      "LXCFSD_PLUGIN_HEADER must be its first line",
			      object->size, object->file_size, object->opt_size);
	if (object->file_size % _Alignof(struct lxcfsd_file) ||
	    object->opt_size % _Alignof(struct lxcfsd_opt))
		return refuse(reason, -ENOEXEC, "its structures have impossible sizes");
	if (!object->name || !object->version || !object->summary || !*object->name)
		return refuse(reason, -ENOEXEC, "it lacks a name, a version or a summary");
	if (object->flags & ~LXCFSD_PATH_FROM_CONFIG)
		return refuse(reason, -ENOEXEC,
			      "it needs what this daemon does not have (flags 0x%x): a newer "
			      "daemon has it",
			      object->flags);
	if (object->file_count > FILES_MAX || (object->file_count && !object->files))
		return refuse(reason, -ENOEXEC, "it serves %u files: at most %d are possible",
			      object->files ? object->file_count : 0, FILES_MAX);
	if ((object->flags & LXCFSD_PATH_FROM_CONFIG) &&
	    (object->file_count != 1 || object->files->path))
		return refuse(reason, -ENOEXEC,
			      "its path comes from the configuration, so it must have one file, "
			      "without a path");
	if (object->opt_count > OPTS_MAX || (object->opt_count && !object->opts))
		return refuse(reason, -ENOEXEC, "it has %u options: at most %d are possible",
			      object->opts ? object->opt_count : 0, OPTS_MAX);
	return 0;
}

/* Of the copy: an older object ends before these fields. */
static int check_trees(const struct lxcfsd_plugin *meta, struct reason *reason)
{
	if (meta->tree_count == 0 && meta->file_count == 0)
		return refuse(reason, -ENOEXEC, "it serves nothing: it has no files and no trees");
	if (meta->tree_count == 0)
		return 0;
	if (meta->tree_count > TREES_MAX || !meta->trees)
		return refuse(reason, -ENOEXEC, "it serves %u trees: at most %d are possible",
			      meta->trees ? meta->tree_count : 0, TREES_MAX);
	if (meta->tree_size < TREE_BYTES_MIN || meta->tree_size % _Alignof(struct lxcfsd_tree))
		return refuse(reason, -ENOEXEC, "its trees have an impossible size (%u bytes)",
			      meta->tree_size);
	return 0;
}

/* An absolute path of clean components. */
bool plugin_path_is_clean(const char *path)
{
	struct lxcfsd_text rest, part;
	size_t len = strlen(path);

	if (*path != '/' || len > PATH_MAX_ABI || len < 2 || path[len - 1] == '/' ||
	    has_control_bytes(path))
		return false;
	rest = text_of(path + 1);
	while (text_until(&rest, '/', &part))
		if (part.len == 0 || part.len > COMPONENT_MAX || text_is(part, ".") ||
		    text_is(part, ".."))
			return false;
	return true;
}

static int check_file(const struct lxcfsd_plugin *meta, const struct lxcfsd_file *file,
		      struct reason *reason)
{
	bool from_config = (meta->flags & LXCFSD_PATH_FROM_CONFIG) != 0;
	const char *path = from_config ? "its file" : file->path;

	if (!from_config && (!path || !plugin_path_is_clean(path)))
		return refuse(reason, -ENOEXEC, "its file '%s' is not a clean absolute path",
			      path ? path : "");
	if (file->mode == 0 || (file->mode & ~0444u) != 0)
		return refuse(reason, -ENOEXEC, "%s has mode 0%o: only reading, at most 0444", path,
			      file->mode);
	if (file->controllers & ~(uint32_t)ALL_CONTROLLERS)
		return refuse(reason, -ENOEXEC,
			      "%s names controllers that this daemon does not know (0x%x)", path,
			      file->controllers);
	if (file->flags & ~(uint32_t)LXCFSD_IF_HOST)
		return refuse(reason, -ENOEXEC,
			      "%s needs what this daemon does not have (flags 0x%x): a newer "
			      "daemon has it",
			      path, file->flags);
	if (!file->render)
		return refuse(reason, -ENOEXEC, "%s has no render()", path);
	return 0;
}

static int check_tree(const struct lxcfsd_tree *tree, struct reason *reason)
{
	if (!tree->path || !plugin_path_is_clean(tree->path))
		return refuse(reason, -ENOEXEC, "its tree '%s' is not a clean absolute path",
			      tree->path ? tree->path : "");
	if (tree->controllers & ~(uint32_t)ALL_CONTROLLERS)
		return refuse(reason, -ENOEXEC,
			      "%s names controllers that this daemon does not know (0x%x)",
			      tree->path, tree->controllers);
	if ((!tree->lookup && !tree->find) || !tree->list || !tree->render)
		return refuse(reason, -ENOEXEC, "%s lacks a lookup(), a list() or a render()",
			      tree->path);
	return 0;
}

static bool is_key(const char *key)
{
	size_t len = strlen(key);

	/* what the INI reader would see as something else */
	return len > 0 && len <= KEY_MAX && !has_control_bytes(key) &&
	       strcspn(key, "=:[]#; ") == len;
}

static bool is_taken(const struct plugin *plugin, size_t i)
{
	const char *key = plugin->opts[i].key;

	if (config_find_plugin_key(key) < PLUGIN_KEY_COUNT || plugin_is_path_key(plugin, key))
		return true;
	for (size_t j = 0; j < i; j++)
		if (strcmp(plugin->opts[j].key, key) == 0)
			return true;
	return false;
}

/* Option `i`, all before it being good; its default becomes its value. */
static int check_opt(struct plugin *plugin, size_t i, struct reason *reason)
{
	const struct lxcfsd_opt *opt = &plugin->opts[i];
	char why[128];

	if (!opt->key || !is_key(opt->key))
		return refuse(reason, -ENOEXEC, "its option '%s' has no key that could be written",
			      opt->key ? opt->key : "");
	if (is_taken(plugin, i))
		return refuse(reason, -ENOEXEC, "its option '%s' is there already", opt->key);
	if (opt->flags & ~LXCFSD_OPT_INIT)
		return refuse(reason, -ENOEXEC,
			      "its option '%s' needs what this daemon does not have (flags 0x%x)",
			      opt->key, opt->flags);
	if (!opt->def || !opt->help)
		return refuse(reason, -ENOEXEC, "its option '%s' lacks a default or a help line",
			      opt->key);
	if (opt->type == LXCFSD_ENUM && !opt->choices)
		return refuse(reason, -ENOEXEC, "its option '%s' has no choices", opt->key);
	if (config_parse_value(opt, opt->def, &plugin->values[i], why, sizeof(why)) < 0)
		return refuse(reason, -ENOEXEC, "the default '%s' of its option '%s' %s", opt->def,
			      opt->key, why);
	return 0;
}

static int copy_arrays(struct plugin *plugin, struct reason *reason)
{
	struct lxcfsd_plugin *meta = &plugin->meta;

	plugin->files =
		copy_array(meta->files, meta->file_count, meta->file_size, sizeof(*plugin->files));
	plugin->trees =
		copy_array(meta->trees, meta->tree_count, meta->tree_size, sizeof(*plugin->trees));
	plugin->opts =
		copy_array(meta->opts, meta->opt_count, meta->opt_size, sizeof(*plugin->opts));
	plugin->values = calloc(meta->opt_count + 1, sizeof(*plugin->values));
	if (!plugin->files || !plugin->trees || !plugin->opts || !plugin->values)
		return refuse(reason, -ENOMEM, "no memory");
	meta->files = plugin->files;
	meta->trees = plugin->trees;
	meta->opts = plugin->opts;
	return 0;
}

int plugin_describe(struct plugin *plugin, struct reason *reason)
{
	const struct lxcfsd_plugin *object = plugin->object;
	struct lxcfsd_plugin *meta = &plugin->meta;
	int r;

	r = check_object(object, reason);
	if (r < 0)
		return r;
	*meta = (struct lxcfsd_plugin){ .abi = 0 };
	memcpy(meta, object, object->size < sizeof(*meta) ? object->size : sizeof(*meta));
	r = check_trees(meta, reason);
	if (r < 0)
		return r;
	r = copy_arrays(plugin, reason);
	if (r < 0)
		return r;
	for (size_t i = 0; i < meta->file_count; i++) {
		r = check_file(meta, &plugin->files[i], reason);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < meta->tree_count; i++) {
		r = check_tree(&plugin->trees[i], reason);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < meta->opt_count; i++) {
		r = check_opt(plugin, i, reason);
		if (r < 0)
			return r;
	}
	return 0;
}
