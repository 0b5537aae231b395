/* SPDX-License-Identifier: MIT */
/*
 * match.c - see match.h.
 *
 * Tenants choose the names of cgroups, so what a comparison costs is bounded: when
 * something does not fit, only the last `**` takes one component more.  That is
 * enough, because what stands between two of them was found as far to the front as it
 * goes, and leaves the most to what follows.  So no component of the path is compared
 * more than once with each of the pattern.
 */
#include <fnmatch.h>
#include <string.h>

#include "match.h"
#include "path.h"
#include "text.h"

#define NAME_MAX_CGROUP 255 /* NAME_MAX of the kernel */

const char *match_refuse(const char *pattern)
{
	struct lxcfsd_text rest, part;

	if (!path_is_clean(text_of(pattern)))
		return "must be the path of a cgroup: /NAME/NAME, with no / at the end and no "
		       "component that is empty, . or ..";
	rest = text_of(pattern + 1);
	while (text_until(&rest, '/', &part)) {
		const char *open = memchr(part.data, '[', part.len);

		if (part.len > 2 && memmem(part.data, part.len, "**", 2))
			return "** must be a whole component: /**/";
		if (open && !memchr(open, ']', (size_t)(part.data + part.len - open)))
			return "there is a [ without its ] in the same component: the character "
			       "itself is [[]";
	}
	return NULL;
}

static bool match_name(struct lxcfsd_text pattern, struct lxcfsd_text name)
{
	char a[NAME_MAX_CGROUP + 1], b[NAME_MAX_CGROUP + 1];

	if (pattern.len >= sizeof(a) || name.len >= sizeof(b))
		return false;
	memcpy(a, pattern.data, pattern.len);
	a[pattern.len] = '\0';
	memcpy(b, name.data, name.len);
	b[name.len] = '\0';
	return fnmatch(a, b, FNM_NOESCAPE) == 0;
}

bool match_path(const char *pattern, struct lxcfsd_text path)
{
	struct lxcfsd_text want = text_of(pattern + 1), have = { path.data + 1, path.len - 1 };
	struct lxcfsd_text last_want = want, last_have = have; /* behind the last `**` */
	bool any_depth = false;

	while (want.len > 0 || have.len > 0) {
		struct lxcfsd_text next_want = want, next_have = have, part, name;
		bool more = text_until(&next_want, '/', &part);

		if (more && text_is(part, "**")) {
			any_depth = true;
			want = last_want = next_want;
			last_have = have;
		} else if (more && text_until(&next_have, '/', &name) && match_name(part, name)) {
			want = next_want;
			have = next_have;
		} else if (any_depth && text_until(&last_have, '/', &name)) {
			want = last_want;
			have = last_have;
		} else {
			return false;
		}
	}
	return true;
}
