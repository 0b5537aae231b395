#!/bin/bash
# SPDX-License-Identifier: MIT
# CPU time and load of a container are its own, scaled to what it is shown, and never
# go backwards, whatever happens to limits and workers.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
daemon cpu
must_start
cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
first=${cpus%%[,-]*}

first_line() { in_container "$1" awk '$1 == "cpu"' /proc/stat; }
used_ms() { # CONTAINER: CPU time as the kernel counts it
	case $CG_MODE in
	v1) echo $(($(cat "${CG_DIR[cpuacct]}/$CG_NAME/$1/cpuacct.usage") / 1000000)) ;;
	v2) awk '$1 == "usage_usec" { print int($2 / 1000) }' "${CG_DIR[cpu]}/$CG_NAME/$1/cpu.stat" ;;
	esac
}
now_ms() { local up rest && read -r up rest </proc/uptime && echo "${up/./}0"; }
usage() { # CONTAINER SECONDS [QUOTA]: BUSY, in per cent of the CPUs that it sees
	# WANTED: what it used of its quota (in per cent of a CPU); a busy machine may give less
	local before after used time
	used=$(used_ms "$1") time=$(now_ms)
	before=$(first_line "$1")
	sleep "$2"
	after=$(first_line "$1")
	used=$(($(used_ms "$1") - used)) time=$(($(now_ms) - time))
	WANTED=$((used * 10000 / time / ${3:-100}))
	[ $WANTED -le 100 ] || WANTED=100
	BUSY=$(awk 'NR == 1 { for (i = 2; i <= NF; i++) a[i] = $i }
		NR == 2 { for (i = 2; i <= NF; i++) all += $i - a[i]
			printf "%d", 100 * (1 - ($5 - a[5]) / (all > 0 ? all : 1)) }' <<<"$before"$'\n'"$after")
}
agrees() { [ $((BUSY - WANTED)) -le 8 ] && [ $((WANTED - BUSY)) -le 8 ]; }
within() { [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]; }

# a fifth of one CPU, used in full, next to one that does nothing
container_start busy --mem 64M --cpus "$first" --quota 20000/100000 || bail "a container starts" "$(cat "$LOG")"
container_start idle --mem 64M --cpus "$first" || bail "a container starts" "$(cat "$LOG")"
for i in 1 2 3; do
	(in_container busy bash -c "while :; do :; done") 2>/dev/null &
	disown
done
three_spin() { [ "$(wc -l <"${CG_DIR[memory]}/$CG_NAME/busy/cgroup.procs")" -ge 4 ]; }
wait_for "$PATIENCE" three_spin
is "$(in_container busy awk '/^cpu[0-9]/ { print $1 }' /proc/stat)" "cpu$first" "the CPU that it may use"
usage busy 3 20
check "full use of a fifth of a CPU reads as 100 % ($BUSY %, used $WANTED %)" agrees
usage idle 2
check "its neighbour reads as idle ($BUSY %)" within "$BUSY" 0 3
read -r average _ < <(in_container busy cat /proc/loadavg)
check "three threads run: a load of 3 at once ($average)" awk -v a="$average" 'BEGIN { exit !(a >= 2.5 && a <= 3.6) }'
read -r average _ < <(in_container idle cat /proc/loadavg)
is "$average" 0.00 "and none next to it"
like "$(in_container busy cat /proc/loadavg)" '^[0-9. ]+ [345]/[4-9] [0-9]+$' "its own threads and numbers"
is "$(in_container idle awk '/^(ctxt|intr|softirq)/ && /[1-9]/' /proc/stat)" "" "nothing of the host's counters"
is "$(in_container idle awk '/^btime/ { print $2 }' /proc/stat)" "$(awk '/^btime/ { print $2 }' /proc/stat)" "the host's boot time"
idle_up=$(in_container idle cat /proc/uptime)
check "an idle container was idle for as long as it is up ($idle_up)" awk -v line="$idle_up" \
	'BEGIN { split(line, t, " "); exit !(t[2] <= t[1] + 0.05 && t[2] >= t[1] - 1) }'

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
check "nothing went backwards, each CPU and the sum" awk '
	{ for (i = 2; i <= NF; i++) { if ($i < last[$1, i]) { print "was " last[$1, i] ": " $0; bad = 1 }; last[$1, i] = $i }; n++ }
	END { exit bad || n < 20 }' "$T/watched"
usage busy 2 50
check "half a CPU is used in full now ($BUSY %, used $WANTED %)" agrees
container_stop busy
container_stop idle
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
