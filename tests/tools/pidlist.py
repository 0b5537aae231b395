#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""pidlist - long lists of processes, as a container sees them.

	pidlist.py check FILE
		in a container all of whose processes are in the cgroup that FILE is of.  Prints
		how many there are, and what is wrong.
	pidlist.py time ROUNDS FILE...
		reads each in turn; prints for each its lines and the milliseconds it took: the
		median, the best, the worst.

check ends with status 1 when something is wrong.
"""
import os
import statistics
import sys
import time


def read_all(path, size):
	fd = os.open(path, os.O_RDONLY)
	try:
		return b"".join(iter(lambda: os.read(fd, size), b""))
	finally:
		os.close(fd)


def check(path):
	wrong = []
	text = read_all(path, 1 << 20)
	shown = [int(line) for line in text.split()]
	there = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
	if len(set(shown)) != len(shown):
		wrong.append("%d twice" % (len(shown) - len(set(shown))))
	if sorted(set(shown)) != there:
		wrong.append("%d are missing" % len(set(there) - set(shown)))
		wrong.append("%d are not here" % len(set(shown) - set(there)))
	if shown != sorted(shown) or text != b"".join(b"%d\n" % pid for pid in shown):
		wrong.append("not in order, or not one in a line")
	if read_all(path, 1000) != text:
		wrong.append("another list in small pieces")
	print("%d processes" % len(shown), *wrong, sep=", ")
	return 1 if wrong else 0


def timed(rounds, *paths):
	took = {path: [] for path in paths}
	lines = {}
	for turn in range(int(rounds) + 1):
		for path in paths if turn % 2 else reversed(paths):
			began = time.perf_counter()
			text = read_all(path, 1 << 20)
			if turn:  # the first warms up
				took[path].append((time.perf_counter() - began) * 1000)
			lines[path] = text.count(b"\n")
	for path in paths:
		print("%d %.2f %.2f %.2f" % (lines[path], statistics.median(took[path]), min(took[path]), max(took[path])))
	return 0


if __name__ == "__main__":
	what, args = sys.argv[1], sys.argv[2:]
	if what not in ("check", "time"):
		sys.exit(__doc__)
	sys.exit({"check": check, "time": timed}[what](*args))
