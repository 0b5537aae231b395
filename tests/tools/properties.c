/* SPDX-License-Identifier: MIT */
/*
 * properties - reads a container's files round after round and checks what must
 * hold in each, whatever is done to the container and to the daemon.
 *
 *	properties [--readers N] [--rounds N] [--cpus N] [--moment FILE]
 *		   [--keep DIR] [--every N] [--inside yes] ROOT
 *
 * Files are relative to ROOT: / in a container, the mount point outside of one.  The
 * rounds are those of all readers together.  FILE has an even number while nobody
 * changes the container's CPUs: a round within such a moment sees the same ones in
 * all files.  With as many CPUs as --cpus says no CPU is hidden, and the first line of
 * stat is exactly the sum of the others; else it is at least that.  Each N-th round's
 * texts are kept in DIR: for tests/golden/properties.awk, which knows more.  --inside:
 * in a process namespace of its own nothing counts more processes than have numbers.
 *
 * Counters are compared with what any reader had seen before the file was opened.
 * Prints what is broken, and how many rounds were read; exit status 1 when it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	READERS_MAX = 16,
	CPUS_MAX = 256,
	COLUMNS = 10,
	IDLE_COLUMN = 3,
	BUFFER = 1 << 20,
	COMPLAINTS_MAX = 10,
	FORK_EVERY = 20,
};

/* What never goes backwards; the idle time of uptime is that of stat's first line. */
enum {
	UP,
	PROCESSES,
	TOTAL,
	LINES = TOTAL + COLUMNS,
	COUNTERS = LINES + CPUS_MAX * COLUMNS,
};

struct shared {
	_Atomic uint64_t left, done, quiet, complaints;
	_Atomic uint64_t seen[COUNTERS];
};

struct options {
	uint64_t readers, rounds, cpus, every;
	const char *moment, *keep, *inside, *root;
};

struct reader {
	unsigned int number;
	uint64_t round;
	const char *name; /* of the file that is read */
	char *buf;
	uint64_t before[COUNTERS];
	char cpus[3][4096]; /* numbers in online, stat, cpuinfo */
	uint64_t processes, last_pid;
};

static struct options options = { .readers = 1, .rounds = 1, .every = UINT64_MAX };
static struct shared *shared;

static void broken(const struct reader *r, const char *what)
{
	if (atomic_fetch_add(&shared->complaints, 1) < COMPLAINTS_MAX)
		printf("reader %u, round %llu, %s: %s\n%.3000s\n", r->number,
		       (unsigned long long)r->round, r->name, what, r->buf);
	fflush(stdout);
}

/* ----------------------------------------------------------------- reading */

static bool number(const char **p, uint64_t *ret)
{
	const char *s = *p;
	uint64_t value = 0;

	while (*s >= '0' && *s <= '9')
		value = value * 10 + (uint64_t)(*s++ - '0');
	if (s == *p || s - *p > 19)
		return false;
	*p = s;
	*ret = value;
	return true;
}

static bool literal(const char **p, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*p, text, len) != 0)
		return false;
	*p += len;
	return true;
}

/* "12.34" as 1234. */
static bool hundredths(const char **p, uint64_t *ret)
{
	uint64_t whole, part;
	const char *dot;

	if (!number(p, &whole) || !literal(p, "."))
		return false;
	dot = *p;
	if (!number(p, &part) || *p - dot != 2)
		return false;
	*ret = whole * 100 + part;
	return true;
}

static const char *next_line(const char *p)
{
	p = strchr(p, '\n');
	return p ? p + 1 : "";
}

static void keep(const struct reader *r, size_t len)
{
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/%s.%u.%llu", options.keep, r->name, r->number,
		 (unsigned long long)r->round);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, r->buf, len) != (ssize_t)len)
		broken(r, "cannot be kept");
	if (fd >= 0)
		close(fd);
}

/* The whole text; a third of the rounds reads it in pieces. */
static bool slurp(struct reader *r, const char *file)
{
	size_t len = 0, step = r->round % 3 ? BUFFER : 251;
	char path[PATH_MAX];
	ssize_t n = 1;
	int fd;

	r->name = strrchr(file, '/') + 1;
	r->buf[0] = '\0';
	for (int i = 0; i < COUNTERS; i++)
		r->before[i] = atomic_load_explicit(&shared->seen[i], memory_order_relaxed);
	snprintf(path, sizeof(path), "%s/%s", options.root, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && n > 0 && len < BUFFER - 1) {
		size_t room = BUFFER - 1 - len;

		n = read(fd, r->buf + len, room < step ? room : step);
		len += n > 0 ? (size_t)n : 0;
	}
	r->buf[len] = '\0';
	if (fd < 0 || n < 0)
		broken(r, strerror(errno));
	else if (len == 0 || r->buf[len - 1] != '\n' || strlen(r->buf) != len)
		broken(r, "it does not end in a newline, or is no text");
	else if (options.keep && r->round % options.every == 0)
		keep(r, len);
	if (fd >= 0)
		close(fd);
	return fd >= 0 && n == 0 && len > 0;
}

/* -------------------------------------------------------- what must be true */

static void counts(struct reader *r, size_t counter, uint64_t value)
{
	uint64_t seen = atomic_load(&shared->seen[counter]);

	char what[128];

	if (value < r->before[counter]) {
		snprintf(what, sizeof(what), "counter %zu went backwards, from %llu to %llu",
			 counter, (unsigned long long)r->before[counter],
			 (unsigned long long)value);
		broken(r, what);
	}
	while (seen < value && !atomic_compare_exchange_weak(&shared->seen[counter], &seen, value))
		;
}

static void add_cpu(char *list, size_t size, uint64_t id)
{
	size_t len = strlen(list);

	snprintf(list + len, size - len, "%llu ", (unsigned long long)id);
}

static const char *const keys[] = { "MemTotal",	      "MemFree",	"MemAvailable",
				    "Buffers",	      "Cached",		"Slab",
				    "SReclaimable",   "SUnreclaim",	"Active",
				    "Active(anon)",   "Active(file)",	"Inactive",
				    "Inactive(anon)", "Inactive(file)", "SwapTotal",
				    "SwapFree",	      "Shmem",		"Mapped" };
enum {
	TOTAL_KB,
	FREE,
	AVAILABLE,
	BUFFERS,
	CACHED,
	SLAB,
	RECLAIMABLE,
	UNRECLAIM,
	ACTIVE,
	ACTIVE_ANON,
	ACTIVE_FILE,
	INACTIVE,
	INACTIVE_ANON,
	INACTIVE_FILE,
	SWAP_TOTAL,
	SWAP_FREE,
	SHMEM,
	MAPPED,
	KEYS,
};

static void check_meminfo(struct reader *r)
{
	uint64_t kb[KEYS] = { 0 }, value;
	const char *p = r->buf, *key, *end;

	while (*p) {
		key = p;
		end = strchr(p, ':');
		p = end ? end + 1 + strspn(end + 1, " ") : p;
		if (!end || !number(&p, &value)) {
			broken(r, "not a line of meminfo");
			return;
		}
		literal(&p, " kB");
		if (!literal(&p, "\n"))
			broken(r, "a line with something more");
		for (int i = 0; i < KEYS; i++)
			if (strlen(keys[i]) == (size_t)(end - key) &&
			    memcmp(keys[i], key, (size_t)(end - key)) == 0)
				kb[i] = value;
	}
	if (kb[TOTAL_KB] == 0 || kb[FREE] > kb[AVAILABLE] || kb[AVAILABLE] > kb[TOTAL_KB])
		broken(r, "not MemFree <= MemAvailable <= MemTotal");
	if (kb[FREE] + kb[BUFFERS] + kb[CACHED] + kb[SLAB] > kb[TOTAL_KB])
		broken(r, "MemFree + Buffers + Cached + Slab is more than MemTotal");
	if (kb[SWAP_FREE] > kb[SWAP_TOTAL])
		broken(r, "SwapFree is more than SwapTotal");
	if (kb[SHMEM] > kb[CACHED] || kb[MAPPED] > kb[CACHED])
		broken(r, "Shmem or Mapped is more than Cached");
	if (kb[ACTIVE] != kb[ACTIVE_ANON] + kb[ACTIVE_FILE] ||
	    kb[INACTIVE] != kb[INACTIVE_ANON] + kb[INACTIVE_FILE] ||
	    kb[SLAB] != kb[RECLAIMABLE] + kb[UNRECLAIM])
		broken(r, "parts do not add up to the whole");
}

static void check_online(struct reader *r)
{
	const char *p = r->buf;
	uint64_t id, last;

	do {
		if (!number(&p, &id)) {
			broken(r, "not a list of CPUs");
			return;
		}
		last = id;
		if (literal(&p, "-") && (!number(&p, &last) || last <= id || last >= CPUS_MAX)) {
			broken(r, "not a range");
			return;
		}
		while (id <= last)
			add_cpu(r->cpus[0], sizeof(r->cpus[0]), id++);
	} while (literal(&p, ","));
	if (strcmp(p, "\n") != 0)
		broken(r, "not one line");
}

static bool columns(const char **p, uint64_t column[COLUMNS])
{
	for (int i = 0; i < COLUMNS; i++)
		if (!literal(p, " ") || !number(p, &column[i]))
			return false;
	return literal(p, "\n");
}

/* The lines of the CPUs; *p behind them. */
static bool check_cpus(struct reader *r, const char **p)
{
	uint64_t total[COLUMNS], column[COLUMNS], sum[COLUMNS] = { 0 }, id, next = 0, n = 0;

	if (!literal(p, "cpu ") || !columns(p, total))
		return false;
	for (; literal(p, "cpu"); n++, next = id + 1) {
		if (!number(p, &id) || id < next || id >= CPUS_MAX || !columns(p, column))
			return false;
		add_cpu(r->cpus[1], sizeof(r->cpus[1]), id);
		for (size_t i = 0; i < COLUMNS; i++) {
			counts(r, LINES + id * COLUMNS + i, column[i]);
			sum[i] += column[i];
		}
	}
	for (size_t i = 0; i < COLUMNS; i++) {
		counts(r, TOTAL + i, total[i]);
		if (total[i] < sum[i] || (n == options.cpus && total[i] != sum[i]))
			broken(r, "the first line is not the sum of the others");
	}
	return n > 0;
}

static void check_stat(struct reader *r)
{
	const char *p = r->buf;

	if (!check_cpus(r, &p))
		broken(r, "not lines of CPUs in ascending order, of ten columns each");
	for (; *p; p = next_line(p)) {
		if (!literal(&p, "processes "))
			continue;
		if (!number(&p, &r->processes))
			broken(r, "no number of processes");
		else
			counts(r, PROCESSES, r->processes);
	}
}

static void check_cpuinfo(struct reader *r)
{
	uint64_t id;

	for (const char *p = r->buf; *p; p = next_line(p)) {
		if (!literal(&p, "processor"))
			continue;
		p += strspn(p, "\t :");
		if (number(&p, &id))
			add_cpu(r->cpus[2], sizeof(r->cpus[2]), id);
	}
}

static void check_uptime(struct reader *r)
{
	const char *p = r->buf;
	uint64_t up, idle;

	if (!hundredths(&p, &up) || !literal(&p, " ") || !hundredths(&p, &idle) ||
	    strcmp(p, "\n") != 0) {
		broken(r, "not two numbers with two decimals");
		return;
	}
	counts(r, UP, up);
	counts(r, TOTAL + IDLE_COLUMN, idle); /* a tick is a hundredth, too */
}

static void check_loadavg(struct reader *r)
{
	const char *p = r->buf;
	uint64_t average, running, threads;

	for (int i = 0; i < 3; i++) {
		if (!hundredths(&p, &average) || !literal(&p, " ")) {
			broken(r, "not three averages");
			return;
		}
	}
	if (!number(&p, &running) || !literal(&p, "/") || !number(&p, &threads) ||
	    !literal(&p, " ") || !number(&p, &r->last_pid) || strcmp(p, "\n") != 0)
		broken(r, "not RUNNING/THREADS PID");
	else if (running == 0 || running > threads)
		broken(r, "nobody runs, or more than there are");
}

/* ------------------------------------------------------------------- rounds */

static uint64_t moment(void)
{
	char text[32] = "";
	const char *p = text;
	uint64_t value = 1;
	int fd = options.moment ? open(options.moment, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0 || !number(&p, &value))
			value = 1;
		close(fd);
	}
	return value;
}

static void compare_cpus(struct reader *r)
{
	r->name = "stat, cpuinfo and online";
	snprintf(r->buf, BUFFER, "online %s\nstat %s\ncpuinfo %s", r->cpus[0], r->cpus[1],
		 r->cpus[2]);
	if (strcmp(r->cpus[0], r->cpus[1]) != 0 || strcmp(r->cpus[0], r->cpus[2]) != 0)
		broken(r, "they disagree");
}

/* A new process has the highest number that there is.  While none is known, stat counts
 * whoever is in the cgroup. */
static void compare_numbers(struct reader *r)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	r->name = "stat and loadavg";
	snprintf(r->buf, BUFFER, "processes %llu, last %llu, mine %d",
		 (unsigned long long)r->processes, (unsigned long long)r->last_pid, (int)pid);
	if (pid < 0 || waitpid(pid, NULL, 0) != pid)
		broken(r, "cannot fork");
	else if (r->last_pid > (uint64_t)pid || (r->last_pid > 0 && r->processes > (uint64_t)pid))
		broken(r, "more processes than have numbers");
}

static void one_round(struct reader *r)
{
	static const struct {
		const char *file;
		void (*check)(struct reader *r);
	} files[] = {
		{ "proc/meminfo", check_meminfo },
		{ "sys/devices/system/cpu/online", check_online },
		{ "proc/stat", check_stat },
		{ "proc/cpuinfo", check_cpuinfo },
		{ "proc/uptime", check_uptime },
		{ "proc/loadavg", check_loadavg },
	};
	uint64_t began = moment();

	memset(r->cpus, 0, sizeof(r->cpus));
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (slurp(r, files[i].file))
			files[i].check(r);
	if (began % 2 == 0 && moment() == began) {
		compare_cpus(r);
		atomic_fetch_add(&shared->quiet, 1);
	}
	if (options.inside && r->round % FORK_EVERY == 0)
		compare_numbers(r);
	atomic_fetch_add(&shared->done, 1);
}

static void run_reader(unsigned int n)
{
	static struct reader reader;
	uint64_t left;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	reader.number = n;
	reader.buf = malloc(BUFFER);
	if (!reader.buf)
		_exit(2);
	for (left = atomic_load(&shared->left); left > 0;) {
		if (!atomic_compare_exchange_weak(&shared->left, &left, left - 1))
			continue;
		reader.round = left;
		one_round(&reader);
		left = atomic_load(&shared->left);
	}
	_exit(0);
}

static bool take_option(const char *key, const char *value)
{
	static const struct {
		const char *key;
		uint64_t *number;
		const char **text;
	} all[] = {
		{ "--readers", &options.readers, NULL }, { "--rounds", &options.rounds, NULL },
		{ "--cpus", &options.cpus, NULL },	 { "--every", &options.every, NULL },
		{ "--moment", NULL, &options.moment },	 { "--keep", NULL, &options.keep },
		{ "--inside", NULL, &options.inside },
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (strcmp(all[i].key, key) != 0)
			continue;
		if (all[i].text)
			*all[i].text = value;
		return all[i].text || (number(&value, all[i].number) && *all[i].number > 0);
	}
	return false;
}

int main(int argc, char **argv)
{
	bool fine = true;
	pid_t pids[READERS_MAX];
	int status, arg = 1;

	while (arg + 1 < argc && take_option(argv[arg], argv[arg + 1]))
		arg += 2;
	if (arg + 1 != argc || options.readers > READERS_MAX) {
		fprintf(stderr, "usage: properties [--KEY VALUE]... ROOT\n");
		return 2;
	}
	options.root = argv[arg];
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return 2;
	atomic_store(&shared->left, options.rounds);
	for (unsigned int i = 0; i < options.readers; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			return 2;
		if (pids[i] == 0)
			run_reader(i);
	}
	/* as a container's init it has other children, too */
	for (unsigned int i = 0; i < options.readers; i++)
		fine = waitpid(pids[i], &status, 0) == pids[i] && WIFEXITED(status) &&
		       WEXITSTATUS(status) == 0 && fine;
	printf("%llu rounds, %llu quiet, %llu broken\n",
	       (unsigned long long)atomic_load(&shared->done),
	       (unsigned long long)atomic_load(&shared->quiet),
	       (unsigned long long)atomic_load(&shared->complaints));
	return !fine || atomic_load(&shared->complaints) || !atomic_load(&shared->done);
}
