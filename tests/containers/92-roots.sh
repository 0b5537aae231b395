#!/bin/bash
# SPDX-License-Identifier: MIT
# /containers/ID: all files for one container, whoever reads them, on a mount of its own.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

long_in_vm
[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
M=${CG_DIR[memory]}/$CG_NAME
number_of() { stat -c %i "$M/$1"; }
get() { timeout 10 cat "$1" 2>&1; }
total() { get "$1" | mem_total; }

daemon one
ini
must_start
check_not "without container_roots there is no such directory" stat "$MNT/containers"
sed -i 's/^\[lxcfsd\]/&\ncontainer_roots = yes/' "$INI"
reload_and_wait
is "$RELOAD" ok "container_roots = yes"
check "it is a mount of its own" wait_for "$PATIENCE" mount_line "$MNT/containers"
MOUNT=$(mount_line)

for name in a b; do cg_make $name || bail "a cgroup"; done
A=$(number_of a) B=$(number_of b) R=$MNT/containers
container_start a --mem 128M --cpus 0 --bind "$R/$A:/mnt" --bind "$R/$A/proc/meminfo:/proc/meminfo" || bail "a container starts"
container_start b --mem 64M --bind "$R/$A/proc:/mnt" --bind "$MNT/proc/meminfo:/proc/meminfo" || bail "another starts"

is "$(in_container a cat /proc/meminfo | mem_total)" 131072 "a container sees itself"
is "$(in_container a cat /mnt/sys/devices/system/cpu/online)" 0 "in trees as well"
is "$(total "$R/$A/proc/meminfo") $(total "$R/$B/proc/meminfo")" "131072 65536" "and root on the host sees each"
is "$(in_container b cat /proc/meminfo | mem_total) $(in_container b cat /mnt/meminfo | mem_total)" "65536 131072" "who has another's bound sees the other's"
names() { find "$1" -mindepth 1 -maxdepth 1 ! -name containers -printf '%f\n' | sort -n; }
is "$(names "$R/$A")" "$(names "$MNT")" "all that there is for everybody is there"
is "$(ls "$R/$A/proc")" "$(ls "$MNT/proc")" "with the same names"
is "$(stat -c '%a %F' "$R/$A/proc/meminfo" "$R/$A/proc/slabinfo" "$R/$A/sys/devices/system/cpu")" \
	"$(stat -c '%a %F' "$MNT/proc/meminfo" "$MNT/proc/slabinfo" "$MNT/sys/devices/system/cpu")" "and modes"
is "$(names "$R" | grep -xE "$A|$B")" "$(printf '%s\n' "$A" "$B" | sort -n)" "root can list those that are in use"

as_nobody() { setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 2>/dev/null; }
check_not "nobody else can" as_nobody ls "$R"
check_not "or look into one" as_nobody cat "$R/$A/proc/meminfo"
check "what is bound into a container is for all in there" in_container a setpriv --reuid 65534 --regid 65534 --clear-groups grep -q MemTotal /proc/meminfo
for name in "0$A" "+$A" "$A " "$A.0" 18446744073709551616 -1 0 x ... "$A/containers" "$A/containers/$B" "$A/$B"; do
	check_not "there is no '$name'" stat "$R/$name"
done
is "$(in_container a sh -c 'cd /mnt/proc && ls -d ../../../mnt/proc; ls ../.. | grep -c "^[0-9]*$"')" "$(printf '../../../mnt/proc\n0')" "nothing leads out of it"
for what in "mkdir $R/1" "rmdir $R/$A" "mv $R/$A $R/x" "touch $R/$A/proc/x" "rm $R/$A/proc/meminfo"; do
	# shellcheck disable=SC2086 # words
	check_not "nothing can be changed: ${what//$R/ROOTS}" $what 2>/dev/null
done

# ------------------------------------------------- whatever happens to the daemon

cat >"$T/hold.py" <<'PY'
import os, sys, time
os.chdir("/mnt/sys/devices/system/cpu")
f = os.open("/mnt/proc/meminfo", os.O_RDONLY)
text = os.read(f, 100)
open(sys.argv[1] + ".begun", "w").close()
while not os.path.exists(sys.argv[1] + ".go"):
    time.sleep(0.02)
while True:
    more = os.read(f, 100)
    if not more:
        break
    text += more
print(text.decode().split()[1], open("online").read().strip(), os.stat("/mnt/proc").st_mode & 0o777 == 0o555, text.endswith(b"kB\n"))
PY
held() { # WHAT CMD...: over it a text that was half read, and a directory
	local what=$1
	shift
	rm -f "$D/hold".*
	in_container a /usr/bin/python3 "$T/hold.py" "$D/hold" >"$D/held" 2>&1 &
	local p=$!
	wait_for "$PATIENCE" is_there "$D/hold.begun"
	"$@"
	: >"$D/hold.go"
	wait $p
	is "$(cat "$D/held")" "131072 0 True True" "$what: an open file and a working directory go on"
	is "$(in_container a cat /proc/meminfo | mem_total) $(total "$R/$B/proc/meminfo")" "131072 65536" "$what: the same is seen"
}
kill_worker() { local w; w=$(worker_pid) && kill -KILL "$w" && wait_for "$PATIENCE" other_worker "$w"; }
start_load
held "kill -9" kill_worker
held "reload" reload_and_wait
reexec_and_wait() { # another program, which reloads
	local before
	before=$(reload_count)
	kill -HUP "$DPID" && wait_for "$PATIENCE" reload_ended "${before:-0}"
}
held "SIGHUP" reexec_and_wait
sed -i 's/^container_roots = yes/container_roots = no/' "$INI"
held "container_roots = no" reload_and_wait
sed -i 's/^container_roots = no/container_roots = yes/' "$INI"
reload_and_wait
undisturbed "kill, reload and SIGHUP with roots"

umount -l "$R"
check "unmounted, it is put back" wait_for "$PATIENCE" mount_line "$R"
is "$(total "$R/$B/proc/meminfo")" 65536 "and there"
need_fusectl
device=$(mount_line "$R" | awk '{ print $3 }')
echo 1 >"$FUSECTL/${device#*:}/abort"
sees() { [ "$(in_container a cat /proc/meminfo 2>/dev/null | mem_total)" = 131072 ]; }
check "its connection is ended: the container gets its files back" wait_for "$PATIENCE" sees
is "$(in_container a cat /mnt/sys/devices/system/cpu/online 2>&1)" 0 "and its directories"
is "$(mount_line)" "$MOUNT" "the other mount was not touched"

# ----------------------------------------------------------------- they come and go

exec 7<"$R/$B"
container_stop b
cg_remove_below() { find "$M/b" -depth -type d -exec rmdir {} \;; }
check "its cgroup is removed" wait_for "$PATIENCE" cg_remove_below
check "then it has no root any more" wait_for 5 not stat "$R/$B"
check_not "also not for who has it open" stat /proc/self/fd/7/proc
exec 7<&-
cg_make b
isnt "$(number_of b)" "$B" "another one of the same name has another number"
check "and a root" stat "$R/$(number_of b)/proc"
container_stop a
stop_daemon
is "$STOP_STATUS" 0 "it ends with 0"
finish
