# shellcheck shell=bash disable=SC2034,SC2119,SC2120
# SPDX-License-Identifier: MIT
# store.sh - the daemon as a service that systemd keeps descriptors for; tools/fdstore.py
# plays systemd.

STORE=$T/store
mkdir "$STORE"
start_service() {
	rm -f "$STORE/notify"
	python3 "$(dirname "$0")/../tools/fdstore.py" "$STORE" "$LXCFSD" -f -c "$INI" -p "$PIDFILE" \
		--runtime-dir "$RUNDIR" "$MNT" >>"$LOG" 2>&1 &
	SERVICE=$!
	wait_for "$PATIENCE" grep -q . "$STORE/ready" && follow
}
stop_service() {
	kill -TERM "$SERVICE"
	wait "$SERVICE"
}
follow() { DPID=$(cat "$STORE/pid"); } # it is not our child
ready() { local n=0; read -r n 2>/dev/null <"$STORE/ready"; echo "${n:-0}"; }
ready_again() { [ "$(ready)" -gt "$1" ]; }
restarted() { # READY: has begun to serve since, with a worker of its own
	follow && [ -e "/proc/$DPID" ] && ready_again "$1" && one_worker
}
kill_main() { kill -KILL "$DPID"; }
kill_both() { # and whoever is in reserve
	kill -STOP "$DPID" # or it starts another worker
	kill_workers
	kill -KILL "$DPID"
}
