/*
 * smtp/reply: what an SMTP server answers, and what it means for a message.
 *
 * The parser takes bytes in any cut and gives whole replies (RFC 5321 section
 * 4.2). It is strict where a lie would cost mail: a line without three digits,
 * a second code inside one reply, a NUL, and the limits below end it for good.
 * It is tolerant where servers are merely careless: bare LF, no text, 8-bit
 * text.
 *
 * Order of calls: smtp_parser_feed, then smtp_parser_next until it returns
 * something other than 1.
 */
#ifndef BELFRY_WIRE_SMTP_REPLY_H
#define BELFRY_WIRE_SMTP_REPLY_H

#include "daemon/base/buf.h"
#include "daemon/base/error.h"

#define SMTP_LINE_MAX 2048 /* one reply line (RFC 5321 4.5.3.1.5: 512) */
#define SMTP_REPLY_LINES_MAX 100

/* What the owner should do with the message. */
enum smtp_class {
	SMTP_ACCEPTED,
	SMTP_DEFERRED,	  /* 4xx, connection lost before the dot */
	SMTP_REFUSED,	  /* 5xx: never for this message or recipient */
	SMTP_CREDENTIALS, /* 530, 534, 535: stops the account, not the mail */
	SMTP_PAUSED,	  /* quota of the account: stops the account a while */
	SMTP_UNKNOWN,	  /* link lost after the final dot */
	SMTP_CLASSES
};

/* An enhanced status code (RFC 3463): 5.7.26. All zero: none was given. */
struct smtp_enhanced {
	unsigned class, subject, detail;
};

/* One reply, borrowed from the parser until its next call. */
struct smtp_reply {
	unsigned code; /* 200 to 599 */
	struct smtp_enhanced enhanced;
	/* The texts of its lines, each ended by LF, without the codes; an
	 * enhanced code is still in front of them. */
	struct span text;
	unsigned lines;
};

struct smtp_parser {
	struct buf input; /* bytes of no returned reply yet */
	size_t used;	  /* of input: parsed lines */
	struct buf text;
	unsigned code;
	unsigned lines;
	bool done; /* text belongs to a returned reply */
	bool broken;
	struct error error;
};

void smtp_parser_init(struct smtp_parser *parser);
void smtp_parser_done(struct smtp_parser *parser);
/* Copies the bytes. A broken parser forgets them. */
void smtp_parser_feed(struct smtp_parser *parser, struct span bytes);
/* 1: *reply_r is set. 0: more bytes are needed. -1: malformed (FAULT_PEER) or
 * a limit was met (FAULT_LIMIT), and so for every later call. */
int smtp_parser_next(struct smtp_parser *parser, struct smtp_reply *reply_r,
    struct error *error_r);
/* Whether bytes are held that belong to no returned reply: must be false at
 * the reply to STARTTLS (RFC 3207 section 4). */
bool smtp_parser_has_rest(const struct smtp_parser *parser);

/* The verdict on whatever was asked, by code, enhanced code and, for quotas,
 * words. ACCEPTED for 2xx and 3xx; whether that code was the awaited one is
 * the session's business. Never UNKNOWN. */
enum smtp_class smtp_reply_class(const struct smtp_reply *reply);
/* The server asks for patience: no new try within five minutes (432 4.3.2,
 * x.7.0 with 4xx, 421 4.7.x). */
bool smtp_reply_is_slow(const struct smtp_reply *reply);
/* The server takes no mail from this sender or From: nothing is wrong with the
 * message, and the next one would fare no better. */
bool smtp_reply_is_about_sender(const struct smtp_reply *reply);
/* What a refusal means in a person's words: a constant; NULL when the server's
 * own must do. */
const char *smtp_reply_advice(const struct smtp_reply *reply);
/* What a refusal outside of any message (greeting, EHLO, AUTH, ...) means for
 * the connection. */
enum fault smtp_reply_fault(const struct smtp_reply *reply);
/* "accepted", "deferred", ...: a constant. */
const char *smtp_class_name(enum smtp_class class);

/* Appends the text fit for a person: one line, sanitised, an enhanced code
 * only once, at most `max_chars` characters. */
void smtp_reply_format(
    const struct smtp_reply *reply, struct buf *out, size_t max_chars);

#endif
