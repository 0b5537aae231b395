#!/bin/bash
# SPDX-License-Identifier: MIT
# What load averages cost, and with LXCFSD_TEST_LONG=1 (six minutes) where they tend to.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cpu.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
[ -z "$VM" ] || skip_all "processes of 500 containers are too slow to start in an emulated machine"
containers=500
daemon load
must_start

if [ -n "${LXCFSD_TEST_LONG:-}" ]; then
	container_start spins --mem 64M || bail "a container starts" "$(cat "$LOG")"
	in_container spins cat /proc/loadavg >/dev/null # from here on it is looked at
	# who waits for a CPU is counted as well: others need not suffer
	case $CG_MODE in
	v1) echo 2 >"${CG_DIR[cpu]}/$CG_NAME/spins/cpu.shares" ;;
	v2) echo 1 >"${CG_DIR[cpu]}/$CG_NAME/spins/cpu.weight" ;;
	esac
	spin_in spins 3
	long_since=$SECONDS
else
	skip "three threads for five minutes" "LXCFSD_TEST_LONG=1 waits for that"
fi

# Each has a cgroup and a process that sleeps in a process namespace of its own; what
# reads it is a process beside, so that nothing is bound over its /proc.
for ((i = 1; i <= containers; i++)); do
	cg_make idle/$i || bail "the cgroup of container $i"
	(cg_join idle/$i && exec unshare --pid --fork sleep 1000000) &
	disown
done
sleeping() { [ "$(find "${CG_DIR[memory]}/$CG_NAME/idle" -name cgroup.procs -exec cat {} + | wc -l)" -ge $((2 * containers)) ]; }
check "$containers containers sleep" wait_for 60 sleeping
averages=''
for ((i = 1; i <= containers; i++)); do
	averages+=$(cg_join idle/$i && exec cat "$MNT/proc/loadavg")$'\n'
done
is "$(grep -cE '^([0-9.]+ ){3}[1-9]/[1-9] [0-9]+$' <<<"$averages")" "$containers" "each was read once"
idle=$(grep -c '^0.00 0.00 0.00 1/' <<<"$averages")
check "$idle of them are idle at first sight" [ "$idle" -ge $((containers * 9 / 10)) ]

ticks() { awk '{ sub(/.*\) /, ""); print $12 + $13 }' "/proc/$(worker_pid)/stat"; }
worker=$(worker_pid)
before=$(ticks)
sleep 30
after=$(ticks)
is "$(worker_pid)" "$worker" "it is the same worker"
isnt "$after" "$before" "it has looked at them meanwhile"
check "in 30 s that took $((after - before)) ticks of a CPU, under 1 %" [ $((after - before)) -lt 30 ]

if [ -n "${LXCFSD_TEST_LONG:-}" ]; then
	sleep $((long_since + 310 - SECONDS))
	average=$(in_container spins cat /proc/loadavg)
	check "three threads for five minutes: $average" near "${average%% *}" 3 0.15
	container_stop spins
fi
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
