/*
 * account/probe: how long a message takes: an engine over two connections.
 *
 * The watcher logs in, makes a mailbox for the purpose, opens it and idles;
 * the sender appends a small message with the header X-Belfry-Probe; the
 * watcher hears of it and looks. Then the mailbox is deleted. One that was
 * there before is not touched: without CREATE saying OK there is no probe.
 *
 * Each connection is a `probe_line`, an engine for a driver; the rest is
 * asked of the probe. After any call on either, pull the events and send the
 * output of both lines.
 *
 *   CONNECT     probe_connected, or probe_connect_failed
 *   STARTTLS    probe_tls_started
 *   SECRET      probe_secret, or probe_connect_failed
 *   DISCONNECT  close the transport
 *   FINISHED    probe_result says all; nothing happens any more
 */
#ifndef BELFRY_ACCOUNT_PROBE_H
#define BELFRY_ACCOUNT_PROBE_H

#include "daemon/wire/engine.h"
#include "daemon/wire/imap/session.h"

/* To be watching, and from then on to have found the message. */
#define PROBE_USEC (60 * USEC_SEC)
/* After APPEND; then it is looked for without being told. */
#define PROBE_PUSH_USEC (30 * USEC_SEC)
/* Without IDLE it is asked so often. */
#define PROBE_POLL_USEC (2 * USEC_SEC)
#define PROBE_CLEANUP_USEC (15 * USEC_SEC)

enum probe_end {
	PROBE_WATCHER,
	PROBE_SENDER,
	PROBE_ENDS
};

/* Time of each, from the one before; the last three from the first byte of
 * APPEND. */
enum probe_step {
	PROBE_LOGIN,
	PROBE_CREATE,
	PROBE_WATCH, /* the mailbox is open, and IDLE accepted */
	PROBE_SECOND_LOGIN,
	PROBE_APPEND,
	PROBE_PUSH,
	PROBE_FETCH,
	PROBE_STEPS
};
/* For JSON: "login", ...; for people: "logged in". */
const char *probe_step_name(enum probe_step step);
const char *probe_step_words(enum probe_step step);

struct probe_config {
	struct imap_session_config imap;
	const char *mailbox; /* on the wire */
	const char *id;	     /* an atom that nobody can guess */
	const char *email;
};

enum probe_event_kind {
	PROBE_NEED_CONNECT,
	PROBE_NEED_STARTTLS,
	PROBE_NEED_SECRET,
	PROBE_NEED_DISCONNECT,
	PROBE_FINISHED
};

struct probe_event {
	enum probe_event_kind kind;
	enum probe_end end;
};

struct probe_result {
	usec_t took[PROBE_STEPS]; /* USEC_NEVER: did not come so far */
	bool has_idle;		  /* else PUSH is what a poll found */
	bool remains;		  /* the mailbox may be there still */
	struct error error;	  /* FAULT_NONE: it came, and was pushed */
};

struct probe;
struct probe_line;
extern const struct engine_class probe_line_class;

/* The config's strings are borrowed until the probe is freed. Begins with
 * CONNECT. */
struct probe *probe_new(const struct probe_config *config, usec_t now);
void probe_free(struct probe **probe);
struct probe_line *probe_line(struct probe *probe, enum probe_end end);

void probe_line_feed(struct probe_line *line, struct span bytes, usec_t now);
void probe_line_eof(struct probe_line *line, usec_t now);
struct span probe_line_output(const struct probe_line *line);
void probe_line_sent(struct probe_line *line, size_t len);
usec_t probe_line_deadline(const struct probe_line *line);
void probe_line_tick(struct probe_line *line, usec_t now);

bool probe_next_event(struct probe *probe, struct probe_event *event_r);
void probe_connected(struct probe *probe, enum probe_end end, usec_t now);
void probe_connect_failed(struct probe *probe, enum probe_end end,
    const struct error *error, usec_t now);
void probe_tls_started(struct probe *probe, enum probe_end end, usec_t now);
/* As imap_session_once: before probe_secret. */
void probe_once(
    struct probe *probe, enum probe_end end, const struct sasl_once *once);
void probe_secret(
    struct probe *probe, enum probe_end end, struct span secret, usec_t now);
const struct probe_result *probe_result(const struct probe *probe);

#endif
