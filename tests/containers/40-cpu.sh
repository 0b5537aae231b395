#!/bin/bash
# SPDX-License-Identifier: MIT
# CPU time and load of a container are its own, scaled to what it is shown, and never
# go backwards, whatever happens to limits and workers.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm
. "$(dirname "$0")/../cpu.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
daemon cpu
must_start
cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
first=${cpus%%[,-]*}

# a fifth of one CPU, used in full, next to one that does nothing
container_start busy --mem 64M --cpus "$first" --quota 20000/100000 || bail "a container starts" "$(cat "$LOG")"
container_start idle --mem 64M --cpus "$first" || bail "a container starts" "$(cat "$LOG")"
spin_in busy 3 # before anybody looks
runnable() { # CONTAINER N: so many threads
	local p n=0
	while read -r p; do
		! grep -q '^State:.R' "/proc/$p/status" || n=$((n + 1))
	done <"${CG_DIR[memory]}/$CG_NAME/$1/cgroup.procs"
	[ "$n" -ge "$2" ]
}
check "three threads run" wait_for "$PATIENCE" runnable busy 3
read -r average _ < <(in_container busy cat /proc/loadavg)
# a look ends after 10 ms: an emulated machine may not get to see all of them
like "$average" "^[${VM:+12}3]\.00$" "a load of 3 at the first look"
read -r average _ < <(in_container idle cat /proc/loadavg)
is "$average" 0.00 "and none next to it"
watch_start busy
watch_start idle 1000
is "$(in_container busy awk '/^cpu[0-9]/ { print $1 }' /proc/stat)" "cpu$first" "the CPU that it may use"
measure busy 3
wanted=$(least "$USED * 5" 100)
check "full use of a fifth of a CPU: $BUSY % busy, $wanted % of it was used" near "$BUSY" "$wanted" "$(calc "3 + 5 * $SLACK")"
measure idle 2
check "its neighbour reads as idle ($BUSY %)" near "$BUSY" 0 3
# where the quota is used up, those who watch and read stand in the queue as well
like "$(in_container busy cat /proc/loadavg)" '^[0-9. ]+ [3-6]/([4-9]|1[0-9]) [0-9]+$' "its own threads and numbers"
is "$(in_container idle awk '/^(ctxt|intr|softirq)/ && /[1-9]/' /proc/stat)" "" "nothing of the host's counters"
is "$(in_container idle awk '/^btime/ { print $2 }' /proc/stat)" "$(awk '/^btime/ { print $2 }' /proc/stat)" "the host's boot time"
idle_up=$(in_container idle cat /proc/uptime)
check "an idle container was idle for as long as it is up ($idle_up)" awk -v line="$idle_up" \
	'BEGIN { split(line, t, " "); exit !(t[2] <= t[1] + 0.05 && t[2] >= t[1] * 0.95 - 1) }'

# what it reads all the time, while everything changes
cat >"$T/watch" <<'SH'
# DIRECTORY: prints the cpu lines until told to end
while [ ! -e "$1/end" ]; do
	while read -r key rest; do
		case $key in
		cpu*) echo "$key $rest" ;;
		esac
	done </proc/stat
	read -r up idle </proc/uptime && echo "uptime ${up/./} ${idle/./}"
done
SH
in_container busy bash "$T/watch" "$T" >"$T/watched" &
watcher=$!
for i in 1 2 3 4 5; do
	old=$(worker_pid)
	kill -KILL "$old"
	wait_for "$PATIENCE" other_worker "$old" || not_ok "another worker comes"
	cg_set busy quota $((10000 * i))/100000
	cg_set busy cpus "$cpus"
	reload_and_wait
	[ "$RELOAD" = ok ] || not_ok "a reload succeeds" "$REASONS"
	sleep 0.1
	cg_set busy cpus "$first"
done
: >"$T/end"
wait $watcher
# an emulated machine comes to read it a few times only
check "nothing went backwards, each CPU and the sum" awk -v least="${VM:+8}" '
	{ for (i = 2; i <= NF; i++) { if ($i < last[$1, i]) { print "was " last[$1, i] ": " $0; bad = 1 }; last[$1, i] = $i }; n++ }
	END { exit bad || n < (least ? least : 20) }' "$T/watched"
measure busy 2
wanted=$(least "$USED * 2" 100)
check "half a CPU now: $BUSY % busy, $wanted % of it was used" near "$BUSY" "$wanted" "$(calc "3 + 2 * $SLACK")"
container_stop busy
container_stop idle
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
