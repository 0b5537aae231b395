/* SPDX-License-Identifier: MIT */
/*
 * readload - readers that never stop looking, while something is done to the
 * daemon: reloads, kills.
 *
 *	readload [--readers N] [--seconds S] [--hang-ms MS] [--pause-ms MS] [--tell-ms MS]
 *		 [--target-ms MS] [--ready FILE] MOUNTPOINT [FILE]...
 *
 * FILEs are relative to MOUNTPOINT (default: proc/uptime proc/meminfo proc/cpuinfo).
 * A reader begins its next round at once, or pauses: on an emulated machine the rest gets
 * no time otherwise.  It ends after S seconds, or at SIGTERM when S is 0, and prints one line of
 * JSON.  Exit status: 0 when nothing failed, 1 when something did, 2 when it could not
 * run.  Calls that took longer than --tell-ms are told on stderr, with when they ended;
 * those longer than --target-ms are counted.
 *
 * A reader is a process, so that one that hangs cannot hold up the report: a
 * reader of a dead FUSE server sleeps in the kernel and cannot be killed before
 * its connection is aborted.  Such a one is counted and left behind.
 *
 * Reader i reads FILE i, beginning again with the first one after the last.  Odd ones
 * live in a mount namespace of their own where the daemon's mount is detached, as in a
 * container: there 1, 5, ... have the file bound over one of the host's, 3, 7, ... the
 * directory that it is in.  i/2 chooses the manner: all at once, 64 bytes at a time
 * (what is short: 3), or opened once and pread() from 0 for ever.
 *
 * Torn is what is not one whole text of one moment.  lxcfsd_whole, a plugin of the suites
 * (sample_whole.c), has the moment in each line, so that no tear in it can be missed; in
 * the other files it is what their values allow to see.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_READERS = 256,
	BUFFER = 1 << 20,
	ERRNOS = 140,
};

/* One reader's account, in shared memory: it is read while the reader runs. */
struct account {
	_Atomic uint64_t ops; /* system calls */
	_Atomic uint64_t torn;
	_Atomic uint64_t failed[ERRNOS];
	_Atomic uint64_t max_ns;
	_Atomic uint64_t over;	     /* that took longer than the target */
	_Atomic uint64_t busy_since; /* when its current system call began, or 0 */
	_Atomic bool ready;
	_Atomic bool hung;
	char first[160]; /* the first complaint */
};

struct shared {
	_Atomic bool stop;
	uint64_t noise_ns; /* how much too late the parent was woken at the worst */
	struct account account[MAX_READERS];
};

/* What one reader knows of its file from earlier rounds. */
struct reader {
	struct account *account;
	const char *name; /* last component */
	char path[PATH_MAX];
	char *buf;
	int style;
	size_t step;	   /* of style 1 */
	uint64_t constant; /* MemTotal, or the number of processors or lines */
	double uptime;
	uint64_t delay_ns; /* before the system call */
};

static struct shared *shared;
static useconds_t pause_us; /* between rounds */
static uint64_t tell_ns;    /* 0: nothing */
static uint64_t target_ns;  /* 0: none */
static volatile sig_atomic_t terminated;

static void on_term(int sig)
{
	(void)sig;
	terminated = 1;
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void complain(struct reader *r, const char *what, const char *text, size_t len)
{
	struct account *a = r->account;

	if (!a->first[0])
		snprintf(a->first, sizeof(a->first), "%s: %s [%.*s]", r->name, what,
			 (int)(len > 60 ? 60 : len), text);
}

/* For how long it was not our turn for the CPU. */
static uint64_t run_delay_ns(void)
{
	static int fd = -1;
	char text[64];
	char *second;
	ssize_t n;

	if (fd < 0)
		fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
	n = pread(fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	second = strchr(text, ' ');
	return second ? strtoull(second, NULL, 10) : 0;
}

/* With the hour as the daemon's log has it. */
static void tell(const struct reader *r, uint64_t took, uint64_t delay)
{
	struct timespec ts;
	struct tm tm;

	clock_gettime(CLOCK_REALTIME, &ts);
	localtime_r(&ts.tv_sec, &tm);
	fprintf(stderr,
		"readload: %02d:%02d:%02d.%03ld reader %d: %s: %.1f ms, %.1f of it for a CPU\n",
		tm.tm_hour, tm.tm_min, tm.tm_sec, ts.tv_nsec / 1000000,
		(int)(r->account - shared->account), r->name, (double)took / 1e6,
		(double)delay / 1e6);
}

/* Around each system call, which is what a stall is the time of. */
static void begin(struct reader *r)
{
	atomic_fetch_add(&r->account->ops, 1);
	if (tell_ns)
		r->delay_ns = run_delay_ns();
	atomic_store(&r->account->busy_since, now_ns());
}

static void end(struct reader *r)
{
	struct account *a = r->account;
	int saved = errno;
	uint64_t took = now_ns() - atomic_load(&a->busy_since);

	atomic_store(&a->busy_since, 0);
	if (took > atomic_load(&a->max_ns))
		atomic_store(&a->max_ns, took);
	if (target_ns && took > target_ns)
		atomic_fetch_add(&a->over, 1);
	if (tell_ns && took > tell_ns)
		tell(r, took, run_delay_ns() - r->delay_ns);
	errno = saved;
}

static void failed(struct reader *r, const char *call)
{
	int e = errno;

	atomic_fetch_add(&r->account->failed[e > 0 && e < ERRNOS ? e : 0], 1);
	complain(r, call, strerror(e), strlen(strerror(e)));
}

/* ------------------------------------------------------ what must be true */

static bool number(const char **p, uint64_t *ret)
{
	const char *s = *p;
	uint64_t v = 0;

	while (*s >= '0' && *s <= '9')
		v = v * 10 + (uint64_t)(*s++ - '0');
	if (s == *p)
		return false;
	*p = s;
	*ret = v;
	return true;
}

static bool hundredths(const char **p, double *ret)
{
	uint64_t whole, part;
	const char *dot;

	if (!number(p, &whole) || **p != '.')
		return false;
	dot = ++*p;
	if (!number(p, &part) || *p - dot != 2)
		return false;
	*ret = (double)whole + (double)part / 100;
	return true;
}

/* "%.2f %.2f\n", and it never goes back. */
static const char *check_uptime(struct reader *r)
{
	const char *p = r->buf;
	double up, idle;

	if (!hundredths(&p, &up) || *p++ != ' ' || !hundredths(&p, &idle) || strcmp(p, "\n") != 0)
		return "not two numbers";
	if (up < r->uptime)
		return "went back";
	r->uptime = up;
	return NULL;
}

/* Lines of "Name: number[ kB]"; MemTotal stays, MemFree is not more. */
static const char *check_meminfo(struct reader *r)
{
	uint64_t total = UINT64_MAX, free_kb = UINT64_MAX, v;
	const char *p = r->buf, *name;

	while (*p) {
		name = p;
		p = strchr(p, ':');
		if (!p)
			return "a line without a colon";
		for (p++; *p == ' '; p++)
			;
		if (!number(&p, &v))
			return "a line without a number";
		if (!strncmp(p, " kB", 3))
			p += 3;
		if (*p++ != '\n')
			return "a line with something more";
		if (!strncmp(name, "MemTotal:", 9))
			total = v;
		if (!strncmp(name, "MemFree:", 8))
			free_kb = v;
	}
	if (total == UINT64_MAX || free_kb == UINT64_MAX)
		return "MemTotal or MemFree is missing";
	if (free_kb > total)
		return "MemFree > MemTotal";
	if (r->constant && r->constant != total)
		return "MemTotal changed";
	r->constant = total;
	return NULL;
}

static const char *check_cpuinfo(struct reader *r)
{
	uint64_t count = 0;
	const char *p = r->buf;

	while (p) {
		if (!strncmp(p, "processor", 9) && (p[9] == '\t' || p[9] == ' ' || p[9] == ':'))
			count++;
		p = strchr(p, '\n');
		if (p)
			p++;
	}
	if (!count)
		return "no processor";
	if (r->constant && r->constant != count)
		return "the number of processors changed";
	r->constant = count;
	return NULL;
}

/* "MOMENT NUMBER\n": the same moment in each line, and no line is missing. */
static const char *check_whole(struct reader *r)
{
	uint64_t first = 0, moment, line, expected = 0;
	const char *p = r->buf;

	for (; *p; expected++) {
		if (!number(&p, &moment) || *p++ != ' ' || !number(&p, &line) || *p++ != '\n')
			return "a line that is not one";
		if (expected == 0)
			first = moment;
		if (moment != first)
			return "lines of two moments";
		if (line != expected)
			return "a line is missing";
	}
	if (r->constant && r->constant != expected)
		return "the number of lines changed";
	r->constant = expected;
	return NULL;
}

static void check(struct reader *r, size_t len)
{
	const char *wrong = NULL;

	r->buf[len] = '\0';
	if (!len)
		wrong = "empty";
	else if (strlen(r->buf) != len)
		wrong = "a NUL in it";
	else if (r->buf[len - 1] != '\n')
		wrong = "no newline at the end";
	else if (!strcmp(r->name, "uptime"))
		wrong = check_uptime(r);
	else if (!strcmp(r->name, "meminfo"))
		wrong = check_meminfo(r);
	else if (!strcmp(r->name, "cpuinfo"))
		wrong = check_cpuinfo(r);
	else if (!strcmp(r->name, "lxcfsd_whole"))
		wrong = check_whole(r);
	if (wrong) {
		atomic_fetch_add(&r->account->torn, 1);
		complain(r, wrong, r->buf, len);
	}
}

/* ------------------------------------------------------------ one round */

static void read_to_end(struct reader *r, int fd, size_t step)
{
	size_t len = 0;

	while (len < BUFFER - 1) {
		size_t want = BUFFER - 1 - len;
		ssize_t n;

		begin(r);
		n = read(fd, r->buf + len, want < step ? want : step);
		end(r);
		if (n < 0) {
			failed(r, "read");
			return;
		}
		if (n == 0) {
			check(r, len);
			return;
		}
		len += (size_t)n;
	}
}

static int open_it(struct reader *r)
{
	int fd;

	begin(r);
	fd = open(r->path, O_RDONLY | O_CLOEXEC);
	end(r);
	if (fd < 0)
		failed(r, "open");
	return fd;
}

static void open_read_close(struct reader *r)
{
	struct stat st;
	int fd = open_it(r), n;

	if (fd < 0)
		return;
	begin(r);
	n = fstat(fd, &st);
	end(r);
	if (n)
		failed(r, "fstat");
	read_to_end(r, fd, r->style == 1 ? r->step : BUFFER);
	begin(r);
	n = close(fd);
	end(r);
	if (n)
		failed(r, "close");
}

static void read_again(struct reader *r, int *fd)
{
	ssize_t n;

	if (*fd < 0)
		*fd = open_it(r);
	if (*fd < 0)
		return;
	begin(r);
	n = pread(*fd, r->buf, BUFFER - 1, 0);
	end(r);
	if (n < 0)
		failed(r, "pread");
	else
		check(r, (size_t)n);
}

/* As a container has it: what is ours bound over the host's own, the mount itself gone. */
static int own_namespace(struct reader *r, const char *mountpoint, const char *file, bool directory)
{
	char target[PATH_MAX];

	snprintf(target, sizeof(target), "/%s", file);
	if (directory)
		strcpy(target, "/sys"); /* one that is everywhere */
	else if (access(target, F_OK))
		strcpy(target, "/proc/version");
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return -1;
	if (directory)
		r->path[strlen(r->path) - strlen(r->name) - 1] = '\0';
	if (mount(r->path, target, NULL, MS_BIND, NULL) || umount2(mountpoint, MNT_DETACH))
		return -1;
	snprintf(r->path, sizeof(r->path), directory ? "%s/%s" : "%s", target, r->name);
	return 0;
}

static void run_reader(struct reader *r, const char *mountpoint, const char *file, int i)
{
	int fd = -1;

	signal(SIGTERM, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	r->buf = malloc(BUFFER);
	if (!r->buf || (i % 2 == 1 && own_namespace(r, mountpoint, file, i % 4 == 3))) {
		fprintf(stderr, "readload: cannot prepare %s: %s\n", r->path, strerror(errno));
		_exit(2);
	}
	while (!atomic_load(&shared->stop)) {
		if (r->style == 2)
			read_again(r, &fd);
		else
			open_read_close(r);
		atomic_store(&r->account->ready, true);
		if (pause_us)
			usleep(pause_us);
	}
	_exit(0);
}

/* ------------------------------------------------------------ the parent */

/* Marks those who have been in one call for too long.  How many are ready? */
static int look(int readers, uint64_t hang_ns)
{
	uint64_t since, now = now_ns();
	int i, ready = 0;

	for (i = 0; i < readers; i++) {
		struct account *a = &shared->account[i];

		since = atomic_load(&a->busy_since);
		if (since && now > since && now - since > hang_ns)
			atomic_store(&a->hung, true);
		ready += atomic_load(&a->ready);
	}
	return ready;
}

/* What the machine makes anybody wait, whatever he does. */
static void doze(unsigned int us)
{
	uint64_t began = now_ns(), took;

	usleep(us);
	took = now_ns() - began;
	if (took > us * 1000u && took - us * 1000u > shared->noise_ns)
		shared->noise_ns = took - us * 1000u;
}

/* Waits until all have ended or are known to hang; kills the latter and goes. */
static bool collect(pid_t pids[], int readers, uint64_t hang_ns)
{
	uint64_t limit = now_ns() + hang_ns + 1000000000u;
	int i, left = readers, status;
	bool fine = true;

	atomic_store(&shared->stop, true);
	while (left && now_ns() < limit) {
		for (i = 0; i < readers; i++) {
			if (pids[i] <= 0 || waitpid(pids[i], &status, WNOHANG) != pids[i])
				continue;
			pids[i] = 0;
			left--;
			fine = fine && WIFEXITED(status) && WEXITSTATUS(status) == 0;
		}
		look(readers, hang_ns);
		usleep(2000);
	}
	for (i = 0; i < readers; i++) {
		if (pids[i] <= 0)
			continue;
		atomic_store(&shared->account[i].hung, true);
		kill(pids[i], SIGKILL);
	}
	return fine;
}

/* The longest call, also one that is not over. */
static uint64_t stall_of(struct account *a)
{
	uint64_t stall = atomic_load(&a->max_ns), since = atomic_load(&a->busy_since);
	uint64_t now = now_ns();

	return since && now > since && now - since > stall ? now - since : stall;
}

static int report(int readers)
{
	uint64_t ops = 0, fails = 0, torn = 0, over = 0, max_ns = 0, by[ERRNOS] = { 0 };
	int i, e, hung = 0;
	const char *sep = "";

	for (i = 0; i < readers; i++) {
		struct account *a = &shared->account[i];
		uint64_t stall = stall_of(a);

		if (stall > max_ns)
			max_ns = stall;
		ops += atomic_load(&a->ops);
		torn += atomic_load(&a->torn);
		over += atomic_load(&a->over);
		hung += atomic_load(&a->hung);
		for (e = 0; e < ERRNOS; e++) {
			by[e] += atomic_load(&a->failed[e]);
			fails += atomic_load(&a->failed[e]);
		}
		if (a->first[0])
			fprintf(stderr, "readload: reader %d: %s\n", i, a->first);
	}
	printf("{\"readers\":%d,\"ops\":%llu,\"failed\":%llu,\"torn\":%llu,\"max_stall_ms\":%.1f,"
	       "\"hung\":%d,\"errors\":{",
	       readers, (unsigned long long)ops, (unsigned long long)fails,
	       (unsigned long long)torn, (double)max_ns / 1e6, hung);
	for (e = 0; e < ERRNOS; e++) {
		if (!by[e])
			continue;
		printf("%s\"%s\":%llu", sep, e ? strerrorname_np(e) : "other",
		       (unsigned long long)by[e]);
		sep = ",";
	}
	printf("},\"noise_ms\":%.1f,\"over\":%llu,\"stall_ms\":[", (double)shared->noise_ns / 1e6,
	       (unsigned long long)over);
	for (i = 0; i < readers; i++)
		printf("%s%.1f", i ? "," : "", (double)stall_of(&shared->account[i]) / 1e6);
	printf("]}\n");
	return fails || torn || hung || !ops;
}

static void touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd >= 0)
		close(fd);
}

static int usage(void)
{
	fprintf(stderr, "usage: readload [--readers N] [--seconds S] [--hang-ms MS] "
			"[--pause-ms MS] [--tell-ms MS] [--target-ms MS] [--ready FILE] "
			"MOUNTPOINT [FILE]...\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const char *const defaults[] = { "proc/uptime", "proc/meminfo", "proc/cpuinfo" };
	const char *const *files = defaults, *mountpoint, *ready_file = NULL;
	uint64_t hang_ns = 5000000000u, end = 0;
	int readers = 8, file_count = 3, i, arg;
	static pid_t pids[MAX_READERS];
	double seconds = 0;
	bool said = false, fine;

	for (arg = 1; arg + 1 < argc && !strncmp(argv[arg], "--", 2); arg += 2) {
		if (!strcmp(argv[arg], "--readers"))
			readers = atoi(argv[arg + 1]);
		else if (!strcmp(argv[arg], "--seconds"))
			seconds = atof(argv[arg + 1]);
		else if (!strcmp(argv[arg], "--hang-ms"))
			hang_ns = strtoull(argv[arg + 1], NULL, 10) * 1000000u;
		else if (!strcmp(argv[arg], "--pause-ms"))
			pause_us = (useconds_t)strtoul(argv[arg + 1], NULL, 10) * 1000;
		else if (!strcmp(argv[arg], "--tell-ms"))
			tell_ns = strtoull(argv[arg + 1], NULL, 10) * 1000000u;
		else if (!strcmp(argv[arg], "--target-ms"))
			target_ns = strtoull(argv[arg + 1], NULL, 10) * 1000000u;
		else if (!strcmp(argv[arg], "--ready"))
			ready_file = argv[arg + 1];
		else
			return usage();
	}
	if (arg >= argc || readers < 1 || readers > MAX_READERS)
		return usage();
	mountpoint = argv[arg++];
	if (arg < argc) {
		files = (const char *const *)&argv[arg];
		file_count = argc - arg;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 2;
	signal(SIGTERM, on_term);
	signal(SIGINT, on_term);
	fflush(stdout);
	for (i = 0; i < readers; i++) {
		static struct reader r;
		const char *file = files[i % file_count], *slash = strrchr(file, '/');

		memset(&r, 0, sizeof(r));
		r.account = &shared->account[i];
		r.name = slash ? slash + 1 : file;
		r.style = i / 2 % 3;
		r.step = strcmp(r.name, "uptime") ? 64 : 3;
		snprintf(r.path, sizeof(r.path), "%s/%s", mountpoint, file);
		pids[i] = fork();
		if (pids[i] == 0)
			run_reader(&r, mountpoint, file, i);
		if (pids[i] < 0)
			return 2;
	}
	if (seconds > 0)
		end = now_ns() + (uint64_t)(seconds * 1e9);
	while (!terminated && (!end || now_ns() < end)) {
		if (look(readers, hang_ns) == readers && !said && ready_file) {
			/* who begins on a busy machine waits for it, not for us */
			for (i = 0; i < readers; i++) {
				atomic_store(&shared->account[i].max_ns, 0);
				atomic_store(&shared->account[i].over, 0);
			}
			touch(ready_file);
			said = true;
		}
		for (i = 0; i < readers; i++) {
			int status;

			if (pids[i] > 0 && waitpid(pids[i], &status, WNOHANG) == pids[i]) {
				fprintf(stderr, "readload: reader %d ended (status %#x)\n", i,
					(unsigned int)status);
				for (i = 0; i < readers; i++)
					if (pids[i] > 0)
						kill(pids[i], SIGKILL);
				return 2;
			}
		}
		doze(5000);
	}
	fine = collect(pids, readers, hang_ns);
	i = report(readers);
	return fine ? i : 2;
}
