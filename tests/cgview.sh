# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# cgview.sh - what tests of the cgroup view share: where it is, and cgroups that are told
# apart by a number in each.

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
RACE=$(realpath "$(dirname "${BASH_SOURCE[0]}")/tools/cgrace.py") # on stdin: not everybody comes to where it is
VIEW=$(realpath "$(dirname "${BASH_SOURCE[0]}")/tools/cgview.py")
M=${CG_DIR[memory]}/$CG_NAME
# NUMBER: a file with a number that each cgroup has, whatever controllers it has.
case $CG_MODE in
v2) AT=/mnt NUMBER=cgroup.max.descendants ;;
v1) AT=/mnt/memory NUMBER=memory.limit_in_bytes ;;
esac
STEP=4096

mark() { # PATH NUMBER: a cgroup with this number
	mkdir -p "$M/$1" && echo "$2" >"$M/$1/$NUMBER"
}
remove_below() { # PATH: the cgroups below it
	find "$M/$1" -mindepth 1 -depth -type d -exec rmdir {} \;
}
move() { echo "$2" >"$M/$1/cgroup.procs"; } # PATH PID: in the hierarchy that is looked at
inside() { in_container "$@"; }             # NAME CMD...: as docker exec
inner() { awk '/^NSpid/ { print $NF }' "/proc/$1/status"; } # PID: its number in its container

sleepers() { # NAME COUNT: HOST_PIDS, of new processes of the container
	local before i
	before=$(pgrep -P "${C_PID[$1]}" | sort)
	for ((i = 0; i < $2; i++)); do
		inside "$1" sh -c 'sleep 1000000 & exit 0' </dev/null >/dev/null 2>&1
	done
	mapfile -t HOST_PIDS < <(comm -13 <(echo "$before") <(pgrep -P "${C_PID[$1]}" | sort))
	[ ${#HOST_PIDS[@]} = "$2" ]
}
all_cgroups() { (cd "$1" && find . -type d | sort); } # DIRECTORY; also by `inside NAME bash -c`
export -f all_cgroups
