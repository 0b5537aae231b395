#!/bin/bash
# SPDX-License-Identifier: MIT
# fs.fuse.*_request_timeout: the kernel would end the connection; the log says so.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"

FILE=/proc/sys/fs/fuse/max_request_timeout
[ -w $FILE ] || skip_all "this kernel has no $FILE"
had=$(cat $FILE)

daemon one
ini
must_start
is "$(grep -c max_request_timeout "$LOG")" "$([ "$had" = 0 ]; echo $?)" "as it is set here"
stop_daemon
: >"$LOG"
echo 65000 >$FILE
start_daemon
echo "$had" >$FILE
like "$(grep max_request_timeout "$LOG")" 'fs.fuse.max_request_timeout = [1-9]' "a time limit of the kernel's is warned of"
check "and it serves" timeout 5 cat "$MNT/proc/meminfo"
finish
