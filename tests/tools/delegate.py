#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""delegate - changes cgroups from within a container.

	delegate.py try CALL...		what each says: mkdir:PATH, rmdir:PATH, open:PATH,
					write:PATH:TEXT (\\n is a newline), chmod:PATH:MODE,
					chown:PATH:UID:GID, create:PATH, rename:PATH:PATH
	delegate.py spin ROOT FILE LOW SECONDS [READY]
		makes a cgroup in ROOT, writes numbers to FILE in it and reads them back, moves
		itself there and out again, and removes it, on and on.  What fails, was done
		twice (mkdir: it is there already; rmdir: it is gone), or reads back as something
		else is a complaint.
	delegate.py race FILE SECONDS
		writes the numbers of processes that are just ending.
	delegate.py watch FILE SECONDS
		writes its own number, and looks at who does that for it in its namespace: what
		it may, has open, and sees as its root.  Stops it, too.
	delegate.py pass FILE UID
		opens it as that user, and writes to it as itself.
"""
import errno
import os
import signal
import sys
import time


def say(call, *args):
	try:
		call(*args)
		return "OK"
	except OSError as e:
		return errno.errorcode[e.errno]


def write(path, text):
	fd = os.open(path, os.O_WRONLY)
	try:
		os.write(fd, text.encode().decode("unicode_escape").encode("latin1"))
	finally:
		os.close(fd)


def one(what, path, *more):
	if what == "write":
		return say(write, path, ":".join(more))
	return say({
		"mkdir": lambda: os.mkdir(path),
		"rmdir": lambda: os.rmdir(path),
		"open": lambda: os.close(os.open(path, os.O_RDWR)),
		"create": lambda: os.close(os.open(path, os.O_WRONLY | os.O_CREAT)),
		"chmod": lambda: os.chmod(path, int(more[0], 8)),
		"chown": lambda: os.chown(path, int(more[0]), int(more[1])),
		"rename": lambda: os.rename(path, more[0]),
	}[what])


class Spin:
	def __init__(self, root, file, low):
		self.root, self.file, self.low = root, file, int(low)
		self.calls = self.complaints = 0

	def do(self, call, *args):
		self.calls += 1
		try:
			return call(*args)
		except OSError as e:
			self.complaints += 1
			if self.complaints < 10:
				print("complaint:", args, e)

	def read(self, path):
		with open(path) as f:
			return f.read().strip()

	def round(self, n):
		at = os.path.join(self.root, "spin%d" % (n % 3))
		self.do(os.mkdir, at)
		path = os.path.join(at, self.file)
		for i in range(3):
			value = str(self.low + 4096 * ((n * 3 + i) % 1000))
			self.do(write, path, value)
			if self.do(self.read, path) != value:
				self.complaints += 1
				print("complaint:", path, "is not", value)
		self.do(write, os.path.join(at, "cgroup.procs"), "0")
		me = str(os.getpid())
		if me not in (self.do(self.read, os.path.join(at, "cgroup.procs")) or "").split():
			self.complaints += 1
			print("complaint: not moved to", at)
		self.do(write, os.path.join(self.root, "rest", "cgroup.procs"), me)
		self.do(os.rmdir, at)


def spin(root, file, low, seconds, ready=None):
	s = Spin(root, file, low)
	end = time.monotonic() + float(seconds)
	n = 0
	while time.monotonic() < end:
		s.round(n)
		n += 1
		if ready:
			open(ready, "w").close()
			ready = None
	print("spin: %d calls, %d rounds, %d complaints" % (s.calls, n, s.complaints))
	return 1 if s.complaints or n < 3 else 0


def race(file, seconds):
	end, said = time.monotonic() + float(seconds), {}
	while time.monotonic() < end:
		pid = os.fork()
		if pid == 0:
			os._exit(0)
		for _ in range(2):
			word = say(write, file, str(pid))
			said[word] = said.get(word, 0) + 1
		os.waitpid(pid, 0)
		word = say(write, file, str(pid))
		said[word] = said.get(word, 0) + 1
	print("race:", *("%s=%d" % i for i in sorted(said.items())))
	return 0


def look_at(pid):
	with open("/proc/%s/comm" % pid) as f:
		if not f.read().startswith("lxcfsd"):
			return None
	os.kill(int(pid), signal.SIGSTOP)
	with open("/proc/%s/status" % pid) as f:
		status = dict(line.split(":", 1) for line in f)
	powers = [k for k in ("CapEff", "CapPrm", "CapInh", "CapAmb") if int(status[k], 16)]
	if os.listdir("/proc/%s/root" % pid):
		powers.append("root")
	if len(os.listdir("/proc/%s/fd" % pid)) > 3:  # its talk, the file, whom the number names
		powers.append("fds")
	if status["NoNewPrivs"].strip() != "1" or status["Seccomp"].strip() != "2":
		powers.append("calls")
	return powers


def watch(file, seconds):
	end, seen, powers = time.monotonic() + float(seconds), 0, set()
	writer = os.fork()
	while writer == 0:
		say(write, file, str(os.getppid()))
	while time.monotonic() < end:
		for pid in filter(str.isdigit, os.listdir("/proc")):
			try:
				has = look_at(pid)
			except (OSError, KeyError):
				continue  # it has ended
			if has is not None:
				seen += 1
				powers.update(has)
	os.kill(writer, signal.SIGKILL)
	os.waitpid(writer, 0)
	print("watch: %s, it has:" % ("seen" if seen > 2 else "not seen"), *sorted(powers))
	return 0


def pass_on(file, uid):
	os.seteuid(int(uid))
	fd = os.open(file, os.O_WRONLY)
	os.seteuid(0)
	print("pass=%s" % say(os.write, fd, str(os.getpid()).encode()))
	return 0


if __name__ == "__main__":
	what, args = sys.argv[1], sys.argv[2:]
	if what == "try":
		for call in args:
			print("%s=%s" % (call, one(*call.split(":"))))
	elif what in ("spin", "race", "watch", "pass"):
		sys.exit({"spin": spin, "race": race, "watch": watch, "pass": pass_on}[what](*args))
	else:
		sys.exit(__doc__)
