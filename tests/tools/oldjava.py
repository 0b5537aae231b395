#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""oldjava - finds limits as Java 8u191 does, which knows cgroup v1 only.

	oldjava.py [MOUNTINFO CGROUP]

Lines of MOUNTINFO (/proc/self/mountinfo) whose file system type is `cgroup`, and nothing else,
say where the controllers are that they name; CGROUP (/proc/self/cgroup) says what the process's
cgroup is called in each.  Where a mount's root is `/` that is looked for below the mount point;
where it is the cgroup itself, that is the mount point; else what is left of the name when the
root is cut off.  Unless memory, cpuset, cpu and cpuacct are found it is no container.

Written from the documented behaviour.  Prints one line; -1 is no limit.
"""
import math
import os
import sys

CONTROLLERS = ("memory", "cpuset", "cpu", "cpuacct")
PAGE = os.sysconf("SC_PAGESIZE")
NO_LIMIT = (2 ** 63 - 1) // PAGE * PAGE
NO_SHARES = 1024


def controllers_of(text):
	"""By words anywhere in it; memory and cpuset are not with another."""
	for alone in ("memory", "cpuset"):
		if alone in text:
			return (alone,)
	if "cpu,cpuacct" in text or "cpuacct,cpu" in text:
		return ("cpu", "cpuacct")
	return ("cpuacct",) if "cpuacct" in text else ("cpu",) if "cpu" in text else ()


def directories(mountinfo, cgroup):
	mounts, found = {}, {}
	for line in mountinfo:
		before, _, after = line.partition(" - ")
		if after.split(" ")[0] == "cgroup":
			mounts.update((c, before.split(" ")[3:5]) for c in controllers_of(line))
	for line in cgroup if len(mounts) == len(CONTROLLERS) else ():
		_, names, path = line.rstrip("\n").split(":", 2)
		for c in controllers_of(names):
			root, point = mounts[c]
			if root == "/":
				found[c] = point + ("" if path == "/" else path)
			elif path.startswith(root):
				found[c] = point + path[len(root):]
	return mounts, found


def count_of(cpus):
	return sum(int(last or first) - int(first) + 1
		for first, _, last in (part.partition("-") for part in cpus.split(",")))


def main(mountinfo="/proc/self/mountinfo", cgroup="/proc/self/cgroup"):
	with open(mountinfo) as m, open(cgroup) as c:
		mounts, at = directories(m, c)
	if len(mounts) < len(CONTROLLERS):
		return "no container: no cgroup mount for " + ", ".join(c for c in CONTROLLERS if c not in mounts)

	def read(controller, file):
		with open(os.path.join(at[controller], file)) as f:
			return f.read().strip()
	try:
		memory = int(read("memory", "memory.limit_in_bytes"))
		quota, period = int(read("cpu", "cpu.cfs_quota_us")), int(read("cpu", "cpu.cfs_period_us"))
		shares, cpus = int(read("cpu", "cpu.shares")), read("cpuset", "cpuset.cpus")
	except (OSError, KeyError) as e:
		return "a container whose limits are not found: %s" % e
	counts = [count_of(cpus)]
	if quota > 0 and period > 0:
		counts.append(math.ceil(quota / period))
	elif shares != NO_SHARES:
		counts.append(math.ceil(shares / 1024))
	return "memory %d quota %d period %d shares %d cpuset %s processors %d" % (
		-1 if memory >= NO_LIMIT else memory, quota, period, -1 if shares == NO_SHARES else shares,
		cpus, min(counts))


if __name__ == "__main__":
	print(main(*sys.argv[1:]))
