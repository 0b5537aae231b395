/* SPDX-License-Identifier: MIT */
/*
 * disks.h - which disks a container used, and how much.
 *
 * The kernel counts per cgroup and whole disk, never per partition.
 *
 *   v2	io.stat (Documentation/admin-guide/cgroup-v2.rst; printed by
 *	blkcg_print_one_stat() of block/blk-cgroup.c)
 *   v1	the files of bfq, throttling and CFQ (cgroup-v1/blkio-controller.rst;
 *	__blkg_prfill_rwstat() of block/blk-cgroup-rwstat.c).  Which of them
 *	count depends on the kernel, the disk's scheduler and whether anybody
 *	ever set a throttling rule.  Of each number the largest is taken: one
 *	that starts to count later never makes it smaller.
 *
 * Devices with nothing but zeros were not used.  What is not understood is
 * passed over; more devices than DISKS_MAX are an error.
 */
#ifndef LXCFSD_PLUGINS_DISKS_H
#define LXCFSD_PLUGINS_DISKS_H

#include <lxcfsd/plugin.h>

#define DISKS_MAX 1024

enum disk_op { DISK_READ, DISK_WRITE, DISK_DISCARD, DISK_OP_COUNT };

struct disk_id {
	uint64_t major, minor;
};

struct disk {
	struct disk_id id;
	uint64_t bytes[DISK_OP_COUNT];
	uint64_t count[DISK_OP_COUNT]; /* operations */
};

struct disks {
	size_t count;
	size_t last; /* the one that was found last */
	struct disk list[DISKS_MAX];
};

/* 0, also when there is nothing that counts: then there are no disks. */
int disks_read(const struct lxcfsd_services *svc, struct lxcfsd_request *req, struct disks *ret);

/* NULL: it was not used. */
const struct disk *disks_find(struct disks *disks, struct disk_id id);

/* Takes "  MAJOR  MINOR " off the front of a line of /proc/diskstats or /proc/partitions;
 * false, and anything taken, when that is not what stands there. */
bool disk_row(struct lxcfsd_text *rest, struct disk_id *ret);

/* Takes the next word and the blanks before it; false at the end. */
bool disk_word(struct lxcfsd_text *rest, struct lxcfsd_text *ret);

#endif
