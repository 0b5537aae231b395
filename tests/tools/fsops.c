/* SPDX-License-Identifier: MIT */
/*
 * fsops - tries everything that would change a file system.
 *
 *	fsops ROOT DIRECTORY FILE	(the latter two relative to ROOT)
 *
 * Prints `operation=ERRNO` for each, `operation=OK` where it was let through.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

static void say(const char *operation, int ret)
{
	printf("%s=%s\n", operation, ret < 0 ? strerrorname_np(errno) : "OK");
}

static void try_open(const char *operation, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0644);

	say(operation, fd);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	static const struct timespec times[2];
	const char *dir, *file;

	if (argc != 4 || chdir(argv[1])) {
		fprintf(stderr, "usage: fsops ROOT DIRECTORY FILE\n");
		return 2;
	}
	dir = argv[2];
	file = argv[3];
	try_open("open-write", file, O_WRONLY);
	try_open("open-read-write", file, O_RDWR);
	try_open("open-append", file, O_WRONLY | O_APPEND);
	try_open("open-truncate", file, O_WRONLY | O_TRUNC);
	try_open("open-read-truncate", file, O_RDONLY | O_TRUNC);
	if (!chdir(dir)) {
		try_open("open-create", "fsops-new", O_RDONLY | O_CREAT);
		try_open("open-create-excl", "fsops-new", O_WRONLY | O_CREAT | O_EXCL);
		say("creat", creat("fsops-new", 0644));
		say("mkdir", mkdir("fsops-new", 0755));
		say("mknod-file", mknod("fsops-new", S_IFREG | 0644, 0));
		say("mknod-device", mknod("fsops-new", S_IFCHR | 0644, makedev(1, 3)));
		say("mkfifo", mkfifo("fsops-new", 0644));
		say("symlink", symlink("target", "fsops-new"));
		if (chdir(argv[1]))
			return 2;
	}
	say("mkdir-root", mkdir("fsops-new", 0755));
	say("unlink", unlink(file));
	say("rmdir", rmdir(dir));
	say("rename-file", rename(file, "fsops-new"));
	say("rename-directory", rename(dir, "fsops-new"));
	say("link", link(file, "fsops-new"));
	say("chmod-file", chmod(file, 0666));
	say("chmod-directory", chmod(dir, 0777));
	say("chown", chown(file, 1, 1));
	say("truncate", truncate(file, 0));
	say("truncate-longer", truncate(file, 4096));
	say("utimensat", utimensat(AT_FDCWD, file, times, 0));
	say("utimensat-now", utimensat(AT_FDCWD, file, NULL, 0));
	say("setxattr", setxattr(file, "user.fsops", "x", 1, 0));
	say("removexattr", removexattr(file, "user.fsops"));
	return 0;
}
