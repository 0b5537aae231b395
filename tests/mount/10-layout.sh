#!/bin/bash
# SPDX-License-Identifier: MIT
# What is there: the mount, the tree, attributes, offsets.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

daemon one
must_start

# the mount
line=$(mount_line)
like "$line" ' - fuse\.lxcfs ' "the type is fuse.lxcfs"
for o in ro nosuid nodev noexec; do
	like ",$(awk '{ print $6 }' <<<"$line")," ",$o," "mounted $o"
done
like ",${line##* }," ",ro,.*allow_other|allow_other.*,ro,|^,ro," "the superblock is read-only"
like "$line" allow_other "others may look"

# the tree
check "the root lists" ls -la "$MNT"
listing=" $(cd "$MNT/proc" && echo ./* ./.[!.]*) "
for p in "$BUILD"/plugins/{meminfo,swaps,vmstat,cpuinfo,uptime}.so; do
	p=${p##*/} p=${p%.so}
	like "$listing" " ./$p " "proc/$p is listed"
	f=$MNT/proc/$p
	is "$(stat -c '%s %a %u:%g %F' "$f")" "65536 $(stat -c '%a' "/proc/$p") 0:0 regular file" "proc/$p: size, mode, owner, type"
	check "proc/$p can be read" grep -q . "$f"
	is "$(tail -c 1 "$f" | od -An -c | tr -d ' ')" '\n' "proc/$p ends in a newline"
done
for d in "" /proc; do
	is "$(stat -c '%a %u:%g %F' "$MNT$d")" "555 0:0 directory" "$MNT$d: mode, owner, type"
done
check_not "what is not there is not there" stat "$MNT/proc/nonsense"
check_not "nor at the root" stat "$MNT/nonsense"
check_not "a file is no directory" stat "$MNT/proc/uptime/x"
check_not "nothing can be run" "$MNT/proc/uptime"
check "statfs works" stat -f "$MNT/proc/uptime"
for f in meminfo cpuinfo; do
	is "$(dd if="$MNT/proc/$f" bs=1M count=1 status=none | wc -l)" "$(wc -l <"$MNT/proc/$f")" "one large read gives all of $f"
done

# offsets
cat >"$D/offsets.py" <<'PY'
import os, sys, time
root = sys.argv[1]
def say(good, what):
    print(("good " if good else "bad ") + what)
for name in ("meminfo", "swaps", "vmstat", "cpuinfo", "uptime"):
    path = root + "/proc/" + name
    fd = os.open(path, os.O_RDONLY)
    whole = os.pread(fd, 1 << 20, 0)
    for step in (1, 7, 64, 4096):
        say(all(os.pread(fd, step, at) == whole[at:at + step] for at in range(step, len(whole), step)),
            f"{name}: {step} bytes at a time, at any offset, are those of the read at 0")
    say(all(os.pread(fd, 5, at) == whole[at:at + 5] for at in range(len(whole) - 1, 0, -13)),
        f"{name}: backwards as well")
    say(os.pread(fd, 10, len(whole)) == b"" and os.pread(fd, 10, 1 << 40) == b"", f"{name}: EOF past the end")
    os.close(fd)
    fd = os.open(path, os.O_RDONLY)
    parts = []
    while True:
        part = os.read(fd, 3)
        if not part:
            break
        parts.append(part)
    text = b"".join(parts)
    say(text.count(b"\n") == whole.count(b"\n") and text.endswith(b"\n"), f"{name}: 3 bytes at a time add up")
    say(os.read(fd, 3) == b"", f"{name}: EOF stays")
    os.close(fd)
    fd = os.open(path, os.O_RDONLY)
    say(len(os.pread(fd, 4, 2)) == 4, f"{name}: a first read in the middle gives something")
    os.close(fd)
fd = os.open(root + "/proc/uptime", os.O_RDONLY)
first = os.read(fd, 100)
end = time.monotonic() + 60
while time.monotonic() < end:
    os.lseek(fd, 0, os.SEEK_SET)
    again = os.read(fd, 100)
    if again.split()[0] != first.split()[0]:
        break
say(float(again.split()[0]) > float(first.split()[0]), "uptime: a seek to 0 gives fresh data")
PY
while read -r verdict what; do
	is "$verdict" good "$what"
done < <(/usr/bin/python3 "$D/offsets.py" "$MNT" 2>&1)

# whoever reads keeps his personality to himself
personalities() { cat "/proc/$(worker_pid)"/task/*/personality "/proc/$DPID/personality" | sort -u; }
for f in "$MNT"/proc/{cpuinfo,meminfo,uptime}; do
	check "${f##*/}: read by a 32-bit personality without randomised addresses" setarch linux32 -R -X grep -q . "$f"
done
is "$(personalities)" "$(cat /proc/self/personality)" "a reader's personality is not taken over"

stop_daemon
is "$STOP_STATUS" 0 "SIGTERM: exit status 0"
check_not "SIGTERM: unmounted" mount_line
check_not "SIGTERM: no pid file" test -e "$PIDFILE"
finish
