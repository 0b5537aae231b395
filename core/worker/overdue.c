/* SPDX-License-Identifier: MIT */
/* overdue.c - see overdue.h. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "io.h"
#include "log.h"
#include "overdue.h"
#include "passing.h"

#define MS	      1000000u
#define LOOK_BACK_MS  1000
#define READ_SIZE_MAX ((size_t)16 << 20)

/* Whose bytes: of the operations that keep their threads busy in a plugin. */
static bool has_file(uint32_t opcode)
{
	return opcode == FUSE_READ || opcode == FUSE_OPEN || opcode == FUSE_GETATTR ||
	       opcode == FUSE_READLINK || opcode == FUSE_READDIR || opcode == FUSE_LOOKUP;
}

static void say_late(struct overdue *o, const struct journal_late *late)
{
	static struct log_limit limit;
	struct nodes *nodes = &o->server->nodes;
	const struct node *node = nodes_get(nodes, late->node);
	struct node_path path;

	if (node && node->serial && has_file(late->opcode))
		node = passing_pin(nodes, late->node);

	log_limited(&limit, 4,
		    "a request (opcode %u) for '%s' takes longer than %llu ms: it is answered "
		    "%s",
		    late->opcode, node ? nodes_path(nodes, node, &path) : "?",
		    (unsigned long long)(o->limit_ns / MS),
		    late->spare	      ? "with an error, also without its plugin"
		    : late->index < 0 ? "with an error, too many do"
				      : "without waiting for it");
	if (node && has_file(late->opcode))
		serve_stuck(o->server, node, late->spare, true);
}

void overdue_back(struct server *s, const void *request)
{
	const struct fuse_in_header *head = request;
	const struct node *pinned = passing_pinned(&s->nodes, head->nodeid);
	const struct node *node = pinned ? pinned : nodes_get(&s->nodes, head->nodeid);

	if (!node || !has_file(head->opcode) || (node->serial && !pinned))
		return;
	serve_stuck(s, node, journal_is_spare(), false);
	if (pinned)
		passing_unpin(&s->nodes, head->nodeid);
}

static bool something_happened(const struct journal *journal, uint64_t *seen)
{
	uint64_t sum = 0;
	bool changed;

	for (unsigned int i = 0; i < JOURNAL_SLOTS; i++)
		sum += atomic_load(&journal->hands[i].turn) >> 2;
	changed = sum != *seen;
	*seen = sum;
	return changed;
}

/* Milliseconds until there may be something to do; -1: until somebody wakes us. */
static int look(struct overdue *o, uint64_t *seen)
{
	struct journal *journal = o->journal;
	struct journal_late late;
	uint64_t now = io_now_ns(), next;
	bool more;
	int wait;

	while (journal_take_late(journal, now, o->limit_ns, &late, &next)) {
		say_late(o, &late);
		o->replace(o->arg, &late);
	}
	if (journal_look_back(journal, &more) > 0)
		o->help(o->arg);
	if (something_happened(journal, seen) && !next)
		next = now + o->limit_ns;
	if (!next && !more)
		return -1;
	wait = next > now ? (int)((next - now) / MS) + 1 : more ? LOOK_BACK_MS : 0;
	return more && wait > LOOK_BACK_MS ? LOOK_BACK_MS : wait;
}

static void *watch(void *arg)
{
	struct overdue *o = arg;
	struct pollfd fd = { .fd = o->journal->wake_fd, .events = POLLIN };
	uint64_t seen = 0, wakes;

	for (;;) {
		int wait = look(o, &seen);

		if (wait < 0) { /* in this order: who begins in between is seen, or wakes us */
			atomic_store(&o->journal->asleep, true);
			wait = look(o, &seen);
			if (wait >= 0)
				atomic_store(&o->journal->asleep, false);
		}
		if (poll(&fd, 1, wait) > 0 && read(fd.fd, &wakes, sizeof(wakes)) < 0)
			log_debug("eventfd: %m");
	}
	return NULL;
}

int overdue_start(struct overdue *overdue)
{
	pthread_t thread;
	int r = pthread_create(&thread, NULL, watch, overdue);

	if (r == 0)
		pthread_detach(thread);
	return -r;
}

/* ------------------------------------------------------------------- answers */

static void reply(struct journal *journal, int error, const void *bytes, size_t len)
{
	struct fuse_out_header head = { .len = (uint32_t)(sizeof(head) + len),
					.error = error,
					.unique = journal_unique() };
	struct iovec iov[2] = { { &head, sizeof(head) }, { (void *)(uintptr_t)bytes, len } };

	if (journal_writev(journal, iov, len ? 2 : 1) < 0 && errno != ENOENT)
		log_debug("the device does not take a late answer: %m");
}

static void answer_read(struct server *s, struct journal *journal, const struct node *node,
			const struct fuse_in_header *head)
{
	const struct fuse_read_in *in = (const void *)(head + 1);
	struct serve_read read = { .node = node,
				   .fh = in->fh,
				   .reader = (pid_t)head->pid,
				   .offset = in->offset,
				   .size = in->size < READ_SIZE_MAX ? in->size : READ_SIZE_MAX,
				   .unique = head->unique,
				   .late = true };
	const char *text = "";
	ssize_t n = serve_read(s, &read, &text);

	if (n < 0)
		reply(journal, -EIO, NULL, 0);
	else
		reply(journal, 0, text, (size_t)n);
}

/* Without a handle: each READ finds out by itself who it is, and in a tree whether there
 * is such a thing for him. */
static void answer_open(struct journal *journal, const struct node *node)
{
	struct fuse_open_out out = { .fh = HANDLE_STATELESS };

	if (node->type == NODE_FILE)
		out.open_flags = FOPEN_DIRECT_IO;
	reply(journal, 0, &out, sizeof(out));
}

static void fill_attr(struct server *s, const struct node *node, struct fuse_attr *ret)
{
	const struct lxcfsd_found found = { .entry.mode = atomic_load_explicit(
						    &s->counts[node->id - 1].shown_mode,
						    memory_order_relaxed) };
	struct stat st;

	serve_entry_stat(s, node, &found, &st);
	*ret = (struct fuse_attr){
		.ino = st.st_ino,
		.size = (uint64_t)st.st_size,
		.blocks = (uint64_t)st.st_blocks,
		.atime = (uint64_t)st.st_atime,
		.mtime = (uint64_t)st.st_mtime,
		.ctime = (uint64_t)st.st_ctime,
		.mode = st.st_mode,
		.nlink = (uint32_t)st.st_nlink,
		.blksize = (uint32_t)st.st_blksize,
	};
}

/* A name in a tree that is known already is found by everybody (see serve_tree.c); it is
 * his READ that may find nothing. */
static void answer_lookup(struct server *s, struct journal *journal, const struct node *dir,
			  const struct fuse_in_header *head)
{
	const char *name = (const char *)(head + 1);
	struct fuse_entry_out out = { .generation = 1 };
	const struct node *node = NULL;

	if (dir->type == NODE_DIR && dir->tree_root && head->len > sizeof(*head) &&
	    memchr(name, '\0', head->len - sizeof(*head)))
		node = nodes_lookup(&s->nodes, dir, name);
	if (!node) {
		reply(journal, -EIO, NULL, 0);
		return;
	}
	out.nodeid = node->id;
	fill_attr(s, node, &out.attr);
	reply(journal, 0, &out, sizeof(out));
}

static void answer_getattr(struct server *s, struct journal *journal, const struct node *node)
{
	struct fuse_attr_out out = { 0 };

	fill_attr(s, node, &out.attr);
	reply(journal, 0, &out, sizeof(out));
}

void overdue_answer(struct server *s, struct journal *journal, const void *request)
{
	const struct fuse_in_header *head = request;
	const struct node *node =
		head->nodeid != FUSE_ROOT_ID ? nodes_get(&s->nodes, head->nodeid) : NULL;
	bool file = node && node->type == NODE_FILE;

	if (file && head->opcode == FUSE_READ &&
	    head->len >= sizeof(*head) + sizeof(struct fuse_read_in))
		answer_read(s, journal, node, head);
	else if ((file && head->opcode == FUSE_OPEN) ||
		 (node && node->tree_root && head->opcode == FUSE_OPENDIR))
		answer_open(journal, node);
	else if (node && head->opcode == FUSE_LOOKUP)
		answer_lookup(s, journal, node, head);
	else if (node && serve_depends(node) && !node->serial && head->opcode == FUSE_GETATTR)
		answer_getattr(s, journal, node);
	else
		reply(journal, -EIO, NULL, 0);
	if (journal_was_late())
		overdue_back(s, request);
	journal_forget();
}
