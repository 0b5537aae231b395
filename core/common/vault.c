/* SPDX-License-Identifier: MIT */
/* vault.c - see vault.h. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "io.h"
#include "vault.h"

#define MIB ((uint64_t)1 << 20)

/* clang-format off */
static const struct vault_part_desc layout[VAULT_PARTS] = {
	[VAULT_JOURNAL]   = {   1 * MIB,  16 * MIB, JOURNAL_VERSION,   0 },
	[VAULT_NODES]     = {  17 * MIB,   8 * MIB, NODES_VERSION,     0 },
	[VAULT_SUBJECTS]  = {  25 * MIB,  32 * MIB, SUBJECTS_VERSION,  0 },
	[VAULT_HANDLES]   = {  57 * MIB,   4 * MIB, HANDLES_VERSION,   0 },
	[VAULT_TRIGGERS]  = {  61 * MIB,   4 * MIB, TRIGGERS_VERSION,  0 },
	[VAULT_RECORDS]   = {  65 * MIB,  63 * MIB, RECORDS_VERSION,   0 },
	[VAULT_SNAPSHOTS] = { 128 * MIB, 104 * MIB, SNAPSHOTS_VERSION, 0 },
	[VAULT_PASSING]   = { 232 * MIB,  24 * MIB, PASSING_VERSION,   0 },
};
/* clang-format on */

_Static_assert(sizeof(struct journal_slot) * JOURNAL_SLOTS <= 16 << 20, "journal");
_Static_assert(sizeof(struct vault_nodes) <= 8 << 20, "nodes");
_Static_assert(sizeof(struct vault_subject) * SUBJECTS_MAX <= 32 << 20, "subjects");
_Static_assert(sizeof(struct vault_handles) <= 4 << 20, "handles");
_Static_assert(sizeof(struct vault_trigger) * TRIGGERS_MAX <= 4 << 20, "triggers");
_Static_assert(sizeof(struct vault_records) <= 63 << 20, "records");
_Static_assert((size_t)SNAPSHOT_PAGE *SNAPSHOT_PAGES_MAX <= 104 << 20, "snapshots");
_Static_assert(sizeof(struct vault_passings) <= 24 << 20, "passing nodes");

static struct vault_header *map(int fd)
{
	void *at = mmap(NULL, VAULT_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED)
		return NULL;
	/* it counts as anonymous memory: a core dump would write all of it and
	 * delay the restart by a second */
	(void)madvise(at, VAULT_SIZE, MADV_DONTDUMP);
	return at;
}

int vault_create(int *ret_fd, struct vault_header **ret)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct vault_header *vault;
	int fd, r;

	fd = memfd_create("lxcfsd-vault", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -errno;
	if (ftruncate(fd, (off_t)VAULT_SIZE) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
		goto fail;
	vault = map(fd);
	if (!vault)
		goto fail;
	if (getrandom(&vault->secret, sizeof(vault->secret), GRND_NONBLOCK) < 0)
		vault->secret = io_now_ns(); /* so early after boot nobody could have listened */
	vault->magic = VAULT_MAGIC;
	vault->version = VAULT_VERSION;
	vault->header_size = sizeof(*vault);
	vault->size = VAULT_SIZE;
	vault->mounted_at = time(NULL);
	memcpy(vault->parts, layout, sizeof(layout));
	*ret_fd = fd;
	*ret = vault;
	return 0;
fail:
	r = -errno;
	close(fd);
	return r;
}

int vault_map(int fd, struct vault_header **ret)
{
	struct vault_header *vault;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size != VAULT_SIZE)
		return -EINVAL;
	vault = map(fd);
	if (!vault)
		return -errno;
	if (vault->magic != VAULT_MAGIC || vault->version != VAULT_VERSION ||
	    vault->size != VAULT_SIZE) {
		vault_unmap(vault);
		return -EINVAL;
	}
	*ret = vault;
	return 0;
}

void vault_unmap(struct vault_header *vault)
{
	if (vault)
		munmap(vault, VAULT_SIZE);
}

void *vault_part(struct vault_header *vault, enum vault_part part, uint32_t version, size_t size)
{
	const struct vault_part_desc *desc = &vault->parts[part];

	if (desc->version != version || desc->size < size || desc->offset > VAULT_SIZE ||
	    desc->size > VAULT_SIZE - desc->offset || desc->offset % 4096)
		return NULL;
	return (char *)vault + desc->offset;
}

void vault_copy_nodes(struct vault_header *to, struct vault_header *from)
{
	struct vault_nodes *in, *out;
	uint32_t count, names = 0;

	in = vault_part(from, VAULT_NODES, NODES_VERSION, sizeof(*in));
	out = vault_part(to, VAULT_NODES, NODES_VERSION, sizeof(*out));
	count = in ? atomic_load(&in->count) : 0;
	if (!out || count > NODES_MAX) /* who takes it over finds nothing, as at the start */
		return;
	for (uint32_t i = 0; i < count; i++) {
		out->nodes[i] = in->nodes[i];
		if (out->nodes[i].name < NODE_NAMES_SIZE && out->nodes[i].name > names)
			names = out->nodes[i].name;
	}
	names = names < NODE_NAMES_SIZE - 256 ? names + 256 : NODE_NAMES_SIZE; /* and the last */
	if (count)
		memcpy(out->names, in->names, names);
	atomic_store(&out->count, count);
}
