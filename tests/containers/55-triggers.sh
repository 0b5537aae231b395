#!/bin/bash
# SPDX-License-Identifier: MIT
# PSI triggers: a container is woken by its own pressure, also when the worker that
# it asked has been killed or replaced while it slept.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
cat /proc/pressure/cpu >/dev/null 2>&1 || skip_all "no PSI on this host"
unified=$(awk '$4 == "/" && / - cgroup2 / { print $5 }' /proc/self/mountinfo | tail -n 1)
[ -n "$unified" ] || skip_all "no cgroup2"
[ "$CG_MODE" = v2 ] || CG_DIRS+=("$unified")

daemon one
ini
must_start
check "the inner mount comes" wait_for "$PATIENCE" mount_line "$MNT/proc/pressure"
quota=(--quota 20000/100000)
container_start busy "${quota[@]}" --bind "$MNT/proc/pressure:/proc/pressure" || bail "a container starts" "$(cat "$LOG")"
container_start file "${quota[@]}" --bind "$MNT/proc/pressure/cpu:/proc/pressure/cpu" || bail "a container starts" "$(cat "$LOG")"
F=/proc/pressure/cpu SPEC='some 1000000 2000000' # half of the time: to start a program takes less
psi() { # CONTAINER MODE ARG...
	local c=$1 m=$2
	shift 2
	in_container "$c" "$TOOLS/psi" "$m" "$F" "$@" 2>&1
}
if [ ! -e "$unified/$CG_NAME/file/cpu.pressure" ]; then
	skip "triggers" "cgroups have no pressure here"
	finish
fi

is "$(psi busy once "$SPEC")" EPERM "by default none can be armed"
is "$(psi busy none)" error "who polls without one is told so at once"
check "it can be read as before" in_container busy grep -q '^some avg10' "$F"

sed -i 's/^\[plugin pressure\]$/&\ntriggers = yes/' "$INI"
reload_and_wait
is "$RELOAD" ok "triggers = yes, while it runs"
is "$(psi busy once "$SPEC")" ok "armed, polled, closed"
is "$(psi busy twice "$SPEC")" EBUSY "a file has one"
is "$(psi busy once 'some 150000 1000000')" EINVAL "the window is a multiple of 2 s"
is "$(psi busy once 'none 150000 2000000')" EINVAL "nonsense"
check "a shell may write it" in_container busy sh -c "echo '$SPEC' >$F"

spin() { # CONTAINER: two that want one CPU each, where a fifth of one is to be had
	in_container "$1" timeout 30 sh -c 'while :; do :; done & while :; do :; done' >/dev/null 2>&1 &
	SPIN=$!
}
unspin() { kill "$SPIN" 2>/dev/null; cg_quiet "$1"; wait "$SPIN" 2>/dev/null; }
cg_quiet() { # the spinners, but not the container's init
	local p
	while read -r p; do
		[ "$p" = "${C_PID[$1]}" ] || [ "$p" = "${C_OUTER[$1]}" ] || kill -KILL "$p" 2>/dev/null
	done <"$unified/$CG_NAME/$1/cgroup.procs"
}
sleeper() { # CONTAINER: starts it; it says in $D/said.CONTAINER what woke it
	rm -f "$D/asleep.$1" "$D/said.$1"
	psi "$1" wait "$SPEC" 60 "$D/asleep.$1" >"$D/said.$1" &
	wait_for "$PATIENCE" test -e "$D/asleep.$1"
}
said() { [ -s "$D/said.$1" ]; }
at_rest() { # CONTAINER WHAT
	if [ -n "$VM" ]; then
		skip "$2" "an emulated machine is so slow that who rests waits"
	else
		check_not "$2" wait_for 1 said "$1"
	fi
}

for c in busy file; do
	sleeper $c
	at_rest $c "$c: who is at rest sleeps"
	spin $c
	check "$c: pressure wakes him" wait_for "$PATIENCE" said $c
	is "$(cat "$D/said.$c")" event "$c: by an event"
	unspin $c
done

# Linux counts what was before the trigger as if it had just been (psi_trigger_create()):
# so one that has never waited
container_start fresh "${quota[@]}" --bind "$MNT/proc/pressure:/proc/pressure" || bail "a container starts" "$(cat "$LOG")"
sleeper fresh
for how in KILL USR1 KILL; do
	w=$(worker_pid)
	if [ $how = KILL ]; then kill -KILL "$w"; else kill -USR1 "$DPID"; fi
	check "the worker is replaced ($how)" wait_for "$PATIENCE" other_worker "$w"
done
at_rest fresh "nobody is told what has not happened"
spin fresh
check "a worker that came later wakes him" wait_for "$PATIENCE" said fresh
is "$(cat "$D/said.fresh")" event "by an event"
unspin fresh
wait_for "$PATIENCE" nothing_waits

# Workers that are stopped as soon as they have begun see no event themselves.
sed -i 's/^\[lxcfsd\]$/&\nrequest_timeout_ms = 1000/' "$INI"
reload_and_wait
container_start hasty "${quota[@]}" --bind "$MNT/proc/pressure:/proc/pressure" || bail "a container starts" "$(cat "$LOG")"
spin hasty
sleeper hasty
stopped=0
stopped_again() {
	local w
	w=$(worker_pid) && kill -STOP "$w" || return 1
	timeout 10 cat "$MNT/proc/uptime" >/dev/null 2>&1 & # somebody has to wait for it to be noticed
	wait_for "$PATIENCE" other_worker "$w"
	stopped=$((stopped + 1))
	wait $!
	said hasty
}
check "what happened while a worker was stopped the next one tells" wait_for "$PATIENCE" stopped_again
is "$(cat "$D/said.hasty")" event "by an event"
check "and not much later: $stopped were stopped" test $stopped -le 5 # some before they had armed it
unspin hasty
container_stop hasty
sed -i '/^request_timeout_ms/d' "$INI"
reload_and_wait
wait_for "$PATIENCE" nothing_waits

# of memory: who takes more than memory.high is held back, however little swap there is
squeeze() { # CONTAINER
	echo $((24 << 20)) >"${CG_DIR[memory]}/$CG_NAME/$1/memory.high"
	# shellcheck disable=SC2016 # tail keeps what has no line; the shell is the container's
	in_container "$1" sh -c 'while :; do head -c 40000000 /dev/zero | tail; done' >/dev/null 2>&1 &
	SPIN=$!
}
if [ "$CG_MODE" = v2 ]; then
	cpu=$F,$SPEC F=/proc/pressure/memory SPEC='some 200000 2000000'
	for how in none KILL; do
		container_start "mem$how" --mem 48M --bind "$MNT/proc/pressure:/proc/pressure" || bail "a container starts" "$(cat "$LOG")"
		sleeper "mem$how"
		if [ $how = KILL ]; then
			w=$(worker_pid)
			kill -KILL "$w"
			check "the worker is killed while he sleeps" wait_for "$PATIENCE" other_worker "$w"
		fi
		check_not "memory: who has enough sleeps" wait_for 1 said "mem$how"
		squeeze "mem$how"
		check "memory: pressure wakes him" wait_for "$PATIENCE" said "mem$how"
		is "$(cat "$D/said.mem$how")" event "by an event"
		unspin "mem$how"
		container_stop "mem$how"
	done
	F=${cpu%,*} SPEC=${cpu#*,}
else
	skip "memory" "cgroup v1 has no pressure of memory"
fi

# as many as one may have, and no more; others are not touched
psi busy hold "$SPEC" 200 30 >"$D/held" &
held=$!
check "many at once" wait_for "$PATIENCE" test -s "$D/held"
is "$(cat "$D/held")" 64 "64 of 200"
is "$(psi busy once "$SPEC")" ok "beyond it: no more is armed" # `once` takes ENOSPC for done
is "$(psi file twice "$SPEC")" EBUSY "another container may arm its own"
w=$(worker_pid)
kill -KILL "$w"
check "the worker is killed" wait_for "$PATIENCE" other_worker "$w"
armed() { find "/proc/$(worker_pid)/fd" -lname '*cpu.pressure' 2>/dev/null | wc -l; }
are_armed() { [ "$(armed)" -ge "$1" ]; }
none_armed() { [ "$(armed)" = 0 ]; }
check "its successor arms all again" wait_for "$PATIENCE" are_armed 64
cg_quiet busy
wait $held 2>/dev/null
# the kernel lets one go after the other, each after a grace period of RCU
check "who ends takes them with him" wait_for $((3 * PATIENCE)) none_armed
container_start free --bind "$MNT/proc/pressure:/proc/pressure" || bail "a container starts" "$(cat "$LOG")"
many=500 # the kernel takes some 15 ms to let one go
[ -z "$VM" ] || many=100 # and an emulated machine much more
[ -z "${LXCFSD_TEST_LONG:-}" ] || many=10000
is "$(psi free churn "$SPEC" $many)" ok "$many one after the other"
is "$(psi file once "$SPEC")" ok "and another container may still arm its own"
check "it reads as before" in_container busy grep -q '^some avg10' "$F"
check "no request waits" wait_for "$PATIENCE" nothing_waits

check_not "no worker has died by itself" grep -q 'signal 11\|signal 6' "$LOG"
finish
