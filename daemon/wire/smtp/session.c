#include "daemon/wire/smtp/session.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/base/base64.h"
#include "daemon/base/secret.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/sasl/sasl.h"
#include "daemon/wire/smtp/canonical.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
/* A READY session between two messages owes at most these events at once:
 * one per recipient, COMMIT, RESULT, and an end. */
#define EVENTS_MAX (SMTP_RECIPIENTS_MAX + 8)
/* MAIL and every RCPT may be under way together. */
#define ASKED_MAX (SMTP_RECIPIENTS_MAX + 2)
#define LINGUA_FRANCA "[127.0.0.1]" /* when there is no usable EHLO name */

enum state {
	STATE_GREETING,
	STATE_EHLO,
	STATE_STARTTLS,
	STATE_HANDSHAKE,
	STATE_SECRET,
	STATE_AUTH,
	STATE_READY,
	STATE_MAIL,
	STATE_RCPT,
	STATE_DATA,
	STATE_BODY,
	STATE_COMMIT,
	STATE_DOT,
	STATE_RSET,
	STATE_QUIT,
	STATE_DEAD,
	STATE_COUNT
};

/* What EHLO told. Known anew after TLS, nothing survives it. */
struct offers {
	bool starttls, pipelining, eightbit, utf8, size, auth;
	uint64_t size_limit;
	unsigned mechanisms; /* bits 1 << enum sasl_mechanism */
};

/* The message in hand. */
struct outgoing {
	char *from;
	struct strv recipients;
	char *bytes; /* the one copy */
	size_t len, used;
	struct canonical_facts facts;
	bool utf8;
	struct canonical text;
	unsigned next;	   /* recipient whose reply is awaited */
	unsigned accepted; /* recipients */
	bool mail_refused; /* the pipelined RCPTs are still to be answered */
	bool has_verdict;
	struct smtp_event verdict; /* the RESULT, until it may be told */
};

struct smtp_session {
	enum smtp_security security;
	enum smtp_auth auth;
	char *user, *host, *ehlo_name;
	unsigned port;

	enum state state;
	usec_t deadline;
	bool secure; /* TLS is up */
	struct offers offers;
	struct smtp_parser parser;

	struct buf out;
	bool out_is_secret;
	uint64_t queued, sent; /* bytes of output, since the beginning */
	/* Where in the output the commands end that await a reply. */
	uint64_t asked[ASKED_MAX];
	size_t asked_count;
	uint64_t progress; /* `sent` when the deadline of the text was set */

	enum sasl_mechanism mechanism;
	struct secret secret;
	bool initial_pending; /* the first response waits for a 334 */
	unsigned challenges;
	char oauth_status[16];

	bool has_message;
	struct outgoing message;

	struct smtp_event *events; /* owned, a queue */
	size_t event_first, event_count, event_cap;
};

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

static struct smtp_event *
add_event(struct smtp_session *s, enum smtp_event_kind kind)
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
static bool
is_trusted(const struct smtp_session *s)
{
	return s->secure || s->security == SMTP_SECURITY_NONE;
}

/* Copies text into a field of `size` bytes, cut between characters. */
static void
copy_text(char *field, size_t size, struct span text)
{
	size_t len = text.len < size ? text.len : size - 1;

	while (len > 0 && len < text.len &&
	       ((unsigned char)text.data[len] & 0xc0) == 0x80)
		len--;
	if (len > 0)
		memcpy(field, text.data, len);
	field[len] = '\0';
}

static void
describe_reply(const struct smtp_session *s, struct smtp_event *event,
    const struct smtp_reply *reply)
{
	BUF_AUTO text = BUF_INIT;

	event->code = reply->code;
	event->slow = smtp_reply_is_slow(reply);
	if (is_trusted(s))
		smtp_reply_format(reply, &text, sizeof(event->text) - 1);
	copy_text(event->text, sizeof(event->text), buf_span(&text));
}

/* ---- the one door to each state ----------------------------------- */

static void
drop_message(struct smtp_session *s)
{
	struct outgoing *m = &s->message;

	free(m->from);
	strv_done(&m->recipients);
	free(m->bytes);
	*m = (struct outgoing){0};
	s->has_message = false;
}

/* The only function that assigns the state. */
static void
enter(struct smtp_session *s, enum state next, usec_t now)
{
	s->state = next;
	s->deadline = usec_add(now, state_rows[next].limit);
	s->progress = s->sent;
	if (next != STATE_DEAD)
		return;
	secret_wipe(&s->secret);
	buf_wipe(&s->out);
	smtp_parser_done(&s->parser);
	drop_message(s);
	s->asked_count = 0;
}

static void
tell_verdict(struct smtp_session *s)
{
	*add_event(s, SMTP_EVENT_RESULT) = s->message.verdict;
	drop_message(s);
}

static void
close_session(struct smtp_session *s, usec_t now)
{
	add_event(s, SMTP_EVENT_CLOSED);
	enter(s, STATE_DEAD, now);
}

/* `reply` may be NULL. The words of `reply` are added when it has any. */
static void
fail_reply(struct smtp_session *s, enum fault fault,
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
		tell_verdict(s);
	event = add_event(s, SMTP_EVENT_FAILED);
	event->class = s->state == STATE_DOT && s->has_message ? SMTP_UNKNOWN
							       : SMTP_DEFERRED;
	if (reply != NULL)
		describe_reply(s, event, reply);
	if (reply == NULL)
		error_set(&event->error, fault, "%s", what);
	else
		error_set(&event->error, fault, "%s: %u%s%s", what, reply->code,
		    event->text[0] != '\0' ? " " : "", event->text);
	enter(s, STATE_DEAD, now);
}

static void
fail(struct smtp_session *s, enum fault fault, const char *what, usec_t now)
{
	fail_reply(s, fault, NULL, what, now);
}

/* ---- output ------------------------------------------------------- */

static void
put(struct smtp_session *s, struct span bytes)
{
	buf_add_span(&s->out, bytes);
	s->queued += bytes.len;
}

/* The output up to here is one command: a reply must come. */
static void
ask(struct smtp_session *s)
{
	assert(s->asked_count < ASKED_MAX);
	s->asked[s->asked_count++] = s->queued;
}

__attribute__((format(printf, 2, 3))) static void
command(struct smtp_session *s, const char *format, ...)
{
	BUF_AUTO line = BUF_INIT;
	va_list args;

	va_start(args, format);
	buf_vaddf(&line, format, args);
	va_end(args);
	buf_add_str(&line, "\r\n");
	put(s, buf_span(&line));
	ask(s);
}

/* The one function through which credentials leave. */
static void
secret_command(struct smtp_session *s, struct buf *line)
{
	assert(s->secure || s->security == SMTP_SECURITY_NONE);
	buf_add_str(line, "\r\n");
	put(s, buf_span(line));
	s->out_is_secret = true;
	ask(s);
	buf_wipe(line);
}

/* Makes the next piece of the text ready. */
static void
refill(struct smtp_session *s)
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
		refill(s);
	if (s->out.len == 0)
		s->deadline = 0; /* the tick gives COMMIT */
}

usec_t
smtp_session_deadline(const struct smtp_session *s)
{
	return s->deadline;
}

/* ---- EHLO --------------------------------------------------------- */

static void
offer_starttls(struct offers *o, struct span params)
{
	(void)params;
	o->starttls = true;
}

static void
offer_pipelining(struct offers *o, struct span params)
{
	(void)params;
	o->pipelining = true;
}

static void
offer_8bitmime(struct offers *o, struct span params)
{
	(void)params;
	o->eightbit = true;
}

static void
offer_smtputf8(struct offers *o, struct span params)
{
	(void)params;
	o->utf8 = true;
}

/* RFC 1870 section 4: no number, or 0, is no fixed limit. */
static void
offer_size(struct offers *o, struct span params)
{
	o->size = true;
	span_to_u64(span_trim(params), &o->size_limit);
}

static void
offer_auth(struct offers *o, struct span params)
{
	static const enum sasl_mechanism known[] = {
	    SASL_PLAIN, SASL_LOGIN, SASL_XOAUTH2, SASL_OAUTHBEARER};
	struct span name;

	o->auth = true;
	while (span_split(&params, ' ', &name))
		for (size_t i = 0; i < COUNT(known); i++)
			if (span_is_nocase(name, sasl_name(known[i])))
				o->mechanisms |= 1u << known[i];
}

static const struct {
	const char *keyword;
	void (*offer)(struct offers *o, struct span params);
} offer_rows[] = {
    {"STARTTLS", offer_starttls},
    {"PIPELINING", offer_pipelining},
    {"8BITMIME", offer_8bitmime},
    {"SMTPUTF8", offer_smtputf8},
    {"SIZE", offer_size},
    {"AUTH", offer_auth},
};

/*
 * RFC 5321 section 4.1.1.1:
 *   ehlo-line = ehlo-keyword *( SP ehlo-param )
 * "AUTH=LOGIN PLAIN" is an old form of AUTH, still said beside the right one.
 */
static void
parse_offer(struct offers *o, struct span line)
{
	struct span keyword;
	size_t end;

	line = span_trim(line);
	for (end = 0; end < line.len; end++)
		if (line.data[end] == ' ' || line.data[end] == '=')
			break;
	keyword = span_slice(line, 0, end);
	for (size_t i = 0; i < COUNT(offer_rows); i++)
		if (span_is_nocase(keyword, offer_rows[i].keyword))
			offer_rows[i].offer(o, span_skip(line, end + 1));
}

static void
parse_offers(struct offers *o, struct span text)
{
	struct span line;
	bool first = true; /* the server's name and greeting */

	*o = (struct offers){0};
	while (span_split(&text, '\n', &line)) {
		if (!first)
			parse_offer(o, line);
		first = false;
	}
}

/* ---- login -------------------------------------------------------- */

static bool
choose_mechanism(struct smtp_session *s)
{
	static const enum sasl_mechanism wanted[2][2] = {
	    [SMTP_AUTH_PASSWORD] = {SASL_PLAIN, SASL_LOGIN},
	    [SMTP_AUTH_OAUTH2] = {SASL_OAUTHBEARER, SASL_XOAUTH2},
	};

	for (size_t i = 0; i < 2; i++) {
		s->mechanism = wanted[s->auth][i];
		if ((s->offers.mechanisms & 1u << s->mechanism) != 0)
			return true;
	}
	s->mechanism = SASL_NONE;
	return false;
}

static void
become_ready(struct smtp_session *s, usec_t now)
{
	secret_wipe(&s->secret);
	enter(s, STATE_READY, now);
	add_event(s, SMTP_EVENT_READY);
}

static void
want_login(struct smtp_session *s, usec_t now)
{
	if (s->auth == SMTP_AUTH_NONE) {
		become_ready(s, now);
	} else if (!s->offers.auth) {
		fail(s, FAULT_PEER, "the mail server offers no login", now);
	} else if (!choose_mechanism(s)) {
		fail(s, FAULT_AUTH,
		    s->auth == SMTP_AUTH_OAUTH2
			? "the mail server takes no OAuth2 token"
			: "the mail server takes no password",
		    now);
	} else {
		enter(s, STATE_SECRET, now);
		add_event(s, SMTP_EVENT_SECRET);
	}
}

static struct sasl_params
sasl_params(const struct smtp_session *s)
{
	return (struct sasl_params){
	    .user = span_from_str(s->user),
	    .secret = secret_span(&s->secret),
	    .host = span_from_str(s->host),
	    .port = s->port,
	};
}

/* RFC 4954 section 4: AUTH mechanism [initial-response]; "=" is an empty
 * one. A response that makes the line too long waits for the 334. */
static void
say_auth(struct smtp_session *s)
{
	struct sasl_params params = sasl_params(s);
	BUF_AUTO line = BUF_INIT, response = BUF_INIT, encoded = BUF_INIT;
	bool initial = sasl_start(s->mechanism, &params, &response);

	buf_addf(&line, "AUTH %s", sasl_name(s->mechanism));
	if (initial)
		base64_encode(&encoded, buf_span(&response));
	if (initial && encoded.len == 0)
		buf_add_char(&encoded, '=');
	s->initial_pending =
	    initial && line.len + 1 + encoded.len + 2 > SMTP_COMMAND_MAX;
	if (initial && !s->initial_pending) {
		buf_add_char(&line, ' ');
		buf_add_span(&line, buf_span(&encoded));
	}
	secret_command(s, &line);
	buf_wipe(&response);
	buf_wipe(&encoded);
}

void
smtp_session_secret(struct smtp_session *s, struct span secret, usec_t now)
{
	if (s->state != STATE_SECRET)
		return;
	if (secret.len > SECRET_MAX) {
		fail(s, FAULT_LIMIT, "the secret is too long", now);
		return;
	}
	secret_set(&s->secret, secret);
	s->challenges = 0;
	s->oauth_status[0] = '\0';
	enter(s, STATE_AUTH, now);
	say_auth(s);
}

/* The answer to a challenge; "*" cancels (RFC 4954 section 4). */
static void
answer_challenge(struct smtp_session *s, struct span challenge)
{
	struct sasl_params params = sasl_params(s);
	BUF_AUTO line = BUF_INIT, response = BUF_INIT;
	struct span status;
	bool known;

	if (s->initial_pending) {
		s->initial_pending = false;
		known = sasl_start(s->mechanism, &params, &response);
	} else {
		known = sasl_step(s->mechanism, &params, s->challenges++,
		    challenge, &response);
		if (sasl_oauth_error(challenge, &status))
			copy_text(
			    s->oauth_status, sizeof(s->oauth_status), status);
	}
	if (known)
		base64_encode(&line, buf_span(&response));
	else
		buf_add_char(&line, '*');
	secret_command(s, &line);
	buf_wipe(&response);
}

static void
on_challenge(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	BUF_AUTO challenge = BUF_INIT;

	if (reply->lines != 1 ||
	    !base64_decode(&challenge, span_trim(reply->text)))
		fail(
		    s, FAULT_PEER, "login: a challenge that is no base64", now);
	else if (s->challenges >= SMTP_CHALLENGES_MAX)
		fail(s, FAULT_PEER, "login: challenges without end", now);
	else {
		answer_challenge(s, buf_span(&challenge));
		enter(s, STATE_AUTH, now);
	}
}

/* LOGIN has said all after its second answer, the others after the first. */
static bool
login_is_complete(const struct smtp_session *s)
{
	return !s->initial_pending &&
	       (s->mechanism != SASL_LOGIN || s->challenges >= 2);
}

static void
on_login_refused(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	enum fault fault = smtp_reply_class(reply) == SMTP_REFUSED
			       ? FAULT_AUTH
			       : smtp_reply_fault(reply);
	char what[64];

	snprintf(what, sizeof(what), "login%s%s",
	    s->oauth_status[0] != '\0' ? ": token status " : "",
	    s->oauth_status);
	fail_reply(s, fault, reply, what, now);
}

/* ---- states: a reply to what was asked ---------------------------- */

static void
unexpected(struct smtp_session *s, const struct smtp_reply *reply,
    const char *step, usec_t now)
{
	fail_reply(s, smtp_reply_fault(reply), reply, step, now);
}

static void
say_ehlo(struct smtp_session *s, usec_t now)
{
	enter(s, STATE_EHLO, now);
	command(s, "EHLO %s", s->ehlo_name);
}

static void
on_greeting(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code != 220)
		unexpected(s, reply, "greeting", now);
	else
		say_ehlo(s, now);
}

static void
on_ehlo(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code != 250) {
		unexpected(s, reply, "EHLO", now);
		return;
	}
	parse_offers(&s->offers, reply->text);
	if (is_trusted(s)) {
		want_login(s, now);
	} else if (!s->offers.starttls) {
		fail(s, FAULT_PEER, "the mail server offers no STARTTLS", now);
	} else {
		enter(s, STATE_STARTTLS, now);
		command(s, "STARTTLS");
	}
}

static void
on_starttls(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code != 220) {
		unexpected(s, reply, "STARTTLS", now);
	} else if (smtp_parser_has_rest(&s->parser)) {
		fail(s, FAULT_PEER, "data before encryption", now);
	} else {
		enter(s, STATE_HANDSHAKE, now);
		add_event(s, SMTP_EVENT_STARTTLS);
	}
}

static void
on_auth(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code == 334)
		on_challenge(s, reply, now);
	else if (reply->code == 235 && login_is_complete(s))
		become_ready(s, now);
	else if (reply->code < 400)
		unexpected(s, reply, "login", now);
	else
		on_login_refused(s, reply, now);
}

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
	unexpected(s, reply, step, now);
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
	describe_reply(s, &m->verdict, reply);
}

static void
say_rset(struct smtp_session *s, usec_t now)
{
	enter(s, STATE_RSET, now);
	command(s, "RSET");
}

static void
say_rcpt(struct smtp_session *s)
{
	command(
	    s, "RCPT TO:<%s>", s->message.recipients.items[s->message.next]);
}

static void
on_mail(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (ends_session(s, reply, "MAIL", now))
		return;
	if (!is_agreed(reply)) {
		s->message.mail_refused = true;
		note_verdict(s, reply);
	}
	if (s->message.mail_refused && !s->offers.pipelining) {
		say_rset(s, now);
		return;
	}
	enter(s, STATE_RCPT, now);
	if (!s->offers.pipelining)
		say_rcpt(s);
}

static void
on_last_rcpt(struct smtp_session *s, usec_t now)
{
	if (s->message.accepted == 0) {
		say_rset(s, now);
		return;
	}
	/* Those who were refused have their own event. */
	s->message.has_verdict = false;
	enter(s, STATE_DATA, now);
	command(s, "DATA");
}

static void
tell_recipient(struct smtp_session *s, const struct smtp_reply *reply)
{
	struct smtp_event *event = add_event(s, SMTP_EVENT_RECIPIENT);

	event->recipient = s->message.next;
	event->class = smtp_reply_class(reply);
	describe_reply(s, event, reply);
	if (event->class == SMTP_ACCEPTED)
		s->message.accepted++;
	else
		note_verdict(s, reply);
}

static void
on_rcpt(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
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
	enter(s, STATE_RCPT, now);
	if (!s->offers.pipelining)
		say_rcpt(s);
}

static void
on_data(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code == 354) {
		enter(s, STATE_BODY, now);
		refill(s);
		if (s->out.len == 0) /* an empty message */
			s->deadline = 0;
	} else if (reply->code < 400 || reply->code == 421) {
		unexpected(s, reply, "DATA", now);
	} else {
		note_verdict(s, reply);
		say_rset(s, now);
	}
}

/* Something other than text was agreed on; the text cannot go on. A refusal
 * is the message's verdict all the same: the dot was never said. */
static void
on_text_broken(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code >= 400 && reply->code != 421)
		note_verdict(s, reply);
	fail_reply(s,
	    reply->code < 400
		? FAULT_PEER
		: (reply->code == 421 ? smtp_reply_fault(reply) : FAULT_RETRY),
	    reply, "a reply in the middle of the message", now);
}

static void
on_dot(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code < 400 && !is_agreed(reply)) {
		unexpected(s, reply, "end of the message", now);
		return;
	}
	note_verdict(s, reply);
	if (reply->code == 421) {
		unexpected(s, reply, "end of the message", now);
		return;
	}
	tell_verdict(s);
	enter(s, STATE_READY, now);
}

static void
on_rset(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (!is_agreed(reply)) {
		unexpected(s, reply, "RSET", now);
		return;
	}
	tell_verdict(s);
	enter(s, STATE_READY, now);
}

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
		unexpected(s, reply, "the mail server hangs up", now);
	else
		fail_reply(s, FAULT_PEER, reply,
		    "a reply that nothing asked for", now);
}

/* ---- time --------------------------------------------------------- */

static void
late_reply(struct smtp_session *s, usec_t now)
{
	char what[80];

	snprintf(what, sizeof(what), "no answer in time (%s)",
	    state_rows[s->state].name);
	fail(s, FAULT_RETRY, what, now);
}

/* The text is all sent, or moves on, or is stuck. */
static void
late_body(struct smtp_session *s, usec_t now)
{
	if (s->out.len == 0 && s->message.used == s->message.len) {
		enter(s, STATE_COMMIT, now);
		add_event(s, SMTP_EVENT_COMMIT);
	} else if (s->sent > s->progress) {
		enter(s, STATE_BODY, now);
	} else {
		late_reply(s, now);
	}
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
	[STATE_GREETING]  = {"greeting", on_greeting, on_unasked,
	    late_reply, SMTP_GREETING_USEC},
	[STATE_EHLO]      = {"ehlo", on_ehlo, on_unasked,
	    late_reply, SMTP_COMMAND_USEC},
	[STATE_STARTTLS]  = {"starttls", on_starttls, on_unasked,
	    late_reply, SMTP_COMMAND_USEC},
	[STATE_HANDSHAKE] = {"handshake", on_unasked, on_unasked,
	    late_reply, SMTP_COMMAND_USEC},
	[STATE_SECRET]    = {"secret", on_unasked, on_unasked,
	    late_reply, SMTP_COMMAND_USEC},
	[STATE_AUTH]      = {"auth", on_auth, on_unasked,
	    late_reply, SMTP_COMMAND_USEC},
	[STATE_READY]     = {"ready", on_unasked, on_unasked,
	    never_late, USEC_NEVER},
	[STATE_MAIL]      = {"mail", on_mail, on_unasked,
	    late_reply, SMTP_COMMAND_USEC},
	[STATE_RCPT]      = {"rcpt", on_rcpt, on_unasked,
	    late_reply, SMTP_COMMAND_USEC},
	[STATE_DATA]      = {"data", on_data, on_unasked,
	    late_reply, SMTP_DATA_USEC},
	[STATE_BODY]      = {"body", on_text_broken, on_text_broken,
	    late_body, SMTP_BLOCK_USEC},
	[STATE_COMMIT]    = {"commit", on_text_broken, on_text_broken,
	    late_reply, SMTP_COMMAND_USEC},
	[STATE_DOT]       = {"dot", on_dot, on_unasked,
	    late_reply, SMTP_DOT_USEC},
	[STATE_RSET]      = {"rset", on_rset, on_unasked,
	    late_reply, SMTP_COMMAND_USEC},
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
		fail_reply(s, FAULT_PEER, reply,
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
		fail(s, FAULT_PEER, "data before encryption", now);
		return;
	}
	smtp_parser_feed(&s->parser, bytes);
	while (s->state != STATE_DEAD) {
		result = smtp_parser_next(&s->parser, &reply, &error);
		if (result < 0)
			fail(s, error.fault, error.text, now);
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
		fail(s, FAULT_RETRY, "the connection was closed", now);
}

void
smtp_session_tick(struct smtp_session *s, usec_t now)
{
	if (now >= s->deadline)
		state_rows[s->state].late(s, now);
}

void
smtp_session_tls_started(struct smtp_session *s, usec_t now)
{
	if (s->state != STATE_HANDSHAKE)
		return;
	/* Nothing that was said in clear survives. */
	smtp_parser_done(&s->parser);
	s->offers = (struct offers){0};
	s->secure = true;
	say_ehlo(s, now);
}

/* ---- messages ----------------------------------------------------- */

/*
 * What stands between the angle brackets of MAIL and RCPT: anything that
 * cannot end it or begin something else. Quoted local parts with blanks are
 * legal in RFC 5321 and used by nobody but attackers.
 */
static bool
address_is_safe(const char *address, bool *is_ascii_r)
{
	struct span s = span_from_str(address);

	if (s.len == 0 || s.len > SMTP_ADDRESS_MAX || !utf8_is_valid(s))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c <= ' ' || c == 0x7f || c == '<' || c == '>')
			return false;
		if (c >= 0x80)
			*is_ascii_r = false;
	}
	return true;
}

static bool
check_addresses(
    const struct smtp_message *message, bool *is_ascii_r, struct error *error_r)
{
	const struct strv *to = message->recipients;

	if (!address_is_safe(message->from, is_ascii_r))
		return error_set(error_r, FAULT_CONFIG,
		    "the sender's address cannot be used");
	if (to->len == 0 || to->len > SMTP_RECIPIENTS_MAX)
		return error_set(error_r, FAULT_LIMIT,
		    "a message needs 1 to %d recipients", SMTP_RECIPIENTS_MAX);
	for (size_t i = 0; i < to->len; i++)
		if (!address_is_safe(to->items[i], is_ascii_r))
			return error_set(error_r, FAULT_CONFIG,
			    "recipient %zu has an address that cannot be used",
			    i + 1);
	return true;
}

static bool
check_text(const struct smtp_session *s, const struct canonical_facts *facts,
    bool utf8, struct error *error_r)
{
	const struct offers *o = &s->offers;

	if (o->size_limit > 0 && facts->size > o->size_limit)
		return error_set(error_r, FAULT_LIMIT,
		    "the message has %llu bytes, the mail server takes %llu",
		    (unsigned long long)facts->size,
		    (unsigned long long)o->size_limit);
	if (facts->has_nul)
		return error_set(
		    error_r, FAULT_CONFIG, "the message contains a NUL byte");
	if (facts->has_8bit && !o->eightbit)
		return error_set(error_r, FAULT_CONFIG,
		    "the message has 8-bit text and the mail server no "
		    "8BITMIME");
	if (utf8 && !o->utf8)
		return error_set(error_r, FAULT_CONFIG,
		    "the message needs SMTPUTF8, which the mail server lacks");
	return true;
}

static void
take_message(struct smtp_session *s, const struct smtp_message *message,
    const struct canonical_facts *facts, bool utf8)
{
	struct outgoing *m = &s->message;

	s->has_message = true;
	m->from = xstrdup(message->from);
	strv_copy(&m->recipients, message->recipients);
	m->len = message->bytes.len;
	m->bytes = xstrdup_span(message->bytes);
	m->facts = *facts;
	m->utf8 = utf8;
	canonical_init(&m->text, true);
}

static void
say_mail(struct smtp_session *s)
{
	const struct outgoing *m = &s->message;
	char size[32] = "";

	if (s->offers.size)
		snprintf(size, sizeof(size), " SIZE=%llu",
		    (unsigned long long)m->facts.size);
	command(s, "MAIL FROM:<%s>%s%s%s", m->from, size,
	    m->facts.has_8bit ? " BODY=8BITMIME" : "",
	    m->utf8 ? " SMTPUTF8" : "");
}

bool
smtp_session_send(struct smtp_session *s, const struct smtp_message *message,
    usec_t now, struct error *error_r)
{
	struct canonical_facts facts;
	bool is_ascii = true, utf8;

	if (s->state != STATE_READY)
		return error_set(error_r, FAULT_RETRY,
		    "the connection to the mail server is not ready");
	if (message->bytes.len > SMTP_MESSAGE_MAX)
		return error_set(error_r, FAULT_LIMIT,
		    "the message has more than %d bytes", SMTP_MESSAGE_MAX);
	if (!check_addresses(message, &is_ascii, error_r))
		return false;
	facts = canonical_measure(message->bytes);
	utf8 = message->utf8_header || !is_ascii;
	if (!check_text(s, &facts, utf8, error_r))
		return false;
	take_message(s, message, &facts, utf8);
	enter(s, STATE_MAIL, now);
	say_mail(s);
	if (s->offers.pipelining)
		for (; s->message.next < s->message.recipients.len;
		     s->message.next++)
			say_rcpt(s);
	s->message.next = 0;
	return true;
}

void
smtp_session_finish(struct smtp_session *s, usec_t now)
{
	if (s->state != STATE_COMMIT)
		return;
	enter(s, STATE_DOT, now);
	command(s, ".");
}

void
smtp_session_quit(struct smtp_session *s, usec_t now)
{
	if (s->state == STATE_READY) {
		enter(s, STATE_QUIT, now);
		command(s, "QUIT");
	} else if (s->state != STATE_QUIT) {
		fail(s, FAULT_RETRY, "the connection was given up", now);
	}
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
	s->secure = config->security == SMTP_SECURITY_TLS;
	smtp_parser_init(&s->parser);
	enter(s, STATE_GREETING, now);
	ask(s); /* connecting is the question, the greeting its answer */
	return s;
}

void
smtp_session_free(struct smtp_session **session)
{
	struct smtp_session *s = *session;

	if (s == NULL)
		return;
	enter(s, STATE_DEAD, 0);
	free(s->user);
	free(s->host);
	free(s->ehlo_name);
	free(s->events);
	free(s);
	*session = NULL;
}

static void
class_feed(void *engine, struct span bytes, usec_t now)
{
	smtp_session_feed(engine, bytes, now);
}

static void
class_eof(void *engine, usec_t now)
{
	smtp_session_eof(engine, now);
}

static struct span
class_output(const void *engine)
{
	return smtp_session_output(engine);
}

static void
class_sent(void *engine, size_t len)
{
	smtp_session_sent(engine, len);
}

static usec_t
class_deadline(const void *engine)
{
	return smtp_session_deadline(engine);
}

static void
class_tick(void *engine, usec_t now)
{
	smtp_session_tick(engine, now);
}

const struct engine_class smtp_session_class = {
    .name = "smtp",
    .feed = class_feed,
    .eof = class_eof,
    .output = class_output,
    .sent = class_sent,
    .deadline = class_deadline,
    .tick = class_tick,
};
