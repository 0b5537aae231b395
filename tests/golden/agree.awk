# SPDX-License-Identifier: MIT
# agree.awk - what /proc/meminfo, /proc/swaps and /proc/vmstat say of one container
# at one time is the same.  Read in that order; variable: page (in kB).  Says what
# is broken; exit status 1.

function same(what, a, b) {
	if (a == b)
		return
	print what ": " a " and " b
	broken = 1
}
function pages(key, name) {
	if (name in page_of && key in kb) # some machines have few lines
		same(key " in pages and " name, int(kb[key] / page), page_of[name])
}
FNR == 1 { file++ }
file == 1 { sub(/:$/, "", $1); kb[$1] = $2 }
file == 2 && FNR > 1 { size += $3; used += $4 }
file == 3 { page_of[$1] = $2 }
END {
	same("three files", file, 3)
	same("SwapTotal and the devices", kb["SwapTotal"] + 0, size + 0)
	same("SwapTotal - SwapFree and the devices", kb["SwapTotal"] - kb["SwapFree"], used + 0)
	pages("MemFree", "nr_free_pages")
	pages("Active(anon)", "nr_active_anon")
	pages("Inactive(anon)", "nr_inactive_anon")
	pages("Active(file)", "nr_active_file")
	pages("Inactive(file)", "nr_inactive_file")
	pages("Unevictable", "nr_unevictable")
	pages("Mlocked", "nr_mlock")
	pages("AnonPages", "nr_anon_pages")
	pages("Mapped", "nr_mapped")
	pages("Shmem", "nr_shmem")
	pages("Dirty", "nr_dirty")
	pages("Writeback", "nr_writeback")
	pages("SReclaimable", "nr_slab_reclaimable")
	pages("SUnreclaim", "nr_slab_unreclaimable")
	pages("PageTables", "nr_page_table_pages")
	pages("SwapCached", "nr_swapcached")
	if ("KernelStack" in kb)
		same("KernelStack and nr_kernel_stack", kb["KernelStack"], page_of["nr_kernel_stack"])
	if ("Cached" in kb)
		same("Cached + SwapCached and nr_file_pages",
		     int(kb["Cached"] / page) + int(kb["SwapCached"] / page), page_of["nr_file_pages"])
	exit broken
}
