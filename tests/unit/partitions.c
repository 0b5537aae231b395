/* SPDX-License-Identifier: MIT */
#include "../../plugins/partitions.c"

#include "check.h"
#include "fake_services.h"

#define HEADER "major minor  #blocks  name\n\n"
#define SDA    "   8        0  104857600 sda\n"
#define SDA1   "   8        1    1048576 sda1\n"
#define SDA12  "   8       12    1048576 sda12\n"
#define SDAA   "  65      160  104857600 sdaa\n"
#define SDAA1  "  65      161  104856576 sdaa1\n"
#define NVME   " 259        0  104857600 nvme0n1\n"
#define NVME1  " 259        1  104856576 nvme0n1p1\n"
#define NVME12 " 259       12  104857600 nvme0n12\n"
#define DM1    " 254        1     524288 dm-1\n"
#define DM10   " 254       10     524288 dm-10\n"
#define DM100  " 254      100     524288 dm-100\n"

static const char host_text[] = HEADER SDA SDA1 SDA12 SDAA SDAA1 NVME NVME1 NVME12 DM1 DM100 DM10;

static const char *used(const char *io_stat)
{
	const char *text;
	int r;

	fake_reset();
	fake.files[0] = (struct fake_file){ "/proc/partitions", host_text };
	fake.controls[LXCFSD_IO_STAT] = io_stat;
	text = fake_render(NULL, &r);
	return text ? text : "an error";
}

int main(void)
{
	int r;

	CHECK_STR(used(NULL), HEADER);
	CHECK_STR(used("8:0 rios=0\n"), HEADER);
	CHECK_STR(used("8:0 rios=1\n"), HEADER SDA SDA1 SDA12);
	/* names that only begin like another's */
	CHECK_STR(used("65:160 rios=1\n"), HEADER SDAA SDAA1);
	CHECK_STR(used("259:0 wios=1\n"), HEADER NVME NVME1);
	CHECK_STR(used("254:1 dios=1\n"), HEADER DM1);
	CHECK_STR(used("254:10 rios=1\n9:9 rios=1\n259:12 rios=1\n"), HEADER NVME12 DM10);
	/* throttling counts, and the container is on v1 */
	fake.controls[LXCFSD_IO_STAT] = NULL;
	fake.controls[LXCFSD_THROTTLE_COUNT] = "254:1 Read 1\n";
	CHECK_STR(fake_render(NULL, &r), HEADER DM1);
	/* a partition without its disk, lines of no kernel */
	fake.files[0].text = HEADER SDA1 "x\n" DM1 "\nx\n" SDA "8 0 1 sda 5\n";
	CHECK_STR(fake_render(NULL, &r), HEADER DM1 "\nx\n");
	fake.files[0].text = "";
	CHECK_STR(fake_render(NULL, &r), "");

	fake.error = -EIO;
	CHECK(!fake_render(NULL, &r) && r == -EIO);
	fake_reset();
	CHECK(!fake_render(NULL, &r) && r == -ENOENT);
	return done_testing();
}
