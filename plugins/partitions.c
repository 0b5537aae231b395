/* SPDX-License-Identifier: MIT */
/*
 * partitions - /proc/partitions: the disks that the container used, and their
 * partitions.
 *
 * The header and the rows are the host's (show_partition() of block/genhd.c), of
 * the disks that are in the container's /proc/diskstats.  A machine that has a
 * disk sees all of its partitions, so they are shown with it.  The kernel prints
 * them right behind their disk, and names them by it: sda1, or nvme0n1p1 when
 * the disk's name ends in a digit (add_partition() of block/partitions/core.c).
 *
 * A container that used no disk sees the header alone.
 */
#include <lxcfsd/plugin.h>

#include "cursor.h"
#include "disks.h"
#include "output.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_partition_of(struct lxcfsd_text name, struct lxcfsd_text disk)
{
	size_t at = disk.len;

	if (disk.len == 0 || name.len <= disk.len || memcmp(name.data, disk.data, disk.len) != 0)
		return false;
	if (is_digit(disk.data[disk.len - 1]) && name.data[at++] != 'p')
		return false;
	if (at == name.len)
		return false;
	while (at < name.len && is_digit(name.data[at]))
		at++;
	return at == name.len;
}

/* "   8        1   10485760 sda1" */
static bool parse_row(struct lxcfsd_text line, struct disk_id *ret_id, struct lxcfsd_text *ret_name)
{
	struct lxcfsd_text blocks, more;

	return disk_row(&line, ret_id) && disk_word(&line, &blocks) && disk_word(&line, ret_name) &&
	       !disk_word(&line, &more);
}

static int partitions_init(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
			   void **ret_state)
{
	(void)opts;
	*ret_state = (void *)svc;
	return 0;
}

static int partitions_render(void *state, const union lxcfsd_value opts[],
			     struct lxcfsd_request *req, struct lxcfsd_out *out)
{
	const struct lxcfsd_services *svc = state;
	struct lxcfsd_text text, line, name, disk = { "", 0 };
	bool header = true, shown = false;
	struct disks disks;
	struct disk_id id;
	int r;

	(void)opts;
	r = disks_read(svc, req, &disks);
	if (r < 0)
		return r;
	r = svc->host_file(req, "/proc/partitions", &text);
	if (r < 0)
		return r;
	while (cursor_line(&text, &line)) {
		if (parse_row(line, &id, &name)) {
			header = false;
			if (!is_partition_of(name, disk)) {
				disk = name;
				shown = disks_find(&disks, id) != NULL;
			}
		}
		if (!header && !shown)
			continue;
		out_text(out, line);
		lxcfsd_put(out, "\n", 1);
	}
	return 0;
}

/* clang-format off */
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/partitions", .mode = 0444, .controllers = 0,
	  .render = partitions_render },
};

LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "partitions", .version = "1",
	.summary = "/proc/partitions: the disks that the container used, and their partitions",
	.files = files, .file_count = LXCFSD_COUNT(files),
	.init = partitions_init,
};
/* clang-format on */
