/* SPDX-License-Identifier: MIT */
/* rules.c - see rules.h. */
#include "rules.h"
#include "cpus.h"
#include "cursor.h"
#include "output.h"

#define WORD_MAX 63

/* ----------------------------------------------------------------- matching */

/* A number as the kernel writes it, without zeros in front. */
static bool take_number(const char **at, uint64_t *ret)
{
	struct lxcfsd_text rest = { *at, strlen(*at) };

	if ((**at == '0' && (*at)[1] >= '0' && (*at)[1] <= '9') || !cursor_u64(&rest, ret))
		return false;
	*at = rest.data;
	return *ret < CPUS_MAX;
}

/* What stands for one sign of a rule: as the host has it into `host`. */
static bool take(struct rules_found *found, char sign, const char **at, struct lxcfsd_out *host)
{
	const char *start = *at;
	uint64_t number;
	uint32_t n;

	if (sign == '*') {
		*at += strspn(start, "abcdefghijklmnopqrstuvwxyz0123456789_");
		lxcfsd_put(host, start, (size_t)(*at - start));
		return *at > start && *at - start <= WORD_MAX;
	}
	if (!take_number(at, &number))
		return false;
	if (sign == '%') {
		if (!cpus_find_shown(&found->cpus, number, &n))
			return false;
		number = found->cpus.ids[n];
	} else if (sign == '@') {
		if (!cpus_find(&found->mems, number, &n))
			return false;
		found->node = (uint32_t)number;
	}
	out_u64(host, number, 0);
	return true;
}

/* Does `below` follow the first `len` bytes of the pattern?  Writes the host's path. */
static bool match(struct rules_found *found, const char *root, const char *pattern, size_t len,
		  const char *below)
{
	struct lxcfsd_out host = { .buf = found->path, .cap = RULES_PATH_SIZE - 1 };

	lxcfsd_puts(&host, root);
	if (len > 0)
		lxcfsd_put(&host, "/", 1);
	for (size_t i = 0; i < len; i++) {
		if (strchr("%@#*", pattern[i])) {
			if (!take(found, pattern[i], &below, &host))
				return false;
		} else {
			if (*below++ != pattern[i])
				return false;
			lxcfsd_put(&host, &pattern[i], 1);
		}
	}
	found->path[host.len] = '\0';
	return *below == '\0' && !host.err;
}

static int who_sees(const struct rules *rules, const struct lxcfsd_services *svc,
		    struct lxcfsd_request *req, struct rules_found *ret)
{
	int r = svc->cpus(req, &ret->cpus);

	ret->rule = NULL;
	ret->mems = (struct lxcfsd_cpus){ .count = 0 };
	return r == 0 && rules->mems ? svc->mems(req, &ret->mems) : r;
}

int rules_find(const struct rules *rules, const struct lxcfsd_services *svc,
	       struct lxcfsd_request *req, const char *below, struct rules_found *ret)
{
	int r = who_sees(rules, svc, req, ret);

	if (r < 0)
		return r;
	for (size_t i = 0; i < rules->count; i++) {
		const char *pattern = rules->list[i].path;

		if (!match(ret, rules->root, pattern, strlen(pattern), below))
			continue;
		ret->rule = &rules->list[i];
		return 0;
	}
	return -ENOENT;
}

/* ---------------------------------------------------------------- callbacks */

/* Has the host what the rule says? */
static int host_has(const struct lxcfsd_services *svc, struct lxcfsd_request *req,
		    const struct rules_found *found, const struct rule *rule,
		    struct lxcfsd_entry *ret)
{
	struct lxcfsd_entry entry;
	int r = svc->host_entry(req, found->path, &entry);

	if (r < 0)
		return r;
	if (entry.type != rule->type || (entry.type == LXCFSD_REG && !(entry.mode & 0004)))
		return -ENOENT;
	*ret = entry;
	return 0;
}

int rules_lookup(const struct rules *rules, const struct lxcfsd_services *svc,
		 struct lxcfsd_request *req, const char *below, struct lxcfsd_entry *ret)
{
	struct rules_found found;
	int r = rules_find(rules, svc, req, below, &found);

	return r < 0 ? r : host_has(svc, req, &found, found.rule, ret);
}

int rules_readlink(const struct rules *rules, const struct lxcfsd_services *svc,
		   struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out)
{
	struct rules_found found;
	int r = rules_find(rules, svc, req, below, &found);

	if (r < 0)
		return r;
	return found.rule->type == LXCFSD_LINK ? svc->host_link(req, found.path, out) : -ENOENT;
}

int rules_text(const struct lxcfsd_services *svc, struct lxcfsd_request *req, const char *path,
	       char buf[RULES_TEXT_SIZE], struct lxcfsd_text *ret)
{
	struct lxcfsd_out out = { .buf = buf, .cap = RULES_TEXT_SIZE };
	int r = svc->host_copy(req, path, &out);

	if (r == 0)
		*ret = (struct lxcfsd_text){ buf, out.len };
	return r == -ENOSPC ? -EFBIG : r;
}

/* ------------------------------------------------------------------ listing */

struct listing {
	const struct rules *rules;
	const struct lxcfsd_services *svc;
	struct lxcfsd_request *req;
	const char *below;
	struct lxcfsd_out *out;
	struct rules_found *found;
};

/* `name`, if it follows the rule and the host has it. */
static int list_name(const struct listing *l, const struct rule *rule, const char *name)
{
	char path[RULES_PATH_SIZE];
	struct lxcfsd_entry entry;
	int n = snprintf(path, sizeof(path), "%s%s%s", l->below, *l->below ? "/" : "", name);
	int r;

	if (n < 0 || (size_t)n >= sizeof(path) ||
	    !match(l->found, l->rules->root, rule->path, strlen(rule->path), path))
		return 0;
	r = host_has(l->svc, l->req, l->found, rule, &entry);
	if (r == 0)
		lxcfsd_name(l->out, entry.type, name);
	return r == -ENOENT ? 0 : r;
}

/* One name for each of a set of numbers, which stand last in the rule. */
static int list_numbers(const struct listing *l, const struct rule *rule, const char *last,
			const struct lxcfsd_cpus *set)
{
	char name[WORD_MAX + 1];
	int r = 0;

	for (uint32_t n = 0; r == 0 && n < set->count; n++) {
		snprintf(name, sizeof(name), "%.*s%u", (int)strcspn(last, "%@"), last,
			 cpus_shown(set, n));
		r = list_name(l, rule, name);
	}
	return r;
}

/* What there is only the host knows.  found->path is that of the directory. */
static int list_host(const struct listing *l, const struct rule *rule)
{
	char buf[RULES_TEXT_SIZE];
	struct lxcfsd_out names = { .buf = buf, .cap = sizeof(buf) };
	struct lxcfsd_text rest;
	const char *name;
	uint32_t type;
	int r = l->svc->host_list(l->req, l->found->path, &names);

	if (r == 0)
		r = names.err == -ENOSPC ? -EFBIG : names.err;
	rest = (struct lxcfsd_text){ buf, names.len };
	while (r == 0 && (name = lxcfsd_next_name(&rest, &type)))
		r = list_name(l, rule, name);
	return r;
}

static int list_rule(const struct listing *l, const struct rule *rule)
{
	const char *slash = strrchr(rule->path, '/'), *last = slash ? slash + 1 : rule->path;
	size_t parent = slash ? (size_t)(slash - rule->path) : 0;

	if (!match(l->found, l->rules->root, rule->path, parent, l->below))
		return 0;
	if (strchr(last, '%'))
		return list_numbers(l, rule, last, &l->found->cpus);
	if (strchr(last, '@'))
		return list_numbers(l, rule, last, &l->found->mems);
	return strpbrk(last, "#*") ? list_host(l, rule) : list_name(l, rule, last);
}

int rules_list(const struct rules *rules, const struct lxcfsd_services *svc,
	       struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out)
{
	struct rules_found found;
	struct listing l = { rules, svc, req, below, out, &found };
	int r = 0;

	if (*below) {
		r = rules_find(rules, svc, req, below, &found);
		if (r == 0 && found.rule->type != LXCFSD_DIR)
			r = -ENOENT;
	} else {
		r = who_sees(rules, svc, req, &found);
	}
	for (size_t i = 0; r == 0 && i < rules->count; i++)
		r = list_rule(&l, &rules->list[i]);
	return r;
}
