/*
 * smtp/session: one message, from MAIL to the answer to its dot.
 */
#include "daemon/wire/smtp/session_private.h"

#include <stdio.h>

#include "daemon/base/xalloc.h"

/* ---- the envelope -------------------------------------------------- */

static void
say_mail(struct smtp_session *s, const struct outgoing *m)
{
	char size[32] = "";

	if (s->offers.size)
		snprintf(size, sizeof(size), " SIZE=%llu",
		    (unsigned long long)m->facts.size);
	smtp_command(s, "MAIL FROM:<%s>%s%s%s", m->from, size,
	    m->facts.has_8bit ? " BODY=8BITMIME" : "",
	    m->utf8 ? " SMTPUTF8" : "");
}

static void
say_rcpt(struct smtp_session *s, const struct outgoing *m, size_t index)
{
	smtp_command(s, "RCPT TO:<%s>", m->recipients.items[index]);
}

/* A trial waits for each answer. */
static bool
is_pipelined(const struct smtp_session *s, const struct outgoing *m)
{
	return s->offers.pipelining && !m->is_trial;
}

/* All of it where the server has PIPELINING, which ends with DATA (RFC 2920
 * section 3.1); otherwise its first command. */
static void
say_envelope(struct smtp_session *s, const struct outgoing *m)
{
	say_mail(s, m);
	if (!is_pipelined(s, m))
		return;
	for (size_t i = 0; i < m->recipients.len; i++)
		say_rcpt(s, m, i);
	if (!m->chunked)
		smtp_command(s, "DATA");
}

/* ---- the message in hand ------------------------------------------ */

static void
outgoing_done(struct outgoing *m)
{
	free(m->from);
	strv_done(&m->recipients);
	free(m->bytes);
	*m = (struct outgoing){0};
}

void
smtp_drop_messages(struct smtp_session *s)
{
	outgoing_done(&s->message);
	outgoing_done(&s->next);
	s->has_message = s->has_next = s->next_said = false;
}

void
smtp_tell_verdict(struct smtp_session *s)
{
	*smtp_add_event(s, SMTP_EVENT_RESULT) = s->message.verdict;
	outgoing_done(&s->message);
	s->has_message = false;
}

/* The verdict is told; the next one's turn, or the owner's. */
static void
end_message(struct smtp_session *s, usec_t now)
{
	bool said = s->next_said;

	smtp_tell_verdict(s);
	if (!s->has_next) {
		smtp_enter(s, STATE_READY, now);
		return;
	}
	s->message = s->next;
	s->next = (struct outgoing){0};
	s->has_message = true;
	s->has_next = s->next_said = false;
	smtp_enter(s, STATE_MAIL, now);
	if (!said)
		say_envelope(s, &s->message);
}

/* Makes the next piece of the text ready. */
void
smtp_refill(struct smtp_session *s)
{
	struct outgoing *m = &s->message;
	struct span piece =
	    span_slice(span_from(m->bytes, m->len), m->used, SMTP_CHUNK_SIZE);
	size_t before = s->out.len;

	canonical_add(&m->text, piece, &s->out);
	m->used += piece.len;
	if (m->used == m->len)
		canonical_finish(&m->text, &s->out);
	s->queued += s->out.len - before;
	if (m->used == m->len && m->chunked)
		smtp_ask(s); /* its end is the end of the command */
}

/* ---- replies ------------------------------------------------------ */

/* The codes that agree to MAIL, RCPT, the dot and RSET. */
static bool
is_agreed(const struct smtp_reply *reply)
{
	return reply->code >= 250 && reply->code <= 259;
}

/* 220, 354 and the like where they cannot be: who knows what the server
 * thinks it was asked. 421: it hangs up. Both end the session. */
static bool
ends_session(struct smtp_session *s, const struct smtp_reply *reply,
    const char *step, usec_t now)
{
	if (reply->code != 421 && (reply->code >= 400 || is_agreed(reply)))
		return false;
	smtp_unexpected(s, reply, step, now);
	return true;
}

/* A bad sign counts more than a good one: what stops the account must be
 * seen, and what may still be delivered must not be given up. */
static void
note_verdict(struct smtp_session *s, const struct smtp_reply *reply)
{
	static const int weights[SMTP_CLASSES] = {
	    [SMTP_ACCEPTED] = 0,
	    [SMTP_REFUSED] = 1,
	    [SMTP_DEFERRED] = 2,
	    [SMTP_PAUSED] = 3,
	    [SMTP_CREDENTIALS] = 4,
	};
	struct outgoing *m = &s->message;
	enum smtp_class class = smtp_reply_class(reply);

	if (m->has_verdict && weights[m->verdict.class] >= weights[class])
		return;
	m->has_verdict = true;
	m->verdict =
	    (struct smtp_event){.kind = SMTP_EVENT_RESULT, .class = class};
	smtp_describe_reply(s, &m->verdict, reply);
}

static void
say_rset(struct smtp_session *s, usec_t now)
{
	smtp_enter(s, STATE_RSET, now);
	smtp_command(s, "RSET");
}

void
smtp_on_mail(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (ends_session(s, reply, "MAIL", now))
		return;
	if (!is_agreed(reply)) {
		s->message.mail_refused = true;
		note_verdict(s, reply);
	}
	if (s->message.mail_refused && !is_pipelined(s, &s->message)) {
		say_rset(s, now);
		return;
	}
	smtp_enter(s, STATE_RCPT, now);
	if (!is_pipelined(s, &s->message))
		say_rcpt(s, &s->message, 0);
}

/*
 * All of the text is one chunk (RFC 3030 section 2), and what makes it the
 * last one comes separately, as the final dot does:
 *   bdat-cmd = "BDAT" SP chunk-size [ SP "LAST" ] CRLF
 */
static void
say_chunk(struct smtp_session *s, usec_t now)
{
	BUF_AUTO line = BUF_INIT;

	smtp_enter(s, STATE_BODY, now);
	buf_addf(
	    &line, "BDAT %llu\r\n", (unsigned long long)s->message.facts.size);
	smtp_put(s, buf_span(&line));
	smtp_refill(s);
}

/* Pipelined, DATA was said with the rest, and has an answer, too. */
static void
on_last_rcpt(struct smtp_session *s, usec_t now)
{
	if (s->message.is_trial) {
		say_rset(s, now);
		return;
	}
	/* Those who were refused have their own event. */
	if (s->message.accepted > 0)
		s->message.has_verdict = false;
	else if (!s->offers.pipelining || s->message.chunked) {
		say_rset(s, now);
		return;
	}
	if (s->message.chunked) {
		say_chunk(s, now);
		return;
	}
	smtp_enter(s, STATE_DATA, now);
	if (!s->offers.pipelining)
		smtp_command(s, "DATA");
}

static void
tell_recipient(struct smtp_session *s, const struct smtp_reply *reply)
{
	struct smtp_event *event = smtp_add_event(s, SMTP_EVENT_RECIPIENT);

	event->recipient = s->message.next;
	event->class = smtp_reply_class(reply);
	smtp_describe_reply(s, event, reply);
	if (event->class == SMTP_ACCEPTED)
		s->message.accepted++;
	if (event->class != SMTP_ACCEPTED || s->message.is_trial)
		note_verdict(s, reply);
}

void
smtp_on_rcpt(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (ends_session(s, reply, "RCPT", now))
		return;
	/* Behind a refused MAIL these are echoes, nobody's verdict. */
	if (!s->message.mail_refused)
		tell_recipient(s, reply);
	if (++s->message.next == s->message.recipients.len) {
		on_last_rcpt(s, now);
		return;
	}
	smtp_enter(s, STATE_RCPT, now);
	if (!is_pipelined(s, &s->message))
		say_rcpt(s, &s->message, s->message.next);
}

/* Nobody is to get the message, and the server asks for it all the same (RFC
 * 2920 section 3.1): an empty one, which it must refuse. */
static void
say_nothing(struct smtp_session *s, usec_t now)
{
	smtp_enter(s, STATE_EMPTY, now);
	smtp_command(s, ".");
}

void
smtp_on_data(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code == 354 && s->message.accepted == 0) {
		say_nothing(s, now);
	} else if (reply->code == 354) {
		smtp_enter(s, STATE_BODY, now);
		smtp_refill(s);
		if (s->out.len == 0) /* an empty message */
			s->deadline = 0;
	} else if (reply->code < 400 || reply->code == 421) {
		smtp_unexpected(s, reply, "DATA", now);
	} else {
		/* Of a message for nobody the refusal is no news. */
		if (s->message.accepted > 0)
			note_verdict(s, reply);
		say_rset(s, now);
	}
}

static void
want_commit(struct smtp_session *s, usec_t now)
{
	smtp_enter(s, STATE_COMMIT, now);
	smtp_add_event(s, SMTP_EVENT_COMMIT);
}

void
smtp_on_chunk(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (ends_session(s, reply, "BDAT", now))
		return;
	if (is_agreed(reply)) {
		want_commit(s, now);
		return;
	}
	note_verdict(s, reply);
	say_rset(s, now);
}

/* Whatever it says of an empty message for nobody. */
void
smtp_on_empty(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (ends_session(s, reply, "end of the message", now))
		return;
	end_message(s, now);
}

/* Something other than text was agreed on; the text cannot go on. A refusal
 * is the message's verdict all the same: the dot was never said. */
void
smtp_on_text_broken(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code >= 400 && reply->code != 421)
		note_verdict(s, reply);
	smtp_fail_reply(s,
	    reply->code < 400
		? FAULT_PEER
		: (reply->code == 421 ? smtp_reply_fault(reply) : FAULT_RETRY),
	    reply, "a reply in the middle of the message", now);
}

void
smtp_on_dot(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code < 400 && !is_agreed(reply)) {
		smtp_unexpected(s, reply, "end of the message", now);
		return;
	}
	note_verdict(s, reply);
	if (reply->code == 421) {
		smtp_unexpected(s, reply, "end of the message", now);
		return;
	}
	end_message(s, now);
}

void
smtp_on_rset(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (!is_agreed(reply)) {
		smtp_unexpected(s, reply, "RSET", now);
		return;
	}
	end_message(s, now);
}

/* The text is all sent, or moves on, or is stuck. */
void
smtp_late_body(struct smtp_session *s, usec_t now)
{
	if (s->out.len == 0 && s->message.used == s->message.len) {
		if (s->message.chunked)
			smtp_enter(s, STATE_CHUNK, now);
		else
			want_commit(s, now);
	} else if (s->sent > s->progress) {
		smtp_enter(s, STATE_BODY, now);
	} else {
		smtp_late_reply(s, now);
	}
}

/* ---- the owner's calls --------------------------------------------- */

bool
smtp_session_send(struct smtp_session *s, const struct smtp_message *message,
    usec_t now, struct error *error_r)
{
	if (s->state != STATE_READY)
		return error_set(error_r, FAULT_RETRY,
		    "the connection to the mail server is not ready");
	if (!smtp_check_message(s, message, &s->message, error_r))
		return false;
	s->has_message = true;
	smtp_enter(s, STATE_MAIL, now);
	say_envelope(s, &s->message);
	return true;
}

bool
smtp_session_try(struct smtp_session *s, const char *from, const char *to,
    usec_t now, struct error *error_r)
{
	STRV_AUTO recipients = STRV_INIT;

	strv_add(&recipients, to);
	const struct smtp_message message = {
	    .from = from, .recipients = &recipients};
	if (s->state != STATE_READY)
		return error_set(error_r, FAULT_RETRY,
		    "the connection to the mail server is not ready");
	if (!smtp_check_message(s, &message, &s->message, error_r))
		return false;
	s->has_message = s->message.is_trial = true;
	smtp_enter(s, STATE_MAIL, now);
	say_envelope(s, &s->message);
	return true;
}

static void
say_next(struct smtp_session *s)
{
	if (!s->has_next || s->next_said || !s->offers.pipelining)
		return;
	s->next_said = true;
	say_envelope(s, &s->next);
}

bool
smtp_session_send_next(struct smtp_session *s,
    const struct smtp_message *message, struct error *error_r)
{
	if (!s->has_message || s->has_next || s->state == STATE_DEAD)
		return error_set(error_r, FAULT_RETRY,
		    "the connection to the mail server has no place for it");
	if (!smtp_check_message(s, message, &s->next, error_r))
		return false;
	s->has_next = true;
	if (s->state == STATE_DOT)
		say_next(s);
	return true;
}

void
smtp_session_finish(struct smtp_session *s, usec_t now)
{
	if (s->state != STATE_COMMIT)
		return;
	smtp_enter(s, STATE_DOT, now);
	smtp_command(s, s->message.chunked ? "BDAT 0 LAST" : ".");
	say_next(s);
}

void
smtp_session_quit(struct smtp_session *s, usec_t now)
{
	if (s->state == STATE_READY) {
		smtp_enter(s, STATE_QUIT, now);
		smtp_command(s, "QUIT");
	} else if (s->state != STATE_QUIT) {
		smtp_fail(s, FAULT_RETRY, "the connection was given up", now);
	}
}

bool
smtp_session_has_pipelining(const struct smtp_session *s)
{
	return s->offers.pipelining;
}

bool
smtp_session_has_8bitmime(const struct smtp_session *s)
{
	return s->offers.eightbit;
}

uint64_t
smtp_session_size_limit(const struct smtp_session *s)
{
	return s->offers.size_limit;
}
