#!/bin/bash
# SPDX-License-Identifier: MIT
# Two containers read the same mount at the same time and see two truths.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
daemon one
must_start
cat >"$T/rounds" <<'SH'
# NAME OTHER DIRECTORY: waits for the other one, then reads 1000 times
: >"$3/at.$1"
i=0
while [ ! -e "$3/at.$2" ]; do
	[ $((i += 1)) -lt 5000 ] || exit 1
	sleep 0.02
done
i=0
while [ $i -lt 1000 ]; do
	read -r _ total _ </proc/meminfo && echo "$total"
	i=$((i + 1))
done
SH
container one --mem 64M -- bash "$T/rounds" one two "$T" >"$T/one.out" &
a=$!
container two --mem 128M -- bash "$T/rounds" two one "$T" >"$T/two.out" &
b=$!
wait $a
is "$?" 0 "the first ends well"
wait $b
is "$?" 0 "the second ends well"
is "$(sort "$T/one.out" | uniq -c | tr -s ' ')" " 1000 65536" "the first sees its own, 1000 times"
is "$(sort "$T/two.out" | uniq -c | tr -s ' ')" " 1000 131072" "the second sees its own, 1000 times"

# one that ends makes room for another with the same cgroup and other limits: what was
# read for the former is not shown to the next, however long it may be kept
ini 'cache_ms = 1000'
reload_and_wait
is "$RELOAD" ok "values are kept for a second"
for mb in 20 30 40 50; do
	is "$(container again --mem ${mb}M -- cat /proc/meminfo | mem_total)" $((mb * 1024)) "the next in the same place: $mb MiB"
done
# the same with a cgroup made anew, of the same name
for mb in 60 70 80; do
	wait_for "$PATIENCE" cg_remove_once
	is "$(container again --mem ${mb}M -- cat /proc/meminfo | mem_total)" $((mb * 1024)) "a new cgroup of the same name: $mb MiB"
done
finish
