#!/bin/bash
# SPDX-License-Identifier: MIT
# The connection is ended from outside: containers get living files for dead ones, in
# each form that a bind can have, and none is started again.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

LIMIT=2000 # ms
[ -z "$VM" ] || LIMIT=$((LIMIT * 15))

declare -A AT=()   # namespace -> what is read in it
declare -A SPID=() # namespace -> a process in it
extra=()           # those that no container_start made

add() { # NAME PID PATH
	SPID[$1]=$2 AT[$1]=$3
}
inside() { # NAME CMD...
	nsenter -t "${SPID[$1]}" -m -p -- "${@:2}"
}
# a process that stays in namespaces made from those of another container
nested() { # NAME FROM UNSHARE-OPTION...
	local name=$1 from=$2
	shift 2
	rm -f "$T/pid.$name"
	# shellcheck disable=SC2016 # of the inner shell
	nsenter -t "${SPID[$from]}" -m -p -- unshare "$@" sh -c 'exec sleep 1000001' &
	extra+=($!)
	wait_for "$PATIENCE" inner_sleep $! || return 1
	add "$name" "$INNER_SLEEP" "${AT[$from]}"
}
inner_sleep() { # PID: its descendant that sleeps
	local p=$1 c
	while c=$(pgrep -P "$p" | head -n 1) && [ -n "$c" ]; do p=$c; done
	[ "$(cat "/proc/$p/comm")" = sleep ] && INNER_SLEEP=$p
}
lives() { inside "$1" timeout 5 grep -q . "${AT[$1]}"; }
all_live() {
	local name
	for name in "${!AT[@]}"; do lives "$name" || return 1; done
}
dead_ones() {
	local name
	for name in "${!AT[@]}"; do lives "$name" || echo "$name"; done
}
OURS=' ' # devices of this test's mounts that were ended
note_ours() { OURS+="$(living_devices | tr '\n' ' ')"; }
table() { # of what this test has mounted, and what is mounted over that
	awk -v ours="$OURS$(living_devices | tr '\n' ' ')" '!/ - fuse\.lxcfs / || index(ours, " " $3 " ")' "/proc/${SPID[$1]}/mountinfo"
}
line_of() { table "$1" | awk -v m="$2" '$5 == m { l = $0 } END { print l }'; } # the topmost
lines_of() { table "$1" | grep -c ' - fuse.lxcfs '; }
# each mount point and how many are there
points_of() { table "$1" | awk -v n="$1" '/ - fuse\.lxcfs / { at[$5]++ } END { for (p in at) print n, p, at[p] }'; }
all_points() { for name in "${!SPID[@]}"; do points_of "$name"; done | sort | grep -v -e '^stack ' -e '^locked '; }
options_of() { line_of "$1" "$2" | awk '{ print $6 }'; }
now_ms() { local t=${EPOCHREALTIME/[.,]/}; echo $((t / 1000)); }
outlive() { # WHAT CMD...: ends the connection; everybody must read again in time
	local what=$1 began ms pids after
	shift
	pids=${SPID[*]}
	note_ours
	began=$(now_ms)
	"$@" || { not_ok "$what: $*" && return; }
	wait_for "$PATIENCE" all_live
	ms=$(($(now_ms) - began))
	is "$(dead_ones)" "" "$what: all ${#AT[@]} namespaces read again"
	if [ $ms -lt $LIMIT ]; then ok "$what: within $((LIMIT / 1000)) s"; else not_ok "$what: within $LIMIT ms" "$ms ms"; fi
	after=$(for p in $pids; do alive "$p" && printf '%s ' "$p"; done)
	is "$after" "$pids " "$what: none was started again"
	wait_for "$PATIENCE" nothing_is_dead
	is "$(dead_lines)" "" "$what: nothing dead is left on top"
}
living_devices() { awk -v m="$MNT" '$5 == m || index($5, m "/") == 1 { print $3 }' /proc/self/mountinfo; }
# those that are on top, but of another device than those that live
dead_lines() {
	local name living
	living=" $(living_devices | tr '\n' ' ') "
	for name in "${!SPID[@]}"; do
		table "$name" | awk -v n="$name" -v living="$living" '
			{ at[$5] = / - fuse\.lxcfs / ? $3 : "" }
			END { for (p in at) if (at[p] && !index(living, " " at[p] " ")) print n ": " p " " at[p] }'
	done
}
nothing_is_dead() { [ -z "$(dead_lines)" ]; }

daemon one
ini
must_start
INNER=''
if [ -d "$MNT/proc/pressure" ] && wait_for "$PATIENCE" mount_line "$MNT/proc/pressure"; then INNER=$MNT/proc/pressure; fi

container_start files
add files "${C_PID[files]}" /proc/uptime
mkdir "$D/dir" "$D/odd dir"
touch "$D/odd dir/a	b\\c"
container_start dir --bind "$MNT:$D/dir" --bind "$MNT/proc/uptime:$D/odd dir/a	b\\c"
add dir "${C_PID[dir]}" "$D/dir/proc/uptime"
add odd "${C_PID[dir]}" "$D/odd dir/a	b\\c"
[ -z "$INNER" ] || inside dir mount --bind "$INNER" "$D/dir/proc/pressure"
container_start options
add options "${C_PID[options]}" /proc/uptime
PLACE=/proc/uptime
if [ -n "$INNER" ]; then # the one that can be written
	PLACE=$D/cpu
	touch "$PLACE"
	inside options mount --bind "$INNER/cpu" "$PLACE"
	inside options mount -o remount,bind,ro,nosuid,nodev,noexec "$PLACE"
	add ro "${C_PID[options]}" "$PLACE"
fi
# what is mounted once is mounted once again in all of them
container_start shared
add shared "${C_PID[shared]}" /proc/uptime
inside shared mount --make-rshared /
nested peer shared --mount --propagation shared
nested slave shared --mount --propagation slave
# mounts that nobody in there can take off
container_start users
add users "${C_PID[users]}" /proc/uptime
nested locked users --user --map-root-user --mount
# twice in one place, and with something of its own on top
container_start stack
add stack "${C_PID[stack]}" /proc/uptime
inside stack mount --bind "$MNT/proc/uptime" /proc/uptime
inside stack mount --bind /dev/null /proc/loadavg
container_start privileged
check "all read" all_live

note_ours
all_points >"$D/before"
options=$(options_of options "$PLACE")
outlive "umount -f of a file in a container" in_container privileged umount -f /proc/uptime
check_not "what was unmounted there stays off" in_container privileged grep -q ' /proc/uptime .*fuse.lxcfs' /proc/self/mountinfo
like "$(cat "$LOG")" 're-attach: [0-9]* dead mounts replaced in [0-9]* of [0-9]* mount namespaces' "the log counts them"
is "$(options_of options "$PLACE")" "$options" "options of the mount are kept"
is "$(inside stack cat /proc/loadavg)" "" "what a container has mounted over it stays on top"
[ -z "$INNER" ] || check "a directory has what was mounted in it" grep -q "$D/dir/proc/pressure .*fuse.lxcfs" "/proc/${SPID[dir]}/mountinfo"
inside files mount -t tmpfs none /mnt # must not come to the host
check_not "mounts of containers stay private" grep -q "$MNT.*tmpfs" /proc/self/mountinfo
is "$(line_of files /proc/uptime | grep -c -e shared: -e master:)" 0 "the new ones are nobody's peers"

outlive "an abort" abort_connection
# the one that is locked stays below the new one, and no more come
note_ours
all_points >"$D/after"
is "$(diff "$D/before" "$D/after")" "" "no mount too many, none too few"
locked=$(lines_of locked)
outlive "another abort" abort_connection
is "$(lines_of locked)" "$locked" "no stack grows"

if [ -n "$INNER" ]; then
	abort_inner() {
		need_fusectl
		echo 1 >"$FUSECTL/$(mount_line "$INNER" | awk '{ sub(/.*:/, "", $3); print $3 }')/abort"
	}
	add pressure "${SPID[dir]}" "$D/dir/proc/pressure/cpu"
	outlive "an abort of the inner connection" abort_inner
fi
[ $tap_failed = 0 ] || diag "$(cat "$LOG")"
# what somebody else changes just then is tried again a second later
is "$(grep 'stay dead' "$LOG" | grep -v 'trying again')" "" "nothing was left dead"

for p in "${extra[@]}"; do
	inner_sleep "$p" && kill "$INNER_SLEEP"
	wait "$p"
done 2>/dev/null
finish
