#!/bin/bash
# SPDX-License-Identifier: MIT
# What must hold in each text that a container reads, while it works, its limits
# change, and the daemon is reloaded and killed.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
rounds=10000
[ -z "$VM" ] || rounds=1000
rounds=${LXCFSD_TEST_ROUNDS:-$rounds}

daemon properties
must_start
cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
first=${cpus%%[,-]*}
online=$(processors </proc/cpuinfo)

binds=(--bind "$MNT/sys/devices/system/cpu/online:/sys/devices/system/cpu/online")
for f in "$MNT"/proc/*; do
	[ ! -f "$f" ] || binds+=(--bind "$f:/proc/${f##*/}")
done

# -- readers: two in each of two containers, and two of the host in a third one's cgroup

mkdir "$T/keep"
echo 1 >"$T/moment"
readers=()
read_on() { # NAME ROUNDS CMD... -- OPTION...
	local name=$1 n=$2 cmd=()
	shift 2
	while [ "$1" != -- ]; do cmd+=("$1") && shift; done
	mkdir "$T/keep/$name"
	"${cmd[@]}" "$TOOLS/properties" --readers 2 --rounds "$n" --cpus "$online" --moment "$T/moment" \
		--keep "$T/keep/$name" --every $((rounds / 20)) "${@:2}" >"$T/$name.out" 2>&1 &
	readers+=("$name:$!")
}
# The reader is the container's init: where init has to be searched for (before Linux
# 6.11) a slow machine may find it too late, and a reader that joined has another view.
work_and_read() { # CONTAINER CMD...
	container "$1" --mem 96M "${binds[@]}" --pidfile "$T/pid.$1" -- \
		sh -c '"$0" "$1" 2>/dev/null & shift && exec "$@"' "$TOOLS/churn" "$T" "${@:2}"
}
from_outside() { cg_join three && exec "$@"; }
container_start three --mem 96M || bail "a container starts" "$(cat "$LOG")"
read_on inside $((rounds * 4 / 10)) work_and_read one -- --inside yes /
read_on neighbour $((rounds * 3 / 10)) work_and_read two -- --inside yes /
for name in one two; do
	wait_for "$PATIENCE" is_there "$T/pid.$name" || bail "container $name starts" "$(cat "$T"/*.out "$LOG")"
done
read_on outside $((rounds - rounds * 4 / 10 - rounds * 3 / 10)) from_outside -- "$MNT"

reading() {
	local r
	for r in "${readers[@]}"; do
		alive "${r#*:}" && return
	done
	return 1
}

# -- what is done to them, until all have read enough

changes=0 deaths=0 reloads=0 refused=0
moment=0
change() { # CONTAINER WHAT VALUE; one that the kernel does not want now is left out
	echo $((moment += 1)) >"$T/moment"
	if cg_set "$@" 2>/dev/null; then changes=$((changes + 1)); else refused=$((refused + 1)); fi
	sleep 0.1 # twice cache_ms: from here on nobody is shown what was
	echo $((moment += 1)) >"$T/moment"
}
another_worker() { # after whatever has been done to it in CMD...
	local old
	old=$(worker_pid) || return 1
	"$@" || return 1
	wait_for "$PATIENCE" other_worker "$old"
}
kill_it() { kill -KILL "$old"; }
i=0
while reading; do
	i=$((i + 1))
	k=$((i / 8))
	case $((i % 8)) in
	0) change one quota $((50000 + k % 4 * 50000))/100000 ;;
	1) change one cpus "$first" ;;
	2) change two mem $((48 + k % 5 * 16))M ;;
	3) change one cpus "$cpus" ;;
	4) change two quota $((50000 + k % 3 * 70000))/100000 ;;
	5) change one mem $((64 + k % 4 * 16))M ;;
	6) change three quota $((50000 + k % 3 * 70000))/100000 ;;
	7) change three mem $((48 + k % 5 * 16))M ;;
	esac
	sleep 0.15
	case $((i % 8)) in
	3) another_worker kill_it && deaths=$((deaths + 1)) ;;
	7) reload_and_wait && [ "$RELOAD" = ok ] && reloads=$((reloads + 1)) ;;
	esac
done
diag "$rounds rounds in $SECONDS s, load $(cut -d ' ' -f 1 /proc/loadavg): $changes changes, $refused refused, $deaths deaths, $reloads reloads"

failures=$tap_failed
for r in "${readers[@]}"; do
	name=${r%:*}
	wait "${r#*:}"
	is "$?" 0 "$name: all that it read holds ($(tail -n 1 "$T/$name.out"))"
	[ "$(wc -l <"$T/$name.out")" = 1 ] || diag "$(cat "$T/$name.out")"
	check_not "$name: there were quiet moments" grep -q ' 0 quiet' "$T/$name.out"
done
[ $tap_failed = $failures ] || diag "$(cat "$LOG")"
check "limits were changed meanwhile" [ $changes -ge 6 ]
check "and the worker was killed and reloaded" [ $((deaths > 0 && reloads > 0)) = 1 ]

# -- and what the golden cases hold, too

for name in inside neighbour outside; do
	bad='' n=0
	for f in "$T/keep/$name"/*; do
		path=${f##*/} && path=/proc/${path%%.*}
		n=$((n + 1))
		bad+=$(awk -v path="$path" -v retired=1 -f tests/golden/properties.awk "$f" || head -n 50 "$f")
	done
	is "$bad" "" "$name: $n texts have the properties of the golden cases"
	check "$name: these are some" [ $n -ge 6 ]
done
container_stop three
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
