/* SPDX-License-Identifier: MIT */
/*
 * cpuwatch - what a container reads of its CPUs, and what the kernel says of it, a line
 * for each moment, at next to no cost.
 *
 *	cpuwatch MILLISECONDS USAGE THROTTLED
 *
 * USAGE and THROTTLED are files of its cgroup: cpuacct.usage (v1) or cpu.stat.  Until
 * it is killed prints
 *
 *	TIME CPUS ALL IDLE STEAL CPUINFO ONLINE USED HELD WIDTH
 *
 * the seconds since boot; the number of CPUs and the seconds of all columns, of idle
 * and of steal in /proc/stat; the number of CPUs by cpuinfo and by online; the
 * seconds of CPU time that the kernel says were used, and of being throttled; how
 * far USED may be off: it was asked before and after /proc/stat was read, and we may
 * have been held back ourselves in between.  Then it is tried again.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define CLOSE_ENOUGH 0.01 /* seconds */
#define TRIES	     20

static char buf[1 << 20];

static const char *slurp(const char *path)
{
	size_t len = 0;
	ssize_t n = 1;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && n > 0 && len < sizeof(buf) - 1) {
		n = read(fd, buf + len, sizeof(buf) - 1 - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || n < 0) {
		perror(path);
		_exit(1);
	}
	close(fd);
	buf[len] = '\0';
	return buf;
}

/* Lines that begin so. */
static unsigned int lines(const char *text, const char *key)
{
	unsigned int n = 0;

	for (const char *p = text; p; p = strchr(p, '\n')) {
		p += *p == '\n';
		n += strncmp(p, key, strlen(key)) == 0;
	}
	return n;
}

static double seconds_of(const char *text, const char *key, double unit)
{
	const char *p = strstr(text, key);

	return p ? strtod(p + strlen(key), NULL) / unit : 0;
}

static double cpu_time(const char *usage)
{
	const char *text = slurp(usage);

	return strncmp(text, "usage_usec ", 11) == 0 ? seconds_of(text, "usage_usec ", 1e6)
						     : strtod(text, NULL) / 1e9;
}

/* CPUs to STEAL into `ret`; what was used by then, and how far that may be off. */
static double take_stat(const char *usage, char *ret, size_t size, double *ret_width)
{
	double column, all, idle, steal, before, after;
	unsigned int tries = 0, cpus;
	char *p;

	do {
		if (tries > 0)
			usleep(60000); /* longer than cache_ms: or it reads the same again */
		all = idle = steal = 0;
		before = cpu_time(usage);
		cpus = lines(slurp("/proc/stat"), "cpu") - 1;
		p = strchr(buf, ' ');
		for (int i = 0; p && i < 10; i++) {
			column = strtod(p, &p) / 100;
			all += column;
			idle += i == 3 ? column : 0;
			steal += i == 7 ? column : 0;
		}
		after = cpu_time(usage);
	} while (after - before > CLOSE_ENOUGH && ++tries < TRIES);
	snprintf(ret, size, "%u %.2f %.2f %.2f", cpus, all, idle, steal);
	*ret_width = (after - before) / 2;
	return (before + after) / 2;
}

static unsigned int count_online(void)
{
	const char *p = slurp("/sys/devices/system/cpu/online");
	unsigned long first, last, n = 0;
	char *end;

	do {
		first = last = strtoul(p, &end, 10);
		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		n += last - first + 1;
		p = end + 1;
	} while (*end == ',');
	return (unsigned int)n;
}

int main(int argc, char **argv)
{
	struct timespec now;
	char stat[256];
	double used, held, width;

	if (argc != 4)
		return 2;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		used = take_stat(argv[2], stat, sizeof(stat), &width);
		clock_gettime(CLOCK_BOOTTIME, &now);
		slurp(argv[3]);
		held = seconds_of(buf, "throttled_usec ", 1e6) +
		       seconds_of(buf, "throttled_time ", 1e9);
		printf("%lld.%03ld %s ", (long long)now.tv_sec, now.tv_nsec / 1000000, stat);
		printf("%u ", lines(slurp("/proc/cpuinfo"), "processor"));
		printf("%u %.3f %.3f %.3f\n", count_online(), used, held, width);
		fflush(stdout);
		usleep((useconds_t)(1000 * strtoul(argv[1], NULL, 10)));
	}
}
