/* SPDX-License-Identifier: MIT */
/* guard.c - see guard.h. */
#include <string.h>
#include <linux/fuse.h>

#include "guard.h"
#include "log.h"

void guard_learn(struct guard *guard, const struct vault_header *vault)
{
	if (!guard->knows)
		guard->view_off = atomic_load(&vault->view_off) == 1;
	memcpy(&guard->known, vault, sizeof(guard->known));
	guard->knows = true;
}

static bool put_back(void *at, const void *known, size_t size)
{
	if (memcmp(at, known, size) == 0)
		return false;
	memcpy(at, known, size);
	return true;
}

/* Could a worker have answered INIT so?  That is the one thing in the head that it
 * writes, once for each connection. */
static bool is_answer(const struct vault_conn *conn)
{
	struct fuse_in_header in;
	struct fuse_out_header out;

	if (conn->init_out_len < sizeof(out) || conn->init_out_len > sizeof(conn->init_out))
		return false;
	memcpy(&in, conn->init_in, sizeof(in));
	memcpy(&out, conn->init_out, sizeof(out));
	return out.len == conn->init_out_len && out.error == 0 && out.unique == in.unique;
}

static bool mend_conn(struct vault_conn *conn, struct vault_conn *known)
{
	bool answered = known->init_out_len > 0;
	bool mended = put_back(conn->init_in, known->init_in, sizeof(conn->init_in));

	mended |= put_back(&conn->init_in_len, &known->init_in_len, sizeof(conn->init_in_len));
	if (!answered && is_answer(conn)) { /* given since we looked last */
		*known = *conn;
		return mended;
	}
	mended |= put_back(&conn->init_out_len, &known->init_out_len, sizeof(conn->init_out_len));
	return put_back(conn->init_out, known->init_out, sizeof(conn->init_out)) | mended;
}

void guard_mend(struct guard *guard, struct vault_header *vault)
{
	struct vault_header *known = &guard->known;
	bool head, conns = false, view;

	if (!guard->knows)
		return;
	head = put_back(vault, known, offsetof(struct vault_header, conns));
	head |= put_back(&vault->secret, &known->secret, sizeof(vault->secret));
	for (unsigned int i = 0; i < VAULT_CONNS; i++)
		conns |= mend_conn(&vault->conns[i], &known->conns[i]);
	conns |= put_back(vault->conn_serials, known->conn_serials, sizeof(vault->conn_serials));
	conns |= put_back(vault->conn_roots, known->conn_roots, sizeof(vault->conn_roots));
	view = atomic_exchange(&vault->view_off, guard->view_off) != guard->view_off;
	if (!head && !conns && !view)
		return;
	guard->mended++;
	log_err("the vault was damaged:%s%s%s put back", head ? " its head" : "",
		conns ? " its connections" : "", view ? " the switch of SIGUSR2" : "");
}
