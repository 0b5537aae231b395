# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
# upgrade.sh - a daemon with programs of its own, which are replaced while it runs.

own_programs() { # LXCFSD: a copy below $D; another is kept in $D/old
	mkdir -p "$D/bin/plugins" "$D/old"
	cp "$BUILD"/lxcfsd "$BUILD"/lxcfsd-worker "$D/bin/"
	cp "$BUILD"/plugins/*.so "$D/bin/plugins/"
	cp "$D/bin/lxcfsd" "$D/old/"
	LXCFSD=$D/bin/lxcfsd
}
install_as() { # FILE: over the running one, as a package does it
	cp "$1" "$D/bin/new" && chmod 755 "$D/bin/new" && mv "$D/bin/new" "$LXCFSD"
}
newer_release() { # FILE: of the kept one
	sed 's/lxcfsd [0-9]\.[0-9]\.[0-9]/lxcfsd 9.9.9/g' "$D/old/lxcfsd" >"$1"
}
hup_and_wait() { reload_and_wait HUP; }
