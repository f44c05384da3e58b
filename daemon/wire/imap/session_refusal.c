/*
 * imap/session_refusal: what a NO, a BAD or a BYE means.
 *
 * First the words for "too many", because some servers dress a connection
 * limit up as failed authentication; then the response code (RFC 5530); then
 * other words, in order: what passes, what is a matter of credentials, what
 * asks to come again.
 */
#include "daemon/base/str.h"
#include "daemon/wire/imap/session_private.h"

struct word_rule {
	const char *word;
	enum fault fault;
	bool login_only;
};

struct code_rule {
	const char *code;
	enum fault fault;
};

static const struct word_rule limit_words[] = {
    {"too many", FAULT_LIMIT, false},
    {"throttl", FAULT_LIMIT, false},
    {"rate limit", FAULT_LIMIT, false},
    {"connection limit", FAULT_LIMIT, false},
    {"connections limit", FAULT_LIMIT, false},
    {"maximum number of connections", FAULT_LIMIT, false},
    {"limit exceeded", FAULT_LIMIT, false},
    {"suggested backoff", FAULT_LIMIT, false},
    {NULL, FAULT_NONE, false},
};

static const struct code_rule code_rules[] = {
    {"AUTHENTICATIONFAILED", FAULT_AUTH},
    {"AUTHORIZATIONFAILED", FAULT_AUTH},
    {"EXPIRED", FAULT_AUTH},
    {"PRIVACYREQUIRED", FAULT_AUTH},
    {"CONTACTADMIN", FAULT_AUTH},
    {"WEBALERT", FAULT_AUTH},
    {"UNAVAILABLE", FAULT_RETRY},
    {"INUSE", FAULT_RETRY},
    {"EXPUNGEISSUED", FAULT_RETRY},
    {"LIMIT", FAULT_LIMIT},
    {"OVERQUOTA", FAULT_LIMIT},
    {"NOPERM", FAULT_CONFIG},
    {"NONEXISTENT", FAULT_CONFIG},
    {"TRYCREATE", FAULT_CONFIG},
    {"CANNOT", FAULT_PEER},
    {"SERVERBUG", FAULT_PEER},
    {"CLIENTBUG", FAULT_PEER},
    {"CORRUPTION", FAULT_PEER},
    {NULL, FAULT_NONE},
};

static const struct word_rule words[] = {
    {"not connected", FAULT_RETRY, false},
    {"temporar", FAULT_RETRY, false},
    {"unavailable", FAULT_RETRY, false},
    {"server busy", FAULT_RETRY, false},
    {"server error", FAULT_RETRY, false},
    {"internal error", FAULT_RETRY, false},
    {"in use", FAULT_RETRY, false},
    {"timed out", FAULT_RETRY, false},
    {"timeout", FAULT_RETRY, false},
    {"web browser", FAULT_AUTH, true},
    {"app password", FAULT_AUTH, true},
    {"application-specific", FAULT_AUTH, true},
    {"password", FAULT_AUTH, true},
    {"credential", FAULT_AUTH, true},
    {"invalid", FAULT_AUTH, true},
    {"incorrect", FAULT_AUTH, true},
    {"try again", FAULT_RETRY, false},
    {"later", FAULT_RETRY, false},
    {NULL, FAULT_NONE, false},
};

static enum fault
fault_by_word(const struct word_rule *rule, struct span text, bool at_login)
{
	for (; rule->word != NULL; rule++) {
		if ((at_login || !rule->login_only) &&
		    span_contains_nocase(text, span_from_str(rule->word)))
			return rule->fault;
	}
	return FAULT_NONE;
}

static enum fault
fault_by_code(struct span code)
{
	for (const struct code_rule *r = code_rules; r->code != NULL; r++) {
		if (span_is_nocase(code, r->code))
			return r->fault;
	}
	return FAULT_NONE;
}

enum fault
imap_fault_of(const struct imap_response *response, bool at_login)
{
	enum fault fault = fault_by_word(limit_words, response->text, at_login);

	if (fault == FAULT_NONE)
		fault = fault_by_code(response->code);
	if (fault == FAULT_NONE)
		fault = fault_by_word(words, response->text, at_login);
	if (fault != FAULT_NONE)
		return fault;
	if (response->status == IMAP_BYE)
		return FAULT_RETRY;
	if (at_login)
		return FAULT_AUTH;
	return response->status == IMAP_BAD ? FAULT_PEER : FAULT_RETRY;
}

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

void
session_fail_bye(struct imap_session *s, const struct imap_response *response)
{
	BUF_AUTO text = BUF_INIT;

	add_text(&text, s, response->text);
	session_fail(s, imap_fault_of(response, is_before_ready(s)),
	    "the server ended the connection (BYE)%s", buf_str(&text));
}

void
session_fail_login(struct imap_session *s, const struct imap_response *response)
{
	BUF_AUTO text = BUF_INIT;

	add_text(&text, s, response->text);
	/* Exchange: the password was right, but the account has no mailbox
	 * here, or its owner switched IMAP off, or it is being moved. */
	if (span_contains_nocase(
		response->text, SPAN("authenticated but not connected"))) {
		session_fail(s, FAULT_RETRY,
		    "the login was accepted but the mailbox could not be "
		    "opened (is IMAP allowed for it, is it the right "
		    "account?)%s",
		    buf_str(&text));
		return;
	}
	if (s->oauth_status[0] != '\0') {
		session_fail(s, imap_fault_of(response, true),
		    "the server refused the token (status %s)%s",
		    s->oauth_status, buf_str(&text));
		return;
	}
	session_fail(s, imap_fault_of(response, true),
	    "the server refused the login%s", buf_str(&text));
}
