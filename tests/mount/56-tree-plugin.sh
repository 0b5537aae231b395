#!/bin/bash
# SPDX-License-Identifier: MIT
# A plugin's tree, when the plugin does well and when it does not.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
HOST=/sys/kernel/mm
[ -d $HOST/transparent_hugepage ] || skip_all "this kernel has no $HOST/transparent_hugepage"
ASAN_OPTIONS+=:handle_abort=0
daemon one
with() { # KEY = VALUE
	ini
	printf '\n[plugin sample_tree]\nmodule = %s/sample_tree.so\n%s\n' "$SAMPLES" "$1" >>"$INI"
}
with ''
must_start
container_start box --bind "$MNT$HOST:/mnt" || bail "a container starts" "$(cat "$LOG")"
box() { in_container box timeout 60 "$@" 2>&1; }

is "$(box ls /mnt | tr '\n' ' ')" "fine link many " "its names"
is "$(box cat /mnt/fine)" fine "its text"
is "$(box readlink /mnt/link)" fine "its link"
is "$(box cat /mnt/link)" fine "which can be followed"
is "$(box find /mnt/many -mindepth 1 -maxdepth 1 -printf '%f\n' | sort -u | wc -l)" 5000 "5000 names, each once"
is "$(box stat -c %a /mnt/shy)" 400 "more than reading is never allowed"
like "$(box readlink /mnt/nowhere)" '^$' "a link without a target is none"
like "$(box stat /mnt/absent)" 'No such file' "what it does not have is not there"

# a failure: what the host has, or an error
is "$(box ls /mnt/transparent_hugepage/enabled)" /mnt/transparent_hugepage/enabled "it fails: the host's, and what is below"
like "$(box stat /mnt/odd)" 'No such file' "it gives nonsense: the host has no such thing"
like "$(box cat /mnt/mute)" 'Input/output error' "its text fails and the host has none: an error"
with 'on_error = eio'
reload_and_wait
is "$RELOAD" ok "on_error = eio"
like "$(box stat /mnt/transparent_hugepage)" 'Input/output error' "it fails: an error"
is "$(box cat /mnt/fine)" fine "all else goes on"

# what crashes every worker that asks is in the end answered without the plugin
with ''
reload_and_wait
is "$RELOAD" ok "on_error = host"
before=$(grep -c died "$LOG")
like "$(box stat /mnt/crash)" 'No such file' "a name that crashes its worker: the host has none"
is $(($(grep -c died "$LOG") - before)) 2 "after two crashes"
is "$(box cat /mnt/fine)" fine "and all else goes on"
finish
