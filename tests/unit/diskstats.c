/* SPDX-License-Identifier: MIT */
#include "../../plugins/diskstats.c"

#include "check.h"
#include "fake_services.h"

#define HOST_SDA  "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
#define HOST_SDA1 "   8       1 sda1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
#define HOST_NVME " 259       0 nvme0n1 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"
#define HOST_DM	  " 254       3 dm-3 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17\n"

static const char host_text[] = HOST_SDA HOST_SDA1 HOST_NVME HOST_DM;

static void machine(void)
{
	fake_reset();
	fake.files[0] = (struct fake_file){ "/proc/diskstats", host_text };
}

static const char *shown(void)
{
	int r;
	const char *text = fake_render(NULL, &r);

	return text ? text : "an error";
}

/* cgroup2's line, and what is shown. */
static const char *io_stat(const char *text)
{
	machine();
	fake.controls[LXCFSD_IO_STAT] = text;
	return shown();
}

static void test_v2(void)
{
	CHECK_STR(
		io_stat("8:0 rbytes=1048576 wbytes=67108864 rios=20 wios=64 dbytes=4096 dios=1\n"),
		"   8       0 sda 20 0 2048 0 64 0 131072 0 0 0 0 1 0 8 0 0 0\n");
	/* the host's order; what the host does not know; other keys */
	CHECK_STR(io_stat("254:3 rbytes=512 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n"
			  "7:7 rbytes=512 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n"
			  "8:0 wbytes=511 wios=1 cost.usage=7 rbytesx=5 xrbytes=5 rbyte=5\n"),
		  "   8       0 sda 0 0 0 0 1 0 0 0 0 0 0 0 0 0 0 0 0\n"
		  " 254       3 dm-3 1 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	/* nothing used */
	CHECK_STR(io_stat(""), "");
	CHECK_STR(io_stat("8:0 rbytes=0 wbytes=0 rios=0 wios=0 dbytes=0 dios=0\n"), "");
	CHECK_STR(io_stat("8:0\n259:0 \n"), "");
	/* 8:1 is a partition for the host and not a disk that starts with 8 */
	CHECK_STR(io_stat("8:10 rios=1\n80:0 rios=1\n"), "");
	/* Linux 5.15 */
	CHECK_STR(io_stat("254:3 259:0 8:0 rbytes=512 wbytes=0 rios=1 wios=0 dbytes=0 dios=0\n"),
		  "   8       0 sda 1 0 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
	machine();
	CHECK_STR(shown(), "");
}

static void test_garbage(void)
{
	CHECK_STR(io_stat("rios=1\n:0 rios=1\n8: rios=1\n8:0:0 rios=1\n8.0 rios=1\n-8:0 rios=1\n"
			  "8:0x rios=1\n+8:0 rios=1\n8 :0 rios=1\n\n \n"),
		  "");
	CHECK_STR(io_stat("8:0 rios= wios=x rios wios=1x dios=-1 rbytes=0x10 =5 wbytes=+7\n"), "");
	CHECK_STR(io_stat("8:0 rios=18446744073709551616\n"), "");
	CHECK_STR(io_stat("8:0 rios=18446744073709551615 rbytes=18446744073709551615\n"),
		  "   8       0 sda 18446744073709551615 0 36028797018963967 0 0 0 0 0 0 0 0 0 0 0 "
		  "0 0 0\n");
	/* cut off, in a number and before the newline */
	CHECK_STR(io_stat("8:0 rios=3 wios=4"),
		  "   8       0 sda 3 0 0 0 4 0 0 0 0 0 0 0 0 0 0 0 0\n");
	CHECK_STR(io_stat("8:0 rios=3 wio"),
		  "   8       0 sda 3 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void test_columns(void)
{
	machine();
	fake.controls[LXCFSD_IO_STAT] =
		"8:0 rbytes=1024 wbytes=2048 rios=3 wios=4 dbytes=5120 dios=6\n";
	fake.files[0].text = "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11\n";
	CHECK_STR(shown(), "   8       0 sda 3 0 2 0 4 0 4 0 0 0 0\n");
	fake.files[0].text = "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15\n";
	CHECK_STR(shown(), "   8       0 sda 3 0 2 0 4 0 4 0 0 0 0 6 0 10 0\n");
	fake.files[0].text = "   8       0 sda 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19\n";
	CHECK_STR(shown(), "   8       0 sda 3 0 2 0 4 0 4 0 0 0 0 6 0 10 0 0 0 0 0\n");
	/* lines of no kernel */
	fake.files[0].text = "\n8 0\n8 x sda 1\n   8       0 sda";
	CHECK_STR(shown(), "   8       0 sda\n");
}

/* Of each number the largest that is counted. */
static void test_v1(void)
{
	machine();
	fake.controls[LXCFSD_THROTTLE_BYTES] = "8:0 Read 1024\n8:0 Write 512\n8:0 Sync 9999\n"
					       "8:0 Async 9999\n8:0 Discard 2048\n"
					       "8:0 Total 9999\nTotal 99999\n";
	fake.controls[LXCFSD_THROTTLE_COUNT] = "8:0 Read 2\n8:0 Write 1\n8:0 Discard 3\n"
					       "259:0 Read 0\n259:0 Total 0\nTotal 9\n";
	CHECK_STR(shown(), "   8       0 sda 2 0 2 0 1 0 1 0 0 0 0 3 0 4 0 0 0\n");
	fake.controls[LXCFSD_BFQ_BYTES] = "8:0 Read 4096\n8:0 Write 0\n259:0 Write 512\n";
	fake.controls[LXCFSD_BFQ_COUNT] = "8:0 Read 1\n8:0 Write 7\n259:0 Write 1\n";
	CHECK_STR(shown(), "   8       0 sda 2 0 8 0 7 0 1 0 0 0 0 3 0 4 0 0 0\n"
			   " 259       0 nvme0n1 0 0 0 0 1 0 1 0 0 0 0 0 0 0 0 0 0\n");
	machine();
	fake.controls[LXCFSD_CFQ_BYTES] = "254:3 Read 512\n254:3 Reads 512000\n254:3 read 51200\n";
	fake.controls[LXCFSD_CFQ_COUNT] = "254:3 Read 1 1\n254:3 Read\n254:3 Write 4\n254:3  \n";
	CHECK_STR(shown(), " 254       3 dm-3 0 0 1 0 4 0 0 0 0 0 0 0 0 0 0 0 0\n");
}

static void test_many(void)
{
	static char stat[40 * (DISKS_MAX + 1)], host[60 * (DISKS_MAX + 1)],
		want[60 * (DISKS_MAX + 1)];
	size_t s = 0, h = 0, w = 0;
	int r;

	/* in opposite orders */
	for (unsigned int i = 0; i < DISKS_MAX; i++) {
		s += (size_t)sprintf(stat + s, "8:%u rios=%u\n", DISKS_MAX - 1 - i, DISKS_MAX - i);
		h += (size_t)sprintf(host + h, "   8 %7u d%u 9 9 9\n", i, i);
		w += (size_t)sprintf(want + w, "   8 %7u d%u %u 0 0\n", i, i, i + 1);
	}
	machine();
	fake.files[0].text = host;
	fake.controls[LXCFSD_IO_STAT] = stat;
	CHECK(strcmp(shown(), want) == 0);
	sprintf(stat + s, "9:0 rios=1\n");
	CHECK(!fake_render(NULL, &r));
	CHECK(r == -E2BIG);
}

static void test_errors(void)
{
	int r;

	machine();
	fake.controls[LXCFSD_IO_STAT] = "8:0 rios=1\n";
	fake.control_error = -EIO;
	CHECK(!fake_render(NULL, &r) && r == -EIO);
	fake.controls[LXCFSD_IO_STAT] = NULL;
	fake.controls[LXCFSD_BFQ_COUNT] = "";
	CHECK(!fake_render(NULL, &r) && r == -EIO);
	fake_reset();
	fake.controls[LXCFSD_IO_STAT] = "8:0 rios=1\n";
	CHECK(!fake_render(NULL, &r) && r == -ENOENT);
}

int main(void)
{
	test_v2();
	test_garbage();
	test_columns();
	test_v1();
	test_many();
	test_errors();
	return done_testing();
}
