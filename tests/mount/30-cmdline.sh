#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line, detaching, signals, a second instance.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

for o in --help --version --help-config; do
	output=$("$LXCFSD" "$o" 2>&1)
	is "$?" 0 "$o: exit status 0"
	isnt "$output" "" "$o says something"
done
like "$("$LXCFSD" --version)" '[0-9]+\.[0-9]+' "--version names one"
check_not "an unknown option is refused" "$LXCFSD" --no-such-option

modules=("$BUILD"/plugins/*.so)
is "$("$LXCFSD" --help-config -c /dev/null | grep -c '^\[plugin [a-z]')" "${#modules[@]}" "--help-config: the keys of every module"

daemon one
ini
check "-t: a good configuration" "$LXCFSD" -t -c "$INI"
cp "$INI" "$D/bad.ini"
printf '[lxcfsd\n' >>"$D/bad.ini"
output=$("$LXCFSD" -t -c "$D/bad.ini" 2>&1)
isnt "$?" 0 "-t: a bad configuration"
like "$output" "bad\.ini:$(wc -l <"$D/bad.ini")" "-t: names file and line"
printf '[lxcfsd]\nthreds = 3\ncache_ms = 5000\n[plugin nope]\n[plugin meminfo]\nswapp = no\n' >"$D/many.ini"
output=$("$LXCFSD" -t -c "$D/many.ini" 2>&1)
is "$(grep -oE 'many\.ini:[0-9]+' <<<"$output" | tr '\n' ' ')" 'many.ini:2 many.ini:3 many.ini:4 many.ini:6 ' \
	"-t: all errors at once, those of the plugins among them"
output=$("$LXCFSD" -t -c "$D/none.ini" 2>&1)
is "$?" 1 "-t: a configuration that is not there"
is "$output" "$D/none.ini: cannot be read: No such file or directory" "-t: says just that"
: >"$D/empty.ini"
like "$("$LXCFSD" -t -c "$D/empty.ini" 2>&1)" 'no \[plugin NAME\] section' "-t: an empty configuration"
check "the worker's --help" "$BUILD/lxcfsd-worker" --help
check_not "a worker without a task" "$BUILD/lxcfsd-worker"
check_not "-t mounts nothing" mount_line

output=$(timeout 60 "$LXCFSD" -f -c "$D/bad.ini" --runtime-dir "$RUNDIR" -p "$PIDFILE" "$MNT" 2>&1)
status=$?
like "$status" '^[1-9][0-9]?$' "a start with a bad configuration fails"
isnt "$status" 124 "and does so at once"
like "$output" "bad\.ini:" "and says why"
check_not "and mounts nothing" mount_line

# a start that cannot be done says why, and leaves what is others'
mkdir "$D/full"
mount -t tmpfs -o size=16k tmpfs "$D/full"
mkdir "$D/full/lxcfsd"
head -c 100000 /dev/zero >"$D/full/fill" 2>/dev/null
output=$(timeout 60 "$LXCFSD" -f -c "$INI" --runtime-dir "$D/full" "$MNT" 2>&1)
is "$?" 1 "a full runtime directory: exit status 1"
like "$output" 'No space left' "a full runtime directory: says so"
umount "$D/full"
python3 -c '
import fcntl, os, sys, time
f = open(sys.argv[1], "w"); fcntl.lockf(f, fcntl.LOCK_EX); f.write("%d\n" % os.getpid()); f.flush()
print("held", flush=True); time.sleep(60)' "$D/held.pid" >"$D/held" &
holder=$!
wait_for "$PATIENCE" grep -q held "$D/held"
output=$(timeout 60 "$LXCFSD" -f -c "$INI" --runtime-dir "$RUNDIR" -p "$D/held.pid" "$MNT" 2>&1)
is "$?" 1 "a pid file that lxcfs holds: exit status 1"
like "$output" "already running: pid $holder" "a pid file that lxcfs holds: names its process"
is "$(cat "$D/held.pid")" "$holder" "a pid file that lxcfs holds: is as it was"
kill $holder
check_not "none of these mounted anything" mount_line

# as lxcfs was called
daemon lxcfs
ini
check "lxcfs's options are accepted" start_daemon -l -u -s -o allow_other --enable-cfs --enable-pidfd --enable-psi-poll
check "and it serves" grep -q . "$MNT/proc/meminfo"
like "$(cat "$LOG")" 'ignored: -l -s -o --enable-pidfd --enable-psi-poll' "one notice names what has no effect"
stop_daemon
is "$STOP_STATUS" 0 "and ends with 0"
"$LXCFSD" "$MNT" -f -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" >>"$LOG" 2>&1 &
DPID=$!
DAEMONS[lxcfs]=$DPID
check "options may follow the mount point" wait_for "$PATIENCE" serving
stop_daemon
check "-d is accepted" start_daemon -d
stop_daemon

# detached
daemon detached
ini
timeout 60 "$LXCFSD" -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" "$MNT" >"$LOG" 2>&1 </dev/null
is "$?" 0 "detaching: exit status 0"
check "detaching: mounted when the command returns" mount_line
check "detaching: and serving" timeout 5 grep -q . "$MNT/proc/uptime"
DPID=$(cat "$PIDFILE")
is "$(cat "/proc/$DPID/comm")" lxcfsd "the pid file names the keeper"
DAEMONS[detached]=$DPID
isnt "$(worker_pid)" "" "its child is the worker"
session=$(ps -o sid= -p "$DPID" | tr -d ' ')
isnt "$session" "$(ps -o sid= -p $$ | tr -d ' ')" "it has a session of its own"

# signals that hit the worker by mistake
w=$(worker_pid)
for s in TERM INT HUP USR1 USR2; do kill -s $s "$w"; done
check "the worker shrugs off signals" timeout 5 grep -q . "$MNT/proc/uptime"
is "$(worker_pid)" "$w" "and is the same"

# a second one
before=$(mount_line)
output=$(timeout 60 "$LXCFSD" -f -c "$INI" -p "$D/pid2" --runtime-dir "$D/run2" "$MNT" 2>&1)
like "$?" '^[1-9][0-9]?$' "a second one on the same mount point is refused"
isnt "$output" "" "and told why"
mkdir -p "$D/mnt2"
output=$(timeout 60 "$LXCFSD" -f -c "$INI" -p "$D/pid2" --runtime-dir "$RUNDIR" "$D/mnt2" 2>&1)
like "$?" '^[1-9][0-9]?$' "a second one on the same runtime directory is refused"
isnt "$output" "" "and told why"
check_not "it mounted nothing" mount_line "$D/mnt2"
is "$(mount_line)" "$before" "the mount is as it was"
is "$(grep -c " $MNT " /proc/self/mountinfo)" 1 "and there is one"
is "$(worker_pid)" "$w" "the worker is as it was"
check "it serves" timeout 5 grep -q . "$MNT/proc/uptime"
is "$(cat "$PIDFILE")" "$DPID" "its pid file is as it was"
check "it can be reloaded" reload_and_wait
is "$RELOAD" ok "with success"

kill -TERM "$DPID"
check "SIGTERM ends it" wait_for "$PATIENCE" not alive "$DPID"
check_not "SIGTERM unmounts" mount_line
check_not "SIGTERM removes the pid file" test -e "$PIDFILE"
unset 'DAEMONS[detached]'

# a dead one leaves a mount behind that the next one must not trip over
daemon one
must_start
kill -INT "$DPID"
check "SIGINT ends it" wait_for "$PATIENCE" not alive "$DPID"
check_not "SIGINT unmounts" mount_line
unset 'DAEMONS[one]'
finish
