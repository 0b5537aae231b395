#!/bin/bash
# SPDX-License-Identifier: MIT
# A hundred reloads under eight readers, none of which may notice.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

COUNT=30
[ -z "${LXCFSD_TEST_LONG:-}" ] || COUNT=100
daemon one
must_start
MOUNT=$(mount_line)
start_load
good=0
declare -A workers=()
for ((i = 0; i < COUNT; i++)); do
	reload_and_wait
	[ "$RELOAD" = ok ] && good=$((good + 1))
	workers[$(worker_pid)]=1
done
is $good $COUNT "$COUNT reloads succeed"
is ${#workers[@]} $COUNT "each with a worker of its own"
undisturbed "$COUNT reloads"
check "one worker is left" wait_for "$PATIENCE" one_worker

# faster than it can follow: what matters is that it ends well
start_load
for _ in {1..200}; do kill -USR1 "$DPID"; done
reload_and_wait
is "$RELOAD" ok "after a storm of signals a reload succeeds"
undisturbed "200 signals at once"
check "one worker is left" wait_for "$PATIENCE" one_worker
finish
