# SPDX-License-Identifier: MIT
# properties.awk - what holds for each rendered file, whatever the numbers are.
# Variables: path, and cpus (how many to expect; may be empty).  Says what is
# broken; exit status 1.

function bad(text) {
	print text
	broken = 1
}
function most(part, whole) {
	if (kb[part] > kb[whole])
		bad(part " " kb[part] " kB is more than " whole " " kb[whole] " kB")
}
function sum(whole, a, b) {
	if (kb[whole] != kb[a] + kb[b])
		bad(whole " " kb[whole] " kB is not " a " + " b)
}

path == "/proc/meminfo" {
	if ($0 !~ /^[A-Za-z0-9_()]+: +[0-9]+( kB)?$/)
		bad("not a line of meminfo: " $0)
	key = $1
	sub(/:$/, "", key)
	if (key in kb)
		bad("twice: " key)
	kb[key] = $2 + 0
}
path == "/proc/cpuinfo" && (/^processor[ \t]*:/ || /^cpu number[ \t]*:/) {
	split($0, field, /:[ \t]*/)
	if (found && field[2] + 0 <= last)
		bad("not ascending: " $0)
	last = field[2] + 0
	found++
}
path == "/proc/cpuinfo" && /^(siblings|cpu cores|# processors)[ \t]*:/ {
	split($0, field, /:[ \t]*/)
	if (field[2] + 0 > largest)
		largest = field[2] + 0
}
path == "/proc/uptime" && !/^[0-9]+\.[0-9][0-9] [0-9]+\.[0-9][0-9]$/ {
	bad("not two numbers with two decimals: " $0)
}
# A disk that was used, with the columns that are counted and no others.
path == "/proc/diskstats" {
	if (NF != 14 && NF != 18 && NF != 20)
		bad(NF - 3 " columns: " $0)
	used = 0
	for (i = 1; i <= NF; i++) {
		if (i != 3 && $i !~ /^[0-9]+$/)
			bad("not a number: " $i)
		if (i > 3 && i != 4 && i != 6 && i != 8 && i != 10 && i != 15 && i != 17 && $i != 0)
			bad("column " i - 3 " has no source: " $0)
		used = used || (i > 3 && $i != 0)
	}
	if (!used)
		bad("not used: " $0)
	if ($3 in disk)
		bad("twice: " $3)
	disk[$3]
}
path == "/proc/partitions" {
	if (NR == 1 ? $0 != "major minor  #blocks  name" : NR == 2 ? $0 != "" : NF != 4)
		bad("not a line of partitions: " $0)
}
path ~ "^/proc/pressure/" {
	if ($0 !~ /^(some|full) avg10=[0-9]+\.[0-9][0-9] avg60=[0-9]+\.[0-9][0-9] avg300=[0-9]+\.[0-9][0-9] total=[0-9]+$/)
		bad("not a line of pressure: " $0)
}
path == "/proc/slabinfo" {
	if (NR == 1 ? $0 !~ /^slabinfo - version: [0-9]+\.[0-9]+$/ : NR == 2 ? !/^# name / : NF != 16)
		bad("not a line of slabinfo: " $0)
}
END {
	if (NR == 0 && path != "/proc/diskstats")
		bad("empty")
	if (path == "/proc/slabinfo" && NR < 2)
		bad("no header")
	if (path == "/proc/meminfo") {
		if (kb["MemTotal"] == 0)
			bad("no memory")
		most("MemFree", "MemAvailable")
		most("MemAvailable", "MemTotal")
		most("SwapFree", "SwapTotal")
		most("Shmem", "Cached")
		most("Mapped", "Cached")
		if (kb["MemFree"] + kb["Buffers"] + kb["Cached"] + kb["Slab"] > kb["MemTotal"])
			bad("MemFree + Buffers + Cached + Slab is more than MemTotal")
		sum("Active", "Active(anon)", "Active(file)")
		sum("Inactive", "Inactive(anon)", "Inactive(file)")
		sum("Slab", "SReclaimable", "SUnreclaim")
	}
	if (path == "/proc/cpuinfo") {
		if (!found)
			bad("no processor")
		if (cpus != "" && found != cpus)
			bad(found " processors, not " cpus)
		if (largest > found)
			bad("a count of " largest " with " found " processors")
	}
	if (path == "/proc/uptime" && NR != 1)
		bad("not one line")
	exit broken
}
