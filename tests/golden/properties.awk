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
# A list of ranges, ascending and not to be joined.
path ~ /\/cpu\/online$/ {
	n = split($0, range, ",")
	for (i = 1; i <= n; i++) {
		if (range[i] !~ /^[0-9]+(-[0-9]+)?$/)
			bad("not a list of CPUs: " $0)
		ends = split(range[i], end, "-")
		if (found && end[1] + 0 <= last + 1 || ends == 2 && end[2] + 0 <= end[1] + 0)
			bad("not ascending: " $0)
		last = end[ends] + 0
		found += last - end[1] + 1
	}
}
path == "/proc/uptime" && !/^[0-9]+\.[0-9][0-9] [0-9]+\.[0-9][0-9]$/ {
	bad("not two numbers with two decimals: " $0)
}
END {
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
	if (path ~ /\/cpu\/online$/) {
		if (!found || NR != 1)
			bad("not one line with CPUs")
		if (cpus != "" && found != cpus)
			bad(found " CPUs, not " cpus)
	}
	if (path == "/proc/uptime" && NR != 1)
		bad("not one line")
	exit broken
}
