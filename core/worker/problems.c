/* SPDX-License-Identifier: MIT */
/* problems.c - see problems.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "problems.h"

/* Stands in for a line that could not be kept, so that no line is ever NULL. */
static char out_of_memory[] = "a further problem, and no memory to say which";

static char *place(const char *file, unsigned int line)
{
	char *text;
	int n;

	if (!file)
		n = asprintf(&text, "%s", "");
	else if (!line)
		n = asprintf(&text, "%s: ", file);
	else
		n = asprintf(&text, "%s:%u: ", file, line);
	return n < 0 ? NULL : text;
}

void problem_add(struct problems *problems, const char *file, unsigned int line, const char *format,
		 ...)
{
	char *head, *body = NULL, *whole = NULL;
	va_list args;
	int n;

	if (problems->count++ >= PROBLEMS_MAX)
		return;
	head = place(file, line);
	va_start(args, format);
	n = vasprintf(&body, format, args);
	va_end(args);
	if (n < 0)
		body = NULL;
	if (head && body && asprintf(&whole, "%s%s", head, body) < 0)
		whole = NULL;
	free(head);
	free(body);
	if (!whole)
		whole = out_of_memory;
	/* what was found in a file must not paint the administrator's terminal */
	for (char *c = whole; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = '?';
	problems->lines[problems->count - 1] = whole;
}

void problems_done(struct problems *problems)
{
	size_t kept = problems->count < PROBLEMS_MAX ? problems->count : PROBLEMS_MAX;

	for (size_t i = 0; i < kept; i++)
		if (problems->lines[i] != out_of_memory)
			free(problems->lines[i]);
	*problems = (struct problems){ .count = 0 };
}
