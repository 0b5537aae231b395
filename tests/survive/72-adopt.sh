#!/bin/bash
# SPDX-License-Identifier: MIT
# The keeper is killed, without systemd: the worker serves on, and a new keeper takes it over.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

kill_keeper() { # W: the worker that is left
	W=$(worker_pid)
	kill -KILL "$DPID"
	wait "$DPID" 2>/dev/null
	unset "DAEMONS[$DNAME]"
}
own_worker() { one_worker && [ "$(worker_pid)" != "$W" ] && ! alive "$W"; }
stopped() { [ "$(awk '/^State/ { print $2 }' "/proc/$1/status")" = T ]; }
candidate_waits() { # RESERVE: another one has said READY, so the active one was told to finish
	local w
	find_workers
	for w in ${CANDIDATES[@]+"${CANDIDATES[@]}"}; do
		[ "$w" != "$1" ] && [ "$(awk '/^Threads/ { print $2 }' "/proc/$w/status")" = 1 ] && grep -qE 'recv|packets' "/proc/$w/wchan" && return
	done
	return 1
}
unmount() { "$LXCFSD" --unmount -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR"; }
total() { timeout 10 cat "$MNT/proc/uptime"; }

daemon one
mkdir "$D/plugins"
cp "$BUILD"/plugins/*.so "$D/plugins/"
ini "plugin_dir = $D/plugins"
must_start
MOUNT=$(mount_line)
start_load
good=0
for _ in {1..5}; do
	kill_keeper
	start_daemon
	wait_for "$PATIENCE" own_worker && good=$((good + 1))
done
is $good 5 "5 times: killed, its worker taken over and replaced"
undisturbed "5 adoptions"
is "$(grep -c 'taken over' "$LOG")" 5 "and it says so"

# Killed again before it has a worker of its own.
start_load
cp "$INI" "$D/good.ini"
echo '[lxcfsd' >>"$INI"
kill_keeper
first=$W
start_daemon
refused() { grep -q failed "$RUNDIR/lxcfsd/last-reload"; }
check "no new worker can be made" wait_for "$PATIENCE" refused
check "the one of before serves on" alive "$first"
kill -KILL "$DPID"
wait "$DPID" 2>/dev/null
start_daemon
twice() { [ "$(grep -c "worker $first has served on" "$LOG")" = 2 ]; }
check "it is taken over once more" wait_for "$PATIENCE" twice
kill -HUP "$DPID"
check "also by another program" wait_for "$PATIENCE" grep -q 'in the same process' "$LOG"
cp "$D/good.ini" "$INI"
kill -KILL "$first"
check "its death is noticed" wait_for "$PATIENCE" one_worker
undisturbed "a worker of three keepers"

# Killed while the worker finishes what it has begun: it takes requests again, although it
# was told not to.
cp "$SAMPLES/sample_slow.so" "$D/plugins/"
printf '\n[plugin sample_slow]\n' >>"$INI"
sed -i 's/^\[lxcfsd\]/&\ndrain_ms = 10000/' "$INI"
reload_and_wait
is "$RELOAD" ok "a file that takes a second"
start_load
good=0
for _ in 1 2 3; do
	timeout 30 cat "$MNT/proc/lxcfsd_slow" >"$D/slow" &
	slow=$!
	sleep 0.1
	wait_for "$PATIENCE" settled
	kill -USR1 "$DPID"
	wait_for "$PATIENCE" candidate_waits "${CANDIDATES[0]}"
	kill_keeper
	wait $slow && grep -q slow "$D/slow" && good=$((good + 1))
	start_daemon
	wait_for "$PATIENCE" own_worker || good=0
done
is $good 3 "killed while its worker finishes: what was begun is answered"
undisturbed "killed while its worker finishes"

# Unmounted meanwhile: the same mount comes back.
device=$(mount_line | awk '{ print $3 }')
kill_keeper
umount -l "$MNT"
check_not "unmounted while there is no keeper" mount_line
start_daemon
mount_back() { [ "$(mount_line | awk '{ print $3 }')" = "$device" ]; }
check "the new keeper puts it back" wait_for "$PATIENCE" mount_back
wait_for "$PATIENCE" own_worker

# Another directory for the runtime files: not the same daemon.
kill_keeper
check_not "one with another runtime directory is refused" \
	"$LXCFSD" -f -c "$INI" -p "$D/other" --runtime-dir "$D/elsewhere" "$MNT"

# One that does not answer is left alone.
kill -STOP "$W"
wait_for "$PATIENCE" stopped "$W"
check_not "a worker that is stopped is not taken over" \
	"$LXCFSD" -f -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" "$MNT"
kill -CONT "$W"
check "it serves again" total
start_daemon
check "and now it is" wait_for "$PATIENCE" own_worker

# Not root: nobody gets anything.
check_not "the socket is root's" setpriv --reuid 65534 --clear-groups test -e "$RUNDIR/lxcfsd/worker"

# Everybody killed: nothing can be taken over.
check_not "--unmount is for what has ended" unmount
W=$(worker_pid)
kill -STOP "$DPID"
kill -KILL "$W" "$DPID"
wait "$DPID" 2>/dev/null
check "keeper and worker are gone" wait_for "$PATIENCE" not alive "$W"
start_daemon
check "a new one mounts anew" wait_for "$PATIENCE" total
check "and takes off the dead one" grep -q "a 'fuse.lxcfs' mount whose server is dead" "$LOG"

# For good.
kill_keeper
check "--unmount: takes off what was left" unmount
check_not "it is not mounted any more" mount_line
check "its worker ends" wait_for "$PATIENCE" not alive "$W"
check "and again: nothing to do" unmount
mount -t tmpfs tmpfs "$MNT"
printf '0:1 %s\n' "$MNT" >"$RUNDIR/lxcfsd/mount"
check "the mount of somebody else" unmount
check "stays" mount_line
umount "$MNT"
DPID=''
finish
