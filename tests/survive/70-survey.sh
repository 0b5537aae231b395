#!/bin/bash
# SPDX-License-Identifier: MIT
# The rows of docs/survival.md: whatever is done to the daemon, twelve readers and two
# pollers do not notice.  With LXCFSD_TEST_LONG=1 as often as the table says.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../survey.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
BOUND=1000
[ -z "$VM" ] || BOUND=10000
# Between two reads of one reader.  Twelve that never rest have nearly as many calls, but
# what they wait for at the worst is each other.
: "${PAUSE_MS:=2}"

pause() { sleep "0.0$((RANDOM % 10))"; }
# one that serves: before it does, the next stall would begin in this one
kill_worker() {
	local w
	wait_for "$PATIENCE" worker_pid # it may be between two
	w=$(worker_pid) && kill -KILL "$w" && wait_for "$PATIENCE" other_worker "$w" &&
		timeout "$PATIENCE" cat "$MNT/proc/uptime" >/dev/null && pause
}
reload() { reload_and_wait && [ "$RELOAD" = ok ]; }

# The keeper is another program now, and the same process.
program() { stat -L -c %i "/proc/$DPID/exe"; }
is_program() { [ "$(program)" = "$1" ]; }
reexec() {
	cp "$BUILD/lxcfsd" "$D/bin/lxcfsd.new" && mv -f "$D/bin/lxcfsd.new" "$D/bin/lxcfsd"
	kill -HUP "$DPID" && wait_for "$PATIENCE" is_program "$(stat -c %i "$D/bin/lxcfsd")"
}

stopped_worker_is_replaced() {
	local w
	w=$(worker_pid) && kill -STOP "$w" || return 1
	timeout 30 cat "$MNT/proc/uptime" >/dev/null 2>&1 &
	wait_for "$PATIENCE" other_worker "$w" && wait $!
}

# The keeper dies; another one finds the worker that serves on.
adopted() {
	local w
	w=$(worker_pid)
	kill -KILL "$DPID"
	wait "$DPID" 2>/dev/null
	"$LXCFSD" -f -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" "$MNT" >>"$LOG" 2>&1 &
	DPID=$!
	DAEMONS[$DNAME]=$DPID
	wait_for "$PATIENCE" other_worker "$w" && [ "$(mount_line)" = "$MOUNT" ] && pause
}

mixed() {
	local w
	case $((RANDOM % 4)) in
	0) kill_worker ;;
	1) reload_and_wait ;; # which may fail, when a kill has hit who came to serve
	2) wait_for "$PATIENCE" worker_pid && w=$(worker_pid) && kill -USR1 "$DPID" && kill -KILL "$w" && wait_for "$PATIENCE" other_worker "$w" ;;
	3) reexec ;;
	esac
}

survey_begin one
survey_row nothing 3 - $BOUND sleep 1 # what a stall is on this machine by itself
survey_row kill "$(times 10 300)" 50 $BOUND kill_worker
survey_row reload "$(times 10 1000)" 50 $BOUND reload
survey_row re-exec "$(times 6 200)" 50 $BOUND reexec
survey_row mixed "$(times 10 200)" 50 $BOUND mixed
survey_row stop "$(times 2 30)" 2100 $((BOUND + 4000)) stopped_worker_is_replaced
wait_for "$PATIENCE" one_worker
survey_row adopt "$(times 2 20)" 50 $BOUND adopted
check_not "no worker has died by a fault" grep -qE 'died: signal (4|6|7|8|11) ' "$LOG"
finish
