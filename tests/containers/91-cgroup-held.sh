#!/bin/bash
# SPDX-License-Identifier: MIT
# A working directory 32 levels deep in the cgroup view, and files and directories that are
# open on the way there: whatever happens to the daemon, none of them notices.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cgview.sh"
. "$(dirname "$0")/../upgrade.sh"

long_in_vm
daemon one
own_programs
must_start
LEVELS=32
declare -A BASE=([x_1]=$((64 << 20)) [x_10]=$((128 << 20)))
for c in x_1 x_10; do
	container_start $c --bind "$MNT/cgroup:/mnt" || bail "the container $c starts"
	at=$c
	for ((i = 0; i <= LEVELS; i++)); do
		mark $at $((${BASE[$c]} + i * STEP)) || not_ok "level $i of $c is made"
		at=$at/d
	done
done

chmod 1777 "$T"
declare -A HOLDS=()
holder() { # TITLE NAME BY: BY is words of a command, or ''
	# shellcheck disable=SC2086 # words
	inside "$2" $3 /usr/bin/python3 - hold "$AT" "$NUMBER" "${BASE[$2]}" $LEVELS "$T/turn.$1" "$T/end" <"$RACE" >"$T/hold.$1" 2>&1 &
	HOLDS[$1]=$!
}
holder root x_1 ''
holder nobody x_1 'setpriv --reuid 65534 --regid 65534 --clear-groups'
holder neighbour x_10 ''
turned() {
	local title
	for title in "${!HOLDS[@]}"; do is_there "$T/turn.$title" || return 1; done
}
go_on() { # a turn that has begun before, and a whole one
	rm -f "$T"/turn.*
	wait_for "$PATIENCE" turned || return 1
	rm -f "$T"/turn.*
	wait_for "$PATIENCE" turned
}
check "a file and a directory of each level are held, and the lowest is the working directory" wait_for "$PATIENCE" turned

rounds=3
[ -z "${LXCFSD_TEST_LONG:-}" ] || rounds=20
version=$("$LXCFSD" --version)
for ((i = 1; i <= rounds; i++)); do
	w=$(worker_pid) && kill -KILL "$w"
	check "$i: killed, and there is another worker" wait_for "$PATIENCE" other_worker "$w"
	check "$i: all go on" go_on
	reload_and_wait
	is "$RELOAD" ok "$i: reloaded"
	check "$i: all go on" go_on
	newer_release "$D/newer"
	install_as "$D/newer"
	hup_and_wait
	is "$RELOAD" ok "$i: an upgrade"
	is "$(grep -c 'this is lxcfsd 9\.9\.9 now' "$LOG")" $i "$i: the new release runs"
	check "$i: all go on" go_on
	w=$(worker_pid) && kill -KILL "$w"
	check "$i: killed after that" wait_for "$PATIENCE" other_worker "$w"
	install_as "$D/old/lxcfsd"
	hup_and_wait
	is "$RELOAD" ok "$i: and back"
	is "$(grep -c "this is $version now" "$LOG")" $i "$i: the old release runs"
	check "$i: all go on" go_on
done
: >"$T/end"
for title in root nobody neighbour; do
	wait "${HOLDS[$title]}"
	is "$?" 0 "$title: 0 failed, always the right number"
	diag "$title: $(cat "$T/hold.$title")"
	like "$(cat "$T/hold.$title")" ' 0 complaints, [0-9]+ turns, errors: none$' "$title: and no error"
done
check "no request waits in the kernel" wait_for "$PATIENCE" nothing_waits
finish
