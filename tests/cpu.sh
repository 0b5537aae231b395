# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: MIT
# cpu.sh - how busy a container reads itself, next to what the kernel gave it.
#
# A machine that is busy elsewhere, or emulated, does not give a container what its
# quota allows.  So what is shown is compared with what the kernel says was used.

# 1.5 of `most` CPUs is what the tests of a quota give: 4 of them, or as many as there are.
cpus_for_quota() {
	most=$(processors </proc/cpuinfo)
	[ "$most" -ge 2 ] || skip_all "a quota of 1.5 CPUs needs 2: there is $most"
	[ "$most" -le 4 ] || most=4
	[ "$most" = 4 ] || skip "quota of 4 CPUs" "there are $most: that many are used"
}

declare -A WATCHER=()
online_bind() { # into BINDS: all files that watching needs
	local f
	BINDS=(--bind "$MNT/sys/devices/system/cpu/online:/sys/devices/system/cpu/online")
	for f in "$MNT"/proc/*; do
		[ ! -f "$f" ] || BINDS+=(--bind "$f:/proc/${f##*/}")
	done
}
watch_start() { # CONTAINER [MILLISECONDS]: each look is work of the container
	local usage=cpuacct.usage
	[ "$CG_MODE" = v1 ] || usage=cpu.stat
	in_container "$1" "$TOOLS/cpuwatch" "${2:-200}" "${CG_DIR[cpuacct]}/$CG_NAME/$1/$usage" \
		"${CG_DIR[cpu]}/$CG_NAME/$1/cpu.stat" >"$T/watch.$1" 2>&1 &
	WATCHER[$1]=$!
	disown
	wait_for "$PATIENCE" test -s "$T/watch.$1" || bail "$1 is watched" "$(cat "$T/watch.$1")"
}
processes_in() { wc -l <"${CG_DIR[memory]}/$CG_NAME/$1/cgroup.procs"; }
spin_in() { # CONTAINER N: so many processes that never sleep
	local before
	before=$(processes_in "$1")
	in_container "$1" "$TOOLS/churn" --spin "$2" 2>/dev/null &
	disown
	spinning() { [ "$(processes_in "$1")" -gt $((before + $2)) ]; }
	wait_for "$PATIENCE" spinning "$1" "$2" || bail "$2 processes spin in $1"
}

# From now on, for so long at least.  BUSY, STEAL, USED and HELD are per cent of the time
# that its CPUs show: busy, stolen, used and held back by the quota, the last two as the
# kernel says.  SLACK is how far USED may be off.  CPUS are all numbers of CPUs that it
# saw, in stat, cpuinfo and online.
measure() { # CONTAINER SECONDS
	local from
	read -r from _ </proc/uptime
	wait_for $((PATIENCE + $2)) measured "$1" "$from" "$2" || bail "$1 can be measured" "$(tail -n 5 "$T/watch.$1")"
	read -r BUSY STEAL USED HELD SLACK CPUS <<<"$MEASURED"
}
measured() {
	MEASURED=$(awk -v from="$2" -v seconds="$3" '
		NF == 10 && $1 >= from {
			if (!n++) split($0, a)
			split($0, b)
			for (i = 2; i <= 7; i += i == 2 ? 4 : 1)
				if (!(($i) in seen)) { seen[$i]; cpus = cpus (cpus == "" ? "" : ",") $i }
		}
		END {
			all = (b[3] - a[3]) / 100
			if (n < 3 || b[1] - a[1] < seconds || all <= 0) exit 1
			steal = (b[5] - a[5]) / all
			printf "%.1f %.1f %.1f %.1f %.1f %s", 100 - (b[4] - a[4]) / all - steal, steal,
				(b[8] - a[8]) / all, (b[9] - a[9]) / all, (a[10] + b[10]) / all, cpus
		}' "$T/watch.$1")
}
near() { # GOT WANTED BY: by at most so much
	awk -v a="$1" -v b="$2" -v by="$3" 'BEGIN { exit !(a ~ /^-?[0-9]/ && a - b <= by && b - a <= by) }'
}
calc() { awk "BEGIN { printf \"%.1f\", $1 }"; }
least() { calc "$1 < $2 ? $1 : $2"; }
