/* SPDX-License-Identifier: MIT */
/*
 * abi_check.c - no code: fails to compile when a released field moves.
 *
 * A line here is never changed, only added when a release adds a field.  The
 * numbers are those of LP64; where pointers have 4 bytes nothing is checked,
 * because a field that moves there moves here too.
 */
#include <lxcfsd/plugin.h>

#ifdef __LP64__

#define AT(type, field, offset)                                                                    \
	_Static_assert(offsetof(struct type, field) == (offset), "released ABI: " #type "." #field)
#define IS(constant, value) _Static_assert((constant) == (value), "released ABI: " #constant)

/* release 1 */
AT(lxcfsd_text, data, 0);
AT(lxcfsd_text, len, 8);

AT(lxcfsd_out, buf, 0);
AT(lxcfsd_out, len, 8);
AT(lxcfsd_out, cap, 16);
AT(lxcfsd_out, err, 24);

AT(lxcfsd_opt, key, 0);
AT(lxcfsd_opt, type, 8);
AT(lxcfsd_opt, flags, 12);
AT(lxcfsd_opt, def, 16);
AT(lxcfsd_opt, choices, 24);
AT(lxcfsd_opt, min, 32);
AT(lxcfsd_opt, max, 40);
AT(lxcfsd_opt, help, 48);
_Static_assert(sizeof(union lxcfsd_value) == 8, "released ABI: lxcfsd_value has no size field");

AT(lxcfsd_key, v2, 0);
AT(lxcfsd_key, v1, 8);
_Static_assert(sizeof(struct lxcfsd_key) == 16, "released ABI: lxcfsd_key has no size field");

AT(lxcfsd_cpus, ids, 0);
AT(lxcfsd_cpus, count, 8);
AT(lxcfsd_cpus, dense, 12);
_Static_assert(sizeof(struct lxcfsd_cpus) == 16, "released ABI: lxcfsd_cpus has no size field");

AT(lxcfsd_services, size, 0);
AT(lxcfsd_services, page_size, 4);
AT(lxcfsd_services, clock_ticks, 8);
AT(lxcfsd_services, reserved, 12);
AT(lxcfsd_services, core, 16);
AT(lxcfsd_services, log, 24);
AT(lxcfsd_services, host_file, 32);
AT(lxcfsd_services, limit, 40);
AT(lxcfsd_services, usage, 48);
AT(lxcfsd_services, stat, 56);
AT(lxcfsd_services, cpus, 64);
AT(lxcfsd_services, clock_ns, 72);
AT(lxcfsd_services, age_ns, 80);
AT(lxcfsd_services, cpu_times, 88);
AT(lxcfsd_services, load, 96);
AT(lxcfsd_services, load_file, 104);
AT(lxcfsd_services, hugetlb, 160);
AT(lxcfsd_services, control, 168);

AT(lxcfsd_file, path, 0);
AT(lxcfsd_file, mode, 8);
AT(lxcfsd_file, controllers, 12);
AT(lxcfsd_file, render, 16);

AT(lxcfsd_plugin, abi, 0);
AT(lxcfsd_plugin, size, 4);
AT(lxcfsd_plugin, file_size, 8);
AT(lxcfsd_plugin, opt_size, 12);
AT(lxcfsd_plugin, name, 16);
AT(lxcfsd_plugin, version, 24);
AT(lxcfsd_plugin, summary, 32);
AT(lxcfsd_plugin, files, 40);
AT(lxcfsd_plugin, opts, 48);
AT(lxcfsd_plugin, file_count, 56);
AT(lxcfsd_plugin, opt_count, 60);
AT(lxcfsd_plugin, flags, 64);
AT(lxcfsd_plugin, reserved, 68);
AT(lxcfsd_plugin, init, 72);

IS(LXCFSD_PATH_FROM_CONFIG, 1);
IS(LXCFSD_OPT_INIT, 1);
/* with trees */
AT(lxcfsd_services, host_entry, 112);
AT(lxcfsd_services, host_copy, 120);
AT(lxcfsd_services, host_list, 128);
AT(lxcfsd_services, host_link, 136);
AT(lxcfsd_services, mems, 144);
AT(lxcfsd_services, numa_stat, 152);

AT(lxcfsd_entry, type, 0);
AT(lxcfsd_entry, mode, 4);
_Static_assert(sizeof(struct lxcfsd_entry) == 8, "released ABI: lxcfsd_entry has no size field");

AT(lxcfsd_tree, path, 0);
AT(lxcfsd_tree, controllers, 8);
AT(lxcfsd_tree, reserved, 12);
AT(lxcfsd_tree, lookup, 16);
AT(lxcfsd_tree, list, 24);
AT(lxcfsd_tree, render, 32);
AT(lxcfsd_tree, readlink, 40);
AT(lxcfsd_tree, find, 48);
AT(lxcfsd_found, entry, 0);
AT(lxcfsd_found, uid, 8);
AT(lxcfsd_found, gid, 12);
AT(lxcfsd_found, object, 16);
_Static_assert(sizeof(struct lxcfsd_found) == 56, "released ABI: lxcfsd_found has no size field");

AT(lxcfsd_plugin, trees, 80);
AT(lxcfsd_plugin, tree_count, 88);
AT(lxcfsd_plugin, tree_size, 92);

IS(LXCFSD_DIR, 1);
IS(LXCFSD_REG, 2);
IS(LXCFSD_LINK, 3);

IS(LXCFSD_NO_VIEW, 1);
IS(LXCFSD_BOOL, 1);
IS(LXCFSD_UINT, 2);
IS(LXCFSD_ENUM, 3);
IS(LXCFSD_STRING, 4);
IS(LXCFSD_CPU, 1);
IS(LXCFSD_CPUACCT, 2);
IS(LXCFSD_CPUSET, 4);
IS(LXCFSD_MEMORY, 8);
IS(LXCFSD_IO, 16);
IS(LXCFSD_PIDS, 32);
IS(LXCFSD_HUGETLB, 64);
IS(LXCFSD_MEM_MAX, 1);
IS(LXCFSD_SWAP_MAX, 2);
IS(LXCFSD_MEMSW_MAX, 3);
IS(LXCFSD_CPU_QUOTA, 4);
IS(LXCFSD_PIDS_MAX, 5);
IS(LXCFSD_MEM_CURRENT, 1);
IS(LXCFSD_SWAP_CURRENT, 2);
IS(LXCFSD_CPU_USAGE, 3);
IS(LXCFSD_PIDS_CURRENT, 4);
IS(LXCFSD_SWAPPINESS, 5);
IS(LXCFSD_MEMORY_STAT, 1);
IS(LXCFSD_CPU_STAT, 2);
IS(LXCFSD_CLOCK_BOOTTIME, 1);
IS(LXCFSD_CLOCK_REALTIME, 2);

/* added before release 1 was out */
AT(lxcfsd_file, flags, 24);
AT(lxcfsd_file, reserved, 28);
AT(lxcfsd_file, trigger, 32);
IS(LXCFSD_IF_HOST, 1);
IS(LXCFSD_IO_STAT, 1);
IS(LXCFSD_BFQ_BYTES, 2);
IS(LXCFSD_BFQ_COUNT, 3);
IS(LXCFSD_THROTTLE_BYTES, 4);
IS(LXCFSD_THROTTLE_COUNT, 5);
IS(LXCFSD_CFQ_BYTES, 6);
IS(LXCFSD_CFQ_COUNT, 7);
IS(LXCFSD_CPU_PRESSURE, 8);
IS(LXCFSD_MEMORY_PRESSURE, 9);
IS(LXCFSD_IO_PRESSURE, 10);
IS(LXCFSD_IRQ_PRESSURE, 11);
IS(LXCFSD_KMEM_SLABINFO, 12);
IS(LXCFSD_NUMA_STAT, 13);

#endif
