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

# where the host has PSI there is a mount within it
INNER=$MNT/proc/pressure
inner_is_back() { [ "$(mount_line "$INNER" | awk '{ print $3 }')" = "$inner" ]; }
inner=''
if [ -d "$INNER" ]; then
	check "the inner mount comes" wait_for "$PATIENCE" mount_line "$INNER"
	inner=$(mount_line "$INNER" | awk '{ print $3 }')
fi

for how in '' --lazy; do
	if [ -n "$inner" ]; then
		check_not "umount $how: there is a mount within it" umount "$MNT"
		# shellcheck disable=SC2086 # an option or nothing
		check "umount $how of the inner mount" umount $how "$INNER"
		check "umount $how: the inner mount is back" wait_for "$PATIENCE" inner_is_back
		check "umount $how: and serves" timeout 10 grep -q . "$INNER/cpu"
	fi
	[ -z "$inner" ] || how=--lazy # it cannot go without the inner one
	# shellcheck disable=SC2086 # an option or nothing
	check "umount $how" umount $how "$MNT"
	check "umount $how: the same mount is back" wait_for "$PATIENCE" is_back
	check "umount $how: and serves" timeout 10 grep -q . "$MNT/proc/uptime"
	check "umount $how: what a container has bound went on" timeout 10 grep -q . "$D/bound"
	[ -z "$inner" ] || check "umount $how: so is the inner one" wait_for "$PATIENCE" inner_is_back
	is "$(worker_pid)" "$worker" "umount $how: with the same worker"
done
like "$(cat "$LOG")" 'somebody has unmounted' "the log says so"
is "$(mount_line | wc -l)" 1 "it is there once"
reload_and_wait
is "$RELOAD" ok "a reload succeeds"

if [ -n "$inner" ]; then # an abort of the inner connection alone
	need_fusectl
	echo 1 >"$FUSECTL/${inner#*:}/abort"
	inner_serves() { timeout 5 grep -q . "$INNER/cpu"; }
	inner_is_new() { inner_serves && [ "$(mount_line "$INNER" | awk '{ print $3 }')" != "$inner" ]; }
	check "after an abort of the inner connection another one is there" wait_for "$PATIENCE" inner_is_new
	is "$(mount_line "$INNER" | wc -l)" 1 "once"
	check "what a container has bound of the other went on" timeout 10 grep -q . "$D/bound"
	check "and the other is the same" is_back
fi

# an abort is the end of the connection: mounted anew, said plainly, and given back
abort_connection
check "after an abort the old files are given back" wait_for "$PATIENCE" timeout 10 grep -q . "$D/bound"
check "after an abort it serves again" wait_for "$PATIENCE" timeout 5 grep -q . "$MNT/proc/uptime"
like "$(cat "$LOG")" 'containers that run get their files back' "the log says what that means"
umount "$D/bound"
stop_daemon
is "$STOP_STATUS" 0 "it ends with 0"
check_not "and stays unmounted" mount_line
check_not "so does what was in it" mount_line "$INNER"
finish
