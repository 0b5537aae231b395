/* SPDX-License-Identifier: MIT */
/* identity.c - see identity.h. */
#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "config.h"
#include "identity.h"
#include "io.h"
#include "log.h"
#include "model.h"

/* Linux 6.11; the argument is a pid there, the answer a tgid here. */
#ifndef NS_GET_TGID_FROM_PIDNS
#define NS_GET_TGID_FROM_PIDNS _IOR(0xb7, 0x7, int)
#endif
/* Pid namespaces whose readers came by lately. */
#define INITS_MAX 4096

struct init_entry {
	struct cache_node node;
	uint64_t inode;
	pid_t pid;
	uint64_t start;
	struct held held; /* /proc/PID/cgroup */
};

static bool entry_equal(const struct cache_node *node, const void *key)
{
	return ((const struct init_entry *)node)->inode == *(const uint64_t *)key;
}

static void entry_free(struct cache_node *node, void *context)
{
	struct init_entry *entry = (struct init_entry *)node;

	held_done(((struct identity *)context)->fds, &entry->held);
	free(entry);
}

static int ask_ioctl(const struct identity *identity, pid_t tid, pid_t *ret)
{
	_close_ int fd = proc_open(identity->roots->proc_fd, tid, "ns/pid");
	int r;

	if (fd < 0)
		return fd;
	r = ioctl(fd, NS_GET_TGID_FROM_PIDNS, 1);
	if (r < 0)
		return -errno;
	if (r == 0)
		return -ESRCH; /* it is not visible here */
	*ret = r;
	return 0;
}

int identity_init(struct identity *identity, const struct roots *roots, struct fds *fds,
		  uint64_t method)
{
	uint64_t inode = 0;
	pid_t init;

	*identity = (struct identity){ .roots = roots, .fds = fds };
	if (roots->live && method != IDENTITY_NSPID)
		identity->by_ioctl = ask_ioctl(identity, getpid(), &init) == 0;
	if (method == IDENTITY_IOCTL && !identity->by_ioctl) {
		log_err("identity = ioctl: this kernel cannot tell the init of a pid namespace "
			"(Linux 6.11 can); use identity = auto");
		return -ENOTSUP;
	}
	if (proc_pidns(roots->proc_fd, 1, &inode) < 0 && roots->live)
		proc_pidns(roots->proc_fd, getpid(), &inode);
	identity->host_pidns = inode;
	pthread_mutex_init(&identity->scan_lock, NULL);
	return cache_init(&identity->inits, INITS_MAX, entry_equal, entry_free, identity);
}

void identity_done(struct identity *identity)
{
	if (!identity->inits.buckets)
		return;
	cache_done(&identity->inits);
	pthread_mutex_destroy(&identity->scan_lock);
}

void init_process_done(struct init_process *init)
{
	small_file_done(&init->cgroups);
}

/* The process that had this number when we looked has it still, and is in the
 * namespace. */
static int check(const struct identity *identity, const struct init_entry *entry)
{
	uint64_t inode, start;
	int r;

	r = proc_pidns(identity->roots->proc_fd, entry->pid, &inode);
	if (r < 0)
		return r;
	r = proc_start(identity->roots->proc_fd, entry->pid, &start);
	if (r < 0)
		return r;
	return inode == entry->inode && start == entry->start ? 0 : -ESRCH;
}

/* Init's cgroups by way of the entry; -ESRCH: the entry is of no use any more. */
static int read_entry(struct identity *identity, struct init_entry *entry, struct small_file *ret)
{
	struct held *held = &entry->held;
	int r = 0;

	pthread_mutex_lock(&held->lock);
	if (held->fd < 0) {
		/* first the file, then the check: the file is that process's for good */
		held->fd = proc_open(identity->roots->proc_fd, entry->pid, "cgroup");
		r = held->fd < 0 ? held->fd : check(identity, entry);
	}
	if (r == 0)
		r = small_file_read(ret, held->fd);
	if (r == 0)
		held_used(identity->fds, held);
	else
		held_close(identity->fds, held);
	pthread_mutex_unlock(&held->lock);
	return r;
}

static int look_up(struct identity *identity, pid_t tid, uint64_t inode,
		   const struct init_hint *hint, struct init_entry **ret)
{
	struct init_entry *entry;
	uint64_t start;
	pid_t pid;
	int r;

	r = identity->by_ioctl ? ask_ioctl(identity, tid, &pid)
			       : nspid_find(identity, tid, inode, hint, &pid);
	if (r < 0)
		return r;
	r = proc_start(identity->roots->proc_fd, pid, &start);
	if (r < 0)
		return r;
	entry = calloc(1, sizeof(*entry));
	if (!entry)
		return -ENOMEM;
	entry->inode = inode;
	entry->pid = pid;
	entry->start = start;
	held_init(&entry->held);
	*ret = (struct init_entry *)cache_add(
		&identity->inits, hash_bytes(0, &inode, sizeof(inode)), &inode, &entry->node);
	return 0;
}

int identity_find(struct identity *identity, pid_t tid, uint64_t inode,
		  const struct init_hint *hint, struct init_process *ret)
{
	uint64_t hash = hash_bytes(0, &inode, sizeof(inode));
	struct init_entry *entry;
	int r = -ESRCH;

	/* twice: what the cache had may be the namespace's predecessor */
	for (int i = 0; i < 2 && r == -ESRCH; i++) {
		entry = (struct init_entry *)cache_get(&identity->inits, hash, &inode);
		if (!entry) {
			r = look_up(identity, tid, inode, hint, &entry);
			if (r < 0)
				return r;
		}
		r = read_entry(identity, entry, &ret->cgroups);
		if (r == 0) {
			ret->pid = entry->pid;
			ret->start = entry->start;
		} else {
			cache_forget(&identity->inits, &entry->node);
		}
		cache_put(&identity->inits, &entry->node);
	}
	return r;
}
