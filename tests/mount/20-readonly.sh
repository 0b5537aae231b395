#!/bin/bash
# SPDX-License-Identifier: MIT
# Nothing can be changed, and what is for root alone is for root alone.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

daemon one
ini
printf '\n[plugin sample_secret]\nmodule = %s\n' "$SAMPLES/sample_secret.so" >>"$INI"
must_start

try() { # WHEN: each operation has to end with EROFS
	local operation result
	while IFS='=' read -r operation result; do
		case $operation-$result in
		# the kernel asks for no more than this when there is no handler
		setxattr-EOPNOTSUPP | removexattr-EOPNOTSUPP) result=EROFS ;;
		esac
		is "$result" EROFS "$1: $operation"
	done < <("$TOOLS/fsops" "$MNT" proc proc/uptime)
}
# access(2), also of what is in a tree
for f in proc/uptime sys/devices/system/cpu/online; do
	check "access: $f may be read" test -r "$MNT/$f"
	check_not "access: $f may not be written" test -w "$MNT/$f"
	check_not "access: $f may not be run" test -x "$MNT/$f"
done
try "read-only"
check "root can make the superblock writable" mount -i -o remount,rw "$MNT"
like "$(mount_line | sed 's/.* - [^ ]* [^ ]* //')" '^rw' "it is writable now"
try "writable"
check "still readable" grep -q . "$MNT/proc/uptime"

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@"; }
is "$(cat "$MNT/proc/lxcfsd_secret")" secret "a 0400 file: root reads it"
is "$(stat -c %a "$MNT/proc/lxcfsd_secret")" 400 "a 0400 file: its mode"
check "a 0444 file: uid 65534 reads it" as_nobody grep -q . "$MNT/proc/uptime"
check_not "a 0400 file: uid 65534 does not" as_nobody cat "$MNT/proc/lxcfsd_secret"
check "uid 65534 can list" as_nobody ls "$MNT/proc"
finish
