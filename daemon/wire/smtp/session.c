#include "daemon/wire/smtp/session_private.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* A READY session between two messages owes at most these events at once:
 * one per recipient, COMMIT, RESULT, and an end. */
#define EVENTS_MAX (SMTP_RECIPIENTS_MAX + 8)
#define LINGUA_FRANCA "[127.0.0.1]" /* when there is no usable EHLO name */

struct state_row {
	const char *name;
	/* A reply that was asked for. */
	void (*reply)(
	    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
	/* A reply that was not. */
	void (*unasked)(
	    struct smtp_session *s, const struct smtp_reply *reply, usec_t now);
	void (*late)(struct smtp_session *s, usec_t now);
	usec_t limit;
};

static const struct state_row state_rows[];

/* ---- events ------------------------------------------------------- */

struct smtp_event *
smtp_add_event(struct smtp_session *s, enum smtp_event_kind kind)
{
	struct smtp_event *event;

	if (s->event_first > 0 && s->event_first == s->event_count)
		s->event_first = s->event_count = 0;
	/* The owner must act before there can be more. */
	assert(s->event_count < 2 * EVENTS_MAX);
	if (s->event_count == s->event_cap) {
		s->event_cap = s->event_cap > 0 ? 2 * s->event_cap : 4;
		s->events =
		    xreallocarray(s->events, s->event_cap, sizeof(*s->events));
	}
	event = &s->events[s->event_count++];
	*event = (struct smtp_event){.kind = kind, .class = SMTP_DEFERRED};
	return event;
}

bool
smtp_session_next_event(struct smtp_session *s, struct smtp_event *event_r)
{
	if (s->event_first == s->event_count)
		return false;
	*event_r = s->events[s->event_first++];
	return true;
}

/* Whether the server's words may be shown: not what anyone on the way could
 * have said in its name. */
bool
smtp_is_trusted(const struct smtp_session *s)
{
	return s->secure || s->security == SMTP_SECURITY_NONE;
}

/* Copies text into a field of `size` bytes, cut between characters. */
void
smtp_copy_text(char *field, size_t size, struct span text)
{
	size_t len = text.len < size ? text.len : size - 1;

	while (len > 0 && len < text.len &&
	       ((unsigned char)text.data[len] & 0xc0) == 0x80)
		len--;
	if (len > 0)
		memcpy(field, text.data, len);
	field[len] = '\0';
}

void
smtp_describe_reply(const struct smtp_session *s, struct smtp_event *event,
    const struct smtp_reply *reply)
{
	BUF_AUTO text = BUF_INIT;

	event->code = reply->code;
	event->slow = smtp_reply_is_slow(reply);
	event->is_about_sender = smtp_reply_is_about_sender(reply);
	if (smtp_is_trusted(s)) {
		event->advice = smtp_reply_advice(reply);
		smtp_reply_format(reply, &text, sizeof(event->text) - 1);
	}
	smtp_copy_text(event->text, sizeof(event->text), buf_span(&text));
}

/* ---- the one door to each state ----------------------------------- */

/* The only function that assigns the state. */
void
smtp_enter(struct smtp_session *s, enum state next, usec_t now)
{
	s->state = next;
	s->deadline = usec_add(now, state_rows[next].limit);
	s->progress = s->sent;
	if (next != STATE_DEAD)
		return;
	secret_wipe(&s->secret);
	sasl_scram_free(&s->scram);
	buf_wipe(&s->out);
	smtp_parser_done(&s->parser);
	smtp_drop_messages(s);
	s->asked_count = 0;
}

static void
close_session(struct smtp_session *s, usec_t now)
{
	smtp_add_event(s, SMTP_EVENT_CLOSED);
	smtp_enter(s, STATE_DEAD, now);
}

/* `reply` may be NULL. The words of `reply` are added when it has any. */
void
smtp_fail_reply(struct smtp_session *s, enum fault fault,
    const struct smtp_reply *reply, const char *what, usec_t now)
{
	struct smtp_event *event;

	if (s->state == STATE_DEAD)
		return;
	if (s->state == STATE_QUIT) { /* it was over anyway */
		close_session(s, now);
		return;
	}
	/* A verdict that is known is told, whatever happens to the link. */
	if (s->has_message && s->message.has_verdict)
		smtp_tell_verdict(s);
	event = smtp_add_event(s, SMTP_EVENT_FAILED);
	event->class = s->state == STATE_DOT && s->has_message ? SMTP_UNKNOWN
							       : SMTP_DEFERRED;
	if (reply != NULL)
		smtp_describe_reply(s, event, reply);
	if (reply == NULL)
		error_set(&event->error, fault, "%s", what);
	else
		error_set(&event->error, fault, "%s: %u%s%s", what, reply->code,
		    event->text[0] != '\0' ? " " : "", event->text);
	smtp_enter(s, STATE_DEAD, now);
}

void
smtp_fail(
    struct smtp_session *s, enum fault fault, const char *what, usec_t now)
{
	smtp_fail_reply(s, fault, NULL, what, now);
}

void
smtp_unexpected(struct smtp_session *s, const struct smtp_reply *reply,
    const char *step, usec_t now)
{
	smtp_fail_reply(s, smtp_reply_fault(reply), reply, step, now);
}

/* ---- output ------------------------------------------------------- */

void
smtp_put(struct smtp_session *s, struct span bytes)
{
	buf_add_span(&s->out, bytes);
	s->queued += bytes.len;
}

/* The output up to here is one command: a reply must come. */
void
smtp_ask(struct smtp_session *s)
{
	assert(s->asked_count < ASKED_MAX);
	s->asked[s->asked_count++] = s->queued;
}

__attribute__((format(printf, 2, 3))) void
smtp_command(struct smtp_session *s, const char *format, ...)
{
	BUF_AUTO line = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&line, format, args);
	va_end(args);
	buf_add_str(&line, "\r\n");
	smtp_put(s, buf_span(&line));
	smtp_ask(s);
}

struct span
smtp_session_output(const struct smtp_session *s)
{
	return buf_span(&s->out);
}

void
smtp_session_sent(struct smtp_session *s, size_t len)
{
	if (s->state == STATE_DEAD)
		return;
	assert(len <= s->out.len);
	buf_consume(&s->out, len);
	s->sent += len;
	if (s->out.len == 0 && s->out_is_secret) {
		buf_wipe(&s->out);
		s->out_is_secret = false;
	}
	if (s->state != STATE_BODY || s->out.len > 0)
		return;
	if (s->message.used < s->message.len)
		smtp_refill(s);
	if (s->out.len == 0)
		s->deadline = 0; /* the tick gives COMMIT */
}

usec_t
smtp_session_deadline(const struct smtp_session *s)
{
	return s->deadline;
}

/* ---- replies, when no part of the session waits for them ----------- */

static void
on_quit(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	(void)reply; /* 221 or whatever: it is over */
	close_session(s, now);
}

/* A session that waits for its owner hears nothing but "I hang up". */
static void
on_unasked(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code == 421)
		smtp_unexpected(s, reply, "the mail server hangs up", now);
	else
		smtp_fail_reply(s, FAULT_PEER, reply,
		    "a reply that nothing asked for", now);
}

/* ---- time --------------------------------------------------------- */

void
smtp_late_reply(struct smtp_session *s, usec_t now)
{
	char what[80];

	snprintf(what, sizeof(what), "no answer in time (%s)",
	    state_rows[s->state].name);
	smtp_fail(s, FAULT_RETRY, what, now);
}

static void
late_quit(struct smtp_session *s, usec_t now)
{
	close_session(s, now);
}

static void
never_late(struct smtp_session *s, usec_t now)
{
	(void)s;
	(void)now;
}

/* clang-format off */
static const struct state_row state_rows[] = {
	[STATE_GREETING]  = {"greeting", smtp_on_greeting, on_unasked,
	    smtp_late_reply, SMTP_GREETING_USEC},
	[STATE_EHLO]      = {"ehlo", smtp_on_ehlo, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_STARTTLS]  = {"starttls", smtp_on_starttls, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_HANDSHAKE] = {"handshake", on_unasked, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_SECRET]    = {"secret", on_unasked, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_AUTH]      = {"auth", smtp_on_auth, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_READY]     = {"ready", on_unasked, on_unasked,
	    never_late, USEC_NEVER},
	[STATE_MAIL]      = {"mail", smtp_on_mail, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_RCPT]      = {"rcpt", smtp_on_rcpt, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_DATA]      = {"data", smtp_on_data, on_unasked,
	    smtp_late_reply, SMTP_DATA_USEC},
	/* Only a chunk that is all sent asks for a reply here. */
	[STATE_BODY]      = {"body", smtp_on_chunk, smtp_on_text_broken,
	    smtp_late_body, SMTP_BLOCK_USEC},
	[STATE_CHUNK]     = {"chunk", smtp_on_chunk, on_unasked,
	    smtp_late_reply, SMTP_DOT_USEC},
	[STATE_COMMIT]    = {"commit", smtp_on_text_broken, smtp_on_text_broken,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_DOT]       = {"dot", smtp_on_dot, on_unasked,
	    smtp_late_reply, SMTP_DOT_USEC},
	[STATE_EMPTY]     = {"empty", smtp_on_empty, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_RSET]      = {"rset", smtp_on_rset, on_unasked,
	    smtp_late_reply, SMTP_COMMAND_USEC},
	[STATE_QUIT]      = {"quit", on_quit, on_quit,
	    late_quit, SMTP_QUIT_USEC},
	[STATE_DEAD]      = {"dead", NULL, NULL,
	    never_late, USEC_NEVER},
};
/* clang-format on */
_Static_assert(COUNT(state_rows) == STATE_COUNT, "one row per state");

const char *
smtp_session_state_name(const struct smtp_session *s)
{
	return state_rows[s->state].name;
}

/* ---- input -------------------------------------------------------- */

static void
dispatch(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	const struct state_row *row = &state_rows[s->state];
	uint64_t end;

	if (s->asked_count == 0) {
		row->unasked(s, reply, now);
		return;
	}
	end = s->asked[0];
	s->asked_count--;
	memmove(s->asked, s->asked + 1, s->asked_count * sizeof(s->asked[0]));
	/* Refusing a command half read ("line too long") is fair; agreeing to
	 * one that was not yet heard is a script, or a trick. */
	if (reply->code < 400 && s->sent < end)
		smtp_fail_reply(s, FAULT_PEER, reply,
		    "a reply to what was not yet said", now);
	else
		row->reply(s, reply, now);
}

void
smtp_session_feed(struct smtp_session *s, struct span bytes, usec_t now)
{
	struct smtp_reply reply;
	struct error error;
	int result;

	if (s->state == STATE_DEAD || bytes.len == 0)
		return;
	if (s->state == STATE_HANDSHAKE) {
		smtp_fail(s, FAULT_PEER, "data before encryption", now);
		return;
	}
	smtp_parser_feed(&s->parser, bytes);
	while (s->state != STATE_DEAD) {
		result = smtp_parser_next(&s->parser, &reply, &error);
		if (result < 0)
			smtp_fail(s, error.fault, error.text, now);
		if (result != 1)
			break;
		dispatch(s, &reply, now);
	}
}

void
smtp_session_eof(struct smtp_session *s, usec_t now)
{
	if (s->state == STATE_QUIT)
		close_session(s, now);
	else
		smtp_fail(s, FAULT_RETRY, "the connection was closed", now);
}

void
smtp_session_tick(struct smtp_session *s, usec_t now)
{
	if (now >= s->deadline)
		state_rows[s->state].late(s, now);
}

/* ---- life --------------------------------------------------------- */

/* RFC 5321 section 4.1.1.1: EHLO SP ( Domain / address-literal ). */
static bool
ehlo_name_is_safe(const char *name)
{
	struct span s = span_from_str(name);

	if (s.len == 0 || s.len > 255)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!char_is_alnum(s.data[i]) &&
		    memchr("-.:[]_", s.data[i], 6) == NULL)
			return false;
	return true;
}

struct smtp_session *
smtp_session_new(const struct smtp_session_config *config, usec_t now)
{
	struct smtp_session *s = NEW(struct smtp_session);

	s->security = config->security;
	s->auth = config->auth;
	s->user = xstrdup(config->user);
	s->host = xstrdup(config->host);
	s->port = config->port;
	s->ehlo_name =
	    xstrdup(ehlo_name_is_safe(config->ehlo_name) ? config->ehlo_name
							 : LINGUA_FRANCA);
	s->no_scram = config->no_scram;
	s->only_scram = config->only_scram;
	s->secure = config->security == SMTP_SECURITY_TLS;
	smtp_parser_init(&s->parser);
	smtp_enter(s, STATE_GREETING, now);
	smtp_ask(s); /* connecting is the question, the greeting its answer */
	return s;
}

void
smtp_session_free(struct smtp_session **session)
{
	struct smtp_session *s = *session;

	if (s == NULL)
		return;
	smtp_enter(s, STATE_DEAD, 0);
	free(s->user);
	free(s->host);
	free(s->ehlo_name);
	free(s->events);
	free(s);
	*session = NULL;
}

ENGINE_CLASS(smtp_session, "smtp");
