/* SPDX-License-Identifier: MIT */
/* host.c - see host.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host.h"
#include "io.h"
#include "path.h"
#include "text.h"

/* Plugins decide what is read, not tenants: some three dozen paths, more on
 * machines with many CPUs. */
#define FILES_MAX 64
#define PATH_SIZE 256

struct host_file {
	struct cache_node node;
	struct held held; /* its lock guards all below */
	struct lent *bytes;
	int error;
	uint64_t read_ns; /* 0: never */
	char path[];
};

static bool file_equal(const struct cache_node *node, const void *key)
{
	return strcmp(((const struct host_file *)node)->path, key) == 0;
}

static void file_free(struct cache_node *node, void *context)
{
	struct host_file *file = (struct host_file *)node;

	held_done(((struct host *)context)->fds, &file->held);
	lent_unref(file->bytes);
	free(file);
}

int host_init(struct host *host, const struct roots *roots, struct fds *fds, uint64_t cache_ns)
{
	host->roots = roots;
	host->fds = fds;
	host->cache_ns = cache_ns;
	return cache_init(&host->files, FILES_MAX, file_equal, file_free, host);
}

void host_done(struct host *host)
{
	cache_done(&host->files);
}

int host_split(const struct host *host, const char *path, int *ret_dirfd, const char **ret_rest)
{
	if (strlen(path) >= PATH_SIZE || !path_is_clean(text_of(path)))
		return -EINVAL;
	if (strncmp(path, "/proc/", 6) == 0) {
		*ret_dirfd = host->roots->proc_fd;
		*ret_rest = path + 6;
	} else if (strncmp(path, "/sys/", 5) == 0) {
		*ret_dirfd = host->roots->sys_fd;
		*ret_rest = path + 5;
	} else {
		return -EINVAL;
	}
	return *ret_dirfd < 0 ? -ENOENT : 0;
}

static int open_file(const struct host *host, const char *path, int flags)
{
	const char *rest;
	int dirfd, r;

	r = host_split(host, path, &dirfd, &rest);
	return r < 0 ? r : path_open(dirfd, rest, flags, PATH_LINKS);
}

static void refresh(struct host *host, struct host_file *file)
{
	struct held *held = &file->held;
	int r = -EBADF;

	file->read_ns = io_now_ns();
	if (held->fd >= 0) {
		r = lent_read(&file->bytes, held->fd, HOST_FILE_MAX);
		if (r < 0)
			held_close(host->fds, held);
	}
	if (held->fd < 0) {
		held->fd = open_file(host, file->path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
		r = held->fd < 0 ? held->fd : lent_read(&file->bytes, held->fd, HOST_FILE_MAX);
	}
	if (r < 0)
		held_close(host->fds, held);
	else
		held_used(host->fds, held);
	file->error = r;
}

static struct host_file *find_file(struct host *host, const char *path)
{
	size_t len = strlen(path);
	uint64_t hash = hash_bytes(0, path, len);
	struct host_file *file = (struct host_file *)cache_get(&host->files, hash, path);

	if (file)
		return file;
	file = calloc(1, sizeof(*file) + len + 1);
	if (!file)
		return NULL;
	memcpy(file->path, path, len);
	held_init(&file->held);
	return (struct host_file *)cache_add(&host->files, hash, path, &file->node);
}

int host_read(struct host *host, const char *path, struct lent **ret)
{
	struct host_file *file;
	const char *rest;
	uint64_t arrived;
	int dirfd, r;

	r = host_split(host, path, &dirfd, &rest);
	if (r < 0)
		return r;
	file = find_file(host, path);
	if (!file)
		return -ENOMEM;
	arrived = io_now_ns();
	pthread_mutex_lock(&file->held.lock);
	if (io_is_stale(file->read_ns, arrived, host->cache_ns))
		refresh(host, file);
	r = file->error;
	if (r == 0)
		*ret = lent_ref(file->bytes);
	pthread_mutex_unlock(&file->held.lock);
	cache_put(&host->files, &file->node);
	return r;
}

bool host_is_reachable(int dirfd, const char *rest)
{
	char dir[PATH_SIZE];
	struct stat st;

	for (const char *slash = strchr(rest, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - rest);

		memcpy(dir, rest, len);
		dir[len] = '\0';
		if (fstatat(dirfd, dir, &st, 0) < 0 || !(st.st_mode & S_IXOTH))
			return false;
	}
	return true;
}

int host_mode(struct host *host, const char *path, mode_t *ret)
{
	_close_ int fd = open_file(host, path, O_PATH);
	const char *rest;
	struct stat st;
	int dirfd;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return -errno;
	*ret = st.st_mode;
	if (host_split(host, path, &dirfd, &rest) < 0 || !host_is_reachable(dirfd, rest))
		*ret &= ~(mode_t)S_IRWXO;
	return 0;
}
