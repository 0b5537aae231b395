#!/bin/bash
# SPDX-License-Identifier: MIT
# What a container was read with is let go when it is gone, while others go on reading.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
daemon gone
must_start
container_start idle --mem 64M || bail "a container starts" "$(cat "$LOG")"
container_start busy --mem 64M || bail "a container starts" "$(cat "$LOG")"
worker=$(worker_pid)
held() { # CONTAINER: control files of its cgroup that the worker has open
	find "/proc/$worker/fd" -lname "*/$CG_NAME/$1/*" | wc -l
}
holds_none() { [ "$(held "$1")" = 0 ]; }
in_container idle cat /proc/meminfo >/dev/null
check "the control files of who has just read are held open ($(held idle))" [ "$(held idle)" -gt 0 ]
# more often than the worker tidies up, once a second
in_container busy bash -c 'until [ -e "$1/end" ]; do read -r _ </proc/uptime; sleep 0.2; done' \
	read "$T" &
reader=$!
check "and closed some time later, though its neighbour reads all the time" \
	wait_for $((PATIENCE + 15)) holds_none idle
: >"$T/end"
wait $reader
container_stop idle
container_stop busy
finish
