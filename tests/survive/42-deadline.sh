#!/bin/bash
# SPDX-License-Identifier: MIT
# Requests that nobody lets end: a plugin reads a file on a file system that does not
# answer.  They are answered at their deadline; readers of other files do not notice, and
# no worker is killed for it.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

long_in_vm
mkdir "$T/deaf"
"$TOOLS/deaf" "$T/deaf" >"$T/deaf.out" &
DEAF=$!
wait_for "$PATIENCE" test -s "$T/deaf.out" || bail "the file system is mounted"
cg_make a || bail "a cgroup"

daemon one
ini
printf '\n[plugin reads]\nmodule = %s/sample_reads.so\nfrom = %s\n' "$SAMPLES" "$T/deaf/file" >>"$INI"
must_start
MOUNT=$(mount_line)
w=$(worker_pid)

get() { (cg_join a && exec timeout 60 cat "$MNT/proc/$1") 2>&1; } # FILE
ms() { echo $(($(date +%s%N) / 1000000)); }
timed() { # FILE: GOT and TOOK
	local start
	start=$(ms)
	GOT=$(get "$1")
	TOOK=$(($(ms) - start))
}
in_time() { # DESCRIPTION: at the deadline, not before
	if [ "$TOOK" -ge 1990 ] && [ "$TOOK" -lt 4000 ]; then ok "$1"; else not_ok "$1" "$TOOK ms"; fi
	diag "$TOOK ms"
}
status() { sed -n "s/^$1 //p" "$RUNDIR/lxcfsd/status"; } # KEY
status_is() { [ "$(status "$1")" = "$2" ]; }

is "$(get lxcfsd_reads)" heard "what it reads is there"
kill -USR1 $DEAF
start_load
timed lxcfsd_reads
is "$GOT" heard "one that hangs: the last good text"
in_time "at its deadline"
timed version
is "$GOT" "$(cat /proc/version)" "without one: the host's"
in_time "at its deadline as well"
undisturbed "requests that hang"
stall=$(load_says max_stall_ms)
if [ "${stall%.*}" -lt 1000 ]; then ok "nobody else waited for it"; else not_ok "nobody else waited for it" "$stall ms"; fi
is "$(worker_pid)" "$w" "no worker was killed"
check "the status counts them" wait_for 5 status_is late-requests 2

# in a tree each step may hang: a name that is known is found and opened, and what is read
# there is the host's
tree() { (cg_join a && exec timeout 60 cat "$MNT/sys/kernel/fscaps") 2>&1; }
kill -USR2 $DEAF
is "$(tree)" heard "a file of a tree is there"
kill -USR1 $DEAF
is "$(tree)" "$(cat /sys/kernel/fscaps)" "when it hangs: the host's"
like "$(stat -c %A "$MNT/sys/kernel/fscaps")" '^-r--r--r--$' "and stat(2) says what it is"
check "each step had its deadline" eval '[ "$(status late-requests)" -gt 3 ]'
is "$(worker_pid)" "$w" "again no worker was killed"
kill -USR2 $DEAF
tree_back() { [ "$(tree)" = heard ]; }
check "then it is as before" wait_for "$PATIENCE" tree_back
kill -USR1 $DEAF

# whoever hangs holds up a thread, but not all of them
for _ in {1..12}; do (cg_join a && exec timeout 60 cat "$MNT/proc/lxcfsd_reads") >>"$T/many" 2>&1 & done
wait_for "$PATIENCE" eval '[ "$(wc -l <"$T/many")" = 12 ]'
is "$(sort "$T/many" | uniq -c | tr -s ' ')" " 12 heard" "twelve at once are answered"
timed lxcfsd_reads
is "$GOT" heard "then nobody waits for it any more"
if [ "$TOOK" -lt 1000 ]; then ok "not even for a deadline"; else not_ok "not even for a deadline" "$TOOK ms"; fi
is "$(get meminfo | wc -l)" "$(wc -l </proc/meminfo)" "others are there"

# what hung comes back
threads() { local t=(/proc/"$w"/task/*); echo ${#t[@]}; }
before=$(threads)
kill -USR2 $DEAF
fewer() { [ "$(threads)" -lt "$before" ]; }
check "threads that come back end, if they are not needed" wait_for "$PATIENCE" fewer
back() { timed lxcfsd_reads && [ "$TOOK" -lt 500 ]; }
check "and it is read again" wait_for "$PATIENCE" back
is "$GOT" heard "as it was"
is "$(worker_pid)" "$w" "still the same worker"

# a worker that cannot die, because a thread of it waits for that file system
kill -USR1 $DEAF
start_load --hang-ms 15000
get lxcfsd_reads >"$T/last" &
LAST=$!
need_fusectl
DEV=$(mount_line "$T/deaf" | awk '{ print $3 }')
deaf_waits() { [ "$(cat "$FUSECTL/${DEV#*:}/waiting")" -gt 0 ]; }
wait_for "$PATIENCE" deaf_waits
kill -KILL "$w"
other_serves() { [ "$(status worker)" != "$w" ] && status_is state serving; }
check "another one serves" wait_for "$PATIENCE" other_serves
is "$(status unreaped)" "$w" "although the status says that it is still there"
check "the request that it had is answered" wait_for "$PATIENCE" not alive $LAST
like "$(cat "$T/last")" 'Input/output error' "with an error: the new one has no text of it"
undisturbed "a worker that cannot die"
stall=$(load_says max_stall_ms)
if [ "${stall%.*}" -lt 2000 ]; then ok "it is noticed before a deadline has passed"; else not_ok "it is noticed before a deadline has passed" "$stall ms"; fi
kill -USR2 $DEAF
check "at last it is gone" wait_for "$PATIENCE" status_is unreaped 0
reload_and_wait
is "$RELOAD" ok "a reload succeeds"
is "$(get lxcfsd_reads)" heard "and all is well"
kill $DEAF
wait $DEAF
finish
