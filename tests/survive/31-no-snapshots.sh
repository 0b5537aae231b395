#!/bin/bash
# SPDX-License-Identifier: MIT
# The other negative control: with half-read texts in a worker's own memory the same
# readers must see torn ones, or the suite could not tell.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
only_long
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../survey.sh"

survey_begin one 'test_snapshots = no'
survey_load
for _ in {1..60}; do
	w=$(worker_pid) || break
	kill -KILL "$w"
	wait_for "$PATIENCE" other_worker "$w" || break
done
survey_unload
if [ "$(load_says torn)" -gt 0 ]; then
	ok "without snapshots in the vault texts are torn ($(load_says torn))"
else
	not_ok "without snapshots in the vault texts are torn"
fi
is "$(load_says failed) failed, $(load_says hung) hung" "0 failed, 0 hung" "and that is all"
finish
