# SPDX-License-Identifier: MIT
# properties.awk - what holds for each rendered file, whatever the numbers are.
# Variables: path, cpus (how many to expect; may be empty), and retired (1: some CPUs
# may be gone and still count in the sum).  Says what is broken; exit status 1.

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
path == "/proc/stat" && /^cpu/ {
	if (NF != 11)
		bad("not ten columns: " $0)
	if ($1 == "cpu") {
		for (i = 2; i <= NF; i++)
			whole[i] = $i
	} else {
		number = substr($1, 4) + 0
		if (found && number <= last)
			bad("not ascending: " $0)
		last = number
		found++
		for (i = 2; i <= NF; i++)
			part[i] += $i
	}
}
path == "/proc/stat" && /^(intr|ctxt|softirq) / && !/^[a-z]+( 0)+$/ {
	bad("the host's: " $0)
}
path == "/proc/stat" && /^procs_running / && $2 < 1 {
	bad("nobody runs, not even the reader")
}
path == "/proc/loadavg" {
	for (i = 1; i <= 3; i++)
		if ($i !~ /^[0-9]+\.[0-9][0-9]$/)
			bad("not an average: " $i)
	if (NF != 5 || $4 !~ /^[1-9][0-9]*\/[1-9][0-9]*$/ || $5 !~ /^[0-9]+$/)
		bad("not a loadavg: " $0)
}
END {
	if (path == "/proc/stat") {
		if (!found)
			bad("no CPU")
		if (cpus != "" && found != cpus)
			bad(found " CPUs, not " cpus)
		for (i in whole)
			if (whole[i] < part[i] || (!retired && whole[i] != part[i]))
				bad("column " i ": " whole[i] " is not the sum " part[i] + 0)
	}
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
