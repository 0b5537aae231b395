#!/bin/bash
# SPDX-License-Identifier: MIT
# The rows of docs/survival.md for which it takes systemd: nobody is left, and it starts
# the keeper again.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../survey.sh"
. "$(dirname "$0")/../systemd.sh"

need_fusectl
# what is staged is for the next machine as well
put_release this && sed -i 's/^\[plugin pressure\]$/&\ntriggers = yes/' $INI
check "it is installed and started" eval 'systemctl daemon-reload && systemctl start $UNIT'
wait_for "$PATIENCE" supervised
is "$(grep -c '^triggers = yes' $INI)" 1 "with triggers"
survey_places

again_after() { # CMD...
	local before=$DPID
	"$@" && wait_for "$PATIENCE" other_main "$before" && sleep "0.0$((RANDOM % 10))"
}

survey_row nothing 3 - 10000 sleep 1
survey_row both "$(times 3 200)" 1000 10000 again_after kill_both
survey_row main "$(times 3 200)" 50 10000 again_after kill_main
finish_unit
