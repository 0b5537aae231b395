#!/bin/bash
# SPDX-License-Identifier: MIT
# A quota under full load, as programs show it: top, mpstat and node_exporter, in the
# container that uses it up and in an idle one, and while it changes.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"
only_long
. "$(dirname "$0")/../cpu.sh"

[ -n "$CG_MODE" ] || bail "there are cgroups with memory"
cpus_for_quota
programs=()
for p in top mpstat prometheus-node-exporter; do
	if command -v $p >/dev/null; then programs+=("$p"); else skip "$p" "it is not here"; fi
done
[ ${#programs[@]} -gt 0 ] || skip_all "no program is here"

daemon programs
must_start
online_bind
container_start busy --mem 256M --quota 150000/100000 "${BINDS[@]}" || bail "a container starts" "$(cat "$LOG")"
container_start idle --mem 256M "${BINDS[@]}" || bail "a container starts" "$(cat "$LOG")"
watch_start busy
spin_in busy 4
sleep 1 # until the first of their time is taken over

# In a container, for so many seconds: how busy all CPUs are, and how many.  Ahead of
# those who spin, or it takes them long to start.
within() { in_container "$1" nice -n -20 timeout "$PATIENCE" "${@:2}"; }
top_in() { # the second of its tables is of the time since the first
	within "$1" top -b -n 2 -d "$2" | awk '/^%Cpu/ { sub(/.*ni,/, ""); idle = $1 + 0; n++ }
		END { if (n == 2) printf "%.1f -\n", 100 - idle }'
}
mpstat_in() { # the CPUs in its first line it counts by its own rules (tests/readers/table)
	within "$1" mpstat "$2" 1 | awk '$1 == "Average:" && $2 == "all" { printf "%.1f -\n", 100 - $NF }'
}
# In a network of its own, so that no port is taken; the shell itself is the client.
scrapes() { # SECONDS
	cat <<-'SH'
	ip link set lo up 2>/dev/null || busybox ip link set lo up
	prometheus-node-exporter --collector.disable-defaults --collector.cpu \
		--web.disable-exporter-metrics --web.listen-address=127.0.0.1:9100 >/dev/null 2>&1 &
	until exec 3<>/dev/tcp/127.0.0.1/9100; do sleep 0.1; done 2>/dev/null
	for scrape in 1 2; do
		[ $scrape = 1 ] || { sleep "$1" && exec 3<>/dev/tcp/127.0.0.1/9100; }
		printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
		echo "scrape $scrape"
		cat <&3
	done
	kill $!
	wait
	SH
}
prometheus-node-exporter_in() {
	within "$1" unshare -n bash -c "$(scrapes)" exporter "$2" | awk '/^scrape/ { n = $2 }
		/^node_cpu_seconds_total/ { split($1, part, "\""); cpus += !seen[part[2]]++
			all[n] += $2; if (part[4] == "idle") idle[n] += $2 }
		END { d = all[2] - all[1]; if (n == 2 && d > 0) printf "%.1f %d\n", 100 - 100 * (idle[2] - idle[1]) / d, cpus }'
}
# All programs at once: they look at about the same time, each when it has started.
ask() { # CONTAINER SECONDS
	local p jobs=()
	for p in "${programs[@]}"; do
		"${p}_in" "$1" "$2" >"$D/shown.$p" &
		jobs+=($!)
	done
	wait "${jobs[@]}"
}
# How busy the kernel made it meanwhile, of what the quota allows: the least and the most
# of any second.  A machine that is busy elsewhere gives now more, now less.
used() { # FROM TILL
	read -r LOW HIGH <<<"$(awk -v from="$1" -v till="$2" -v quota="$quota" '
		NF == 10 && $1 >= from - 1 && $1 <= till + 1 && (!n || $1 >= at[n] + 1) {
			n++; at[n] = $1; cpus[n] = $2; used[n] = $8; off[n] = $10 }
		END {
			for (i = 2; i <= n; i++) {
				time = (at[i] - at[i - 1]) * quota
				of = 100 * (used[i] - used[i - 1]) / time
				slack = 100 * (off[i] + off[i - 1]) / time
				if (i == 2 || of - slack < low) low = of - slack
				if (i == 2 || of + slack > high) high = of + slack
			}
			if (n > 2) printf "%.1f %.1f", low, (high > 100 ? 100 : high)
		}' "$T/watch.busy")"
	[ -n "$HIGH" ]
}
is_full() { awk -v low="${LOW:-0}" 'BEGIN { exit !(low >= 96) }'; }
# Where the machine gives now more, now less, they do not look at the very same seconds.
within_range() {
	local by=10
	! is_full || by=3
	awk -v a="$1" -v low="$LOW" -v high="$HIGH" -v by="$by" 'BEGIN { exit !(a ~ /^[0-9]/ && a >= low - by && a <= high + by) }'
}

full_load() { # TRIES, when the machine does not give what the quota allows
	local i from till shown count p
	for ((i = 0; i < $1; i++)); do
		read -r from _ </proc/uptime
		ask busy 3
		read -r till _ </proc/uptime
		wait_for "$PATIENCE" used "$from" "$till" || bail "busy is watched" "$(tail -n 5 "$T/watch.busy")"
		! is_full || break
	done
	for p in "${programs[@]}"; do
		read -r shown count <"$D/shown.$p"
		check "$p: $shown % busy at a quota of $quota, of which $LOW to $HIGH % were used" within_range "$shown"
		if is_full; then
			check "$p: full use reads as full: $shown %" near "$shown" 97.5 2.5
		else
			skip "$p: full use of $quota CPUs" "the machine gave only $LOW to $HIGH %"
		fi
		[ "$count" = - ] || is "$count" "${quota/1.5/2}" "$p: the CPUs at a quota of $quota"
	done
}

quota=1.5
full_load 3
# whoever looks works himself: the longer he looks, and looks alone, the less that is
for p in "${programs[@]}"; do
	read -r shown _ < <("${p}_in" idle 10)
	check "$p: the idle neighbour reads $shown %" near "$shown" 1.5 1.5
done

# under load the quota changes; all look from two seconds later on
for quota in "$most" 1 "$most"; do
	cg_set busy quota $((quota * 100000))/100000
	sleep 2
	full_load 1
done

container_stop busy
container_stop idle
stop_daemon
is "$STOP_STATUS" 0 "ends with 0"
finish
