# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# SPDX-License-Identifier: MIT
# lib.sh - readers that go on while something is done to the daemon.

start_load() { # [OPTION]...
	rm -f "$D/ready"
	"$TOOLS/readload" --readers 8 --ready "$D/ready" "$@" "$MNT" >"$D/load" 2>"$D/load.err" &
	LOAD=$!
	wait_for "$PATIENCE" test -e "$D/ready" || bail "the readers start" "$(cat "$D/load" "$D/load.err")"
}

end_load() {
	kill -TERM "$LOAD" 2>/dev/null
	wait "$LOAD"
	LOAD_STATUS=$?
	diag "$(cat "$D/load" "$D/load.err")"
}
load_says() { # KEY
	sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$D/load"
}

undisturbed() { # WHAT
	end_load
	is "$(load_says failed)" 0 "$1: 0 failed"
	is "$(load_says torn)" 0 "$1: 0 torn"
	is "$(load_says hung)" 0 "$1: 0 hung"
	is "$LOAD_STATUS" 0 "$1: all readers ended by themselves"
	if [ "$(load_says ops)" -gt 1000 ]; then ok "$1: they did read"; else not_ok "$1: they did read" "$(load_says ops) calls"; fi
	check "$1: no request waits in the kernel" wait_for "$PATIENCE" nothing_waits
	is "$(mount_line)" "$MOUNT" "$1: the mount is as it was"
}
