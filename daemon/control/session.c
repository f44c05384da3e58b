#include "daemon/control/session.h"

#include <stdarg.h>

#include "daemon/base/xalloc.h"

enum state {
	READING,   /* the request line */
	ANSWERING, /* the owner has it */
	ENDING,	   /* what is said is said; CLOSED follows the output */
	CLOSED,
};

struct control_session {
	enum state state;
	usec_t deadline;
	struct buf input, output;
	struct json *request;
	bool request_pending; /* the event was not pulled yet */
	bool told_closed;
};

/* The only function that assigns the state. */
static void
enter(struct control_session *s, enum state state, usec_t now)
{
	s->state = state;
	s->deadline = state == ANSWERING || state == CLOSED
			  ? USEC_NEVER
			  : usec_add(now, CONTROL_REQUEST_USEC);
}

struct control_session *
control_session_new(usec_t now)
{
	struct control_session *s = NEW(struct control_session);

	enter(s, READING, now);
	return s;
}

void
control_session_free(struct control_session **session)
{
	if (*session == NULL)
		return;
	buf_done(&(*session)->input);
	buf_done(&(*session)->output);
	json_free(&(*session)->request);
	free(*session);
	*session = NULL;
}

static void
read_request(struct control_session *s, struct span line, usec_t now)
{
	struct error error = ERROR_INIT;

	s->request = json_parse(line, &error);
	if (s->request == NULL) {
		control_session_refuse(s, NULL, now, "%s", error.text);
	} else if (json_get_int(s->request, "version", 0) != CONTROL_VERSION) {
		control_session_refuse(s,
		    "belfryctl and belfryd must be of the same release", now,
		    "this daemon speaks version %d of the control protocol",
		    CONTROL_VERSION);
	} else if (json_get_str(s->request, "command") == NULL) {
		control_session_refuse(
		    s, NULL, now, "the request names no command");
	} else {
		enter(s, ANSWERING, now);
		s->request_pending = true;
	}
}

void
control_session_feed(struct control_session *s, struct span bytes, usec_t now)
{
	if (s->state != READING)
		return; /* one request each; more means nothing */
	size_t before = s->input.len;
	struct span fresh = span_slice(bytes, 0, JSON_LINE_MAX + 1 - before);
	size_t end = span_find(fresh, '\n');
	buf_add_span(&s->input, fresh);
	if (end != SIZE_MAX)
		read_request(
		    s, span_slice(buf_span(&s->input), 0, before + end), now);
	else if (s->input.len > JSON_LINE_MAX)
		control_session_refuse(s, NULL, now,
		    "a request may have at most %d bytes", JSON_LINE_MAX);
	if (s->state != READING)
		buf_done(&s->input);
}

void
control_session_eof(struct control_session *s, usec_t now)
{
	buf_clear(&s->output);
	enter(s, CLOSED, now);
}

struct span
control_session_output(const struct control_session *s)
{
	return buf_span(&s->output);
}

void
control_session_sent(struct control_session *s, size_t len)
{
	buf_consume(&s->output, len);
}

/* Everything was read: the end need not wait for the deadline. */
static bool
is_drained(const struct control_session *s)
{
	return s->state == ENDING && s->output.len == 0;
}

usec_t
control_session_deadline(const struct control_session *s)
{
	return is_drained(s) ? 0 : s->deadline;
}

void
control_session_tick(struct control_session *s, usec_t now)
{
	if (is_drained(s) || s->deadline <= now)
		control_session_eof(s, now);
}

bool
control_session_next_event(
    struct control_session *s, struct control_event *event_r)
{
	if (s->request_pending) {
		s->request_pending = false;
		*event_r = (struct control_event){
		    .kind = CONTROL_REQUEST,
		    .command = json_get_str(s->request, "command"),
		    .request = s->request,
		};
		return true;
	}
	if (s->state == CLOSED && !s->told_closed) {
		s->told_closed = true;
		*event_r = (struct control_event){.kind = CONTROL_CLOSED};
		return true;
	}
	return false;
}

static void
say(struct control_session *s, struct json *line, usec_t now)
{
	if (s->state != CLOSED) {
		json_print(line, &s->output, false);
		buf_add_char(&s->output, '\n');
	}
	json_free(&line);
	if (s->output.len > CONTROL_OUTPUT_MAX)
		control_session_eof(s, now);
}

void
control_session_line(struct control_session *s, struct json *line, usec_t now)
{
	say(s, line, now);
}

void
control_session_end(struct control_session *s, usec_t now)
{
	if (s->state != CLOSED)
		enter(s, ENDING, now);
}

void
control_session_reply(
    struct control_session *s, struct json *answer, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	json_set_bool(answer, "ok", true);
	json_print(answer, &text, false);
	if (text.len >= CONTROL_OUTPUT_MAX) {
		json_free(&answer);
		control_session_refuse(s, "ask for less", now,
		    "the answer is longer than %d bytes", CONTROL_OUTPUT_MAX);
		return;
	}
	say(s, answer, now);
	control_session_end(s, now);
}

void
control_session_refuse(struct control_session *s, const char *hint, usec_t now,
    const char *format, ...)
{
	struct json *answer = json_new_object();
	BUF_AUTO text = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	json_set_bool(answer, "ok", false);
	json_set_str(answer, "error", buf_str(&text));
	if (hint != NULL)
		json_set_str(answer, "hint", hint);
	say(s, answer, now);
	control_session_end(s, now);
}

ENGINE_CLASS(control_session, "control");
