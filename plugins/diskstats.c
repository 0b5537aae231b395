/* SPDX-License-Identifier: MIT */
/*
 * diskstats - /proc/diskstats: the disks that the container used.
 *
 * Each disk's numbers, its name, the order and the number of columns (11, 15 or
 * 17 behind the name, see Documentation/admin-guide/iostats.rst) are those of the
 * host's file, diskstats_show() of block/genhd.c.  Reads, writes and discards and
 * their sectors of 512 bytes come from the container's cgroup (disks.h); nobody
 * counts merges, times, flushes and what is in flight for a cgroup: 0.
 *
 * A partition has no line: the kernel counts for whole disks only.  A disk that
 * the host's file does not have is passed over.  A container that used none has
 * an empty file.  So it is on cgroup v1 where neither bfq schedules the disk nor
 * a throttling rule was ever set: such kernels count nothing.
 */
#include <lxcfsd/plugin.h>

#include "cursor.h"
#include "disks.h"
#include "output.h"

#define SECTOR 512

/* What the columns behind the name show; all others, also of a newer kernel, are 0. */
static uint64_t column(const struct disk *disk, size_t n)
{
	switch (n) {
	case 0:
		return disk->count[DISK_READ];
	case 2:
		return disk->bytes[DISK_READ] / SECTOR;
	case 4:
		return disk->count[DISK_WRITE];
	case 6:
		return disk->bytes[DISK_WRITE] / SECTOR;
	case 11:
		return disk->count[DISK_DISCARD];
	case 13:
		return disk->bytes[DISK_DISCARD] / SECTOR;
	default:
		return 0;
	}
}

/* "   8       0 sda 5 0 40 ..." with the container's numbers. */
static void put_line(struct lxcfsd_out *out, struct lxcfsd_text line, struct disks *disks)
{
	struct lxcfsd_text rest = line, name, word;
	const struct disk *disk;
	struct disk_id id;

	if (!disk_row(&rest, &id) || !disk_word(&rest, &name))
		return;
	disk = disks_find(disks, id);
	if (!disk)
		return;
	lxcfsd_put(out, line.data, line.len - rest.len);
	for (size_t n = 0; disk_word(&rest, &word); n++) {
		lxcfsd_put(out, " ", 1);
		out_u64(out, column(disk, n), 0);
	}
	lxcfsd_put(out, "\n", 1);
}

static int diskstats_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
			  void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static int diskstats_render(void *state, const union lxcfsd_value opts[],
			    struct lxcfsd_request *req, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_text text, line;
	struct disks disks;
	int r;

	(void)opts;
	r = disks_read(svc, req, &disks);
	if (r < 0 || disks.count == 0)
		return r;
	r = svc->host_file(req, "/proc/diskstats", &text);
	if (r < 0)
		return r;
	while (cursor_line(&text, &line))
		put_line(out, line, &disks);
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/diskstats", .mode = 0444, .controllers = 0, .render = diskstats_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "diskstats", .version = "1",
	.summary = "/proc/diskstats: the disks that the container used",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.init = diskstats_init,
};
/* clang-format on */
