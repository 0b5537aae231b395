#!/bin/bash
# SPDX-License-Identifier: MIT
# A reload that cannot be done changes nothing and says why.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

ready_ms=3000
[ -z "$VM" ] || ready_ms=15000
daemon one
mkdir "$D/plugins"
cp "$BUILD"/plugins/*.so "$SAMPLES"/sample_one.so "$D/plugins/"
good() {
	ini "plugin_dir = $D/plugins" "ready_timeout_ms = $ready_ms"
	printf '\n[plugin sample_one]\n' >>"$INI"
}
good
must_start
"$TOOLS/readload" --readers 4 --hang-ms 15000 --ready "$D/ready" "$MNT" >"$D/load" 2>"$D/load.err" &
load=$!
wait_for "$PATIENCE" test -e "$D/ready" || bail "the readers start" "$(cat "$D/load.err")"
check "a reload" reload_and_wait
is "$RELOAD" ok "succeeds"
worker=$(worker_pid)
mount=$(mount_line)

refused() { # WHAT REASON...: after the INI was changed; each regex must be among the reasons
	local what=$1 r
	shift
	reload_and_wait
	is "$RELOAD" failed "$what: refused"
	for r in "$@"; do
		like "$REASONS" "$r" "$what: says why ($r)"
	done
	check "$what: the log says so too" grep -q 'reload: failed' "$LOG"
	check "$what: no other candidate is left than one in reserve" wait_for "$PATIENCE" settled
	is "$(worker_pid)" "$worker" "$what: the old worker goes on"
	is "$(timeout 10 cat "$MNT/proc/lxcfsd_sample")" one "$what: the old view is served"
	is "$(mount_line)" "$mount" "$what: the mount is as it was"
	: >"$LOG"
	good
}
last_line() { wc -l <"$INI"; }

echo '[lxcfsd' >>"$INI"
refused "a syntax error" "lxcfsd\.ini:$(last_line)"
good
echo 'colour = red' >>"$INI"
refused "an unknown key" "lxcfsd\.ini:$(last_line).*colour"
ini "plugin_dir = $D/plugins" "no_such_setting = 1" 'threads = many'
refused "two errors at once" 'no_such_setting' 'threads'
printf '\n[plugin gone]\n' >>"$INI"
refused "a missing .so" 'gone\.so'
head -c 5000 "$D/plugins/meminfo.so" >"$D/plugins/cut.so"
printf '\n[plugin cut]\n' >>"$INI"
refused "a truncated .so" 'cut\.so'
: >"$D/plugins/empty.so"
printf '\n[plugin empty]\n' >>"$INI"
refused "an empty .so" 'empty\.so'
echo 'not a shared object at all' >"$D/plugins/text.so"
printf '\n[plugin text]\n' >>"$INI"
refused "a .so that is none" 'text\.so'
for s in other-abi init-fails never-ready sample_dies; do
	cp "$SAMPLES/$s.so" "$D/plugins/"
done
printf '\n[plugin other-abi]\n' >>"$INI"
refused "a .so of another ABI" 'other-abi\.so.*ABI|ABI.*other-abi\.so'
printf '\n[plugin init-fails]\n' >>"$INI"
refused "a plugin whose init fails" 'no luck on day 7'
printf '\n[plugin sample_dies]\n' >>"$INI"
refused "a plugin whose init crashes" '.'
printf '\n[plugin never-ready]\n' >>"$INI"
# and while it is not, it goes first when memory runs out
(sleep 1; for p in $(pgrep -P "$DPID"); do [ "$p" = "$worker" ] || cat "/proc/$p/oom_score_adj"; done) >"$D/score" &
score=1000
[ "$(cat "/proc/$DPID/oom_score_adj")" != -1000 ] || score=-900
refused "one that is never ready" '[Rr][Ee][Aa][Dd][Yy]|[Tt]ime'
is "$(cat "$D/score")" $score "one that is never ready: the first to be killed for memory"
: >"$INI"
refused "an emptied INI" 'no \[plugin NAME\] section'
mv "$INI" "$INI.away"
reload_and_wait
is "$RELOAD" failed "no INI at all: refused"
is "$(worker_pid)" "$worker" "no INI at all: the old worker goes on"
mv "$INI.away" "$INI"

check "afterwards a reload" reload_and_wait
is "$RELOAD" ok "succeeds"
isnt "$(worker_pid)" "$worker" "with a new worker"
kill -TERM $load
wait $load
is "$?" 0 "the readers noticed nothing"
diag "$(cat "$D/load" "$D/load.err")"
finish
