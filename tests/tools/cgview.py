#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""cgview - looks at a view of cgroups from within a container.

	cgview.py probe ROOT NAME...		what each call says to each name
	cgview.py walk ROOT VALUE LOW HIGH SECONDS [READY]
		reads on and on; a value that is not from LOW to HIGH, an entry of another
		kind than it was listed as, and an error that is not the end of a directory
		whose name begins with "go" is a complaint.  Holds a file and a working
		directory in ROOT/stay meanwhile.

Prints what it finds; walk ends with status 1 when it had to complain.
"""
import errno
import os
import stat
import sys
import time


def error(call, *args):
	try:
		call(*args)
		return "OK"
	except OSError as e:
		return errno.errorcode[e.errno]


def read(path):
	with open(path, "rb", buffering=0) as f:
		return f.read().decode().strip()


def probe(root, names):
	os.chdir(root)
	for name in names:
		raw = name.encode().decode("unicode_escape").encode("latin1")
		print(repr(raw)[1:], *("%s=%s" % (call.__name__, error(call, raw, *more)) for call, more in (
			(os.lstat, ()), (os.open, (os.O_RDONLY,)), (os.listdir, ()), (os.readlink, ()),
			(os.statvfs, ()), (os.mkdir, ()), (os.rmdir, ()), (os.unlink, ()),
			(os.truncate, (0,)), (os.chmod, (0o777,)), (os.symlink, (raw,)),
			(os.chdir, ()))))
		os.chdir(root)


class Walk:
	def __init__(self, root, value, low, high):
		self.root, self.value, self.low, self.high = root, value, low, high
		self.reads = self.complaints = 0

	def complain(self, *what):
		self.complaints += 1
		if self.complaints < 10:
			print("complaint:", *what)

	def look(self, path, call, *args):
		try:
			self.reads += 1
			return call(*args)
		except OSError as e:
			if not (e.errno in (errno.ENOENT, errno.ENODEV) and "/go" in path):
				self.complain(path, e)
			return None

	def check(self, path, text):
		if "/go" in path and text in ("max", "9223372036854771712"):
			return  # it was made a moment ago
		if text is not None and not (text.isdigit() and self.low <= int(text) <= self.high):
			self.complain(path, "says", repr(text))

	def directory(self, at):
		for e in self.look(at, lambda: list(os.scandir(at))) or ():
			st = self.look(e.path, os.lstat, e.path)
			if st and stat.S_ISDIR(st.st_mode) != e.is_dir(follow_symlinks=False):
				self.complain(e.path, "is not what was listed")
			if st and e.is_dir(follow_symlinks=False):
				self.directory(e.path)
		path = os.path.join(at, self.value)
		self.check(path, self.look(path, read, path))

	def held(self, file):
		self.check("held", self.look("held", lambda: os.pread(file, 4096, 0).decode().strip()))
		self.check("cwd", self.look("cwd", read, self.value))


def walk(root, value, low, high, seconds, ready=None):
	w = Walk(root, value, int(low), int(high))
	os.chdir(os.path.join(root, "stay"))
	file = os.open(value, os.O_RDONLY)
	end = time.monotonic() + float(seconds)
	while time.monotonic() < end:
		w.directory(root)
		w.held(file)
		if ready:
			open(ready, "w").close()
			ready = None
	print("walk: %d calls, %d complaints" % (w.reads, w.complaints))
	return 1 if w.complaints or w.reads < 100 else 0


if __name__ == "__main__":
	what, args = sys.argv[1], sys.argv[2:]
	if what == "probe":
		probe(args[0], args[1:])
	elif what == "walk":
		sys.exit(walk(*args))
	else:
		sys.exit(__doc__)
