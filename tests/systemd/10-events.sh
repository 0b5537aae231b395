#!/bin/bash
# SPDX-License-Identifier: MIT
# All that systemd and its user do to a service, under readers that may not notice.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../systemd.sh"

systemctl cat sys-fs-fuse-connections.mount >/dev/null && need_fusectl
is "$(systemd-analyze verify --man=no "$STAGE/this/usr/local/lib/systemd/system/$UNIT.service" 2>&1 | grep -v 'is not executable')" "" \
	"systemd has nothing against the unit"
check "systemctl start ends when it serves" install_release this
check "with one main process and one worker" wait_for "$PATIENCE" supervised
MOUNT=$(mount_line)

# The mount belongs to everybody.
is "$(readlink "/proc/$DPID/ns/mnt")" "$(readlink /proc/1/ns/mnt)" "it has the host's mount namespace"
is "$(awk '$5 == "/var/lib/lxcfs" { print $3, $(NF - 2) }' /proc/1/mountinfo)" \
	"$(awk '{ print $3 }' <<<"$MOUNT") fuse.lxcfs" "process 1 sees the mount"
is "$(cat "/proc/$DPID/oom_score_adj")" -1000 "the main process is never killed for memory"
is "$(awk '/^Max open files/ { print $4 }' "/proc/$DPID/limits")" 65536 "it may open many files"
is "$(stat -c %a /run/lxcfsd)" 700 "its runtime directory is closed to others"

# -- what each event is, and how it is known to be over

same_main() { # CMD...
	local before=$DPID
	"$@" && wait_for "$PATIENCE" supervised && [ "$DPID" = "$before" ]
}
new_main() { # CMD...
	local before=$DPID
	"$@" && wait_for "$PATIENCE" other_main "$before"
}
reloads() { # CMD...: it ends a reload, which succeeds
	local before
	before=$(reload_count)
	"$@" && wait_for "$PATIENCE" reload_ended "${before:-0}" &&
		[ "$(awk 'NR == 1 { print $2; exit }' /run/lxcfsd/last-reload)" = ok ]
}

event() { # TITLE TIMES CMD...
	local title=$1 times=$2 good=0 i
	shift 2
	start_load --pause-ms 40 --hang-ms 5000
	for ((i = 0; i < times; i++)); do
		"$@" && good=$((good + 1))
		sleep "0.$((RANDOM % 5))"
	done
	is $good "$times" "$times times $title: it is as it should be afterwards"
	[ $good = "$times" ] || diag "$(state)"
	undisturbed "$title"
	[ "$LOAD_STATUS" = 0 ] || diag "$(state)"
	echo "# $title: longest stall $(load_says max_stall_ms) ms"
}

event "nothing" 3 supervised
event "systemctl reload" 3 same_main reloads systemctl reload $UNIT
event "systemctl kill -s USR1" 3 same_main reloads systemctl kill -s USR1 $UNIT
event "pkill -USR1 lxcfsd" 3 same_main reloads pkill -USR1 lxcfsd
event "systemctl daemon-reexec" 3 same_main systemctl daemon-reexec
event "systemctl restart" 3 new_main systemctl restart $UNIT
event "kill -9 of the main process" 3 new_main kill_main
event "kill -9 of both" 3 new_main kill_both
event "systemctl kill -s KILL" 3 new_main systemctl kill -s KILL $UNIT

# -- a stop is one

check "systemctl stop" systemctl stop $UNIT
check_not "nothing is mounted" mount_line
is "$(pgrep -x lxcfsd; pgrep -x lxcfsd-worker)" "" "nothing runs"
is "$(ls -d /run/lxcfsd /run/lxcfs.pid 2>/dev/null)" "" "nothing is left in /run"
is "$(systemctl show -P Result $UNIT)" success "and that is a success"
check "systemctl start" systemctl start $UNIT
check "it serves again" wait_for "$PATIENCE" supervised
MOUNT=$(mount_line)
event "systemctl restart after that" 2 new_main systemctl restart $UNIT
finish_unit
