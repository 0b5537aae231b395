#!/bin/bash
# SPDX-License-Identifier: MIT
# write = delegated while cgroups change names: what is written goes to the cgroup that was
# opened, whatever has its name by then.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cgview.sh"

long_in_vm_6_1
daemon one
ini 'container_roots = yes'
sed -i 's/^\[plugin cgroup\]$/&\nwrite = delegated/' "$INI"
must_start
wait_for "$PATIENCE" mount_line "$MNT/containers" || bail "the roots are mounted"
cg_make x_1 || bail "a cgroup"
container_start x_1 --bind "$MNT/containers/$(stat -c %i "$M/x_1")/cgroup:/mnt" || bail "a container starts"
BASE=$((64 << 20))
check "it has cgroups, each with a number of its own" /usr/bin/python3 "$RACE" make "$M/x_1" "$NUMBER" $BASE
seconds=5 rest=0
[ -z "$VM" ] || { seconds=20 && rest=30; } # emulated
[ -z "${LXCFSD_TEST_LONG:-}" ] || seconds=60
case $CG_MODE in
v1) turn=swap ;;
v2) turn=remove ;; # the kernel renames none
esac
/usr/bin/python3 "$RACE" "$turn" "$M/x_1" "$NUMBER" $BASE "$T/end" $rest >"$T/turns" 2>&1 &
turns=$!
/usr/bin/python3 "$RACE" watch "$M/x_1" "$NUMBER" $BASE "$T/enough" >"$T/watch" 2>&1 &
watch=$!
inside x_1 /usr/bin/python3 - write "$AT" "$NUMBER" $BASE $seconds <"$RACE" >"$T/write" 2>&1
is "$?" 0 "what is open is written, or it is gone"
diag "$(cat "$T/write")"
: >"$T/enough"
wait $watch
is "$?" 0 "nothing is written to another one"
diag "$(cat "$T/watch")"
: >"$T/end"
wait $turns
is "$?" 0 "they were renamed or removed and made anew meanwhile"
diag "$(cat "$T/turns")"
finish
