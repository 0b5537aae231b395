#!/bin/bash
# SPDX-License-Identifier: MIT
# One container that takes all it can, and a machine that gives little: no error, and
# nobody else notices.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../survey.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
BOUND=2000
[ -z "$VM" ] || BOUND=20000
unnoticed() { # WHAT: after survey_load
	survey_unload
	is "$(load_says failed) failed, $(load_says torn) torn, $(load_says hung) hung" \
		"0 failed, 0 torn, 0 hung" "$1: no other reader noticed"
	[ "$LOAD_STATUS" = 0 ] || diag "$(grep -v 'serving again' "$LOG" | tail -n 40)"
	check "$1: none of them waited for long" stall_below $BOUND
}

survey_begin one

# files, far beyond the bound of a container
many=5000
[ -z "${LXCFSD_TEST_LONG:-}" ] || many=100000
cg_make hoarder
survey_load
(cg_join hoarder && exec "$TOOLS/hoard" "$MNT/proc/cpuinfo" $many "$D/hoarded") >"$D/hoard" 2>&1 &
hoard=$!
check "$many open files of one container" wait_for $((PATIENCE * 10)) test -e "$D/hoarded"
like "$(cat "$D/hoard")" "^$many failed 0 0 " "all can be read"
unnoticed "a container with $many open files"
survey_load
for _ in 1 2 3; do
	w=$(worker_pid)
	kill -KILL "$w"
	wait_for "$PATIENCE" other_worker "$w"
done
unnoticed "kills of the worker then"
kill -KILL $hoard
wait $hoard 2>/dev/null
check "who ends lets them go" wait_for "$PATIENCE" nothing_waits

# processes that begin, read and end all the time, in a cgroup of their own each
storm() {
	local i
	for ((i = 0; ; i++)); do
		cg_make "storm/$((i % 50))" || return
		for _ in 1 2 3; do (cg_join "storm/$((i % 50))" && exec cat "$MNT/proc/stat" "$MNT/proc/uptime" >/dev/null) & done
		[ $((i % 5)) != 0 ] || wait
	done
}
survey_load
storm 2>"$D/storm" &
storm=$!
for _ in {1..10}; do
	w=$(worker_pid)
	kill -KILL "$w"
	wait_for "$PATIENCE" other_worker "$w"
	sleep 0.1
done
kill $storm
wait $storm 2>/dev/null
is "$(grep -v -i terminated "$D/storm" | head -n 3)" "" "those who came and went read as well"
unnoticed "a storm of processes"

# workers that are killed for their memory, as soon as they are there.  What fills the
# cgroup belongs to no process; with less than 4 MiB in all the kernel would know no scores
poor=${CG_DIR[memory]}/$CG_NAME/poor fill=$((8 << 20))
poor_fill() { # and 1 MiB is left
	local usage=memory.usage_in_bytes
	[ "$CG_MODE" = v1 ] || usage=memory.current
	cg_set poor mem $((8 * fill)) &&
		(echo "$BASHPID" >"$poor/cgroup.procs" && exec head -c "$fill" /dev/zero >"$D/fill/zero") &&
		cg_set poor mem $(($(cat "$poor/$usage") + (1 << 20)))
}
mkdir "$D/fill" && mount -t tmpfs -o size=$((2 * fill)) fill "$D/fill"
check "there is a cgroup for it" cg_make poor
for file in memory.swappiness memory.swap.max; do [ ! -e "$poor/$file" ] || echo 0 >"$poor/$file"; done
HANG_MS=60000 survey_load
check "and little memory in it" poor_fill
echo "$DPID" >"$poor/cgroup.procs"
kill_workers
check "no worker comes to serve" wait_for "$PATIENCE" grep -q 'workers in a row have failed' "$LOG"
sleep 1
check "the keeper lives" alive "$DPID"
rm "$D/fill/zero"
check "when there is memory again one serves" wait_for "$PATIENCE" serving
wait_for "$PATIENCE" one_worker
survey_unload
is "$(load_says failed) failed, $(load_says torn) torn, $(load_says hung) hung" \
	"0 failed, 0 torn, 0 hung" "no memory: readers waited, and no more than that"
for d in "${CG_DIRS[@]}"; do echo "$DPID" >"$d/cgroup.procs"; done
worker_pid >"${CG_DIR[memory]}/cgroup.procs"
umount "$D/fill"

# the runtime directory goes
survey_load
rm -rf "$RUNDIR/lxcfsd"
w=$(worker_pid)
kill -KILL "$w"
check "without its runtime directory: another worker serves" wait_for "$PATIENCE" other_worker "$w"
w=$(worker_pid)
kill -USR1 "$DPID"
check "and it can be reloaded" wait_for "$PATIENCE" other_worker "$w"
check "which is told there again" wait_for "$PATIENCE" grep -q ' ok$' "$RUNDIR/lxcfsd/last-reload"
unnoticed "no runtime directory"

# the clock is set
if [ -n "$VM" ]; then
	survey_load
	now=$(date +%s)
	for s in 86400 -86400 315360000 -315360000; do
		date -s "@$((now + s))" >/dev/null
		sleep 0.3
	done
	date -s "@$now" >/dev/null
	unnoticed "steps of the clock"
else
	skip "steps of the clock" "in virtual machines only"
fi
check_not "no worker has died by a fault" grep -qE 'died: signal (4|6|7|8|11) ' "$LOG"
stop_daemon

# few descriptors
real=$LXCFSD
LXCFSD=$T/limited
for n in 96 256 1024; do
	printf '#!/bin/sh\nulimit -n %s\nexec %s "$@"\n' $n "$real" >"$LXCFSD"
	chmod 755 "$LXCFSD"
	daemon "few$n"
	ini
	must_start
	bad=0
	for i in {1..60}; do
		cg_make "many/$i" || break
		(cg_join "many/$i" && timeout 20 cat "$MNT/proc/meminfo" "$MNT/proc/stat" "$MNT/proc/loadavg" >/dev/null 2>&1) ||
			bad=$((bad + 1))
	done
	is $bad 0 "RLIMIT_NOFILE $n: 60 containers read"
	w=$(worker_pid)
	kill -KILL "$w"
	check "RLIMIT_NOFILE $n: another worker serves" wait_for "$PATIENCE" other_worker "$w"
	reload_and_wait
	is "$RELOAD" ok "RLIMIT_NOFILE $n: it can be reloaded"
	stop_daemon
done
finish
