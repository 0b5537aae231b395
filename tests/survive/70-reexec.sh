#!/bin/bash
# SPDX-License-Identifier: MIT
# SIGHUP: the keeper executes its own new program, and nobody notices.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../upgrade.sh"

daemon one
own_programs
ini

executed() { grep -c 'in the same process' "$LOG"; }
fds() { find "/proc/$DPID/fd" -mindepth 1 | wc -l; }
total() { timeout 10 cat "$MNT/proc/meminfo" | mem_total; }
from_host() { timeout 10 cat "$MNT/proc/lxcfsd_sample" 2>&1; }

COUNT=20
[ -z "${LXCFSD_TEST_LONG:-}" ] || COUNT=50
must_start
MOUNT=$(mount_line)
pid=$DPID
hup_and_wait
wait_for "$PATIENCE" settled
before=$(fds)

start_load
good=0
for ((i = 0; i < COUNT; i++)); do
	hup_and_wait
	[ "$RELOAD" = ok ] && good=$((good + 1))
done
is "$good" "$COUNT" "$COUNT times its own program, each with a reload"
is "$(executed)" $((COUNT + 1)) "it was executed each time"
is "$(reload_count)" $((COUNT + 1)) "the reloads are counted on"
undisturbed "$COUNT re-execs"
is "$DPID" "$pid" "the same process"
is "$(cat "$PIDFILE")" "$pid" "its pid file holds"
is "$(cat "/proc/$pid/comm")" lxcfsd "its name is the same"
two_children() { [ "$(pgrep -c -P "$pid")" = 2 ] && settled; } # and what closes a dead one's files soon ends
check "it has two children, a worker and one in reserve" wait_for "$PATIENCE" two_children
is "$(pgrep -P "$pid" | xargs -I{} readlink /proc/{}/exe | uniq)" "$D/bin/lxcfsd-worker" "of the program on disk"
is "$(fds)" "$before" "no file is left open"

# A new keeper, and a new worker that is none: what served goes on, not the host's files.
start_load
cp "$BUILD/lxcfsd-safe" "$D/bin/"
hup_and_wait # and opens it
printf '#!/bin/false\n' >"$D/bin/new"
chmod 755 "$D/bin/new"
mv "$D/bin/new" "$D/bin/lxcfsd-worker"
hup_and_wait
is "$RELOAD" failed "a new keeper's worker cannot start"
w=$(worker_pid)
kill -KILL "$w"
check "the old one's successor comes of what served" wait_for "$PATIENCE" other_worker "$w"
is "$(readlink "/proc/$(worker_pid)/exe" | grep -c safe)" 0 "and it is a worker"
check_not "nobody has seen the host's files meanwhile" grep -q 'lxcfsd-safe serves' "$LOG"
rm "$D/bin/lxcfsd-safe"
cp "$BUILD/lxcfsd-worker" "$D/bin/"
hup_and_wait
is "$RELOAD" ok "a good worker is taken"
undisturbed "a worker that cannot start"

# Workers die while it is executed, and other signals come.
start_load
for _ in {1..30}; do
	kill -HUP "$DPID"
	sleep "0.0$((RANDOM % 10))"
	for c in $(pgrep -P "$DPID"); do kill -KILL "$c" 2>/dev/null; done
	[ $((RANDOM % 3)) = 0 ] && kill -USR1 "$DPID"
done
wait_for "$PATIENCE" one_worker
check "after 30 rounds of SIGHUP and killing everybody one serves" wait_for "$PATIENCE" timeout 5 grep -q . "$MNT/proc/uptime"
undisturbed "re-execs and kills"
wait_for "$PATIENCE" one_worker
hup_and_wait
hup_and_wait
is "$RELOAD" ok "and it can be replaced still"

# What cannot take over.
refused() { # WHAT REGEX
	local was w
	w=$(worker_pid) was=$(executed)
	hup_and_wait
	is "$RELOAD" failed "$1: refused"
	like "$REASONS" "$2" "$1: and why"
	is "$(executed)" "$was" "$1: not executed"
	is "$(worker_pid)" "$w" "$1: the worker was not touched"
}
start_load
echo garbage >"$D/garbage"
install_as "$D/garbage"
refused "garbage" 'Exec format error'
install_as /bin/false
refused "a program that fails" 'exit status 1'
install_as /bin/true
refused "another program" 'is not lxcfsd'
install_as "$TOOLS/idle"
refused "a program that hangs" 'did not say in time'
install_as /usr/bin/yes
refused "a program that talks" 'does not start'
rm "$LXCFSD"
refused "no program" 'No such file'
undisturbed "programs that cannot take over"

# One that can, but whose worker cannot.
was=$(executed)
install_as "$D/old/lxcfsd"
mv "$D/bin/lxcfsd-worker" "$D/bin/away"
w=$(worker_pid)
start_load
hup_and_wait
is "$RELOAD" failed "no worker for the new program: the reload fails"
is "$(executed)" $((was + 1)) "it was executed, though"
is "$(worker_pid)" "$w" "and steers the worker of before"
mv "$D/bin/away" "$D/bin/lxcfsd-worker"

# Another release, and back.
version=$("$LXCFSD" --version)
newer_release "$D/newer"
install_as "$D/newer"
is "$("$LXCFSD" --version)" "lxcfsd 9.9.9" "the new one is another release"
hup_and_wait
is "$RELOAD" ok "an upgrade"
like "$(tail -n 3 "$LOG")" 'this is lxcfsd 9\.9\.9 now' "the new release runs"
install_as "$D/old/lxcfsd"
hup_and_wait
is "$RELOAD" ok "a downgrade"
like "$(tail -n 3 "$LOG")" "this is $version now" "the old release runs again"
undisturbed "another release, and back"

# SIGUSR2 holds.
printf '\n[plugin sample_one]\n' >>"$INI"
cp "$SAMPLES/sample_one.so" "$D/bin/plugins/"
hup_and_wait
is "$(from_host)" one "new plugins are taken"
kill -USR2 "$DPID"
gone() { [ "$(from_host)" != one ]; }
check "SIGUSR2 switches the view off" wait_for "$PATIENCE" gone
hup_and_wait
check "and it stays off" gone
kill -USR2 "$DPID"
check "until the next one" wait_for "$PATIENCE" not gone

# The mount within the mount, and the copies of both.
inner_line() { mount_line "$MNT/proc/pressure"; }
if inner_line >/dev/null; then
	inner=$(inner_line | awk '{ print $3 }')
	umount -l "$MNT/proc/pressure"
	inner_back() { [ "$(inner_line | awk '{ print $3 }')" = "$inner" ]; }
	check "the inner mount is put back by a program that has not made it" wait_for "$PATIENCE" inner_back
else
	skip "the inner mount is put back" "there is none"
fi
device=$(mount_line | awk '{ print $3 }')
umount -l "$MNT"
mount_back() { [ "$(mount_line | awk '{ print $3 }')" = "$device" ]; }
check "and so is the mount" wait_for "$PATIENCE" mount_back
stop_daemon
is "$STOP_STATUS" 0 "it ends with 0"
check_not "and has unmounted" mount_line

# In the background, with relative paths: its working directory is another one by then.
daemon background
ini
LXCFSD=$D/../one/bin/lxcfsd
(cd "$D" && ../one/bin/lxcfsd -u -c lxcfsd.ini -p pid --runtime-dir run mnt) >"$LOG" 2>&1
is "$?" 0 "in the background"
DPID=$(cat "$PIDFILE")
DAEMONS[background]=$DPID
hup_and_wait
is "$RELOAD" ok "it finds its files again"
is "$(awk '/^SwapTotal/ { print $2 }' "$MNT/proc/meminfo")" 0 "and its options"
kill -USR1 "$DPID"
stop_daemon
finish
