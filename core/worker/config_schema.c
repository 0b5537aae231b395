/* SPDX-License-Identifier: MIT */
/* config_schema.c - the keys of lxcfsd.ini: what each may hold, and its help. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_private.h"
#include "text.h"

#define HOST_OR_EIO "host eio"

#define TEXT(k, d, h, ...)                                                                         \
	{                                                                                          \
		.opt = { .key = #k, .type = LXCFSD_STRING, .def = d, .max = 4095, .help = h },     \
		.offset = offsetof(struct settings, k), __VA_ARGS__                                \
	}
#define UINT(k, d, low, high, h)                                                                   \
	{                                                                                          \
		.opt = { .key = #k,                                                                \
			 .type = LXCFSD_UINT,                                                      \
			 .def = d,                                                                 \
			 .min = low,                                                               \
			 .max = high,                                                              \
			 .help = h },                                                              \
		.offset = offsetof(struct settings, k)                                             \
	}
#define ENUM(k, d, words, h, ...)                                                                  \
	{                                                                                          \
		.opt = { .key = #k, .type = LXCFSD_ENUM, .def = d, .choices = words, .help = h },  \
		.offset = offsetof(struct settings, k), __VA_ARGS__                                \
	}
#define BOOL(k, d, h)                                                                              \
	{                                                                                          \
		.opt = { .key = #k, .type = LXCFSD_BOOL, .def = d, .help = h },                    \
		.offset = offsetof(struct settings, k)                                             \
	}

/* The words of an enum stand in the order of its constants in config.h. */
/* clang-format off */
const struct setting config_settings[] = {
	TEXT(mountpoint, "/var/lib/lxcfs",
	     "where the files are shown", .is_path = true),
	TEXT(plugin_dir, "",
	     "where modules are; empty: beside the worker, else as installed", .is_path = true),
	TEXT(cgroup_root, "",
	     "in a container: the cgroup whose readers count as the host's", .is_path = true),
	TEXT(strip, "init.scope init .lxc",
	     "last part of the init's cgroup path that is not the container's own"),
	ENUM(log_level, "info", "error warning notice info debug",
	     "the least important lines that are logged", .first = LXCFSD_LOG_ERROR),
	UINT(threads, "0", 0, 32,
	     "threads that answer requests; 0: by the number of CPUs"),
	UINT(cache_ms, "50", 0, 1000,
	     "how long a value read from the host or a cgroup is used again"),
	UINT(max_fds, "4096", 64, 1048576,
	     "files of cgroups held open, at most (and at most half of the process limit)"),
	UINT(max_handles, "1024", 1, 65536,
	     "open files with text of their own, per container"),
	UINT(max_snapshot_kib, "4096", 64, 262144,
	     "memory for the text of open files, per container"),
	UINT(ready_timeout_ms, "10000", 100, 600000,
	     "how long a new worker may take until it is ready"),
	UINT(drain_ms, "100", 0, 10000,
	     "how long an old worker may take to finish what it has begun"),
	UINT(request_timeout_ms, "2000", 100, 600000,
	     "how long a request may take; then it is answered as by on_error"),
	ENUM(on_error, "host", HOST_OR_EIO,
	     "when a file cannot be made: give the host's, or fail"),
	ENUM(subject, "auto", "auto caller init",
	     "whose cgroup decides: found out, the reader's, its container's init's"),
	ENUM(host_pidns, "caller", "caller host",
	     "readers in the host's pid namespace: view of their cgroup, or the host's"),
	ENUM(identity, "auto", "auto ioctl nspid",
	     "how a container's init is found"),
	ENUM(cpu_quota, "ceil", "ceil floor round off",
	     "how a quota becomes a number of CPUs"),
	ENUM(cpu_numbering, "host", "host dense",
	     "CPUs keep the host's numbers, or are counted from 0"),
	BOOL(cpu_scale, "yes",
	     "full use of a quota reads as 100 % of the CPUs that are shown"),
	ENUM(cpu_throttled, "idle", "idle steal",
	     "time held back by a quota is idle, or stolen (then cpu_scale is off)"),
	ENUM(reattach, "all", "all own no",
	     "whose dead mounts are replaced in containers that run: anybody's, ours, none"),
	BOOL(standby, "yes",
	     "a second worker is loaded in reserve, and takes over at once from one that dies"),
	BOOL(container_roots, "no",
	     "/containers/ID has all files for the cgroup of that number, whoever reads them"),
	BOOL(confine, "yes",
	     "a worker gives up the capabilities and system calls that it has no use for"),
	BOOL(test_journal, "yes",
	     "no: lose the requests of a worker that dies (only for tests)"),
	BOOL(test_snapshots, "yes",
	     "no: lose the half-read texts of a worker that dies (only for tests)"),
	BOOL(test_resend, "yes",
	     "no: as if the kernel could not send requests again (only for tests)"),
};
const size_t config_setting_count = sizeof(config_settings) / sizeof(config_settings[0]);

const struct lxcfsd_opt config_plugin_keys[PLUGIN_KEY_COUNT] = {
	[PLUGIN_MODULE] = {
		.key = "module", .type = LXCFSD_STRING, .def = "NAME.so", .max = 4095,
		.help = "file in the directory of modules, or an absolute path",
	},
	[PLUGIN_ENABLED] = {
		.key = "enabled", .type = LXCFSD_BOOL, .def = "yes",
		.help = "no: its files show what the host's show",
	},
	[PLUGIN_ON_ERROR] = {
		.key = "on_error", .type = LXCFSD_ENUM, .def = "that of [lxcfsd]",
		.choices = HOST_OR_EIO,
		.help = "as on_error of [lxcfsd], for this plugin",
	},
};

const struct lxcfsd_opt config_path_keys[PATH_KEY_COUNT] = {
	[PATH_PATH] = {
		.key = "path", .type = LXCFSD_STRING, .def = "",
		.help = "where its file is shown",
	},
	[PATH_MODE] = {
		.key = "mode", .type = LXCFSD_STRING, .def = "0444",
		.help = "the file's permission bits, octal, at most 0444",
	},
};

const struct lxcfsd_opt config_match_key = {
	.key = "cgroup", .type = LXCFSD_STRING, .def = "",
	.help = "for whom: a pattern for the container's cgroup path",
};
/* clang-format on */

size_t config_find_plugin_key(const char *key)
{
	size_t i = 0;

	while (i < PLUGIN_KEY_COUNT && strcmp(config_plugin_keys[i].key, key) != 0)
		i++;
	return i;
}

static int parse_bool(const char *value, union lxcfsd_value *ret, char *reason, size_t size)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(value, words[i]) == 0) {
			ret->u = i % 2;
			return 0;
		}
	snprintf(reason, size, "must be yes or no");
	return -EINVAL;
}

static int parse_uint(const struct lxcfsd_opt *opt, const char *value, union lxcfsd_value *ret,
		      char *reason, size_t size)
{
	uint64_t u;

	if (parse_u64(text_of(value), &u) == 0 && u >= opt->min && u <= opt->max) {
		ret->u = u;
		return 0;
	}
	snprintf(reason, size, "must be a number from %llu to %llu", (unsigned long long)opt->min,
		 (unsigned long long)opt->max);
	return -EINVAL;
}

static int parse_enum(const struct lxcfsd_opt *opt, const char *value, union lxcfsd_value *ret,
		      char *reason, size_t size)
{
	struct lxcfsd_text word, rest = text_of(opt->choices ? opt->choices : "");
	struct lxcfsd_out out = { .buf = reason, .cap = size };
	uint64_t index = 0;

	while (text_word(&rest, &word)) {
		if (text_is(word, value)) {
			ret->u = index;
			return 0;
		}
		lxcfsd_printf(&out, "%s%.*s", index++ ? ", " : "must be one of: ", (int)word.len,
			      word.data);
	}
	return -EINVAL;
}

int config_parse_value(const struct lxcfsd_opt *opt, const char *value, union lxcfsd_value *ret,
		       char *reason, size_t size)
{
	if (size > 0)
		reason[0] = '\0';
	switch (opt->type) {
	case LXCFSD_BOOL:
		return parse_bool(value, ret, reason, size);
	case LXCFSD_UINT:
		return parse_uint(opt, value, ret, reason, size);
	case LXCFSD_ENUM:
		return parse_enum(opt, value, ret, reason, size);
	case LXCFSD_STRING:
		if (opt->max && strlen(value) > opt->max) {
			snprintf(reason, size, "must have at most %llu bytes",
				 (unsigned long long)opt->max);
			return -EINVAL;
		}
		ret->s = value;
		return 0;
	}
	snprintf(reason, size, "has a type that this daemon does not know");
	return -EINVAL;
}

/* Levenshtein's, for words so short that the square does not matter. */
static unsigned int edit_distance(const char *a, const char *b)
{
	unsigned int row[65];
	size_t len = strlen(b);

	if (len >= sizeof(row) / sizeof(row[0]))
		return UINT32_MAX;
	for (size_t j = 0; j <= len; j++)
		row[j] = (unsigned int)j;
	for (size_t i = 1; a[i - 1]; i++) {
		unsigned int diagonal = row[0];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= len; j++) {
			unsigned int best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[len];
}

void nearest_try(struct nearest *nearest, const char *key)
{
	unsigned int distance = edit_distance(nearest->word, key);

	/* a third of a word may be wrong, no more than that is a slip */
	if (distance > 1 + strlen(key) / 4 || distance >= strlen(key))
		return;
	if (nearest->key && distance >= nearest->distance)
		return;
	nearest->key = key;
	nearest->distance = distance;
}

void problem_unknown_key(struct problems *problems, const struct config_key *key,
			 const struct nearest *nearest, const char *where)
{
	if (nearest->key)
		problem_add(problems, key->file, key->line,
			    "unknown key '%s' in [%s]: did you mean '%s'?", key->key, where,
			    nearest->key);
	else
		problem_add(problems, key->file, key->line,
			    "unknown key '%s' in [%s]: `lxcfsd --help-config` lists them", key->key,
			    where);
}

static void print_opt(FILE *out, const struct lxcfsd_opt *opt)
{
	fprintf(out, "  %-17s %-21s ", opt->key, *opt->def ? opt->def : "(empty)");
	switch (opt->type) {
	case LXCFSD_BOOL:
		fputs("yes, no\n", out);
		break;
	case LXCFSD_UINT:
		fprintf(out, "%llu to %llu\n", (unsigned long long)opt->min,
			(unsigned long long)opt->max);
		break;
	case LXCFSD_ENUM:
		fprintf(out, "one of: %s\n", opt->choices);
		break;
	default:
		fputs("text\n", out);
	}
	fprintf(out, "  %17s %s\n", "", opt->help);
}

void config_print_opts(FILE *out, const struct lxcfsd_opt *opts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		print_opt(out, &opts[i]);
}

void config_print_help(FILE *out)
{
	fprintf(out, "  %-17s %-21s %s\n", "KEY", "DEFAULT", "VALUES, MEANING");
	fprintf(out, "\n[lxcfsd]\n");
	for (size_t i = 0; i < config_setting_count; i++)
		print_opt(out, &config_settings[i].opt);
	fprintf(out, "\n[plugin NAME]\n");
	config_print_opts(out, config_plugin_keys, PLUGIN_KEY_COUNT);
	fprintf(out, "\n[match NAME]\n");
	print_opt(out, &config_match_key);
	fprintf(out, "  %-17s %-21s as KEY of [plugin PLUGIN]\n", "PLUGIN.KEY", "the section's");
}
