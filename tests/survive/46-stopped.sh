#!/bin/bash
# SPDX-License-Identifier: MIT
# A worker that is stopped is replaced when a request has waited for as long as it may.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

long_in_vm
daemon one
ini 'request_timeout_ms = 1000'
must_start
MOUNT=$(mount_line)
status() { sed -n "s/^$1 //p" "$RUNDIR/lxcfsd/status"; } # KEY
status_is() { [ "$(status "$1")" = "$2" ]; }

start_load --hang-ms 15000
good=0
for _ in 1 2 3 4; do
	w=$(worker_pid)
	kill -STOP "$w" && wait_for "$PATIENCE" other_worker "$w" && good=$((good + 1))
	sleep "0.$((RANDOM % 9 + 1))"
done
is $good 4 "four times it is replaced"
undisturbed "a stopped worker"
stall=$(load_says max_stall_ms)
# 1100 on a quiet machine
if [ "${stall%.*}" -lt 2500 ]; then ok "no reader waited much longer than a deadline"; else not_ok "no reader waited much longer than a deadline" "$stall ms"; fi
check "the status counts them" wait_for 5 status_is deaths-hung 4
like "$(status last-death)" "it was stopped, so it was killed" "and says why"
is "$(status quarantined)" "" "no file is to blame"

# nobody waits: it may be stopped for as long as somebody likes
w=$(worker_pid)
kill -STOP "$w"
sleep 2.5
is "$(worker_pid)" "$w" "one whom nobody asks is left alone"
timeout 20 cat "$MNT/proc/uptime" >/dev/null &
check "until somebody does" wait_for "$PATIENCE" other_worker "$w"
wait $!
is $? 0 "who gets what he asked for"
reload_and_wait
is "$RELOAD" ok "a reload succeeds"
finish
