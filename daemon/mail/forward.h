/*
 * mail/forward: the message that carries another one.
 *
 * attach: a new message from the person's own address with the original as
 * message/rfc822, so that SPF, DKIM and DMARC speak for the person. redirect:
 * the original with Resent-* fields in front (RFC 5322 section 3.6.6). inline:
 * a new message that quotes the original's text and has its attachments.
 *
 * The result depends on nothing but the arguments: a second try of the same
 * forward is the same bytes. Whatever the original holds, the outer header
 * has the fields below and no others, each once; text that came from it is
 * decoded, cleaned, and encoded anew.
 *
 * Line ends of the original are left as they are: whoever sends the message
 * makes them canonical. Lines are counted as that will see them (a bare CR or
 * LF ends one).
 */
#ifndef BELFRY_MAIL_FORWARD_H
#define BELFRY_MAIL_FORWARD_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"
#include "daemon/base/span.h"

#define FORWARD_ORIGINAL_MAX (64 * 1024 * 1024) /* bytes of the original */
#define FORWARD_LINE_MAX 998			/* RFC 5322 section 2.1.1 */
#define FORWARD_SUBJECT_MAX 400 /* characters kept of the subject */
#define FORWARD_SUMMARY_MAX 300 /* characters of a line of the text part */
#define FORWARD_ID_MAX 250	/* a Message-ID longer than that is left out */
#define FORWARD_ADDRESS_MAX 254
#define FORWARD_INLINE_PARTS_MAX 100 /* attachments of an inline forward */

/* All strings borrowed for the call. */
struct forward_request {
	/* Own address, user@domain: the local part in UTF-8, the domain in
	 * ASCII (base/eai.h). */
	const char *from;
	const char *to;		/* the target, the same */
	const char *message_id; /* of the new message, with angle brackets */
	int64_t date_unix;
	const char
	    *account;	 /* identity of the account; only its hash is sent */
	unsigned hop;	 /* 1: straight from its sender */
	const char *key; /* makes the boundary; any stable string */
};

/*
 * Appends the new message:
 *
 *   Date, From, To, Subject, Message-ID, Auto-Submitted, X-Belfry-Forward,
 *   MIME-Version, Content-Type; Reply-To (the original sender), In-Reply-To,
 *   References when the original has usable ones.
 *
 * The original goes as it is, as message/rfc822 in 7bit or 8bit; with UTF-8 in
 * its header as message/global, but only where the message needs SMTPUTF8
 * anyway (forward_needs_utf8): a receiver without it would take nothing. Where
 * that is not allowed (8-bit bytes and not `eightbit_ok`, 8-bit bytes in the
 * header, a NUL, a line longer than FORWARD_LINE_MAX), it goes as
 * application/octet-stream "message.eml" in base64, which is always 7bit.
 *
 * False: an address or the Message-ID in the request is unusable
 * (FAULT_CONFIG), the original is too large (FAULT_LIMIT); `out` untouched.
 */
bool forward_compose_attach(const struct forward_request *request,
    struct span original, bool eightbit_ok, struct buf *out,
    struct error *error_r);

/*
 * Appends the new message, with the header of the above: a text/plain part
 * with a few header lines of the original and its text (mail/body.h), quoted
 * by "> "; then each attachment (mail/structure.h) as a part of its own. Type,
 * charset and file name are written anew, the content goes in base64, an
 * attached message as it is where it is plain 7bit, otherwise as
 * application/octet-stream. What is left out (text beyond BODY_TEXT_MAX bytes,
 * parts beyond FORWARD_INLINE_PARTS_MAX) the text says. All of it is 7bit.
 * A message that has neither text nor attachments to show (an encrypted one)
 * goes as by forward_compose_attach instead.
 *
 * Fails as forward_compose_attach.
 */
bool forward_compose_inline(const struct forward_request *request,
    struct span original, struct buf *out, struct error *error_r);

/*
 * Appends X-Belfry-Forward, Resent-Date, Resent-From, Resent-To and
 * Resent-Message-ID, then the original without its Bcc, Return-Path and mbox
 * "From " line. Nothing is encoded anew: false also for an original with a
 * NUL or one whose header cannot take fields in front (FAULT_CONFIG).
 */
bool forward_compose_redirect(const struct forward_request *request,
    struct span original, struct buf *out, struct error *error_r);

/* Whether the addresses of the forward need SMTPUTF8 (RFC 6531). */
bool forward_needs_utf8(const struct forward_request *request);
/* Whether a message's header needs it. */
bool forward_has_8bit_header(struct span message);

#endif
