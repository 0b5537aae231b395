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
hide() { mount --bind "$T/empty" "$LIBRARY"; }
bring_back() { umount "$LIBRARY"; }
safe_pid() { pgrep -n -P "$DPID" -x lxcfsd-safe; }
safe_serves() { grep -q 'lxcfsd-safe serves' "$LOG" && safe_pid; }
only_worker() { one_worker && ! safe_pid; }
now_ms() { echo $(($(date +%s%N) / 1000000)); }
host_total() { mem_total </proc/meminfo; }
total_in() { in_container "$1" cat /proc/meminfo | mem_total; }
sees_own() { [ "$(total_in a)" = 131072 ]; }

daemon one
ini 'host_pidns = host' # what the readers of the load see does not change
must_start
MOUNT=$(mount_line)
check "a container starts" container_start a --mem 128M
is "$(total_in a)" 131072 "it sees its own memory"

start_load
hide
worker=$(worker_pid)
began=$(now_ms)
kill -KILL "$worker"
total=$(total_in a)
took=$(($(now_ms) - began))
is "$total" "$(host_total)" "without libfuse3.so and worker: the host's content"
diag "after $took ms"
if [ $took -le 1000 ]; then ok "within a second"; else not_ok "within a second" "$took ms"; fi
bring_back
began=$(now_ms)
check "libfuse3.so is back: its own again" wait_for 5 sees_own
diag "after $(($(now_ms) - began)) ms"
check "lxcfsd-safe has ended" wait_for "$PATIENCE" only_worker
undisturbed "lxcfsd-safe and back"
diag "$(cat "$LOG")"
finish
