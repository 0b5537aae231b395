#!/bin/bash
# SPDX-License-Identifier: MIT
# The .so of a running daemon is replaced, or made garbage.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

daemon one
mkdir "$D/plugins"
cp "$BUILD"/plugins/*.so "$D/plugins/"
cp "$SAMPLES/sample_one.so" "$D/plugins/sample.so"
ini "plugin_dir = $D/plugins"
printf '\n[plugin sample]\n' >>"$INI"
must_start
worker=$(worker_pid)
shown() { timeout 10 cat "$MNT/proc/lxcfsd_sample"; }

is "$(shown)" one "the first version serves"
inode=$(stat -c %i "$D/plugins/sample.so")
cat "$SAMPLES/sample_two.so" >"$D/plugins/sample.so"
is "$(stat -c %i "$D/plugins/sample.so")" "$inode" "the new one was written into the same file"
is "$(shown)" one "the first version still serves"
reload_and_wait
is "$RELOAD" ok "reload"
is "$(shown)" two "the second version serves"
cp "$SAMPLES/sample_one.so" "$D/plugins/sample.so.new" && mv "$D/plugins/sample.so.new" "$D/plugins/sample.so"
reload_and_wait
is "$(shown)" one "one that was renamed over it serves"
for v in two one two one; do
	cp "$SAMPLES/sample_$v.so" "$D/plugins/sample.so"
	reload_and_wait
	is "$(shown)" $v "and again"
done

isnt "$(worker_pid)" "$worker" "each time a new worker"
worker=$(worker_pid)
for p in "$D"/plugins/*.so; do
	head -c "$(stat -c %s "$p")" /dev/urandom >"$D/garbage"
	cat "$D/garbage" >"$p"
done
broken=0
for _ in 1 2 3 4 5 6 7 8 9 10; do
	for f in "$MNT"/proc/*; do
		[ -d "$f" ] || timeout 10 cat "$f" >/dev/null || broken=$((broken + 1))
	done
done
is $broken 0 "all plugins garbage: every file is read"
is "$(worker_pid)" "$worker" "all plugins garbage: no worker died"
for p in "$D"/plugins/*.so; do truncate -s 0 "$p"; done
for f in "$MNT"/proc/*; do
	[ -d "$f" ] || check "all plugins empty: ${f##*/}" timeout 10 cat "$f"
done
is "$(worker_pid)" "$worker" "all plugins empty: no worker died"
reload_and_wait
is "$RELOAD" failed "a reload with these is refused"
is "$(worker_pid)" "$worker" "and the worker goes on"
is "$(shown)" one "with what it had"
finish
