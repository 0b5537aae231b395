# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# probes.sh - runs a program in the container $C and prints `VALUE | NUMBER` lines.
#
# A function has the name of its program in `table`, with _ for what no name can have.

within() { # CMD...
	if [ "$C" != timed ]; then
		in_container "$C" "$@"
		return
	fi
	(
		cg_join "$C" || exit 99
		exec nsenter -t "${C_PID[$C]}" -m -p -u -i -T -- "$@"
	)
}
one() { printf '%s | ' "$1" && shift && within "$@"; }

# `up 5 min`, `up 1:05`, `up 3 days, 1:05`
UPTIME='{
	match($0, / up [^a-z]*(days?,)?[^a-z]*( min)?/)
	up = substr($0, RSTART + 4, RLENGTH - 4)
	minutes = 0
	if (up ~ /day/) { split(up, d, " "); minutes = 1440 * d[1]; sub(/.*days?, */, "", up) }
	if (up ~ /:/) { split(up, t, ":"); minutes += 60 * t[1] + t[2] }
	else minutes += up
	print "minutes up | " minutes
	sub(/.*load average: /, "")
	print "load | " $1 + 0
}'
# of what sysstat prints: the column NAME in the lines that begin with `Average:`
AVERAGE='$1 == "Average:" {
	for (i = 2; i <= NF; i++) if ($i == name) { at = i; next }
	if (at) { print label " | " (minus ? minus - $at : $at); at = 0 }
}'
average() { awk -v label="$1" -v name="$2" -v minus="${3:-0}" "$AVERAGE"; }

free_() { awk '/^Mem:/ { print "total | " $2; print "used | " $3; print "available | " $7 }
	/^Swap:/ { print "swap total | " $2 }'; }
probe_free() { within free --bytes | free_; }
probe_busybox_free() { within busybox free | free_; }
probe_uptime() { within uptime | awk "$UPTIME"; }
probe_busybox_uptime() { within busybox uptime | awk "$UPTIME"; }

probe_vmstat() {
	within vmstat 1 2 | awk 'NR == 2 { for (i = 1; i <= NF; i++) at[$i] = i }
		NR == 4 { print "free KiB | " $at["free"]; print "cs | " $at["cs"]
			print "CPU busy % | " 100 - $at["id"] }'
	[ "$C" = busy ] || within vmstat --stats | awk '/K paged in/ { print "pages read, KiB | " $1 }'
}

probe_top() {
	within top -b -n 2 -d 1 | awk '/^top/ { sub(/.*load average: /, ""); load = $1 + 0; process = "" }
		/^%Cpu/ { sub(/.*ni,/, ""); idle = $1 + 0 }
		/^MiB Mem/ { total = $4 }
		$NF == "bash" { process = $9 }
		END { print "total MiB | " total; print "CPU busy % | " 100 - idle
			print "load | " load; print "%CPU of the process | " process }'
}
probe_busybox_top() {
	within busybox top -b -n 2 -d 1 | awk '/^Mem:/ { print "used + free KiB | " $2 + $4 }
		/^CPU:/ { for (i = 2; i <= NF; i++) if ($i == "idle") idle = $(i - 1) + 0 }
		/^Load/ { load = $3 }
		END { print "CPU busy % | " 100 - idle; print "load | " load }'
}

# It has no batch mode: a terminal, until the line at its bottom is there, then `q`.
htop_() {
	cat <<-'SH'
	export TERM=xterm HOME=$1
	mkfifo "$1/keys"
	script -qfec 'stty cols 120 rows 40; exec htop' "$1/screen" <"$1/keys" >/dev/null &
	exec 3>"$1/keys"
	until grep -q F10 "$1/screen" 2>/dev/null; do sleep 0.1; done
	printf q >&3
	wait
	SH
}
probe_htop() {
	rm -rf "$T/htop.$C"
	mkdir "$T/htop.$C"
	within timeout "$PATIENCE" bash -c "$(htop_)" htop "$T/htop.$C"
	sed 's/\x1b[[(][0-9;?]*[a-zA-Z]//g' "$T/htop.$C/screen" | awk '
		match($0, /Load average: *[0-9.]+/) { n = split(substr($0, RSTART, RLENGTH), w, /[: ]+/); print "load | " w[n] }
		match($0, /Mem *\[[^]]*\]/) { mem = substr($0, RSTART, RLENGTH); sub(/.*\//, "", mem)
			unit["K"] = 2^10; unit["M"] = 2^20; unit["G"] = 2^30
			match(mem, /[KMG]/); print "Mem total | " mem * unit[substr(mem, RSTART, 1)] }
		match($0, /Uptime: *[0-9:]+/) { n = split(substr($0, RSTART, RLENGTH), w, /[: ]+/)
			print "Uptime | " 3600 * w[n - 2] + 60 * w[n - 1] + w[n] }' | sort -u -t '|' -k 1,1
}

probe_lscpu() {
	within lscpu -J | awk -F '"' '$4 == "CPU(s):" { all = 1 } $4 == "On-line CPU(s) list:" { line = 1 }
		$2 == "data" && all { print "CPU(s) | " $4; all = 0 }
		$2 == "data" && line {
			n = split($4, part, ",")
			for (i = 1; i <= n; i++) { m = split(part[i], r, "-"); count += m > 1 ? r[2] - r[1] + 1 : 1 }
			print "on-line CPUs | " count; line = 0 }'
}
probe_nproc() { one processors nproc; }
probe_busybox_nproc() { one processors busybox nproc; }
probe_getconf() {
	local page
	page=$(within getconf PAGESIZE)
	one _NPROCESSORS_ONLN getconf _NPROCESSORS_ONLN
	one _NPROCESSORS_CONF getconf _NPROCESSORS_CONF
	echo "_PHYS_PAGES | $(($(within getconf _PHYS_PAGES) * page))"
}
probe_swapon() { within swapon --show=SIZE --bytes --noheadings | awk '{ n += $1 } END { print "size | " n + 0 }'; }

probe_mpstat() {
	within mpstat -P ALL 1 1 | awk 'NR == 1 { match($0, /\([0-9]+ CPU\)/)
			print "CPUs in the first line | " substr($0, RSTART + 1, RLENGTH - 1) + 0 }
		$1 == "Average:" && $2 ~ /^[0-9]+$/ { n++ }
		$1 == "Average:" && $2 == "all" { print "CPU busy % | " 100 - $NF }
		END { print "CPUs listed | " n + 0 }'
}
probe_iostat() {
	within iostat -c -y 1 1 | awk 'up { print "CPU busy % | " 100 - $NF; up = 0 } /^avg-cpu/ { up = 1 }'
	[ "$C" = busy ] || within iostat -d | awk '$1 == "Device" { for (i = 1; i <= NF; i++) if ($i == "kB_read") at = i; next }
		at && NF { sum += $at } END { print "KiB read, all devices | " sum + 0 }'
}
probe_sar() {
	within sar -u -r -q LOAD 1 1 >"$T/sar.$C"
	average kbmemfree kbmemfree <"$T/sar.$C"
	average "CPU busy %" %idle 100 <"$T/sar.$C"
	average load ldavg-1 <"$T/sar.$C"
}

probe_Node_js() {
	within node -e '
		const os = require("os"), say = (name, value) => console.log(name, "|", value);
		say("os.totalmem()", os.totalmem());
		say("os.freemem()", os.freemem());
		say("os.cpus().length", os.cpus().length);
		say("os.loadavg()", os.loadavg()[0]);
		say("os.uptime()", os.uptime());
		say("os.availableParallelism()", os.availableParallelism());
		say("process.constrainedMemory()", process.constrainedMemory());
		const [major, minor] = process.versions.uv.split(".");
		say("uv", 100 * major + 1 * minor);'
}
probe_psutil() { # Debian's: there may be another python3 before it
	within /usr/bin/python3 -c '
import os, psutil
def say(name, value): print(name, "|", value)
say("virtual_memory().total", psutil.virtual_memory().total)
say("virtual_memory().available", psutil.virtual_memory().available)
say("swap_memory().total", psutil.swap_memory().total)
say("cpu_count()", psutil.cpu_count())
say("cpu_count(logical=False)", psutil.cpu_count(logical=False))
say("len(os.sched_getaffinity(0))", len(os.sched_getaffinity(0)))
say("boot_time()", psutil.boot_time())
say("getloadavg()", psutil.getloadavg()[0])
say("cpu_percent(1)", psutil.cpu_percent(1))'
}
probe_java_settings() {
	within java -XshowSettings:system -version 2>&1 | awk '
		/Effective CPU Count:/ { print "Effective CPU Count | " $NF }
		/Memory Limit:/ { unit["K"] = 2^10; unit["M"] = 2^20; unit["G"] = 2^30
			print "Memory Limit | " $NF * unit[substr($NF, length($NF))] }'
}
probe_Java_program() { within java -cp "$T/java" Readers; }

# In a network of its own, so that no port is taken; the shell itself is the client.
exporter() {
	cat <<-'SH'
	ip link set lo up 2>/dev/null || busybox ip link set lo up
	prometheus-node-exporter --web.listen-address=127.0.0.1:9100 >/dev/null 2>&1 &
	until exec 3<>/dev/tcp/127.0.0.1/9100; do sleep 0.1; done 2>/dev/null
	printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
	cat <&3
	kill $!
	wait
	SH
}
probe_node_exporter() {
	within timeout "$PATIENCE" unshare -n bash -c "$(exporter)" | awk '
		/^node_cpu_seconds_total/ { split($1, part, "\""); cpus += !seen[part[2]]++; seconds += $2 }
		/^node_(memory_MemTotal_bytes|load1|boot_time_seconds|vmstat_pgfault|pressure_cpu_waiting_seconds_total) / {
			printf "%s | %.10g\n", $1, $2 }
		END { print "node_cpu_seconds_total, CPUs | " cpus + 0; print "node_cpu_seconds_total, seconds | " seconds }'
}

collectd_conf() { # DIRECTORY
	cat <<-CONF
	Hostname "c"
	FQDNLookup false
	Interval 1
	BaseDir "$1"
	PIDFile "$1/pid"
	TypesDB "/usr/share/collectd/types.db"
	LoadPlugin csv
	LoadPlugin cpu
	LoadPlugin load
	LoadPlugin memory
	LoadPlugin swap
	LoadPlugin uptime
	<Plugin csv>
		DataDir "$1"
	</Plugin>
	<Plugin cpu>
		ValuesPercentage true
	</Plugin>
	CONF
}
collectd_() { # until it has written three values of the slowest
	cat <<-'SH'
	collectd -f -C "$1/conf" >/dev/null 2>&1 &
	enough() { [ "$(cat "$1"/c/cpu-*/percent-idle-* 2>/dev/null | wc -l)" -ge 4 ]; }
	until enough "$1"; do sleep 0.1; done
	kill $!
	wait
	SH
}
probe_collectd() {
	local d=$T/collectd.$C
	rm -rf "$d"
	mkdir "$d"
	collectd_conf "$d" >"$d/conf"
	within timeout "$PATIENCE" bash -c "$(collectd_)" collectd "$d"
	last() { local f; for f in "$d"/c/$1; do tail -n 1 "$f"; done | awk -F , '{ sum += $2 } END { print sum }'; }
	set -- "$d"/c/cpu-*
	echo "CPUs | $#"
	echo "CPU busy % | $(last 'cpu-*/percent-idle-*' | awk '{ print 100 - $1 }')"
	echo "memory, sum | $(last 'memory/memory-*')"
	echo "swap used + free | $(last 'swap/swap-[uf]*')"
	echo "load | $(last 'load/load-*')"
	echo "uptime | $(last 'uptime/uptime-*')"
}

old() { # SECONDS: the container is
	local up
	read -r up _ </proc/uptime
	awk -v up="$up" -v born="${BORN[$C]}" -v age="$1" 'BEGIN { exit up - born < age }'
}
probe_ps() { # what is wrong must not be right by chance
	wait_for "$PATIENCE" old 4
	within ps -o etimes= -p 1 | awk '{ print "etimes of its init | " $1 }'
}
probe_ps_pcpu() { within ps -C bash -o pcpu= | awk '{ print "pcpu of the busy process | " $1 }'; }
probe_ps_with_host_uptime() { probe_ps && probe_uptime; }
probe_ps_in_a_time_namespace() { probe_ps && probe_uptime; }
