#!/bin/bash
# SPDX-License-Identifier: MIT
# Each container sees its own limits, whoever set them.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
diag "cgroup $CG_MODE, kernel $(uname -r)"
cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
first=${cpus%%[,-]*}

look='$1 == "MemTotal:" { print $2 } /^processor/ { n++ } FILENAME ~ /uptime/ { up = $1 } END { print n; print up }'
look() { # CONTAINER [OPTION]...: what it sees, in KB, CPUS and UP
	local out
	out=$(container "$@" -- awk "$look" /proc/meminfo /proc/cpuinfo /proc/uptime)
	{ read -r KB && read -r CPUS && read -r UP; } <<<"$out"
}
# A changed limit may be seen up to cache_ms late.
settles() { # KB CONTAINER
	look "$2" && [ "$KB" = "$1" ]
}
shows() { # KB CPUS WHAT
	is "$KB" "$1" "$3: MemTotal"
	is "$CPUS" "$2" "$3: processors"
}
all=$(processors </proc/cpuinfo)

for identity in auto nspid; do
	daemon $identity
	ini "identity = $identity"
	must_start
	id="identity = $identity"

	read -r before _ </proc/uptime
	look box --mem 256M --cpus "$first" --quota 100000/100000
	read -r after _ </proc/uptime
	shows 262144 1 "$id: 256 MiB and 1 CPU"
	check "$id: its uptime is its age" awk -v up="$UP" -v most="$before $after" \
		'BEGIN { split(most, t, " "); exit !(up != "" && up >= 0 && up <= t[2] - t[1] + 1) }'
	[ $identity = auto ] || { stop_daemon && cg_remove_once && continue; }
	look tiny --mem 10M
	shows 10240 "$all" "$id: 10 MiB"
	look quota --mem 64M --quota 50000/100000
	shows 65536 1 "$id: half a CPU of quota, any CPU"
	look set --mem 64M --cpus "$first"
	shows 65536 1 "$id: one CPU, no quota"
	is "$(container set -- awk '/^processor/ { print $3 }' /proc/cpuinfo)" "$first" "$id: it keeps its number"

	# the parent's limit is tighter than the child's
	cg_make outer/inner
	cg_set outer mem 128M
	cg_set outer quota 100000/100000
	look outer/inner --mem 192M
	shows 131072 1 "$id: the parent is tighter"
	deep=outer/2/3/4/5/6/7/8
	cg_make $deep
	look $deep --mem 192M
	shows 131072 1 "$id: the parent is tighter, at depth 8"
	cg_make other/2/3/4/5/6/7/8
	look other/2/3/4/5/6/7/8 --mem 96M --cpus "$first"
	shows 98304 1 "$id: the child alone has limits, at depth 8"
	cg_set other/2/3/4 mem 48M
	wait_for "$PATIENCE" settles 49152 other/2/3/4/5/6/7/8
	shows 49152 1 "$id: one half way down is tightest"

	# a limit that changes under a running container
	container_start live --mem 80M || bail "a container starts" "$(cat "$LOG")"
	is "$(in_container live cat /proc/meminfo | mem_total)" 81920 "$id: a running one"
	cg_set live mem 160M
	now() { [ "$(in_container live cat /proc/meminfo | mem_total)" = 163840 ]; }
	check "$id: it sees its new limit" wait_for "$PATIENCE" now
	container_stop live

	# no limit: the host's
	look free
	shows "$(mem_total </proc/meminfo)" "$all" "$id: no limit"
	check "$id: MemFree is at most MemTotal" container sane --mem 64M -- awk '
		$1 == "MemTotal:" { t = $2 } $1 == "MemFree:" { f = $2 } $1 == "MemAvailable:" { a = $2 }
		END { exit !(t == 65536 && f <= t && a >= f && a <= t) }' /proc/meminfo
	stop_daemon
	is "$STOP_STATUS" 0 "$id: ends with 0"
	cg_remove_once
done
finish
