#!/bin/bash
# SPDX-License-Identifier: MIT
# A worker in reserve: it takes over from one that dies, and is made anew whenever it is gone.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

daemon one
mkdir "$D/plugins"
cp "$BUILD"/plugins/*.so "$SAMPLES"/sample_one.so "$D/plugins/"
ini "plugin_dir = $D/plugins" 'request_timeout_ms = 1000'
printf '\n[plugin sample_one]\n' >>"$INI"
must_start
MOUNT=$(mount_line)
sample() { timeout 10 cat "$MNT/proc/lxcfsd_sample" 2>&1; }
ready() { wait_for "$PATIENCE" settled && RESERVE=${CANDIDATES[0]} ACTIVE=${WORKERS[0]}; }
other_settled() { settled && [ "${CANDIDATES[0]}" != "$1" ]; }
lose_reserve() { # and have another one
	kill -KILL "$RESERVE"
	wait_for "$PATIENCE" other_settled "$RESERVE" && ready
}
took_over() { [ "$(worker_pid)" = "$RESERVE" ]; }
score() { cat "/proc/$1/oom_score_adj"; }

start_load
check "one serves, another is in reserve" ready
check "and the status names it" wait_for 5 grep -q "^standby $RESERVE\$" "$RUNDIR/lxcfsd/status"
check "that one is the first to be killed for memory" test "$(score "$RESERVE")" -gt "$(score "$ACTIVE")"
good=0
for _ in {1..10}; do
	ready || break
	kill -KILL "$ACTIVE"
	wait_for "$PATIENCE" took_over && [ "$(sample)" = one ] && good=$((good + 1))
done
is $good 10 "ten times killed: the one in reserve takes over"
check "and has no more of a score than any that serves" test "$(score "$(worker_pid)")" = "$(score "$DPID")" -o "$(score "$(worker_pid)")" -le $(($(score "$DPID") + 100))

# It goes itself: nobody needs it, and it comes back, the later the more often.
: >"$LOG"
good=0
for _ in 1 2 3; do
	ready && lose_reserve && good=$((good + 1))
done
is $good 3 "killed itself, it is made anew"
is "$(grep -c 'in reserve has ended' "$LOG")" 1 "which is worth a line once"
check_not "and no death" grep -q 'died' "$LOG"

# Both at once, and a stopped one.
good=0
for _ in 1 2 3; do
	ready || break
	kill -KILL "$ACTIVE" "$RESERVE"
	wait_for "$PATIENCE" other_worker "$RESERVE" && [ "$(sample)" = one ] && good=$((good + 1))
done
is $good 3 "killed with the one that serves: a third one is started"
ready
kill -STOP "$RESERVE"
kill -KILL "$ACTIVE"
check "one that is stopped is replaced when it is to serve" wait_for "$PATIENCE" other_worker "$RESERVE"
is "$(sample)" one "and all is well"

# Made of what serves, not of what is on disk.
ready
cp "$SAMPLES/sample_two.so" "$D/plugins/sample_one.so"
cp "$INI" "$D/good.ini"
echo '[lxcfsd' >>"$INI"
lose_reserve
kill -KILL "$ACTIVE"
check "the disk has changed: the one in reserve takes over" wait_for "$PATIENCE" took_over
is "$(sample)" one "and serves the same"
reload_and_wait
is "$RELOAD" failed "a reload that fails"
check "leaves one in reserve" ready
cp "$D/good.ini" "$INI"
reload_and_wait
is "$RELOAD" ok "a reload"
is "$(sample)" two "serves what is new"
ready
kill -KILL "$ACTIVE"
check "and so does the next one in reserve" wait_for "$PATIENCE" took_over
is "$(sample)" two "when it takes over"
undisturbed "one in reserve"

# A reload and a death while it is loading.
start_load
good=0
for i in {1..20}; do
	ready || break
	kill -KILL "$ACTIVE"
	wait_for "$PATIENCE" took_over || break
	sleep "0.1$((RANDOM % 6))" # another begins to load
	if [ $((i % 2)) = 0 ]; then
		reload_and_wait && [ "$RELOAD" = ok ] && good=$((good + 1))
	else
		kill -KILL "$RESERVE" && wait_for "$PATIENCE" other_worker "$RESERVE" && good=$((good + 1))
	fi
done
is $good 20 "twenty reloads and deaths while it is loading"
undisturbed "reloads and deaths while it is loading"

sed -i 's/^\[lxcfsd\]/&\nstandby = no/' "$INI"
reload_and_wait
is "$RELOAD" ok "standby = no"
sleep 0.5
find_workers
is "${#WORKERS[@]} ${#CANDIDATES[@]}" "1 0" "none is loaded"
check "says the status" wait_for 5 grep -q '^standby 0$' "$RUNDIR/lxcfsd/status"
w=$(worker_pid)
kill -KILL "$w"
check "and one is started after a death" wait_for "$PATIENCE" other_worker "$w"
is "$(sample)" two "which serves"
stop_daemon
is "$STOP_STATUS" 0 "it ends with 0"
finish
