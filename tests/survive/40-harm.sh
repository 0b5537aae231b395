#!/bin/bash
# SPDX-License-Identifier: MIT
# Requests that crash, kill or hold up every worker that takes them: they alone get
# an error, and eight readers of other files do not notice.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

ASAN_OPTIONS+=:handle_abort=0
daemon one
ini
printf '\n[plugin harm]\nmodule = %s/sample_harm.so\n' "$SAMPLES" >>"$INI"
must_start
MOUNT=$(mount_line)

deaths() { grep -c 'died' "$LOG"; }
read_harm() { # FILE: prints what the reader got
	timeout 60 cat "$MNT/proc/$1" 2>&1 | tail -n 1
}

start_load --hang-ms 15000
before=$(deaths)
like "$(read_harm lxcfsd_crash)" 'Input/output error' "a request that crashes its worker gets an error"
is $(($(deaths) - before)) 2 "after two crashes"
before=$(deaths)
like "$(read_harm lxcfsd_kill)" 'Input/output error' "a request whose worker is killed gets an error"
is $(($(deaths) - before)) 5 "after five deaths"
undisturbed "crashing requests"

# one thread is held up by each; reloads go on, and so do the others
start_load --hang-ms 15000
timeout 120 cat "$MNT/proc/lxcfsd_stuck" >"$D/stuck" 2>&1 &
stuck=$!
wait_for "$PATIENCE" not nothing_waits
good=0
for _ in 1 2 3 4; do
	reload_and_wait
	[ "$RELOAD" = ok ] && good=$((good + 1))
done
is $good 4 "reloads succeed while a request is stuck"
check "it is still waiting" alive $stuck
reload_and_wait
check "after five reloads it gets an error" wait_for "$PATIENCE" not alive $stuck
like "$(cat "$D/stuck")" 'Input/output error' "and no content"
undisturbed "a stuck request"
finish
