#!/bin/bash
# SPDX-License-Identifier: MIT
# Files are switched off and on again under a running container.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

daemon one
must_start
mount=$(mount_line)
host=$(mem_total </proc/meminfo)
container_start box --mem 256M --bind "$MNT/proc/meminfo:/proc/meminfo" --bind "$MNT/proc:/mnt" ||
	bail "a container starts" "$(cat "$LOG")"

sees() { # KB WHEN
	is "$(in_container box cat /proc/meminfo | mem_total)" "$1" "$2: the bound file shows $1 kB"
	is "$(in_container box cat /mnt/meminfo | mem_total)" "$1" "$2: the file in the bound directory shows $1 kB"
	is "$(mount_line)" "$mount" "$2: the mount is as it was"
}
reloaded() {
	reload_and_wait
	is "$RELOAD" ok "$1: reloaded"
	[ "$RELOAD" = ok ] || diag "$REASONS"
}
sees 262144 "at first"

sed -i '/^\[plugin meminfo\]/a enabled = no' "$INI"
reloaded "enabled = no"
sees "$host" "enabled = no"
check_not "enabled = no: no longer listed" sh -c "ls '$MNT/proc' | grep -qx meminfo"
is "$(in_container box cat /proc/meminfo | cut -d : -f 1)" "$(cut -d : -f 1 /proc/meminfo)" "enabled = no: the host's lines"
sed -i 's/^enabled = no/enabled = yes/' "$INI"
reloaded "enabled = yes"
sees 262144 "enabled = yes"
check "enabled = yes: listed" sh -c "ls '$MNT/proc' | grep -qx meminfo"

cp "$INI" "$D/whole.ini"
sed -i '/^\[plugin meminfo\]/d; /^enabled/d' "$INI"
reloaded "section removed"
sees "$host" "section removed"
cp "$D/whole.ini" "$INI"
reloaded "section back"
sees 262144 "section back"

# the same for all files at once
shows() { [ "$(in_container box cat /proc/meminfo | mem_total)" = "$1" ]; }
kill -USR2 "$DPID"
check "SIGUSR2: the host's file" wait_for "$PATIENCE" shows "$host"
sees "$host" "SIGUSR2"
kill -USR2 "$DPID"
check "SIGUSR2 again: its own" wait_for "$PATIENCE" shows 262144
sees 262144 "SIGUSR2 again"

# a file that was open all the time
in_container box bash -c 'exec 3</proc/uptime; exec 3</proc/meminfo; : >"$1"; while [ ! -e "$2" ]; do sleep 0.1; done; cat <&3' \
	sh "$D/opened" "$D/reloaded" >"$D/seen" &
reader=$!
wait_for "$PATIENCE" test -e "$D/opened"
sed -i 's/^enabled = yes/enabled = no/' "$INI"
reloaded "off while a file is open"
: >"$D/reloaded"
wait $reader
is "$?" 0 "a file opened before is read after"
like "$(cat "$D/seen")" '^MemTotal:' "with content"
finish
