#!/bin/bash
# SPDX-License-Identifier: MIT
# A container with very many processes: its lists have each of them once, in its numbers.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cgview.sh"

long_in_vm
daemon one
must_start
for c in x_1 x_10; do container_start $c --bind "$MNT/cgroup:/mnt" || bail "the container $c starts"; done
many=10000
# emulated, and before Linux 6.11 it is procfs that is asked for each
[ -z "$VM" ] || many=1000
(inside x_1 "$TOOLS/crowd" $many "$T/ready"; :) 2>"$T/crowd" & # which says that it was killed
crowd=$!
check "$many processes" wait_for $((PATIENCE * 3)) is_there "$T/ready"
[ ! -s "$T/crowd" ] || diag "$(cat "$T/crowd")"
sleepers x_10 1 || bail "a process of the neighbour"
sleep 1000000 &
stranger=$!
check "the neighbour's and the host's are in its cgroup" \
	eval "cg_join x_1 ${HOST_PIDS[0]} && cg_join x_1 $stranger && cg_join x_1 ${C_PID[x_10]}"
there=$(wc -l <"$M/x_1/cgroup.procs")
check "there are $there in the kernel's list" test "$there" -ge $((many + 5))

lists() { # NAME FILE: tools/pidlist.py
	inside "$1" /usr/bin/python3 - check "$AT/$2" <"$(dirname "$VIEW")/pidlist.py" 2>&1
}
# with its init, who made them, and who reads
is "$(lists x_1 cgroup.procs)" "$((many + 3)) processes" "cgroup.procs: each once, in its numbers"
case $CG_MODE in
v1) is "$(lists x_1 tasks)" "$((many + 3)) processes" "tasks: the same" ;;
v2) is "$(lists x_1 cgroup.threads)" "$((many + 3)) processes" "cgroup.threads: the same" ;;
esac
is "$(inside x_1 setpriv --reuid 65534 --regid 65534 --clear-groups cat "$AT/cgroup.procs" | wc -l)" $((many + 3)) "also for who may not see the others' /proc"
check "the neighbour's go back" eval "cg_join x_10 ${HOST_PIDS[0]} && cg_join x_10 ${C_PID[x_10]}"
is "$(lists x_10 cgroup.procs)" "3 processes" "the neighbour has its own"
kill $stranger
wait $stranger 2>/dev/null
container_stop x_1
wait $crowd
finish
