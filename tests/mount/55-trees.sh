#!/bin/bash
# SPDX-License-Identifier: MIT
# A directory whose entries depend on who looks: two containers, one mount.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
cpus=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
a=${cpus%%[,-]*} b=${cpus##*[,-]}
[ "$a" != "$b" ] || skip_all "needs two CPUs"
SYS=/sys/devices/system/cpu
NODE=/sys/devices/system/node
names=$(find $SYS -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')

daemon one
must_start
T0=$MNT$SYS
mount=$(mount_line)
nodes=()
[ ! -d $NODE ] || nodes=(--bind "$MNT$NODE:$NODE")
for name in one two; do
	list=$a
	[ $name = one ] || list=$b
	container_start $name --mem 64M --cpus "$list" --bind "$T0:$SYS" \
		--bind "$T0/online:/proc/uptime" ${nodes[@]+"${nodes[@]}"} ||
		bail "container $name starts" "$(cat "$LOG")"
done
numbers() { in_container "$1" sh -c "cd $SYS && ls -d cpu[0-9]*" | tr '\n' ' '; }
sees() { # CONTAINER CPU OTHER WHEN
	is "$(in_container "$1" cat $SYS/online)" "$2" "$4: $1: online is $2"
	is "$(in_container "$1" cat /proc/uptime)" "$2" "$4: $1: so is the file that is bound alone"
	is "$(numbers "$1")" "cpu$2 " "$4: $1: one directory"
	is "$(in_container "$1" cat "$SYS/cpu$2/topology/thread_siblings_list")" "$2" "$4: $1: its own topology"
	check_not "$4: $1: not the other's directory" in_container "$1" stat "$SYS/cpu$3"
	check_not "$4: $1: nor what is in it" in_container "$1" cat "$SYS/cpu$3/topology/core_id"
	is "$(mount_line)" "$mount" "$4: the mount is as it was"
}
both_see() {
	sees one "$a" "$b" "$1"
	sees two "$b" "$a" "$1"
}
both_see "at first"

# the kernel keeps no name: both walk the same directory at the same time
cat >"$T/walk" <<'SH'
i=0
while [ $i -lt 300 ]; do
	[ -e "/sys/devices/system/cpu/cpu$1/topology/core_id" ] || echo "cpu$1 is gone"
	[ ! -e "/sys/devices/system/cpu/cpu$2" ] || echo "cpu$2 is there"
	i=$((i + 1))
done
SH
in_container one bash "$T/walk" "$a" "$b" >"$T/one.walk" 2>&1 &
walk=$!
in_container two bash "$T/walk" "$b" "$a" >"$T/two.walk" 2>&1
wait $walk
is "$(cat "$T/one.walk" "$T/two.walk")" "" "600 walks at the same time: never the other's"

# an id of the other's: a descriptor that came from outside
in_container one sh -c 'cd "/proc/self/fd/9" 2>/dev/null && ls' 9<"$T0" >"$T/by.fd" 2>&1
check "a descriptor of the directory shows the reader's own" grep -qx "cpu$a" "$T/by.fd"
check_not "and nothing else" grep -qx "cpu$b" "$T/by.fd"

# what one mounts in the directory, and where he stands, is not undone by the other's walk
in_container one mount -t tmpfs -o size=4k none "$SYS/cpu$a/topology" || diag "cannot mount in the container"
in_container one sh -c "cd $SYS/cpu$a && : >$T/stands && while [ ! -e $T/walked ]; do sleep 0.1; done; pwd -P; ls -d uevent" >"$T/stands.out" 2>&1 &
stands=$!
wait_for "$PATIENCE" test -e "$T/stands"
check_not "the other walks there" in_container two stat "$SYS/cpu$a/topology/core_id"
check_not "and looks" in_container two sh -c "[ -e $SYS/cpu$a ] || ls -d $SYS/cpu$a || cd $SYS/cpu$a"
: >"$T/walked"
wait $stands
is "$(in_container one stat -f -c %T "$SYS/cpu$a/topology")" tmpfs "a mount of one's own stays"
like "$(cat "$T/stands.out")" "^$SYS/cpu$a"$'\n' "a working directory keeps its name"
in_container one umount "$SYS/cpu$a/topology"

# what programs make of it
is "$(in_container one getconf _NPROCESSORS_ONLN)" 1 "getconf: one CPU is online"
is "$(in_container one getconf _NPROCESSORS_CONF)" "$(getconf _NPROCESSORS_CONF)" "getconf: the host's are possible"
like "$(in_container one lscpu)" "On-line CPU\(s\) list: +$a"$'\n' "lscpu: one CPU is online"
is "$(in_container one lscpu -J 2>&1 >/dev/null)" "" "lscpu -J complains about nothing"
like "$(in_container one lscpu -J)" '"Thread\(s\) per core:"' "lscpu -J finds the topology"
for f in offline possible present kernel_max uevent; do
	check "$f can be read" in_container one cat $SYS/$f
done
is "$(in_container one cat $SYS/possible)" "$(cat $SYS/possible)" "possible is the host's"

# NUMA nodes
if [ ${#nodes[@]} = 0 ]; then
	skip "NUMA nodes" "this kernel has none"
else
	is "$(in_container one sh -c "ls -d $NODE/node*/cpu[0-9]*")" "$(echo $NODE/node*/"cpu$a")" "nodes: its own CPU"
	is "$(in_container two sh -c "ls -d $NODE/node*/cpu[0-9]*")" "$(echo $NODE/node*/"cpu$b")" "nodes: the other has another"
	is "$(in_container one sh -c "cat $NODE/node*/cpulist" | tr -d '\n')" "$a" "nodes: the list says the same"
	like "$(in_container one cat $NODE/node0/meminfo)" 'Node 0 MemTotal: +65536 kB' "nodes: memory is at most the limit"
	is "$(in_container one lscpu | awk '/^NUMA node\(s\)/ { print $3 }')" "$(lscpu | awk '/^NUMA node\(s\)/ { print $3 }')" "lscpu: the nodes"
fi

# listings and texts in pieces
cat >"$D/pieces.py" <<'PY'
import ctypes, os, sys
root = sys.argv[1]
def say(good, what):
    print(("good " if good else "bad ") + what)
libc = ctypes.CDLL(None, use_errno=True)
def names(path, size):
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    buf = ctypes.create_string_buffer(size)
    found = []
    while True:
        n = libc.syscall(217 if os.uname().machine == "x86_64" else 61, fd, buf, size)
        if n <= 0:
            break
        at = 0
        while at < n:
            length = int.from_bytes(buf.raw[at + 16:at + 18], "little")
            found.append(buf.raw[at + 19:at + length].split(b"\0")[0].decode())
            at += length
    os.close(fd)
    return n, found
for where in ("", "/vulnerabilities", "/" + sys.argv[2] + "/topology"):
    n, whole = names(root + where, 65536)
    say(n == 0 and len(whole) == len(set(whole)) and {".", ".."} <= set(whole), f"'{where}': each name once, with . and ..")
    for size in (64, 100, 300):
        say(names(root + where, size) == (0, whole), f"'{where}': {size} bytes at a time are the same names")
    for name in whole:
        path = root + where + "/" + name
        st = os.lstat(path)
        if not os.path.isfile(path):
            continue
        fd = os.open(path, os.O_RDONLY)
        text = os.pread(fd, 65536, 0)
        if not all(os.pread(fd, 3, at) == text[at:at + 3] for at in range(1, len(text) + 3)) or st.st_size != 4096 or st.st_mode & 0o222:
            say(False, f"{path}: any offset, its size, no write bit")
        os.close(fd)
d = os.open(root, os.O_RDONLY)
first = os.listdir(d)
os.lseek(d, 0, os.SEEK_SET)
say(first == os.listdir(d), "rewound: the same again")
os.close(d)
PY
while read -r verdict what; do
	is "$verdict" good "$what"
done < <(in_container one /usr/bin/python3 - "$SYS" "cpu$a" <"$D/pieces.py" 2>&1)
is "$(in_container one stat -c '%F %a %s' "$SYS/cpu$a/topology/core_id")" "regular file 444 4096" "a file's type, mode and size"
is "$(in_container one readlink "$SYS/cpu$a/subsystem")" "../../../../bus/cpu" "a link leads where the host's does"
check_not "a file is no link" in_container one readlink $SYS/online
check "nobody can list as well" setpriv --reuid 65534 --regid 65534 --clear-groups ls -l "$T0/cpu$a/topology"
check_not "invented names are not there" stat "$T0/cpu99999"
check_not "nor climbing ones" stat "$T0/cpu$a/topology/passwd"

# nothing can be changed
while IFS='=' read -r operation result; do
	case $operation-$result in
	setxattr-EOPNOTSUPP | removexattr-EOPNOTSUPP) result=EROFS ;;
	esac
	is "$result" EROFS "in a tree: $operation"
done < <("$TOOLS/fsops" "$MNT" "${SYS#/}/cpu$a" "${SYS#/}/cpu$a/topology/core_id")

# across workers: a directory that is somebody's cwd, a file that is open
cat >"$T/hold" <<'SH'
cd "/sys/devices/system/cpu/cpu$1/topology" && exec 3<core_id 4<"/sys/devices/system/cpu" || exit 1
: >"$2/held"
while [ ! -e "$2/go" ]; do sleep 0.1; done
read -r id <&3 && echo "id $id" && ls -d core_id thread_siblings_list && cat thread_siblings_list
ls /proc/self/fd/4 | grep -c '^cpu[0-9]'
SH
hold() {
	rm -f "$T/held" "$T/go"
	in_container one bash "$T/hold" "$a" "$T" >"$T/hold.out" 2>&1 &
	holder=$!
	wait_for "$PATIENCE" test -e "$T/held" || diag "$(cat "$T/hold.out")"
}
held_still() { # WHEN DIRECTORIES
	: >"$T/go"
	wait $holder
	is "$(tail -n +2 "$T/hold.out" | tr '\n' ' ')" "core_id thread_siblings_list $a $2 " "$1: a cwd and an open directory go on"
	like "$(head -n 1 "$T/hold.out")" '^id [0-9]+$' "$1: so does an open file"
}
hold
reload_and_wait
is "$RELOAD" ok "a reload"
held_still "a reload" 1
both_see "after a reload"
hold
worker=$(worker_pid)
kill -KILL "$worker"
check "another worker comes" wait_for "$PATIENCE" other_worker "$worker"
held_still "kill -9" 1
both_see "after kill -9"

# switched off and gone: the host's, through the same ids
host_view() { # WHEN
	is "$(in_container one cat $SYS/online)" "$(cat $SYS/online)" "$1: online is the host's"
	is "$(in_container one cat /proc/uptime)" "$(cat $SYS/online)" "$1: so is the file that is bound alone"
	is "$(in_container one ls $SYS | sort | tr '\n' ' ')" "$names" "$1: the host's names"
	is "$(in_container one cat "$SYS/cpu$b/topology/core_id")" "$(cat "$SYS/cpu$b/topology/core_id")" "$1: the other CPU as well"
	is "$(in_container one cat "$SYS/cpu$a/topology/core_siblings_list")" "$(cat "$SYS/cpu$a/topology/core_siblings_list")" "$1: nothing is cut"
	check "$1: others may look as well" setpriv --reuid 65534 --regid 65534 --clear-groups cat "$T0/cpu$a/topology/core_id"
	is "$(stat -c %a "$T0/uevent")" 444 "$1: nothing can be written"
	check_not "$1: not listed" sh -c "ls '$MNT/sys/devices/system' | grep -qx cpu"
	is "$(mount_line)" "$mount" "$1: the mount is as it was"
}
cp "$INI" "$D/whole.ini"
hold
sed -i '/^\[plugin syscpu\]/a enabled = no' "$INI"
reload_and_wait
is "$RELOAD" ok "enabled = no"
held_still "enabled = no" "$(grep -o 'cpu[0-9][0-9]*' <<<"$names" | wc -l)"
host_view "enabled = no"
sed -i '/^\[plugin syscpu\]/d; /^enabled/d' "$INI"
reload_and_wait
is "$RELOAD" ok "the section is gone"
host_view "no section"
cp "$D/whole.ini" "$INI"
reload_and_wait
is "$RELOAD" ok "the section is back"
both_see "back"
kill -USR2 "$DPID"
wait_for "$PATIENCE" sh -c "[ \"\$(cat '$T0/online')\" = \"$(cat $SYS/online)\" ]"
is "$(in_container one ls -d "$SYS/cpu$b")" "$SYS/cpu$b" "SIGUSR2: the host's"
kill -USR2 "$DPID"
wait_for "$PATIENCE" not in_container one stat "$SYS/cpu$b"
both_see "SIGUSR2 again"
finish
