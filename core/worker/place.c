/* SPDX-License-Identifier: MIT */
/* place.c - see place.h. */
#include <sys/stat.h>

#include "path.h"
#include "place.h"
#include "text.h"

/* include/linux/proc_ns.h: the first namespaces have fixed inode numbers. */
#define FIRST_CGROUP_NS 0xeffffffbu
#define FIRST_PID_NS	0xeffffffcu

static bool is_foreign(const char *path, ino_t first)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_ino != first;
}

void place_check(const struct settings *settings, struct problems *problems)
{
	bool pid = is_foreign("/proc/self/ns/pid", FIRST_PID_NS);
	bool cgroup = is_foreign("/proc/self/ns/cgroup", FIRST_CGROUP_NS);

	if (settings->cgroup_root && !path_is_clean(text_of(settings->cgroup_root)))
		problem_add(problems, NULL, 0,
			    "cgroup_root = %s: not the path of a cgroup as the kernel writes it",
			    settings->cgroup_root);
	if ((!pid && !cgroup) || settings->cgroup_root)
		return;
	problem_add(problems, NULL, 0,
		    "this is a %s namespace of its own, so not the host: readers outside of it "
		    "could not be told apart.  Start lxcfsd on the host; or, to serve the "
		    "containers inside of this one, set `cgroup_root = /` in [lxcfsd]",
		    pid ? "pid" : "cgroup");
}
