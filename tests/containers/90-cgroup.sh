#!/bin/bash
# SPDX-License-Identifier: MIT
# The cgroup view: a container sees its own cgroup and what is below it, as the kernel
# has it, and nothing else exists.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
VIEW=$(realpath "$(dirname "$0")/../tools/cgview.py") # on stdin: not everybody comes to where it is
daemon one
must_start
case $CG_MODE in
v2) AT=/mnt VALUE=memory.max ;;
v1) AT=/mnt/memory VALUE=memory.limit_in_bytes ;;
esac
BIND=$MNT/cgroup:/mnt
M=${CG_DIR[memory]}/$CG_NAME
MIB=$((1 << 20))

# Neighbours whose names are prefixes of one another; in the first what names can be.
container_start x_1 --mem $((64 * MIB)) --bind "$BIND" || bail "the first container starts"
container_start x_10 --mem $((128 * MIB)) --bind "$BIND" || bail "the second starts"
long=$(printf 'l%.0s' {1..255})
deep=$(printf '/d%.0s' {1..64})
mkdir -p "$M/x_1/a b" "$M/x_1/per%cent" "$M/x_1/back\\slash" "$M/x_1/$long" "$M/x_1/own" "$M/x_1$deep" "$M/x_10/other" "$M/x_10/stay"
inside() { in_container "$@"; } # as docker exec

# ------------------------------------------------------------------- what is seen

kernel_has() { (cd "$M/x_1" && find . -type d -exec sh -c 'for d; do printf "%s %s\n" "$d" "$(ls "$d" | wc -l)"; done' _ {} +) | LC_ALL=C sort; }
view_has() { inside x_1 sh -c "cd $AT && find . -type d -exec sh -c 'for d; do printf \"%s %s\\n\" \"\$d\" \"\$(ls \"\$d\" | wc -l)\"; done' _ {} +" | LC_ALL=C sort; }
is "$(view_has)" "$(kernel_has)" "all directories that there are, and as many names in each"
is "$(view_has | wc -l)" 70 "64 levels and names of all kinds"
is "$(inside x_1 cat "$AT/$VALUE")" $((64 * MIB)) "a limit"
is "$(inside x_10 cat "$AT/$VALUE")" $((128 * MIB)) "the neighbour's"
is "$(inside x_1 stat -c '%f %a %u %g' "$AT/own" "$AT/own/cgroup.procs")" \
	"$(stat -c '%f %a %u %g' "$M/x_1/own" "$M/x_1/own/cgroup.procs")" "kind, mode and owner are the kernel's"
chown 1234:5678 "$M/x_1/own/cgroup.procs"
chmod 600 "$M/x_1/own/cgroup.procs"
is "$(inside x_1 stat -c '%a %u %g' "$AT/own/cgroup.procs")" "600 1234 5678" "the owner has changed it"
is "$(inside x_1 setpriv --reuid 1234 --regid 1 --clear-groups cat "$AT/own/cgroup.procs" 2>&1)" "" "who owns it reads it"
check_not "others do not" inside x_1 setpriv --reuid 4321 --regid 1 --clear-groups cat "$AT/own/cgroup.procs" 2>/dev/null
if [ "$CG_MODE" = v1 ]; then
	is "$(inside x_1 ls /mnt | tr '\n' ' ')" "$(awk -F: -v own="/$CG_NAME/x_1" '$3 == own { sub("^name=", "", $2); print $2 }' "/proc/${C_PID[x_1]}/cgroup" | sort | tr '\n' ' ')" \
		"a directory for each hierarchy in which it has a place of its own"
fi

# tiny reads and seeks add up
cat >"$T/tiny" <<'PY'
import os, sys
f = os.open(sys.argv[1], os.O_RDONLY)
whole = os.read(f, 1 << 20)
os.lseek(f, 0, 0)
parts = b"".join(iter(lambda: os.read(f, 7), b""))
print(len(whole) > 100, all(len(l.split()) == 2 for l in parts.decode().splitlines()) and parts[-1:] == b"\n", os.pread(f, 10, 1 << 20) == b"", os.pread(f, 20, 30) == parts[30:50])
PY
is "$(inside x_1 /usr/bin/python3 "$T/tiny" "$AT/memory.stat")" "True True True True" "any size, any offset"

# ------------------------------------------------------------- what does not exist

# `..` of the root is the container's own directory
names=(x_10 "$CG_NAME" other "${M#/}" own/../other "own/../../${AT##*/}/other" '\x01' "own/$long$long" stay x_1 own/../x_10 ...)
refused() { # WHO CMD...: nothing is there and nothing can be done
	local who=$1 out
	shift
	out=$(inside x_1 "$@" /usr/bin/python3 - probe "$AT" "${names[@]}" <"$VIEW" 2>&1)
	is "$(grep -c = <<<"$out")" ${#names[@]} "$who: all names are tried"
	[ "$(grep -c = <<<"$out")" = ${#names[@]} ] || diag "$out"
	out=$(grep -oE '(lstat|open|listdir|readlink|statvfs|chdir|mkdir|rmdir|unlink|truncate|chmod|symlink)=[A-Z]+' <<<"$out" | sort | uniq -c)
	[ -n "$out" ] || not_ok "$who: something was tried" ''
	check_not "$who: nothing is let through" grep -q '=OK' <<<"$out"
	is "$(grep -oE '=[A-Z]+' <<<"$out" | grep -vE '=(ENOENT|EROFS|EPERM|EACCES|ENAMETOOLONG|EINVAL)$' | sort -u)" "" "$who: with the errors that are documented"
}
refused root
refused nobody setpriv --reuid 65534 --regid 65534 --clear-groups
refused 'a user namespace' unshare -U -r --
is "$(inside x_1 sh -c "cd $AT/own && ls -d ../own ../../mnt ../x_10 2>/dev/null | tr '\n' ' '")" \
	"$([ "$CG_MODE" = v1 ] && echo '../own ' || echo '../../mnt ../own ')" "from within: up to the root of the view and its place"
changes() { inside x_1 "$@" "$TOOLS/fsops" "$AT" own "own/cgroup.procs" 2>&1 | grep '=OK' | tr '\n' ' '; }
is "$(changes)" "" "root changes nothing"
inside x_1 mount -o remount,rw /mnt 2>/dev/null
inside x_1 mount -o remount,rw,bind /mnt 2>/dev/null
is "$(changes)" "" "nor after a remount"
is "$(changes unshare -U -r --)" "" "nor in a user namespace"

# CVE-2015-1342, CVE-2015-1344 and the escapes through a writable view
sleep 1000000 &
host_pid=$!
before=$(sort "$M/x_1/cgroup.procs")
for file in cgroup.procs tasks own/cgroup.procs release_agent notify_on_release devices.allow cgroup.subtree_control; do
	[ "$CG_MODE" = v2 ] || for d in memory devices; do
		check_not "$d/$file cannot be written" inside x_1 sh -c "echo 1 >/mnt/$d/$file" 2>/dev/null
	done
	check_not "$file cannot be written" inside x_1 sh -c "printf '1\n2\n$host_pid\n' >$AT/$file" 2>/dev/null
done
is "$(sort "$M/x_1/cgroup.procs")" "$before" "nobody was moved"

# -------------------------------------------------------------------------- pids

inside x_1 sh -c 'sleep 1000 & sleep 1000 & sleep 1000 & echo $! >/dev/null; exit 0' </dev/null >/dev/null 2>&1
for p in $(pgrep -P "${C_PID[x_1]}"); do cg_join x_1 "$p"; done
cg_join x_1 $host_pid
cg_join x_1 "${C_PID[x_10]}" # another container's
own_pids() { # those of the cgroup that are in the container's namespace, in its numbers
	local p
	while read -r p; do
		[ ! "/proc/$p/ns/pid" -ef "/proc/${C_PID[x_1]}/ns/pid" ] || awk '/^NSpid/ { print $NF }' "/proc/$p/status"
	done <"$M/x_1/cgroup.procs" | sort -n
}
shown() { # FILE: without who reads it
	inside x_1 sh -c 'echo $$; exec cat "$1"' sh "$1" | awk 'NR == 1 { self = $1; next } $1 == self { next } { print }' | sort -n
}
is "$(own_pids | wc -l)" 4 "four of its own processes are in its cgroup"
check "and others" test "$(wc -l <"$M/x_1/cgroup.procs")" -ge 6
is "$(shown "$AT/cgroup.procs")" "$(own_pids)" "its own are shown, in its numbers"
[ "$CG_MODE" = v2 ] || is "$(shown "$AT/tasks")" "$(own_pids)" "the threads as well"
[ "$CG_MODE" = v1 ] || is "$(shown "$AT/cgroup.threads")" "$(own_pids)" "the threads as well"
is "$(inside x_1 unshare -p -f sh -c "exec cat $AT/cgroup.procs")" 1 "in a namespace below only the reader"
cg_join x_10 "${C_PID[x_10]}"
kill $host_pid
wait $host_pid 2>/dev/null

# ------------------------------------------------------------- they come and go

# A number that each cgroup has, whatever controllers it has.
NUMBER=$VALUE
[ "$CG_MODE" = v1 ] || NUMBER=cgroup.max.descendants
find "$M/x_1" "$M/x_10" -mindepth 1 -depth -type d -exec rmdir {} \;
mark() { # PATH NUMBER
	mkdir -p "$M/$1" && echo "$2" >"$M/$1/$NUMBER"
}
for m in x_1:64 x_1/stay:65 x_10:128 x_10/stay:129; do mark "${m%:*}" $((${m#*:} * MIB)); done
come_and_go() { # NAME NUMBER FILE: until that is there
	while [ ! -e "$3" ]; do
		for i in 1 2 3; do
			mark "$1/go$i" "$2"
			mark "$1/go$i/go" "$2"
		done
		for i in 3 1 2; do rmdir "$M/$1/go$i/go" "$M/$1/go$i"; done
	done
} 2>/dev/null
walk() { # NAME LOW-MIB HIGH-MIB SECONDS
	inside "$1" /usr/bin/python3 - walk "$AT" "$NUMBER" $(($2 * MIB)) $(($3 * MIB)) "$4" "$T/ready.$1" <"$VIEW" >"$T/walk.$1" 2>&1
}
walk_both() { # SECONDS
	rm -f "$T/end" "$T"/ready.*
	come_and_go x_1 $((66 * MIB)) "$T/end" &
	GOING=($!)
	come_and_go x_10 $((130 * MIB)) "$T/end" &
	GOING+=($!)
	walk x_1 64 100 "$1" &
	WALKS=($!)
	walk x_10 128 200 "$1" &
	WALKS+=($!)
	wait_for "$PATIENCE" is_there "$T/ready.x_1" && wait_for "$PATIENCE" is_there "$T/ready.x_10"
}
walked() { # WHAT
	local w
	for w in "${WALKS[@]}"; do wait "$w"; done
	: >"$T/end"
	for w in "${GOING[@]}"; do wait "$w"; done
	is "$(grep -ohE '[0-9]+ complaints|complaint: .*|Traceback.*' "$T"/walk.* | tr '\n' ' ')" "0 complaints 0 complaints " "$1"
	diag "$(cat "$T"/walk.*)"
}
seconds=5
[ -z "${LXCFSD_TEST_LONG:-}" ] || seconds=60
walk_both $seconds
walked "two containers, the same names, $seconds s: neither notices the other"

# Whatever happens to the daemon meanwhile.
walk_both $seconds
for i in 1 2 3; do
	w=$(worker_pid) && kill -KILL "$w" && wait_for "$PATIENCE" other_worker "$w"
	sleep 0.5
	reload_and_wait
	is "$RELOAD" ok "reload $i"
done
walked "killed three times and reloaded, with files and directories held: nobody notices"

# -------------------------------------------------------------------- many of them

many=1000
[ -z "$VM" ] || [ -n "${LXCFSD_TEST_LONG:-}" ] || many=50 # an emulated machine needs minutes
for ((i = 0; i < many; i++)); do mkdir "$M/x_1/many$i"; done
find_all() { inside x_1 sh -c "i=0; while [ \$i -lt $1 ]; do find $AT >/dev/null || exit 1; i=\$((i + 1)); done"; }
worker_kb() { awk '/^VmRSS/ { r = $2 } /^RssShmem/ { s = $2 } END { print r - s }' "/proc/$(worker_pid)/status"; }
check "find over $many cgroups" find_all 2
before=$(worker_kb)
rounds=3
[ -z "${LXCFSD_TEST_LONG:-}" ] || rounds=100
check "find, $rounds times" find_all $rounds
after=$(worker_kb)
check "the worker has grown from $before to $after kB" test "$after" -le $((before + before / 10))
find "$M/x_1" -mindepth 1 -depth -type d -exec rmdir {} \;

# ----------------------------------------------------- cgroup v1's files on cgroup2

if [ "$CG_MODE" = v2 ]; then
	sed -i 's/^\[plugin cgroup\]$/&\nlayout = v1/' "$INI"
	reload_and_wait
	is "$RELOAD" ok "layout = v1"
	AT=/mnt/memory
	refused 'layout = v1, root'
	refused 'layout = v1, nobody' setpriv --reuid 65534 --regid 65534 --clear-groups
	refused 'layout = v1, a user namespace' unshare -U -r --
	cg_set x_1 quota 150000/100000
	cg_set x_1 cpus 0
	echo 50 >"$M/x_1/pids.max"
	echo 200 >"$M/x_1/cpu.weight"
	echo $((32 * MIB)) >"$M/x_1/memory.swap.max"
	v1() { inside x_1 cat "/mnt/$1"; }
	is "$(v1 memory/memory.limit_in_bytes)" $((64 * MIB)) "memory.limit_in_bytes"
	is "$(v1 memory/memory.memsw.limit_in_bytes)" $((96 * MIB)) "memory.memsw.limit_in_bytes"
	is "$(v1 cpu/cpu.cfs_quota_us) $(v1 cpu,cpuacct/cpu.cfs_period_us)" "150000 100000" "the CPU quota"
	is "$(v1 cpu/cpu.shares)" $((2 + 199 * 262142 / 9999)) "cpu.shares"
	is "$(v1 cpuset/cpuset.cpus)" 0 "cpuset.cpus"
	is "$(v1 cpuset/cpuset.mems)" "$(cat "$M/x_1/cpuset.mems.effective")" "cpuset.mems"
	is "$(v1 pids/pids.max)" 50 "pids.max"
	before=$(cat "$M/x_1/pids.current")
	now=$(v1 pids/pids.current) # with who reads it, and who has put that there
	check "pids.current ($before, then $now)" test "$now" -gt "$before" -a "$now" -le $((before + 3))
	is "$(shown /mnt/memory/tasks)" "$(own_pids)" "tasks"
	check "memory.usage_in_bytes" test "$(v1 memory/memory.usage_in_bytes)" -gt 0
	is "$(v1 memory/memory.stat | awk '$1 == "hierarchical_memory_limit" { print $2 }')" $((64 * MIB)) "memory.stat"
	check "cpuacct.usage" test "$(v1 cpuacct/cpuacct.usage)" -gt 0
	is "$(inside x_1 sh -c 'ls -d /mnt/*/ | wc -l')" 7 "five directories and two links"
	check_not "nothing can be written" inside x_1 sh -c 'echo 1 >/mnt/memory/memory.limit_in_bytes' 2>/dev/null
	echo max >"$M/x_1/memory.max"
	echo max 100000 >"$M/x_1/cpu.max"
	sleep 0.2
	is "$(v1 memory/memory.limit_in_bytes) $(v1 cpu/cpu.cfs_quota_us)" "9223372036854771712 -1" "no limits"
fi
container_stop x_1
container_stop x_10
finish
