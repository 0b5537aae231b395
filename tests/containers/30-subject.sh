#!/bin/bash
# SPDX-License-Identifier: MIT
# Whoever reads in a container gets the container's view: threads, processes that
# joined it, containers within.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
sees() { # KB WHAT CMD...: what the command prints
	local kb=$1 what=$2
	shift 2
	is "$("$@" 2>&1 | mem_total)" "$kb" "$what"
}
joined() { # CGROUP CMD...: in that cgroup, in the namespaces of the box
	(
		cg_join "$1" || exit 99
		shift
		exec nsenter -t "${C_PID[box]}" -m -p -u -i -- "$@"
	)
}

for identity in auto nspid; do
	daemon $identity
	ini "identity = $identity"
	must_start
	id="identity = $identity"
	# its init is in a cgroup of its own below the container's, as systemd has it
	container_start box --mem 256M --cgroup init || bail "a container starts" "$(cat "$LOG")"
	sees 262144 "$id: a process" in_container box cat /proc/meminfo
	sees 262144 "$id: a thread" in_container box "$TOOLS/threadcat" /proc/meminfo
	sees 262144 "$id: a thread whose leader has ended" in_container box "$TOOLS/threadcat" --leader-gone /proc/meminfo
	sees 262144 "$id: another user" in_container box setpriv --reuid 65534 --regid 65534 --clear-groups cat /proc/meminfo
	is "$(in_container box bash -c 'while read -r k v _; do [ "$k" != MemTotal: ] || echo "$v"; done </proc/meminfo')" 262144 \
		"$id: a shell that reads byte by byte"

	# joined by nsenter, in a cgroup below the container's with a limit of its own
	cg_make box/exec
	cg_set box/exec mem 64M
	sees 262144 "$id: a process joined by nsenter, further down" joined box/exec cat /proc/meminfo
	# pods that share a process namespace: each its own
	cg_make pod
	cg_set pod mem 32M
	sees 32768 "$id: one from another cgroup in the same pid namespace" joined pod cat /proc/meminfo
	sees 262144 "$id: the first one still" in_container box cat /proc/meminfo

	# a container in the container
	cg_make box/nested
	cg_set box/nested mem 64M
	nested() { # CGROUP
		joined "$1" "$TOOLS/box" --bind "$MNT/proc/meminfo:/proc/meminfo" -- cat /proc/meminfo
	}
	sees 65536 "$id: a nested one, tighter" nested box/nested
	cg_set box/nested mem 512M
	looser() { [ "$(nested box/nested | mem_total)" = 262144 ]; }
	wait_for "$PATIENCE" looser
	sees 262144 "$id: a nested one, looser than what it is in" nested box/nested
	sees 262144 "$id: the outer one still" in_container box cat /proc/meminfo

	# a reader that is not in a container at all: what its own cgroup says
	cg_make host
	cg_set host mem 48M
	outside() { (cg_join host && exec cat "$MNT/proc/meminfo"); }
	sees 49152 "$id: a reader in the host's pid namespace, by its own cgroup" outside
	container_stop box
	stop_daemon
	is "$STOP_STATUS" 0 "$id: ends with 0"
	cg_remove_once
done

# subject = caller and init
for subject in caller init; do
	daemon $subject
	ini "subject = $subject"
	must_start
	container_start box --mem 256M --cgroup init || bail "a container starts" "$(cat "$LOG")"
	cg_make box/exec
	cg_set box/exec mem 64M
	if [ $subject = caller ]; then wanted=65536; else wanted=262144; fi
	sees $wanted "subject = $subject: one joined by nsenter, further down" joined box/exec cat /proc/meminfo
	container_stop box
	stop_daemon
	cg_remove_once
done
finish
