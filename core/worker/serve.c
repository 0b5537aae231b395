/* SPDX-License-Identifier: MIT */
/* serve.c - see serve.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "draw.h"
#include "io.h"
#include "journal.h"
#include "serve.h"

#define DRAW_START (64 << 10)

/* This thread's text: what serve_read() lends. */
static __thread struct draw_buf text_buf;

int serve_take_over(struct server *s, struct vault_header *vault, uint32_t generation)
{
	int r;

	s->vault = vault;
	s->generation = generation;
	r = nodes_open(&s->nodes, vault, &s->plugins, s->model);
	if (r == 0 && s->config->settings.container_roots)
		r = nodes_open_roots(&s->nodes);
	if (r == 0)
		r = handles_open(&s->handles, vault, generation, s->model, &s->config->settings);
	if (r == 0)
		r = triggers_open(&s->triggers, vault, generation, s->model, &s->handles);
	if (r == 0)
		r = lastgood_new(&s->lastgood);
	if (r == 0)
		r = records_open(&s->records, vault, generation);
	if (r == 0)
		model_set_records(s->model, &s->records);
	s->counts = calloc(NODES_MAX, sizeof(*s->counts));
	return r < 0 ? r : s->counts ? 0 : -ENOMEM;
}

/* Whose plugin answers: of what is in a tree, the root of that. */
static const struct node *owner_of(struct server *s, const struct node *node)
{
	return node->tree_root ? &s->nodes.list[node->tree_root - 1] : node_shown(node);
}

static struct node_count *count_of(struct server *s, const struct node *node)
{
	return &s->counts[owner_of(s, node)->id - 1];
}

static void count(struct server *s, const struct node *node, enum source source)
{
	atomic_fetch_add_explicit(&count_of(s, node)->by_source[source], 1, memory_order_relaxed);
}

uint32_t serve_number(struct server *s, const struct node *node)
{
	return count_of(s, node)->number;
}

void serve_stuck(struct server *s, const struct node *node, bool host, bool more)
{
	struct node_count *count = count_of(s, node);
	_Atomic uint32_t *stuck = host ? &count->host_stuck : &count->stuck;

	if (more)
		atomic_fetch_add(stuck, 1);
	else
		atomic_fetch_sub(stuck, 1);
}

static bool holds_up_many(const struct server *s, _Atomic uint32_t *stuck)
{
	return s->stuck_max && atomic_load_explicit(stuck, memory_order_relaxed) >= s->stuck_max;
}

uint32_t serve_mode(struct server *s, const struct node *node)
{
	struct node_path path;
	mode_t mode;

	node = node_shown(node);
	if (node->type == NODE_DIR || node->file)
		return node->mode;
	/* nobody serves it now: as the host has it, but never to be written */
	return model_host_mode(s->model, nodes_path(&s->nodes, node, &path), &mode) == 0
		       ? mode & node->mode & 0444
		       : node->mode;
}

/* As sysfs has it; and for the others at least what a file of procfs needs at most on
 * a machine of ordinary size. */
#define TREE_FILE_SIZE 4096
#define FILE_SIZE_MIN  65536u
#define FILE_SIZE_MAX  (8u << 20)

/* For a text of `len` bytes, which may come to be twice as long. */
static uint64_t size_for(uint64_t len)
{
	uint64_t size = FILE_SIZE_MIN;

	while (size < 2 * len && size < FILE_SIZE_MAX)
		size *= 2;
	return size;
}

uint64_t serve_size(struct server *s, const struct node *node)
{
	_Atomic uint64_t *known = &count_of(s, node)->size;
	uint64_t size = atomic_load_explicit(known, memory_order_relaxed);
	struct node_path buf;

	if (node->tree_root)
		return TREE_FILE_SIZE;
	if (size == 0) {
		size = size_for(model_host_length(s->model, nodes_path(&s->nodes, node, &buf)));
		atomic_store_explicit(known, size, memory_order_relaxed);
	}
	return size;
}

/* A text was longer than the host's lets expect. */
static void note_length(struct server *s, const struct node *node, size_t len)
{
	if (len > serve_size(s, node) / 2 && !node->tree_root)
		atomic_store_explicit(&count_of(s, node)->size, size_for(len),
				      memory_order_relaxed);
}

void serve_stat(struct server *s, const struct node *node, mode_t mode, struct stat *st)
{
	mode_t type = node->type == NODE_DIR	? S_IFDIR
		      : node->type == NODE_LINK ? S_IFLNK
						: S_IFREG;

	*st = (struct stat){
		.st_ino = node->id,
		.st_mode = type | mode,
		.st_nlink = node->type == NODE_DIR ? 2 : 1,
	};
	if (node->type == NODE_FILE) {
		st->st_size = (off_t)serve_size(s, node);
		/* or programs take the size for what they would find at the end */
		st->st_blksize = (blksize_t)st->st_size;
		st->st_blocks = st->st_size / 512;
	}
	st->st_atime = st->st_mtime = st->st_ctime = s->vault->mounted_at;
}

void serve_entry_stat(struct server *s, const struct node *node, const struct lxcfsd_found *found,
		      struct stat *st)
{
	bool plain_dir = node->type == NODE_DIR && node->tree_root && !serve_is_passing(s, node);

	serve_stat(s, node,
		   node->type == NODE_LINK ? 0777
		   : plain_dir		   ? 0555
					   : found->entry.mode,
		   st);
	st->st_uid = found->uid;
	st->st_gid = found->gid;
}

/* ------------------------------------------------------------------- text */

static int grow(struct draw_buf *buf, size_t size)
{
	char *data;

	if (buf->cap >= size)
		return 0;
	data = realloc(buf->data, size);
	if (!data)
		return -ENOMEM;
	buf->data = data;
	buf->cap = size;
	return 0;
}

static int take_text(const char *text, size_t len, size_t *ret_len)
{
	int r = grow(&text_buf, len);

	if (r == 0) {
		memcpy(text_buf.data, text, len);
		*ret_len = len;
	}
	return r;
}

static int nothing(enum source *source, size_t *ret_len)
{
	*source = SOURCE_EMPTY;
	*ret_len = 0;
	return 0;
}

/* The host's file, if everybody may read it, on the host and here; else it is empty.  Of
 * what is in a tree: also the host's listing and target. */
static int host_text(struct server *s, const struct node *node, struct lxcfsd_request *req,
		     enum source *source, size_t *ret_len)
{
	struct lxcfsd_text text;
	struct node_path buf;
	const char *path = nodes_path(&s->nodes, node, &buf);
	mode_t mode;
	int r;

	if (holds_up_many(s, &count_of(s, node)->host_stuck))
		return -EBUSY;
	if (node->tree_root || node->type != NODE_FILE) {
		r = draw_host(req, path, serve_type(node), &text_buf, ret_len);
		return r == -EACCES ? nothing(source, ret_len) : r;
	}
	r = model_host_mode(s->model, path, &mode);
	if (r < 0)
		return r;
	if (!(mode & node_shown(node)->mode & 0004))
		return nothing(source, ret_len);
	r = model_host_file(req, path, &text);
	return r < 0 ? r : take_text(text.data, text.len, ret_len);
}

/* Rendering failed with `error`. */
static int fall_back(struct server *s, const struct node *node, struct lxcfsd_request *req,
		     int error, enum source *source, size_t *ret_len)
{
	const struct plugin_view *view = draw_view(owner_of(s, node)->plugin, req->subject);
	const char *who = req->subject ? subject_name(req->subject) : "unknown reader";
	struct log_limit *limit = &count_of(s, node)->failing;
	struct node_path buf;
	const char *path = nodes_path(&s->nodes, node, &buf);

	if (req->subject && lastgood_get(s->lastgood, req->subject, node_shown(node)->id, &text_buf,
					 ret_len) == 0) {
		log_limited(limit, 4, "'%s' for '%s': %s, serving the last good text", path, who,
			    strerror(-error));
		*source = SOURCE_LAST_GOOD;
		return 0;
	}
	*source = SOURCE_FALL_BACK;
	if (view->on_error == ON_ERROR_HOST && host_text(s, node, req, source, ret_len) == 0) {
		log_limited(limit, 4, "'%s' for '%s': %s, serving %s", path, who, strerror(-error),
			    *source == SOURCE_EMPTY ? "an empty file" : "the host's file");
		return 0;
	}
	log_limited(limit, 4, "'%s' for '%s': %s, the reader gets an error", path, who,
		    strerror(-error));
	*source = SOURCE_ERROR;
	return -EIO;
}

int serve_by_plugin(struct server *s, const struct node *node, int subject_error, bool suspect)
{
	const struct node *owner = owner_of(s, node);
	struct node_count *count = count_of(s, node);

	if (!owner->plugin || !owner->served || atomic_load(&s->vault->view_off))
		return LXCFSD_NO_VIEW;
	if (subject_error < 0)
		return subject_error;
	if (holds_up_many(s, &count->stuck))
		return -EBUSY;
	return suspect || count->quarantined ? -ECANCELED : 0;
}

static int draw_node(struct server *s, const struct node *node, struct lxcfsd_request *req,
		     size_t *ret_len)
{
	const struct node *owner = owner_of(s, node);
	const struct lxcfsd_tree *tree = owner->tree;
	struct node_path path;
	int r;

	journal_runs(serve_number(s, node));
	if (!tree)
		r = draw(owner->plugin, owner->file, req, &text_buf, ret_len);
	else
		r = draw_tree(owner->plugin, tree,
			      node->type == NODE_DIR	? tree->list
			      : node->type == NODE_LINK ? tree->readlink
							: tree->render,
			      nodes_path(&s->nodes, node, &path), req, &text_buf, ret_len);
	journal_runs(0);
	return r;
}

/* The whole text for one reader, into text_buf.  -ETIMEDOUT: it took so long that
 * somebody else has answered; nothing of it may be kept. */
static int make_text(struct server *s, const struct serve_read *read, struct subject *subject,
		     int subject_error, size_t *ret_len)
{
	const struct node *node = read->node;
	enum source source = SOURCE_VIEW;
	int passing_error = 0; /* the kernel's, which the reader is to have */
	struct lxcfsd_request req;
	int r = grow(&text_buf, DRAW_START);
	uint64_t began = io_now_ns();

	if (r < 0)
		return r;
	request_begin(&req, s->model, subject, read->reader);
	req.object = node->serial ? node->object : 0;
	r = serve_by_plugin(s, node, subject_error, read->suspect);
	if (r == 0 && node->serial && !read->late) /* it may be another by now */
		r = serve_is_there(s, node, subject, subject_error, read);
	if (r == 0)
		r = read->late ? -ETIMEDOUT : draw_node(s, node, &req, ret_len);
	if (r != -ETIMEDOUT && serve_is_passing(s, node)) {
		passing_error = r == LXCFSD_NO_VIEW ? -ENOENT : r;
		r = 0;
	} else if (r == LXCFSD_NO_VIEW) {
		source = SOURCE_HOST;
		r = host_text(s, node, &req, &source, ret_len);
	} else if (r < 0 && !(r == -ENOENT && node->tree_root)) {
		r = fall_back(s, node, &req, r, &source, ret_len);
	}
	request_end(&req);
	if (!journal_claim())
		return -ETIMEDOUT;
	if (passing_error < 0)
		return passing_error;
	/* the many texts of one container's tree would crowd out all others' */
	if (r == 0 && source == SOURCE_VIEW && subject && !serve_depends(node))
		lastgood_put(s->lastgood, subject, node_shown(node)->id, began, text_buf.data,
			     *ret_len);
	if (r == 0 && node->type == NODE_FILE)
		note_length(s, node, *ret_len);
	if (r == -ENOENT && node->tree_root)
		return -ENOENT; /* it was there when it was looked up */
	count(s, node, r < 0 ? SOURCE_ERROR : source);
	return r < 0 ? -EIO : 0;
}

int serve_subject(struct server *s, const struct node *node, pid_t reader, struct subject **ret)
{
	int r = node->container ? model_subject_by_number(s->model, node->container, ret)
				: model_resolve(s->model, reader, ret);

	if (r == 0)
		return 0;
	*ret = NULL;
	if (r == LXCFSD_NO_VIEW)
		return 0;
	if (!node->container)
		log_limited(&s->unknown_reader, 6, "thread %d: cannot tell its container: %s",
			    reader, strerror(-r));
	return r;
}

/* Who is asking: as it was found at OPEN, else now. */
static int find_subject(struct server *s, const struct serve_read *read, struct subject **ret)
{
	if (handle_subject(&s->handles, read->fh, read->node->id, ret))
		return 0;
	if (read->late)
		return -ETIMEDOUT; /* to look for it may be what took so long */
	return serve_subject(s, read->node, read->reader, ret);
}

static ssize_t from_snapshot(struct server *s, const struct serve_read *read, uint64_t unique)
{
	ssize_t len = handle_length(&s->handles, read->fh);
	size_t size = read->size;

	if (len < 0)
		return len;
	if (size > (size_t)len) /* readers ask for more than there is */
		size = (size_t)len;
	return grow(&text_buf, size) < 0 ? -ENOMEM
					 : handle_copy(&s->handles, read->fh, read->offset,
						       text_buf.data, size, unique);
}

void serve_wake(struct server *s)
{
	const uint64_t one = 1;

	if (atomic_load_explicit(&s->sleeping, memory_order_relaxed) &&
	    atomic_exchange(&s->sleeping, false))
		(void)!write(s->wake_fd, &one, sizeof(one));
}

ssize_t serve_read(struct server *s, const struct serve_read *read, const char **ret)
{
	struct subject *subject = NULL;
	ssize_t n = -ENODATA;
	size_t len = 0;
	int r;

	if (read->offset > 0)
		n = from_snapshot(s, read, 0);
	else if (read->replay) /* the one who died may have shown a part of it already */
		n = from_snapshot(s, read, read->unique);
	if (n >= 0) {
		*ret = text_buf.data;
		return n;
	}
	r = find_subject(s, read, &subject);
	r = make_text(s, read, subject, r, &len);
	subject_unref(subject);
	serve_wake(s);
	if (r < 0)
		return r;
	handle_keep(&s->handles, read->fh, text_buf.data, len, read->unique);
	if (read->offset >= len)
		return 0;
	*ret = text_buf.data + read->offset;
	len -= read->offset;
	return (ssize_t)(len < read->size ? len : read->size);
}

ssize_t serve_list(struct server *s, const struct serve_read *read, const char **ret)
{
	struct serve_read whole = *read;
	ssize_t n = -ENODATA;

	whole.offset = 0;
	whole.size = SIZE_MAX;
	if (read->offset > 0) /* the names that the first part was taken from */
		n = from_snapshot(s, &whole, 0);
	if (n < 0)
		return serve_read(s, &whole, ret);
	*ret = text_buf.data;
	return n;
}

/* ---------------------------------------------------------- open, release */

int serve_open(struct server *s, const struct serve_read *open, uint64_t *ret_fh)
{
	const struct node *node = open->node;
	struct subject *subject = NULL;
	int subject_error, r;

	*ret_fh = open->replay ? handle_find(&s->handles, open->conn, node->id, open->unique)
			       : HANDLE_STATELESS;
	if (*ret_fh != HANDLE_STATELESS)
		return 0;
	subject_error = serve_subject(s, node, open->reader, &subject);
	r = serve_is_there(s, node, subject, subject_error, open);
	/* of an unknown reader each read tries again, and falls back */
	if (r == 0 && subject_error == 0)
		*ret_fh = handle_new(&s->handles, open->conn, node->id, subject, open->reader,
				     open->unique);
	subject_unref(subject);
	serve_wake(s);
	return r;
}

void serve_release(struct server *s, uint64_t fh)
{
	handle_free(&s->handles, fh);
}

void serve_tidy(struct server *s)
{
	lastgood_tidy(s->lastgood);
	handles_tidy(&s->handles);
	model_tidy(s->model);
}
