#!/bin/bash
# SPDX-License-Identifier: MIT
# Programs that know cgroup v1 only, with the cgroup view in its usual place: on cgroup2 by
# `layout = v1`.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cgview.sh"

MIB=$((1 << 20))
JAVA=$(realpath "$(dirname "$0")/../tools/oldjava.py")
USUAL=/sys/fs/cgroup
daemon one
ini
[ "$CG_MODE" = v1 ] || sed -i 's/^\[plugin cgroup\]$/&\nlayout = v1/' "$INI"
must_start
for c in x_1:192:150000:100 x_10:96:50000:20; do
	IFS=: read -r name mem quota weight <<<"$c"
	container_start "$name" --mem $((mem * MIB)) --quota "$quota/100000" --cpus 0-1 --bind "$MNT/cgroup:$USUAL" --bind "$MNT/proc/meminfo:/proc/meminfo" ||
		bail "the container $name starts"
	[ "$CG_MODE" = v2 ] || weight=$((weight * 1024 / 100))
	check "$name has a weight" cg_set "$name" weight "$weight"
done
case $CG_MODE in
v2) CPU='cpu,cpuacct' CPUACCT=$CPU CPUSET=cpuset SHARES=$((2 + 19 * 262142 / 9999)) ;;
v1) CPU=${CG_DIR[cpu]##*/} CPUACCT=${CG_DIR[cpuacct]##*/} CPUSET=${CG_DIR[cpuset]##*/} SHARES=204 ;;
esac

# ------------------------------------------------------------------ fixed paths

# As start scripts in images of that time do it.
cat >"$T/limits" <<SCRIPT
memory=\$(cat $USUAL/memory/memory.limit_in_bytes) || exit 1
total=\$(awk '/^MemTotal/ { printf "%.0f", \$2 * 1024 }' /proc/meminfo)
[ "\$memory" -lt "\$total" ] || memory=\$total
quota=\$(cat $USUAL/$CPU/cpu.cfs_quota_us) || exit 1
period=\$(cat $USUAL/$CPU/cpu.cfs_period_us) || exit 1
cores=\$(cat $USUAL/$CPUSET/cpuset.cpus) || exit 1
[ "\$quota" -lt 0 ] || cores=\$(((quota + period - 1) / period))
echo "\$memory \$cores"
SCRIPT
is "$(inside x_1 sh "$T/limits")" "$((192 * MIB)) 2" "a shell script finds the memory and the cores"
is "$(inside x_10 sh "$T/limits")" "$((96 * MIB)) 1" "and the neighbour's its own"
is "$(inside x_1 busybox sh -c "busybox cat $USUAL/memory/memory.limit_in_bytes $USUAL/$CPU/cpu.cfs_quota_us $USUAL/$CPUSET/cpuset.cpus" | tr '\n' ' ')" \
	"$((192 * MIB)) 150000 0-1 " "busybox as well"
if [ "$CG_MODE" = v2 ]; then
	is "$(inside x_1 cat $USUAL/cpu/cpu.cfs_quota_us $USUAL/cpuacct/cpu.cfs_quota_us | tr '\n' ' ')" "150000 150000 " "by the names of one controller"
	is "$(inside x_1 awk -v p=$USUAL '$5 == p { for (i = 7; $i != "-"; i++); t = $(i + 1) } END { print t }' /proc/self/mountinfo)" fuse.lxcfs "the type of what is there"
	# which is why this is all that can be had: it goes by the type
	is "$(inside x_1 /usr/bin/python3 - <"$JAVA")" "no container: no cgroup mount for memory, cpuset, cpu, cpuacct" "Java 8u191 by itself finds no cgroup mount"
fi

# ------------------------------------------------- Java, if mountinfo said so

texts() { # ROOT PATH: mountinfo and cgroup as on cgroup v1
	local d n=40
	: >"$T/mountinfo"
	: >"$T/cgroup"
	while read -r d; do
		n=$((n + 1))
		echo "$n 39 0:$n $1 $USUAL/$d ro,nosuid,nodev,noexec,relatime - cgroup cgroup rw,$d" >>"$T/mountinfo"
		echo "$n:$d:$2" >>"$T/cgroup"
	done < <(printf '%s\n' memory "$CPU" "$CPUACCT" "$CPUSET" pids | sort -u)
}
java() { inside "$1" /usr/bin/python3 - "$T/mountinfo" "$T/cgroup" <"$JAVA"; } # NAME
for place in '/docker/0123:/docker/0123' '/:/'; do
	texts "${place%:*}" "${place#*:}"
	is "$(java x_1)" "memory $((192 * MIB)) quota 150000 period 100000 shares -1 cpuset 0-1 processors 2" "its rules, mounted from ${place%:*}: its limits"
	is "$(java x_10)" "memory $((96 * MIB)) quota 50000 period 100000 shares $SHARES cpuset 0-1 processors 1" "and the neighbour its own"
done
cg_set x_1 mem $((64 * MIB))
cg_set x_1 quota 20000/10000
cg_set x_1 cpus 1
wait_for "$PATIENCE" eval "java x_1 | grep -q $((64 * MIB))"
is "$(java x_1)" "memory $((64 * MIB)) quota 20000 period 10000 shares -1 cpuset 1 processors 1" "other limits"
case $CG_MODE in
v2) cg_set x_1 mem max && cg_set x_1 quota max/100000 ;;
v1) cg_set x_1 mem -1 && cg_set x_1 quota -1/100000 ;;
esac
cg_set x_1 cpus 0-1
wait_for "$PATIENCE" eval "java x_1 | grep -q 'memory -1'"
is "$(java x_1)" "memory -1 quota -1 period 100000 shares -1 cpuset 0-1 processors 2" "none"
finish
