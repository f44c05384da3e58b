/*
 * mail/forward_guard: why a message must not be forwarded.
 *
 * Loops and bounces are stopped here, by the header alone:
 *
 *   always: any X-Belfry-Forward, whoever wrote it; a message that was at the
 *   target before (Delivered-To, Resent-To, X-Forwarded-To, X-Forwarded-For);
 *   more than FORWARD_RECEIVED_MAX hops; a target that is one of the person's
 * own addresses; a delivery report (a bounce, perhaps of our own forward); a
 *   header too large to be judged.
 *
 *   unless the rule says `allow = auto`: Auto-Submitted other than "no", an
 *   empty Return-Path, multipart/report of other kinds,
 *   X-Auto-Response-Suppress.
 *
 *   unless it says `allow = list`: List-Id, Precedence bulk, junk or list.
 */
#ifndef BELFRY_MAIL_FORWARD_GUARD_H
#define BELFRY_MAIL_FORWARD_GUARD_H

#include "daemon/base/buf.h"
#include "daemon/base/strv.h"
#include "daemon/mail/message.h"

#define FORWARD_RECEIVED_MAX 50

/* Borrowed for the call. */
struct forward_guard_config {
	const char *target;
	const struct strv *identities; /* addresses that are me; may be NULL */
	bool allow_list, allow_auto;
};

/* True: nothing stands against it. Otherwise appends the reason to `why`: a
 * sentence part such as "it was forwarded by Belfry before". */
bool forward_guard_allows(const struct forward_guard_config *config,
    struct message *message, struct buf *why);

#endif
