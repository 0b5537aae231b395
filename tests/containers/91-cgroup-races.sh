#!/bin/bash
# SPDX-License-Identifier: MIT
# The cgroup view while cgroups are renamed, removed and made anew below who walks in it:
# what is seen is always the container's own.  And what a container binds of it elsewhere.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../cgview.sh"

long_in_vm
daemon one
must_start
BIND=$MNT/cgroup:/mnt
# Neighbours whose names are prefixes of one another, with the same names below.
NAMES=(x_1 x_10)
declare -A BASE=([x_1]=$((64 << 20)) [x_10]=$((128 << 20)))
for c in "${NAMES[@]}"; do
	container_start "$c" --bind "$BIND" || bail "the container $c starts"
	mark "$c" "${BASE[$c]}"
	mark "$c/only_$c" "${BASE[$c]}"
	check "$c has cgroups, each with a number of its own" /usr/bin/python3 "$RACE" make "$M/$c" "$NUMBER" "${BASE[$c]}"
done

# -------------------------------------------------- whose processes are in them

# Other numbers than in the first, so that they are told apart.
inside x_10 sh -c 'i=0; while [ $i -lt 100 ]; do (:); i=$((i + 1)); done'
sleepers x_1 3 || bail "three processes of the first"
own=("${HOST_PIDS[@]}")
sleepers x_10 3 || bail "three of the second"
others=("${HOST_PIDS[@]}")
sleep 1000000 &
stranger=$!
case $CG_MODE in
v1) places=(n n1 top/in/deep) ;;
v2) places=(only_x_1 only_x_1 only_x_1) ;; # the others are removed
esac
for i in 0 1 2; do
	check "its own and another's process are in ${places[i]}" \
		eval "move x_1/${places[i]} ${own[i]} && move x_1/${places[i]} ${others[i]}"
done
check "and one of the host" move "x_1/${places[0]}" $stranger
numbers=()
for p in "${own[@]}"; do numbers+=("$(inner "$p")"); done
is "$(for p in "${own[@]}" "${others[@]}" $stranger; do inner "$p"; done | sort -u | wc -l)" 7 "no two of these have the same number"
case $CG_MODE in
v1)
	swapped=${numbers[0]},${numbers[1]}
	pids=("n=$swapped" "n1=$swapped" "n10=$swapped" "deep=${numbers[2]}") ;;
v2) pids=("only_x_1=${numbers[0]},${numbers[1]},${numbers[2]}") ;;
esac
pids+=("=1") # init is in the container's own

# ------------------------------------------------------------------------- races

seconds=5
declare -A REST=([rename]=10 [remove]=10 [swap]=0) # milliseconds
[ -z "$VM" ] || { seconds=40 && REST=([rename]=3000 [remove]=1000 [swap]=30); } # emulated
[ -z "${LXCFSD_TEST_LONG:-}" ] || seconds=60
declare -A WALKS=()
CHURNS=()
walker() { # TITLE NAME OTHER BY [NAME=PIDS]...: BY is words of a command, or ''
	local title=$1 name=$2 other=$3 by=$4
	shift 4
	# shellcheck disable=SC2086 # words
	inside "$name" $by /usr/bin/python3 - walk "$AT" "$NUMBER" "${BASE[$name]}" "$other" "$T/ready.$title" "$T/enough" "$@" \
		<"$RACE" >"$T/walk.$title" 2>&1 &
	WALKS[$title]=$!
}
chmod 1777 "$T" # all of them say there that they have begun
walker root x_1 x_10 '' "${pids[@]}"
walker nobody x_1 x_10 'setpriv --reuid 65534 --regid 65534 --clear-groups' "${pids[@]}"
walker userns x_1 x_10 'unshare -U -r' "${pids[@]}"
walker neighbour x_10 x_1 '' =1
for title in "${!WALKS[@]}"; do
	check "$title has been everywhere once" wait_for "$PATIENCE" is_there "$T/ready.$title"
done
begin() { # TURN NAME: CHURNS
	/usr/bin/python3 "$RACE" "$1" "$M/$2" "$NUMBER" "${BASE[$2]}" "$T/end" "${REST[$1]}" >>"$T/churn" 2>&1 &
	CHURNS+=($!)
}
end_all() {
	local p
	: >"$T/end"
	for p in "${CHURNS[@]}"; do
		wait "$p"
		is "$?" 0 "cgroups were renamed or removed and made anew meanwhile"
	done
	diag "$(cat "$T/churn")"
	rm "$T/end" "$T/churn"
	CHURNS=()
}
case $CG_MODE in
v1) turns=(rename swap) ;;
v2) turns=(remove) ;; # the kernel renames none
esac
for turn in "${turns[@]}"; do
	for c in "${NAMES[@]}"; do begin "$turn" "$c"; done
done
sleep $seconds
: >"$T/enough"
for title in root nobody userns neighbour; do
	wait "${WALKS[$title]}"
	is "$?" 0 "$title walks for $seconds s: always its own"
	diag "$title: $(cat "$T/walk.$title")"
done
end_all
begin "${turns[-1]}" x_1
inside x_1 /usr/bin/python3 - held "$AT" "$NUMBER" "${BASE[x_1]}" $((seconds / 2 + 1)) <"$RACE" >"$T/held" 2>&1
is "$?" 0 "what is held open is never another one, whatever has its name"
diag "$(cat "$T/held")"
end_all
is "$(inside x_1 bash -c "all_cgroups $AT")" "$(all_cgroups "$M/x_1")" "all are found when that is over"
kill $stranger "${own[@]}"
wait $stranger 2>/dev/null
finish
