/* SPDX-License-Identifier: MIT */
/*
 * plugin.c - from the file of a module to its lxcfsd_plugin.
 *
 * What is executed is never the file: it is read once, checked, and loaded from
 * a sealed copy in memory.  The copy's descriptor stays open, because the
 * dynamic linker knows a module by its name, here /proc/self/fd/N, and would
 * give the old module to whoever loads another one under the same N.
 *
 * Where the kernel or a security module does not let memory files be executed,
 * the copy is a file in a private directory that is gone right after loading.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "goodset.h"
#include "io.h"
#include "plugin_private.h"

#define MODULE_BYTES_MAX ((off_t)16 << 20)
#define SYMBOL		 "lxcfsd_plugin"

/* Newer than many a C library's headers; older kernels answer EINVAL. */
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int refuse(struct reason *reason, int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(reason->text, sizeof(reason->text), format, args);
	va_end(args);
	return r;
}

static int read_file(const char *path, char **ret, size_t *ret_len, struct reason *reason)
{
	_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	_free_ char *bytes = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0)
		return refuse(reason, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return refuse(reason, -EINVAL, "not a regular file");
	if (st.st_size > MODULE_BYTES_MAX)
		return refuse(reason, -EFBIG, "larger than %d MiB: not a plugin",
			      (int)(MODULE_BYTES_MAX >> 20));
	bytes = malloc((size_t)st.st_size + 2);
	if (!bytes)
		return refuse(reason, -ENOMEM, "no memory to read it");
	n = io_pread_all(fd, bytes, (size_t)st.st_size + 2);
	if (n < 0 && n != -EFBIG)
		return refuse(reason, (int)n, "cannot be read: %s", strerror((int)-n));
	if (n != st.st_size)
		return refuse(reason, -EAGAIN, "changed while it was read: try again");
	*ret = bytes;
	*ret_len = (size_t)n;
	bytes = NULL;
	return 0;
}

/* A sealed memory file with these bytes, or -errno. */
static int sealed_copy(const char *path, const void *bytes, size_t len)
{
	const char *slash = strrchr(path, '/');
	_close_ int fd = -1;
	int r;
	char name[200]; /* the kernel's limit is 249; it is only for /proc/PID/maps */

	snprintf(name, sizeof(name), "lxcfsd:%.180s", slash ? slash + 1 : path);
	fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	if (fd < 0 && errno == EINVAL)
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	r = io_write_all(fd, bytes, len);
	if (r < 0)
		return r;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return -errno;
	r = fd;
	fd = -1;
	return r;
}

/* Whether the dynamic linker will be allowed what it does with `name`: it would
 * tell us only in words. */
static int may_execute(const char *name)
{
	_close_ int fd = open(name, O_RDONLY | O_CLOEXEC);
	void *page;

	if (fd < 0)
		return -errno;
	page = mmap(NULL, 1, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	munmap(page, 1);
	return 0;
}

/* dlopen(), with its complaint freed of the name that only we know. */
static int load(const char *name, void **ret, struct reason *reason)
{
	void *handle = dlopen(name, RTLD_NOW | RTLD_LOCAL);
	const char *said;

	if (handle) {
		*ret = handle;
		return 0;
	}
	said = dlerror();
	if (!said)
		said = "the dynamic linker does not say why";
	if (strncmp(said, name, strlen(name)) == 0 && strncmp(said + strlen(name), ": ", 2) == 0)
		said += strlen(name) + 2;
	return refuse(reason, -ENOEXEC, "%s", said);
}

/* -EACCES and the like when nothing can be executed below `parent`. */
static int load_below(const char *parent, const void *bytes, size_t len, void **ret,
		      struct reason *reason)
{
	char dir[512], name[540];
	int r, fd;

	r = snprintf(dir, sizeof(dir), "%s/lxcfsd-plugin.XXXXXX", parent);
	if (r < 0 || (size_t)r >= sizeof(dir))
		return -ENAMETOOLONG;
	if (!mkdtemp(dir))
		return -errno;
	snprintf(name, sizeof(name), "%s/plugin.so", dir);
	fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0500);
	r = fd < 0 ? -errno : io_write_all(fd, bytes, len);
	if (fd >= 0 && close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0)
		r = may_execute(name);
	if (r == 0)
		r = load(name, ret, reason);
	unlink(name);
	rmdir(dir);
	return r;
}

/* The way for kernels that do not execute memory files. */
static int load_from_directory(const void *bytes, size_t len, int denied, void **ret,
			       struct reason *reason)
{
	const char *runtime = getenv("RUNTIME_DIRECTORY");
	/* /run is often mounted noexec; a directory of our own is as safe below /var/tmp */
	const char *parents[] = { runtime ? runtime : "/run/lxcfsd", "/run", "/var/tmp" };
	int r = -ENOENT;

	for (size_t i = 0; i < sizeof(parents) / sizeof(parents[0]); i++) {
		r = load_below(parents[i], bytes, len, ret, reason);
		if (r == 0 || r == -ENOEXEC)
			return r;
	}
	return refuse(reason, denied,
		      "may not be executed, neither from memory (%s) nor from a directory below "
		      "%s, /run or /var/tmp (%s): allow one of them",
		      strerror(-denied), parents[0], strerror(-r));
}

static int load_bytes(const char *path, const void *bytes, size_t len, void **ret,
		      struct reason *reason)
{
	int fd = sealed_copy(path, bytes, len), r = fd;
	char name[32];

	if (fd == -ENOMEM || fd == -EMFILE || fd == -ENFILE)
		return refuse(reason, fd, "cannot be copied: %s", strerror(-fd));
	if (fd >= 0) {
		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		r = may_execute(name);
	}
	if (r < 0) {
		if (fd >= 0)
			close(fd);
		return load_from_directory(bytes, len, r, ret, reason);
	}
	r = load(name, ret, reason);
	if (r < 0)
		close(fd); /* nothing was loaded under this name */
	return r;
}

int module_load(const char *path, const struct lxcfsd_plugin **ret, struct reason *reason)
{
	_free_ char *read = NULL;
	const char *bytes = NULL;
	void *handle = NULL, *object;
	size_t len = 0;
	int r;

	if (goodset_is_restored()) {
		r = goodset_find(path, &bytes, &len);
		if (r < 0)
			refuse(reason, r, "%s", strerror(-r));
	} else {
		r = read_file(path, &read, &len, reason);
		bytes = read;
	}
	if (r < 0)
		return r;
	goodset_record(path, bytes, len);
	r = elf_check(bytes, len, reason);
	if (r < 0)
		return r;
	r = load_bytes(path, bytes, len, &handle, reason);
	if (r < 0)
		return r;
	object = dlsym(handle, SYMBOL);
	if (!object)
		return refuse(reason, -ENOEXEC, "not a plugin: it does not export " SYMBOL);
	*ret = object;
	return 0;
}
