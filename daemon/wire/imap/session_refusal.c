/*
 * imap/session_refusal: the end of a session by the server's will, in words.
 */
#include "daemon/base/str.h"
#include "daemon/wire/imap/session_private.h"

/* ": text" for the end of an error; nothing for what must not be shown. */
static void
add_text(struct buf *buf, const struct imap_session *s, struct span text)
{
	BUF_AUTO clean = BUF_INIT;

	/* In clear anybody could have written it. */
	if (!session_is_private(s) || span_trim(text).len == 0)
		return;
	str_sanitize(&clean, span_trim(text), SESSION_TEXT_MAX);
	if (session_text_leaks(s, text) ||
	    session_text_leaks(s, buf_span(&clean))) {
		buf_add_str(buf, ": (a text that repeats the secret)");
		return;
	}
	buf_add_str(buf, ": ");
	buf_add_span(buf, buf_span(&clean));
}

static bool
is_before_ready(const struct imap_session *s)
{
	return s->state < STATE_READY;
}

/* Behind session_fail: what the server said, for who waits. */
static void
note_refusal(struct imap_session *s, struct imap_refusal refusal, bool is_bye)
{
	struct imap_event *event = &s->events[s->event_count - 1];

	event->refusal = refusal;
	event->is_bye = is_bye;
}

void
session_fail_bye(struct imap_session *s, const struct imap_response *response)
{
	struct imap_refusal refusal =
	    imap_refusal_read(response, is_before_ready(s));
	BUF_AUTO text = BUF_INIT;

	add_text(&text, s, response->text);
	session_fail(s, refusal.fault,
	    "the server ended the connection (BYE)%s", buf_str(&text));
	note_refusal(s, refusal, true);
}

/* Exchange: the password was right, but the account has no mailbox here, or
 * its owner switched IMAP off, or it is being moved. */
#define NO_MAILBOX                                                             \
	"the login was accepted but the mailbox could not be opened "          \
	"(is IMAP allowed for it, is it the right account?)"

void
session_fail_login(struct imap_session *s, const struct imap_response *response)
{
	struct imap_refusal refusal = imap_refusal_read(response, true);
	BUF_AUTO text = BUF_INIT;

	add_text(&text, s, response->text);
	if (refusal.kind == IMAP_REFUSAL_ACCOUNT)
		session_fail(s, refusal.fault, NO_MAILBOX "%s", buf_str(&text));
	else if (s->oauth_status[0] != '\0')
		session_fail(s, refusal.fault,
		    "the server refused the token (status %s)%s",
		    s->oauth_status, buf_str(&text));
	else if (refusal.fault == FAULT_AUTH && session_is_bound(s))
		session_fail(s, refusal.fault,
		    "the server refused " SASL_BOUND "%s", buf_str(&text));
	else
		session_fail(s, refusal.fault, "the server refused the login%s",
		    buf_str(&text));
	note_refusal(s, refusal, false);
}
