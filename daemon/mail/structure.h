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

#define STRUCTURE_PARTS_MAX 500 /* leaves kept; more: is_truncated */
#define STRUCTURE_DEPTH_MAX 32	/* multiparts inside of each other */
#define STRUCTURE_NAME_MAX 1000 /* bytes of a decoded file name */
#define STRUCTURE_TYPE_MAX 200	/* bytes of type "/" subtype */

/* A parameter as it stands: value unquoted, not decoded. */
struct mime_param {
	struct span name, value;
};

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
	bool is_related;      /* inside a multipart/related */
	uint64_t size;	      /* bytes as transferred, before decoding */
};

struct part {
	char *section;
	char *type;	/* "text/plain", lower case */
	char *charset;	/* as written; "": none */
	char *encoding; /* lower case; "7bit" when there is none */
	char *name;	/* of the file, decoded; "": none */
	uint64_t size;	/* bytes after decoding, about (base64: 3/4) */
	bool is_attachment;
};

struct structure {
	struct part *parts; /* owned */
	size_t count;
	bool is_truncated;
};

void structure_init(struct structure *structure);
void structure_done(struct structure *structure);
/*
 * Attachment is what a person would call so: a leaf with the disposition
 * "attachment", an attached message, and every leaf that is no text or that
 * has a file name; but not what a mail program shows in place (an image or a
 * style inside a multipart/related that has a Content-ID or is "inline"), and
 * no signature (PGP, S/MIME) or TNEF's like.
 */
void structure_add(
    struct structure *structure, const struct part_source *source);
/* From a whole message or its beginning; cut or malformed messages give what
 * can be seen. Appends. */
void structure_parse(struct structure *structure, struct span message);

/* The part whose text is the message's own: the first text/plain leaf that is
 * no attachment, else the first text/html; NULL: none. */
const struct part *structure_find_text(const struct structure *structure);
size_t structure_count_attachments(const struct structure *structure);

#endif
