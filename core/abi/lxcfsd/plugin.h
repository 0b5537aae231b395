/* SPDX-License-Identifier: MIT */
/*
 * lxcfsd/plugin.h - what a plugin and lxcfsd promise each other.
 *
 * A plugin is a shared object that exports one constant object, lxcfsd_plugin.
 * It says which files it serves; for each there is a function that writes the
 * whole content for one reader.  It may also serve trees: directories whose very
 * entries depend on the reader.  Everything else is the daemon's: offsets,
 * snapshots, locking, who the reader is, caching, limits, fall-back, metrics.
 *
 * The promise: the object begins with `abi` and `size`.  The daemon copies what
 * it knows of and takes the rest as 0, so fields are only ever appended, to the
 * object and to the structures in its arrays (each with a size of its own).  A
 * plugin built against this header keeps loading until LXCFSD_ABI changes.
 *
 * The rules: no constructors, no threads, no timers, no signal handlers, no
 * mutable globals.  render() may be called by several threads at once; what
 * init() made is read-only from then on.  A plugin links to the C library only.
 *
 * Longer than other files, because it is all that a plugin's author has to read.
 */
#ifndef LXCFSD_PLUGIN_H
#define LXCFSD_PLUGIN_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LXCFSD_ABI 1

/* The one symbol of a plugin, visible also under -fvisibility=hidden. */
#define LXCFSD_EXPORT __attribute__((visibility("default")))

/* A limit that nobody has set, and a value that the kernel does not give. */
#define LXCFSD_NO_LIMIT UINT64_MAX
#define LXCFSD_UNKNOWN	UINT64_MAX

/*
 * What render() returns when this reader has no view of its own (it is to see
 * the host's file).  0 is success, anything below 0 is -errno and leads to the
 * fall-back that the administrator chose, which is counted and shown.
 */
#define LXCFSD_NO_VIEW 1

/* One read by one container.  Opaque; valid until render() returns. */
struct lxcfsd_request;

/* Text that is lent: `len` bytes and a NUL that is not counted. */
struct lxcfsd_text {
	const char *data;
	size_t len;
};

/* ---------------------------------------------------------------- output */

/*
 * Where render() writes.  The error is sticky: write without checking, the
 * daemon looks once.  What does not fit is never cut: -ENOSPC makes the daemon
 * call render() again with a larger buffer, up to 4 MiB.
 */
struct lxcfsd_out {
	char *buf;
	size_t len;
	size_t cap;
	int err; /* 0 or -errno */
};

static inline void lxcfsd_put(struct lxcfsd_out *out, const void *bytes, size_t len)
{
	if (out->err)
		return;
	if (len > out->cap - out->len) {
		out->err = -ENOSPC;
		return;
	}
	memcpy(out->buf + out->len, bytes, len);
	out->len += len;
}

static inline void lxcfsd_puts(struct lxcfsd_out *out, const char *text)
{
	lxcfsd_put(out, text, strlen(text));
}

static inline void __attribute__((format(printf, 2, 3)))
lxcfsd_printf(struct lxcfsd_out *out, const char *format, ...)
{
	va_list args;
	int n;

	if (out->err)
		return;
	va_start(args, format);
	n = vsnprintf(out->buf + out->len, out->cap - out->len, format, args);
	va_end(args);
	if (n < 0)
		out->err = -EIO;
	else if ((size_t)n >= out->cap - out->len)
		out->err = -ENOSPC;
	else
		out->len += (size_t)n;
}

/* ------------------------------------------------------- entries of trees */

enum lxcfsd_type {
	LXCFSD_DIR = 1,
	LXCFSD_REG,
	LXCFSD_LINK,
};

/* What a name in a directory stands for. */
struct lxcfsd_entry {
	uint32_t type; /* enum lxcfsd_type */
	uint32_t mode; /* permission bits of a file, at most 0444 */
};

/* The same where names come and go. */
struct lxcfsd_found {
	struct lxcfsd_entry entry; /* the mode of a directory as well, any of 0777 */
	uint32_t uid, gid;	   /* as the host has them */
	/* What the name stands for now: another number when it is another thing, of this
	 * container or of any other.  0: the same for all. */
	uint64_t object;
	uint64_t reserved[4]; /* 0 */
};

/* What somebody asks to be changed in a tree. */
enum lxcfsd_change_kind {
	LXCFSD_CHANGE_OPEN = 1, /* a file, to write to it later */
	LXCFSD_CHANGE_WRITE,	/* bytes, len */
	LXCFSD_CHANGE_MKDIR,	/* mode; `below` is what it is to be called */
	LXCFSD_CHANGE_RMDIR,
	LXCFSD_CHANGE_OWNER, /* uid, gid: UINT32_MAX leaves it */
	LXCFSD_CHANGE_MODE,  /* mode */
};

struct lxcfsd_change {
	uint32_t kind; /* enum lxcfsd_change_kind */
	uint32_t mode; /* permission bits */
	uint32_t uid, gid;
	const char *bytes;
	size_t len;
	uint64_t reserved[4]; /* 0 */
};

/* One name of a listing: its type, its bytes and a NUL. */
static inline void lxcfsd_name(struct lxcfsd_out *out, uint32_t type, const char *name)
{
	const char byte = (char)type;

	lxcfsd_put(out, &byte, 1);
	lxcfsd_put(out, name, strlen(name) + 1);
}

/* The next name of a listing, taken off `rest`; NULL at the end and when what
 * follows is none. */
static inline const char *lxcfsd_next_name(struct lxcfsd_text *rest, uint32_t *ret_type)
{
	const char *name = rest->data + 1, *end;

	end = rest->len > 1 ? (const char *)memchr(name, '\0', rest->len - 1) : NULL;
	if (!end)
		return NULL;
	*ret_type = (unsigned char)rest->data[0];
	rest->len -= (size_t)(end + 1 - rest->data);
	rest->data = end + 1;
	return name;
}

/* --------------------------------------------------------------- options */

enum lxcfsd_opt_type {
	LXCFSD_BOOL = 1, /* yes, no, true, false, on, off, 1, 0: value .u is 1 or 0 */
	LXCFSD_UINT,	 /* decimal, from min to max: value .u */
	LXCFSD_ENUM,	 /* one word of `choices`: value .u is its index */
	LXCFSD_STRING,	 /* any text, at most max bytes when max is not 0: value .s */
};

/* In the flags of an option: only init() looks at it, so it is the same for all
 * containers. */
#define LXCFSD_OPT_INIT (1u << 0)

/* One key of the plugin's section in lxcfsd.ini.  The daemon parses and checks
 * it, and prints it in `lxcfsd --help-config`. */
struct lxcfsd_opt {
	const char *key;
	uint32_t type;	     /* enum lxcfsd_opt_type */
	uint32_t flags;	     /* LXCFSD_OPT_INIT */
	const char *def;     /* as it would stand in the file */
	const char *choices; /* LXCFSD_ENUM: words with blanks between them */
	uint64_t min, max;
	const char *help; /* one line */
};

/* The value of opts[i] stands at index i.  init() is given those of the plugin's
 * section; render() those that hold for the reader's container, which a [match] section
 * may have changed. */
union lxcfsd_value {
	uint64_t u;
	const char *s;
};

/* -------------------------------------------------------------- services */

/* Controllers whose cgroup decides what a file shows. */
enum lxcfsd_controller {
	LXCFSD_CPU = 1 << 0,
	LXCFSD_CPUACCT = 1 << 1,
	LXCFSD_CPUSET = 1 << 2,
	LXCFSD_MEMORY = 1 << 3,
	LXCFSD_IO = 1 << 4,
	LXCFSD_PIDS = 1 << 5,
	LXCFSD_HUGETLB = 1 << 6,
};

/*
 * Limits: the minimum over the container's cgroup and all its ancestors, or
 * LXCFSD_NO_LIMIT (also where the controller is missing).
 */
enum lxcfsd_limit {
	LXCFSD_MEM_MAX = 1, /* bytes: v2 memory.max, v1 memory.limit_in_bytes */
	LXCFSD_SWAP_MAX,    /* bytes: v2 memory.swap.max; none on v1 */
	LXCFSD_MEMSW_MAX,   /* bytes: v1 memory.memsw.limit_in_bytes; none on v2 */
	LXCFSD_CPU_QUOTA,   /* millionths of a CPU: quota / period */
	LXCFSD_PIDS_MAX,    /* tasks */
};

/*
 * Usage of the container's own cgroup and what is below it, or LXCFSD_UNKNOWN.
 * An ancestor's usage is other tenants' and never given.
 */
enum lxcfsd_usage {
	LXCFSD_MEM_CURRENT = 1, /* bytes */
	LXCFSD_SWAP_CURRENT,	/* bytes; v1: memsw usage less memory usage, at least 0 */
	LXCFSD_CPU_USAGE,	/* nanoseconds of CPU time */
	LXCFSD_PIDS_CURRENT,	/* tasks */
	LXCFSD_SWAPPINESS,	/* v1 memory.swappiness; unknown on v2 */
};

/* Files of `key value` lines, of the container's own cgroup. */
enum lxcfsd_stat {
	LXCFSD_MEMORY_STAT = 1, /* bytes and events: memory.stat */
	LXCFSD_CPU_STAT,	/* v2 cpu.stat, v1 cpuacct.stat */
};

/*
 * Control files of the container's own cgroup that are given whole.  As with
 * usage, the root's and an ancestor's are other tenants' and never given.  Nor is
 * io.stat or pressure on a hybrid host when the container's path on cgroup2 is
 * another than that on v1's memory (else cpu): others may be in that cgroup, too.
 */
enum lxcfsd_control {
	LXCFSD_IO_STAT = 1, /* v2 io.stat */
	/* v1 blkio, each with _recursive at its end */
	LXCFSD_BFQ_BYTES,      /* blkio.bfq.io_service_bytes */
	LXCFSD_BFQ_COUNT,      /* blkio.bfq.io_serviced */
	LXCFSD_THROTTLE_BYTES, /* blkio.throttle.io_service_bytes, or without it */
	LXCFSD_THROTTLE_COUNT, /* blkio.throttle.io_serviced, likewise */
	LXCFSD_CFQ_BYTES,      /* blkio.io_service_bytes */
	LXCFSD_CFQ_COUNT,      /* blkio.io_serviced */
	/* cgroup2's cpu.pressure and so on, whatever controllers it carries */
	LXCFSD_CPU_PRESSURE,
	LXCFSD_MEMORY_PRESSURE,
	LXCFSD_IO_PRESSURE,
	LXCFSD_IRQ_PRESSURE,
	LXCFSD_KMEM_SLABINFO, /* v1 memory.kmem.slabinfo */
	LXCFSD_NUMA_STAT,     /* memory.numa_stat: v1 and v2 differ in their form */
};

/* What a key is called on cgroup2 and on cgroup v1; NULL: there is none. */
struct lxcfsd_key {
	const char *v2;
	const char *v1;
};

/* The CPUs that the container sees, ascending, in the host's numbers.  With
 * `dense` the n-th of them is shown as CPU n. */
struct lxcfsd_cpus {
	const uint32_t *ids;
	uint32_t count; /* at least 1 */
	bool dense;
};

/* What CPUs did, in nanoseconds.  Never goes backwards. */
struct lxcfsd_cpu_time {
	uint64_t user, nice, system, idle;
	uint64_t steal; /* was held back by the quota; 0 unless cpu_throttled = steal */
};

/*
 * The container's CPU time, spread over the CPUs that it sees: numbers[i] is shown
 * for cpus[i].  `total` is the sum of the whole clock ticks of each, and counts those as
 * well that it has seen before and sees no more.
 */
struct lxcfsd_cpu_times {
	struct lxcfsd_cpu_time total;
	const struct lxcfsd_cpu_time *cpus;
	const uint32_t *numbers; /* ascending */
	uint32_t count;
};

/*
 * What /proc/loadavg says, of the container's own threads.  The averages are of 1, 5 and
 * 15 minutes in units of 1/LXCFSD_LOAD_ONE.  The counts are some seconds old.
 */
#define LXCFSD_LOAD_ONE 2048
struct lxcfsd_load {
	uint64_t avg[3];
	uint32_t running; /* or ready to run: without the reader, who waits for us */
	uint32_t blocked; /* wait uninterruptibly */
	uint32_t threads;
	uint32_t last_pid; /* the youngest thread's, in the container's numbering */
	uint64_t forks;	   /* threads started so far, as far as can be known; never less */
};

enum lxcfsd_clock {
	LXCFSD_CLOCK_BOOTTIME = 1, /* nanoseconds since the host's boot, sleep included */
	LXCFSD_CLOCK_REALTIME,	   /* nanoseconds since 1970 */
};

/* As of syslog(3). */
enum lxcfsd_level {
	LXCFSD_LOG_ERROR = 3,
	LXCFSD_LOG_WARNING = 4,
	LXCFSD_LOG_NOTICE = 5,
	LXCFSD_LOG_INFO = 6,
	LXCFSD_LOG_DEBUG = 7,
};

/*
 * What the daemon does for a plugin.  Handed to init(), which keeps it; valid
 * as long as the plugin is loaded.  Functions return 0 or -errno and write *ret
 * only when they return 0.  What is lent (text, CPU numbers) stays valid until
 * render() returns.
 */
struct lxcfsd_services {
	uint32_t size;	      /* of this structure as the daemon knows it */
	uint32_t page_size;   /* bytes */
	uint32_t clock_ticks; /* USER_HZ: ticks per second in /proc */
	uint32_t reserved;
	const void *core; /* the daemon's own */

	/* One line for the log.  The last error said in init() is shown to the
	 * administrator as the reason why the plugin was not taken. */
	void (*log)(const struct lxcfsd_services *svc, int level, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

	/* A file of the host, at most `cache_ms` old and shared by all readers.
	 * `path` begins with /proc/ or /sys/.  -ENOENT, -EFBIG (over 4 MiB). */
	int (*host_file)(struct lxcfsd_request *req, const char *path, struct lxcfsd_text *ret);

	int (*limit)(struct lxcfsd_request *req, enum lxcfsd_limit which, uint64_t *ret);
	int (*usage)(struct lxcfsd_request *req, enum lxcfsd_usage which, uint64_t *ret);

	/* values[i] is that of the line whose key is exactly keys[i], else
	 * LXCFSD_UNKNOWN.  A file that is not there leaves all unknown. */
	int (*stat)(struct lxcfsd_request *req, enum lxcfsd_stat file,
		    const struct lxcfsd_key keys[], size_t count, uint64_t values[]);

	int (*cpus)(struct lxcfsd_request *req, struct lxcfsd_cpus *ret);
	uint64_t (*clock_ns)(struct lxcfsd_request *req, enum lxcfsd_clock which);

	/* Nanoseconds since the container's init started; -ESRCH when there is
	 * none to be found. */
	int (*age_ns)(struct lxcfsd_request *req, uint64_t *ret);

	int (*cpu_times)(struct lxcfsd_request *req, struct lxcfsd_cpu_times *ret);
	int (*load)(struct lxcfsd_request *req, struct lxcfsd_load *ret);

	/* Only in init(): a regular file of the host, for good.  After a crash it is what it
	 * was when the configuration was taken, whatever has become of the file.  What is
	 * lent stays valid as long as the plugin is loaded.  -EINVAL (the path is not
	 * absolute, or it is no regular file), -EFBIG (over `max` bytes, or 1 MiB). */
	int (*load_file)(const struct lxcfsd_services *svc, const char *path, size_t max,
			 struct lxcfsd_text *ret);

	/*
	 * For trees: what the host has at a path below /proc or /sys, now and with
	 * nothing kept.  No link is followed on the way.  Other things than
	 * directories, files and links are not there (-ENOENT).  host_copy() writes
	 * the content of a file, host_list() a listing, host_link() a target: -EACCES
	 * when that is not for everybody on the host.
	 */
	int (*host_entry)(struct lxcfsd_request *req, const char *path, struct lxcfsd_entry *ret);
	int (*host_copy)(struct lxcfsd_request *req, const char *path, struct lxcfsd_out *out);
	int (*host_list)(struct lxcfsd_request *req, const char *path, struct lxcfsd_out *out);
	int (*host_link)(struct lxcfsd_request *req, const char *path, struct lxcfsd_out *out);

	/* The NUMA nodes whose memory the container may use, as a set of CPUs is
	 * given; never dense. */
	int (*mems)(struct lxcfsd_request *req, struct lxcfsd_cpus *ret);

	/* As stat(), of memory.numa_stat: what the container has on one node, in bytes. */
	int (*numa_stat)(struct lxcfsd_request *req, uint32_t node, const struct lxcfsd_key keys[],
			 size_t count, uint64_t values[]);

	/* Huge pages of one size, in bytes: the limit as of `limit` and the usage as of
	 * `usage`.  -EINVAL: the kernel has no huge pages of this size. */
	int (*hugetlb)(struct lxcfsd_request *req, uint64_t page_bytes, uint64_t *ret_limit,
		       uint64_t *ret_usage);

	/* A control file of the container's own cgroup, as text: at most `cache_ms`
	 * old.  -ENOENT: there is none.  -EFBIG (over 1 MiB). */
	int (*control)(struct lxcfsd_request *req, enum lxcfsd_control which,
		       struct lxcfsd_text *ret);

	/*
	 * The container's cgroup and what is below it, as the kernel has it now.  `below` is
	 * "" or clean components.  On a host with cgroup2 alone the container's cgroup is ""
	 * itself; else each hierarchy has a directory there, named by its controllers
	 * ("cpu,cpuacct") or its name ("systemd"), cgroup2 "unified".  No link and no mount
	 * leads out of it.  In cgroup.procs, cgroup.threads and tasks stand the numbers of
	 * the reader's pid namespace; who is not in that is left out.  Who has no view of his
	 * own sees it from the root.  -ENOENT, and what the kernel says.
	 */
	int (*cgroup_find)(struct lxcfsd_request *req, const char *below, struct lxcfsd_found *ret);
	int (*cgroup_copy)(struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out);
	int (*cgroup_list)(struct lxcfsd_request *req, const char *below, struct lxcfsd_out *out);
	/* Is the host's a cgroup2 alone? */
	bool (*cgroup_is_v2)(struct lxcfsd_request *req);

	/*
	 * Only in change(): does it as the caller, with his user, his groups and no
	 * capability, and not twice.  What may be changed is for change() to say; but nothing
	 * is done outside of the container's cgroup, to its own directory, or by a caller
	 * without a pid namespace of his own to where process numbers stand; there one is
	 * written, which must be in his namespace and in the container's cgroup or below it.
	 * LXCFSD_CHANGE_OPEN does nothing.  -EINTR: nobody knows whether it was done; and what
	 * the kernel says.
	 */
	int (*cgroup_change)(struct lxcfsd_request *req, const char *below,
			     const struct lxcfsd_change *change);
};

/* ------------------------------------------------------------ the plugin */

/*
 * In the flags of the plugin.  It has one file, whose path is NULL: the path and the
 * mode come from the section's keys `path` and `mode`, which are the daemon's then.  So
 * the module can serve any number of sections.  The file's `mode` is the default.
 */
#define LXCFSD_PATH_FROM_CONFIG (1u << 0)

enum lxcfsd_file_flag {
	/* It is there only when the host has it and can read it: a kernel may lack
	 * it.  Found out once, when the daemon's worker starts. */
	LXCFSD_IF_HOST = 1 << 0,
};

struct lxcfsd_file {
	/* Where it is shown, and where the host has its own: "/proc/uptime". */
	const char *path;
	/* Permission bits, at most 0444: they are enforced.  Without 0004 the host's
	 * content is never shown: render() is called for every reader, also for one
	 * that has no cgroup of its own, whose usage and control files are unknown. */
	uint32_t mode;
	/* enum lxcfsd_controller: a reader who is in the root cgroup of all of
	 * these sees the host's file.  0: of all hierarchies. */
	uint32_t controllers;
	int (*render)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		      struct lxcfsd_out *out);
	uint32_t flags; /* enum lxcfsd_file_flag; what the daemon does not know it refuses */
	uint32_t reserved;
	/*
	 * Whose PSI triggers (Documentation/accounting/psi.rst) this reader may arm by
	 * writing to the file: one of the *_PRESSURE of enum lxcfsd_control; -EPERM: none.
	 * With it the file's directory is mounted on its own, so that the file can be
	 * written and polled there.  One directory can be so.  NULL: for reading only.
	 */
	int (*trigger)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req);
};

/*
 * A directory and everything in it.  `below` is where in it: "" is the directory
 * itself, "cpu3/topology/core_id" something further down; it consists of clean
 * components, but they are the reader's words.  The results are for this reader
 * alone: another may find other names.  -ENOENT means that this reader has no
 * such thing, and never leads to a fall-back; LXCFSD_NO_VIEW, the host's.
 */
struct lxcfsd_tree {
	const char *path;     /* where the host has its own: "/sys/devices/system/cpu" */
	uint32_t controllers; /* as lxcfsd_file.controllers */
	uint32_t reserved;
	/* Never called for the directory itself. */
	int (*lookup)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		      const char *below, struct lxcfsd_entry *ret);
	/* The names in a directory, by lxcfsd_name(), without "." and "..". */
	int (*list)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		    const char *below, struct lxcfsd_out *out);
	int (*render)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		      const char *below, struct lxcfsd_out *out);
	/* Where a link leads to; may be NULL when there are none. */
	int (*readlink)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
			const char *below, struct lxcfsd_out *out);
	/* Where names come and go, in place of lookup().  Nothing of the host stands behind
	 * such a tree: there is no fall-back, what goes wrong is the reader's error, and who is
	 * in the root cgroup has a view like anybody else. */
	int (*find)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		    const char *below, struct lxcfsd_found *ret);
	/* Beside find(), for what stands in a container's own root, where alone something can be
	 * changed; there find() is called for the directory itself, too.  NULL, or -EROFS:
	 * nothing can. */
	int (*change)(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		      const char *below, const struct lxcfsd_change *change);
};

struct lxcfsd_plugin {
	uint32_t abi;	    /* LXCFSD_ABI */
	uint32_t size;	    /* sizeof(struct lxcfsd_plugin) */
	uint32_t file_size; /* sizeof(struct lxcfsd_file) */
	uint32_t opt_size;  /* sizeof(struct lxcfsd_opt) */
	const char *name;
	const char *version;
	const char *summary; /* one line: what its readers see */
	const struct lxcfsd_file *files;
	const struct lxcfsd_opt *opts;
	uint32_t file_count;
	uint32_t opt_count;
	uint32_t flags; /* LXCFSD_PATH_FROM_CONFIG */
	uint32_t reserved;

	/*
	 * Called once before anything is rendered; may be NULL.  `opts` are the
	 * section's values and stay valid.  On failure: say why with svc->log,
	 * return -errno; the daemon goes on with what it had before.
	 */
	int (*init)(const struct lxcfsd_services *svc, const union lxcfsd_value opts[],
		    void **ret_state);

	const struct lxcfsd_tree *trees;
	uint32_t tree_count;
	uint32_t tree_size; /* sizeof(struct lxcfsd_tree) */
};

/* First line of the object: what the loader checks. */
#define LXCFSD_PLUGIN_HEADER                                                                       \
	.abi = LXCFSD_ABI, .size = sizeof(struct lxcfsd_plugin),                                   \
	.file_size = sizeof(struct lxcfsd_file), .opt_size = sizeof(struct lxcfsd_opt),            \
	.tree_size = sizeof(struct lxcfsd_tree)

#define LXCFSD_COUNT(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

extern const struct lxcfsd_plugin lxcfsd_plugin;

#ifdef __cplusplus
}
#endif
#endif
