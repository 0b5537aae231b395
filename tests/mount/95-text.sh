#!/bin/bash
# SPDX-License-Identifier: MIT
# Text files: what they show is what stood on disk when the configuration was taken.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

daemon one
ini
cat >>"$INI" <<END

[plugin fixed]
module = text.so
path = /proc/sys/kernel/lxcfsd_fixed
content = the same for all

[plugin copied]
module = text.so
path = /etc/lxcfsd/copied
mode = 0400
content_file = $D/content

[match a]
cgroup = /**/$CG_NAME/a
fixed.content = for a
END
echo 'of the first day' >"$D/content"
must_start
for name in a b; do
	container_start $name --mem 256M --bind "$MNT:/mnt" || bail "a container starts" "$(cat "$LOG")"
done

fixed() { in_container "$1" cat "/mnt/proc/sys/kernel/${2:-lxcfsd_fixed}"; }
copied() { in_container a timeout 10 cat /mnt/etc/lxcfsd/copied; }
reloaded() { # WHEN
	reload_and_wait
	is "$RELOAD" ok "$1: reloaded"
	[ "$RELOAD" = ok ] || diag "$REASONS"
}
crash() { # WHEN
	local w
	w=$(worker_pid)
	kill -KILL "$w"
	check "$1: another worker" wait_for "$PATIENCE" other_worker "$w"
}

is "$(fixed b)" 'the same for all' "a line"
is "$(fixed a)" 'for a' "another line by a match"
is "$(copied)" 'of the first day' "a copy of a file"
is "$(stat -c '%s %a %F' "$MNT/etc/lxcfsd/copied")" '65536 400 regular file' "its size and mode"
check_not "nobody writes it" sh -c "echo x >'$MNT/etc/lxcfsd/copied'"
echo 'of the second day' >"$D/content"
crash "a crash"
is "$(copied)" 'of the first day' "written anew: not seen yet, also after a crash"
reloaded "new content"
is "$(copied)" 'of the second day' "seen after the reload"

refused() { # WHAT REASON: the old view goes on
	reload_and_wait
	is "$RELOAD" failed "$1: refused"
	like "$REASONS" "$2" "$1: says why"
	is "$(copied)" 'of the second day' "$1: the old text is served"
}
head -c 65537 /dev/zero | tr '\0' x >"$D/content"
refused "too large" 'larger than 64 KiB'
rm "$D/content"
refused "gone" 'content: No such file'
for i in 1 2 3; do
	crash "crash $i with the file gone"
	is "$(copied)" 'of the second day' "crash $i with the file gone: the text is served"
done

# switched off, where the host has no such file, and where it has one
echo back >"$D/content"
sed -i '/^\[plugin copied\]/a enabled = no' "$INI"
reloaded "switched off"
check_not "switched off: no longer listed" sh -c "ls '$MNT/etc/lxcfsd' | grep -q copied"
check_not "switched off: an error, as the host has none" in_container a cat /mnt/etc/lxcfsd/copied
sed -i 's/lxcfsd_fixed/ostype/; s/^fixed\.content.*/fixed.enabled = no/' "$INI"
reloaded "over a file of the host"
is "$(fixed b ostype)" 'the same for all' "shown in its place"
is "$(fixed a ostype)" Linux "switched off for a: the host's"
check_not "at the old path: an error" fixed b
finish
