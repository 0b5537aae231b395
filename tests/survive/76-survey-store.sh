#!/bin/bash
# SPDX-License-Identifier: MIT
# The rows of docs/survival.md for which it takes somebody who starts the keeper again, as
# the unit has it, on a machine that is not emulated (with the real systemd: tests/systemd).
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../survey.sh"
. "$(dirname "$0")/../store.sh"

long_in_vm
[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
: "${PAUSE_MS:=2}"
FDSTORE_RESTART_MS=$(sed -n 's/^RestartSec=\([0-9]*\)ms$/\1/p' "$(dirname "$0")/../../conf/systemd/lxcfsd.service")
export FDSTORE_RESTART_MS
check "the unit says when it starts again ($FDSTORE_RESTART_MS ms)" test "$FDSTORE_RESTART_MS" -gt 0
SURVEY_START=start_service survey_begin one

again_after() { # CMD...
	local before
	before=$(ready)
	"$@" && wait_for "$PATIENCE" restarted "$before" && sleep "0.0$((RANDOM % 10))"
}
survey_row both "$(times 3 20)" 1000 1000 again_after kill_both
survey_row main "$(times 3 20)" 50 1000 again_after kill_main
check_not "nothing was asked of systemd that hurts it" test -e "$STORE/errors"
stop_service
"$LXCFSD" --unmount -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR"
DPID=''
finish
