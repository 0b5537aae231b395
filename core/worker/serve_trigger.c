/* SPDX-License-Identifier: MIT */
/* serve_trigger.c - what is written to a file, and what becomes of it: see triggers.h. */
#include <errno.h>
#include <poll.h>

#include "draw.h"
#include "journal.h"
#include "serve.h"

int serve_write(struct server *s, const struct serve_read *who, const char *bytes, size_t size)
{
	const struct node *node = who->node;
	struct subject *subject = NULL;
	struct trigger_spec spec;
	struct lxcfsd_request req;
	int r = serve_by_plugin(s, node, 0, who->suspect);

	if (r != 0)
		return r == LXCFSD_NO_VIEW ? -EPERM : -EIO;
	if (!handle_subject(&s->handles, who->fh, node->id, &subject))
		return -ENOSPC; /* its container is over its bound of open files */
	/* without a cgroup of his own: the host's file is where the host's triggers are */
	r = subject ? 0 : -EOPNOTSUPP;
	if (r == 0) {
		request_begin(&req, s->model, subject, who->reader);
		journal_runs(serve_number(s, node));
		r = draw_trigger(node->plugin, node->file, &req);
		journal_runs(0);
		request_end(&req);
	}
	if (r > 0) {
		spec.control = (uint32_t)r;
		r = trigger_parse(bytes, size, &spec);
		if (r == 0)
			r = trigger_arm(&s->triggers, who->fh, node->id, subject, &spec,
					who->unique);
		if (r == 0 && !journal_claim())
			trigger_drop(&s->triggers, who->fh); /* the writer was told EIO */
	}
	subject_unref(subject);
	serve_wake(s);
	return r;
}

/* psi_trigger_poll() of kernel/sched/psi.c: a file without a trigger is an error. */
unsigned int serve_poll(struct server *s, const struct serve_read *who, uint64_t sleeper)
{
	const unsigned int always = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM;

	switch (trigger_poll(&s->triggers, who->fh, sleeper, who->unique)) {
	case TRIGGER_QUIET:
		return always;
	case TRIGGER_EVENT:
		return always | POLLPRI;
	case TRIGGER_NONE:
	case TRIGGER_DEAD:
		break;
	}
	return always | POLLERR | POLLPRI;
}
