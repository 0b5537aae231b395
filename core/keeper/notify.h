/* SPDX-License-Identifier: MIT */
/* notify.h - sd_notify(3) without libsystemd; does nothing where nobody listens. */
#ifndef LXCFSD_NOTIFY_H
#define LXCFSD_NOTIFY_H

#include <stdbool.h>

void notify_ready(const char *status);
void notify_stopping(void);

/* systemd keeps file descriptors for the next main process: the variable FDSTORE says how
 * many it takes.  systemd sets it from 254 on; for older ones the unit does. */
bool notify_keeps_fds(void);
/* Leaves `fd` there under a name, instead of an earlier one. */
int notify_store(const char *name, int fd);
int notify_forget(const char *name);

#endif
