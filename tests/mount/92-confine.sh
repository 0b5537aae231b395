#!/bin/bash
# SPDX-License-Identifier: MIT
# A worker that serves has given up what it has no use for.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

field() { awk -v k="$1:" '$1 == k { print $2 }' "/proc/$(worker_pid)/status"; }
tries() { cat "$MNT/proc/lxcfsd_confined"; }
all_refused='execve EPERM
fork EPERM
mount EPERM
umount EPERM
unshare EPERM
inet EPERM
kill EPERM
parent EPERM
self done
limit done'

daemon one
ini
printf '\n[plugin confined]\nmodule = %s\n' "$SAMPLES/sample_confined.so" >>"$INI"
must_start
w=$(worker_pid)
is "$(field NoNewPrivs)" 1 "no new privileges"
is "$(field Seccomp)" 2 "a filter of system calls"
is "$(field CapInh) $(field CapAmb)" "0000000000000000 0000000000000000" "nothing to inherit"
# CAP_DAC_OVERRIDE 1, CAP_DAC_READ_SEARCH 2, CAP_SYS_PTRACE 19, CAP_SYS_RESOURCE 24
own=$((16#$(awk '$1 == "CapEff:" { print $2 }' /proc/self/status)))
wanted=$(printf %016x $((own & (1 << 1 | 1 << 2 | 1 << 19 | 1 << 24))))
is "$(field CapEff) $(field CapPrm)" "$wanted $wanted" "four capabilities"
is "$(awk '$1 == "NoNewPrivs:" { print $2 }' "/proc/$DPID/status")" 0 "the keeper has all"
is "$(tries)" "$all_refused" "what a plugin should not do fails"
is "$(worker_pid)" "$w" "and the worker lives"
check_not "nothing was missing" grep -q 'less confined' "$LOG"

kill -KILL "$w"
check "after a kill another one serves" wait_for "$PATIENCE" other_worker "$w"
is "$(tries)" "$all_refused" "which is confined as well"

before=$(cat "/proc/$DPID/oom_score_adj")
is "$(cat "/proc/$(worker_pid)/oom_score_adj")" $((before + 100)) "it may be killed for memory, before the keeper"
if echo -1000 2>/dev/null >"/proc/$DPID/oom_score_adj"; then
	reload_and_wait
	is "$(cat "/proc/$(worker_pid)/oom_score_adj")" -900 "also where the keeper never is"
	echo "$before" >"/proc/$DPID/oom_score_adj"
else
	skip "also where the keeper never is" "the score cannot be lowered here"
fi

# Who closes what a dead worker had open: as confined as that, and gone soon after it.
closer_pid() { pgrep -P "$1" -x lxcfsd-closer; }
of() { awk -v k="$2:" '$1 == k { print $2 }' "/proc/$1/status"; }
w=$(worker_pid)
closer=$(closer_pid "$w")
is "$(of "$closer" NoNewPrivs) $(of "$closer" Seccomp) $(of "$closer" CapEff)" "1 2 $wanted" \
	"the closer is confined like the worker"
is "$(find "/proc/$closer/fd" -printf '%f %l\n' | sort)" "$(find "/proc/$w/fd" -printf '%f %l\n' | sort)" \
	"it has the same files"
kill -KILL "$w"
check "another worker serves" wait_for "$PATIENCE" other_worker "$w"
check "the closer of the dead one has ended, and is no zombie" wait_for "$PATIENCE" not test -e "/proc/$closer"
check "the new worker has one" wait_for "$PATIENCE" eval 'closer_pid "$(worker_pid)"'
closer=$(closer_pid "$(worker_pid)")
kill -KILL "$closer"
check "a worker whose closer was killed serves on" timeout 5 cat "$MNT/proc/meminfo"
reload_and_wait
is "$RELOAD" ok "and can be reloaded"

sed -i 's/^\[lxcfsd\]$/&\nconfine = no/' "$INI"
reload_and_wait
is "$RELOAD $(field NoNewPrivs) $(field Seccomp)" "ok 0 0" "confine = no: it is not"
is "$(field CapEff)" "$(printf %016x "$own")" "and has all capabilities"
closer=$(closer_pid "$(worker_pid)")
stop_daemon
is "$STOP_STATUS" 0 "it ends with 0"
check_not "and its closer has ended before it" test -e "/proc/$closer"
finish
