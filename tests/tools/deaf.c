/* SPDX-License-Identifier: MIT */
/*
 * deaf.c - a file system that does not answer: `deaf MOUNTPOINT`.
 *
 * It has one file, `file`, with the text "heard".  SIGUSR1 makes it deaf: from then on
 * who reads the file waits, and, as the kernel does not let anybody go who has asked
 * a file system, cannot even be killed.  SIGUSR2 answers all who wait.  SIGTERM unmounts
 * and ends.  The protocol is spoken by hand, so that nothing but this process is in the
 * way.  Prints a line when it is mounted.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fuse.h>

#define TEXT	    "heard\n"
#define WAITING_MAX 256

static volatile sig_atomic_t deaf, ended;
static uint64_t waiting[WAITING_MAX];
static unsigned int waiting_count;
static int device;

static void on_signal(int signal)
{
	if (signal == SIGTERM)
		ended = 1;
	else
		deaf = signal == SIGUSR1;
}

static void reply(uint64_t unique, int error, const void *body, size_t len)
{
	struct {
		struct fuse_out_header head;
		char body[512];
	} out = { .head = { (uint32_t)(sizeof(out.head) + len), error, unique } };

	if (len)
		memcpy(out.body, body, len);
	if (write(device, &out, out.head.len) < 0 && errno != ENOENT)
		perror("deaf: write");
}

static struct fuse_attr attr_of(uint64_t id)
{
	return (struct fuse_attr){ .ino = id,
				   .mode = id == 1 ? S_IFDIR | 0555 : S_IFREG | 0444,
				   .nlink = 1,
				   .size = id == 1 ? 0 : sizeof(TEXT) - 1 };
}

static void look_up(const struct fuse_in_header *in)
{
	struct fuse_entry_out entry = { .nodeid = 2, .attr = attr_of(2), .entry_valid = 3600 };

	if (strcmp((const char *)(in + 1), "file") == 0)
		reply(in->unique, 0, &entry, sizeof(entry));
	else
		reply(in->unique, -ENOENT, NULL, 0);
}

static void read_file(const struct fuse_in_header *in)
{
	const struct fuse_read_in *read = (const void *)(in + 1);
	size_t left = read->offset < sizeof(TEXT) - 1 ? sizeof(TEXT) - 1 - read->offset : 0;

	if (deaf && waiting_count < WAITING_MAX)
		waiting[waiting_count++] = in->unique;
	else
		reply(in->unique, 0, &TEXT[sizeof(TEXT) - 1 - left], left);
}

static void take(const struct fuse_in_header *in)
{
	struct fuse_init_out init = { .major = FUSE_KERNEL_VERSION,
				      .minor = 31,
				      .max_write = 4096 };
	struct fuse_attr_out attr = { .attr = attr_of(in->nodeid) };
	struct fuse_open_out open = { .open_flags = FOPEN_DIRECT_IO };

	switch (in->opcode) {
	case FUSE_INIT:
		reply(in->unique, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		look_up(in);
		break;
	case FUSE_GETATTR:
		reply(in->unique, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		reply(in->unique, 0, &open, sizeof(open));
		break;
	case FUSE_READ:
		read_file(in);
		break;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
		reply(in->unique, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break;
	default:
		reply(in->unique, -ENOSYS, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static _Alignas(8) char buf[FUSE_MIN_READ_BUFFER * 2];
	struct sigaction action = { .sa_handler = on_signal };
	char options[128];

	if (argc != 2)
		return 2;
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	device = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other",
		 device);
	if (device < 0 || mount("deaf", argv[1], "fuse.deaf", MS_NOSUID | MS_NODEV, options) < 0) {
		perror("deaf");
		return 1;
	}
	puts("mounted");
	fflush(stdout);
	while (!ended) {
		ssize_t n = read(device, buf, sizeof(buf));

		if (n < 0 && errno != EINTR && errno != ENOENT)
			break;
		if (n > 0)
			take((const void *)buf);
		while (!deaf && waiting_count > 0)
			reply(waiting[--waiting_count], 0, TEXT, sizeof(TEXT) - 1);
	}
	umount2(argv[1], MNT_DETACH);
	return 0; /* the descriptor goes, and whoever waits gets an error */
}
