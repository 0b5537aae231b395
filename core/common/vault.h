/* SPDX-License-Identifier: MIT */
/*
 * vault.h - the shared memory that outlives a worker.
 *
 * Theory of operation.  The keeper makes one sealed, sparse memfd for the life of
 * the mount.  A worker keeps in it whatever a successor needs to go on as if
 * nothing had happened: the requests it has taken (the journal), what node ids
 * mean, open files and their half-read texts.  Everything else it rebuilds.
 *
 * One generation writes at a time: `writer` names it.  The keeper sets it when it
 * says GO, after the one before has been reaped (or killed, if it cannot be: see
 * journal.h of the worker); a worker that finds another number there has been given up
 * and must not commit anything.  What is made of several words is committed by one
 * atomic store at the end, so that a crash in the middle leaves the old state.  After a
 * crash nothing in here is trusted: indices, lengths and names are checked when they are
 * read.
 *
 * The parts are versioned one by one.  A worker that does not know the version of
 * a part begins that part anew: open files then become stateless, node ids are
 * given again in the same order (those in trees are not: walk there again).
 */
#ifndef LXCFSD_VAULT_H
#define LXCFSD_VAULT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VAULT_MAGIC   0x7661756c742d3031u /* "vault-01" */
#define VAULT_VERSION 1
#define VAULT_SIZE    ((uint64_t)256 << 20)

/* Connections to the kernel: the plain tree is 0; writable or pollable
 * directories get one each. */
#define VAULT_CONNS 4
/* The plain one, which is always there, and those of directories within it: of the files
 * that can be polled, and of the containers' own roots. */
#define CONN_PLAIN    0
#define CONN_INNER    1
#define CONN_ROOTS    2
#define INNER_COUNT   2 /* from CONN_INNER on */
#define CONN_ROOT_MAX 256

enum vault_part {
	VAULT_JOURNAL,
	VAULT_NODES,
	VAULT_SUBJECTS,
	VAULT_HANDLES,
	VAULT_SNAPSHOTS,
	VAULT_RECORDS,
	VAULT_TRIGGERS,
	VAULT_PASSING,
	VAULT_PARTS = 16,
};

struct vault_part_desc {
	uint64_t offset;
	uint64_t size;
	uint32_t version; /* 0: not in use */
	uint32_t reserved;
};

/* The one FUSE_INIT of a connection and what was answered. */
struct vault_conn {
	uint32_t init_in_len; /* 0: no such connection */
	uint32_t init_out_len;
	uint8_t init_in[512];
	uint8_t init_out[256];
};

struct vault_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_size;
	uint64_t size;
	int64_t mounted_at; /* seconds since 1970: the times of all files */
	struct vault_part_desc parts[VAULT_PARTS];
	struct vault_conn conns[VAULT_CONNS];
	_Atomic uint32_t writer;      /* the generation that may write */
	_Atomic uint32_t dead;	      /* this one and all before it are dead */
	_Atomic uint32_t dead_faulty; /* the last one that died by its own fault */
	_Atomic uint32_t view_off;    /* SIGUSR2: everybody sees the host's files */
	uint64_t secret;	      /* no tenant knows it: two of them cannot hash alike */
	/* Of each connection: how many there were before it, and the directory that is its
	 * root, "" for the root of all. */
	uint32_t conn_serials[VAULT_CONNS];
	char conn_roots[VAULT_CONNS][CONN_ROOT_MAX];
	_Atomic uint64_t late; /* requests that were answered past their deadline */
	/* A generation that was killed and cannot be reaped, 0: none.  The kernel may still
	 * write into its slots of the journal. */
	_Atomic uint32_t unreaped;
};

/* ---- journal: one slot per thread that takes requests ---- */

#define JOURNAL_VERSION	 1
#define JOURNAL_SLOTS	 64
#define JOURNAL_BUF_SIZE (132 << 10) /* the kernel demands max_write + 4 KiB at least */

#define DEED_BEGUN 1u
#define DEED_DONE  2u

/* Owner of a slot whose request waits for a thread of the successor. */
#define JOURNAL_PENDING UINT32_MAX

/* A request is in flight while the `unique` of the fuse_in_header in buf is not 0. */
struct journal_slot {
	_Atomic uint32_t owner; /* generation whose thread has it, 0: nobody's */
	uint32_t conn;
	uint32_t faults; /* workers that died by a fault while they had this request */
	uint32_t deaths; /* workers that ended in any way while they had it */
	uint32_t tried;	 /* 1: it is being answered as a suspect, one at a time */
	uint32_t reserved;
	uint64_t started_ns;	   /* CLOCK_MONOTONIC, of the request in flight */
	_Atomic uint64_t answered; /* so far: progress */
	/* What its thread runs of a plugin: the number in WIRE_FILES + 1; 0: nothing. */
	_Atomic uint32_t runs;
	_Atomic uint32_t fault; /* the signal that its thread has caused; see dying.h */
	/* What its request changes, which is done once (deputy.h of the worker): the lower half
	 * of its number << 32 | DEED_BEGUN, or DEED_DONE + errno. */
	_Atomic uint64_t deed;
	_Alignas(4096) uint8_t buf[JOURNAL_BUF_SIZE];
};

/* The `unique` of its request, for who does not need to know more of it. */
static inline uint64_t journal_slot_unique(struct journal_slot *slot)
{
	return __atomic_load_n((uint64_t *)(void *)(slot->buf + 8), __ATOMIC_ACQUIRE);
}

/* ---- node registry: append-only ---- */

/* A machine with 1024 CPUs has some 100,000 entries in its trees. */
#define NODES_VERSION	2
#define NODES_MAX	262144
#define NODE_NAMES_SIZE ((5u << 20) - 4096)

enum node_type { NODE_DIR = 1, NODE_FILE, NODE_LINK };

/* Beside the type of a directory: it is, or once was, the root of a tree. */
#define NODE_TREE 0x100u
/* Beside the type of a file: others may not read it, whatever the host allows. */
#define NODE_PRIVATE 0x200u

/* The node with id N (as the kernel knows it) is entry N - 1; the root is id 1. */
struct vault_node {
	uint32_t parent; /* its id; the root's own is 1 */
	uint32_t type;	 /* enum node_type */
	uint32_t name;	 /* where it begins in names[]; it ends with a NUL */
};

struct vault_nodes {
	_Atomic uint32_t count;
	uint32_t reserved;
	struct vault_node nodes[NODES_MAX];
	char names[NODE_NAMES_SIZE]; /* the first one is empty: the root's */
};

/* ---- passing nodes: names in trees that come and go ---- */

/* What the kernel has been told of and has not forgotten yet.  Their ids begin behind the
 * registry's; as the kernel knows them, their upper half is `serial`. */
#define PASSING_VERSION	 1
#define PASSING_MAX	 65536
#define PASSING_NAME_MAX 256

struct vault_passing {
	_Atomic uint32_t used; /* 1: committed */
	uint32_t serial;       /* tells it from earlier owners of the place; never 0 */
	uint32_t parent;
	uint32_t parent_serial; /* 0: the parent is in the registry */
	uint32_t type;		/* enum node_type */
	uint32_t account;	/* whose it is: see passing.h */
	uint64_t object;	/* what it stood for when it was found */
	uint64_t lookups;	/* that the kernel has not forgotten */
	uint64_t uniques[3];	/* of the LOOKUPs that were counted last */
	char name[PASSING_NAME_MAX];
};

struct vault_passings {
	struct vault_passing table[PASSING_MAX];
	_Atomic uint32_t high; /* entries from here on were never used */
};

/* ---- subjects of open files ---- */

#define SUBJECTS_VERSION  1
#define SUBJECTS_MAX	  4096
#define SUBJECT_BYTES_MAX 8160

struct vault_subject {
	uint64_t id; /* model's subject_id(); 0: free */
	uint32_t len;
	uint32_t reserved;
	uint8_t bytes[SUBJECT_BYTES_MAX];
};

/* ---- open files ---- */

#define HANDLES_VERSION 1
#define HANDLES_MAX	32768

struct vault_handle {
	_Atomic uint32_t used; /* 1: committed */
	uint32_t serial;       /* the upper half of fh: tells it from earlier owners */
	uint32_t node;
	uint32_t subject;     /* entry + 1; 0: the host's view */
	uint64_t open_unique; /* of the OPEN: a replayed one finds its handle again */
	uint64_t snap_unique; /* of the READ that made the snapshot */
	uint32_t snap_page;   /* first page in the arena */
	uint32_t snap_pages;  /* 0: none */
	uint32_t snap_len;
	_Atomic uint32_t snap_valid;
	uint32_t opener; /* thread id */
	uint32_t conn;
	uint32_t conn_serial; /* of another one no RELEASE will come */
	uint32_t unresolved;  /* 1: nobody knew whose it is, each read has to ask */
};

/* Who has opened a file to change something by it. */
struct vault_opener {
	uint32_t serial; /* of the handle; else it is not known */
	uint32_t uid;
	uint64_t pidns;
};

struct vault_handles {
	struct vault_handle table[HANDLES_MAX];
	_Atomic uint32_t high; /* entries from here on were never used: do not exist */
	struct vault_opener openers[HANDLES_MAX]; /* by place in the table */
};

#define SNAPSHOTS_VERSION  1
#define SNAPSHOT_PAGE	   4096
#define SNAPSHOT_PAGES_MAX 26624 /* 104 MiB */

/* ---- records: what must not jump when another worker takes over ---- */

#define RECORDS_VERSION	  1
#define RECORDS_MAX	  8192
#define RECORD_OWNER_MAX  16
#define RECORD_BLOCK	  256
#define RECORD_BLOCKS_MAX 253888 /* nearly 62 MiB */

/* (owner, subject) -> bytes, kept twice: the copy that is not the good one is
 * written, then `turn` says that it is. */
struct vault_record {
	_Atomic uint32_t used; /* 1: committed */
	uint32_t version;      /* of the bytes, the owner's */
	char owner[RECORD_OWNER_MAX];
	uint64_t subject;      /* model's subject_id() */
	uint64_t check;	       /* another hash of the same, with the vault's secret */
	uint64_t used_ns;      /* CLOCK_MONOTONIC, of the last write */
	uint32_t block;	       /* the first one in the arena */
	uint32_t blocks;       /* of each copy */
	_Atomic uint32_t turn; /* copy turn & 1 is good; 0: none */
	uint32_t len[2];
	uint32_t reserved[3];
	uint64_t sum[2];
	uint64_t reserved2[4];
};

struct vault_records {
	_Atomic uint32_t high; /* entries from here on were never used */
	uint32_t reserved[1023];
	struct vault_record table[RECORDS_MAX];
	uint8_t arena[(size_t)RECORD_BLOCK * RECORD_BLOCKS_MAX];
};

/* ---- triggers: who sleeps in poll(2), and for what ---- */

#define TRIGGERS_VERSION 1
#define TRIGGERS_MAX	 1024

struct vault_trigger {
	_Atomic uint64_t fh; /* 0: free; written last */
	uint32_t node;
	uint32_t control; /* enum lxcfsd_control: whose trigger it is */
	uint32_t full;	  /* 1: "full", 0: "some" */
	uint32_t threshold_us;
	uint32_t window_us;
	_Atomic uint32_t event;	  /* 1: it has happened and nobody was told yet */
	uint64_t write_unique;	  /* of the WRITE that armed it */
	uint64_t event_unique;	  /* of the POLL that was told last */
	_Atomic uint64_t sleeper; /* the kernel's name for who polls, 0: nobody has */
	/* When it was armed or an event was seen last: the monotonic clock and the file's
	 * total=, both in ms and modulo 2^32.  time_ms 0: not known. */
	uint32_t time_ms;
	uint32_t total_ms;
};

_Static_assert(sizeof(struct vault_trigger) == 64, "layout of release 1");
_Static_assert(sizeof(struct vault_record) == 128, "layout of release 1");
_Static_assert(sizeof(struct vault_header) <= 65536, "the header has 64 KiB");
_Static_assert(sizeof(struct vault_subject) <= 8192, "two pages");
_Static_assert(sizeof(struct vault_handle) == 64, "layout of release 1");
_Static_assert(sizeof(struct vault_passing) == 320, "layout of release 1");

/* Keeper: makes an empty vault; *ret_fd is sealed against growing and shrinking. */
int vault_create(int *ret_fd, struct vault_header **ret);

/* Maps a vault and checks its head. */
int vault_map(int fd, struct vault_header **ret);
void vault_unmap(struct vault_header *vault);

/* Into an empty vault: what node ids mean in another one. */
void vault_copy_nodes(struct vault_header *to, struct vault_header *from);

/* The part if it is there with this version and at least this size, else NULL. */
void *vault_part(struct vault_header *vault, enum vault_part part, uint32_t version, size_t size);

#endif
