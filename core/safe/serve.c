/* SPDX-License-Identifier: MIT */
/*
 * serve.c - the kernel's protocol (linux/fuse.h), as far as it is needed here.
 *
 * What is answered, and with which error, is what core/worker/fuse.c and libfuse answer:
 * the kernel remembers some of it for the life of the connection.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "log.h"
#include "passing.h"
#include "safe.h"

#ifndef FOPEN_NOFLUSH
#define FOPEN_NOFLUSH (1 << 5)
#endif

#define MAX_READ       ((size_t)256 * 65536)
#define TARGET_MAX     4095
#define STATIC_TIMEOUT 1 /* second */
#define LIST_SIZE      4096
#define UNKNOWN_INODE  0xffffffff

/* One request, as it came from the kernel or out of the journal. */
struct safe_request {
	struct safe *safe;
	uint32_t conn;
	const struct fuse_in_header *head;
	const void *body;
	size_t body_len;
};

/* ------------------------------------------------------------------ replies */

/* -ENOENT: whoever asked is gone. */
static int reply(struct safe_request *r, int error, const void *bytes, size_t len)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + len),
					.error = -error,
					.unique = r->head->unique };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)bytes, len } };

	if (journal_writev(&r->safe->journal, iov, len ? 2 : 1) >= 0)
		return 0;
	if (errno == ENOENT || error)
		return -errno;
	log_warn("the kernel does not take an answer (opcode %u): %m", r->head->opcode);
	return reply(r, EIO, NULL, 0); /* or its reader waits for ever */
}

static void fail(struct safe_request *r, int error)
{
	reply(r, error, NULL, 0);
}

/* The request's arguments, of at least `size` bytes; NULL: it has not that many. */
static const void *body(struct safe_request *r, size_t size)
{
	return r->body_len >= size ? r->body : NULL;
}

static const struct node *node_of(struct safe_request *r)
{
	uint64_t id = r->head->nodeid;
	uint32_t root = r->safe->conn_roots[r->conn];

	return node_for_all(nodes_get(&r->safe->nodes, id == FUSE_ROOT_ID ? root : id));
}

/* On the inner connection files can be opened for writing. */
static bool is_writable(struct safe_request *r, const struct node *node)
{
	return r->conn == CONN_INNER && node->type == NODE_FILE;
}

/* -------------------------------------------------------------- attributes */

static int fill_attr(struct safe_request *r, const struct node *node, struct fuse_attr *ret)
{
	uint64_t time = (uint64_t)r->safe->vault->mounted_at;
	uint32_t mode, type;
	int error = content_mode(r->safe, node, &mode);

	if (error < 0)
		return error;
	type = node->type == NODE_DIR ? S_IFDIR : node->type == NODE_LINK ? S_IFLNK : S_IFREG;
	*ret = (struct fuse_attr){
		.ino = node->id,
		.mode = type | mode | (is_writable(r, node) ? 0222 : 0),
		.nlink = node->type == NODE_DIR ? 2 : 1,
		.atime = time,
		.mtime = time,
		.ctime = time,
	};
	if (node->type == NODE_FILE) {
		ret->size = content_size(r->safe, node);
		ret->blksize = (uint32_t)ret->size;
		ret->blocks = ret->size / 512;
	}
	return 0;
}

/* Of what is in a tree the kernel keeps nothing. */
static uint64_t timeout_of(const struct node *node)
{
	return node->tree_root && node->tree_root != node->id ? 0 : STATIC_TIMEOUT;
}

static void do_lookup(struct safe_request *r)
{
	const struct node *dir = node_of(r), *node;
	struct fuse_entry_out out = { .generation = 1 };
	int error;

	if (!dir || dir->type != NODE_DIR || !memchr(r->body, '\0', r->body_len)) {
		fail(r, ENOENT);
		return;
	}
	error = content_find(r->safe, dir, r->body, &node);
	if (error < 0) {
		fail(r, -error);
		return;
	}
	if (fill_attr(r, node, &out.attr) < 0) { /* known, and not there now: to nobody's use */
		out.attr = (struct fuse_attr){ .ino = node->id, .nlink = 1 };
		out.attr.mode = node->type == NODE_DIR	  ? S_IFDIR
				: node->type == NODE_LINK ? S_IFLNK
							  : S_IFREG;
	}
	out.nodeid = node->id;
	out.entry_valid = out.attr_valid = timeout_of(node);
	reply(r, 0, &out, sizeof(out));
}

static void do_getattr(struct safe_request *r)
{
	const struct node *node = node_of(r);
	struct fuse_attr_out out = { .dummy = 0 };
	int error = node ? fill_attr(r, node, &out.attr) : -ESTALE;

	if (error < 0) {
		fail(r, -error);
		return;
	}
	out.attr_valid = timeout_of(node);
	reply(r, 0, &out, sizeof(out));
}

/* open(2) with O_TRUNC, as of shells, comes here. */
static void do_setattr(struct safe_request *r)
{
	const struct fuse_setattr_in *in = body(r, sizeof(*in));
	const struct node *node = node_of(r);

	if (in && node && is_writable(r, node) && in->valid & FATTR_SIZE && in->size == 0 &&
	    !(in->valid & (FATTR_MODE | FATTR_UID | FATTR_GID)))
		do_getattr(r);
	else
		fail(r, EROFS);
}

static void do_readlink(struct safe_request *r)
{
	const struct node *node = node_of(r);
	struct content_read read = { .node = node, .size = SIZE_MAX };
	const char *text;
	ssize_t n = -EINVAL;

	if (node && node->type == NODE_LINK)
		n = content_read(r->safe, &read, &text);
	if (n == 0 || n > TARGET_MAX || (n > 0 && memchr(text, '\0', (size_t)n)))
		n = -EIO;
	if (n < 0)
		fail(r, node ? (int)-n : ESTALE);
	else
		reply(r, 0, text, (size_t)n);
}

/* -------------------------------------------------------------------- files */

static void open_node(struct safe_request *r, const struct node *node, uint32_t flags)
{
	struct handles *handles = &r->safe->handles;
	struct fuse_open_out out = { .open_flags = flags };
	uint32_t mode;
	int error = content_mode(r->safe, node, &mode);

	if (error < 0) {
		fail(r, -error);
		return;
	}
	if (journal_is_replay())
		out.fh = handle_find(handles, r->conn, node->id, r->head->unique);
	if (out.fh == HANDLE_STATELESS)
		out.fh = handle_new(handles, r->conn, node->id, NULL, (pid_t)r->head->pid,
				    r->head->unique);
	/* the opener is gone: no RELEASE will come */
	if (reply(r, 0, &out, sizeof(out)) == -ENOENT)
		handle_free(handles, out.fh);
}

static void do_open(struct safe_request *r)
{
	const struct fuse_open_in *in = body(r, sizeof(*in));
	const struct node *node = node_of(r);

	if (!in || !node)
		fail(r, node ? EINVAL : ESTALE);
	else if (((in->flags & O_ACCMODE) != O_RDONLY || in->flags & O_TRUNC) &&
		 !is_writable(r, node))
		fail(r, EROFS);
	else
		open_node(r, node, FOPEN_DIRECT_IO | FOPEN_NOFLUSH);
}

static void do_opendir(struct safe_request *r)
{
	static const struct fuse_open_out none;
	const struct node *node = node_of(r);

	if (!node)
		fail(r, ESTALE);
	else if (node->type != NODE_DIR)
		fail(r, ENOTDIR);
	else if (node->tree_root)
		open_node(r, node, 0);
	else
		reply(r, 0, &none, sizeof(none));
}

static struct content_read read_of(struct safe_request *r, const struct fuse_read_in *in)
{
	return (struct content_read){
		.node = node_of(r),
		.fh = in->fh,
		.offset = in->offset,
		.size = in->size < MAX_READ ? in->size : MAX_READ,
		.unique = r->head->unique,
		.replay = journal_is_replay(),
	};
}

static void do_read(struct safe_request *r)
{
	const struct fuse_read_in *in = body(r, sizeof(*in));
	struct content_read read;
	const char *text;
	ssize_t n = -EIO;

	/* without an owner it is for the page cache, which containers share */
	if (!in || in->lock_owner == 0) {
		fail(r, EINVAL);
		return;
	}
	read = read_of(r, in);
	if (read.node && read.node->type == NODE_FILE && read.offset <= INT64_MAX)
		n = content_read(r->safe, &read, &text);
	if (n < 0)
		fail(r, n == -ENOENT && read.node->tree_root ? ENODEV : EIO);
	else
		reply(r, 0, text, (size_t)n);
}

static void do_write(struct safe_request *r)
{
	const struct node *node = node_of(r);

	fail(r, node && is_writable(r, node) ? EPERM : EROFS);
}

static struct vault_trigger *find_trigger(struct safe *s, uint64_t fh)
{
	for (uint32_t i = 0; fh && s->triggers && i < TRIGGERS_MAX; i++)
		if (atomic_load(&s->triggers[i].fh) == fh)
			return &s->triggers[i];
	return NULL;
}

/* psi_trigger_poll(): a file without a trigger is an error.  One that was armed is
 * armed again by the next worker, which then wakes who sleeps. */
static void do_poll(struct safe_request *r)
{
	const struct fuse_poll_in *in = body(r, sizeof(*in));
	struct vault_trigger *trigger = in ? find_trigger(r->safe, in->fh) : NULL;
	struct fuse_poll_out out = { .revents = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM };

	if (r->conn != CONN_INNER) {
		fail(r, ENOSYS);
		return;
	}
	if (!trigger) {
		out.revents |= POLLERR | POLLPRI;
	} else {
		if (in->flags & FUSE_POLL_SCHEDULE_NOTIFY)
			atomic_store(&trigger->sleeper, in->kh);
		if (atomic_load(&trigger->event) == 1 || trigger->event_unique == r->head->unique) {
			trigger->event_unique = r->head->unique;
			atomic_store(&trigger->event, 0);
			out.revents |= POLLPRI;
		}
	}
	reply(r, 0, &out, sizeof(out));
}

static void do_release(struct safe_request *r)
{
	const struct fuse_release_in *in = body(r, sizeof(*in));
	struct vault_trigger *trigger;

	if (in) {
		trigger = r->conn == CONN_INNER ? find_trigger(r->safe, in->fh) : NULL;
		if (trigger)
			atomic_store(&trigger->fh, 0);
		handle_free(&r->safe->handles, in->fh);
	}
	fail(r, 0);
}

/* -------------------------------------------------------------- directories */

struct listing {
	_Alignas(uint64_t) char buf[LIST_SIZE];
	size_t size, used;
	bool full;
};

static void list_entry(struct listing *list, const char *name, uint64_t id, uint32_t type,
		       uint64_t next)
{
	size_t len = strlen(name), need = FUSE_DIRENT_ALIGN(FUSE_NAME_OFFSET + len);
	mode_t mode = type == NODE_DIR ? S_IFDIR : type == NODE_LINK ? S_IFLNK : S_IFREG;
	struct fuse_dirent *entry = (void *)(list->buf + list->used);

	list->full = list->full || need > list->size - list->used;
	if (list->full)
		return;
	memset(entry, 0, need);
	entry->ino = id;
	entry->off = next;
	entry->namelen = (uint32_t)len;
	entry->type = mode >> 12;
	memcpy(entry->name, name, len);
	list->used += need;
}

/* Offsets as in core/worker/fuse.c: 2 + the id.  A file that the host has not, and that
 * so nobody can read now, is not listed. */
static void list_static(struct listing *list, struct safe *s, const struct node *dir,
			uint64_t offset)
{
	struct lxcfsd_entry entry;
	struct node_path path;

	for (uint32_t i = 0; i < s->listed_count && !list->full; i++) {
		const struct node *node = nodes_get(&s->nodes, s->listed[i]);

		if (node->parent != dir->id || offset >= (uint64_t)node->id + 2)
			continue;
		if (node->type != NODE_DIR &&
		    host_entry(&s->host, nodes_path(&s->nodes, node, &path), &entry) < 0)
			continue;
		list_entry(list, node->name, node->id, node->type, (uint64_t)node->id + 2);
	}
}

/* 2 + how many names were given. */
static void list_tree(struct listing *list, struct safe *s, const struct node *dir,
		      struct lxcfsd_text names, uint64_t offset)
{
	const char *name;
	uint32_t type;

	for (uint64_t at = 3; !list->full && (name = lxcfsd_next_name(&names, &type)); at++) {
		const struct node *child;

		if (offset >= at)
			continue;
		type = type == LXCFSD_DIR ? NODE_DIR : type == LXCFSD_LINK ? NODE_LINK : NODE_FILE;
		child = nodes_find(&s->nodes, dir, name, type);
		list_entry(list, name, child ? child->id : UNKNOWN_INODE, type, at);
	}
}

static void do_readdir(struct safe_request *r)
{
	const struct fuse_read_in *in = body(r, sizeof(*in));
	const struct node *dir = node_of(r);
	struct listing list = { .used = 0 };
	struct content_read read;
	const char *text = "";
	ssize_t n = 0;

	if (!in || !dir || dir->type != NODE_DIR || in->offset > INT64_MAX) {
		fail(r, dir ? EINVAL : ESTALE);
		return;
	}
	read = read_of(r, in);
	if (dir->tree_root)
		n = content_list(r->safe, &read, &text);
	if (n < 0) {
		fail(r, n == -ENOENT ? ENOENT : EIO);
		return;
	}
	list.size = in->size < sizeof(list.buf) ? in->size : sizeof(list.buf);
	if (in->offset < 1)
		list_entry(&list, ".", dir->id, NODE_DIR, 1);
	if (in->offset < 2)
		list_entry(&list, "..", dir->parent, NODE_DIR, 2);
	if (dir->tree_root)
		list_tree(&list, r->safe, dir, (struct lxcfsd_text){ text, (size_t)n }, in->offset);
	else
		list_static(&list, r->safe, dir, in->offset);
	reply(r, 0, list.buf, list.used);
}

/* --------------------------------------------------------------- the others */

/* What libfuse says of a file system that says nothing. */
static void do_statfs(struct safe_request *r)
{
	const struct fuse_statfs_out out = { .st = { .bsize = 512, .namelen = 255 } };

	reply(r, 0, &out, sizeof(out));
}

static void do_destroy(struct safe_request *r)
{
	fail(r, 0);
}

static void do_refuse(struct safe_request *r)
{
	fail(r, EROFS);
}

/* What is not here a worker does not know either: ENOSYS, and the kernel stops asking. */
static void (*const operations[])(struct safe_request *) = {
	[FUSE_LOOKUP] = do_lookup,	[FUSE_GETATTR] = do_getattr,
	[FUSE_SETATTR] = do_setattr,	[FUSE_READLINK] = do_readlink,
	[FUSE_OPEN] = do_open,		[FUSE_READ] = do_read,
	[FUSE_WRITE] = do_write,	[FUSE_RELEASE] = do_release,
	[FUSE_OPENDIR] = do_opendir,	[FUSE_READDIR] = do_readdir,
	[FUSE_RELEASEDIR] = do_release, [FUSE_POLL] = do_poll,
	[FUSE_STATFS] = do_statfs,	[FUSE_DESTROY] = do_destroy,
	[FUSE_SYMLINK] = do_refuse,	[FUSE_MKNOD] = do_refuse,
	[FUSE_MKDIR] = do_refuse,	[FUSE_UNLINK] = do_refuse,
	[FUSE_RMDIR] = do_refuse,	[FUSE_RENAME] = do_refuse,
	[FUSE_RENAME2] = do_refuse,	[FUSE_LINK] = do_refuse,
	[FUSE_SETXATTR] = do_refuse,	[FUSE_REMOVEXATTR] = do_refuse,
	[FUSE_CREATE] = do_refuse,	[FUSE_FALLOCATE] = do_refuse,
};
#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* Names that come and go are not served here, but what is forgotten meanwhile is. */
static void forget(const struct safe_request *r)
{
	const struct fuse_batch_forget_in *batch = r->body;
	const struct fuse_forget_one *one = (const void *)(batch + 1);
	const struct fuse_forget_in *in = r->body;

	if (r->head->opcode == FUSE_FORGET && r->body_len >= sizeof(*in))
		passing_forget(&r->safe->nodes, r->head->nodeid, in->nlookup);
	if (r->head->opcode != FUSE_BATCH_FORGET || r->body_len < sizeof(*batch))
		return;
	for (size_t i = 0; i < batch->count && i < (r->body_len - sizeof(*batch)) / sizeof(*one);
	     i++)
		passing_forget(&r->safe->nodes, one[i].nodeid, one[i].nlookup);
}

void safe_answer(struct safe *s, uint32_t conn, const void *bytes, size_t len)
{
	struct safe_request r = { .safe = s, .conn = conn, .head = bytes };

	if (len < sizeof(*r.head))
		return;
	r.body = r.head + 1;
	r.body_len = len - sizeof(*r.head);
	switch (r.head->opcode) {
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		forget(&r);
		break;
	case FUSE_INTERRUPT: /* nothing takes long */
	case FUSE_INIT:
		break; /* without an answer */
	default:
		if (r.head->opcode < OPERATIONS && operations[r.head->opcode])
			operations[r.head->opcode](&r);
		else
			fail(&r, ENOSYS);
	}
	journal_forget();
}
