#!/bin/bash
# SPDX-License-Identifier: MIT
# make install, a plugin built by a stranger against what it installed, uninstall.
# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../lib.sh"

[ -z "$VM" ] || skip_all "nothing is built in a virtual machine"
command -v gcc >/dev/null || skip_all "no compiler"
top=$(cd "$(dirname "$0")/../.." && pwd)
san=${BUILD##*/build} san=${san#-} san=${san//-/,}
make_it() { make -C "$top" -s "$@" O="$BUILD" ${san:+"SAN=$san"} DESTDIR="$T/root" prefix=/usr; }

check "make install" make_it install
for f in bin/lxcfsd libexec/lxcfsd/lxcfsd-worker libexec/lxcfsd/lxcfsd-safe lib/lxcfsd/plugins/meminfo.so include/lxcfsd/plugin.h; do
	check "it installs $f" test -s "$T/root/usr/$f"
done
check "it installs the unit, with its paths" grep -q '^ExecStart=/usr/bin/lxcfsd -' "$T/root/usr/lib/systemd/system/lxcfsd.service"
check "it installs the INI" test -s "$T/root/etc/lxcfsd/lxcfsd.ini"
is "$(find "$T/root" ! -type d ! -type f)" "" "plain files only"

mkdir "$T/stranger"
cat >"$T/stranger/motto.c" <<'C'
#include <lxcfsd/plugin.h>

static int render(void *state, const union lxcfsd_value opts[], struct lxcfsd_request *req,
		  struct lxcfsd_out *out)
{
	(void)state;
	(void)req;
	lxcfsd_printf(out, "%s\n", opts[0].s);
	return 0;
}

static const struct lxcfsd_opt opts[] = {
	{ .key = "motto", .type = LXCFSD_STRING, .def = "none", .help = "what to say" },
};
static const struct lxcfsd_file files[] = {
	{ .path = "/proc/motto", .mode = 0444, .render = render },
};
LXCFSD_EXPORT const struct lxcfsd_plugin lxcfsd_plugin = {
	LXCFSD_PLUGIN_HEADER,
	.name = "motto",
	.version = "1",
	.summary = "a motto",
	.files = files,
	.file_count = LXCFSD_COUNT(files),
	.opts = opts,
	.opt_count = LXCFSD_COUNT(opts),
};
C
check "a plugin is built against the installed header alone" gcc -std=c17 -Wall -Wextra -Werror -fPIC -shared \
	-fvisibility=hidden -I "$T/root/usr/include" -o "$T/stranger/motto.so" "$T/stranger/motto.c"
daemon one
ini
printf '\n[plugin motto]\nmodule = %s\nmotto = per aspera\n' "$T/stranger/motto.so" >>"$INI"
must_start
is "$(cat "$MNT/proc/motto")" "per aspera" "it serves a new file, by its option"
sed -i 's/per aspera/ad astra/' "$INI"
reload_and_wait
is "$(cat "$MNT/proc/motto")" "ad astra" "and another text after a reload"
stop_daemon

check "make uninstall" make_it uninstall
is "$(find "$T/root" -type f)" "" "it leaves no file"
is "$(find "$T/root" -type d -name '*lxcfsd*')" "" "and no directory of its own"
make_it install >/dev/null && echo '# mine' >>"$T/root/etc/lxcfsd/lxcfsd.ini"
make_it install >/dev/null
check "a changed INI is kept by an install" grep -q '# mine' "$T/root/etc/lxcfsd/lxcfsd.ini"
make_it uninstall >/dev/null
check "and by an uninstall" grep -q '# mine' "$T/root/etc/lxcfsd/lxcfsd.ini"

if command -v systemd-analyze >/dev/null; then
	make -C "$top" -s install O="$BUILD" ${san:+"SAN=$san"} prefix="$T/local" sysconfdir="$T/etc" >/dev/null
	is "$(SYSTEMD_LOG_LEVEL=notice systemd-analyze verify --man=no "$T/local/lib/systemd/system/lxcfsd.service" 2>&1 |
		grep -vE 'bus|booted with systemd')" "" "systemd has nothing against the unit"
else
	skip "systemd has nothing against the unit" "no systemd-analyze"
fi
finish
