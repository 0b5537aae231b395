#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""cgrace - cgroups whose names change, and who walks in them meanwhile.

	cgrace.py make DIR VALUE BASE
		on the host: the cgroups below DIR.  Each has a number of its own, from BASE on
		in steps of 4096, in its file VALUE; DIR itself has BASE.
	cgrace.py rename|swap|remove DIR VALUE BASE END MILLISECONDS
		on the host, until END is there, with rests of up to so many: renames those in which others are, and makes
		some anew; gives two of them one another's name; makes all of them anew, those
		two with one another's number (cgroup2 renames none).
	cgrace.py walk ROOT VALUE BASE OTHER READY END [NAME=PID,PID...]...
		in the container, where DIR is seen as ROOT, until END is there.  A number or a
		name that is not of the place, a held file or directory that becomes another one,
		a process that is not among NAME's, anything called OTHER or only_OTHER, and an
		error that does not say "it is not there" is a complaint; so is that nothing
		which had just been there was gone, or nobody came up.  Makes READY when it has
		been everywhere once.
	cgrace.py held ROOT VALUE BASE SECONDS
		as walk, but nothing else than files and directories that are held open.
	cgrace.py write ROOT VALUE BASE SECONDS
		in the container, where DIR is seen as ROOT and can be written: opens VALUE of
		those that change their names and writes to it, again and again, what tells it
		from the other.
	cgrace.py watch DIR VALUE BASE END
		on the host, until END is there: that nobody's number is written to another.
	cgrace.py stay DIR VALUE GO READY
		in the container: its working directory is DIR, VALUE is open there.  Prints
		what it reads from that, by its name and in `..`, and the same when GO is there.
	cgrace.py hold ROOT VALUE BASE LEVELS READY END
		in the container, until END is there: its working directory is LEVELS deep in
		ROOT/d/d/..., and a file and the directory of each level are open.  Any error is
		a complaint.  Makes READY, where it is not there, after each turn.

Prints what it finds; walk, held, write, watch and hold end with status 1 when they had to complain.
"""
import collections
import errno
import os
import random
import sys
import time

STEP = 4096
FRESH = ("max", "9223372036854771712")  # of a cgroup that was made a moment ago
CGROUPS = ("top", "top/in", "top/in/deep", "n", "n1", "n/of_n", "n1/of_n1", "go", "go/go")
RENAMED = {"top": "top1", "in": "in1"}  # one a prefix of the other
SWAPPED = ("n", "n1", "n10")            # the third for a moment only
FILES = ("tasks", "notify_on_release", "release_agent")  # the others have a dot
GONE = (errno.ENOENT, errno.ENODEV)
# An emulated machine that is busy needs more than the two seconds that a request may take.
LATE = (errno.EIO, errno.EBUSY) if os.environ.get("LXCFSD_TEST_VM") else ()
rest_ms = 0


def number(base, path):
	return base + STEP * (CGROUPS.index(path) + 1)


# ------------------------------------------------------------------- on the host

class Tree:
	def __init__(self, top, value, base):
		self.top, self.value, self.base = top, value, int(base)

	def at(self, path):
		return os.path.join(self.top, path)

	def make(self, path, like=None):
		os.mkdir(self.at(path))
		with open(self.at(os.path.join(path, self.value)), "w") as f:
			f.write("%d\n" % number(self.base, like or path))

	def anew(self, *paths):
		for path in reversed(paths):
			os.rmdir(self.at(path))
		for path in paths:
			self.make(path)

	def rename(self, old, new):
		os.rename(self.at(old), self.at(new))


def pause():
	time.sleep(random.random() ** 2 * rest_ms / 1000)


def rename(tree):
	for outer in (("top", "top1"), ("top1", "top")):
		for inner in (("in", "in1"), ("in1", "in")):
			tree.rename("/".join((outer[0], inner[0])), "/".join((outer[0], inner[1])))
			pause()
		tree.rename(*outer)
		pause()
	tree.anew("go", "go/go")


def swap(tree):
	tree.rename("n", "n10")
	tree.rename("n1", "n")
	tree.rename("n10", "n1")
	if rest_ms:
		pause()


def remove(tree):
	tree.anew("top/in/deep")
	pause()
	tree.anew("top", "top/in", "top/in/deep")
	pause()
	for old, new in ((("n", "n1"), ("n1", "n")), (("n1", "n"), ("n", "n1"))):
		for path, like in zip(("n", "n1"), old):
			os.rmdir(tree.at(path + "/of_" + like))
			os.rmdir(tree.at(path))
		for path, like in zip(("n", "n1"), new):
			tree.make(path, like)
			tree.make(path + "/of_" + like, like + "/of_" + like)
		pause()
	tree.anew("go", "go/go")


def churn(turn, top, value, base, end, rest):
	global rest_ms
	rest_ms = float(rest)
	tree = Tree(top, value, base)
	times = 0
	while not os.path.exists(end) or times % 2:  # all is as it was in the end
		turn(tree)
		times += 1
	print("%s: %d times" % (turn.__name__, times))


# -------------------------------------------------------------- in the container

def text_of(fd):
	return os.pread(fd, 65536, 0).decode().strip()


def read(path, below=None):
	fd = os.open(path, os.O_RDONLY, dir_fd=below)
	try:
		return text_of(fd)
	finally:
		os.close(fd)


def is_cgroup(name):
	return "." not in name and name not in FILES


class Looks:
	def __init__(self, tolerated=()):
		self.tolerated = tolerated
		self.calls = self.complaints = 0
		self.errors = collections.Counter()

	def complain(self, *what):
		self.complaints += 1
		if self.complaints < 10:
			print("complaint:", *what)

	def look(self, what, call, *args):
		"""None: it failed."""
		self.calls += 1
		try:
			return call(*args)
		except OSError as e:
			self.errors[errno.errorcode[e.errno]] += 1
			if e.errno not in self.tolerated:
				self.complain(what, e)
			return None

	def told(self, who, more=""):
		errors = " ".join("%s %d" % e for e in sorted(self.errors.items()))
		print("%s: %d calls, %d complaints%s, errors: %s" % (who, self.calls, self.complaints, more, errors or "none"))


class Walk(Looks):
	def __init__(self, root, value, base, other, pids):
		super().__init__(GONE + LATE)
		self.root, self.value, self.other, self.pids = root, value, other, pids
		self.held = self.climbed = self.lost = 0
		self.numbers = collections.defaultdict(lambda: {base})
		self.below = collections.defaultdict(set)
		for path in CGROUPS:
			parent, name = os.path.split(path)
			parent = os.path.basename(parent)
			names = SWAPPED if name in SWAPPED else {name, RENAMED.get(name, name)}
			for n in names:
				self.numbers[n] = self.numbers.get(n, set()) | {number(base, path)}
			for p in SWAPPED if parent in SWAPPED else {parent, RENAMED.get(parent, parent)}:
				self.below[p].update(names)
		self.below[""].add("go1")
		self.numbers["go1"] = self.numbers["go"]
		# on cgroup2 all of them are new now and then
		self.fresh = {"go", "go1"} if "limit_in_bytes" in value else set(self.numbers)

	def check(self, where, name, text):
		"""What the file VALUE of a cgroup of that name says."""
		if text is None or (text in FRESH and name in self.fresh):
			return
		if not text.isdigit() or int(text) not in self.numbers[name]:
			self.complain(where, "says", repr(text))

	def check_pids(self, where, name, text):
		shown = set((text or "").split())
		wanted = self.pids.get(name, set())
		if name and not shown <= wanted:
			self.complain(where, "has the processes", shown, "not", wanted)
		if not name and text is not None and not wanted <= shown:
			self.complain(where, "has the processes", shown, "not all of", wanted)

	def check_name(self, where, parent, name):
		if name not in self.below[parent] and not (name.startswith("only_") and name != "only_" + self.other):
			self.complain(where, "has", name)

	def directory(self, at, name):
		for e in self.look(at, lambda: list(os.scandir(at))) or ():
			st = self.look(e.path, os.lstat, e.path)
			self.lost += st is None
			isdir = e.is_dir(follow_symlinks=False)
			if isdir != is_cgroup(e.name) or (st and os.path.stat.S_ISDIR(st.st_mode) != isdir):
				self.complain(e.path, "is not what its name says")
			if isdir:
				self.check_name(at, name, e.name)
				self.directory(e.path, e.name)
		path = os.path.join(at, self.value)
		self.check(path, name, self.look(path, read, path))
		path = os.path.join(at, "cgroup.procs")
		self.check_pids(path, name, self.look(path, read, path))

	def same(self, where, fresh, call, *args):
		"""What is held open says what it said first, or that it is gone."""
		first = self.look(where, call, *args)
		in_vain = 0
		for _ in range(50 if first is not None else 0):
			now = self.look(where, call, *args)
			self.held += now is not None
			self.lost += now is None
			in_vain = in_vain + 1 if now is None else 0
			if in_vain == 10:
				return
			if now is not None and now != first and not (fresh and (first in FRESH or now in FRESH)):
				self.complain("held", where, "says", now, "after", first)

	def children(self, fd):
		names = os.listdir(fd)
		if not names:  # the C library takes ENOENT for the end
			raise OSError(errno.ENOENT, "nothing is listed")
		return " ".join(sorted(filter(is_cgroup, names))) or FRESH[0]

	def hold(self, name):
		def value_in(fd):
			return read(self.value, fd)
		for file, call in ((self.value, text_of), ("cgroup.procs", text_of), ("", self.children), ("", value_in)):
			path = os.path.join(self.root, name, file)
			fd = self.look(path, os.open, path, os.O_RDONLY)
			if fd is not None:
				self.same(path, name in self.fresh, call, fd)
				os.close(fd)

	def go(self, where, path):
		return self.look(where, lambda: os.chdir(path) or True)

	def climb(self, *down):
		"""Down by names, and up by `..`, from one to the next and in one step."""
		down = os.path.join(self.root, *down)
		way = ("deep", "in", "top", "")
		for name in way if self.go(down, down) else ():
			where = "%s, the working directory," % (name or "the root")
			self.check(where, name, self.look(where, read, self.value))
			for entry in self.look(where, os.listdir, ".") or ():
				if is_cgroup(entry):
					self.check_name(where, name, entry)
			if name and not self.go(where, ".."):
				break
			self.climbed += 1
		if not self.go(down, down):
			return
		for up, name in enumerate(way):
			path = "../" * up + self.value
			self.check(path, name, self.look(path, read, path))
		for up in range(1, 7):
			for name in (self.other, self.other + "/" + self.value, "only_" + self.other):
				self.nothing("../" * up + name)

	def nothing(self, path):
		for call in (os.lstat, os.listdir, read):
			self.calls += 1
			try:
				self.complain(path, "is there:", call(path))
			except OSError as e:
				if e.errno not in GONE + LATE:
					self.complain(path, e)

	def end(self, *counts):
		for what in counts:
			if not getattr(self, what):
				self.complain("nothing was", what)
		self.told("walk", "".join(", %d %s" % (getattr(self, what), what) for what in counts))
		return 1 if self.complaints else 0


def walk(root, value, base, other, ready, end, *pids):
	pids = {name: set(p.split(",")) for name, p in (a.split("=") for a in pids)}
	w = Walk(root, value, int(base), other, pids)
	while not os.path.exists(end):
		w.directory(root, "")
		for name in ("n", "n1", "go"):
			w.hold(name)
		for _ in range(3):
			for outer in ("top", "top1"):
				for inner in ("in", "in1"):
					w.climb(outer, inner, "deep")
		for path in (other, "only_" + other, "n/../" + other, "top/in/../../" + other):
			w.nothing(os.path.join(root, path))
		if ready:
			w.held = w.climbed = w.lost = 0  # nothing has happened yet
			open(ready, "w").close()
			ready = None
	return w.end("held", "climbed", "lost")


def held(root, value, base, seconds):
	w = Walk(root, value, int(base), "", {})
	end = time.monotonic() + float(seconds)
	while time.monotonic() < end:
		for name in ("n", "n1"):
			w.hold(name)
	return w.end("held", "lost")


WRITTEN = 64  # steps from what is written to what is written next: more than there are cgroups


def write(root, value, base, seconds):
	w = Looks(GONE + LATE)
	base = int(base)
	end = time.monotonic() + float(seconds)
	written = 0
	while time.monotonic() < end:
		path = os.path.join(root, random.choice(SWAPPED[:2]), value)
		fd = w.look(path, os.open, path, os.O_RDWR)
		text = fd is not None and w.look(path, text_of, fd)
		if text and text not in FRESH:
			own = base + (int(text) - base) % (WRITTEN * STEP)
			for i in range(50):
				if w.look(path, os.pwrite, fd, b"%d" % (own + i % 4 * WRITTEN * STEP), 0) is not None:
					written += 1
		if fd is not None:
			os.close(fd)
	if not written or not w.errors:
		w.complain("nothing was written, or nothing was gone")
	w.told("write", ", %d written" % written)
	return 1 if w.complaints else 0


def watch(top, value, base, end):
	w = Looks(GONE)
	seen = 0
	while not os.path.exists(end):
		for name in SWAPPED:
			at = w.look(name, os.open, os.path.join(top, name), os.O_RDONLY | os.O_DIRECTORY)
			if at is None:
				continue
			own = [c[3:] for c in w.look(name, os.listdir, at) or () if c.startswith("of_")]
			text = w.look(name, read, value, at)
			if own and text and text not in FRESH:
				seen += 1
				if (int(text) - number(int(base), own[0])) % (WRITTEN * STEP):
					w.complain("what is", own[0], "has", text)
			os.close(at)
	w.told("watch", ", %d seen" % seen)
	return 1 if w.complaints or not seen else 0


def stay(directory, value, go, ready):
	os.chdir(directory)
	file = os.open(value, os.O_RDONLY)

	def say(call, *args):
		try:
			return call(*args)
		except OSError as e:
			return errno.errorcode[e.errno]

	def all_three():
		return " ".join((say(read, value), say(text_of, file), say(read, "../" + value)))
	before = all_three()
	open(ready, "w").close()
	while not os.path.exists(go):
		time.sleep(0.01)
	print("before: %s; after: %s; children: %s" % (before, all_three(), say(os.lstat, "sub")))


def hold(root, value, base, levels, ready, end):
	looks = Looks()
	base, levels = int(base), int(levels)
	held = []
	for level in range(levels + 1):
		at = root + "/d" * level
		held.append((str(base + STEP * level), os.open(at, os.O_RDONLY), os.open(os.path.join(at, value), os.O_RDONLY)))
	os.chdir(root + "/d" * levels)
	turns = 0

	def says(wanted, where, text):
		if text is not None and text != wanted:
			looks.complain(where, "says", text, "not", wanted)

	while not os.path.exists(end):
		for level, (wanted, directory, file) in enumerate(held):
			says(wanted, "the file of level %d" % level, looks.look("held", text_of, file))
			names = looks.look("held", os.listdir, directory) or ()
			if ("d" in names) != (level < levels) or "cgroup.procs" not in names:
				looks.complain("the directory of level", level, "has", *names)
			above = "../" * (levels - level) + value
			says(wanted, above, looks.look(above, read, above))
		looks.look("the way up", os.chdir, "../" * levels)
		says(held[0][0], "the root", looks.look("the root", read, value))
		looks.look("the way down", os.chdir, "d/" * levels)
		says(held[-1][0], "the lowest", looks.look("the lowest", read, value))
		turns += 1
		if not os.path.exists(ready):
			open(ready, "w").close()
	looks.told("hold", ", %d turns" % turns)
	return 1 if looks.complaints else 0


if __name__ == "__main__":
	what, args = sys.argv[1], sys.argv[2:]
	if what == "make":
		tree = Tree(*args)
		for path in CGROUPS:
			tree.make(path)
	elif what in ("rename", "swap", "remove"):
		churn(globals()[what], *args)
	elif what in ("walk", "held", "write", "watch", "stay", "hold"):
		sys.exit(globals()[what](*args))
	else:
		sys.exit(__doc__)
