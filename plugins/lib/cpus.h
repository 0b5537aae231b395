/* SPDX-License-Identifier: MIT */
/* cpus.h - lists and masks of CPUs, cut to those that a container sees and in the
 * numbers that it knows them by. */
#ifndef LXCFSD_PLUGINS_CPUS_H
#define LXCFSD_PLUGINS_CPUS_H

#include <lxcfsd/plugin.h>

#define CPUS_MAX 8192 /* as the kernel's NR_CPUS */

/* The number by which the n-th of them is shown. */
static inline uint32_t cpus_shown(const struct lxcfsd_cpus *cpus, uint32_t n)
{
	return cpus->dense ? n : cpus->ids[n];
}

/* Where the host's CPU `id` stands among them. */
bool cpus_find(const struct lxcfsd_cpus *cpus, uint64_t id, uint32_t *ret_index);
/* Where the one that is shown as `number` stands. */
bool cpus_find_shown(const struct lxcfsd_cpus *cpus, uint64_t number, uint32_t *ret_index);

/* A list of ascending numbers as the kernel prints one with %*pbl, lib/vsprintf.c:
 * "0-3,8", without a newline. */
struct cpus_list {
	struct lxcfsd_out *out;
	uint32_t first, last;
	bool open, begun;
};
void cpus_list_add(struct cpus_list *list, uint32_t number);
void cpus_list_end(struct cpus_list *list);

/* The host's list `text`, of which those in `cpus` remain; with a newline. */
int cpus_cut_list(struct lxcfsd_out *out, struct lxcfsd_text text, const struct lxcfsd_cpus *cpus);

/* The same of a mask as the kernel prints one with %*pb: groups of 32 bits as
 * hexadecimal digits, the highest first, as many digits as in `text`. */
int cpus_cut_mask(struct lxcfsd_out *out, struct lxcfsd_text text, const struct lxcfsd_cpus *cpus);

/* Calls `each` for the numbers of a list; -EINVAL when it is none. */
int cpus_each(struct lxcfsd_text text, void (*each)(void *arg, uint32_t number), void *arg);

#endif
