/*
 * smtp/session: from the greeting to READY.
 */
#include "daemon/wire/smtp/session_private.h"

#include <assert.h>
#include <stdio.h>

#include "daemon/base/base64.h"
#include "daemon/wire/sasl/sasl.h"

/* ---- login -------------------------------------------------------- */

/* The one function through which credentials leave. */
static void
secret_command(struct smtp_session *s, struct buf *line)
{
	assert(s->secure || s->security == SMTP_SECURITY_NONE);
	buf_add_str(line, "\r\n");
	smtp_put(s, buf_span(line));
	s->out_is_secret = true;
	smtp_ask(s);
	buf_wipe(line);
}

static bool
is_scram(enum sasl_mechanism mechanism)
{
	return !sasl_can(mechanism, NULL);
}

/* The best of the mechanisms that the server offers and `may` allows. */
static enum sasl_mechanism
best_mechanism(const struct smtp_session *s,
    bool (*may)(const struct smtp_session *s, enum sasl_mechanism mechanism))
{
	static const enum sasl_mechanism wanted[][7] = {
	    [SMTP_AUTH_PASSWORD] = {SASL_SCRAM_SHA_256_PLUS, SASL_SCRAM_SHA_256,
		SASL_SCRAM_SHA_1_PLUS, SASL_SCRAM_SHA_1, SASL_PLAIN, SASL_LOGIN,
		SASL_NONE},
	    [SMTP_AUTH_OAUTH2] = {SASL_OAUTHBEARER, SASL_XOAUTH2, SASL_NONE},
	    [SMTP_AUTH_EXTERNAL] = {SASL_EXTERNAL, SASL_NONE},
	};
	const enum sasl_mechanism *pos = wanted[s->auth];

	while (*pos != SASL_NONE &&
	       ((s->offers.mechanisms & 1u << *pos) == 0 || !may(s, *pos)))
		pos++;
	return *pos;
}

/* Before there is a secret. */
static bool
may_be_used(const struct smtp_session *s, enum sasl_mechanism mechanism)
{
	return !(is_scram(mechanism) ? s->no_scram : s->only_scram);
}

static bool
can_be_used(const struct smtp_session *s, enum sasl_mechanism mechanism)
{
	return may_be_used(s, mechanism) &&
	       !(s->scram_refused && is_scram(mechanism)) &&
	       sasl_can(mechanism, s->scram);
}

static void
become_ready(struct smtp_session *s, usec_t now)
{
	secret_wipe(&s->secret);
	sasl_scram_free(&s->scram);
	smtp_enter(s, STATE_READY, now);
	smtp_add_event(s, SMTP_EVENT_READY);
}

static void
fail_without_way(struct smtp_session *s, usec_t now)
{
	static const char *const texts[] = {
	    [SMTP_AUTH_PASSWORD] = "the mail server takes no password",
	    [SMTP_AUTH_OAUTH2] = "the mail server takes no OAuth2 token",
	    [SMTP_AUTH_EXTERNAL] =
		"the mail server offers no login by certificate",
	};

	smtp_fail(s, FAULT_AUTH,
	    s->only_scram ? SASL_ONLY_SCRAM : texts[s->auth], now);
}

static void
want_login(struct smtp_session *s, usec_t now)
{
	if (s->auth == SMTP_AUTH_NONE) {
		become_ready(s, now);
	} else if (!s->offers.auth) {
		smtp_fail(
		    s, FAULT_PEER, "the mail server offers no login", now);
	} else if (best_mechanism(s, may_be_used) == SASL_NONE) {
		fail_without_way(s, now);
	} else {
		smtp_enter(s, STATE_SECRET, now);
		smtp_add_event(s, SMTP_EVENT_SECRET);
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
	    .scram = s->scram,
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

static void
start_login(struct smtp_session *s, usec_t now)
{
	s->mechanism = best_mechanism(s, can_be_used);
	if (s->mechanism == SASL_NONE) {
		fail_without_way(s, now);
		return;
	}
	s->challenges = 0;
	s->oauth_status[0] = '\0';
	smtp_enter(s, STATE_AUTH, now);
	say_auth(s);
}

void
smtp_session_once(struct smtp_session *s, const struct sasl_once *once)
{
	if (s->state != STATE_SECRET)
		return;
	sasl_scram_free(&s->scram);
	s->scram = sasl_scram_new(once);
}

bool
smtp_session_is_scram_useless(const struct smtp_session *s)
{
	return s->scram_refused;
}

void
smtp_session_secret(struct smtp_session *s, struct span secret, usec_t now)
{
	if (s->state != STATE_SECRET)
		return;
	if (secret.len > SECRET_MAX) {
		smtp_fail(s, FAULT_LIMIT, "the secret is too long", now);
		return;
	}
	secret_set(&s->secret, secret);
	start_login(s, now);
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
			smtp_copy_text(
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
		smtp_fail(
		    s, FAULT_PEER, "login: a challenge that is no base64", now);
	else if (s->challenges >= SMTP_CHALLENGES_MAX)
		smtp_fail(s, FAULT_PEER, "login: challenges without end", now);
	else {
		answer_challenge(s, buf_span(&challenge));
		smtp_enter(s, STATE_AUTH, now);
	}
}

/* LOGIN has said all after its second answer, SCRAM when the server has proven
 * itself, the others after the first. */
static bool
login_is_complete(const struct smtp_session *s)
{
	return !s->initial_pending &&
	       (s->mechanism != SASL_LOGIN || s->challenges >= 2) &&
	       sasl_is_proven(s->mechanism, s->scram);
}

/* RFC 4954 section 4: 504 is of the mechanism, which was offered and is not
 * there: the credentials were not looked at. True: another one is tried. */
static bool
try_another(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code != 504 || sasl_is_bound(s->mechanism))
		return false;
	s->offers.mechanisms &= ~(1u << s->mechanism);
	if (best_mechanism(s, can_be_used) == SASL_NONE)
		return false;
	start_login(s, now);
	return true;
}

static void
on_login_refused(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	enum fault fault = smtp_reply_class(reply) == SMTP_REFUSED
			       ? FAULT_AUTH
			       : smtp_reply_fault(reply);
	char what[192];

	if (sasl_scram_flaw(s->scram) != NULL) {
		smtp_fail(s, FAULT_PEER, sasl_scram_flaw(s->scram), now);
		return;
	}
	if (reply->code >= 500 && sasl_is_bound(s->mechanism) &&
	    sasl_scram_rebind(s->scram, reply->text)) {
		start_login(s, now);
		return;
	}
	if (try_another(s, reply, now))
		return;
	if (reply->code == 504)
		fault = FAULT_PEER;
	if (fault == FAULT_AUTH && is_scram(s->mechanism) &&
	    !sasl_is_bound(s->mechanism)) {
		s->scram_refused = true;
		if (best_mechanism(s, can_be_used) != SASL_NONE) {
			start_login(s, now);
			return;
		}
	}
	snprintf(what, sizeof(what), "%s%s%s",
	    fault == FAULT_AUTH && sasl_is_bound(s->mechanism) ? SASL_BOUND
							       : "login",
	    s->oauth_status[0] != '\0' ? ": token status " : "",
	    s->oauth_status);
	smtp_fail_reply(s, fault, reply, what, now);
}

/* ---- replies ------------------------------------------------------ */

/* Nobody has logged in yet, so it is not about that: "454 4.7.0" is of TLS to
 * STARTTLS (RFC 3207 section 4), and of a login only to AUTH. */
static void
on_early_refusal(struct smtp_session *s, const struct smtp_reply *reply,
    const char *step, usec_t now)
{
	enum fault fault = smtp_reply_fault(reply);

	if (fault == FAULT_AUTH)
		fault = reply->code < 500 ? FAULT_RETRY : FAULT_PEER;
	smtp_fail_reply(s, fault, reply, step, now);
}

static void
say_ehlo(struct smtp_session *s, usec_t now)
{
	smtp_enter(s, STATE_EHLO, now);
	smtp_command(s, "EHLO %s", s->ehlo_name);
}

void
smtp_on_greeting(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code != 220)
		on_early_refusal(s, reply, "greeting", now);
	else
		say_ehlo(s, now);
}

void
smtp_on_ehlo(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code != 250) {
		on_early_refusal(s, reply, "EHLO", now);
		return;
	}
	offers_parse(&s->offers, reply->text);
	if (smtp_is_trusted(s)) {
		want_login(s, now);
	} else if (!s->offers.starttls) {
		smtp_fail(
		    s, FAULT_PEER, "the mail server offers no STARTTLS", now);
	} else {
		smtp_enter(s, STATE_STARTTLS, now);
		smtp_command(s, "STARTTLS");
	}
}

void
smtp_on_starttls(
    struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code != 220) {
		on_early_refusal(s, reply, "STARTTLS", now);
	} else if (smtp_parser_has_rest(&s->parser)) {
		smtp_fail(s, FAULT_PEER, "data before encryption", now);
	} else {
		smtp_enter(s, STATE_HANDSHAKE, now);
		smtp_add_event(s, SMTP_EVENT_STARTTLS);
	}
}

void
smtp_on_auth(struct smtp_session *s, const struct smtp_reply *reply, usec_t now)
{
	if (reply->code == 334)
		on_challenge(s, reply, now);
	else if (reply->code == 235 && login_is_complete(s))
		become_ready(s, now);
	else if (reply->code < 400)
		smtp_unexpected(s, reply, "login", now);
	else
		on_login_refused(s, reply, now);
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
