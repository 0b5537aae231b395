#!/bin/bash
# SPDX-License-Identifier: MIT
# Many kill -9 of the worker under eight readers, none of which may notice.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

# the SIGSEGVs below are ours: no finding of a sanitizer
ASAN_OPTIONS+=:handle_segv=0
COUNT=30
[ -z "${LXCFSD_TEST_LONG:-}" ] || COUNT=100
daemon one
must_start
MOUNT=$(mount_line)

kill_worker() { # SIGNAL: and wait until another one is there
	local w
	w=$(worker_pid) || return 1
	kill -s "$1" "$w" && wait_for "$PATIENCE" other_worker "$w"
}

start_load
good=0
for ((i = 1; i <= COUNT; i++)); do
	kill_worker KILL && good=$((good + 1))
	# so that the next one does not always hit a worker that has just begun
	[ $((i % 2)) = 0 ] || sleep "0.0$((RANDOM % 10))"
done
is $good $COUNT "$COUNT kill -9: each time another worker comes"
undisturbed "$COUNT kill -9"

start_load
good=0
for i in {1..10}; do
	kill_worker SEGV && good=$((good + 1))
	sleep 0.05
done
is $good 10 "10 SIGSEGV: each time another worker comes"
undisturbed "10 SIGSEGV"

start_load
good=0
for i in {1..20}; do
	kill_worker KILL
	reload_and_wait && [ "$RELOAD" = ok ] && good=$((good + 1))
	w=$(worker_pid) && kill -USR1 "$DPID" && kill -KILL "$w"
	wait_for "$PATIENCE" other_worker "$w"
done
is $good 20 "20 times a kill, a reload, and both at once"
undisturbed "kills and reloads"

check "the log tells of the deaths" grep -qi 'signal\|killed\|died' "$LOG"
check "it can be reloaded" reload_and_wait
is "$RELOAD" ok "with success"
stop_daemon
is "$STOP_STATUS" 0 "and ends with 0"
finish
