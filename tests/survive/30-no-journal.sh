#!/bin/bash
# SPDX-License-Identifier: MIT
# The negative control: without the journal the same readers must notice the same
# kills, or the tests beside this one prove nothing.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

daemon one
ini 'test_journal = no'
must_start
start_load --hang-ms 2000
stuck() { [ "$(waiting)" -ge 8 ]; }
for i in {1..100}; do
	w=$(worker_pid) || break
	kill -KILL "$w"
	wait_for "$PATIENCE" other_worker "$w" || break
	[ $((i % 10)) != 0 ] || ! stuck || break
done
diag "$i kills"
end_load
noticed=$(($(load_says failed) + $(load_says hung)))
if [ $noticed -gt 0 ]; then
	ok "without the journal the readers notice ($noticed)"
else
	not_ok "without the journal the readers notice"
fi
# the readers that hang are let go only by this
check "the connection can be aborted" abort_connection
gone() { [ -z "$(pgrep -f "^$TOOLS/readload .*$MNT")" ]; }
check "then no reader is left" wait_for "$PATIENCE" gone
finish
