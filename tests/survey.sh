# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# SPDX-License-Identifier: MIT
# survey.sh - one row of docs/survival.md: readers and pollers, and something that is done
# to the daemon again and again.
#
# Twelve readers in a container's cgroup, half of them in mount namespaces of their own,
# and where the kernel has PSI two pollers that have pressure all the time.  Each row
# prints a line `# survey: KEY=VALUE...`, of which scripts/survival makes the table.

SURVEY_FILES=(proc/uptime proc/meminfo proc/lxcfsd_whole proc/lxcfsd_whole proc/lxcfsd_whole
	proc/cpuinfo sys/devices/system/cpu/online sys/devices/system/cpu/online
	proc/cpuinfo proc/lxcfsd_whole proc/uptime proc/meminfo)

times() { # SHORT LONG: an emulated machine is ten times as slow
	if [ -z "${LXCFSD_TEST_LONG:-}" ]; then echo "$1"
	elif [ -n "$VM" ]; then echo $((($2 + 9) / 10))
	else echo "$2"
	fi
}

survey_begin() { # the daemon, with a plugin of the suites and triggers; SURVEY_START starts it
	daemon "$1"
	shift
	ini "$@"
	sed -i 's/^\[plugin pressure\]$/&\ntriggers = yes/' "$INI"
	printf '\n[plugin whole]\nmodule = %s/sample_whole.so\n' "$SAMPLES" >>"$INI"
	mkdir -p "$D/bin"
	cp "$BUILD"/lxcfsd "$BUILD"/lxcfsd-worker "$D/bin/"
	ln -s "$BUILD/plugins" "$D/bin/plugins"
	LXCFSD=$D/bin/lxcfsd
	"${SURVEY_START:-must_start}" || bail "the daemon starts" "$(cat "$LOG")"
	survey_places
}

# Where the readers and the pollers are; the daemon serves.
survey_places() {
	MOUNT=$(mount_line)
	NO_POLLERS=''
	survey_pressure || diag "no pollers: $NO_POLLERS"
	cg_make readers || bail "a cgroup for the readers"
	cg_set readers mem $((512 << 20))
}

# A cgroup that waits for its CPUs all the time, because it has more to do than they and is
# the last in the queue.  It has no relatives: beside a cgroup that is throttled, or is the
# only one of its parent's that runs, whoever else shares the CPU may wait for most of a
# second (Linux 6.18; others than we as well, so it is not our stall).
# NO_POLLERS: why there is none.
survey_pressure() {
	local unified
	unified=$(awk '$4 == "/" && / - cgroup2 / { print $5 }' /proc/self/mountinfo | tail -n 1)
	if ! cat /proc/pressure/cpu >/dev/null 2>&1; then NO_POLLERS='no PSI'
	elif [ -z "$unified" ]; then NO_POLLERS='no cgroup2'
	elif ! wait_for "$PATIENCE" mount_line "$MNT/proc/pressure"; then NO_POLLERS='no inner mount'
	fi
	[ -z "$NO_POLLERS" ] || return 1
	[ "$CG_MODE" = v2 ] || CG_DIRS+=("$unified")
	NO_POLLERS='cgroups have no pressure'
	CG_NAMES+=("${CG_NAME}_pressed")
	pressed cg_make all && pressed cg_set . weight 2 &&
		[ -e "$unified/${CG_NAME}_pressed/all/cpu.pressure" ] && NO_POLLERS=''
}
pressed() { CG_NAME=${CG_NAME}_pressed "$@"; }
pressed_end() {
	local CG_NAMES=("${CG_NAME}_pressed")
	cg_kill
}

survey_load() { # TARGET-MS, or -
	local target=${1:--}
	rm -f "$D/ready" "$D/ready.polls"
	(cg_join readers && exec "$TOOLS/readload" --readers 12 --hang-ms "${HANG_MS:-15000}" --pause-ms "${PAUSE_MS:-0}" \
		--tell-ms "${TELL_MS:-0}" --target-ms "${target/#-/0}" --ready "$D/ready" "$MNT" "${SURVEY_FILES[@]}") >"$D/load" 2>"$D/load.err" &
	LOAD=$!
	POLLS='' SPIN=''
	if [ -z "$NO_POLLERS" ]; then
		(pressed cg_join all && exec "$TOOLS/pollload" --ready "$D/ready.polls" "$MNT" \
			proc/pressure/cpu 'some 100000 2000000') >"$D/polls" 2>"$D/polls.err" &
		POLLS=$!
		wait_for "$PATIENCE" test -e "$D/ready.polls" || bail "the pollers start" "$(cat "$D/polls.err")"
		(pressed cg_join all && exec "$TOOLS/churn" --spin $((2 * $(nproc)))) &
		SPIN=$!
	fi
	wait_for "$PATIENCE" test -e "$D/ready" || bail "the readers start" "$(cat "$D/load.err")"
}

polls_say() { # KEY
	sed -n "s/.*\"$1\":\([0-9.]*\).*/\1/p" "$D/polls"
}

survey_unload() {
	end_load
	if [ -n "$POLLS" ]; then
		kill -TERM "$POLLS"
		wait "$POLLS"
		kill -KILL "$SPIN" # its children go with it
		wait "$SPIN" 2>/dev/null
		pressed_end
		diag "$(cat "$D/polls" "$D/polls.err")"
	fi
}

survey_say() { # ROW COUNT TARGET
	local events=- missed=-
	[ -z "$POLLS" ] || { events=$(polls_say events) missed=$(polls_say missed); }
	echo "# survey: kernel=$(uname -r) cgroup=$CG_KIND vm=${VM:+yes} row=$1 count=$2" \
		"calls=$(load_says ops) failed=$(load_says failed) torn=$(load_says torn)" \
		"hung=$(load_says hung) events=$events missed=$missed" \
		"stall=$(load_says max_stall_ms) noise=$(load_says noise_ms) over=$(load_says over) target=$3"
}

# MS, and what the machine has made anybody wait, who was not one of twelve.
stall_below() {
	awk -v s="$(load_says max_stall_ms)" -v n="$(load_says noise_ms)" -v b="$1" \
		'BEGIN { print s, n, b; exit !(s < b + 4 * n) }'
}

# ROW COUNT TARGET-MS BOUND-MS CMD...: the command COUNT times.  Counts are strict; the
# bound is generous, because machines are not quiet.
survey_row() {
	local row=$1 count=$2 target=$3 bound=$4 good=0 i
	shift 4
	survey_load "$target"
	for ((i = 0; i < count; i++)); do
		"$@" && good=$((good + 1))
	done
	wait_for "$PATIENCE" serving
	survey_unload
	survey_say "$row" "$count" "$target"
	is $good "$count" "$row: $count times"
	is "$(load_says failed) failed, $(load_says torn) torn, $(load_says hung) hung" \
		"0 failed, 0 torn, 0 hung" "$row: no reader noticed"
	[ "$LOAD_STATUS" = 0 ] || diag "$(grep -v 'serving again' "$LOG" | tail -n 40)"
	is "$LOAD_STATUS" 0 "$row: all readers ended by themselves"
	check "$row: they did read" test "$(load_says ops)" -gt 1000
	if [ -n "$POLLS" ]; then
		is "$(polls_say missed) missed, $(polls_say poll_failed) failed" \
			"0 missed, 0 failed" "$row: no poller missed anything"
	else
		skip "$row: no poller missed anything" "$NO_POLLERS"
	fi
	check "$row: the longest stall is bounded" \
		stall_below "$bound"
	check "$row: no request waits in the kernel" wait_for "$PATIENCE" nothing_waits
	is "$(mount_line)" "$MOUNT" "$row: the mount is as it was"
}

CG_KIND=$CG_MODE
[ "$CG_MODE" != v1 ] || ! grep -q ' - cgroup2 ' /proc/self/mountinfo || CG_KIND=hybrid
