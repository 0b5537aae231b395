#!/bin/bash
# SPDX-License-Identifier: MIT
# A quota under full load: how busy the CPUs read that it is shown as, on any setting
# of cpu_scale and cpu_throttled, and while it changes.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm
. "$(dirname "$0")/../cpu.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
cpus_for_quota

daemon quota
must_start
online_bind
container_start busy --mem 64M --quota 150000/100000 "${BINDS[@]}" || bail "a container starts" "$(cat "$LOG")"
container_start idle --mem 64M "${BINDS[@]}" || bail "a container starts" "$(cat "$LOG")"
watch_start busy
watch_start idle 1000
spin_in busy 4
sleep 1 # until the first of their time is taken over

measure busy 4
is "$CPUS" 2 "1.5 CPUs are 2 in stat, cpuinfo and online"
wanted=$(least "$USED * 2 / 1.5" 100)
check "busy: $BUSY % of 2 CPUs, of 1.5 were used $wanted %" near "$BUSY" "$wanted" "$(calc "3 + $SLACK")"
if near "$wanted" 100 3; then
	check "full use reads as full" near "$BUSY" 100 5
else
	skip "full use reads as full" "the machine gave only $wanted % of the quota"
fi
measure idle 2
check "its neighbour is idle: $BUSY %" near "$BUSY" 0 3

# under load the quota changes
for quota in "$most" 1 "$most"; do
	cg_set busy quota $((quota * 100000))/100000
	sleep 2
	measure busy 2
	is "$CPUS" "$quota" "a quota of $quota: the CPUs, two seconds later"
	check "a quota of $quota: busy $BUSY %, used $USED %" near "$BUSY" "$(least "$USED" 100)" "$(calc "3 + $SLACK")"
done

cg_set busy quota 150000/100000
ini 'cpu_scale = no'
reload_and_wait
is "$RELOAD" ok "cpu_scale = no"
sleep 2
measure busy 3
check "true seconds: busy $BUSY %, used $USED %" near "$BUSY" "$USED" "$(calc "3 + $SLACK")"
is "$STEAL" 0.0 "and none is stolen"

ini 'cpu_throttled = steal'
reload_and_wait
is "$RELOAD" ok "cpu_throttled = steal"
sleep 2
measure busy 3
check "true seconds: busy $BUSY %, used $USED %" near "$BUSY" "$USED" "$(calc "3 + $SLACK")"
wanted=$(least "$HELD" "(100 - $BUSY)")
check "held back is stolen: $STEAL % of $wanted %" near "$STEAL" "$wanted" 3
container_stop busy
container_stop idle
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
