#!/bin/bash
# SPDX-License-Identifier: MIT
# Random bytes in any part of the vault, and the worker ends: the next one serves, says
# what it has dropped, and nobody waits for ever.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
only_long
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../survey.sh"

ROUNDS=4
[ -z "${LXCFSD_TEST_LONG:-}" ] || ROUNDS=40
SEED=${LXCFSD_TEST_SEED:-$RANDOM}
diag "LXCFSD_TEST_SEED=$SEED"
STALL=2000
[ -z "$VM" ] || STALL=20000

stopped() { [ "$(awk '/^State/ { print $2 }' "/proc/$1/status")" = T ]; }
damage() { # PART [RANGES]: while it does nothing, and has requests in hand
	local w began=${EPOCHREALTIME/./} took
	w=$(worker_pid) && kill -STOP "$w" && wait_for "$PATIENCE" stopped "$w" || return 1
	sleep 0.02
	"$TOOLS/scribble" "$DPID" "$1" $((SEED++)) "${2:-8}" || return 1
	kill -KILL "$w"
	took=$(((${EPOCHREALTIME/./} - began) / 1000))
	[ $took -le $HELD ] || HELD=$took
	wait_for "$PATIENCE" other_worker "$w" && wait_for "$PATIENCE" serves
}
serves() { timeout 5 grep -q . "$MNT/proc/uptime" && timeout 5 grep -q . "$MNT/sys/devices/system/cpu/online"; }
said() { tail -c "+$((LOG_AT + 1))" "$LOG"; }

damaged() { # PART RANGES WHAT-IS-SAID
	local i good=0
	HELD=0 # ms for which the worker was stopped
	LOG_AT=$(stat -c %s "$LOG")
	HANG_MS=30000 survey_load
	for ((i = 0; i < ROUNDS; i++)); do damage "$1" "$2" && good=$((good + 1)); done
	survey_unload
	is $good $ROUNDS "$1, ${2/#0/all}: $ROUNDS times another worker serves"
	is "$(load_says hung)" 0 "$1, ${2/#0/all}: nobody hangs"
	check "$1, ${2/#0/all}: nobody waits for longer than 2 s" \
		stall_below $((STALL + HELD))
	[ -z "$3" ] || like "$(said)" "$3" "$1, ${2/#0/all}: it is said what was dropped"
	check "$1, ${2/#0/all}: no request waits in the kernel" wait_for "$PATIENCE" nothing_waits
	check_not "$1, ${2/#0/all}: no worker dies by a fault" grep -E 'died: (signal (4|6|7|8|11) |exit)' <(said)
}

suite() {
	damaged head 8 'the vault was damaged: its head'
	damaged head 0 'its connections'
	damaged journal 8 ''
	damaged journal 0 'the journal is damaged'
	damaged subjects 64 ''
	damaged snapshots 64 ''
	damaged records 64 ''
	damaged records 0 'records in the vault are damaged'
	damaged triggers 0 ''
	damaged handles 64 ''
	damaged handles 0 'open files in the vault are damaged'
	damaged nodes 1 ''
	damaged nodes 0 'node ids (is|are) damaged'
	damaged all 0 ''
}
survey_begin one
suite
reload_and_wait
is "$RELOAD" ok "it can be reloaded"

# where the kernel cannot send requests again, they end with an error
survey_begin old 'test_resend = no'
damaged journal 0 'requests were lost'
damaged all 0 'requests were lost'
finish
