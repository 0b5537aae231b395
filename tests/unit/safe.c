/* SPDX-License-Identifier: MIT */
/* safe.c - lxcfsd-safe: what it shows, and what not, also when anything is in the vault.
 * Requests go through its own code, and its answers come out of a socket. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/fuse.h>

#include "check.h"
#include "fixture.h"

#include "../../core/safe/content.c"
#include "../../core/safe/serve.c"

#define SECRET "TOP-SECRET"

static struct vault_header *vault;
static int vault_fd;
static int kernel; /* our end of the device */
static void *slot;
static struct safe safe;
static struct lxcfsd_file files[] = { { .path = "/proc/a", .mode = 0444 },
				      { .path = "/proc/closed", .mode = 0400 },
				      { .path = "/proc/secret", .mode = 0444 },
				      { .path = "/proc/none", .mode = 0444 },
				      { .path = "/proc/out", .mode = 0444 } };
static struct lxcfsd_tree tree = { .path = "/sys/t" };

/* ------------------------------------------------------------------ requests */

static struct {
	struct fuse_out_header head;
	char body[1 << 20];
} answer;

/* Prints nothing; the error, 0 or less. */
static int ask(uint32_t opcode, uint64_t node, const void *body_in, size_t len)
{
	static uint64_t unique;
	struct fuse_in_header head = { .len = (uint32_t)(sizeof(head) + len),
				       .opcode = opcode,
				       .unique = unique += 2,
				       .nodeid = node,
				       .pid = 1 };
	ssize_t n;

	memcpy(slot, &head, sizeof(head));
	memcpy((char *)slot + sizeof(head), body_in, len);
	safe_answer(&safe, CONN_PLAIN, slot, sizeof(head) + len);
	n = recv(kernel, &answer, sizeof(answer) - 1, MSG_DONTWAIT);
	if (n < (ssize_t)sizeof(answer.head) || (size_t)n != answer.head.len ||
	    answer.head.unique != unique)
		return 1;
	answer.body[(size_t)n - sizeof(answer.head)] = '\0';
	return answer.head.error;
}

static size_t body_size(void)
{
	return answer.head.len - sizeof(answer.head);
}

static uint64_t look_up(uint64_t dir, const char *name)
{
	struct fuse_entry_out *out = (void *)answer.body;

	return ask(FUSE_LOOKUP, dir, name, strlen(name) + 1) == 0 ? out->nodeid : 0;
}

static int open_file(uint64_t node, uint64_t *ret_fh)
{
	struct fuse_open_in in = { .flags = O_RDONLY };
	int r = ask(FUSE_OPEN, node, &in, sizeof(in));

	if (r == 0)
		*ret_fh = ((struct fuse_open_out *)answer.body)->fh;
	return r;
}

static int read_at(uint64_t node, uint64_t fh, uint64_t offset, uint32_t size)
{
	struct fuse_read_in in = { .fh = fh, .offset = offset, .size = size, .lock_owner = 1 };

	return ask(FUSE_READ, node, &in, sizeof(in));
}

static const char *text_of_file(const char *name)
{
	uint64_t node = look_up(look_up(1, "proc"), name), fh;
	static char error[16];
	int r = node ? open_file(node, &fh) : -ENOENT;

	if (r == 0)
		r = read_at(node, fh, 0, 65536);
	snprintf(error, sizeof(error), "%d", r);
	return r == 0 ? answer.body : error;
}

/* --------------------------------------------------------------------- start */

static void make_host(void)
{
	char full[PATH_MAX + 16];

	fixture_begin();
	fixture_file("/proc/a", "the host's\n");
	fixture_file("/proc/closed", SECRET "\n");
	fixture_file("/proc/secret", SECRET "\n");
	fixture_file("/proc/sub/unlisted", SECRET "\n");
	fixture_file("/secret", SECRET "\n");
	fixture_link("/proc/out", "../secret");
	fixture_file("/sys/t/cpu0/x", "1\n");
	fixture_link("/sys/t/link", "cpu0");
	fixture_link("/sys/t/up", "../../..");
	snprintf(full, sizeof(full), "%s/proc/secret", fixture_root);
	chmod(full, 0440);
}

/* A vault as a worker leaves it. */
static void make_vault(void)
{
	static struct plugin_section section = { .name = (char *)"on", .enabled = true };
	struct plugin plugin = { .section = &section,
				 .enabled = true,
				 .files = files,
				 .trees = &tree,
				 .meta.file_count = 5,
				 .meta.tree_count = 1 };
	const struct plugins some = { .list = &plugin, .count = 1 };
	struct nodes nodes;

	if (vault_create(&vault_fd, &vault) < 0)
		exit(1);
	atomic_store(&vault->writer, 1);
	if (nodes_open(&nodes, vault, &some, NULL) < 0)
		exit(1);
	nodes_done(&nodes);
}

static bool take_over(void)
{
	int pair[2];

	atomic_store(&vault->writer, 2);
	memset(&safe, 0, sizeof(safe));
	if (content_open(&safe, vault, 2, fixture_root) < 0 ||
	    journal_open(&safe.journal, vault, 2, true) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0)
		return false;
	journal_add(&safe.journal, CONN_PLAIN, pair[1]);
	kernel = pair[0];
	safe.conn_roots[CONN_PLAIN] = NODE_ROOT;
	slot = journal_attach(&safe.journal, CONN_PLAIN);
	return slot;
}

static void let_go(void)
{
	close(kernel);
	close(atomic_load(&safe.journal.fds[CONN_PLAIN]));
	atomic_store(&((struct journal_slot *)((char *)slot - offsetof(struct journal_slot, buf)))
			      ->owner,
		     0);
	roots_close(&safe.roots);
	nodes_done(&safe.nodes);
	handles_done(&safe.handles);
	free(safe.listed);
	free((void *)safe.sizes);
}

static void done(void)
{
	let_go();
	vault_unmap(vault);
	close(vault_fd);
}

/* --------------------------------------------------------------------- tests */

static void test_files(void)
{
	const struct fuse_entry_out *entry = (const void *)answer.body;
	uint64_t proc, a, fh, other;

	make_host();
	make_vault();
	CHECK(take_over());
	proc = look_up(1, "proc");
	a = look_up(proc, "a");
	CHECK(proc && a);
	CHECK(entry->entry_valid == 1 && entry->attr.size == 65536);
	CHECK_U64(entry->attr.mode, S_IFREG | 0444);
	CHECK_STR(text_of_file("a"), "the host's\n");
	/* a text in pieces is one text, whatever becomes of the file */
	CHECK(open_file(a, &fh) == 0 && fh != HANDLE_STATELESS);
	CHECK(read_at(a, fh, 0, 4) == 0);
	CHECK_STR(answer.body, "the ");
	fixture_file("/proc/a", "another one\n");
	CHECK(read_at(a, fh, 4, 100) == 0);
	CHECK_STR(answer.body, "host's\n");
	CHECK(read_at(a, fh, 11, 100) == 0 && body_size() == 0);
	CHECK(read_at(a, fh, 0, 100) == 0);
	CHECK_STR(answer.body, "another one\n");
	/* for the page cache, beyond what there can be, of what is no file */
	CHECK(ask(FUSE_READ, a, &(struct fuse_read_in){ .fh = fh, .size = 9 },
		  sizeof(struct fuse_read_in)) == -EINVAL);
	CHECK(read_at(a, fh, UINT64_MAX, 9) == -EIO && read_at(proc, fh, 0, 9) == -EIO);
	/* the stateless one as well */
	CHECK(read_at(a, HANDLE_STATELESS, 8, 9) == 0);
	CHECK_STR(answer.body, "one\n");
	CHECK(ask(FUSE_RELEASE, a, &(struct fuse_release_in){ .fh = fh },
		  sizeof(struct fuse_release_in)) == 0);
	CHECK(open_file(a, &other) == 0 && other != fh);
	/* on_error = eio: nothing of the host's, but what was begun goes on */
	CHECK(read_at(a, other, 0, 2) == 0);
	safe.hide_host = true;
	CHECK(read_at(a, other, 2, 100) == 0);
	CHECK_STR(answer.body, "other one\n");
	CHECK(read_at(a, other, 0, 100) == -EIO && look_up(proc, "a") == a);
	safe.hide_host = false;

	/* what others may not read is empty, by whoever's word */
	CHECK_STR(text_of_file("closed"), "");
	CHECK(look_up(proc, "closed"));
	CHECK_U64(entry->attr.mode, S_IFREG | 0400);
	CHECK_STR(text_of_file("secret"), "");
	/* what the host has not, a link that leads out, names that nobody knows */
	CHECK(atoi(text_of_file("none")) == -EIO);
	CHECK(atoi(text_of_file("out")) == -EIO);
	CHECK(!look_up(proc, "sub") && !look_up(proc, "..") && !look_up(1, "secret"));
	CHECK(!look_up(a, "x") && !look_up(12345, "x"));
	CHECK(ask(FUSE_LOOKUP, proc, "a", 1) == -ENOENT); /* without its NUL */
	CHECK(ask(FUSE_OPEN, a, &(struct fuse_open_in){ .flags = O_RDWR },
		  sizeof(struct fuse_open_in)) == -EROFS);
	CHECK(ask(FUSE_OPEN, a, "", 0) == -EINVAL && ask(FUSE_MKDIR, proc, "x", 2) == -EROFS);
	CHECK(ask(FUSE_GETXATTR, a, "", 0) == -ENOSYS && ask(FUSE_POLL, a, "", 0) == -ENOSYS);
	CHECK(ask(9999, a, "", 0) == -ENOSYS);
	done();
}

static bool lists(uint64_t dir, const char *name)
{
	struct fuse_read_in in = { .size = 4096 };
	size_t at = 0;

	if (ask(FUSE_READDIR, dir, &in, sizeof(in)) < 0)
		return false;
	while (body_size() - at >= FUSE_NAME_OFFSET) {
		const struct fuse_dirent *entry = (const void *)(answer.body + at);

		if (strlen(name) == entry->namelen && !memcmp(entry->name, name, entry->namelen))
			return true;
		at += FUSE_DIRENT_SIZE(entry);
	}
	return false;
}

static void test_directories(void)
{
	uint64_t proc, root, cpu, link;

	make_host();
	make_vault();
	CHECK(take_over());
	proc = look_up(1, "proc");
	CHECK(lists(1, "proc") && lists(1, "sys") && lists(1, ".") && lists(1, ".."));
	CHECK(!lists(1, "secret"));
	CHECK(lists(proc, "a") && lists(proc, "closed") && lists(proc, "secret"));
	CHECK(!lists(proc, "none") && !lists(proc, "sub"));
	/* in a tree: what the host has; and it keeps its number */
	root = look_up(look_up(1, "sys"), "t");
	CHECK(root && lists(root, "cpu0") && lists(root, "link"));
	cpu = look_up(root, "cpu0");
	CHECK(cpu && look_up(cpu, "x") && look_up(root, "cpu0") == cpu);
	CHECK(!look_up(root, "cpu1") && !look_up(root, "..") && !look_up(root, "cpu0/x"));
	link = look_up(root, "link");
	CHECK(link && ask(FUSE_READLINK, link, "", 0) == 0);
	CHECK_STR(answer.body, "cpu0");
	CHECK(!look_up(link, "x")); /* the kernel follows it, not we */
	CHECK(!look_up(look_up(root, "up"), "secret"));
	/* one that has gone keeps its name, or the kernel would drop what is mounted on it */
	fixture_unlink_file("/sys/t/cpu0/x");
	CHECK(look_up(cpu, "x") != 0);
	CHECK(ask(FUSE_GETATTR, look_up(cpu, "x"), "", 0) == -ENOENT);
	done();
}

/* Whose a file is that we have opened, the next worker asks anew. */
static void test_next_worker(void)
{
	static const struct settings settings = { .max_handles = 4,
						  .max_snapshot_kib = 16,
						  .test_snapshots = 1 };
	struct subject *subject;
	struct handles later;
	uint64_t a, fh;
	char buf[64];

	make_host();
	make_vault();
	CHECK(take_over());
	a = look_up(look_up(1, "proc"), "a");
	CHECK(open_file(a, &fh) == 0 && read_at(a, fh, 0, 4) == 0);
	atomic_store(&vault->writer, 3);
	CHECK(handles_open(&later, vault, 3, NULL, &settings) == 0);
	CHECK(!handle_subject(&later, fh, (uint32_t)a, &subject));
	CHECK(handle_copy(&later, fh, 4, buf, sizeof(buf), 0) == 7);
	CHECK(memcmp(buf, "host's\n", 7) == 0);
	fh = handle_new(&later, CONN_PLAIN, (uint32_t)a, NULL, 1, 2);
	CHECK(handle_subject(&later, fh, (uint32_t)a, &subject) && !subject);
	handles_done(&later);
	done();
}

/* -------------------------------------------------------------------- damage */

static uint64_t seed = 42;

static uint64_t chance(void)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

/* Something in each of the parts that are read. */
static void damage(void)
{
	static const enum vault_part parts[] = { VAULT_NODES, VAULT_HANDLES, VAULT_TRIGGERS };
	static const char *const names[] = { "..",   "secret", "../../secret", "/secret", ".",
					     "self", "proc",   "unlisted",     "" };
	struct vault_nodes *nodes = vault_part(vault, VAULT_NODES, NODES_VERSION, sizeof(*nodes));
	unsigned int rounds = 1 + (unsigned int)chance() % 64;

	while (rounds--) {
		uint8_t *part = (uint8_t *)vault + vault->parts[parts[chance() % 3]].offset;

		part[chance() % 4096] = (uint8_t)chance();
	}
	for (int i = 0; i < 4; i++) { /* names that lead elsewhere, where names are */
		struct vault_node *node = &nodes->nodes[chance() % 12];
		uint32_t at = 1 + (uint32_t)chance() % 64;

		strcpy(nodes->names + at, names[chance() % 9]);
		if (chance() % 2)
			*node = (struct vault_node){ (uint32_t)chance() % 12,
						     (uint32_t)chance() % 4, at };
	}
	if (chance() % 4 == 0)
		atomic_store(&nodes->count, chance() % 2 ? (uint32_t)chance() : 64);
}

static bool shows_secret(void)
{
	return body_size() < sizeof(answer.body) &&
	       memmem(answer.body, body_size(), SECRET, strlen(SECRET));
}

/* How many answers showed what nobody may see, or did not come. */
static unsigned int ask_all(void)
{
	static const char *const names[] = { "proc", "secret", "..", "sub", "a", "t", "unlisted" };
	static const uint32_t opcodes[] = { FUSE_GETATTR, FUSE_READLINK, FUSE_OPENDIR, FUSE_RELEASE,
					    FUSE_STATFS };
	struct fuse_read_in in = { .size = 4096, .lock_owner = 1 };
	unsigned int wrong = 0;

	for (uint64_t node = 0; node < 20; node++) {
		uint64_t fh = 0;

		for (size_t i = 0; i < 7; i++)
			wrong += ask(FUSE_LOOKUP, node, names[i], strlen(names[i]) + 1) > 0;
		for (size_t i = 0; i < 5; i++)
			wrong += ask(opcodes[i], node, &in, sizeof(in)) > 0 || shows_secret();
		for (uint64_t k = 0; k < 4; k++) {
			if (k != 1 || open_file(node, &fh) < 0)
				fh = chance() % 2 ? chance() << 32 | (chance() % 8) : chance() % 8;
			wrong += read_at(node, fh, k % 2 ? chance() % 64 : 0, 4096) > 0 ||
				 shows_secret();
			in.fh = fh;
			in.offset = k % 2 ? chance() % 64 : 0;
			wrong += ask(FUSE_READDIR, node, &in, sizeof(in)) > 0;
		}
	}
	return wrong;
}

static void test_damage(void)
{
	unsigned int wrong = 0;

	make_host();
	log_set_level(0);
	for (int i = 0; i < 300; i++) {
		if (i % 10 == 0)
			make_vault();
		damage();
		wrong += take_over() ? ask_all() : 1;
		if (i % 10 == 9)
			done();
		else
			let_go();
	}
	CHECK_U64(wrong, 0);
}

int main(void)
{
	test_files();
	test_directories();
	test_next_worker();
	test_damage();
	return done_testing();
}
