#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that go by a file's size, or let the kernel copy: they have the whole text or
# an error, never an empty file, and nothing stays in a cache that others read.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

daemon one
must_start
cat >"$T/copy.py" <<'PY'
import errno, mmap, os, sys
def say(good, text):
    print(("ok" if good else "not ok") + " " + text)
for path in sys.argv[1:]:
    name = "/".join(path.split("/")[-2:])
    fd = os.open(path, os.O_RDONLY)
    whole = os.read(fd, 1 << 20)
    size = os.fstat(fd).st_size
    say(0 < len(whole) <= size, f"{name}: its size is no less than its text")
    out = os.memfd_create("copy")
    for what, copy in (("sendfile", lambda: os.sendfile(out, fd, 0, 1 << 20)),
                       ("splice", lambda: os.splice(fd, pipe[1], 65536, 0))):
        pipe = os.pipe()
        try:
            n = copy()
        except OSError as e:
            say(e.errno == errno.EINVAL, f"{name}: {what} leaves it to read ({e.strerror})")
        else:
            say(n > 0, f"{name}: {what} gives the text")
        for p in pipe:
            os.close(p)
    try:
        mmap.mmap(fd, 0, mmap.MAP_SHARED, mmap.PROT_READ)
        say(False, f"{name}: cannot be mapped")
    except OSError as e:
        say(e.errno == errno.ENODEV, f"{name}: cannot be mapped ({e.strerror})")
PY
while read -r verdict text; do
	if [ "$verdict" = ok ]; then ok "$text"; else not_ok "$text"; fi
done < <(python3 "$T/copy.py" "$MNT"/proc/{meminfo,cpuinfo,stat,uptime,loadavg,swaps} "$MNT/sys/devices/system/cpu/online" 2>&1 |
	sed -E '/^(not )?ok /!s/^/not ok /; s/^not ok /not_ok /')

same() { # FILE CMD...: prints what reading it does
	local f=$1
	shift
	is "$("$@" | wc -l)" "$(wc -l <"$f")" "$*: the whole file"
}
f=$MNT/proc/meminfo
same "$f" cat "$f"
same "$f" tail -n +1 "$f"
same "$f" head -c 1000000 "$f"
same "$f" dd status=none "if=$f"
cp "$f" "$T/copy" && same "$f" cat "$T/copy"
is "$(wc -c <"$f")" "$(dd status=none "if=$f" bs=1 | wc -c)" "wc -c counts what is there"
is "$(tail -c 4 "$f")" "$(dd status=none "if=$f" bs=1 | tail -c 4)" "tail -c finds the end"
if command -v busybox >/dev/null; then
	same "$f" busybox cat "$f"
	busybox cp "$f" "$T/copy" && same "$f" cat "$T/copy"
	is "$(busybox wc -c <"$f")" "$(dd status=none "if=$f" bs=1 | wc -c)" "busybox wc -c"
	same "$MNT/sys/devices/system/cpu/online" busybox cat "$MNT/sys/devices/system/cpu/online"
else
	skip "busybox cat" "busybox is not installed (package busybox-static)"
fi

# what one container has the kernel copy is not what the next one gets
if [ -n "$CG_MODE" ] && command -v busybox >/dev/null; then
	for mb in 20 30 40; do
		is "$(container c$mb --mem ${mb}M -- busybox cat /proc/meminfo | mem_total)" $((mb * 1024)) "busybox cat in a container of $mb MiB"
	done
fi
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
