/* SPDX-License-Identifier: MIT */
/* render.c - see render.h. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "io.h"
#include "parts.h"
#include "path.h"
#include "render.h"
#include "text.h"

#define SETS_MAX 64

struct job {
	const char *path, *root, *subject, *config_path, *plugin_dir;
	const char *sets[SETS_MAX]; /* as given */
	size_t set_count;
	char dir[PATH_MAX];
	struct config *config;
	struct plugins plugins;
	struct model *model;
	struct problems problems;
};

static int complain(const struct job *job, const char *what, int r)
{
	for (size_t i = 0; i < job->problems.count && i < PROBLEMS_MAX; i++)
		fprintf(stderr, "lxcfsd-worker: %s\n", job->problems.lines[i]);
	fprintf(stderr, "lxcfsd-worker: %s: %s\n", what, strerror(-r));
	return r;
}

static int parse_args(struct job *job, int argc, char **argv)
{
	static const struct option options[] = {
		{ "render", required_argument, NULL, 'r' },
		{ "root", required_argument, NULL, 'R' },
		{ "subject", required_argument, NULL, 's' },
		{ "config", required_argument, NULL, 'c' },
		{ "plugin-dir", required_argument, NULL, 'p' },
		{ "set", required_argument, NULL, 'S' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	optind = 1;
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 'r':
			job->path = optarg;
			break;
		case 'R':
			job->root = optarg;
			break;
		case 's':
			job->subject = optarg;
			break;
		case 'c':
			job->config_path = optarg;
			break;
		case 'p':
			job->plugin_dir = optarg;
			break;
		case 'S':
			if (job->set_count == SETS_MAX || !strchr(optarg, '='))
				return -EINVAL;
			job->sets[job->set_count++] = optarg;
			break;
		default:
			return -EINVAL;
		}
	}
	return job->path && job->subject && optind == argc ? 0 : -EINVAL;
}

/* "PLUGIN.KEY=VALUE" */
static int add_key(struct config *config, const char *set)
{
	const char *equals = strchr(set, '='), *dot = memchr(set, '.', (size_t)(equals - set));
	struct plugin_section *section = NULL;
	struct config_key *keys;

	for (size_t i = 0; i < config->plugin_count; i++)
		if (text_is((struct lxcfsd_text){ set, (size_t)(dot - set) },
			    config->plugins[i].name))
			section = &config->plugins[i];
	if (!section)
		return -ENOENT;
	keys = reallocarray(section->keys, section->key_count + 1, sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	section->keys = keys;
	keys[section->key_count++] = (struct config_key){
		.key = strndup(dot + 1, (size_t)(equals - dot - 1)),
		.value = strdup(equals + 1),
		.file = "--set",
	};
	return keys[section->key_count - 1].key && keys[section->key_count - 1].value ? 0 : -ENOMEM;
}

static bool is_plugin_key(const char *set)
{
	return memchr(set, '.', (size_t)(strchr(set, '=') - set)) != NULL;
}

static int load_config(struct job *job)
{
	struct config_override overrides[SETS_MAX];
	char *keys[SETS_MAX];
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < job->set_count; i++) {
		const char *equals = strchr(job->sets[i], '=');

		if (is_plugin_key(job->sets[i]))
			continue;
		keys[count] = strndup(job->sets[i], (size_t)(equals - job->sets[i]));
		if (!keys[count]) {
			r = -ENOMEM;
			break;
		}
		overrides[count] = (struct config_override){ keys[count], equals + 1, "--set" };
		count++;
	}
	if (r == 0) /* an empty file: everything at its default */
		r = config_load(job->config_path ? job->config_path : "/dev/null", overrides, count,
				&job->problems, &job->config);
	while (count > 0)
		free(keys[--count]);
	return r;
}

static int load(struct job *job)
{
	struct lxcfsd_services services = { 0 };
	int r;

	r = load_config(job);
	if (r < 0)
		return complain(job, "the configuration was not taken", r);
	if (!job->plugin_dir)
		job->plugin_dir = job->config->settings.plugin_dir;
	if (!job->plugin_dir) {
		r = plugins_default_dir(job->dir, sizeof(job->dir));
		if (r < 0)
			return complain(job, "the directory of plugins", r);
		job->plugin_dir = job->dir;
	}
	if (!job->config_path)
		r = config_add_modules(job->config, job->plugin_dir);
	if (r < 0)
		return complain(job, job->plugin_dir, r);
	for (size_t i = 0; i < job->set_count; i++) {
		r = is_plugin_key(job->sets[i]) ? add_key(job->config, job->sets[i]) : 0;
		if (r < 0)
			return complain(job, job->sets[i], r);
	}
	r = model_new(&job->config->settings, job->root, &job->model);
	if (r < 0)
		return complain(job, job->root ? job->root : "this machine", r);
	r = plugins_load(job->config, job->plugin_dir, &job->problems, &job->plugins);
	if (r < 0)
		return complain(job, "the plugins were not taken", r);
	model_use_matches(job->model, job->config);
	job->plugins.root = job->root;
	model_services(&services);
	services.page_size = job->model->roots.page_size;
	services.clock_ticks = job->model->roots.clock_ticks;
	r = plugins_init(&job->plugins, &services, &job->problems);
	return r < 0 ? complain(job, "the plugins were not taken", r) : 0;
}

/* What is to be printed: a file, or something in a tree. */
struct found {
	const struct plugin *plugin;
	const struct lxcfsd_file *file;
	const struct lxcfsd_tree *tree;
	uint32_t type;
};

static bool find_in(const struct job *job, const struct plugin *plugin, struct found *ret)
{
	for (uint32_t n = 0; n < plugin->meta.file_count; n++) {
		if (strcmp(plugin->files[n].path, job->path) != 0 ||
		    !model_has_file(job->model, &plugin->files[n]))
			continue;
		*ret = (struct found){ .plugin = plugin, .file = &plugin->files[n] };
		return true;
	}
	for (uint32_t n = 0; n < plugin->meta.tree_count; n++) {
		if (!path_at_or_below(text_of(job->path), text_of(plugin->trees[n].path)))
			continue;
		*ret = (struct found){ .plugin = plugin, .tree = &plugin->trees[n] };
		return true;
	}
	return false;
}

static bool find(const struct job *job, struct found *ret)
{
	for (size_t i = 0; i < job->plugins.count; i++)
		if (job->plugins.list[i].initialised && find_in(job, &job->plugins.list[i], ret))
			return true;
	return false;
}

/* What a path in a tree is, for the reader. */
static int look_up(const struct job *job, struct found *found, struct lxcfsd_request *req)
{
	struct lxcfsd_found there = { .entry = { LXCFSD_DIR, 0 } };
	int r = 0;

	if (!path_is_clean(text_of(job->path)))
		return -EINVAL;
	if (*tree_below(found->tree, job->path))
		r = draw_lookup(found->plugin, found->tree, job->path, req, &there);
	request_end(req);
	if (r == LXCFSD_NO_VIEW)
		r = model_host_entry(job->model, job->path, &there.entry);
	found->type = there.entry.type;
	return r;
}

static int draw_found(const struct job *job, const struct found *found, struct lxcfsd_request *req,
		      struct draw_buf *buf, size_t *ret_len)
{
	const struct lxcfsd_tree *tree = found->tree;
	int r;

	if (!tree)
		return draw(found->plugin, found->file, req, buf, ret_len);
	r = draw_tree(found->plugin, tree,
		      found->type == LXCFSD_DIR	   ? tree->list
		      : found->type == LXCFSD_LINK ? tree->readlink
						   : tree->render,
		      job->path, req, buf, ret_len);
	return r == LXCFSD_NO_VIEW ? draw_host(req, job->path, found->type, buf, ret_len) : r;
}

/* Of a directory one name in a line, as `ls -F` marks them; else the text. */
static int print_text(const struct found *found, struct lxcfsd_text text)
{
	static const char marks[] = { [LXCFSD_DIR] = '/', [LXCFSD_REG] = 0, [LXCFSD_LINK] = '@' };
	const char *name;
	uint32_t type;

	if (!found->tree || found->type == LXCFSD_REG)
		fwrite(text.data, 1, text.len, stdout);
	else if (found->type == LXCFSD_LINK)
		printf("%.*s\n", (int)text.len, text.data);
	else
		while ((name = lxcfsd_next_name(&text, &type)))
			printf("%s%.*s\n", name, type <= LXCFSD_LINK && marks[type], &marks[type]);
	return ferror(stdout) || fflush(stdout) != 0 ? -EIO : 0;
}

/* The file into `buf`, or the host's. */
static int print(const struct job *job, struct found *found, struct subject *subject)
{
	struct draw_buf buf = { NULL, 0 };
	struct lxcfsd_request req;
	struct lxcfsd_text text;
	size_t len = 0;
	int r = 0;

	request_begin(&req, job->model, subject, 0);
	if (found->tree)
		r = look_up(job, found, &req);
	if (r == 0)
		r = draw_found(job, found, &req, &buf, &len);
	text = (struct lxcfsd_text){ buf.data, len };
	if (r == LXCFSD_NO_VIEW)
		r = found->file->mode & 0004 ? model_host_file(&req, job->path, &text) : 0;
	if (r == 0)
		r = print_text(found, text);
	request_end(&req);
	draw_buf_done(&buf);
	return r < 0 ? complain(job, job->path, r) : 0;
}

static int run(struct job *job)
{
	struct subject *subject;
	struct found found;
	int r;

	r = load(job);
	if (r < 0)
		return r;
	if (!find(job, &found)) {
		fprintf(stderr, "lxcfsd-worker: no plugin that is enabled serves '%s'\n",
			job->path);
		return -ENOENT;
	}
	r = model_subject_by_path(job->model, job->subject, &subject);
	if (r < 0)
		return complain(job, job->subject, r);
	r = print(job, &found, subject);
	subject_unref(subject);
	return r;
}

int render_command(int argc, char **argv)
{
	struct job job = { .path = NULL };
	int r;

	if (parse_args(&job, argc, argv) < 0) {
		fprintf(stderr,
			"usage: lxcfsd-worker --render PATH --subject CGROUP [--root DIR]\n"
			"\t[--config FILE] [--plugin-dir DIR] [--set [PLUGIN.]KEY=VALUE]...\n");
		return 1;
	}
	r = run(&job);
	model_free(job.model);
	plugins_done(&job.plugins);
	config_free(job.config);
	problems_done(&job.problems);
	return r < 0 ? 1 : 0;
}
