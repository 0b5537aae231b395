/* SPDX-License-Identifier: MIT */
/* serve_change.c - what is changed in a container's own root: see deputy.h. */
#include <errno.h>

#include "deputy.h"
#include "draw.h"
#include "journal.h"
#include "passing.h"
#include "serve.h"

static const struct node *root_of(const struct server *s, const struct node *node)
{
	return &s->nodes.list[node->tree_root - 1];
}

bool serve_is_changeable(const struct server *s, const struct node *node)
{
	return node->container && node->tree_root && root_of(s, node)->tree &&
	       root_of(s, node)->tree->change;
}

/* What has the name by now may be another one than was looked up: `inside`, in the node. */
static int change_as(struct server *s, const struct serve_read *who, const char *path,
		     struct subject *subject, bool inside, const struct lxcfsd_change *change)
{
	const struct node *root = root_of(s, who->node);
	struct deputy_who opener;
	bool opened = change->kind == LXCFSD_CHANGE_WRITE;
	const struct deputy_caller caller = { .tid = who->reader,
					      .container = who->node->container,
					      .object = inside ? 0 : who->node->object,
					      .above = inside ? who->node->object : 0,
					      .opener = opened ? &opener : NULL };
	struct lxcfsd_request req;
	int r;

	if (opened && !handle_opener(&s->handles, who->fh, &opener))
		return -ENOSPC; /* its container is over its bound of open files */
	request_begin(&req, s->model, subject, who->reader);
	req.caller = &caller;
	journal_runs(serve_number(s, root));
	r = draw_change(root->plugin, root->tree, path, &req, change);
	journal_runs(0);
	request_end(&req);
	return r;
}

int serve_change(struct server *s, const struct serve_read *who, const char *name,
		 const struct lxcfsd_change *change)
{
	const struct node *node = who->node;
	struct subject *subject = NULL;
	struct node_path path;
	int r;

	if (change->kind != LXCFSD_CHANGE_OPEN && deputy_look_back(&r))
		return r;
	r = serve_subject(s, node, who->reader, &subject);
	r = serve_by_plugin(s, node, r, who->suspect);
	if (r == 0 && name)
		r = nodes_path_below(&s->nodes, node, name, &path);
	else if (r == 0)
		nodes_path(&s->nodes, node, &path);
	/* of what was opened: it may be another by now */
	if (r == 0 && !name)
		r = serve_is_there(s, node, subject, 0, who);
	if (r == 0)
		r = change_as(s, who, path.text, subject, name != NULL, change);
	else if (r == LXCFSD_NO_VIEW)
		r = -EROFS;
	subject_unref(subject);
	serve_wake(s);
	return r;
}

int serve_open_to_change(struct server *s, const struct serve_read *open, uint64_t *ret_fh)
{
	const struct lxcfsd_change change = { .kind = LXCFSD_CHANGE_OPEN };
	struct deputy_who who;
	int r = serve_change(s, open, NULL, &change);

	if (r == 0)
		r = deputy_identify(s->model, open->reader, &who);
	if (r == 0)
		r = serve_open(s, open, ret_fh);
	if (r == 0)
		handle_set_opener(&s->handles, *ret_fh, &who);
	return r;
}

bool serve_has_room(struct server *s, const struct serve_read *who)
{
	return passing_has_room(&s->nodes, who->node->container);
}
