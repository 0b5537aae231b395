/* SPDX-License-Identifier: MIT */
/*
 * age.c - how long a container has been up.
 *
 * Since its init started; when there is none that we know of, since the oldest
 * process that can be found in its cgroup did.  What was found once holds as
 * long as that cgroup is there, or the age would jump when the process ends; so it
 * is kept in the vault.
 *
 * In a time namespace the kernel shows its processes the boot time moved by an
 * offset, their start times likewise; so the age is that boot time then, and
 * what tools compute from the two is right.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "io.h"
#include "parts.h"
#include "path.h"
#include "proc.h"
#include "text.h"

/* What one search may cost. */
#define DIRS_MAX  64
#define PIDS_MAX  512
#define DEPTH_MAX 8
#define SECOND	  1000000000u

struct search {
	const struct roots *roots;
	unsigned int dirs, pids;
	uint64_t start; /* clock ticks since boot; UINT64_MAX: none */
	pid_t pid;
};

static void look_at_pids(struct search *search, struct lxcfsd_text text)
{
	struct lxcfsd_text line;
	uint64_t pid, start;

	while (search->pids < PIDS_MAX && text_line(&text, &line)) {
		if (parse_u64(line, &pid) < 0 || pid == 0 || pid > INT32_MAX)
			continue;
		search->pids++;
		if (proc_start(search->roots->proc_fd, (pid_t)pid, &start) < 0 ||
		    start >= search->start)
			continue;
		search->start = start;
		search->pid = (pid_t)pid;
	}
}

static void look_at_procs(struct search *search, int dirfd)
{
	_close_ int fd = path_open(dirfd, "cgroup.procs", O_RDONLY, PATH_NO_LINKS);
	char buf[4096];
	const char *end;
	ssize_t n;

	/* the beginning will do: lower numbers are mostly older */
	n = fd < 0 ? -1 : pread(fd, buf, sizeof(buf), 0);
	if (n < 0 && fd >= 0 && errno == EOPNOTSUPP) { /* a threaded cgroup */
		_close_ int threads = path_open(dirfd, "cgroup.threads", O_RDONLY, PATH_NO_LINKS);

		n = threads < 0 ? -1 : pread(threads, buf, sizeof(buf), 0);
	}
	end = n > 0 ? memrchr(buf, '\n', (size_t)n) : NULL;
	if (end)
		look_at_pids(search, (struct lxcfsd_text){ buf, (size_t)(end - buf) });
}

static void look_at_dir(struct search *search, int dirfd, const char *path, unsigned int depth)
{
	int fd = path_open(dirfd, path, O_RDONLY | O_DIRECTORY, PATH_NO_LINKS);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		io_closep(&fd);
		return;
	}
	look_at_procs(search, fd);
	while (depth < DEPTH_MAX && search->dirs < DIRS_MAX && (entry = readdir(dir))) {
		if (entry->d_type != DT_DIR || strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		search->dirs++;
		look_at_dir(search, fd, entry->d_name, depth + 1);
	}
	closedir(dir);
}

/* The better a hierarchy tells containers from one another.  On a hybrid machine many
 * may share one cgroup of cgroup2, which has no controllers there. */
static int rank(const struct hierarchy *h)
{
	return h->controllers & LXCFSD_MEMORY ? 3 : h->controllers ? 2 : h->v2;
}

static const struct hierarchy *best_hierarchy(const struct model *model,
					      const struct subject *subject)
{
	const struct hierarchy *best = NULL;

	for (unsigned int i = 0; i < model->layout.count; i++) {
		const struct hierarchy *h = &model->layout.list[i];
		struct lxcfsd_text path = subject->paths[i];

		if (h->fd < 0 || path.len == 0 || subjects_is_root(&model->subjects, path))
			continue; /* what is in the root is the host's */
		if (!best || rank(h) > rank(best))
			best = h;
	}
	return best;
}

int subject_open(struct model *model, const struct subject *subject, uint64_t *ret_inode)
{
	const struct hierarchy *h = best_hierarchy(model, subject);
	struct stat st;
	int fd;

	fd = h ? hierarchy_open(h, subject->paths[h->index]) : -ENOENT;
	if (fd < 0)
		return -ESRCH;
	if (fstat(fd, &st) < 0) {
		close(fd);
		return -ESRCH;
	}
	*ret_inode = st.st_ino;
	return fd;
}

/* What an earlier worker found, or this one before it forgot the subject. */
#define OWNER	    "age"
#define AGE_VERSION 1
struct kept {
	uint64_t inode;
	int64_t offset_ns;
};

static bool recall(struct model *model, struct subject *subject, uint64_t inode)
{
	struct kept kept;

	if (record_read(model->records, OWNER, AGE_VERSION, subject, &kept, sizeof(kept)) !=
		    (ssize_t)sizeof(kept) ||
	    kept.inode != inode)
		return false;
	subject->age_offset_ns = kept.offset_ns;
	subject->age_cgroup = inode;
	return true;
}

static void keep(struct model *model, const struct subject *subject)
{
	struct kept kept = { subject->age_cgroup, subject->age_offset_ns };

	record_write(model->records, OWNER, AGE_VERSION, subject, &kept, sizeof(kept));
}

static int find_offset(struct model *model, struct subject *subject)
{
	struct search search = { .roots = &model->roots, .start = UINT64_MAX };
	uint64_t start_ns, inode = 0;
	int64_t timens;

	if (subject->init > 0 &&
	    proc_start(model->roots.proc_fd, subject->init, &search.start) == 0 &&
	    search.start == subject->init_start) {
		search.pid = subject->init;
	} else {
		_close_ int fd = subject_open(model, subject, &inode);

		search.start = UINT64_MAX;
		if (fd < 0)
			return fd;
		if (recall(model, subject, inode))
			return 0;
		look_at_dir(&search, fd, ".", 0);
		if (search.start == UINT64_MAX)
			return -ESRCH;
	}
	if (__builtin_mul_overflow(search.start, (uint64_t)SECOND / model->roots.clock_ticks,
				   &start_ns) ||
	    start_ns > INT64_MAX)
		return -ERANGE;
	if (proc_boottime_offset(model->roots.proc_fd, search.pid, &timens) < 0)
		timens = 0;
	subject->age_offset_ns = timens != 0 ? timens : -(int64_t)start_ns;
	subject->age_cgroup = inode;
	if (inode)
		keep(model, subject);
	return 0;
}

/* A cgroup that was made anew is another container. */
static bool is_replaced(struct model *model, struct subject *subject)
{
	uint64_t now = io_now_ns(), inode = 0;
	int fd;

	if (subject->age_cgroup == 0 || now - subject->age_checked_ns < SECOND)
		return false;
	subject->age_checked_ns = now;
	fd = subject_open(model, subject, &inode);
	io_closep(&fd);
	return fd >= 0 && inode != subject->age_cgroup;
}

int subject_age_ns(struct model *model, struct subject *subject, uint64_t *ret)
{
	int64_t now, age;
	int r = 0;

	if (!subject)
		return -ESRCH;
	pthread_mutex_lock(&subject->age_lock);
	if (!subject->age_known || is_replaced(model, subject)) {
		r = find_offset(model, subject);
		subject->age_known = r == 0;
	}
	age = subject->age_offset_ns;
	pthread_mutex_unlock(&subject->age_lock);
	if (r < 0)
		return r;
	now = (int64_t)(roots_clock_ns(&model->roots, LXCFSD_CLOCK_BOOTTIME) & INT64_MAX);
	if (__builtin_add_overflow(now, age, &age))
		return -ERANGE;
	*ret = age > 0 ? (uint64_t)age : 0;
	return 0;
}
