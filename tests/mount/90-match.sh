#!/bin/bash
# SPDX-License-Identifier: MIT
# [match]: two containers with different values of one option, changed by reloads.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

daemon one
base() {
	ini
	printf '\n[plugin good]\nmodule = %s/good.so\nword = all\n' "$SAMPLES" >>"$INI"
}
match() { # NAME PATTERN [KEY = VALUE]...
	printf '\n[match %s]\ncgroup = %s\n' "$1" "$2"
	shift 2
	printf '%s\n' "$@"
}
base
must_start
for name in a b; do
	container_start $name --mem 256M --bind "$MNT/proc/meminfo:/proc/meminfo" --bind "$MNT:/mnt" ||
		bail "a container starts" "$(cat "$LOG")"
done
host=$(mem_total </proc/meminfo)

total() { in_container "$1" cat /proc/meminfo | mem_total; }
word() { in_container "$1" cat /mnt/proc/test-good | cut -d " " -f 5; }
reloaded() { # WHEN
	reload_and_wait
	is "$RELOAD" ok "$1: reloaded"
	[ "$RELOAD" = ok ] || diag "$REASONS"
}
sees() { # WHEN CONTAINER KB WORD
	is "$(total "$2")" "$3" "$1: $2 sees $3 kB"
	is "$(word "$2")" "$4" "$1: $2 reads '$4'"
}

sees "no match" a 262144 all
sees "no match" b 262144 all

match only-a "/**/$CG_NAME/a" 'meminfo.enabled = no' 'good.word = only-a' >>"$INI"
match rest "/**/$CG_NAME/*" 'good.word = rest' >>"$INI"
reloaded "two matches"
sees "two matches" a "$host" only-a
sees "two matches" b 262144 rest
worker=$(worker_pid)
kill -KILL "$worker"
check "after a crash: another worker" wait_for "$PATIENCE" other_worker "$worker"
sees "after a crash" a "$host" only-a
sees "after a crash" b 262144 rest

# the other way round; a file that is off but for some
base
sed -i '/^\[plugin meminfo\]/a enabled = no' "$INI"
match b "/**/$CG_NAME/b" 'meminfo.enabled = yes' >>"$INI"
reloaded "another match"
sees "another match" a "$host" all
sees "another match" b 262144 all

# what a failure gives
printf '\n[plugin fails]\nmodule = %s/sample_fails.so\n' "$SAMPLES" >>"$INI"
match a "/**/$CG_NAME/a" 'fails.on_error = eio' >>"$INI"
reloaded "on_error"
check_not "on_error = eio for a: an error" in_container a cat /mnt/proc/version
is "$(in_container b cat /mnt/proc/version)" "$(cat /proc/version)" "b reads the host's file"

match wrong /x 'meminfo.swapp = no' 'memifno.swap = no' >>"$INI"
reload_and_wait
is "$RELOAD" failed "wrong keys: refused"
like "$REASONS" "lxcfsd\.ini:[0-9]+: unknown key 'meminfo\.swapp' in \[match wrong\]: did you mean 'meminfo\.swap'" "says which key"
like "$REASONS" 'no \[plugin memifno\]: did you mean' "and which plugin"
sees "refused" b 262144 all
finish
