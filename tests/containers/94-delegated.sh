#!/bin/bash
# SPDX-License-Identifier: MIT
# write = delegated: a container changes what is below its own cgroup, as far as the kernel
# allows it to who asks, and nothing else.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../upgrade.sh"

long_in_vm_6_1
[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
TOOL=$(realpath "$(dirname "$0")/../tools/delegate.py") # on stdin: not everybody comes to where it is
M=${CG_DIR[memory]}/$CG_NAME
case $CG_MODE in
v2) AT=/mnt OWN=memory.max FILE=cgroup.max.descendants ;;
v1) AT=/mnt/memory OWN=memory.limit_in_bytes FILE=memory.limit_in_bytes ;;
esac
MIB=$((1 << 20))

daemon one
own_programs
ini 'container_roots = yes'
sed -i 's/^\[plugin cgroup\]$/&\nwrite = delegated/' "$INI"
must_start
wait_for "$PATIENCE" mount_line "$MNT/containers" || bail "the roots are mounted"
for name in a b; do cg_make $name || bail "a cgroup"; done
A=$(stat -c %i "$M/a")
container_start a --mem $((64 * MIB)) --bind "$MNT/containers/$A/cgroup:/mnt" --bind "$MNT/cgroup:/srv" || bail "a container starts"
container_start b --mem $((64 * MIB)) || bail "another starts"
in_a() { in_container a "$@" /usr/bin/python3 - "${CALLS[@]}" <"$TOOL" 2>&1; }
tries() { # CMD... -- CALL...: runs as CMD...
	local as=()
	while [ "$1" != -- ]; do as+=("$1") && shift; done
	shift
	CALLS=(try "$@")
	in_a ${as[@]+"${as[@]}"}
}
says() { # WHAT WANT CALL...: all of them say so
	local what=$1 want=$2 out words
	shift 2
	out=$(tries ${AS[@]+"${AS[@]}"} -- "$@")
	words=$(awk -F= '{ print $NF }' <<<"$out" | sort -u | tr '\n' ' ')
	is "$(grep -c = <<<"$out") $words" "$# $want " "$what"
	[ "$words" = "$want " ] || diag "$out"
}
AS=()

# --------------------------------------------------------------- what may be done

says "root makes cgroups" OK "mkdir:$AT/x" "mkdir:$AT/x/y" "mkdir:$AT/rest"
is "$(stat -c '%U %a' "$M/a/x" "$M/a/x/y" | sort -u)" "root 755" "which are the kernel's"
says "and writes to them" OK "write:$AT/x/$FILE:4096000"
is "$(cat "$M/a/x/$FILE")" 4096000 "which is what stands there"
is "$(in_container a cat "$AT/x/$FILE")" 4096000 "for both"
check "as a shell does it" in_container a sh -c "echo 8192000 >$AT/x/$FILE"
is "$(cat "$M/a/x/$FILE")" 8192000 "it is there"
in_container a sh -c 'sleep 1000 & echo $! >/tmp/sleeper' </dev/null >/dev/null 2>&1
sleeper=$(cat /tmp/sleeper) # its own number
rm /tmp/sleeper
says "a process of its own is moved" OK "write:$AT/x/cgroup.procs:$sleeper"
is "$(awk '/^NSpid/ { print $NF }' "/proc/$(head -n 1 "$M/a/x/cgroup.procs")/status")" "$sleeper" "by the number that it has there"
is "$(in_container a cat "$AT/x/cgroup.procs")" "$sleeper" "and shown by that"
says "and back" OK "write:$AT/rest/cgroup.procs:$sleeper\\n"
is "$(cat "$M/a/x/cgroup.procs")" "" "nobody is left there"
check "0 is who writes" in_container a sh -c "echo 0 >$AT/x/cgroup.procs && grep -qx \$\$ $AT/x/cgroup.procs && echo \$\$ >$AT/rest/cgroup.procs"
[ "$CG_MODE" = v2 ] || says "a thread as well" OK "write:$AT/x/tasks:$sleeper" "write:$AT/rest/tasks:$sleeper"
says "modes and owners" OK "chmod:$AT/x/$FILE:600" "chown:$AT/x/$FILE:0:0"
is "$(stat -c %a "$M/a/x/$FILE")" 600 "are the kernel's"
says "what is empty is removed" OK "rmdir:$AT/x/y"
says "and made again" OK "mkdir:$AT/x/y"
says "what is not empty is not" EBUSY "rmdir:$AT/x"

# what is held open is never another one of its name
in_container a sh -c "exec 7>$AT/x/y/$FILE; : >/tmp/open; while [ -e /tmp/open ]; do sleep 0.05; done; echo 12288000 >&7" 2>"$T/held" &
held=$!
wait_for "$PATIENCE" is_there /tmp/open
before=$(cat "$M/a/x/y/$FILE")
rmdir "$M/a/x/y" && mkdir "$M/a/x/y"
rm /tmp/open
wait $held
is "$? $(cat "$M/a/x/y/$FILE")" "1 $before" "a file of a cgroup that is gone is not that of the next one"

# ------------------------------------------------------------ what may never be done

sleep 1000000 &
host_pid=$!
other=${C_PID[b]}
before=$(sort "$M/a/cgroup.procs" "$M/b/cgroup.procs")
own=("write:$AT/$OWN:max" "write:$AT/$OWN:-1" "open:$AT/$OWN" "chmod:$AT/$OWN:666" "chown:$AT/cgroup.procs:0:0")
says "its own limits" EPERM "${own[@]}"
is "$(cat "$M/a/$OWN")" $((64 * MIB)) "stay"
ways_out=("open:$AT/x/notify_on_release" "write:$AT/notify_on_release:1" "write:$AT/x/cgroup.event_control:0 0"
	"write:$AT/x/memory.use_hierarchy:0" "open:$AT/x/memory.pressure")
there=()
for call in "${ways_out[@]}"; do
	path=${call#*:} path=${path%%:*}
	[ ! -e "$M/a/${path#"$AT"/}" ] || there+=("$call")
done
says "ways out" EPERM "${there[@]}"
if [ "$CG_MODE" = v1 ]; then
	for c in devices blkio; do
		d=${CG_DIR[$c]:-$(awk -v c="$c" '/ - cgroup / && $NF ~ "(^|,)" c "(,|$)" { print $5; exit }' /proc/self/mountinfo)}
		[ -n "$d" ] || { skip "$c" "no such hierarchy" && continue; }
		key=$(basename "$(readlink -f "$d")")
		mkdir -p "$d/$CG_NAME/a/below"
		sleep 0.2 # where a container has cgroups is looked at again after cache_ms
		case $c in
		devices) says "devices" EPERM "write:/mnt/$key/below/devices.allow:a" "write:/mnt/$key/devices.allow:a" "write:/mnt/$key/below/devices.deny:a" ;;
		blkio) says "a hierarchy whose limits do not hold below" EPERM "mkdir:/mnt/$key/x" "write:/mnt/$key/below/cgroup.procs:0" ;;
		esac
		rmdir "$d/$CG_NAME/a/below" "$d/$CG_NAME/a" "$d/$CG_NAME" 2>/dev/null # where only this was made
	done
fi
says "what the host has no such file for" ENOENT "write:$AT/release_agent:/bin/sh" "write:$AT/x/release_agent:/bin/sh" "write:$AT/../b/cgroup.procs:0" "mkdir:$AT/nowhere/x"
says "files and other names" EROFS "create:$AT/x/new" "rename:$AT/x/y:$AT/x/z" "create:$AT/new"
says "what is for everybody" EROFS "write:${AT/mnt/srv}/x/$FILE:1" "mkdir:${AT/mnt/srv}/z" "rmdir:${AT/mnt/srv}/x/y"
says "processes that it does not see" ESRCH "write:$AT/x/cgroup.procs:4194300" "write:$AT/x/cgroup.procs:$((host_pid + 2000000))"
seen=$(in_container a sh -c "kill -0 $host_pid 2>/dev/null && echo yes")
[ -n "$seen" ] || says "the host's" ESRCH "write:$AT/x/cgroup.procs:$host_pid"
[ -n "$(in_container a sh -c "kill -0 $other 2>/dev/null && echo yes")" ] || says "another container's" ESRCH "write:$AT/x/cgroup.procs:$other"
says "more than one, and what is none" EINVAL "write:$AT/x/cgroup.procs:1\\n$sleeper" "write:$AT/x/cgroup.procs:1 $sleeper" \
	"write:$AT/x/cgroup.procs:-1" "write:$AT/x/cgroup.procs:1x" "write:$AT/x/cgroup.procs:4294967297" "write:$AT/x/cgroup.procs:\\n"
is "$(sort "$M/a/cgroup.procs" "$M/b/cgroup.procs")" "$before" "nobody was moved"
is "$(cat "$M/a/x/cgroup.procs")" "" "to there"

# one of its namespace, in another cgroup
(cg_join b && exec nsenter -t "${C_PID[a]}" -p -m -- sleep 1000) &
guest_outer=$!
guest() { pgrep -P $guest_outer -x sleep; }
wait_for "$PATIENCE" guest
number=$(awk '/^NSpid/ { print $NF }' "/proc/$(guest)/status")
says "who is in its namespace but not in its cgroup" EPERM "write:$AT/x/cgroup.procs:$number"
check "stays where he was" grep -qx "$(guest)" "$M/b/cgroup.procs"
kill "$(guest)"
wait $guest_outer 2>/dev/null
is "$(python3 "$TOOL" try "write:$MNT/containers/$A/cgroup${AT#/mnt}/x/cgroup.procs:$host_pid" "write:$MNT/containers/$A/cgroup${AT#/mnt}/x/cgroup.procs:0" | sed 's/.*=//' | tr '\n' ' ')" "EPERM EPERM " "the host's numbers mean nothing here"

# ------------------------------------------------------------------- by whom

AS=(setpriv --reuid 1234 --regid 1234 --clear-groups)
says "another user" EACCES "mkdir:$AT/x/u" "open:$AT/x/cgroup.procs" "rmdir:$AT/x/y"
says "nor modes and owners" EPERM "chmod:$AT/x/y:777" "chown:$AT/x/y:1234:-1"
chown 1234 "$M/a/x" "$M/a/x"/*
says "to whom it was given" OK "mkdir:$AT/x/u" "rmdir:$AT/x/u" "write:$AT/x/$FILE:4096000"
in_container a setpriv --reuid 1234 --regid 1234 --clear-groups sh -c 'sleep 1000 & echo $! >/tmp/sleeper' </dev/null >/dev/null 2>&1
says "may not move what is not his" EACCES "write:$AT/x/cgroup.procs:$sleeper"
rm -f /tmp/sleeper
AS=(setpriv --reuid 4321 --regid 4321 --groups 77)
chown 0:77 "$M/a/x" && chmod 775 "$M/a/x"
says "by a group that he is in" OK "mkdir:$AT/x/g" "rmdir:$AT/x/g"
AS=(setpriv --reuid 4321 --regid 4321 --clear-groups)
says "and not without it" EACCES "mkdir:$AT/x/g"
chown 0:0 "$M/a/x" "$M/a/x"/* && chmod 755 "$M/a/x"
AS=(unshare -U -r)
says "root of a user namespace whose user owns it" OK "mkdir:$AT/x/n" "rmdir:$AT/x/n"
chown 1234 "$M/a/x"
AS=(setpriv --reuid 4321 --regid 4321 --clear-groups unshare -U -r)
says "and whose user does not" EACCES "mkdir:$AT/x/n"
chown 0 "$M/a/x"
AS=()

# ----------------------------------------------------------- who does it for whom

chmod 666 "$M/a/x/cgroup.procs"
CALLS=(pass "$AT/x/cgroup.procs" 1234)
is "$(in_a)" pass=EPERM "what another user has opened is not written to"
chmod 644 "$M/a/x/cgroup.procs"
CALLS=(watch "$AT/x/cgroup.procs" 4)
is "$(in_a)" "watch: seen, it has:" "what writes a number in the container has nothing that it does not have"
deaths_before=$(grep -c 'died' "$LOG")
need_fusectl
roots=$(mount_line "$MNT/containers" | awk '{ print $3 }')
roots_wait_not() { [ "$(cat "$FUSECTL/${roots#*:}/waiting")" = 0 ]; }
check "when it is stopped, that ends soon" wait_for 10 roots_wait_not
says "and all goes on" OK "mkdir:$AT/x/after" "rmdir:$AT/x/after" "write:$AT/rest/cgroup.procs:$sleeper"
is "$(grep -c 'died\|quarantine' "$LOG")" "$deaths_before" "no worker has died of it"
nobody_there() { [ "$(in_container a sh -c 'grep -l lxcfsd /proc/[0-9]*/comm; echo looked' 2>/dev/null)" = looked ]; }
check "nobody is left in the container" wait_for 10 nobody_there

# ----------------------------------------------------------------- a raced number

others_in_x() { # numbers of processes there that are not of its namespace
	local p
	while read -r p; do
		[ "/proc/$p/ns/pid" -ef "/proc/${C_PID[a]}/ns/pid" ] || echo "$p"
	done <"$M/a/x/cgroup.procs"
}
CALLS=(race "$AT/x/cgroup.procs" 3)
in_a >"$T/race" &
race=$!
strangers=''
while alive $race; do
	passers=()
	for _ in 1 2 3 4 5 6 7 8; do (exec true) & passers+=($!); done # who may get such a number
	strangers+=$(others_in_x)
	wait "${passers[@]}"
done
wait $race
is "$strangers" "" "numbers that are given anew: no stranger was ever moved"
like "$(cat "$T/race")" '^race:( [A-Z]+=[0-9]+)+$' "and its own were, or not"
diag "$(cat "$T/race")"

# --------------------------------------------------- whatever happens to the daemon

seconds=6
[ -z "${LXCFSD_TEST_LONG:-}" ] || seconds=60
CALLS=(spin "$AT" "$FILE" $((1 << 20)) "$seconds" "$T/spinning")
in_a >"$T/spin" &
spin=$!
wait_for "$PATIENCE" is_there "$T/spinning"
n=0
while alive $spin; do
	case $((n++ % 5)) in
	3) reload_and_wait ;;
	4) install_as "$D/old/lxcfsd" && hup_and_wait ;;
	*) w=$(worker_pid) && kill -KILL "$w" && wait_for "$PATIENCE" other_worker "$w" ;;
	esac
	sleep "0.$((RANDOM % 3))$((RANDOM % 10))"
done
wait $spin
like "$(cat "$T/spin")" '^spin: [0-9]+ calls, [0-9]+ rounds, 0 complaints$' "killed, reloaded and upgraded $n times: nothing failed, nothing was done twice"
diag "$(cat "$T/spin")"
diag "$(grep -c died "$LOG") deaths"

kill $host_pid
wait $host_pid 2>/dev/null
container_stop a
container_stop b
stop_daemon
is "$STOP_STATUS" 0 "it ends with 0"
finish
