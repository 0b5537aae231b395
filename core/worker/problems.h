/* SPDX-License-Identifier: MIT */
/* problems.h - what is wrong with a configuration: all of it, not the first. */
#ifndef LXCFSD_PROBLEMS_H
#define LXCFSD_PROBLEMS_H

#include <stdbool.h>
#include <stddef.h>

/* Zero-initialised is empty.  Bounded: past PROBLEMS_MAX only the number grows. */
#define PROBLEMS_MAX 50
struct problems {
	char *lines[PROBLEMS_MAX];
	size_t count;
};

/* "FILE:LINE: text"; without the place when file is NULL, without the line when
 * it is 0. */
void problem_add(struct problems *problems, const char *file, unsigned int line, const char *format,
		 ...) __attribute__((format(printf, 4, 5)));
void problems_done(struct problems *problems);

#endif
