#!/bin/bash
# SPDX-License-Identifier: MIT
# What a container writes to a disk stands in its /proc/diskstats, and in no other's.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
[ -n "${CG_DIR[io]:-${CG_DIR[blkio]:-}}" ] || skip_all "no cgroups count I/O here"

# A disk in memory.  It goes when the last one who has it open ends: this shell.
[ -e /dev/loop-control ] || modprobe loop 2>/dev/null
file=/dev/shm/$CG_NAME
truncate -s 96M "$file" && LOOP=$(losetup -f --show "$file" 2>/dev/null)
rm -f "$file"
[ -n "$LOOP" ] || skip_all "no loop device to be had"
exec 9<>"$LOOP" && losetup -d "$LOOP"
name=${LOOP#/dev/}
number=$(cat "/sys/block/$name/dev")
scheduler=/sys/block/$name/queue/scheduler

daemon one
must_start
start() { # NAME: cgroup v1 counts throttled disks only
	container_start "$1" || bail "a container starts" "$(cat "$LOG")"
	[ "$CG_MODE" = v2 ] || echo "$number 10000000000" >"${CG_DIR[blkio]}/$CG_NAME/$1/blkio.throttle.$2_bps_device"
}
row() { # CONTAINER: the numbers behind the disk's name
	in_container "$1" sed -n "s/^ *[0-9]* *[0-9]* $name //p" /proc/diskstats
}
column() { # CONTAINER NUMBER
	row "$1" | cut -d ' ' -f "$2"
}
reaches() { [ "$(column "$1" "$2")" = "$3" ]; } # cache_ms later
about() { # GOT WANTED WHAT: within one percent
	check "$3: $1 of $2" awk -v got="$1" -v want="$2" 'BEGIN { exit !(got >= want * 0.99 && got <= want * 1.01) }'
}
write() { in_container "$1" dd if=/dev/zero of="$LOOP" bs=1M count="$2" oflag=direct status=none; }

start idle write
start busy write
is "$(row busy)" "" "a disk that is not used has no line"
check "64 MiB are written" write busy 64
wait_for "$PATIENCE" reaches busy 7 131072
about "$(column busy 7)" 131072 "sectors"
check "writes are counted, reads are not" awk -v r="$(column busy 1)" -v w="$(column busy 5)" 'BEGIN { exit !(r == 0 && w > 0) }'
is "$(row busy | wc -w)" "$(grep " $name " /proc/diskstats | sed 's/.* loop[0-9]* //' | wc -w)" "as many columns as the host's"
is "$(in_container busy awk -v n="$name" '$4 == n { print $1 ":" $2 }' /proc/partitions)" "$number" "partitions has it"
is "$(row idle)" "" "the other container has no line of it"
is "$(in_container idle grep -cw "$name" /proc/partitions)" 0 "nor in partitions"
is "$(in_container idle head -n 1 /proc/partitions)" "major minor  #blocks  name" "but the header"
total() { cat "${CG_DIR[io]:-${CG_DIR[blkio]}}/$CG_NAME/idle/"{io.stat,blkio.*recursive} 2>/dev/null | grep -v ' 0$'; }
if [ -z "$(total)" ]; then
	is "$(in_container idle cat /proc/diskstats)" "" "it did no I/O: its diskstats is empty"
else
	skip "it did no I/O: its diskstats is empty" "it did"
fi
write busy 8
check "it goes on from there" wait_for "$PATIENCE" reaches busy 7 147456

# the next one reads
start reader read
in_container reader dd if="$LOOP" of=/dev/null bs=1M count=16 iflag=direct status=none
wait_for "$PATIENCE" reaches reader 3 32768
about "$(column reader 3)" 32768 "sectors read"
is "$(column busy 3)" 0 "and the other one's stay"

# v1: without a rule, bfq counts
modprobe bfq 2>/dev/null
if [ "$CG_MODE" = v1 ] && grep -qw bfq "$scheduler"; then
	before=$(sed 's/.*\[\(.*\)\].*/\1/' "$scheduler")
	echo bfq >"$scheduler"
	container_start fair || bail "a container starts" "$(cat "$LOG")"
	write fair 16
	wait_for "$PATIENCE" reaches fair 7 32768
	about "$(column fair 7)" 32768 "sectors that bfq counts"
	echo "$before" >"$scheduler"
else
	skip "sectors that bfq counts" "no cgroup v1, or no bfq"
fi
finish
