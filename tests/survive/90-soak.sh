#!/bin/bash
# SPDX-License-Identifier: MIT
# Containers come and go, limits change, workers are killed and reloaded, for as long as
# LXCFSD_TEST_SOAK says (minutes; 10 with LXCFSD_TEST_LONG=1): afterwards there is no more
# of anything than there was after a warm-up.  With more than half an hour the readers
# leave most of the machine to others, and so does who makes the containers.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../survey.sh"

MINUTES=${LXCFSD_TEST_SOAK:-${LXCFSD_TEST_LONG:+10}}
[ -n "$MINUTES" ] || skip_all "only with LXCFSD_TEST_LONG=1 or LXCFSD_TEST_SOAK=MINUTES"
[ -n "$CG_MODE" ] || bail "there are cgroups with memory"

containers=0 PAUSE=0
[ "$MINUTES" -le 30 ] || PAUSE=1
one_round() {
	local n=soak$((containers++ % 7))
	container_start "$n" --mem $(((64 + RANDOM % 64) << 20)) --quota $((10000 + RANDOM))/100000 || return 1
	in_container "$n" cat /proc/meminfo /proc/stat /proc/loadavg /proc/uptime >/dev/null || return 1
	cg_set "$n" mem $(((64 + RANDOM % 64) << 20))
	in_container "$n" cat /proc/meminfo >/dev/null || return 1
	case $((containers % 3)) in
	0) reload_and_wait ;;
	1) local w; w=$(worker_pid) && kill -KILL "$w" && wait_for "$PATIENCE" other_worker "$w" ;;
	esac
	container_stop "$n"
	sleep $PAUSE
}
rounds_for() { # SECONDS
	local end=$((SECONDS + $1))
	while [ $SECONDS -lt $end ]; do one_round || failures=$((failures + 1)); done
}
field() { awk -v k="$1" '$1 == k { print $2; exit }' "$2"; }
# The vault is shared, of a fixed size, and fills once: a table of 8192 records of containers
# that have been there (1 MiB) is touched from end to end after some 4000 of them.
private_kb() { echo $(($(field VmRSS: "/proc/$1/status") - $(field RssShmem: "/proc/$1/status"))); } # PID
# each worker anew, so that all have lived for the same time
take_stock() { # NAME
	local w
	reload_and_wait
	w=$(worker_pid)
	timeout 10 cat "$MNT"/proc/* >/dev/null 2>&1
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 12 # what nobody has read for 10 s is closed
	wait_for "$PATIENCE" settled
	{
		echo "keeper-RSS $(private_kb "$DPID")"
		echo "worker-RSS $(private_kb "$w")"
		echo "slab $(field SUnreclaim: /proc/meminfo)"
		echo "keeper-fds $(find "/proc/$DPID/fd" | wc -l)"
		echo "worker-fds $(find "/proc/$w/fd" | wc -l)"
		echo "processes $(pgrep -P "$DPID" | wc -l)"
		echo "mounts $(grep -c " $T/" /proc/self/mountinfo)"
	} >"$D/stock.$1"
	diag "$1: $(field RssShmem: "/proc/$w/status") kB of the vault are mapped in the worker"
}

survey_begin one
[ $PAUSE = 0 ] || NO_POLLERS='for hours we are not alone'
failures=0
HANG_MS=60000 PAUSE_MS=$((PAUSE * 50)) survey_load
rounds_for $((MINUTES > 2 ? 60 : 20))
take_stock before
rounds_for $((MINUTES * 60))
take_stock after
survey_unload
survey_say soak $containers -
is $failures 0 "$containers containers came, read and went"
is "$(load_says failed) failed, $(load_says torn) torn, $(load_says hung) hung" \
	"0 failed, 0 torn, 0 hung" "no reader noticed"
while read -r what before; do
	after=$(field "$what" "$D/stock.after")
	# others use this machine's slab as well
	slack=0
	[ "$what" != slab ] || slack=8192
	check "$what: $before before, $after after" test "$after" -le $((before + before / 10 + slack))
done <"$D/stock.before"
finish
