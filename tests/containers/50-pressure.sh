#!/bin/bash
# SPDX-License-Identifier: MIT
# /proc/pressure: there when the host has it, and the container's own.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
daemon one
ini 'subject = init' # so that the reader need not be in the cgroup: it would wait, too
must_start
if cat /proc/pressure/cpu >/dev/null 2>&1; then
	check "it is a mount of its own" wait_for "$PATIENCE" mount_line "$MNT/proc/pressure"
fi
files=() there=' '
for f in cpu memory io irq; do
	if cat /proc/pressure/$f >/dev/null 2>&1; then
		files+=("$f")
		there+="./$f "
		is "$(stat -c '%a %s' "$MNT/proc/pressure/$f")" "666 65536" "$f: the host has it, so it is there"
		check_not "$f: it cannot be written" sh -c "echo some 150000 2000000 >$MNT/proc/pressure/$f"
	else
		check_not "$f: the host has none, so there is none" stat "$MNT/proc/pressure/$f"
	fi
done
if [ ${#files[@]} = 0 ]; then
	check_not "no PSI: the directory is not there" stat "$MNT/proc/pressure"
	is "$(find "$MNT/proc" -maxdepth 1 -name pressure)" "" "nor is it listed"
	finish
fi
is " $(cd "$MNT/proc/pressure" && printf '%s\n' ./* | sort -u | tr '\n' ' ')" \
	" $(tr ' ' '\n' <<<"$there" | sort -u | sed '/^$/d' | tr '\n' ' ')" "just these are listed"

binds=(--bind "$MNT/proc/pressure:/proc/pressure")
pressure() { nsenter -t "${C_PID[$1]}" -m -p -- cat "/proc/pressure/$2"; }
totals() { sed 's/ avg.*total=/ /'; }

# on a hybrid host a container can be in no cgroup of its own on cgroup2
unified=$(awk '$4 == "/" && / - cgroup2 / { print $5 }' /proc/self/mountinfo | tail -n 1)
if [ "$CG_MODE" = v1 ]; then
	container_start shared --quota 10000/100000 "${binds[@]}" || bail "a container starts" "$(cat "$LOG")"
	in_container shared timeout 1 sh -c 'while :; do :; done'
	for f in "${files[@]}"; do
		is "$(pressure shared "$f")" "$(sed 's/ .*/ avg10=0.00 avg60=0.00 avg300=0.00 total=0/' "/proc/pressure/$f")" \
			"$f: zeros where its cgroup2 is shared"
	done
	container_stop shared
	if [ -z "$unified" ]; then
		skip "its own pressure" "no cgroup2"
		finish
	fi
	CG_DIRS+=("$unified")
fi

container_start busy --quota 10000/100000 "${binds[@]}" || bail "a container starts" "$(cat "$LOG")"
container_start idle "${binds[@]}" || bail "a container starts" "$(cat "$LOG")"
in_container busy timeout 2 sh -c 'while :; do :; done & while :; do :; done'
own() { cat "$unified/$CG_NAME/$1/$2.pressure"; }
for f in "${files[@]}"; do
	[ -e "$unified/$CG_NAME/busy/$f.pressure" ] || { skip "$f: its own" "cgroups have none" && continue; }
	same() { # up to cache_ms later
		SHOWN=$(pressure "$1" "$2")
		[ "$(totals <<<"$SHOWN")" = "$(own "$1" "$2" | totals)" ]
	}
	for c in busy idle; do
		check "$f: it is the cgroup's own ($c)" wait_for "$PATIENCE" same $c "$f"
		is "$(cut -d = -f 1 <<<"$SHOWN")" "$(cut -d = -f 1 "/proc/pressure/$f")" "$f: the kernel's lines ($c)"
	done
done
total() { pressure "$1" cpu | sed -n 's/^some .*total=//p'; }
check "who waits for a CPU has waited longer than who does not" test "$(total busy)" -gt "$(total idle)"
check "for a good part of two seconds" test "$(total busy)" -gt 300000

# counting can be switched off for one cgroup
if [ -e "$unified/$CG_NAME/busy/cgroup.pressure" ]; then
	zero() { [ "$(pressure busy cpu | grep -c ' avg10=0.00 avg60=0.00 avg300=0.00 total=0$')" = "$(wc -l </proc/pressure/cpu)" ]; }
	echo 0 >"$unified/$CG_NAME/busy/cgroup.pressure"
	check "switched off for its cgroup: zeros" wait_for "$PATIENCE" zero
else
	skip "switched off for its cgroup: zeros" "this kernel cannot"
fi
finish
