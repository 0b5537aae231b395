/* SPDX-License-Identifier: MIT */
/* notify.h - sd_notify(3) without libsystemd; does nothing where nobody listens. */
#ifndef LXCFSD_NOTIFY_H
#define LXCFSD_NOTIFY_H

void notify_ready(const char *status);
/* Other words, nothing else. */
void notify_status(const char *status);
void notify_stopping(void);

#endif
