#!/bin/bash
# SPDX-License-Identifier: MIT
# When no worker can start, lxcfsd-safe serves the host's files; when one can, it takes
# over again.  Readers do not notice.
# shellcheck source-path=SCRIPTDIR disable=SC2119
# in a mount namespace of its own: the machine's library is hidden here alone
if [ -z "${SAFE_TEST_INSIDE:-}" ]; then
	SAFE_TEST_INSIDE=1 exec unshare --mount -- "$0"
fi
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

LIBRARY=$(ldd "$BUILD/lxcfsd-worker" | awk '/libfuse3/ { print $3; exit }')
LIBRARY=$(realpath "${LIBRARY:-/nowhere}" 2>/dev/null)
[ -e "$LIBRARY" ] || skip_all "the worker is not linked with a libfuse3.so"
: >"$T/empty"
hide() { mount --bind "${1:-$T/empty}" "$LIBRARY"; }
bring_back() { umount -l "$LIBRARY"; } # a worker that just begins may be looking at it
safe_pid() { pgrep -n -P "$DPID" -x lxcfsd-safe; }
only_worker() { one_worker && ! safe_pid; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
# what the limits are, not how full it is: it is the same all the time
host_total() { mem_total </proc/meminfo; }
total_in() { in_container a cat /proc/meminfo | mem_total; }
sees_own() { [ "$(total_in)" = 131072 ]; }
sees_host() { [ "$(total_in)" = "$(host_total)" ]; }
no_later_than() { # MS LIMIT WHAT
	diag "after $1 ms"
	if [ "$1" -le "$2" ]; then ok "$3"; else not_ok "$3" "$1 ms"; fi
}
lose_workers() { # WHAT: and be served all the same
	local began
	began=$(now_ms)
	kill_workers
	check "$1: the host's content" sees_host
	no_later_than $(($(now_ms) - began)) $((VM ? 20000 : 1000)) "$1: within a second"
	# without the time that the reader itself needs, which is most of it on an emulated machine
	no_later_than "$(sed -n 's/.*lxcfsd-safe serves, \([0-9]*\)\.[0-9]* ms after the death.*/\1/p' "$LOG" | tail -n 1)" \
		$((VM ? 5000 : 1000)) "$1: and so says the log"
}
workers_are_back() { # WHAT
	local began
	began=$(now_ms)
	check "$1: its own again" wait_for "$PATIENCE" sees_own
	no_later_than $(($(now_ms) - began)) $((VM ? 40000 : 5000)) "$1: within five seconds"
	check "$1: lxcfsd-safe has ended" wait_for "$PATIENCE" only_worker
}
VM=${VM:+1} VM=${VM:-0}
unified=$(awk '$4 == "/" && / - cgroup2 / { print $5 }' /proc/self/mountinfo | tail -n 1)
[ "$CG_MODE" = v2 ] || [ -z "$unified" ] || CG_DIRS+=("$unified")

daemon one
ini 'host_pidns = host' # what the readers of the load see does not change
sed -i 's/^\[plugin pressure\]$/&\ntriggers = yes/' "$INI"
printf '\n[plugin motd]\nmodule = text.so\npath = /proc/lxcfsd_motd\ncontent = hello\n' >>"$INI"
must_start
MOUNT=$(mount_line)
psi=0
[ -e /proc/pressure/cpu ] && wait_for "$PATIENCE" mount_line "$MNT/proc/pressure" && psi=1
container_start a --mem 128M --bind "$MNT/proc/meminfo:/proc/meminfo" \
	--bind "$MNT/sys/devices/system/cpu:/sys/devices/system/cpu" \
	--bind "$MNT/proc/lxcfsd_motd:/proc/version" || bail "a container starts" "$(cat "$LOG")"
check "a container sees its own memory" sees_own

# all there is: number, size, mode, type
listing() { find "$MNT" ! -path '*/devices/system/*/*/*' -printf '%P %i %s %m %y\n' | sort; }
changes() { "$TOOLS/fsops" "$MNT" proc proc/uptime; }
listing >"$D/by-worker"
changes >"$D/changes"

# a text of which a part has been read, in the container
reader() { # NAME: reads 64 bytes, waits for $D/NAME.go, reads the rest, then it anew
	rm -f "$D/$1".*
	# shellcheck disable=SC2016
	in_container a sh -c 'exec 7</proc/meminfo; dd bs=64 count=1 status=none <&7 >"$1.text"
		: >"$1.begun"
		while [ ! -e "$1.go" ]; do sleep 0.02; done
		cat <&7 >>"$1.text"; exec 7<&-; : >"$1.done"' - "$D/$1" &
	wait_for "$PATIENCE" is_there "$D/$1.begun"
}
keep_open() { # NAME: reads one open file, and once more from its start when $D/NAME.again comes
	# shellcheck disable=SC2016
	in_container a perl -e 'sub save { open my $o, ">", $_[0] or die; print $o $_[1]; close $o }
		my ($f, $text) = ($ARGV[0]);
		open my $in, "<", "/proc/meminfo" or die;
		sysread($in, $text, 65536); save("$f.one", $text); save("$f.begun", "");
		select undef, undef, undef, 0.02 until -e "$f.again";
		sysseek($in, 0, 0); sysread($in, $text, 65536); save("$f.two", $text); save("$f.done", "")' \
		"$D/$1" &
	wait_for "$PATIENCE" is_there "$D/$1.begun"
}
value() { awk -v k="$1:" '$1 == k { print $2 }' "$2"; }

# ---------------------------------------------------------- the library is gone

start_load
reader half
hide
lose_workers "libfuse3.so is gone"
: >"$D/half.go"
check "a half-read text is read on" wait_for "$PATIENCE" is_there "$D/half.done"
is "$(value MemTotal "$D/half.text")" 131072 "it is the container's"
if [ "$(value MemAvailable "$D/half.text")" -le 131072 ]; then
	ok "to its end"
else
	not_ok "to its end" "$(cat "$D/half.text")"
fi
like "$(cat "$LOG")" 'no worker can start \(.*library.*\): lxcfsd-safe serves' "the log says what containers see, and why"

listing >"$D/by-safe"
is "$(diff "$D/by-worker" "$D/by-safe" | grep "^[<>]" | grep -v '^< cgroup/')" "< $(grep lxcfsd_motd "$D/by-worker")" "names, numbers, sizes and modes are the same, but for what the host has not, and cgroups"
is "$(cat "$MNT/proc/slabinfo" 2>&1)" "" "slabinfo is not the host's"
is "$(stat -c %a "$MNT/proc/slabinfo")" 400 "and for root alone"
is "$(in_container a cat /proc/version 2>&1)" "cat: /proc/version: Input/output error" "a text that the host has not: an error"
is "$(in_container a cat /sys/devices/system/cpu/online)" "$(cat /sys/devices/system/cpu/online)" "in a tree: the host's"
is "$(ls "$MNT/sys/devices/system/cpu")" "$(ls /sys/devices/system/cpu)" "and its names"
check "all of it can be walked" find "$MNT/sys/devices/system/cpu" -ls
for name in proc/version proc/1 proc/self sys/kernel sys/devices/system/cpu/invented sys/devices/system/memory; do
	check_not "nothing else is there: $name" stat "$MNT/$name"
done
is "$(changes)" "$(cat "$D/changes")" "and what would change something fails as before"

# ------------------------------------------------------------ its own death

good=0
for _ in {1..20}; do
	s=$(safe_pid)
	kill -KILL "$s"
	other_safe() { [ -n "$(safe_pid)" ] && [ "$(safe_pid)" != "$s" ]; }
	wait_for "$PATIENCE" other_safe && sees_host && good=$((good + 1))
done
is $good 20 "20 kill -9 of lxcfsd-safe: each time it is started again"
reload_and_wait
is "$RELOAD" failed "a reload fails"
check "and it serves on" sees_host

reader later
keep_open kept
bring_back
workers_are_back "libfuse3.so is back"
touch "$D/later.go" "$D/kept.again"
check "what was half read of the host's" wait_for "$PATIENCE" is_there "$D/later.done"
is "$(value MemTotal "$D/later.text")" "$(host_total)" "is the host's"
if [ "$(value MemAvailable "$D/later.text")" -gt 131072 ]; then
	ok "to its end"
else
	not_ok "to its end" "$(cat "$D/later.text")"
fi
check "a file that was open meanwhile" wait_for "$PATIENCE" is_there "$D/kept.done"
is "$(value MemTotal "$D/kept.one")" "$(host_total)" "showed the host's"
is "$(value MemTotal "$D/kept.two")" 131072 "and shows its own when it is read again"
is "$(in_container a cat /proc/version)" "hello" "the text is back"
reload_and_wait
is "$RELOAD" ok "a reload succeeds"
undisturbed "lxcfsd-safe and back"

# ----------------------------------------------------- again and again, under load

start_load
good=0
for _ in {1..10}; do
	wait_for "$PATIENCE" one_worker
	hide
	kill_workers
	sees_host && good=$((good + 1))
	bring_back
	wait_for "$PATIENCE" only_worker && sees_own && good=$((good + 1))
done
is $good 20 "ten times there and back"
undisturbed "ten times there and back"

# ------------------------------------------------------------ the inner connection

if [ $psi = 1 ]; then
	F=$MNT/proc/pressure/cpu sleeper=''
	if container_start b --quota 20000/100000 --bind "$F:/proc/pressure/cpu" &&
		[ -e "$unified/$CG_NAME/b/cpu.pressure" ]; then
		rm -f "$D/said" "$D/asleep"
		in_container b "$TOOLS/psi" wait /proc/pressure/cpu 'some 1000000 2000000' 120 "$D/asleep" >"$D/said" 2>&1 &
		sleeper=$!
		check "one sleeps until it has waited for a CPU" wait_for "$PATIENCE" is_there "$D/asleep"
	else
		skip "one sleeps until it has waited for a CPU" "cgroups have no pressure here"
	fi
	hide
	lose_workers "with pressure"
	check "pressure can be read" grep -q '^some avg10' "$F"
	is "$("$TOOLS/psi" once "$F" 'some 1000000 2000000')" EPERM "a trigger cannot be armed"
	is "$("$TOOLS/psi" none "$F")" error "who polls without one is told so at once"
	[ ! -s "$D/said" ] || not_ok "who slept sleeps on" "$(cat "$D/said")"
	bring_back
	workers_are_back "with pressure"
	if [ -n "$sleeper" ]; then
		in_container b timeout 60 sh -c 'while :; do :; done & while :; do :; done' >/dev/null 2>&1 &
		check "who slept through all this is woken by his pressure" wait_for "$PATIENCE" test -s "$D/said"
		is "$(cat "$D/said")" event "by an event"
		container_stop b # and with it those that spin
		wait "$!" "$sleeper" 2>/dev/null
	fi
	check "pressure can be read as before" grep -q '^some avg10' "$F"
else
	skip "the inner connection" "no PSI here"
fi

# ------------------------------------------------------- a worker that never loads

mkfifo "$T/never"
hide "$T/never"
began=$(now_ms)
kill_workers
check "a worker whose loading hangs: the host's content" sees_host
no_later_than $(($(now_ms) - began)) $((VM ? 30000 : 6500)) "after some five seconds"
bring_back
workers_are_back "it loads again"

# ---------------------------------------------------- a connection of its own making

vault() { find "/proc/$DPID/fd" -lname '*lxcfsd-vault*' | head -n 1; }
agreed() { # the answer to INIT without its number: see vault.h
	dd if="$(vault)" bs=1 skip=$((32 + 16 * 24 + 8 + 512 + 16)) count=64 status=none | md5sum
}
before=$(agreed)
container_stop a
hide
kill_workers
check "lxcfsd-safe serves" wait_for "$PATIENCE" safe_pid
abort_connection
another() { grep -q 'mounting .* anew' "$LOG" && timeout 5 grep -q . "$MNT/proc/uptime"; }
check "the connection is aborted: it is mounted anew, and serves" wait_for "$PATIENCE" another
is "$(agreed)" "$before" "and the same is agreed upon as by a worker"
check "by lxcfsd-safe" safe_pid
bring_back
check "a worker takes that over" wait_for "$PATIENCE" only_worker
check "and serves" timeout 5 grep -q . "$MNT/proc/uptime"

hide
kill_workers
check "once more lxcfsd-safe" wait_for "$PATIENCE" safe_pid
stop_daemon
is "$STOP_STATUS" 0 "it can be stopped then"
bring_back
check_not "nothing has crashed" grep -q 'signal 11\|signal 6' "$LOG"

# ------------------------------------------------------------- containers' own roots

daemon roots
ini 'container_roots = yes'
must_start
wait_for "$PATIENCE" mount_line "$MNT/containers"
cg_make a
number=$(stat -c %i "${CG_DIR[memory]}/$CG_NAME/a")
container_start a --mem 128M --bind "$MNT/containers/$number/proc/meminfo:/proc/meminfo" \
	--bind "$MNT/containers/$number:/mnt" || bail "a container starts" "$(cat "$LOG")"
check "a container sees its own by its root" sees_own
hide
kill_workers
check "lxcfsd-safe serves that, too" sees_host
is "$(in_container a cat /mnt/sys/devices/system/cpu/online)" "$(cat /sys/devices/system/cpu/online)" "and its directories"
check_not "what is not for everybody is not there" in_container a ls /mnt/cgroup/memory
bring_back
check "a worker takes over again: its own" wait_for "$PATIENCE" sees_own
is "$(in_container a cat /mnt/proc/meminfo | mem_total)" 131072 "in directories, too"
container_stop a
stop_daemon
finish
