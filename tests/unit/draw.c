/* SPDX-License-Identifier: MIT */
/* draw - one plugin's file: the buffer grows, and nothing it returns is trusted. */
#include "check.h"
#include "draw.h"
#include "fixture.h"

static struct settings settings;
static struct model *model;

/* What the plugin below does, as it is told by its state. */
struct behaviour {
	size_t len;
	int ret;
	int err;
	size_t claim; /* a length that it has not written */
	unsigned int calls;
	uint64_t opt;	 /* what it was handed */
	uint32_t secret; /* what its mode lacks of 0444 */
};

/* Of no [match] section, of the first, of the second. */
static union lxcfsd_value values[3][1] = { { { .u = 1 } }, { { .u = 2 } }, { { .u = 3 } } };
static struct plugin_view views[3] = { { values[0], true, ON_ERROR_HOST },
				       { values[1], true, ON_ERROR_HOST },
				       { values[2], false, ON_ERROR_HOST } };

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	struct behaviour *how = state;
	struct lxcfsd_text text;

	how->opt = opts[0].u;
	how->calls++;
	model_host_file(req, "/proc/some", &text);
	for (size_t i = 0; i < how->len; i++)
		lxcfsd_put(out, "x", 1);
	if (how->err)
		out->err = how->err;
	if (how->claim)
		out->len = how->claim;
	return how->ret;
}

/* The length, or the error as a large number. */
static uint64_t draw_it(struct behaviour *how, const char *subject_path, uint32_t controllers,
			struct draw_buf *buf)
{
	struct plugin plugin = { .state = how, .views = views };
	struct lxcfsd_file file = { .mode = 0444 & ~how->secret,
				    .controllers = controllers,
				    .render = render };
	struct subject *subject = NULL;
	struct lxcfsd_request req;
	size_t len = 0;
	int r;

	if (subject_path && model_subject_by_path(model, subject_path, &subject) < 0)
		fixture_die("subject");
	request_begin(&req, model, subject, 0);
	r = draw(&plugin, &file, &req, buf, &len);
	request_end(&req);
	subject_unref(subject);
	return r == LXCFSD_NO_VIEW ? 111 : r < 0 ? (uint64_t)(int64_t)r : len;
}
#define ERROR(r) ((uint64_t)(int64_t)(r))

static uint64_t once(struct behaviour how)
{
	struct draw_buf buf = { NULL, 0 };
	uint64_t result = draw_it(&how, "/a", LXCFSD_MEMORY, &buf);

	draw_buf_done(&buf);
	return result;
}

static void test_size(void)
{
	struct behaviour how = { .len = 100 };
	struct draw_buf buf = { NULL, 0 };

	CHECK_U64(draw_it(&how, "/a", 0, &buf), 100);
	CHECK_U64(how.calls, 1);
	how = (struct behaviour){ .len = 300000 };
	CHECK_U64(draw_it(&how, "/a", 0, &buf), 300000);
	CHECK_U64(how.calls, 3);
	CHECK(buf.data[299999] == 'x');
	/* the buffer stays large */
	how.calls = 0;
	CHECK_U64(draw_it(&how, "/a", 0, &buf), 300000);
	CHECK_U64(how.calls, 1);
	how = (struct behaviour){ .len = 4 << 20 };
	CHECK_U64(draw_it(&how, "/a", 0, &buf), 4 << 20);
	how.len++;
	CHECK_U64(draw_it(&how, "/a", 0, &buf), ERROR(-EFBIG));
	CHECK_U64(buf.cap, 4 << 20);
	draw_buf_done(&buf);
}

static void test_answers(void)
{
	CHECK_U64(once((struct behaviour){ .ret = -ENODATA }), ERROR(-ENODATA));
	CHECK_U64(once((struct behaviour){ .ret = LXCFSD_NO_VIEW }), 111);
	CHECK_U64(once((struct behaviour){ .err = -EIO }), ERROR(-EIO));
	CHECK_U64(once((struct behaviour){ .ret = 7 }), ERROR(-EIO));
	CHECK_U64(once((struct behaviour){ .err = 5 }), ERROR(-EIO));
	CHECK_U64(once((struct behaviour){ .claim = 1u << 30 }), ERROR(-EIO));
	/* it returns what it stumbled over */
	CHECK_U64(once((struct behaviour){ .len = 70000, .ret = -ENOSPC }), ERROR(-EFBIG));
}

static void test_who(void)
{
	struct behaviour how = { .len = 1 };
	struct draw_buf buf = { NULL, 0 };

	CHECK_U64(draw_it(&how, NULL, 0, &buf), 111);
	CHECK_U64(draw_it(&how, "/", 0, &buf), 111);
	CHECK_U64(draw_it(&how, "/", LXCFSD_MEMORY, &buf), 111);
	CHECK_U64(how.calls, 0);
	/* what is not for everybody is never the host's */
	how.secret = 0044;
	CHECK_U64(draw_it(&how, NULL, 0, &buf), 1);
	CHECK_U64(draw_it(&how, "/", 0, &buf), 1);
	CHECK_U64(how.calls, 2);
	draw_buf_done(&buf);
}

/* The options are those of the first [match] section that fits. */
static void test_match(void)
{
	static char first[] = "/b/*", off[] = "/b/**";
	struct match_section matches[2] = { { .cgroup = first }, { .cgroup = off } };
	struct config config = { .matches = matches, .match_count = 2 };
	struct behaviour how = { .len = 1 };
	struct draw_buf buf = { NULL, 0 };
	struct model *before = model;

	model = fixture_model(&settings);
	model_use_matches(model, &config);
	CHECK_U64(draw_it(&how, "/a", 0, &buf), 1);
	CHECK_U64(how.opt, 1);
	CHECK_U64(draw_it(&how, "/b/x", 0, &buf), 1);
	CHECK_U64(how.opt, 2);
	CHECK_U64(how.calls, 2);
	/* switched off for these */
	CHECK_U64(draw_it(&how, "/b", 0, &buf), 111);
	CHECK_U64(draw_it(&how, "/b/x/y", 0, &buf), 111);
	CHECK_U64(draw_it(&how, NULL, 0, &buf), 111);
	CHECK_U64(how.calls, 2);
	draw_buf_done(&buf);
	model_free(model);
	model = before;
}

int main(void)
{
	fixture_v2();
	fixture_dir("/sys/fs/cgroup/a");
	fixture_dir("/sys/fs/cgroup/b/x/y");
	fixture_file("/proc/some", "text\n");
	settings = fixture_settings();
	model = fixture_model(&settings);
	test_size();
	test_answers();
	test_who();
	test_match();
	model_free(model);
	return done_testing();
}
