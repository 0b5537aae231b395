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
path == "/proc/swaps" && NR == 1 && $0 != "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority" {
	bad("not the header of swaps: " $0)
}
path == "/proc/swaps" && NR > 1 {
	if (substr($0, 1, 40) != sprintf("%-40s", "none") ||
	    substr($0, 41) !~ /^virtual\t\t[0-9]+\t\t?[0-9]+\t\t?0$/)
		bad("not a line of swaps: " $0)
	if ($3 + 0 == 0)
		bad("a device without a size")
	if ($4 + 0 > $3 + 0)
		bad("more in use than there is: " $0)
}
path == "/proc/vmstat" {
	if ($0 !~ /^[a-z0-9_]+ [0-9]+$/)
		bad("not a line of vmstat: " $0)
	if ($1 in kb)
		bad("twice: " $1)
	kb[$1] = $2 + 0
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
# Where a path in a tree ends says what is in it.
path ~ /^\/sys\/(.*\/)?(online|offline|possible|present|has_[a-z_]*|[a-z_]*_list|cpulist)$/ {
	if ($0 !~ /^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$/)
		bad("not a list of numbers: " $0)
	last = -2
	count = split($0, part, ",")
	for (i = 1; i <= count; i++) {
		split(part[i], range, "-")
		if (range[1] + 0 <= last + 1)
			bad("not ascending, or two ranges that are one: " $0)
		last = range[range[2] == "" ? 1 : 2] + 0
		found += range[2] == "" ? 1 : range[2] - range[1] + 1
	}
}
path ~ /^\/sys\/.*(_(map|cpus|siblings)|\/cpumap)$/ {
	count = split($0, part, ",")
	for (i = 1; i <= count; i++)
		if (part[i] !~ /^[0-9a-f]+$/ || length(part[i]) > 8 || (i > 1 && length(part[i]) < 8))
			bad("not a mask: " $0)
}
path ~ /\/cpu\/\.list$/ && /^cpu[0-9]+\/$/ {
	found++
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
	if (path == "/proc/stat") {
		if (!found)
			bad("no CPU")
		if (cpus != "" && found != cpus)
			bad(found " CPUs, not " cpus)
		for (i in whole)
			if (whole[i] < part[i] || (!retired && whole[i] != part[i]))
				bad("column " i ": " whole[i] " is not the sum " part[i] + 0)
	}
	# without disks the kernel prints not even the header of partitions
	if (NR == 0 && path != "/proc/diskstats" && path != "/proc/partitions")
		bad("empty")
	if (path == "/proc/slabinfo" && NR < 2)
		bad("no header")
	if (path == "/proc/meminfo") {
		if (kb["MemTotal"] == 0)
			bad("no memory")
		most("MemFree", "MemAvailable")
		most("MemAvailable", "MemTotal")
		most("HugePages_Free", "HugePages_Total")
		most("SwapFree", "SwapTotal")
		most("Shmem", "Cached")
		most("Mapped", "Cached")
		if (kb["MemFree"] + kb["Buffers"] + kb["Cached"] + kb["Slab"] > kb["MemTotal"])
			bad("MemFree + Buffers + Cached + Slab is more than MemTotal")
		if (kb["MemFree"] + kb["Cached"] + kb["SwapCached"] > kb["MemTotal"])
			bad("MemFree + Cached + SwapCached is more than MemTotal")
		if (kb["Hugetlb"] < kb["HugePages_Total"] * kb["Hugepagesize"])
			bad("Hugetlb is less than the pages of the default size")
		most("AnonHugePages", "AnonPages")
		most("ShmemHugePages", "Shmem")
		sum("Active", "Active(anon)", "Active(file)")
		sum("Inactive", "Inactive(anon)", "Inactive(file)")
		sum("Slab", "SReclaimable", "SUnreclaim")
	}
	if (path == "/proc/swaps" && NR > 2)
		bad("more than one device")
	if (path == "/proc/vmstat") {
		if (kb["nr_shmem"] > kb["nr_file_pages"])
			bad("more shared memory than cache")
		if (kb["nr_dirty"] + kb["nr_writeback"] != kb["nr_zone_write_pending"])
			bad("nr_zone_write_pending is not nr_dirty + nr_writeback")
	}
	if (path == "/proc/cpuinfo") {
		if (!found)
			bad("no processor")
		if (cpus != "" && found != cpus)
			bad(found " processors, not " cpus)
		if (largest > found)
			bad("a count of " largest " with " found " processors")
	}
	if (path ~ /\/cpu\/online$/ && (!found || NR != 1))
		bad("not one line with CPUs")
	if (path ~ /\/cpu\/(online|\.list)$/ && cpus != "" && found != cpus)
		bad(found " CPUs, not " cpus)
	if (path == "/proc/uptime" && NR != 1)
		bad("not one line")
	exit broken
}
