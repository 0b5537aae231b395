/* SPDX-License-Identifier: MIT */
/* timeouts.h - a limit that the administrator has set for all FUSE servers. */
#ifndef LXCFSD_TIMEOUTS_H
#define LXCFSD_TIMEOUTS_H

/* Warns when the kernel ends a connection with a request that has waited too long (since
 * Linux 6.15, fs.fuse.*_request_timeout): every container would lose its files by it. */
void timeouts_check(void);

#endif
