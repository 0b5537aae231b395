# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# machine.sh - what the make-root programs of golden cases share.
#
#	. "${0%/*}/../../machine.sh"
#
# They write into the directory $1, which is empty, and start from a captured case.

set -eu
export LC_ALL=C
root=${1:?}
cases=$(cd "$(dirname "$0")/.." && pwd)

like() { # CASE: its machine
	cp -r "$cases/$1/root/." "$root"
}

put() { # PATH [TEXT]: a file below root/, its one line
	mkdir -p "$root/$(dirname "$1")"
	printf '%s\n' "${2-}" >"$root/$1"
}

# CPUs 0 to N-1, as many times the first one, in packages of 64 cores without threads:
# x86's show_cpuinfo(), show_stat() of fs/proc/stat.c and the lists of
# drivers/base/cpu.c.  Nothing is said of cpuN below /sys.
cpus() { # N
	local n=$1 file=$root/proc/cpuinfo
	awk -v n="$n" '
		/^$/ { exit }
		{ line[++lines] = $0 }
		END {
			for (cpu = 0; cpu < n; cpu++) {
				at["processor"] = at["apicid"] = at["initial apicid"] = cpu
				at["physical id"] = int(cpu / 64)
				at["core id"] = cpu % 64
				at["siblings"] = at["cpu cores"] = n < 64 ? n : 64
				for (i = 1; i <= lines; i++) {
					key = line[i]
					sub(/[ \t]*:.*/, "", key)
					if (key in at)
						sub(/:.*/, ": " at[key], line[i])
					print line[i]
				}
				print ""
			}
		}' "$file" >"$file.new"
	mv "$file.new" "$file"
	awk -v n="$n" '
		$1 == "cpu" { next }
		$1 == "cpu0" {
			printf "cpu "
			for (i = 2; i <= NF; i++)
				printf " %.0f", $i * n
			print ""
			rest = $0
			sub(/^cpu0/, "", rest)
			for (cpu = 0; cpu < n; cpu++)
				print "cpu" cpu rest
			next
		}
		!/^cpu/ { print }' "$root/proc/stat" >"$file.new"
	mv "$file.new" "$root/proc/stat"
	rm -rf "$root"/sys/devices/system/cpu/cpu[0-9]* "$root"/sys/devices/system/node
	cpu_list present "0-$((n - 1))"
	cpu_list possible "0-$((n - 1))"
	cpu_list online "0-$((n - 1))"
	cpu_list offline ''
}

cpu_list() { # NAME LIST
	put "sys/devices/system/cpu/$1" "$2"
}

# What `online` no longer has goes from cpuinfo and stat too.
offline() { # LIST ONLINE: both lists in the kernel's form
	local file
	cpu_list offline "$1"
	cpu_list online "$2"
	for file in cpuinfo stat; do
		awk -v list="$2" '
			BEGIN {
				n = split(list, range, ",")
				for (i = 1; i <= n; i++) {
					ends = split(range[i], end, "-")
					for (cpu = end[1] + 0; cpu <= end[ends] + 0; cpu++)
						on["" cpu]
				}
			}
			/^processor/ { hide = !($3 in on) }
			/^cpu[0-9]/ { if (!(substr($1, 4) in on)) next }
			!hide { print }' "$root/proc/$file" >"$root/proc/new"
		mv "$root/proc/new" "$root/proc/$file"
	done
}
