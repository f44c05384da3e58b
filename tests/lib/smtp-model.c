#include "tests/lib/smtp-model.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/base/str.h"

#define ROUNDS_MAX 200000

static char *const recipients[] = {(char *)(uintptr_t) "to@example.net", NULL};
const struct strv smtp_drive_recipient = {(char **)(uintptr_t)recipients, 1, 1};

/* ---- the server --------------------------------------------------- */

void
smtp_model_init(struct smtp_model *m, const char *offers)
{
	*m = (struct smtp_model){.offers = offers, .nth = 1};
}

void
smtp_model_done(struct smtp_model *m)
{
	buf_done(&m->in);
	buf_done(&m->out);
	buf_done(&m->commands);
	buf_done(&m->raw);
	buf_done(&m->message);
}

/* True: the step's own reply was replaced. */
static bool
replaced(struct smtp_model *m, struct span step)
{
	if (m->step == NULL || !span_starts(step, m->step) ||
	    ++m->seen != m->nth)
		return false;
	buf_add_str(&m->out, m->reply);
	m->closed = m->hangs_up;
	return true;
}

static void
say_offers(struct smtp_model *m)
{
	struct span rest = span_from_str(
	    m->tls && m->tls_offers != NULL ? m->tls_offers : m->offers);
	struct span line;

	buf_add_str(&m->out, "250-mail.example.net hello\r\n");
	while (span_split(&rest, '|', &line))
		buf_addf(&m->out, "250-%.*s\r\n", SPAN_FMT(line));
	buf_add_str(&m->out, "250 HELP\r\n");
}

static void
on_auth(struct smtp_model *m, struct span line)
{
	if (span_is(line, "AUTH LOGIN")) {
		buf_add_str(&m->out, "334 VXNlcm5hbWU6\r\n");
		m->in_auth = true;
	} else if (span_find(span_skip(line, 5), ' ') == SIZE_MAX) {
		buf_add_str(&m->out, "334 \r\n");
		m->in_auth = true;
	} else {
		buf_add_str(&m->out, "235 2.7.0 welcome\r\n");
	}
}

/* LOGIN's second line, or the one line of the others. */
static void
on_auth_line(struct smtp_model *m, struct span line)
{
	if (replaced(m, SPAN("auth-line")))
		return;
	if (span_is(line, "dXNlcg==")) { /* user */
		buf_add_str(&m->out, "334 UGFzc3dvcmQ6\r\n");
		return;
	}
	m->in_auth = false;
	buf_add_str(&m->out, "235 2.7.0 welcome\r\n");
}

static const struct {
	const char *start, *reply;
} answers[] = {
    {"STARTTLS", "220 2.0.0 go\r\n"},
    {"MAIL", "250 2.1.0 ok\r\n"},
    {"RCPT", "250 2.1.5 ok\r\n"},
    {"DATA", "354 go ahead\r\n"},
    {"RSET", "250 2.0.0 reset\r\n"},
    {"QUIT", "221 2.0.0 bye\r\n"},
};

/* What the answer at `from` of the output makes of the transaction. */
static void
follow(struct smtp_model *m, struct span line, size_t from)
{
	struct span answer = span_skip(buf_span(&m->out), from);
	bool agreed = span_starts(answer, "25");

	if (span_starts(line, "MAIL ") || span_is(line, "RSET")) {
		m->has_sender = agreed && span_starts(line, "MAIL ");
		m->has_recipients = false;
	} else if (span_starts(line, "RCPT ")) {
		m->has_recipients = m->has_recipients || agreed;
	} else if (span_is(line, "DATA")) {
		m->in_text = span_starts(answer, "354");
		if (m->in_text)
			buf_clear(&m->raw);
	}
}

/* RFC 5321 section 4.1.4: MAIL, RCPT, DATA. */
static bool
is_out_of_order(struct smtp_model *m, struct span line)
{
	if (span_starts(line, "RCPT ") && !m->has_sender)
		buf_add_str(&m->out, "503 5.5.1 MAIL first\r\n");
	else if (span_is(line, "DATA") && !m->has_recipients)
		buf_add_str(&m->out, "554 5.5.1 no valid recipients\r\n");
	else
		return false;
	return true;
}

static void
on_command(struct smtp_model *m, struct span line)
{
	size_t from = m->out.len;

	buf_addf(&m->commands, "%.*s\n", SPAN_FMT(line));
	if (m->in_auth) {
		on_auth_line(m, line);
		return;
	}
	if (replaced(m, line)) {
		follow(m, line, from);
		return;
	}
	if (is_out_of_order(m, line))
		return;
	if (span_starts(line, "EHLO ")) {
		say_offers(m);
		return;
	}
	if (span_starts(line, "AUTH ")) {
		on_auth(m, line);
		return;
	}
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (span_starts(line, answers[i].start)) {
			buf_add_str(&m->out, answers[i].reply);
			follow(m, line, from);
			return;
		}
	buf_add_str(&m->out, "500 5.5.2 what\r\n");
}

/* Un-stuffs (RFC 5321 section 4.5.2). */
static void
take_message(struct smtp_model *m)
{
	struct span text = span_slice(buf_span(&m->raw), 0, m->raw.len - 3);
	bool at_start = true;

	buf_clear(&m->message);
	for (size_t i = 0; i < text.len; i++) {
		if (at_start && text.data[i] == '.')
			i++;
		buf_add_char(&m->message, text.data[i]);
		at_start = text.data[i] == '\n';
	}
	m->messages++;
}

/* The end is ".CRLF" at the start of a line; false: more is to come. */
static bool
take_text(struct smtp_model *m)
{
	struct span in = buf_span(&m->in);
	size_t end, from;

	if (in.len > 0 && replaced(m, SPAN("text")))
		m->in_text = false;
	if (span_starts(in, ".\r\n") && m->raw.len == 0) {
		buf_add_str(&m->raw, ".\r\n");
		buf_consume(&m->in, 3);
	} else {
		end = span_find_span(in, SPAN("\r\n.\r\n"), 0);
		if (end == SIZE_MAX)
			return false;
		buf_add_span(&m->raw, span_slice(in, 0, end + 5));
		buf_consume(&m->in, end + 5);
	}
	m->in_text = false;
	m->has_sender = false;
	if (!m->has_recipients) {
		buf_add_str(&m->out, "554 5.5.1 no valid recipients\r\n");
		return true;
	}
	m->has_recipients = false;
	from = m->out.len;
	if (!replaced(m, SPAN("dot")))
		buf_add_str(&m->out, "250 2.0.0 queued as 42\r\n");
	if (!span_starts(span_skip(buf_span(&m->out), from), "25"))
		return true;
	take_message(m);
	return true;
}

static bool
take_command(struct smtp_model *m)
{
	size_t end = span_find_span(buf_span(&m->in), SPAN("\r\n"), 0);

	if (end == SIZE_MAX)
		return false;
	on_command(m, span_slice(buf_span(&m->in), 0, end));
	buf_consume(&m->in, end + 2);
	return true;
}

void
smtp_model_greet(struct smtp_model *m)
{
	if (!replaced(m, SPAN("greeting")))
		buf_add_str(&m->out, "220 mail.example.net ESMTP\r\n");
}

void
smtp_model_feed(struct smtp_model *m, struct span bytes)
{
	buf_add_span(&m->in, bytes);
	while (!m->closed && (m->in_text ? take_text(m) : take_command(m)))
		;
}

/* ---- the driver --------------------------------------------------- */

static const char *const event_names[] = {
    [SMTP_EVENT_STARTTLS] = "STARTTLS",
    [SMTP_EVENT_SECRET] = "SECRET",
    [SMTP_EVENT_READY] = "READY",
    [SMTP_EVENT_RECIPIENT] = "RECIPIENT",
    [SMTP_EVENT_COMMIT] = "COMMIT",
    [SMTP_EVENT_RESULT] = "RESULT",
    [SMTP_EVENT_CLOSED] = "CLOSED",
    [SMTP_EVENT_FAILED] = "FAILED",
};

void
smtp_event_describe(const struct smtp_event *event, struct buf *out)
{
	buf_add_str(out, event_names[event->kind]);
	if (event->kind == SMTP_EVENT_RECIPIENT)
		buf_addf(out, " %u", event->recipient);
	if (event->kind == SMTP_EVENT_RECIPIENT ||
	    event->kind == SMTP_EVENT_RESULT)
		buf_addf(out, " %s %u%s%s", smtp_class_name(event->class),
		    event->code, event->slow ? " slow" : "",
		    event->code == 0 ? " no-code" : "");
	if (event->kind == SMTP_EVENT_FAILED)
		buf_addf(out, " %s %s: %s", fault_name(event->error.fault),
		    smtp_class_name(event->class), event->error.text);
	buf_add_char(out, '\n');
}

void
smtp_drive_init(struct smtp_drive *d)
{
	*d = (struct smtp_drive){
	    .config = {.security = SMTP_SECURITY_TLS,
		.auth = SMTP_AUTH_PASSWORD,
		.user = "user",
		.host = "mail.example.net",
		.port = 465,
		.ehlo_name = "client.example.org"},
	    .secret = "pass",
	    .message = {.from = "from@example.org",
		.recipients = &smtp_drive_recipient,
		.bytes = SPAN("Subject: x\r\n\r\nhello\r\n")},
	    .now = USEC_HOUR,
	};
}

void
smtp_drive_done(struct smtp_drive *d)
{
	buf_done(&d->trace);
}

static void
send_next(struct smtp_drive *d, struct smtp_session *s)
{
	struct error error = ERROR_INIT;

	if (!smtp_session_send(s, &d->message, d->now, &error)) {
		buf_addf(&d->trace, "REJECTED %s: %s\n",
		    fault_name(error.fault), error.text);
		smtp_session_quit(s, d->now);
	}
}

static void
on_event(struct smtp_drive *d, struct smtp_session *s, struct smtp_model *m,
    const struct smtp_event *event)
{
	smtp_event_describe(event, &d->trace);
	switch (event->kind) {
	case SMTP_EVENT_STARTTLS:
		/* What was still under way in clear comes first. */
		smtp_session_feed(s, buf_span(&m->out), d->now);
		buf_clear(&m->out);
		m->tls = true;
		smtp_session_tls_started(s, d->now);
		break;
	case SMTP_EVENT_SECRET:
		smtp_session_secret(s, span_from_str(d->secret), d->now);
		break;
	case SMTP_EVENT_READY:
		send_next(d, s);
		break;
	case SMTP_EVENT_COMMIT:
		d->finished = true;
		smtp_session_finish(s, d->now);
		break;
	case SMTP_EVENT_RESULT:
		if (d->repeat > 1) {
			d->repeat--;
			d->finished = false;
			send_next(d, s);
		} else {
			smtp_session_quit(s, d->now);
		}
		break;
	default:
		break;
	}
}

static void
pull(struct smtp_drive *d, struct smtp_session *s, struct smtp_model *m)
{
	struct smtp_event event;

	while (smtp_session_next_event(s, &event))
		on_event(d, s, m, &event);
}

static size_t
allowed(size_t len, size_t piece, size_t done, size_t cut)
{
	if (piece > 0 && len > piece)
		len = piece;
	if (cut > 0 && done + len > cut)
		len = cut - done;
	return len;
}

/* Server to client; false: nothing to do. */
static bool
move_in(struct smtp_drive *d, struct smtp_session *s, struct smtp_model *m)
{
	struct span out = buf_span(&m->out);
	size_t len = allowed(out.len, d->piece, d->bytes_in, d->cut_in);

	if (len > 0) {
		smtp_session_feed(s, span_slice(out, 0, len), d->now);
		buf_consume(&m->out, len);
		d->bytes_in += len;
	} else if (m->closed || (d->cut_in > 0 && d->bytes_in == d->cut_in)) {
		smtp_session_eof(s, d->now);
	} else {
		return false;
	}
	return true;
}

static bool
move_out(struct smtp_drive *d, struct smtp_session *s, struct smtp_model *m)
{
	struct span out = smtp_session_output(s);
	size_t len = allowed(out.len, d->piece, d->bytes_out, d->cut_out);

	if (out.len == 0 || m->closed)
		return false;
	if (len == 0) { /* the link is dead */
		smtp_session_eof(s, d->now);
		return true;
	}
	smtp_model_feed(m, span_slice(out, 0, len));
	smtp_session_sent(s, len);
	d->bytes_out += len;
	return true;
}

void
smtp_drive_run(struct smtp_drive *d, struct smtp_model *m)
{
	struct smtp_session *s = smtp_session_new(&d->config, d->now);
	unsigned rounds = 0;

	smtp_model_greet(m);
	do {
		assert(rounds++ < ROUNDS_MAX);
		while (move_out(d, s, m))
			pull(d, s, m);
		if (!move_in(d, s, m)) {
			if (smtp_session_deadline(s) == USEC_NEVER)
				break;
			if (d->now < smtp_session_deadline(s))
				d->now = smtp_session_deadline(s);
			smtp_session_tick(s, d->now);
		}
		pull(d, s, m);
	} while (strcmp(smtp_session_state_name(s), "dead") != 0);
	smtp_session_free(&s);
}
