/* SPDX-License-Identifier: MIT */
/*
 * fuse.c - see fuse.h.  The one file that knows libfuse.
 *
 * What the kernel is told at INIT holds for the life of the connection, and it
 * remembers each ENOSYS: so every operation that any release may need is here
 * from the first one, and later workers repeat the first one's reply to INIT.
 *
 * Every operation that would change something is refused with EROFS here, but in the
 * containers' own roots: a privileged container can remount the plain superblock read-write
 * for everybody.
 *
 * There may be other connections, whose root is a directory of the first one: files
 * in it can be written, and in one of them polled.  They are of their own because the plain
 * one is faster read-only, and because nothing there may be written or polled for ever.  Node
 * ids mean the same on all, but for 1, which is the root of each.
 *
 * Longer than other files, because it is the only one that may know libfuse.
 */
#define FUSE_USE_VERSION 314
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fuse_lowlevel.h>
#include <linux/fuse.h>

#include "fuse_private.h"
#include "log.h"
#include "passing.h"

#ifndef FUSE_ALLOW_IDMAP
#define FUSE_ALLOW_IDMAP (1ULL << 40)
#endif

#define MAX_WRITE (JOURNAL_BUF_SIZE - 4096)
#define MAX_PAGES 256 /* of one read */
#define MAX_READ  ((size_t)MAX_PAGES * 65536)
/* Names never change their meaning; modes may, by a reload.  Not in trees. */
#define STATIC_TIMEOUT 1.0

static struct fuse_conn *conn_of(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

static struct server *server_of(fuse_req_t req)
{
	return conn_of(req)->all->server;
}

static const struct node *node_of(fuse_req_t req, fuse_ino_t ino)
{
	return nodes_get(&server_of(req)->nodes, ino == FUSE_ROOT_ID ? conn_of(req)->root : ino);
}

/* Is there anything on this connection to be written to it? */
static bool is_writable(fuse_req_t req, const struct node *node)
{
	return conn_of(req)->index == CONN_INNER && node->file && node->file->trigger;
}

/* Can it, or what is in it, be changed as far as the plugin and the kernel allow? */
static bool is_changeable(fuse_req_t req, const struct node *node)
{
	return conn_of(req)->index == CONN_ROOTS && node &&
	       serve_is_changeable(server_of(req), node);
}

/* ------------------------------------------------------------- operations */

static void fill_attr(fuse_req_t req, const struct node *node, struct stat *st)
{
	/* as the host's: whether a write does anything is found out by writing */
	serve_stat(server_of(req), node,
		   serve_mode(server_of(req), node) | (is_writable(req, node) ? 0222 : 0), st);
}

static struct serve_read request_of(fuse_req_t req, const struct node *node, uint64_t fh)
{
	return (struct serve_read){
		.node = node,
		.conn = conn_of(req)->index,
		.fh = fh,
		.reader = fuse_req_ctx(req)->pid,
		.unique = journal_unique(),
		.replay = journal_is_replay(),
		.suspect = journal_is_suspect(),
	};
}

static void op_init(void *userdata, struct fuse_conn_info *info)
{
	(void)userdata;
	info->max_write = MAX_WRITE;
	/* no ASYNC_DIO: who writes waits for the answer, and is who he was (deputy.h) */
	info->want &=
		~(unsigned int)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
				FUSE_CAP_SPLICE_MOVE | FUSE_CAP_READDIRPLUS | FUSE_CAP_ASYNC_DIO);
}

/* Of a name in a tree nothing is kept: the next who walks may be another container. */
static void lookup_in_tree(fuse_req_t req, const struct node *dir, const char *name)
{
	const struct serve_read who = request_of(req, dir, 0);
	struct fuse_entry_param entry = { .generation = 1 };
	struct server *s = server_of(req); /* a reply frees `req` */
	struct lxcfsd_found found;
	const struct node *node;
	int r = serve_lookup(s, &who, name, &node, &found);

	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	entry.ino = node_number(node);
	serve_entry_stat(s, node, &found, &entry.attr);
	if (fuse_reply_entry(req, &entry) == -ENOENT) /* who asked is gone */
		serve_forget(s, entry.ino, 1);
}

static void op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	const struct node *dir = node_of(req, parent), *node;
	struct fuse_entry_param entry = { .attr_timeout = STATIC_TIMEOUT,
					  .entry_timeout = STATIC_TIMEOUT };

	if (dir && dir->type == NODE_DIR &&
	    (dir->tree_root || node_has_own(&server_of(req)->nodes, dir))) {
		lookup_in_tree(req, dir, name);
		return;
	}
	node = dir && dir->type == NODE_DIR ? nodes_lookup(&server_of(req)->nodes, dir, name)
					    : NULL;
	if (!node) {
		fuse_reply_err(req, ENOENT);
		return;
	}
	entry.ino = node->id;
	entry.generation = 1;
	fill_attr(req, node, &entry.attr);
	fuse_reply_entry(req, &entry);
}

static void op_forget(fuse_req_t req, fuse_ino_t ino, uint64_t count)
{
	serve_forget(server_of(req), ino, count);
	fuse_reply_none(req);
}

static void op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < count; i++)
		serve_forget(server_of(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void op_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct node *node = node_of(req, ino);
	const struct serve_read who = request_of(req, node, 0);
	struct lxcfsd_found found;
	struct stat st;
	int r = 0;

	(void)fi;
	if (!node) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if (serve_depends(node))
		r = serve_entry(server_of(req), &who, &found);
	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	if (serve_depends(node))
		serve_entry_stat(server_of(req), node, &found, &st);
	else
		fill_attr(req, node, &st);
	fuse_reply_attr(req, &st, serve_depends(node) ? 0 : STATIC_TIMEOUT);
}

#define TARGET_MAX 4095 /* what the kernel takes */

static void op_readlink(fuse_req_t req, fuse_ino_t ino)
{
	const struct node *node = node_of(req, ino);
	struct serve_read read = request_of(req, node, 0);
	char target[TARGET_MAX + 1];
	const char *text = "";
	ssize_t n;

	read.size = SIZE_MAX;
	read.replay = false; /* nothing is kept of it */
	n = node && node->type == NODE_LINK ? serve_read(server_of(req), &read, &text) : -EINVAL;
	if (n >= 0 && (n == 0 || n > TARGET_MAX || memchr(text, '\0', (size_t)n)))
		n = -EIO;
	if (n < 0) {
		fuse_reply_err(req, node ? (int)-n : ESTALE);
		return;
	}
	memcpy(target, text, (size_t)n);
	target[n] = '\0';
	fuse_reply_readlink(req, target);
}

static void open_node(fuse_req_t req, const struct node *node, bool changes,
		      struct fuse_file_info *fi)
{
	const struct serve_read open = request_of(req, node, 0);
	struct server *s = server_of(req); /* a reply frees `req` */
	int r = changes ? serve_open_to_change(s, &open, &fi->fh) : serve_open(s, &open, &fi->fh);

	if (r < 0) {
		fuse_reply_err(req, -r);
		return;
	}
	/* the opener is gone: no RELEASE will come */
	if (fuse_reply_open(req, fi) == -ENOENT)
		serve_release(s, fi->fh);
}

static void op_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct node *node = node_of(req, ino);
	bool writes = (fi->flags & O_ACCMODE) != O_RDONLY || fi->flags & O_TRUNC, changes = false;

	if (!node) {
		fuse_reply_err(req, ESTALE);
		return;
	}
	if (writes && !is_writable(req, node)) {
		changes = is_changeable(req, node);
		if (!changes) {
			fuse_reply_err(req, EROFS);
			return;
		}
	}
	fi->direct_io = 1; /* no page cache: containers would share it */
	fi->noflush = 1;
	open_node(req, node, changes, fi);
}

static void op_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		    struct fuse_file_info *fi)
{
	struct serve_read read = request_of(req, node_of(req, ino), fi->fh);
	const char *text = "";
	ssize_t n;

	/* a read for the page cache: it would show one container's text to the others.
	 * splice(2) and sendfile(2) want it; told so, programs read(2) instead. */
	if (fi->lock_owner == 0) {
		fuse_reply_err(req, EINVAL);
		return;
	}
	read.offset = (uint64_t)offset;
	read.size = size < MAX_READ ? size : MAX_READ;
	n = read.node && read.node->type == NODE_FILE && offset >= 0
		    ? serve_read(server_of(req), &read, &text)
		    : -EIO;
	if (n < 0) /* as sysfs says it of a device that went away */
		fuse_reply_err(req, n == -ENOENT ? ENODEV : (int)-n);
	else
		fuse_reply_buf(req, text, (size_t)n);
}

static void op_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	if (conn_of(req)->index == CONN_INNER)
		trigger_drop(&server_of(req)->triggers, fi->fh);
	serve_release(server_of(req), fi->fh);
	fuse_reply_err(req, 0);
}

static void op_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	const struct node *node = node_of(req, ino);

	if (!node)
		fuse_reply_err(req, ESTALE);
	else if (node->type != NODE_DIR)
		fuse_reply_err(req, ENOTDIR);
	else if (node->tree_root)
		open_node(req, node, false, fi);
	else
		fuse_reply_open(req, fi);
}

#define UNKNOWN_INODE 0xffffffff

struct listing {
	fuse_req_t req;
	char *buf;
	size_t size, used;
	bool full;
};

static void list_entry(struct listing *list, const char *name, uint32_t id, uint32_t type,
		       off_t next)
{
	struct stat st = { .st_ino = id,
			   .st_mode = type == NODE_DIR	  ? S_IFDIR
				      : type == NODE_LINK ? S_IFLNK
							  : S_IFREG };
	size_t left = list->size - list->used, need;

	need = fuse_add_direntry(list->req, list->buf + list->used, left, name, &st, next);
	list->full = list->full || need > left; /* then nothing was written */
	if (!list->full)
		list->used += need;
}

/* Offsets: 1 after ".", 2 after "..", then 2 + the id of the child just given, so
 * that they mean the same in every worker. */
static void list_static(struct listing *list, const struct nodes *nodes, const struct node *dir,
			off_t offset)
{
	uint32_t id = node_shown(dir)->first_child;

	for (; id && !list->full; id = nodes->list[id - 1].next) {
		const struct node *child = &nodes->list[id - 1];

		if (offset < (off_t)id + 2 && !(dir->container && id == nodes->roots))
			list_entry(list, child->name, id, child->type, (off_t)id + 2);
	}
}

/* Those that somebody has bound or just looks at.  Offsets: 2 + the next place to look. */
static void list_roots(struct listing *list, struct nodes *nodes, const struct node *dir,
		       off_t offset)
{
	uint32_t place = offset > 2 && offset <= PASSING_MAX + 2 ? (uint32_t)offset - 2 : 0;
	char name[PASSING_NUMBER_MAX];

	while (!list->full && passing_next(nodes, dir, &place, name))
		list_entry(list, name, UNKNOWN_INODE, NODE_DIR, (off_t)place + 2);
}

/* Offsets: 2 + how many names were given, of those that were taken at offset 0. */
static void list_tree(struct listing *list, const struct nodes *nodes, const struct node *dir,
		      struct lxcfsd_text names, off_t offset)
{
	const char *name;
	uint32_t type;

	for (off_t at = 3; !list->full && (name = lxcfsd_next_name(&names, &type)); at++) {
		const struct node *child;

		if (offset >= at)
			continue;
		type = type == LXCFSD_DIR ? NODE_DIR : type == LXCFSD_LINK ? NODE_LINK : NODE_FILE;
		child = nodes_find(nodes, dir, name, type);
		list_entry(list, name, child ? child->id : UNKNOWN_INODE, type, at);
	}
}

static void op_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t offset,
		       struct fuse_file_info *fi)
{
	struct nodes *nodes = &server_of(req)->nodes;
	const struct node *dir = node_of(req, ino);
	struct serve_read read = request_of(req, dir, fi->fh);
	struct listing list = { .req = req };
	const char *text = "";
	char buf[4096];
	ssize_t n = 0;

	if (!dir || dir->type != NODE_DIR || offset < 0) {
		fuse_reply_err(req, dir ? EINVAL : ESTALE);
		return;
	}
	read.offset = (uint64_t)offset;
	if (dir->tree_root)
		n = serve_list(server_of(req), &read, &text);
	if (n < 0) {
		fuse_reply_err(req, (int)-n);
		return;
	}
	list.buf = buf;
	list.size = size < sizeof(buf) ? size : sizeof(buf);
	if (offset < 1)
		list_entry(&list, ".", dir->id, NODE_DIR, 1);
	if (offset < 2)
		list_entry(&list, "..", dir->parent, NODE_DIR, 2);
	if (dir->id == nodes->roots)
		list_roots(&list, nodes, dir, offset);
	else if (dir->tree_root)
		list_tree(&list, nodes, dir, (struct lxcfsd_text){ text, (size_t)n }, offset);
	else
		list_static(&list, nodes, dir, offset);
	fuse_reply_buf(req, buf, list.used);
}

static void op_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	(void)ino;
	serve_release(server_of(req), fi->fh);
	fuse_reply_err(req, 0);
}

static void op_write(fuse_req_t req, fuse_ino_t ino, const char *bytes, size_t size, off_t offset,
		     struct fuse_file_info *fi)
{
	const struct node *node = node_of(req, ino);
	const struct serve_read write = request_of(req, node, fi->fh);
	const struct lxcfsd_change change = { .kind = LXCFSD_CHANGE_WRITE,
					      .bytes = bytes,
					      .len = size };
	int r = -EROFS;

	(void)offset; /* as in procfs */
	if (node && is_writable(req, node))
		r = serve_write(server_of(req), &write, bytes, size);
	else if (is_changeable(req, node))
		r = serve_change(server_of(req), &write, NULL, &change);
	if (r < 0)
		fuse_reply_err(req, -r);
	else
		fuse_reply_write(req, size);
}

/* libfuse keeps the kernel's name for who sleeps to itself; it stands in the request. */
static void op_poll(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi,
		    struct fuse_pollhandle *ph)
{
	const struct fuse_in_header *head = journal_request();
	const struct fuse_poll_in *in = (const void *)(head + 1);
	bool sleeps = head && head->len >= sizeof(*head) + sizeof(*in) &&
		      in->flags & FUSE_POLL_SCHEDULE_NOTIFY;
	const struct serve_read poll = request_of(req, node_of(req, ino), fi->fh);

	if (ph)
		fuse_pollhandle_destroy(ph);
	fuse_reply_poll(req, serve_poll(server_of(req), &poll, sleeps ? in->kh : 0));
}

/* open(2) with O_TRUNC, as of shells, comes here as well. */
static bool is_truncation(const struct stat *attr, int to_set)
{
	return to_set & FUSE_SET_ATTR_SIZE && attr->st_size == 0 &&
	       !(to_set & (FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID));
}

static int set_owner_or_mode(fuse_req_t req, const struct node *node, const struct stat *attr,
			     int to_set)
{
	const int owner = FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID;
	const struct serve_read who = request_of(req, node, 0);
	struct lxcfsd_change change = {
		.mode = attr->st_mode & 07777,
		.uid = to_set & FUSE_SET_ATTR_UID ? attr->st_uid : UINT32_MAX,
		.gid = to_set & FUSE_SET_ATTR_GID ? attr->st_gid : UINT32_MAX,
	};

	/* one of them, or it could be done half: the kernel asks for one at a time */
	if (to_set & owner && !(to_set & FUSE_SET_ATTR_MODE))
		change.kind = LXCFSD_CHANGE_OWNER;
	else if (to_set & FUSE_SET_ATTR_MODE && !(to_set & owner))
		change.kind = LXCFSD_CHANGE_MODE;
	return change.kind ? serve_change(server_of(req), &who, NULL, &change) : -EPERM;
}

/* Everything that would change something. */
static void op_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *attr, int to_set,
		       struct fuse_file_info *fi)
{
	const struct node *node = node_of(req, ino);
	bool changeable = is_changeable(req, node);
	int r = -EROFS;

	if (node && (changeable || is_writable(req, node)) && is_truncation(attr, to_set))
		r = 0;
	else if (changeable)
		r = set_owner_or_mode(req, node, attr, to_set);
	if (r == 0)
		op_getattr(req, ino, fi);
	else
		fuse_reply_err(req, -r);
}

static void op_mknod(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t dev)
{
	(void)parent, (void)name, (void)mode, (void)dev;
	fuse_reply_err(req, EROFS);
}

static int change_name(fuse_req_t req, const struct node *dir, const char *name, uint32_t kind,
		       mode_t mode)
{
	const struct serve_read who = request_of(req, dir, 0);
	const struct lxcfsd_change change = { .kind = kind, .mode = mode & 07777 };

	return is_changeable(req, dir) ? serve_change(server_of(req), &who, name, &change) : -EROFS;
}

static void op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
	const struct node *dir = node_of(req, parent);
	const struct serve_read who = request_of(req, dir, 0);
	int r = -EROFS;

	/* it would be there, and could not be told of */
	if (is_changeable(req, dir))
		r = serve_has_room(server_of(req), &who)
			    ? change_name(req, dir, name, LXCFSD_CHANGE_MKDIR, mode)
			    : -ENFILE;
	if (r == 0)
		lookup_in_tree(req, dir, name);
	else
		fuse_reply_err(req, -r);
}

static void op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	fuse_reply_err(req, -change_name(req, node_of(req, parent), name, LXCFSD_CHANGE_RMDIR, 0));
}

static void op_remove(fuse_req_t req, fuse_ino_t parent, const char *name)
{
	(void)parent, (void)name;
	fuse_reply_err(req, EROFS);
}

static void op_symlink(fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
	(void)target, (void)parent, (void)name;
	fuse_reply_err(req, EROFS);
}

static void op_rename(fuse_req_t req, fuse_ino_t parent, const char *name, fuse_ino_t new_parent,
		      const char *new_name, unsigned int flags)
{
	(void)parent, (void)name, (void)new_parent, (void)new_name, (void)flags;
	fuse_reply_err(req, EROFS);
}

static void op_link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char *new_name)
{
	(void)ino, (void)new_parent, (void)new_name;
	fuse_reply_err(req, EROFS);
}

static void op_setxattr(fuse_req_t req, fuse_ino_t ino, const char *name, const char *value,
			size_t size, int flags)
{
	(void)ino, (void)name, (void)value, (void)size, (void)flags;
	fuse_reply_err(req, EROFS);
}

static void op_removexattr(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	(void)ino, (void)name;
	fuse_reply_err(req, EROFS);
}

static void op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
		      struct fuse_file_info *fi)
{
	(void)parent, (void)name, (void)mode, (void)fi;
	fuse_reply_err(req, EROFS);
}

static void op_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t offset, off_t length,
			 struct fuse_file_info *fi)
{
	(void)ino, (void)mode, (void)offset, (void)length, (void)fi;
	fuse_reply_err(req, EROFS);
}

/* Not here, so ENOSYS, and the kernel stops asking: flush, fsync, poll, getxattr,
 * listxattr, lseek, ioctl, access (default_permissions asks nobody).  On the inner
 * connection poll is here. */
static const struct fuse_lowlevel_ops operations = {
	.init = op_init,
	.lookup = op_lookup,
	.forget = op_forget,
	.forget_multi = op_forget_multi,
	.getattr = op_getattr,
	.setattr = op_setattr,
	.readlink = op_readlink,
	.mknod = op_mknod,
	.mkdir = op_mkdir,
	.unlink = op_remove,
	.rmdir = op_rmdir,
	.symlink = op_symlink,
	.rename = op_rename,
	.link = op_link,
	.open = op_open,
	.read = op_read,
	.write = op_write,
	.release = op_release,
	.opendir = op_opendir,
	.readdir = op_readdir,
	.releasedir = op_releasedir,
	.setxattr = op_setxattr,
	.removexattr = op_removexattr,
	.create = op_create,
	.fallocate = op_fallocate,
};

/* -------------------------------------------------------------- the device */

/* libfuse's reply to INIT, with what it does not know of. */
static void amend_init(const struct vault_conn *saved, struct fuse_init_out *out)
{
	const struct fuse_init_in *in =
		(const void *)(saved->init_in + sizeof(struct fuse_in_header));

	/* reads are larger than writes: that needs no buffer of ours */
	if (out->flags & FUSE_MAX_PAGES)
		out->max_pages = MAX_PAGES;
	if (saved->init_in_len < sizeof(struct fuse_in_header) + sizeof(*in) ||
	    !(in->flags & FUSE_INIT_EXT))
		return;
	/* pods with a user namespace mount us through an idmapped mount */
	out->flags |= FUSE_INIT_EXT;
	out->flags2 |= in->flags2 & (uint32_t)(FUSE_ALLOW_IDMAP >> 32);
}

/* The first worker's reply is kept and repeated by all later ones (for which the
 * kernel has no such request any more and says ENOENT, which libfuse expects). */
static ssize_t reply_init(struct fuse_conn *conn, const struct iovec *iov, int count)
{
	struct vault_conn *saved = conn->saved;
	uint8_t out[sizeof(saved->init_out)];
	size_t len = 0;

	for (int i = 0; i < count; i++) {
		if (iov[i].iov_len > sizeof(out) - len) {
			errno = EMSGSIZE;
			return -1;
		}
		memcpy(out + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	if (saved->init_out_len == 0 || saved->init_out_len > sizeof(out)) {
		if (len >= sizeof(struct fuse_out_header) + sizeof(struct fuse_init_out))
			amend_init(saved, (void *)(out + sizeof(struct fuse_out_header)));
		memcpy(saved->init_out, out, len);
		atomic_thread_fence(memory_order_release);
		saved->init_out_len = (uint32_t)len;
	}
	return write(conn->fd, saved->init_out, saved->init_out_len) < 0 ? -1 : (ssize_t)len;
}

static __thread bool in_init;

static ssize_t device_writev(int fd, struct iovec *iov, int count, void *userdata)
{
	struct fuse_conn *conn = userdata;

	(void)fd;
	return in_init ? reply_init(conn, iov, count)
		       : journal_writev(&conn->all->journal, iov, count);
}

static ssize_t device_read(int fd, void *buf, size_t len, void *userdata)
{
	struct fuse_conn *conn = userdata;

	(void)fd;
	return journal_read(&conn->all->journal, buf, len);
}

int fuse_conn_receive(struct fuse_conn *conn, void *buf, size_t *ret_len)
{
	struct fuse_buf request = { .mem = buf };
	int n = fuse_session_receive_buf(conn->session, &request);

	*ret_len = request.size;
	return n;
}

void fuse_conn_answer(struct fuse_conn *conn, void *request, size_t len)
{
	struct fuse_buf buf = { .mem = request, .size = len };

	fuse_session_process_buf(conn->session, &buf);
	if (journal_was_late())
		overdue_back(conn->all->server, request);
	journal_forget(); /* if it was one that has no reply */
}

int fuse_conn_open(struct fuse_conn *conn)
{
	static const struct fuse_custom_io io = { .read = device_read, .writev = device_writev };
	uint8_t init[sizeof(conn->saved->init_in)];
	struct fuse_lowlevel_ops ops = operations;
	char name[] = "lxcfsd-worker", *argv[] = { name, NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, argv);
	uint32_t len = conn->saved->init_in_len;
	int r;

	if (len == 0 || len > sizeof(init))
		return -EINVAL;
	if (conn->index == CONN_INNER)
		ops.poll = op_poll;
	conn->session = fuse_session_new(&args, &ops, sizeof(ops), conn);
	if (!conn->session)
		return -ENOMEM;
	r = fuse_session_custom_io(conn->session, &io, conn->fd);
	if (r < 0)
		return r;
	memcpy(init, conn->saved->init_in, len);
	in_init = true;
	fuse_conn_answer(conn, init, len);
	in_init = false;
	return fuse_session_exited(conn->session) ? -EPROTO : 0;
}
