/*
 * smtp-model: a submission server and a driver, for tests.
 *
 * The server is strict: commands end in CRLF, text ends with CRLF.CRLF, and
 * nothing is answered that was not asked. Its answers can be replaced step by
 * step. The driver plays one session, or the whole life of one message,
 * against it, in any cut and with the link cut at any byte.
 */
#ifndef BELFRY_TESTS_SMTP_MODEL_H
#define BELFRY_TESTS_SMTP_MODEL_H

#include "daemon/base/buf.h"
#include "daemon/wire/smtp/session.h"

struct smtp_model {
	const char *offers; /* EHLO lines behind the name, blank-separated by
			       '|'; inside TLS too */
	const char *tls_offers; /* inside TLS, if not NULL */
	/* Replaces the reply to the n-th (from 1) command that starts with
	 * `step`; "greeting", "text" (before the dot) and "dot" are steps. The
	 * reply is given as it is, with its CRLF. */
	const char *step;
	unsigned nth;
	const char *reply;
	bool hangs_up; /* after that reply */

	/* State. */
	bool tls, in_text, in_auth, closed;
	unsigned seen;
	struct buf in, out;
	struct buf commands; /* what was said, one a line, without the text */
	struct buf raw;	     /* the text of the message as it came */
	struct buf message;  /* the last accepted message, dots removed */
	unsigned messages;
	bool has_sender;     /* MAIL was agreed to ... */
	bool has_recipients; /* ... and one RCPT at least */
};

void smtp_model_init(struct smtp_model *m, const char *offers);
void smtp_model_done(struct smtp_model *m);
void smtp_model_greet(struct smtp_model *m);
void smtp_model_feed(struct smtp_model *m, struct span bytes);

struct smtp_drive {
	struct smtp_session_config config;
	const char *secret;
	struct smtp_message message;
	unsigned repeat;	/* messages to send on the connection; 0: one */
	size_t piece;		/* bytes at a time, both ways; 0: all */
	size_t cut_in, cut_out; /* the link dies after so many; 0: never */
	/* Results. */
	struct buf trace; /* events, one a line */
	size_t bytes_in, bytes_out;
	bool finished; /* smtp_session_finish was called */
	usec_t now;
};

/* A drive with a plain good configuration: TLS, password, one recipient. */
void smtp_drive_init(struct smtp_drive *d);
void smtp_drive_done(struct smtp_drive *d);
void smtp_drive_run(struct smtp_drive *d, struct smtp_model *m);
/* Appends an event as one line. */
void smtp_event_describe(const struct smtp_event *event, struct buf *out);
extern const struct strv smtp_drive_recipient; /* to@example.net */

#endif
