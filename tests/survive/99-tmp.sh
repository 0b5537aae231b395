. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../load.sh"
daemon one
must_start
MOUNT=$(mount_line)
start_load
for i in {1..50}; do b=$(reload_count); kill -HUP "$DPID"; wait_for 10 reload_ended "${b:-0}"; done
for p in $(pgrep -P $LOAD); do echo $p $(cut -d' ' -f14,15 /proc/$p/stat); done > /tmp/ho-a; sleep 6;
for p in $(pgrep -P $LOAD); do echo $p $(cut -d' ' -f14,15 /proc/$p/stat); done > /tmp/ho-b
comm -12 /tmp/ho-a /tmp/ho-b | while read p x; do echo STUCK $p $x; cat /proc/$p/stack /proc/$p/syscall /proc/$p/wchan; cat $(connection)/waiting; done
undisturbed reexec
cp $LOG /tmp/ho-log2
finish
