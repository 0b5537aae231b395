/* SPDX-License-Identifier: MIT */
/*
 * hang - a file system that never answers.
 *
 *	hang DIRECTORY FILE
 *
 * Mounts it on DIRECTORY, makes FILE, then takes requests and answers none: who walks
 * into it cannot even be killed.  Ends with the mount namespace's last process, or when
 * it is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>
#include <linux/fuse.h>

static int fail(const char *what)
{
	fprintf(stderr, "hang: %s: %s\n", what, strerror(errno));
	return 1;
}

int main(int argc, char **argv)
{
	static char buf[1 << 17];
	char options[96];
	struct {
		struct fuse_out_header head;
		struct fuse_init_out init;
	} reply = { .head = { .len = sizeof(reply) }, .init = { .major = 7, .minor = 31 } };
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC), made;

	if (argc != 3 || fd < 0)
		return fail("/dev/fuse");
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 fd);
	if (mount("hang", argv[1], "fuse.hang", 0, options))
		return fail(argv[1]);
	if (read(fd, buf, sizeof(buf)) < (ssize_t)sizeof(struct fuse_in_header))
		return fail("FUSE_INIT");
	reply.head.unique = ((struct fuse_in_header *)buf)->unique;
	reply.init.max_write = 4096;
	if (write(fd, &reply, sizeof(reply)) != sizeof(reply))
		return fail("FUSE_INIT");
	made = open(argv[2], O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (made < 0)
		return fail(argv[2]);
	close(made);
	while (read(fd, buf, sizeof(buf)) > 0 || errno == EINTR)
		;
	return 0;
}
