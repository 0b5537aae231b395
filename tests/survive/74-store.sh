#!/bin/bash
# SPDX-License-Identifier: MIT
# systemd keeps the file descriptors: whoever is killed, the next main process goes on.
# tools/fdstore.py plays systemd; with the real one: scripts/vm.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../store.sh"

stored() { tr '\n' ' ' <"$STORE/names"; }
reads() { timeout 5 cat "$MNT/proc/uptime" >/dev/null; }

daemon one
ini
start_service || bail "the service starts" "$(cat "$LOG")"
MOUNT=$(mount_line)
mount_line | awk '{ print $3 }' >"$STORE/device"
check "it stores what the next one needs" wait_for "$PATIENCE" grep -q vault "$STORE/names"
all='exe fuse inner lock set state vault '
mount_line "$MNT/proc/pressure" >/dev/null || all='exe fuse lock set state vault '
has_all() { [ "$(stored)" = "$all" ]; }
check "each under its name" wait_for "$PATIENCE" has_all

again() { # WHAT TIMES CMD...: 0 failed
	local what=$1 times=$2 good=0 before
	shift 2
	start_load
	for ((i = 0; i < times; i++)); do
		before=$(ready)
		"$@"
		wait_for "$PATIENCE" restarted "$before" && good=$((good + 1))
	done
	is $good "$times" "$what: $times times it goes on"
	undisturbed "$what"
}
kill_keeper_and_stop_worker() {
	local w
	w=$(worker_pid)
	kill -KILL "$DPID"
	kill -STOP "$w" # on its way to being an orphan
}
terminate() { kill -TERM "$DPID"; }
again "the main process is killed" 5 kill_main
again "all processes are killed" 10 kill_both
again "the main process is killed, and the worker does not answer" 2 kill_keeper_and_stop_worker
again "the main process is told to end" 5 terminate
again "a new program, then all are killed" 1 eval 'kill -HUP "$DPID"; wait_for "$PATIENCE" grep -q "same process" "$LOG"; kill_both'
check "the store holds the same" wait_for "$PATIENCE" has_all
check_not "nothing was asked of systemd that hurts it" test -e "$STORE/errors"

# A reload between: what is made of the good set is in the store, too.
reload_and_wait
is "$RELOAD" ok "a reload"
cp "$INI" "$D/good.ini"
echo '[lxcfsd' >>"$INI"
before=$(ready)
kill_both
check "with a broken configuration on disk it goes on" wait_for "$PATIENCE" restarted "$before"
cp "$D/good.ini" "$INI"
kill -USR2 "$DPID"
check "SIGUSR2" wait_for "$PATIENCE" grep -q "see the host's" "$LOG"
before=$(ready)
kill_both
wait_for "$PATIENCE" restarted "$before"
kill -USR2 "$DPID"
check "is remembered" wait_for "$PATIENCE" grep -q "see their own again" "$LOG"

# The connection was ended while nobody was there to see it.
connection=$(connection)
before=$(ready)
kill -STOP "$SERVICE"
kill_both
w=$DPID
zombie() { [ "$(awk '/^State/ { print $2 }' "/proc/$w/status")" = Z ]; }
wait_for "$PATIENCE" zombie
echo 1 >"$connection/abort"
kill -CONT "$SERVICE"
check "a dead connection is given up, and it mounts anew" wait_for "$PATIENCE" restarted "$before"
check "and serves" wait_for "$PATIENCE" reads
check "with a new one in the store" wait_for "$PATIENCE" has_all
MOUNT=$(mount_line)
again "which is as good" 2 kill_both

# The end.
stop_service
check "after the end of the service the mount is still there" mount_line
check "--unmount takes it off" "$LXCFSD" --unmount -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR"
check_not "and it is gone" mount_line

# Names that mean nothing, numbers that are none, and those of somebody else.
exec 5</dev/null
for names in state:fuse:vault fuse x:y:: ''; do
	rm -f "$D/out"
	# shellcheck disable=SC2016 # the pid of the one that is executed
	bash -c 'export LISTEN_PID=$$ LISTEN_FDS=3 LISTEN_FDNAMES='"$names"'
		exec "$@" 3</dev/null 4</dev/zero 5</dev/null' - "$LXCFSD" -f -c "$INI" -p "$PIDFILE" \
		--runtime-dir "$RUNDIR" "$MNT" >>"$LOG" 2>&1 &
	DPID=$!
	DAEMONS[one]=$DPID
	check "files that are none of ours as '$names': it mounts anew" wait_for "$PATIENCE" serving
	stop_daemon
	is "$STOP_STATUS" 0 "and without a store SIGTERM unmounts"
done
exec 5<&-
LISTEN_PID=1 LISTEN_FDS=99999999999999999999 must_start
stop_daemon
finish
