/* SPDX-License-Identifier: MIT */
/*
 * lost.h - requests that a destroyed journal has lost.
 *
 * A slot that was overwritten says nothing of the request that it was for, and its reader
 * would wait for ever.  The journal is not trusted after a crash: when something in it
 * cannot be true, whoever has a request there is served otherwise.
 *
 * Linux 6.9 and later are asked to send all of them again (FUSE_NOTIFY_RESEND): nobody is
 * lost.  That is not the usual way, because the kernel then also forgets who was a
 * suspect, and because it must not be done while somebody serves.
 *
 * Before, requests are numbered one after the other: with one request in hand, those
 * that were taken before are numbered below it, and no thread has any of them.  So all
 * numbers below, of the last million, are answered with an error; the kernel does not
 * mind an answer to what it does not wait for.
 */
#ifndef LXCFSD_LOST_H
#define LXCFSD_LOST_H

#include "journal.h"

/* Could the kernel have sent this? */
bool request_is_sound(const void *request, size_t len);

/* Something in the journal cannot be true.  Before anybody serves. */
bool lost_some(const struct journal *journal);

/* What cannot be true is forgotten; with `all`, everything: the kernel sends it again. */
void lost_forget(struct journal *journal, bool all);

/* True: the kernel sends again what it waits for on that connection, whose FUSE_INIT is
 * `init`. */
bool lost_resend(int fd, const struct vault_conn *conn);

/* Ends all requests of the connection before `unique` with an error, but those that
 * stand in the journal; returns how many there were. */
unsigned int lost_end(struct journal *journal, uint32_t conn, uint64_t unique);

#endif
