# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# SPDX-License-Identifier: MIT
# lib.sh - what the suites share: TAP, daemons, cgroups, containers.
#
# A test sources this, makes its checks, and calls `finish`, which takes down
# whatever was started and checks that nothing is left.  Only what was started
# here is ever killed, by its pid.  Nothing is proven by having slept.

set -u
shopt -s nullglob
export LC_ALL=C.UTF-8
: "${BUILD:?is run by tests/run}"

LXCFSD=$BUILD/lxcfsd
TOOLS=$BUILD/tests
SAMPLES=$BUILD/tests/plugins
VM=${LXCFSD_TEST_VM:-}
PATIENCE=${LXCFSD_TEST_PATIENCE:-20} # seconds for anything that should take none
[ -z "$VM" ] || PATIENCE=$((PATIENCE * 5))
ulimit -c 0
T=$(mktemp -d /tmp/lxcfsd_test.XXXXXX) || exit 1
chmod 755 "$T" # readers without privileges look in here
export ASAN_OPTIONS=log_path=$T.sanitizer UBSAN_OPTIONS=log_path=$T.sanitizer:print_stacktrace=1

# ------------------------------------------------------------------------ TAP

tap_count=0 tap_failed=0
ok() { tap_count=$((tap_count + 1)) && echo "ok $tap_count - $1"; }
not_ok() { # DESCRIPTION [DETAIL]
	tap_count=$((tap_count + 1)) tap_failed=$((tap_failed + 1))
	echo "not ok $tap_count - $1"
	[ -z "${2:-}" ] || diag "$2"
}
skip() { tap_count=$((tap_count + 1)) && echo "ok $tap_count - $1 # SKIP $2"; }
diag() { printf '%s\n' "$*" | tail -n 40 | sed 's/^/#   /'; }
is() { # GOT WANTED DESCRIPTION
	if [ "$1" = "$2" ]; then ok "$3"; else not_ok "$3" "got:    $1"$'\n'"wanted: $2"; fi
}
isnt() { # GOT UNWANTED DESCRIPTION
	if [ "$1" != "$2" ]; then ok "$3"; else not_ok "$3" "got: $1"; fi
}
like() { # GOT REGEX DESCRIPTION
	if [[ $1 =~ $2 ]]; then ok "$3"; else not_ok "$3" "got: $1"$'\n'"wanted something like: $2"; fi
}
check() { # DESCRIPTION CMD...: the command succeeds
	local description=$1 rc
	shift
	"$@" >"$T/check.out" 2>&1 # in this shell: what the command sets stays set
	rc=$?
	if [ $rc = 0 ]; then ok "$description"; else not_ok "$description" "$* : status $rc"$'\n'"$(cat "$T/check.out")"; fi
}
check_not() { # DESCRIPTION CMD...: the command fails
	local description=$1
	shift
	if "$@" >/dev/null 2>&1; then not_ok "$description" "$* succeeded"; else ok "$description"; fi
}
skip_all() {
	rm -rf "$T"
	trap - EXIT
	echo "1..0 # SKIP $1"
	exit 0
}
bail() { # REASON: no point in going on
	not_ok "$1" "${2:-}"
	finish
}

# Virtual machines are emulated: what does not depend on the kernel, or needs a machine
# that keeps time, is run there only when there is time for it.
long_in_vm() {
	[ -z "$VM" ] || [ -n "${LXCFSD_TEST_LONG:-}" ] ||
		skip_all "in a virtual machine only with LXCFSD_TEST_LONG=1"
}

# For those of the suite containers that the suite delegated is made of: short of time,
# machines share the work.
long_in_vm_6_1() {
	[[ $(uname -r) != 6.1.* ]] || long_in_vm
}

only_long() {
	[ -n "${LXCFSD_TEST_LONG:-}" ] || skip_all "only with LXCFSD_TEST_LONG=1"
}

wait_for() { # SECONDS CMD...: until the command succeeds
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}
not() { ! "$@"; }
alive() { kill -0 "$1" 2>/dev/null && [ "$(awk '/^State/ { print $2 }' "/proc/$1/status" 2>/dev/null)" != Z ]; }

# -------------------------------------------------------------------- daemons

declare -A DAEMONS=() # name -> pid of the keeper

daemon() { # NAME: the one that the functions below speak of
	DNAME=$1 D=$T/$1
	MNT=$D/mnt RUNDIR=$D/run INI=$D/lxcfsd.ini LOG=$D/log PIDFILE=$D/pid
	DPID=${DAEMONS[$1]:-}
	mkdir -p "$MNT" "$RUNDIR"
}

# The machine's own containers are left alone, whatever has died under them.
ini() { # ['KEY = VALUE']...: [lxcfsd] with these, then all plugins that need no key
	local p
	{
		echo '[lxcfsd]'
		[[ $* == *reattach* ]] || echo 'reattach = own'
		[ $# = 0 ] || printf '%s\n' "$@"
		for p in "$BUILD"/plugins/*.so; do
			p=${p##*/}
			[ "$p" = text.so ] || printf '\n[plugin %s]\n' "${p%.so}"
		done
	} >"$INI"
}

mount_line() { # [MOUNTPOINT]: of /proc/self/mountinfo
	awk -v m="${1:-$MNT}" '$5 == m { l = $0 } END { if (l == "") exit 1; print l }' /proc/self/mountinfo
}
# the kernel keeps attributes for a second, also of a server that is dead: stat(2) proves nothing
serving() { mount_line && timeout 5 stat -f "$MNT" && timeout 5 stat "$MNT/proc"; }
serving_or_dead() { serving || ! alive "$DPID"; }

start_daemon() { # [OPTION]...: in the foreground mode; waits until it serves
	[ -e "$INI" ] || ini
	"$LXCFSD" -f -c "$INI" -p "$PIDFILE" --runtime-dir "$RUNDIR" "$@" "$MNT" >>"$LOG" 2>&1 &
	DPID=$!
	DAEMONS[$DNAME]=$DPID
	wait_for "$PATIENCE" serving_or_dead && serving >/dev/null 2>&1
}
must_start() {
	start_daemon "$@" || bail "the daemon starts" "$(cat "$LOG")"
}

stop_daemon() { # by SIGTERM; STOP_STATUS is its exit status
	local pid=$DPID workers
	STOP_STATUS=''
	[ -n "$pid" ] || return 0
	workers=$(pgrep -P "$pid" -x lxcfsd-worker)
	kill -TERM "$pid" 2>/dev/null
	if ! wait_for "$PATIENCE" not alive "$pid"; then
		diag "$DNAME does not end"
		# shellcheck disable=SC2086 # pids
		kill -KILL "$pid" $workers 2>/dev/null
		abort_connection
	fi
	wait "$pid" 2>/dev/null
	STOP_STATUS=$?
	unset "DAEMONS[$DNAME]"
	DPID=''
}

# WORKERS: those of the keeper's that have a connection, the newest last; CANDIDATES: those
# that wait for it, or load.  Not by pgrep: it looks at all processes there are, which
# readers whose stalls are measured have to wait for.
find_workers() {
	local children='' name p f
	WORKERS=() CANDIDATES=()
	read -r children 2>/dev/null <"/proc/$DPID/task/$DPID/children"
	for p in $children; do
		name=''
		{ read -r name <"/proc/$p/comm"; } 2>/dev/null
		[ "$name" = lxcfsd-worker ] || continue
		for f in "/proc/$p"/fd/*; do
			[ "$f" -ef /dev/fuse ] && WORKERS+=("$p") && continue 2
		done
		CANDIDATES+=("$p")
	done
}
worker_pid() { find_workers; [ ${#WORKERS[@]} -gt 0 ] && echo "${WORKERS[-1]}"; }
one_worker() { find_workers; [ ${#WORKERS[@]} = 1 ]; }
# none is left to take over, not even one in reserve
kill_workers() { find_workers; kill -KILL "${WORKERS[@]}" "${CANDIDATES[@]}"; }
# one serves, and one is in reserve
settled() { one_worker && [ ${#CANDIDATES[@]} = 1 ] && waits_for_go "${CANDIDATES[0]}"; }
waits_for_go() { # PID: it has said READY and sleeps on the control socket
	[ "$(awk '/^Threads/ { print $2 }' "/proc/$1/status")" = 1 ] && grep -qE 'recv|packet' "/proc/$1/wchan"
} 2>/dev/null
other_worker() { local w; w=$(worker_pid) && [ "$w" != "$1" ] && one_worker; }

reload_count() { awk 'NR == 1 { print $1; exit }' "$RUNDIR/lxcfsd/last-reload" 2>/dev/null; }
reload_ended() { local n; n=$(reload_count) && [ "${n:-0}" -gt "$1" ]; }

reload_and_wait() { # [SIGNAL]: RELOAD is `ok` or `failed`, REASONS the lines that follow
	local before
	before=$(reload_count)
	RELOAD='' REASONS=''
	kill "-${1:-USR1}" "$DPID" || return 1
	wait_for "$PATIENCE" reload_ended "${before:-0}" || { RELOAD=none && return 1; }
	RELOAD=$(awk 'NR == 1 { print $2; exit }' "$RUNDIR/lxcfsd/last-reload")
	REASONS=$(tail -n +2 "$RUNDIR/lxcfsd/last-reload")
}

# -- the connection, by way of fusectl

FUSECTL=/sys/fs/fuse/connections
fusectl_mounted=0
need_fusectl() {
	mountpoint -q $FUSECTL && return
	mount -t fusectl fusectl $FUSECTL && fusectl_mounted=1
}
connection() { # its directory in fusectl
	local device
	need_fusectl
	device=$(mount_line | awk '{ print $3 }') && [ -n "$device" ] && echo "$FUSECTL/${device#*:}"
}
waiting() { cat "$(connection)/waiting"; }
nothing_waits() { [ "$(waiting)" = 0 ]; }
abort_connection() {
	local c
	c=$(connection) && [ -w "$c/abort" ] && echo 1 >"$c/abort"
}

# -------------------------------------------------------------------- cgroups

declare -A CG_DIR=() # controller -> where its hierarchy is mounted
CG_DIRS=()           # each of these once
CG_MODE=''
CG_NAME=lxcfsd_test_$$
CG_NAMES=("$CG_NAME") # what is taken down in the end

cg_find() {
	local kind point options c d
	[ -z "$CG_MODE" ] || return 0
	while read -r kind point options; do
		if [ "$kind" = cgroup2 ]; then
			[[ " $(cat "$point/cgroup.controllers") " == *' memory '* ]] || continue
			CG_MODE=v2 CG_DIRS=("$point")
			for c in memory cpu cpuacct cpuset io pids; do CG_DIR[$c]=$point; done
			return
		fi
		for c in memory cpu cpuacct cpuset blkio pids; do
			[[ ,$options, == *,$c,* ]] || continue
			[ -z "${CG_DIR[$c]:-}" ] || continue
			CG_MODE=v1 CG_DIR[$c]=$point
			for d in ${CG_DIRS[@]+"${CG_DIRS[@]}"}; do [ "$d" != "$point" ] || continue 2; done
			CG_DIRS+=("$point")
		done
	done < <(awk '$4 == "/" {
		for (i = 7; $i != "-"; i++);
		if ($(i + 1) ~ /^cgroup2?$/) print $(i + 1), $5, $(i + 3) }' /proc/self/mountinfo | sort)
	[ -n "$CG_MODE" ]
}
cg_find || echo '# no cgroups with memory were found'

cg_make() { # PATH: below the test's own cgroup, with all controllers
	local d part parent c has
	[ -n "$CG_MODE" ] || return 1
	for d in "${CG_DIRS[@]}"; do
		parent=$d
		for part in "$CG_NAME" ${1//\// }; do
			if [ "$CG_MODE" = v2 ]; then
				has=''
				read -r has <"$parent/cgroup.subtree_control"
				for c in memory cpu cpuset io pids; do
					[[ " $has " == *" $c "* ]] ||
						echo "+$c" >"$parent/cgroup.subtree_control" || return 1
				done
			fi
			[ -d "$parent/$part" ] || mkdir -p "$parent/$part" || return 1
			if [ "$CG_MODE" = v1 ] && [ "$d" = "${CG_DIR[cpuset]}" ]; then
				for c in cpuset.cpus cpuset.mems; do
					read -r has <"$parent/$part/$c" && [ -n "$has" ] && continue
					read -r has <"$parent/$c" && echo "$has" >"$parent/$part/$c" || return 1
				done
			fi
			parent=$parent/$part
		done
	done
}

cg_set() { # PATH mem|cpus|quota|weight VALUE
	local memory=${CG_DIR[memory]}/$CG_NAME/$1 cpuset=${CG_DIR[cpuset]}/$CG_NAME/$1
	local cpu=${CG_DIR[cpu]}/$CG_NAME/$1
	case $CG_MODE-$2 in
	v1-mem) echo "$3" >"$memory/memory.limit_in_bytes" ;;
	v2-mem) echo "$3" >"$memory/memory.max" ;;
	*-cpus) echo "$3" >"$cpuset/cpuset.cpus" ;;
	v1-quota) echo "${3#*/}" >"$cpu/cpu.cfs_period_us" && echo "${3%/*}" >"$cpu/cpu.cfs_quota_us" ;;
	v2-quota) echo "${3%/*} ${3#*/}" >"$cpu/cpu.max" ;;
	v1-weight) echo "$3" >"$cpu/cpu.shares" ;;
	v2-weight) echo "$3" >"$cpu/cpu.weight" ;;
	*) return 1 ;;
	esac
}

cg_join() { # PATH [PID]
	local d
	for d in "${CG_DIRS[@]}"; do
		echo "${2:-$BASHPID}" >"$d/$CG_NAME/$1/cgroup.procs" || return 1
	done
}

cg_tops() {
	local d n
	for d in ${CG_DIRS[@]+"${CG_DIRS[@]}"}; do
		for n in "${CG_NAMES[@]}"; do [ ! -d "$d/$n" ] || echo "$d/$n"; done
	done
}
cg_remove_once() {
	local top
	while read -r top; do find "$top" -depth -type d -exec rmdir {} \; 2>/dev/null; done < <(cg_tops)
	[ -z "$(cg_tops)" ]
}

cg_kill() { # whoever is still in the test's own cgroups was put there by it
	local top p
	while read -r top; do
		while read -r p; do
			[ "$p" = 0 ] || kill -KILL "$p" 2>/dev/null
		done < <(find "$top" -name cgroup.procs -exec cat {} + 2>/dev/null)
	done < <(cg_tops)
}

# ----------------------------------------------------------------- containers

declare -A C_PID=() C_CGROUP=() C_OUTER=() # name -> its init, its cgroup, its unshare

# A real container: cgroups, namespaces, and the daemon's files over its /proc.
# The limits are those of NAME's cgroup; --cgroup puts its processes further down.
# Without --bind it gets every file of MNT/proc that it has itself.
container() { # NAME [--mem BYTES] [--cpus LIST] [--quota N/M] [--cgroup BELOW] [--bind FROM:TO]... -- CMD...
	local name=$1 place=$1 f box=() sets=() bound=0
	shift
	while [ "$1" != -- ]; do
		case $1 in
		--mem | --cpus | --quota) sets+=("${1#--}=$2") ;;
		--cgroup) place=$name/$2 ;;
		--bind) box+=("$1" "$2") && bound=1 ;;
		--pidfile) box+=("$1" "$2") ;;
		*) echo "container: $1?" >&2 && return 99 ;;
		esac
		shift 2
	done
	if [ $bound = 0 ]; then
		for f in "$MNT"/proc/*; do
			[ ! -f "$f" ] || [ ! -f "/proc/${f##*/}" ] || box+=(--bind "$f:/proc/${f##*/}")
		done
	fi
	cg_make "$place" || return 99
	for f in ${sets[@]+"${sets[@]}"}; do
		cg_set "$name" "${f%%=*}" "${f#*=}" || return 99
	done
	for f in "${CG_DIRS[@]}"; do box+=(--join "$f/$CG_NAME/$place/cgroup.procs"); done
	"$TOOLS/box" "${box[@]}" "$@"
}

is_there() { [ -e "$1" ]; }
container_start() { # as container, without `-- CMD`: stays until container_stop; C_INIT: its sleep(1)
	local name=$1 i
	rm -f "$T/pid.$name"
	C_CGROUP[$name]=$name
	for ((i = 2; i < $#; i++)); do
		[ "${!i}" != --cgroup ] || { i=$((i + 1)) && C_CGROUP[$name]=$name/${!i}; }
	done
	container "$@" --pidfile "$T/pid.$name" -- "${C_INIT:-sleep}" 1000000 2>"$T/err.$name" &
	C_OUTER[$name]=$!
	wait_for "$PATIENCE" is_there "$T/pid.$name" || { diag "$(cat "$T/err.$name")" && return 1; }
	read -r "C_PID[$name]" <"$T/pid.$name"
	kill -0 "${C_PID[$name]}" 2>/dev/null || { diag "$(cat "$T/err.$name")" && return 1; }
}

in_container() { # NAME CMD...: as `docker exec` does it: cgroup and namespaces
	local name=$1
	shift
	(
		cg_join "${C_CGROUP[$name]}" || exit 99
		exec nsenter -t "${C_PID[$name]}" -m -p -u -i -- "$@"
	)
}

container_stop() { # NAME
	[ -z "${C_PID[$1]:-}" ] || kill -KILL "${C_PID[$1]}" 2>/dev/null
	wait "${C_OUTER[$1]}" 2>/dev/null
	unset "C_PID[$1]" "C_OUTER[$1]" "C_CGROUP[$1]"
}

mem_total() {
	local key value rest
	while read -r key value rest; do
		[ "$key" != MemTotal: ] || { echo "$value" && return; }
	done
}
processors() { grep -c '^processor'; }

# -------------------------------------------------------------------- the end

cleaned=0
clean_up() { # prints what could not be taken down
	local name m
	[ $cleaned = 0 ] || return 0
	cleaned=1
	for name in "${!C_OUTER[@]}"; do container_stop "$name"; done
	cg_kill
	for name in "${!DAEMONS[@]}"; do
		daemon "$name"
		stop_daemon
	done
	for name in $(jobs -p); do
		kill "$name" 2>/dev/null && echo "still running: a background job"
	done
	awk -v t="$T/" 'index($5, t) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r m; do
		echo "still mounted: $m"
		umount -l "$m"
	done
	if [ -n "$CG_MODE" ] && ! wait_for 10 cg_remove_once; then
		echo "still there: the cgroup $(cg_tops)"
	fi
	pgrep -af -- "$T/" | grep -v "^$$ " | sed 's/^/still running: /'
	[ $fusectl_mounted = 0 ] || umount $FUSECTL
	rm -rf --one-file-system "$T"
}
finish() {
	clean_up >"$T.left" 2>&1
	is "$(cat "$T.left")" "" "nothing is left mounted, running or in the cgroup tree"
	[ -z "$(compgen -G "$T.sanitizer*")" ] || not_ok "no sanitizer complained" "$(cat "$T".sanitizer*)"
	rm -f "$T.left" "$T".sanitizer*
	trap - EXIT
	echo "1..$tap_count"
	exit $((tap_failed > 0))
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
