/*
 * control/session: the daemon's side of the control socket, one client, an
 * engine (wire/engine.h).
 *
 * The protocol: the client writes one line of JSON,
 *
 *   {"version": 1, "command": "status", ...arguments}
 *
 * and reads one line of JSON: the answer with "ok": true, or
 * {"ok": false, "error": "...", "hint": "..."}; `watch` answers with a line
 * for each thing that happens until either side ends it; `apply` with lines
 * whose "event" is "progress" and, when the run is over, one with "end", which
 * is the last. `explain` is answered when the server has given the message.
 * One request per connection; then the daemon closes.
 *
 * Limits: a request line of JSON_LINE_MAX bytes within
 * CONTROL_REQUEST_USEC, and as long again for the client to read the answer;
 * CONTROL_OUTPUT_MAX bytes of answers that the client does not read: a longer
 * answer is refused in its stead, a stream that piles up is cut off. A client
 * that closes its side, even half, ends the session.
 */
#ifndef BELFRY_CONTROL_SESSION_H
#define BELFRY_CONTROL_SESSION_H

#include "daemon/control/json.h"
#include "daemon/wire/engine.h"

#define CONTROL_VERSION 1
#define CONTROL_REQUEST_USEC (10 * USEC_SEC)
#define CONTROL_OUTPUT_MAX (8 * 1024 * 1024)

enum control_event_kind {
	CONTROL_REQUEST, /* answer it: control_session_reply or ..._refuse */
	CONTROL_CLOSED,	 /* free the session once its output is sent */
};

struct control_event {
	enum control_event_kind kind;
	const char *command;	    /* borrowed until the session is freed */
	const struct json *request; /* the same */
};

struct control_session;

extern const struct engine_class control_session_class;

struct control_session *control_session_new(usec_t now);
void control_session_free(struct control_session **session);
void control_session_feed(
    struct control_session *s, struct span bytes, usec_t now);
void control_session_eof(struct control_session *s, usec_t now);
struct span control_session_output(const struct control_session *s);
void control_session_sent(struct control_session *s, size_t len);
usec_t control_session_deadline(const struct control_session *s);
void control_session_tick(struct control_session *s, usec_t now);
bool control_session_next_event(
    struct control_session *s, struct control_event *event_r);

/* The answer (taken), with "ok": true put in; the session then ends. */
void control_session_reply(
    struct control_session *s, struct json *answer, usec_t now);
/* A line of a stream (taken): the session goes on until
 * control_session_end or the client leaves. */
void control_session_line(
    struct control_session *s, struct json *line, usec_t now);
void control_session_refuse(struct control_session *s, const char *hint,
    usec_t now, const char *format, ...) __attribute__((format(printf, 4, 5)));
void control_session_end(struct control_session *s, usec_t now);

#endif
