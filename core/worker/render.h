/* SPDX-License-Identifier: MIT */
/* render.h - `lxcfsd-worker --render`: one file, printed, without a mount. */
#ifndef LXCFSD_RENDER_H
#define LXCFSD_RENDER_H

/*
 * --render PATH --subject CGROUP [--root DIR] [--config FILE] [--plugin-dir DIR]
 * [--set KEY=VALUE | --set PLUGIN.KEY=VALUE]...
 *
 * Without --root: this machine.  Without --config: every module of the plugin
 * directory with its defaults.  Returns the exit status.
 */
int render_command(int argc, char **argv);

#endif
