/* SPDX-License-Identifier: MIT */
/* conns.c - see conns.h. */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "conns.h"
#include "io.h"

#define MS	     1000000u
#define REMOUNTS_MAX 10 /* in a row, without a minute of peace */

int conns_mount(struct keeper *k, const char *path)
{
	char reason[PATH_MAX + 256];
	int r = mount_new(&k->mount, path, &k->vault->conns[0], reason, sizeof(reason));

	if (r < 0)
		log_err("%s", reason);
	else
		handover_changed(k, KEPT(VAULT) | KEPT(FUSE) | KEPT(LOCK) | KEPT(TREE));
	return r;
}

void conns_inner(struct keeper *k)
{
	const char *below = k->active.ready.inner;
	struct wire_conn conn = { .index = CONN_INNER };
	int r;

	if (k->active.state != PROCESS_SERVING)
		return;
	if (k->inner.fuse_fd < 0 && !k->inner.child && below[0] == '/' &&
	    k->inner.remounts <= REMOUNTS_MAX) {
		r = inner_open(&k->inner, &k->mount, k->vault, below);
		guard_learn(&k->guard, k->vault);
		if (r == 0)
			r = wire_send(k->active.ctl, WIRE_CONN, &conn, sizeof(conn),
				      &k->inner.fuse_fd, 1);
		if (r < 0)
			log_warn("no connection for '%s', its files can only be read: %s", below,
				 strerror(-r));
		handover_changed(k, KEPT(INNER) | KEPT(INNER_TREE));
	}
	inner_attach(&k->inner);
}

void conns_inner_ended(struct keeper *k)
{
	uint64_t now = io_now_ns();

	k->inner.remounts = now - k->inner.remounted_ns > 60000ull * MS ? 1 : k->inner.remounts + 1;
	k->inner.remounted_ns = now;
	k->watch.inner_remounts++;
	log_err("the connection of '%s' was ended from outside (umount -f or abort): %s; "
		"containers that run get theirs back",
		k->inner.path,
		k->inner.remounts > REMOUNTS_MAX ? "too often, it stays away" : "making it anew");
	reattach_lost(&k->reattach, k->inner.device, k->vault->conn_roots[CONN_INNER]);
	inner_drop(&k->inner, true);
	handover_changed(k, KEPT(INNER) | KEPT(INNER_TREE));
}

void conns_anew(struct keeper *k)
{
	char path[sizeof(k->mount.path)];
	uint64_t now = io_now_ns();
	uint32_t view_off = atomic_load(&k->vault->view_off);
	struct vault_header *before = k->vault;

	k->remounts = now - k->remounted_ns > 60000ull * MS ? 1 : k->remounts + 1;
	k->remounted_ns = now;
	k->watch.remounts++;
	memcpy(path, k->mount.path, sizeof(path));
	log_err("the connection to the kernel was ended from outside (umount -f or abort): "
		"mounting '%s' anew; containers that run get their files back, what they have "
		"open there is lost",
		path);
	reattach_lost(&k->reattach, k->mount.device, "");
	reattach_lost(&k->reattach, k->inner.device, k->vault->conn_roots[CONN_INNER]);
	mount_drop(&k->mount);
	inner_drop(&k->inner, false);
	handover_changed(k, KEPT(INNER) | KEPT(INNER_TREE));
	close(k->vault_fd);
	k->vault_fd = -1;
	k->vault = NULL;
	if (k->remounts > REMOUNTS_MAX) {
		log_err("this happened %u times within a minute each: giving up", k->remounts);
		change_stop(k, 1);
		return;
	}
	if (vault_create(&k->vault_fd, &k->vault) < 0 || conns_mount(k, path) < 0) {
		change_stop(k, 1);
		return;
	}
	atomic_store(&k->vault->view_off, view_off);
	if (safe_is_due(&k->safe)) /* it knows no other names */
		vault_copy_nodes(k->vault, before);
	vault_unmap(before);
	guard_learn(&k->guard, k->vault);
}
