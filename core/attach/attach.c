/* SPDX-License-Identifier: MIT */
/*
 * attach.c - finds the mount namespaces, and has each repaired by a child.
 *
 * Theory of operation.  The namespaces are those of processes, found in /proc, each
 * taken once; a second pass finds those that were made meanwhile.  A child has little
 * time: who needs more comes again at the end and then has more, so that tenants whose
 * file systems hang hold up nobody else.  One that does not even die (its request has
 * been taken and is not answered) is left to its fate and counted, and so many of them
 * end the run.  Nothing in this process itself walks a path outside of /proc.
 *
 * Not found: namespaces without a process, held by a bind of their file alone, and those
 * of a thread whose process is in another one.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "attach.h"
#include "io.h"
#include "repair.h"
#include "table.h"

#define MS	     1000000u
#define PASSES_MAX   3
#define SPACES_MAX   16384
#define CHILDREN_MAX 8
#define STUCK_MAX    64 /* children that do not die */
#define SLOTS	     (CHILDREN_MAX + STUCK_MAX)
#define QUICK_MS     250
#define SLOW_MS	     3000
#define DYING_MS     100
#define BETWEEN_MS   2000
#define RUN_MS	     30000
#define OWED_ROUNDS  2

/* A namespace that was looked into. */
struct seen {
	ino_t ino;
	int fd; /* -1: done with; else it was too slow and comes again */
	bool helped;
	struct repair_owed *owed; /* by the last child; NULL: nothing */
};

struct child {
	pid_t pid; /* 0: the slot is free */
	uint64_t since_ns;
	bool killed;
	bool stuck; /* given up */
	size_t which;
};

struct run {
	struct scene scene;
	struct attach_result *total;
	struct repair_part *parts; /* one for each slot; shared with the children */
	struct child children[SLOTS];
	unsigned int running; /* that are not stuck */
	unsigned int stuck;
	struct seen *seen;
	size_t seen_count;
	ino_t own;
	int more;	   /* times that who owes something may come after the last time */
	uint64_t limit_ms; /* of one child */
	uint64_t end_ns;
	pid_t self;
};

/* ------------------------------------------------------------ our own namespace */

static void copy_text(char *ret, size_t size, struct lxcfsd_text text)
{
	snprintf(ret, size, "%.*s", (int)text.len, text.data);
}

struct look {
	struct scene *scene;
	uint64_t id; /* of the living one */
	bool inner;  /* second pass: look for what is within it */
};

static bool look_at(void *arg, const struct table_line *line)
{
	struct look *look = arg;
	struct scene *scene = look->scene;
	size_t len = strlen(scene->job->mountpoint);
	char point[PATH_MAX];
	bool here;

	if (!text_is(line->type, "fuse.lxcfs") || table_path(line->point, point, sizeof(point)) < 0)
		return true;
	here = strcmp(point, scene->job->mountpoint) == 0;
	if (!look->inner && here) {
		look->id = line->id;
		copy_text(scene->living, sizeof(scene->living), line->device);
	}
	if (!look->inner)
		return true;
	if (line->parent == look->id && strncmp(point, scene->job->mountpoint, len) == 0 &&
	    point[len] == '/' && strcmp(point + len, SCENE_ROOTS) == 0) {
		copy_text(scene->roots, sizeof(scene->roots), line->device);
	} else if (line->parent == look->id && strncmp(point, scene->job->mountpoint, len) == 0 &&
		   point[len] == '/') {
		copy_text(scene->inner, sizeof(scene->inner), line->device);
		snprintf(scene->below, sizeof(scene->below), "%.*s", (int)sizeof(scene->below) - 1,
			 point + len);
	} else if (!here && text_is(line->root, "/") && scene->other_count < SCENE_OTHERS_MAX &&
		   !text_is(line->device, scene->living)) {
		copy_text(scene->others[scene->other_count++], sizeof(scene->others[0]),
			  line->device);
	}
	return true;
}

static int look_around(struct scene *scene)
{
	struct look look = { .scene = scene };
	int r = 0;

	for (int pass = 0; r == 0 && pass < 2; pass++) {
		_close_ int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);

		look.inner = pass == 1;
		r = fd < 0 ? -errno : table_read(fd, look_at, &look);
	}
	return r < 0 ? r : scene->living[0] ? 0 : -ENOENT;
}

/* ------------------------------------------------------------ children */

static void add(struct attach_result *to, const struct attach_result *part)
{
	to->repaired += part->repaired;
	to->failed += part->failed;
	to->hidden += part->hidden;
	if (part->reason[0] && !to->reason[0])
		snprintf(to->reason, sizeof(to->reason), "%.*s", (int)sizeof(part->reason) - 1,
			 part->reason);
}

static bool keep_owed(struct seen *seen, const struct repair_owed *owed)
{
	if (!atomic_load(&owed->set)) {
		free(seen->owed);
		seen->owed = NULL;
		return false;
	}
	if (!seen->owed)
		seen->owed = malloc(sizeof(*seen->owed));
	if (!seen->owed)
		return false;
	memcpy(seen->owed, owed, sizeof(*owed));
	seen->owed->part[PATH_MAX - 1] = seen->owed->point[PATH_MAX - 1] = '\0';
	return true;
}

static void end_child(struct run *run, struct child *child)
{
	struct seen *seen = &run->seen[child->which];
	const struct repair_part *shared = &run->parts[child - run->children];
	struct attach_result part = shared->result;
	bool owed = keep_owed(seen, &shared->owed);
	bool again = (child->killed || atomic_load(&shared->again) || owed) && !child->stuck;

	run->total->helped += part.repaired > 0 && !seen->helped;
	seen->helped = seen->helped || part.repaired > 0;
	if (again &&
	    (!run->scene.last || (owed && run->more))) { /* what it failed in is counted then */
		part.failed = part.hidden = 0;
		part.reason[0] = '\0';
	} else {
		close(seen->fd);
		seen->fd = -1;
		run->total->slow += child->killed;
	}
	add(run->total, &part);
	run->running--;
	if (child->stuck)
		run->stuck++;
	else
		child->pid = 0;
}

static void check_child(struct run *run, struct child *child, uint64_t now)
{
	uint64_t passed_ms = now > child->since_ns ? (now - child->since_ns) / MS : 0;
	bool between = atomic_load(&run->parts[child - run->children].owed.set);

	if (waitpid(child->pid, NULL, WNOHANG) != 0) {
		end_child(run, child);
	} else if (!child->killed && passed_ms >= run->limit_ms + (between ? BETWEEN_MS : 0)) {
		kill(child->pid, SIGKILL);
		child->killed = true;
		child->since_ns = now;
	} else if (child->killed && passed_ms >= DYING_MS) {
		child->stuck = true;
		end_child(run, child);
	}
}

/* Waits until at most `most` children are left. */
static void settle(struct run *run, unsigned int most)
{
	const struct timespec pause = { .tv_nsec = 20 * MS };
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	for (;;) {
		uint64_t now = io_now_ns();

		for (size_t i = 0; i < SLOTS; i++)
			if (run->children[i].pid && !run->children[i].stuck)
				check_child(run, &run->children[i], now);
		if (run->running <= most)
			return;
		sigtimedwait(&chld, NULL, &pause);
	}
}

static bool may_go_on(const struct run *run)
{
	return run->stuck < STUCK_MAX && io_now_ns() < run->end_ns;
}

/* It may hang for ever: then it holds nothing that somebody waits for the end of. */
static _Noreturn void be_child(const struct run *run, const struct seen *seen,
			       struct repair_part *part)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (seen->fd > 0)
		close_range(0, (unsigned int)seen->fd - 1, 0);
	close_range((unsigned int)seen->fd + 1, ~0u, 0);
	if (getppid() == run->self)
		repair_namespace(&run->scene, seen->fd, seen->ino == run->own, part);
	_exit(0);
}

static void look_into(struct run *run, size_t which)
{
	struct seen *seen = &run->seen[which];
	size_t i = 0;
	pid_t pid;

	settle(run, CHILDREN_MAX - 1);
	while (i < SLOTS - 1 && run->children[i].pid)
		i++;
	memset(&run->parts[i], 0, sizeof(run->parts[i]));
	if (seen->owed)
		memcpy(&run->parts[i].owed, seen->owed, sizeof(*seen->owed));
	pid = fork();
	if (pid == 0)
		be_child(run, seen, &run->parts[i]);
	if (pid < 0) {
		run->total->left++;
		close(seen->fd);
		seen->fd = -1;
		return;
	}
	run->children[i] = (struct child){ .pid = pid, .since_ns = io_now_ns(), .which = which };
	run->running++;
}

/* ------------------------------------------------------------ namespaces */

static bool was_seen(const struct run *run, ino_t ino)
{
	for (size_t i = 0; i < run->seen_count; i++)
		if (run->seen[i].ino == ino)
			return true;
	return false;
}

/* Of a task's directory in /proc.  -errno: the task has ended, or is a zombie. */
static int take_space(struct run *run, int task)
{
	struct stat st;
	int fd;

	if (fstatat(task, "ns/mnt", &st, 0) < 0)
		return -errno;
	if (was_seen(run, st.st_ino))
		return 0;
	if (run->seen_count == SPACES_MAX || !may_go_on(run)) {
		run->total->left++;
		return 0;
	}
	fd = openat(task, "ns/mnt", O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == EMFILE) {
		run->total->left++;
		return 0;
	}
	if (fd < 0)
		return -errno;
	run->seen[run->seen_count] = (struct seen){ .ino = st.st_ino, .fd = fd };
	run->total->spaces++;
	look_into(run, run->seen_count++);
	return 0;
}

/* Calls take_space() for the directories in `parent` whose names are numbers. */
static void take_tasks(struct run *run, int parent, const char *name, bool threads);

static void take_task(struct run *run, int parent, const char *name, bool threads)
{
	_close_ int task = openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC);

	/* the first thread may have ended before the others */
	if (task >= 0 && take_space(run, task) < 0 && !threads)
		take_tasks(run, task, "task", true);
}

static void take_tasks(struct run *run, int parent, const char *name, bool threads)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			take_task(run, fd, entry->d_name, threads);
	closedir(dir);
}

static void look_again(struct run *run)
{
	for (size_t i = 0; i < run->seen_count; i++) {
		if (run->seen[i].fd < 0)
			continue;
		if (may_go_on(run)) {
			look_into(run, i);
		} else {
			close(run->seen[i].fd);
			run->seen[i].fd = -1;
			run->total->slow++;
		}
	}
	settle(run, 0);
}

static void look_everywhere(struct run *run)
{
	size_t before;
	int pass = 0;

	run->limit_ms = QUICK_MS;
	do {
		before = run->seen_count;
		take_tasks(run, AT_FDCWD, "/proc", false);
		settle(run, 0);
	} while (run->seen_count > before && ++pass < PASSES_MAX);
	run->limit_ms = SLOW_MS;
	run->scene.last = true;
	for (run->more = OWED_ROUNDS; run->more >= 0; run->more--)
		look_again(run);
}

int attach_run(const struct attach_job *job, struct attach_result *ret)
{
	struct attach_result total = { 0 };
	struct run run = { .scene = { .job = job },
			   .total = &total,
			   .self = getpid(),
			   .end_ns = io_now_ns() + (uint64_t)RUN_MS * MS };
	size_t shared = sizeof(struct repair_part) * SLOTS;
	_free_ struct seen *seen = calloc(SPACES_MAX, sizeof(*seen));
	struct stat own;
	sigset_t chld, before;
	int r = look_around(&run.scene);

	if (r < 0)
		return r;
	run.seen = seen;
	run.parts = mmap(NULL, shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!seen || run.parts == MAP_FAILED)
		return -ENOMEM;
	if (stat("/proc/self/ns/mnt", &own) == 0)
		run.own = own.st_ino;
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, &before);
	look_everywhere(&run);
	sigprocmask(SIG_SETMASK, &before, NULL);
	munmap(run.parts, shared);
	for (size_t i = 0; i < run.seen_count; i++)
		free(seen[i].owed);
	*ret = total;
	return 0;
}

bool attach_complete(const struct attach_result *result)
{
	return !result->failed && !result->left;
}

void attach_describe(const struct attach_result *result, char *buf, size_t size)
{
	int n = snprintf(buf, size, "%u dead mounts replaced in %u of %u mount namespaces",
			 result->repaired, result->helped, result->spaces);
	const struct {
		uint32_t count;
		const char *what;
	} others[] = {
		{ result->failed, "stay dead" },
		{ result->hidden, "are hidden by other mounts" },
		{ result->slow, "namespaces took too long" },
		{ result->left, "namespaces were not looked into" },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (others[i].count && n > 0 && (size_t)n < size)
			n += snprintf(buf + n, size - (size_t)n, ", %u %s", others[i].count,
				      others[i].what);
	if (result->reason[0] && n > 0 && (size_t)n < size)
		snprintf(buf + n, size - (size_t)n, "; first: %s", result->reason);
}
