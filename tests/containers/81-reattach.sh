#!/bin/bash
# SPDX-License-Identifier: MIT
# Who must not hold up the others while dead mounts are replaced, and what a lxcfs has
# left behind that was killed.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

LIMIT=2000 # ms
[ -z "$VM" ] || LIMIT=$((LIMIT * 15))
now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
lives() { nsenter -t "${C_PID[$1]}" -m -p -- timeout 5 grep -q . "${2:-/proc/uptime}"; }
all_live() {
	local name
	for name in "$@"; do lives "$name" || return 1; done
}
in_time() { # WHAT NAME...: measured from `began` on
	local what=$1 ms
	shift
	check "$what" wait_for "$PATIENCE" all_live "$@"
	ms=$(($(now_ms) - began))
	if [ $ms -lt $LIMIT ]; then ok "$what: within $((LIMIT / 1000)) s"; else not_ok "$what: within $LIMIT ms" "$ms ms"; fi
}
reattached() { [ "$(grep -c 're-attach:' "$LOG")" -gt "$1" ]; }
outside() { # NAME CMD...: in its mount namespace, but with the host's /proc
	nsenter -t "${C_PID[$1]}" -m -- "${@:2}"
}

daemon one
ini
must_start
mkdir "$D/way"
for name in a b privileged; do container_start $name; done

# A tenant with many mount namespaces, in each of which the way to what is dead leads
# through a file system of its own that takes requests and never answers.
container_start tenant --bind "$MNT/proc/uptime:/proc/uptime"
mkdir "$D/way/in"
outside tenant mount -t tmpfs none "$D/way"
outside tenant sh -c "mkdir '$D/way/in' && touch '$D/way/in/uptime' && mount --bind '$MNT/proc/uptime' '$D/way/in/uptime'"
tenants=()
for _ in {1..12}; do
	nsenter -t "${C_PID[tenant]}" -m -- unshare -m sleep 1000002 &
	tenants+=($!)
done
nsenter -t "${C_PID[tenant]}" -m -- "$TOOLS/hang" "$D/way/in" "$D/hangs" &
hang=$!
check "a tenant's file system hangs" wait_for "$PATIENCE" is_there "$D/hangs"
for _ in {1..12}; do
	nsenter -t "${C_PID[tenant]}" -m -- unshare -m sleep 1000002 &
	tenants+=($!)
done
# one with a large table of mounts, and one whose table changes all the time
container_start large
outside large sh -c "mount -t tmpfs none '$D/way' && for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do
	mkdir '$D/way/'\$i && mount --rbind '$D/way' '$D/way/'\$i; done"
is "$(($(grep -c . "/proc/${C_PID[large]}/mountinfo") > 16000))" 1 "another has more than 16000 mounts"
container_start restless
nsenter -t "${C_PID[restless]}" -m -- sh -c "mount -t tmpfs none '$D/way'
	while :; do mount -t tmpfs none '$D/way' && umount '$D/way'; done" &
restless=$!

began=$(now_ms)
in_container privileged umount -f /proc/uptime
in_time "the others read again" a b
check "so does the one with the large table" wait_for "$PATIENCE" lives large
check "and the restless one" wait_for "$PATIENCE" lives restless
check "and what a tenant has in another place" wait_for "$PATIENCE" lives tenant
check "it comes to an end" wait_for 60 reattached 0
like "$(grep 're-attach:' "$LOG")" 'namespaces took too long' "the log says who was given up"
check "the daemon serves" serving
reload_and_wait
is "$RELOAD" ok "and reloads"
kill "$restless" "${tenants[@]}"
kill -KILL "$hang"
wait "$restless" "${tenants[@]}" "$hang" 2>/dev/null
for name in "${!C_PID[@]}"; do container_stop "$name"; done
nobody_is_left() { [ "$(pgrep -c -f -- "$RUNDIR .*$MNT")" = 1 ]; }
check "no process is left of it" wait_for "$PATIENCE" nobody_is_left
stop_daemon

# What is dead at the start.  Only where that is nobody else's: not one that is mounted
# somewhere as a whole, which lxcfsd leaves alone, as long as it is not told by hand.
devices() { # of all lxcfs in all namespaces
	cat /proc/[0-9]*/mountinfo 2>/dev/null | awk '/ - fuse\.lxcfs / && !seen[$3]++ { print $3 }'
}
others() { devices | grep -vxF "$(printf '%s\n' "$@")"; }
mounted_here() { awk '/ - fuse\.lxcfs / { print $3 }' /proc/self/mountinfo; }

daemon first
ini
must_start
container_start left
container_start directory --bind "$MNT/proc:/mnt" --bind "$MNT/proc/uptime:/proc/uptime"
check "two read" all_live left directory
mine=$(awk -v m="$MNT" 'index($5, m) == 1 { print $3 }' /proc/self/mountinfo)
workers=$(pgrep -P "$DPID")
# shellcheck disable=SC2086 # pids
kill -KILL "$DPID" $workers
wait "$DPID" 2>/dev/null
unset 'DAEMONS[first]'
check_not "daemon and worker killed: the first does not" lives left
check_not "nor does the other" lives directory
must_start # on the dead one
check "with reattach = own it leaves them alone" not grep -q 're-attach:' "$LOG"
check_not "they stay dead" all_live left directory
stop_daemon

pids="${C_PID[left]} ${C_PID[directory]}"
# shellcheck disable=SC2086 # words
if [ -n "$(others $mine)" ]; then
	skip "by hand they are repaired" "other lxcfs mounts are on this machine"
else
	daemon second
	ini
	must_start
	like "$("$LXCFSD" --reattach "$MNT")" '^[0-9]+ dead mounts replaced in 2 of' "by hand they are repaired"
	check "both read" all_live left directory
	check "also in the directory" lives directory /mnt/uptime
	mine+=" $(awk -v m="$MNT" 'index($5, m) == 1 { print $3 }' /proc/self/mountinfo)"
	stop_daemon
	check_not "they are dead again" lives left
fi
# shellcheck disable=SC2046,SC2086 # words
if [ -n "$(others $mine $(mounted_here))" ]; then
	skip "what another has left is taken over" "dead mounts of another lxcfs are on this machine"
	finish
fi
if ! command -v lxcfs >/dev/null; then
	skip "what lxcfs has left" "lxcfs is not installed"
	finish
fi
mkdir "$T/lxcfs"
lxcfs -f -p "$T/lxcfs.pid" "$T/lxcfs" >"$T/lxcfs.log" 2>&1 &
lxcfs=$!
check "lxcfs serves" wait_for "$PATIENCE" is_there "$T/lxcfs/proc/uptime"
container_start debian --bind "$T/lxcfs/proc/uptime:/proc/uptime" --bind "$T/lxcfs/proc/meminfo:/proc/meminfo" \
	--bind "$T/lxcfs/sys/devices/system/cpu/online:/sys/devices/system/cpu/online"
check "a container reads" lives debian
kill -KILL "$lxcfs"
wait "$lxcfs" 2>/dev/null
check_not "lxcfs is killed: it does not" lives debian
umount -l "$T/lxcfs" # as its unit does
daemon third
ini 'reattach = all'
must_start
began=$(now_ms)
in_time "lxcfsd starts: it reads" debian
check "its memory" lives debian /proc/meminfo
check "and its CPUs" lives debian /sys/devices/system/cpu/online
check "and those that another lxcfsd has left" wait_for "$PATIENCE" all_live left directory
is "$(for p in $pids; do alive "$p" && echo yes; done | wc -l)" 2 "none was started again"
check "the log says so" grep -q 're-attach: [0-9]* dead mounts replaced' "$LOG"
finish
