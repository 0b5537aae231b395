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

/* What is recorded of one elsewhere. */
static const uint32_t kept[INNER_COUNT] = {
	KEPT(INNER) | KEPT(INNER_TREE),
	KEPT(ROOTS) | KEPT(ROOTS_TREE),
};

static const char *wanted(const struct keeper *k, const struct inner *inner)
{
	return inner->conn == CONN_ROOTS ? k->active.ready.roots : k->active.ready.inner;
}

static void make_inner(struct keeper *k, struct inner *inner)
{
	const char *below = wanted(k, inner);
	struct wire_conn conn = { .index = inner->conn };
	int r = inner_open(inner, &k->mount, k->vault, below);

	guard_learn(&k->guard, k->vault);
	if (r == 0)
		r = wire_send(k->active.ctl, WIRE_CONN, &conn, sizeof(conn), &inner->fuse_fd, 1);
	if (r < 0)
		log_warn("no connection for '%s', its files can only be read: %s", below,
			 strerror(-r));
	handover_changed(k, kept[inner->conn - CONN_INNER]);
}

void conns_inner(struct keeper *k)
{
	if (k->active.state != PROCESS_SERVING)
		return;
	for (unsigned int i = 0; i < INNER_COUNT; i++) {
		struct inner *inner = &k->inner[i];

		if (inner->fuse_fd < 0 && !inner->child && wanted(k, inner)[0] == '/' &&
		    inner->remounts <= REMOUNTS_MAX)
			make_inner(k, inner);
		inner_attach(inner);
	}
}

bool conns_inner_moves(const struct keeper *k)
{
	return k->inner[0].child || k->inner[1].child;
}

bool conns_inner_gone(const struct keeper *k)
{
	return inner_is_gone(&k->inner[0]) || inner_is_gone(&k->inner[1]);
}

bool conns_reaped(struct keeper *k, pid_t pid, int status)
{
	for (unsigned int i = 0; i < INNER_COUNT; i++) {
		struct inner *inner = &k->inner[i];

		if (!inner_reaped(inner, pid, status))
			continue;
		handover_changed(k, kept[i]);
		if (inner->fuse_fd < 0)
			conns_inner(k);
		return true;
	}
	return false;
}

static void forget_inner(struct keeper *k, struct inner *inner)
{
	uint64_t now = io_now_ns();

	inner->remounts = now - inner->remounted_ns > 60000ull * MS ? 1 : inner->remounts + 1;
	inner->remounted_ns = now;
	k->watch.inner_remounts++;
	log_err("the connection of '%s' was ended from outside (umount -f or abort): %s; "
		"containers that run get theirs back",
		inner->path,
		inner->remounts > REMOUNTS_MAX ? "too often, it stays away" : "making it anew");
	reattach_lost(&k->reattach, inner->device, k->vault->conn_roots[inner->conn]);
	inner_drop(inner, true);
	handover_changed(k, kept[inner->conn - CONN_INNER]);
}

void conns_inner_ended(struct keeper *k)
{
	for (unsigned int i = 0; i < INNER_COUNT; i++)
		if (inner_is_gone(&k->inner[i]))
			forget_inner(k, &k->inner[i]);
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
	for (unsigned int i = 0; i < INNER_COUNT; i++)
		reattach_lost(&k->reattach, k->inner[i].device,
			      k->vault->conn_roots[k->inner[i].conn]);
	mount_drop(&k->mount);
	for (unsigned int i = 0; i < INNER_COUNT; i++)
		inner_drop(&k->inner[i], false);
	handover_changed(k, kept[0] | kept[1]);
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
