/*
 * wiring/checkup_imap: the conversation of a checkup with an IMAP server: its
 * login (checkup_imap.c) and what is looked at behind it (checkup_mailboxes.c).
 */
#ifndef BELFRY_WIRING_CHECKUP_IMAP_H
#define BELFRY_WIRING_CHECKUP_IMAP_H

#include "daemon/account/folders.h"
#include "daemon/wire/imap/session.h"
#include "daemon/wiring/checkup_private.h"

struct checkup_walk {
	struct checkup *checkup;
	struct checkup_link link;
	struct imap_session *session;
	const char *user;
	bool wants_secret, ready, closed, failed;
	struct error error; /* failed */
	enum imap_refusal_kind refusal;
	struct buf alerts; /* what the server wants to be shown */
	/* The command under way. */
	bool answered, idling;
	enum imap_status status;
	struct buf answer;
	enum imap_refusal_kind answer_kind;
	struct folders folders;
	uint64_t exists;
	int64_t newest_unix;
	uint64_t quota_used, quota_limit; /* KiB; limit 0: none told */
	size_t watched;
};

/* Mailboxes, push, folders, space; logs out. */
void checkup_imap_look_around(struct checkup_walk *walk);

#endif
