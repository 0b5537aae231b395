#!/bin/bash
# SPDX-License-Identifier: MIT
# Whatever happens to workers at whatever moment: in the end one serves.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

children() { pgrep -P "$DPID"; }
serves() { timeout 5 grep -q . "$MNT/proc/uptime"; }
stopped() { [ "$(awk '/^State/ { print $2 }' "/proc/$1/status")" = T ]; }

daemon one
must_start
MOUNT=$(mount_line)

# A candidate that said READY and died before the keeper could hear either.
for _ in 1 2 3; do
	kill_workers
	wait_for "$PATIENCE" children
	kill -STOP "$DPID"
	wait_for "$PATIENCE" stopped "$DPID"
	for c in $(children); do
		wait_for 2 waits_for_go "$c"
		kill -KILL "$c"
	done
	kill -CONT "$DPID"
	wait_for "$PATIENCE" serves || break
done
check "a candidate dies between READY and being heard" serves
check_not "which is no reason to show the host's files" grep -q 'lxcfsd-safe serves' "$LOG"

# Anybody, at any moment, among reloads.
start_load
for _ in {1..150}; do
	for c in $(children); do kill -KILL "$c" 2>/dev/null; done
	[ $((RANDOM % 3)) = 0 ] && kill -USR1 "$DPID"
	sleep "0.0$((RANDOM % 2))$((RANDOM % 10))"
done
check "after 150 rounds of killing everybody one serves" wait_for "$PATIENCE" serves
wait_for "$PATIENCE" one_worker
reload_and_wait
check "and a reload succeeds" wait_for "$PATIENCE" serves
undisturbed "kills of all workers and candidates"

# Signals for the keeper that reach a worker that is just being made.
good=0
for _ in {1..20}; do
	kill -USR1 "$DPID"
	for _ in {1..10}; do
		for c in $(children); do kill -USR1 "$c"; kill -TERM "$c"; kill -HUP "$c"; done 2>/dev/null
	done
	reload_and_wait
	[ "$RELOAD" = ok ] && good=$((good + 1))
done
is $good 20 "signals to all of that name disturb no reload"

# No process can be made for a while.
if [ -n "${CG_DIR[pids]:-}" ] && cg_make few; then
	d=${CG_DIR[pids]}/$CG_NAME/few
	echo "$DPID" >"$d/cgroup.procs"
	echo 1 >"$d/pids.max"
	kill_workers
	check "no worker can be started" wait_for "$PATIENCE" grep -q 'cannot start a worker' "$LOG"
	kill -USR1 "$DPID"
	wait_for 10 test "$(grep -c 'cannot start a worker' "$LOG")" -ge 3
	echo max >"$d/pids.max"
	check "when it is possible again, one serves" wait_for "$PATIENCE" serves
	echo "$DPID" >"${CG_DIR[pids]}/cgroup.procs"
else
	skip "no processes left" "no pids controller"
fi
stop_daemon
is "$STOP_STATUS" 0 "it ends with 0"

# Started without standard files: nothing may be written where it does not belong.
daemon closed
ini
"$LXCFSD" -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" "$MNT" 0<&- 1>&- 2>&-
is "$?" 0 "without standard files it starts"
DPID=$(cat "$PIDFILE")
DAEMONS[closed]=$DPID
check "and serves" serves
is "$(cat "$RUNDIR/lxcfsd/lock")" "$DPID" "the lock file has its pid and no more"
check_not "and a second one is refused" "$LXCFSD" -f -c "$INI" -p "$D/other" --runtime-dir "$RUNDIR" "$D/elsewhere"
stop_daemon
finish
