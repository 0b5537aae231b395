#!/bin/bash
# SPDX-License-Identifier: MIT
# After a crash the next worker is made of what the one before was made of: what has
# been broken on disk meanwhile does not matter.
# shellcheck source-path=SCRIPTDIR disable=SC2119
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"

daemon one
mkdir -p "$D/bin/plugins" "$D/conf.d"
cp "$BUILD"/lxcfsd "$BUILD"/lxcfsd-worker "$D/bin/"
cp "$BUILD"/plugins/*.so "$D/bin/plugins/"
cp "$SAMPLES/sample_one.so" "$D/bin/plugins/"
LXCFSD=$D/bin/lxcfsd
ini
printf '[plugin sample_one]\n' >"$D/conf.d/10-sample.ini"
must_start
MOUNT=$(mount_line)

sample() { timeout 10 cat "$MNT/proc/lxcfsd_sample" 2>&1; }
crash() { # and wait for the next worker
	local w
	w=$(worker_pid)
	kill_workers && wait_for "$PATIENCE" other_worker "$w"
}
still_serves() { # WHAT
	crash
	is "$(sample)" one "$1: the next worker serves the same"
}

start_load
is "$(sample)" one "it serves"
cp "$INI" "$D/good.ini"
printf '[lxcfsd\n' >>"$INI"
reload_and_wait
is "$RELOAD" failed "a broken configuration is refused"
still_serves "a broken configuration"
printf '[plugin sample_one]\nenabled = no\n' >"$D/conf.d/10-sample.ini"
cp "$D/good.ini" "$INI"
still_serves "another configuration, not yet loaded"
rm -r "$D/conf.d" "$INI"
still_serves "no configuration"
for p in "$D"/bin/plugins/*.so; do echo garbage >"$p"; done
still_serves "plugins overwritten with garbage"
rm -r "$D/bin/plugins"
still_serves "no plugins"
printf '#!/bin/false\n' >"$D/bin/new"
chmod 755 "$D/bin/new"
mv "$D/bin/new" "$D/bin/lxcfsd-worker"
still_serves "a worker that does not start"
rm "$D/bin/lxcfsd-worker"
still_serves "no worker"
for _ in 1 2 3; do crash; done
is "$(sample)" one "and after three more"
undisturbed "crashes with nothing left on disk"

# what is on disk counts again when it is asked for
mkdir "$D/bin/plugins"
cp "$BUILD"/lxcfsd-worker "$D/bin/"
cp "$BUILD"/plugins/*.so "$D/bin/plugins/"
cp "$SAMPLES/sample_two.so" "$D/bin/plugins/sample_one.so"
cp "$D/good.ini" "$INI"
printf '[plugin sample_one]\n' >>"$INI"
reload_and_wait
is "$RELOAD" ok "a reload looks at the disk"
is "$(sample)" two "and takes the new plugin"
rm "$INI"
crash
is "$(sample)" two "which is the good one from now on"
finish
