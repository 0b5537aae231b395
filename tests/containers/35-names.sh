#!/bin/bash
# SPDX-License-Identifier: MIT
# A tenant may give its cgroups any name, and its processes too; readers may end at
# any moment.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
daemon names
must_start
cg_make plain # the controllers are passed down

new_cgroup() { # NAME MIB
	local d c has
	for d in "${CG_DIRS[@]}"; do
		mkdir "$d/$CG_NAME/$1" || return 1
		[ "$CG_MODE-$d" = "v1-${CG_DIR[cpuset]}" ] || continue
		for c in cpuset.cpus cpuset.mems; do
			read -r has <"$d/$CG_NAME/plain/$c" && echo "$has" >"$d/$CG_NAME/$1/$c" || return 1
		done
	done
	cg_set "$1" mem "${2}M"
}
shown_in() { # NAME [CMD...]: MemTotal of a container in that cgroup
	(cg_join "$1" && exec "$TOOLS/box" --bind "$MNT/proc/meminfo:/proc/meminfo" -- cat /proc/meminfo) | mem_total
}
mb=8
long=$(printf 'x%.0s' {1..255})
for name in 'with space' ' ' '%41' 'back\slash' '\040' 'a:b' '0::' 'x (deleted)' 'tab	tab' '"quoted"' "it's" \
	'$(id)' '*' '[a]' '#;=' '...' '.hidden' $'\xff\xfe' $'\x01\x1b[31m' 'ünïcode' "$long"; do
	mb=$((mb + 4))
	new_cgroup "$name" $mb || { not_ok "a cgroup can be called $(printf %q "$name")" && continue; }
	is "$(shown_in "$name")" $((mb * 1024)) "a cgroup called $(printf %q "${name:0:20}")"
done
# what is removed while somebody is in it cannot be; what only looks like it
new_cgroup 'gone' 16
new_cgroup 'gone (deleted)' 24
is "$(shown_in 'gone')" 16384 "one that has a twin with (deleted)"
is "$(shown_in 'gone (deleted)')" 24576 "and that twin"
# names of which one is the beginning of the other
new_cgroup 'x_1' 12 && new_cgroup 'x_10' 20
is "$(shown_in x_1) $(shown_in x_10)" "12288 20480" "x_1 and x_10"

# an init and readers with names that look like something else
mkdir "$T/bin"
for comm in 'a b' ') R 1 1 1 (' $'new\nline' '(('; do
	cp "$(command -v sleep)" "$T/bin/$comm"
	C_INIT="$T/bin/$comm" container_start plain || bail "a container starts"
	wait_for "$PATIENCE" grep -qF "$comm" "/proc/${C_PID[plain]}/comm"
	like "$(in_container plain cat /proc/uptime)" '^[0-9]+\.[0-9][0-9] [0-9]+\.[0-9][0-9]$' \
		"its age, with an init called $(printf %q "$comm")"
	container_stop plain
done

# readers that end while they ask
container_start plain || bail "a container starts"
for ((i = 0; i < 200; i++)); do
	in_container plain bash -c 'cat /proc/meminfo /proc/stat /proc/loadavg >/dev/null & kill -KILL $!; exit 0' 2>/dev/null
done
is "$(in_container plain cat /proc/meminfo | mem_total)" "$(mem_total </proc/meminfo)" "200 readers that end while they ask: it serves"
check "and nothing waits" wait_for "$PATIENCE" nothing_waits
container_stop plain
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
