#!/bin/bash
# SPDX-License-Identifier: MIT
# Where the daemon runs: only on a host, unless told otherwise; and on hosts that hide
# things in /proc.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
daemon inside
ini
refused() { # WHAT PATTERN CMD...
	local what=$1 pattern=$2
	shift 2
	OUT=$(timeout "$PATIENCE" "$@" "$LXCFSD" -f -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" "$MNT" 2>&1)
	is "$?" 1 "$what: refused"
	like "$OUT" "$pattern" "$what: says why and what to do"
	check_not "$what: nothing is mounted" mount_line
}
refused "a pid namespace" 'pid namespace.*cgroup_root' unshare --pid --fork --mount-proc
refused "a cgroup namespace" 'cgroup namespace.*cgroup_root' unshare --cgroup
ini 'cgroup_root = relative'
refused "a root that is no path" 'cgroup_root' env

# an lxcfsd in a container, for the containers in there
cat >"$T/nested" <<'SH'
# in namespaces of its own, whose root is the cgroup it is in, as container engines do it
mkdir "$T/memory" && mount -t cgroup -o memory cgroup "$T/memory" || exit 1
"$LXCFSD" -f -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" "$MNT" >>"$LOG" 2>&1 &
for ((i = 0; i < 1000; i++)); do
	mountpoint -q "$MNT" && [ -e "$MNT/proc/meminfo" ] && break
	sleep 0.02
done
awk '/^MemTotal/ { print "own " $2 }' "$MNT/proc/meminfo"
(echo $BASHPID >"$T/memory/inner/cgroup.procs" && awk '/^MemTotal/ { print "inner " $2 }' "$MNT/proc/meminfo")
kill $!
wait $!
echo "status $?"
SH
export LXCFSD T INI PIDFILE RUNDIR MNT LOG
ini 'cgroup_root = /'
if [ "$CG_MODE" = v1 ]; then
	cg_make outer/inner
	cg_set outer mem 96M
	cg_set outer/inner mem 48M
	OUT=$( (cg_join outer && exec unshare --cgroup --pid --fork --mount-proc bash "$T/nested") 2>&1)
	like "$OUT" "own $(mem_total </proc/meminfo)" "its container counts as the host"
	like "$OUT" 'inner 49152' "a container in there has its view"
	like "$OUT" 'status 0' "and it ends well"
else # a cgroup that has controllers for others can have no processes itself
	skip "a daemon in a container" "only tried on cgroup v1"
fi

# hidepid, and files mounted over those of /proc
daemon hidden
export INI PIDFILE RUNDIR MNT
cat >"$T/hide" <<'SH'
mount -t proc -o hidepid=2 proc /proc
echo "MemTotal: 1 kB" >"$T/wrong" && mount --bind "$T/wrong" /proc/meminfo
exec "$LXCFSD" -f -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" "$MNT"
SH
ini
unshare --mount bash "$T/hide" >>"$LOG" 2>&1 &
DPID=$!
DAEMONS[hidden]=$DPID
there() { nsenter -t "$DPID" -m -- test -e "$MNT/proc/meminfo"; }
check "it starts where /proc hides processes" wait_for "$PATIENCE" there
cg_make hidden
cg_set hidden mem 80M
is "$( (cg_join hidden && exec nsenter -t "$DPID" -m -- cat "$MNT/proc/meminfo") | mem_total)" 81920 "a reader has its view"
is "$( (cg_join hidden && exec nsenter -t "$DPID" -m -- grep -c . "$MNT/proc/meminfo"))" "$(grep -c . /proc/meminfo)" "made from the real /proc"
if [ -r /proc/1/ns/mnt ] && stat -L /proc/1/ns/mnt >/dev/null 2>&1; then
	like "$(cat "$LOG")" 'mount namespace' "it says that nobody else can see the mount"
else
	skip "it says that nobody else can see the mount" "the namespaces of process 1 are not readable here"
fi
stop_daemon
finish
