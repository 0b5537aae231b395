#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""fdstore - what systemd does for a service with Restart=always and a store of fds.

	fdstore.py DIR CMD [ARG]...

Runs CMD and starts it again whenever it ends, with what it has stored as LISTEN_FDS; after
FDSTORE_RESTART_MS, if that is set, as RestartSec= of a unit.
DIR/pid is the main process, DIR/names what is stored, DIR/ready how often READY=1 came,
DIR/errors what was asked for that systemd would not like.  SIGTERM: stops for good.

As newer versions of systemd do, it calls fstat(2) on what it is given: a file that the
service itself serves could hang process 1.  DIR/device is what must not come.
"""
import os
import select
import signal
import socket
import sys
import time

DIR, CMD = sys.argv[1], sys.argv[2:]
store = []  # (name, fd)
stopping = False


def put(name, text):
    with open(f"{DIR}/.{name}", "w") as f:
        f.write(text)
    os.rename(f"{DIR}/.{name}", f"{DIR}/{name}")


def complain(text):
    with open(f"{DIR}/errors", "a") as f:
        f.write(text + "\n")


def show():
    put("names", "".join(sorted(name + "\n" for name, fd in store)))


def start():
    pid = os.fork()
    if pid:
        put("pid", f"{pid}\n")
        return pid
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.environ["NOTIFY_SOCKET"] = f"{DIR}/notify"
    os.environ["FDSTORE"] = "16"
    for i, (_, fd) in enumerate(store):
        os.dup2(fd, 3 + i)
    if store:
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = str(len(store))
        os.environ["LISTEN_FDNAMES"] = ":".join(name for name, fd in store)
    os.execvp(CMD[0], CMD)


def take(fields, fds):
    name = fields.get("FDNAME", "stored")
    if "FDSTORE" in fields:
        if fields.get("FDPOLL") != "0":
            complain(f"{name}: polled")
        if len(fds) != 1 or name in (n for n, fd in store):
            complain(f"{name}: {len(fds)} fds, or twice")
        for fd in fds:
            high = 200 + len(store)
            while any(high == f for n, f in store):
                high += 1
            os.dup2(fd, high, False)
            os.close(fd)
            store.append((name, high))
            device = os.fstat(high).st_dev
            if os.path.exists(f"{DIR}/device") and open(f"{DIR}/device").read().strip() == f"{os.major(device)}:{os.minor(device)}":
                complain(f"{name}: a file of the service's own file system")
    if "FDSTOREREMOVE" in fields:
        for entry in [e for e in store if e[0] == name]:
            store.remove(entry)
            os.close(entry[1])
    show()


def stop(*_):
    global stopping
    stopping = True


notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.bind(f"{DIR}/notify")
signal.signal(signal.SIGTERM, stop)
ready = 0
show()
main = start()
sent = False
while True:
    if stopping and not sent:
        os.kill(main, signal.SIGTERM)
        sent = True
    if select.select([notify], [], [], 0.01)[0]:
        data, fds, _, _ = socket.recv_fds(notify, 4096, 16)
        fields = dict(line.split("=", 1) for line in data.decode().splitlines())
        if "READY" in fields:
            ready += 1
            put("ready", f"{ready}\n")
        take(fields, fds)
        continue  # all of it, before its end is noticed
    pid, status = os.waitpid(-1, os.WNOHANG) if main else (0, 0)
    if pid == main:
        if stopping:
            sys.exit(0)
        time.sleep(int(os.environ.get("FDSTORE_RESTART_MS", "0")) / 1000)
        main = start()
