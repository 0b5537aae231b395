#!/bin/bash
# SPDX-License-Identifier: MIT
# A plugin that crashes on one of its files: after two deaths the host's content is shown
# there, the other file of the plugin never notices, and a mended plugin brings it back.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

ASAN_OPTIONS+=:handle_segv=0
cg_make a || bail "a cgroup"
daemon one
cp "$SAMPLES/pair_crashes.so" "$T/pair.so"
ini
printf '\n[plugin pair]\nmodule = %s/pair.so\n' "$T" >>"$INI"
must_start
MOUNT=$(mount_line)

get() { (cg_join a && exec timeout 60 cat "$MNT/proc/$1") 2>&1; } # FILE
status() { sed -n "s/^$1 //p" "$RUNDIR/lxcfsd/status"; }          # KEY
status_is() { [ "$(status "$1")" = "$2" ]; }
deaths() { grep -c 'worker .* died' "$LOG"; }

(
	cg_join a
	while [ ! -e "$T/stop" ]; do
		[ "$(timeout 20 cat "$MNT/proc/lxcfsd_pair" 2>&1)" = second ] || echo wrong
	done
) >"$T/second" 2>&1 &
SECOND=$!
start_load --hang-ms 15000
is "$(get version)" "$(cat /proc/version)" "a file that crashes its workers shows the host's content"
is "$(deaths)" 2 "after two deaths"
is "$(get version)" "$(cat /proc/version)" "and goes on to"
is "$(deaths)" 2 "without another death"
check "the status names plugin and file" wait_for 5 status_is quarantined pair:/proc/version
is "$(status deaths-fault)" 2 "and counts"
like "$(status last-death)" "^[0-9]+ worker [0-9]+ .* died after [0-9.]+ s: signal 11 .*, in READ of '/proc/version' \(plugin 'pair'\)\$" "and tells of the last one"
like "$(grep 'quarantine' "$LOG")" "'/proc/version' \(plugin 'pair'\)" "so does the log"

w=$(worker_pid)
kill -KILL "$w"
wait_for "$PATIENCE" other_worker "$w"
is "$(get version)" "$(cat /proc/version)" "also with the next worker"
is "$(deaths)" 3 "which is not asked to try"
cp "$INI" "$T/good.ini"
echo nonsense >>"$INI"
reload_and_wait
is "$RELOAD $(get version) $(deaths)" "failed $(cat /proc/version) 3" "nor after a reload that failed"
cp "$T/good.ini" "$INI"

cp "$SAMPLES/pair_mended.so" "$T/pair.so.new" && mv "$T/pair.so.new" "$T/pair.so"
reload_and_wait
is "$RELOAD" ok "a reload with a mended plugin"
is "$(get version)" mended "brings it back"
check "the status does not name it any more" wait_for 5 status_is quarantined ''
undisturbed "a file that crashes"
touch "$T/stop"
wait $SECOND
is "$(cat "$T/second")" "" "the plugin's other file was always there"

# a signal from outside is nobody's fault
start_load
for _ in {1..4}; do
	w=$(worker_pid)
	kill -SEGV "$w"
	wait_for "$PATIENCE" other_worker "$w"
	timeout "$PATIENCE" cat "$MNT/proc/uptime" >/dev/null # one that does not serve yet is no death
done
check "four signals are counted" wait_for 5 status_is deaths-fault 6
is "$(status quarantined)" "" "a signal from outside quarantines nothing"
undisturbed "signals"
finish
