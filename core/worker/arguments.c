/* SPDX-License-Identifier: MIT */
/* arguments.c - see arguments.h. */
#include <errno.h>
#include <string.h>

#include "arguments.h"

int arguments_parse(int argc, char **argv, struct arguments *ret)
{
	struct arguments a = { .log = LOG_TO_STDERR };

	for (int i = 2; i < argc; i += 2) {
		const char *value = argv[i + 1];

		if (!value)
			return -EINVAL;
		if (!strcmp(argv[i], "--config")) {
			a.config = value;
		} else if (!strcmp(argv[i], "--goodset")) {
			a.goodset = value;
		} else if (!strcmp(argv[i], "--log")) {
			a.log = !strcmp(value, "syslog")    ? LOG_TO_SYSLOG
				: !strcmp(value, "journal") ? LOG_TO_JOURNAL
							    : LOG_TO_STDERR;
		} else if (!strcmp(argv[i], "--set")) {
			char *equals = strchr(argv[i + 1], '=');

			if (!equals || a.override_count == SET_MAX)
				return -EINVAL;
			*equals = '\0';
			a.overrides[a.override_count++] =
				(struct config_override){ value, equals + 1, "command line" };
		} else {
			return -EINVAL;
		}
	}
	if (!a.config)
		return -EINVAL;
	*ret = a;
	return 0;
}
