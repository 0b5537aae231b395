/* SPDX-License-Identifier: MIT */
/*
 * scribble - random bytes into the vault of a daemon, as a worker that has gone mad would
 * leave it.
 *
 *	scribble KEEPER-PID PART SEED [RANGES]
 *
 * PART: head journal nodes subjects handles snapshots records triggers all.  RANGES of up
 * to 4 KiB (default 8), half of them where the part begins; 0: all of it that can be in use.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vault.h"

#define MIB ((uint64_t)1 << 20)

static const struct {
	const char *name;
	uint64_t offset, size;
} parts[] = {
	{ "head", 0, sizeof(struct vault_header) },
	{ "journal", 1 * MIB, sizeof(struct journal_slot) * JOURNAL_SLOTS },
	{ "nodes", 17 * MIB, sizeof(struct vault_nodes) },
	{ "subjects", 25 * MIB, sizeof(struct vault_subject) * SUBJECTS_MAX },
	{ "handles", 57 * MIB, sizeof(struct vault_handle) * HANDLES_MAX },
	{ "triggers", 61 * MIB, sizeof(struct vault_trigger) * TRIGGERS_MAX },
	{ "records", 65 * MIB, sizeof(struct vault_records) },
	{ "snapshots", 128 * MIB, 8 * MIB },
};
#define PARTS (sizeof(parts) / sizeof(parts[0]))

static uint64_t state;

static uint64_t next(void) /* xorshift64* */
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1du;
}

static void fill(uint8_t *at, uint64_t len)
{
	for (uint64_t i = 0; i < len; i += sizeof(uint64_t)) {
		uint64_t bytes = next(), left = len - i;

		memcpy(at + i, &bytes, left < sizeof(bytes) ? left : sizeof(bytes));
	}
}

static void scribble(uint8_t *vault, size_t part, unsigned int ranges)
{
	uint64_t size = parts[part].size;

	if (ranges == 0)
		fill(vault + parts[part].offset, size);
	for (unsigned int i = 0; i < ranges; i++) {
		uint64_t within = next() & 1 && size > 64 << 10 ? 64 << 10 : size;
		uint64_t at = next() % within, len = 1 + next() % 4096;

		if (len > size - at)
			len = size - at;
		fill(vault + parts[part].offset + at, len);
	}
}

static int open_vault(const char *pid)
{
	char path[64], link[300], target[64];
	struct dirent *entry;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	while (dir && fd < 0 && (entry = readdir(dir))) {
		ssize_t n;

		snprintf(link, sizeof(link), "%.40s/%.200s", path, entry->d_name);
		n = readlink(link, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (!strncmp(target, "/memfd:lxcfsd-vault", 19))
			fd = open(link, O_RDWR | O_CLOEXEC);
	}
	if (dir)
		closedir(dir);
	return fd;
}

int main(int argc, char **argv)
{
	unsigned int ranges = argc > 4 ? (unsigned int)atoi(argv[4]) : 8;
	uint8_t *vault;
	bool any = false;
	int fd;

	if (argc < 4) {
		fputs("scribble: see its source\n", stderr);
		return 2;
	}
	fd = open_vault(argv[1]);
	vault = fd < 0 ? MAP_FAILED
		       : mmap(NULL, VAULT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (vault == MAP_FAILED) {
		fputs("scribble: no vault\n", stderr);
		return 2;
	}
	state = strtoull(argv[3], NULL, 10) * 2654435761u + 1;
	for (size_t i = 0; i < PARTS; i++) {
		if (strcmp(argv[2], parts[i].name) != 0 && strcmp(argv[2], "all") != 0)
			continue;
		scribble(vault, i, ranges);
		any = true;
	}
	return any ? 0 : 2;
}
