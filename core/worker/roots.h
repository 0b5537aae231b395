/* SPDX-License-Identifier: MIT */
/* roots.h - where procfs, sysfs and the clock are. */
#ifndef LXCFSD_ROOTS_H
#define LXCFSD_ROOTS_H

#include <stdbool.h>
#include <stdint.h>

#include <lxcfsd/plugin.h>

struct roots {
	bool live;   /* this machine, not a directory that describes one */
	int root_fd; /* "/" or that directory; O_PATH */
	int proc_fd;
	int sys_fd; /* -1: there is none */
	uint32_t page_size;
	uint32_t clock_ticks;
	bool clock_fixed;
	uint64_t boottime_ns, realtime_ns; /* when it is fixed */
};

/* `root` NULL: this machine. */
int roots_open(struct roots *roots, const char *root);
void roots_close(struct roots *roots);
uint64_t roots_clock_ns(const struct roots *roots, enum lxcfsd_clock which);

#endif
