/*
 * imap/response: what an IMAP server says, as a tree.
 *
 * The lexer takes bytes and gives whole responses: one line together with
 * the literals inside it (RFC 9051 section 4.3: literals may stand wherever
 * a string may). It is tolerant where real servers need it: bare LF, 8-bit
 * bytes in quoted strings and atoms, odd characters in flags, empty text,
 * numbers of any size. A response that is malformed in itself (brackets or
 * quotes that do not close, NUL or CR inside a value, no name, an empty line)
 * is skipped up to the next line outside a literal and counted; it never ends
 * the session. What ends it are the limits.
 *
 * "{5}" announces a literal at the end of a line only, where a value can
 * begin, and never in the human text of a status response or continuation,
 * which a stranger may have written; elsewhere it is text like any other.
 *
 * Order of calls: imap_lexer_feed, then imap_lexer_next until it returns 0.
 */
#ifndef BELFRY_WIRE_IMAP_RESPONSE_H
#define BELFRY_WIRE_IMAP_RESPONSE_H

#include "daemon/base/error.h"
#include "daemon/base/span.h"

/*
 * Limits: the breach of these is FAULT_LIMIT. But what a stranger's message
 * can make large must not end every connection that meets it: a literal above
 * the limit that was set is cut to it, and the rest of it is dropped as it
 * comes; and a FETCH that is too long, too deep, or has too many literals, as
 * its BODYSTRUCTURE can, is dropped whole and counted, up to
 * IMAP_LITERAL_DROP_MAX bytes.
 */
#define IMAP_LINE_MAX (64 * 1024)     /* a response without its literals */
#define IMAP_LITERAL_MAX (256 * 1024) /* default for one literal */
#define IMAP_LITERAL_DROP_MAX (256 * 1024 * 1024) /* one that is cut */
#define IMAP_RESPONSE_MAX_LITERALS 256		  /* literals in one response */
/* What the literals of one response may have together beyond the largest
 * that is allowed. */
#define IMAP_LITERALS_EXTRA_MAX (1024 * 1024)

/* No limit for literals can be set higher than this. */
#define IMAP_LITERAL_TOP (1024 * 1024 * 1024)
#define IMAP_NESTING_MAX 100 /* deeper: the response is too large */
/* Values in one response: IMAP_LINE_MAX lets no more in, as each takes a byte
 * at least. */
#define IMAP_VALUES_MAX IMAP_LINE_MAX

enum imap_value_kind {
	IMAP_NIL,
	IMAP_ATOM,   /* also numbers, flags, BODY[...] with its section */
	IMAP_STRING, /* quoted (unescaped) or literal */
	IMAP_LIST,
};

struct imap_value {
	enum imap_value_kind kind;
	struct span text;		/* atom, string */
	const struct imap_value *items; /* list */
	size_t count;
};

enum imap_response_kind {
	IMAP_CONTINUATION,
	IMAP_TAGGED,
	IMAP_UNTAGGED
};

enum imap_status {
	IMAP_STATUS_NONE, /* an untagged response that is no status */
	IMAP_OK,
	IMAP_NO,
	IMAP_BAD,
	IMAP_PREAUTH,
	IMAP_BYE,
};

/*
 * One response. All spans and values are borrowed from the lexer and valid
 * until its next call.
 *
 *   * 12 FETCH (...)       UNTAGGED, number 12, name "FETCH", values {list}
 *   * CAPABILITY A B       UNTAGGED, name "CAPABILITY", values {A, B}
 *   * OK [UIDNEXT 4] text  UNTAGGED, status OK, code "UIDNEXT",
 *                          code_values {4}, text "text"
 *   a1 NO [LIMIT] text     TAGGED, tag "a1", status NO, code "LIMIT"
 *   + text                 CONTINUATION, text "text"
 *   [COPYUID 1 2 3]        UNTAGGED, status OK (Exchange leaves "* OK" out)
 */
struct imap_response {
	enum imap_response_kind kind;
	struct span tag;
	enum imap_status status;
	struct span code;
	const struct imap_value *code_values;
	size_t code_count;
	struct span text;
	bool has_number;
	uint64_t number; /* saturates */
	struct span name;
	const struct imap_value *values;
	size_t count;
};

struct imap_lexer;

struct imap_lexer *imap_lexer_new(size_t literal_max);
void imap_lexer_free(struct imap_lexer **lexer);
/* Raises or lowers the limit for literals that begin from now on. One that
 * fills it may have been cut. */
void imap_lexer_set_literal_max(struct imap_lexer *lexer, size_t literal_max);
/* Copies the bytes. Memory grows with what arrived, never with what a
 * literal's header promised. */
void imap_lexer_feed(struct imap_lexer *lexer, struct span bytes);
/* 1: *response_r is set. 0: more bytes are needed. -1: a limit was met;
 * error_r says which, and so does every later call. */
int imap_lexer_next(struct imap_lexer *lexer, struct imap_response *response_r,
    struct error *error_r);
/* Whether bytes are held that belong to no returned response yet: must be
 * false at the STARTTLS reply (RFC 9051 section 11.1). */
bool imap_lexer_has_rest(const struct imap_lexer *lexer);
/* Malformed responses skipped so far. */
unsigned imap_lexer_skipped(const struct imap_lexer *lexer);

/* Responses dropped so far because they were too large or too deep. */
unsigned imap_lexer_too_large(const struct imap_lexer *lexer);

/* Value helpers. */
bool imap_value_is(const struct imap_value *value, const char *atom);
/* A number, tolerating floats and signs as mail.ru sends them: 12.75 is 12,
 * +5 is 5; -1, 1e9 and what cannot be a number are 0. Saturates. */
uint64_t imap_value_number(const struct imap_value *value);

#endif
