#!/bin/bash
# SPDX-License-Identifier: MIT
# Another release is installed over the one that runs, as files and as a package, under
# readers that may not notice; and releases that cannot start.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
. "$(dirname "$0")/../systemd.sh"

# of what runs, not of what is installed: keeper, worker, plugin
releases() {
	takes_pid
	echo "$("/proc/$DPID/exe" --version)," "$("/proc/$(worker_pid)/exe" --version)," "$(cat $MNT/proc/lxcfsd_release)"
}
all_are() { [ "$(releases)" = "lxcfsd $1, lxcfsd-worker $1, $1" ]; }
reload_says() { # ok|failed: `systemctl reload`, waits for its end
	local before
	before=$(reload_count)
	systemctl reload "$UNIT" && wait_for "$PATIENCE" reload_ended "${before:-0}" &&
		[ "$(awk 'NR == 1 { print $2; exit }' /run/lxcfsd/last-reload)" = "$1" ]
}

need_fusectl
check "it is installed and started" install_release this
wait_for "$PATIENCE" supervised
MOUNT=$(mount_line)
this=$(/usr/local/bin/lxcfsd --version | awk '{ print $2 }')
next=$("$STAGE/next/usr/local/bin/lxcfsd" --version | awk '{ print $2 }')
isnt "$this" "$next" "there are two releases"
check "the first one runs" all_are "$this"
main=$DPID

start_load --pause-ms 40 --hang-ms 5000
for release in next this next this; do
	check "make install of the release $release" put_release $release
	check "systemctl reload takes it" reload_says ok
	check "keeper, worker and plugins are of it" wait_for "$PATIENCE" all_are "${!release}" || diag "$(releases)"
done
is "$(main_pid)" "$main" "the main process is the same"

# -- what cannot start

bad() { # WHAT FILE AS: FILE installed instead; a reload fails, and the old one serves on
	local w
	w=$(worker_pid)
	put_release next
	put "$2" "$3"
	check "$1: the reload fails" reload_says failed
	check "$1: $this serves on" all_are "$this"
	is "$(worker_pid)" "$w" "$1: by the same worker"
	diag "$(cat /run/lxcfsd/last-reload)"
	like "$(tail -n +2 /run/lxcfsd/last-reload)" '[a-z]' "$1: the reason is in last-reload"
	check "$1: and in the journal" journal_has "reload: failed.*$(sed -n '2s/[^a-z ].*//p' /run/lxcfsd/last-reload)"
	like "$(systemctl status "$UNIT" --no-pager 2>/dev/null)" 'Status:.*failed' "$1: systemctl status tells of it"
	check "the release this again" put_release this
	check "is taken" reload_says ok
}
printf 'no program' >"$T/garbage"
chmod 755 "$T/garbage"
cp "$STAGE/unloadable" "$T/unloadable"
bin=/usr/local/bin/lxcfsd worker=/usr/local/libexec/lxcfsd/lxcfsd-worker
bad "a new keeper that lacks a library" "$T/unloadable" $bin
bad "a new keeper that is garbage" "$T/garbage" $bin
# the new keeper is good and stays: only the old worker has to
bad_worker() {
	local w
	w=$(worker_pid)
	put_release next
	put "$2" "$worker"
	check "$1: the reload fails" reload_says failed
	is "$(worker_pid)" "$w" "$1: the same worker serves on"
	is "$("/proc/$w/exe" --version)" "lxcfsd-worker $this" "$1: which is of $this"
	check "$1: it is in the journal" journal_has 'reload: failed'
	like "$(systemctl status "$UNIT" --no-pager 2>/dev/null)" 'Status:.*failed' "$1: and in systemctl status"
	kill -KILL "$w"
	check "$1: when that one dies another of its kind comes" wait_for "$PATIENCE" other_worker "$w"
	is "$(cat $MNT/proc/lxcfsd_release)" "$this" "$1: and shows the same"
	check "the release this again" put_release this
	check "is taken" reload_says ok
}
bad_worker "a new worker that lacks a library" "$T/unloadable"
bad_worker "a new worker that is garbage" "$T/garbage"
undisturbed "upgrades, downgrades and what cannot start"
[ "$LOAD_STATUS" = 0 ] || diag "$(state)"
echo "# longest stall $(load_says max_stall_ms) ms"

# -- as a package

package() { # this|next: lxcfsd-NAME.deb
	local d=$T/deb.$1
	mkdir -p "$d/DEBIAN" && cp -rp "$STAGE/$1/." "$d" || return 1
	cat >"$d/DEBIAN/control" <<-CONTROL
	Package: lxcfsd
	Version: ${!1}
	Architecture: amd64
	Maintainer: nobody <nobody@localhost>
	Description: for a test
	CONTROL
	printf '#!/bin/sh\nset -e\nsystemctl daemon-reload\nsystemctl reload %s\n' "$UNIT" >"$d/DEBIAN/postinst"
	chmod 755 "$d/DEBIAN/postinst"
	dpkg-deb --root-owner-group -Znone -b "$d" "$T/lxcfsd-$1.deb"
}
check "packages are made" eval 'package this && package next'
installs() { # this|next
	local before
	before=$(reload_count)
	dpkg --force-confnew -i "$T/lxcfsd-$1.deb" && wait_for "$PATIENCE" reload_ended "$before" &&
		wait_for "$PATIENCE" all_are "${!1}"
}
start_load --pause-ms 40 --hang-ms 5000
for release in this next this next; do
	check "dpkg -i of $release: all of it serves" installs $release || diag "$(releases)"
done
is "$(main_pid)" "$main" "the main process is the same"
undisturbed "packages"
echo "# longest stall $(load_says max_stall_ms) ms"
finish_unit
