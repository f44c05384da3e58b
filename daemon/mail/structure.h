/*
 * mail/structure: the parts of a message, as rules see them.
 *
 * Two sources make the same structure: an IMAP server's BODYSTRUCTURE
 * (RFC 9051 section 7.5.2; whoever reads it calls structure_add for each
 * leaf) and the message's own bytes (structure_parse, RFC 2045 and 2046).
 * Names are decoded (RFC 2231, and RFC 2047 where it should not be, as
 * everybody writes it) and clean: valid UTF-8, no control characters.
 *
 * A leaf is every part that is no multipart; message/rfc822 is a leaf, too:
 * what is inside an attached message is not looked at.
 */
#ifndef BELFRY_MAIL_STRUCTURE_H
#define BELFRY_MAIL_STRUCTURE_H

#include "daemon/base/buf.h"
#include "daemon/base/span.h"
#include "daemon/mail/mime_field.h"

#define STRUCTURE_PARTS_MAX 500 /* leaves kept; more: is_truncated */
#define STRUCTURE_DEPTH_MAX 32	/* multiparts inside of each other; the same */
#define STRUCTURE_NAME_MAX 1000 /* bytes of a decoded file name */
#define STRUCTURE_TYPE_MAX 200	/* bytes of type "/" subtype */

/* What a source knows of one leaf. Borrowed for the call. */
struct part_source {
	const char *section;	   /* IMAP section, "1.2"; "1" for the only */
	struct span type, subtype; /* empty: text/plain */
	const struct mime_param *params; /* of Content-Type */
	size_t param_count;
	struct span disposition; /* "attachment", ...; empty: none */
	const struct mime_param *disposition_params;
	size_t disposition_param_count;
	struct span encoding; /* Content-Transfer-Encoding; empty: 7bit */
	bool has_id;	      /* Content-ID */
	bool is_related;      /* inside a multipart/related, however deep */
	uint64_t size;	      /* bytes as transferred, before decoding */
};

struct part {
	char *section;
	char *type;	/* "text/plain", lower case, always with a "/" */
	char *charset;	/* as written; "": none */
	char *encoding; /* lower case; "7bit" when there is none */
	char *name;	/* of the file, decoded; "": none */
	uint64_t size;	/* bytes after decoding, about (base64: 3/4) */
	bool is_attachment;
	bool is_shown; /* in place, although a file: a text with a name */
};

struct structure {
	struct part *parts; /* owned */
	size_t count;
	bool is_truncated;
};

void structure_init(struct structure *structure);
void structure_done(struct structure *structure);
/*
 * Appends one leaf, in the order of the message.
 *
 * Attachment is what a person would call so. The first line that fits a leaf
 * decides:
 *
 *   no   a signature: application/pgp-signature, pkcs7-signature
 *        (x-pkcs7-signature)
 *   no   the envelope of an encrypted message, which is the message itself:
 *        application/pgp-encrypted and the application/octet-stream behind
 *        it, application/pkcs7-mime (x-pkcs7-mime)
 *   no   application/ms-tnef (vnd.ms-tnef), "winmail.dat": Outlook's form of
 *        the message; nobody attached it, and what it may hold is not read
 *   yes  disposition "attachment", whatever it is
 *   yes  an attached message: message/rfc822, message/global
 *   no   the report for machines in a bounce or a receipt:
 *        message/delivery-status, message/disposition-notification,
 *        message/feedback-report, message/rfc822-headers and their like
 *   no   what is shown in place: an image, a style or a font inside a
 *        multipart/related that has a Content-ID or the disposition "inline"
 *   yes  everything that has a file name (Apple's "inline; filename=x.pdf",
 *        an image in the middle of the text)
 *   no   text: an invitation (text/calendar) without a name, too
 *   yes  everything else
 *
 * Dispositions but "attachment" and "inline" are none. A type without
 * subtype, or that is no type, is text/plain, but application/octet-stream
 * for application, audio, font, image, model and video (RFC 2045 section 5.2).
 */
void structure_add(
    struct structure *structure, const struct part_source *source);
/* From a whole message or its beginning; cut or malformed messages give what
 * can be seen (see mime_walk.h). Appends. Linear in time. */
void structure_parse(struct structure *structure, struct span message);

/* The part whose text is the message's own: the first text/plain leaf that is
 * no attachment, else the first text/html; where there is neither, the same
 * among those with a file name that are not said to be attachments. NULL:
 * none. */
const struct part *structure_find_text(const struct structure *structure);
size_t structure_count_attachments(const struct structure *structure);

#endif
