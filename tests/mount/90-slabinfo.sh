#!/bin/bash
# SPDX-License-Identifier: MIT
# slabinfo: for root alone, and on no road the host's.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -e /proc/slabinfo ] || skip_all "this kernel has no /proc/slabinfo"
daemon one
ini
printf '\n[plugin sample_closed]\nmodule = %s\n' "$SAMPLES/sample_closed.so" >>"$INI"
must_start
header=$(head -n 2 /proc/slabinfo)
container_start box --mem 64M || bail "a container starts" "$(cat "$LOG")"

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
shows() { # TEXT WHEN
	is "$(cat "$MNT/proc/slabinfo")" "$1" "$2: on the host"
	is "$(in_container box cat /proc/slabinfo)" "$1" "$2: in a container"
	is "$(stat -c %a "$MNT/proc/slabinfo")" 400 "$2: for root alone"
	check_not "$2: uid 65534 is refused" as_nobody cat "$MNT/proc/slabinfo"
	check_not "$2: so it is in a container" in_container box \
		setpriv --reuid 65534 --regid 65534 --clear-groups cat /proc/slabinfo
}
reloaded() {
	reload_and_wait
	is "$RELOAD" ok "$1: reloaded"
}
isnt "$(wc -l </proc/slabinfo)" 2 "the host has more to say"
shows "$header" "at first"
is "$(cat "$MNT/proc/version")" closed "a plugin that closes a file of the host"

sed -i '/^\[plugin sl/a enabled = no
/^\[plugin sample_closed/a enabled = no' "$INI"
reloaded "enabled = no"
shows "" "enabled = no"
is "$(cat "$MNT/proc/version")" "" "enabled = no: what a plugin closed is not opened to all"
sed -i 's/^enabled = no/on_error = host/' "$INI"
reloaded "enabled again"
shows "$header" "enabled again"

kill -USR2 "$DPID"
off() { [ -z "$(in_container box cat /proc/slabinfo)" ]; }
check "SIGUSR2: it is empty" wait_for "$PATIENCE" off
shows "" "SIGUSR2"
kill -USR2 "$DPID"
check "SIGUSR2 again: it is not" wait_for "$PATIENCE" not off

sed -i '/^\[plugin slabinfo\]/d; /^on_error/d' "$INI"
reloaded "without its section"
shows "" "without its section"
finish
