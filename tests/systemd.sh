# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# SPDX-License-Identifier: MIT
# systemd.sh - the daemon as systemd runs it, under the unit that is shipped.
#
# What is installed here is gone with the virtual machine.

[ -n "$VM" ] || skip_all "only in a virtual machine"
[ "$(cat /proc/1/comm)" = systemd ] || skip_all "only with systemd"

STAGE=$BUILD/stage # see systemd/stage
UNIT=lxcfsd
MNT=/var/lib/lxcfs RUNDIR=/run INI=/etc/lxcfsd/lxcfsd.ini
D=$T

# As dpkg and install(1) do it: another name, then renamed.
put() { # FILE AS
	mkdir -p "${2%/*}" && cp -p "$1" "$2.new" && mv -f "$2.new" "$2"
}
put_release() { # this|next
	local f
	while read -r f; do put "$STAGE/$1/$f" "/$f" || return 1; done < <(cd "$STAGE/$1" && find . -type f)
}

main_pid() { systemctl show -P MainPID $UNIT; }
takes_pid() { DPID=$(main_pid) && [ "$DPID" != 0 ] && alive "$DPID"; }
cgroup_pids() { cat /sys/fs/cgroup/system.slice/$UNIT.service/cgroup.procs 2>/dev/null; }
serves() { timeout 5 grep -q . $MNT/proc/uptime; }
supervised() { # by one main process, a worker and one in reserve, each with its closer
	takes_pid && [ "$(systemctl is-active $UNIT)" = active ] && settled && serves &&
		[ "$(cgroup_pids | wc -l)" = 5 ]
}
kill_main() { kill -KILL "$DPID"; }
# shellcheck disable=SC2046 # pids
kill_both() { kill -KILL $(cgroup_pids); } # and whoever is with them
other_main() { supervised && [ "$DPID" != "$1" ]; }
journal() { journalctl -u $UNIT --no-pager -o cat "$@"; }
journal_has() { journal | grep -q -- "$1"; }

install_release() { # this|next: for the first time, and starts it
	put_release "$1" && systemctl daemon-reload && systemctl start $UNIT
}
state() { systemctl status $UNIT --no-pager -l; journal -n 40; }
finish_unit() {
	systemctl stop $UNIT
	finish
}
