#!/bin/bash
# SPDX-License-Identifier: MIT
# Somebody unmounts it: the same mount is back within moments, and a container that
# has files of it bound never knew.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

is_back() { [ "$(mount_line | awk '{ print $3 }')" = "$device" ]; }

daemon one
must_start
device=$(mount_line | awk '{ print $3 }')
worker=$(worker_pid)
touch "$D/bound"
mount --bind "$MNT/proc/uptime" "$D/bound"

for how in '' --lazy; do
	# shellcheck disable=SC2086 # an option or nothing
	check "umount $how" umount $how "$MNT"
	check "umount $how: the same mount is back" wait_for "$PATIENCE" is_back
	check "umount $how: and serves" timeout 10 grep -q . "$MNT/proc/uptime"
	check "umount $how: what a container has bound went on" timeout 10 grep -q . "$D/bound"
	is "$(worker_pid)" "$worker" "umount $how: with the same worker"
done
like "$(cat "$LOG")" 'somebody has unmounted' "the log says so"
is "$(mount_line | wc -l)" 1 "it is there once"
reload_and_wait
is "$RELOAD" ok "a reload succeeds"

# an abort is the end of the connection: mounted anew, and said plainly
abort_connection
check_not "after an abort the old files are dead" timeout 10 cat "$D/bound"
check "after an abort it serves again" wait_for "$PATIENCE" timeout 5 grep -q . "$MNT/proc/uptime"
like "$(cat "$LOG")" 'must be started again' "the log says what that means"
umount "$D/bound"
stop_daemon
is "$STOP_STATUS" 0 "it ends with 0"
check_not "and stays unmounted" mount_line
finish
