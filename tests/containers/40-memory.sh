#!/bin/bash
# SPDX-License-Identifier: MIT
# A container that takes and gives back memory, in all ways and beyond a limit that
# is lowered: what it reads fits together, always, and the files agree.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
long_in_vm

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
golden=$(realpath "$(dirname "$0")/../golden")
ROUNDS=300 HIGH=96 LOW=24
[ -z "$VM" ] || ROUNDS=40 # what is checked is one process for each text: slow there
limit=${CG_DIR[memory]}/$CG_NAME/busy
case $CG_MODE in
v1) limit=$limit/memory.limit_in_bytes ;;
v2) limit=$limit/memory.max ;;
esac
page=$(($(getconf PAGESIZE) / 1024))

daemon one
ini 'cache_ms = 0' # each read is of now
must_start
mkdir "$D/load"
check "a container with memory that comes and goes" container busy --mem ${HIGH}M -- \
	"$TOOLS/memload" $ROUNDS "$limit" $HIGH $LOW "$D/load" \
	/proc/meminfo /proc/swaps /proc/vmstat /proc/meminfo
count=$((ROUNDS * 3 / 2))
is "$(find "$D/load" -name '*.3' | wc -l)" $count "all rounds were made"

property() { # PATH INDEX
	local n
	for ((n = 0; n < count; n++)); do
		awk -v path="$1" -f "$golden/properties.awk" "$D/load/$n.$2" || { echo "snapshot $n" && return 1; }
	done
}
check "meminfo fits together, $count times" property /proc/meminfo 0
check "swaps as well" property /proc/swaps 1
check "vmstat as well" property /proc/vmstat 2
# Read one after the other: comparable where nothing changed meanwhile.
agreed=0
agree() {
	local n
	for ((n = 0; n < count; n++)); do
		cmp -s "$D/load/$n.0" "$D/load/$n.3" || continue
		agreed=$((agreed + 1))
		awk -v page="$page" -f "$golden/agree.awk" "$D/load/$n".{0,1,2} || { echo "snapshot $n" && return 1; }
	done
}
check "meminfo, swaps and vmstat agree" agree
check "in $agreed of $count snapshots, which is enough" [ $((agreed * 2)) -gt $count ]
lowest=$(cat "$D"/load/*.0 | awk '/^MemTotal/ && (!m || $2 < m) { m = $2 } END { print m }')
check "a lowered limit was seen: $lowest kB" [ "$lowest" -lt $((HIGH * 768)) ]
varied=$(cat "$D"/load/*.0 | awk '/^MemFree/ && !($2 in s) { s[$2]; n++ } END { print n }')
check "$varied different amounts of free memory were seen" [ "$varied" -gt $((ROUNDS / 4)) ]
least=$(cat "$D"/load/*.0 | awk '/^MemFree/ && (!m || $2 < m) { m = $2 + 0 } END { print m }')
check "and down to $least kB of it" [ "$least" -lt 4096 ]

# what programs make of it
check "free reads it" container tools --mem 64M -- free
check "vmstat reads it" container tools --mem 64M -- vmstat -s
check "swapon reads it" container tools --mem 64M -- swapon --show
is "$(container tools --mem 64M -- sh -c 'swapon --show=SIZE --noheadings --bytes')" \
	"$(container tools --mem 64M -- awk '/^SwapTotal/ && $2 { print $2 * 1024 }' /proc/meminfo)" \
	"swapon shows the size that meminfo has"

# Whoever has a file open when its cgroup goes, having been moved: sees what it was.
cat >"$D/moved.py" <<'PY'
import os, sys
mount, dirs = sys.argv[1], sys.argv[2:]
def join(name):
    for d in dirs:
        with open(f"{d}/{name}/cgroup.procs", "w") as f:
            f.write(str(os.getpid()))
def total(fd):
    return os.pread(fd, 100, 0).split()[1].decode()
join("gone")
fd = os.open(mount + "/proc/meminfo", os.O_RDONLY)
print(total(fd))
join("stays")
for d in dirs:
    os.rmdir(f"{d}/gone")
print(total(fd))
print(total(os.open(mount + "/proc/meminfo", os.O_RDONLY)))
PY
cg_make gone && cg_set gone mem 48M && cg_make stays && cg_set stays mem 80M
is "$(python3 "$D/moved.py" "$MNT" "${CG_DIRS[@]/%//$CG_NAME}" | tr '\n' ' ')" "49152 49152 81920 " \
	"a removed cgroup: the last good text, and its new one's for who opens it again"
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
