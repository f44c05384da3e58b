/*
 * imap/session_login: AUTHENTICATE and LOGIN.
 *
 *   authenticate = "AUTHENTICATE" SP auth-type [SP (base64 / "=")]
 *                  *(CRLF base64)                       (RFC 9051 section 9)
 *   login        = "LOGIN" SP userid SP password
 *   continue-req = "+" SP (resp-text / base64) CRLF
 *
 * The only file that sees a secret. Each function here that writes one
 * asserts that the connection is private.
 */
#include <assert.h>

#include "daemon/base/base64.h"
#include "daemon/wire/imap/session_private.h"
#include "daemon/wire/sasl/sasl.h"

/* Longest initial response on a command's line: room for the rest of it. */
#define INITIAL_MAX (IMAP_COMMAND_LINE_MAX - 64)

/* One way to log in, in order of preference. */
struct session_login_way {
	enum imap_auth auth;
	enum sasl_mechanism mechanism; /* SASL_NONE: the LOGIN command */
	uint64_t needs;		       /* capabilities */
	uint64_t forbids;
};

static const struct session_login_way ways[] = {
    {IMAP_AUTH_OAUTH2, SASL_OAUTHBEARER, IMAP_CAP_AUTH_OAUTHBEARER, 0},
    {IMAP_AUTH_OAUTH2, SASL_XOAUTH2, IMAP_CAP_AUTH_XOAUTH2, 0},
    {IMAP_AUTH_PASSWORD, SASL_SCRAM_SHA_256_PLUS,
	IMAP_CAP_AUTH_SCRAM_SHA_256_PLUS, 0},
    {IMAP_AUTH_PASSWORD, SASL_SCRAM_SHA_256, IMAP_CAP_AUTH_SCRAM_SHA_256, 0},
    {IMAP_AUTH_PASSWORD, SASL_SCRAM_SHA_1_PLUS, IMAP_CAP_AUTH_SCRAM_SHA_1_PLUS,
	0},
    {IMAP_AUTH_PASSWORD, SASL_SCRAM_SHA_1, IMAP_CAP_AUTH_SCRAM_SHA_1, 0},
    {IMAP_AUTH_PASSWORD, SASL_PLAIN, IMAP_CAP_AUTH_PLAIN, 0},
    {IMAP_AUTH_PASSWORD, SASL_NONE, 0, IMAP_CAP_LOGINDISABLED},
    {IMAP_AUTH_PASSWORD, SASL_LOGIN, IMAP_CAP_AUTH_LOGIN, 0},
    {IMAP_AUTH_EXTERNAL, SASL_EXTERNAL, IMAP_CAP_AUTH_EXTERNAL, 0},
};
#define WAY_COUNT (sizeof(ways) / sizeof(ways[0]))

static const char *const no_way_text[] = {
    [IMAP_AUTH_PASSWORD] = "the server accepts no password here",
    [IMAP_AUTH_OAUTH2] = "the server offers no OAuth2 login",
    [IMAP_AUTH_EXTERNAL] = "the server offers no login by certificate",
};

/* ---- Secrets: the only functions that write one ---- */

static void
write_secret_line(struct imap_session *s, struct span bytes)
{
	struct buf line = BUF_INIT;

	assert(session_is_private(s));
	base64_encode(&line, bytes);
	buf_add_str(&line, "\r\n");
	session_write(s, buf_span(&line));
	buf_wipe(&line);
}

static struct sasl_params
sasl_params(const struct imap_session *s)
{
	return (struct sasl_params){.user = span_from_str(s->config.user),
	    .secret = secret_span(&s->secret),
	    .host = span_from_str(s->config.host),
	    .port = s->config.port,
	    .scram = s->scram};
}

/* The initial response in base64, for the command's line. False: there is
 * none, or it is too long for a line; then it goes out after the "+". */
static bool
format_initial(const struct imap_session *s, struct buf *text)
{
	struct sasl_params params = sasl_params(s);
	struct buf initial = BUF_INIT;
	bool has = sasl_start(s->way->mechanism, &params, &initial);

	if (has)
		base64_encode(text, buf_span(&initial));
	if (has && text->len == 0)
		buf_add_char(text, '=');
	buf_wipe(&initial);
	return has && text->len <= INITIAL_MAX;
}

/* With the initial response when the server takes one (RFC 4959). */
static void
send_authenticate(struct imap_session *s, usec_t now)
{
	struct imap_command command;
	struct buf initial = BUF_INIT;

	assert(session_is_private(s));
	session_command_init(s, &command, "AUTHENTICATE");
	imap_command_raw(&command, sasl_name(s->way->mechanism));
	command.secret = true;
	if ((s->capabilities & IMAP_CAP_SASL_IR) != 0 &&
	    format_initial(s, &initial)) {
		imap_command_raw(&command, buf_str(&initial));
		s->started = true;
	}
	buf_wipe(&initial);
	(void)session_send(s, ROLE_SESSION, &command);
	session_enter(s, STATE_AUTHENTICATE, now);
}

static void
send_login(struct imap_session *s, usec_t now)
{
	struct imap_command command;

	assert(session_is_private(s));
	session_command_init(s, &command, "LOGIN");
	command.secret = true;
	imap_command_string(&command, span_from_str(s->config.user));
	imap_command_string(&command, secret_span(&s->secret));
	if (command.invalid) {
		imap_command_done(&command);
		session_fail(s, FAULT_AUTH,
		    "the user name or password is too long for LOGIN");
		return;
	}
	s->started = true;
	(void)session_send(s, ROLE_SESSION, &command);
	session_enter(s, STATE_LOGIN, now);
}

static bool
contains_base64(struct span text, struct span bytes)
{
	struct buf encoded = BUF_INIT;
	bool contains;

	base64_encode(&encoded, bytes);
	contains = encoded.len > 0 &&
		   span_find_span(text, buf_span(&encoded), 0) != SIZE_MAX;
	buf_wipe(&encoded);
	return contains;
}

bool
session_text_leaks(const struct imap_session *s, struct span text)
{
	struct sasl_params params = sasl_params(s);
	struct buf initial = BUF_INIT;
	bool leaks;

	if (s->secret.len == 0)
		return false;
	leaks = span_find_span(text, params.secret, 0) != SIZE_MAX ||
		contains_base64(text, params.secret);
	if (!leaks && s->way != NULL && s->way->mechanism != SASL_NONE &&
	    sasl_start(s->way->mechanism, &params, &initial))
		leaks = contains_base64(text, buf_span(&initial));
	buf_wipe(&initial);
	return leaks;
}

/* ---- Login ---- */

static bool
is_scram(const struct session_login_way *way)
{
	return way->mechanism != SASL_NONE && !sasl_can(way->mechanism, NULL);
}

/* As far as is known without the secret. */
static bool
is_offered(const struct imap_session *s, size_t index)
{
	const struct session_login_way *way = &ways[index];

	return way->auth == s->config.auth &&
	       !(is_scram(way) ? s->config.no_scram : s->config.only_scram) &&
	       (s->capabilities & way->needs) == way->needs &&
	       (s->capabilities & way->forbids) == 0 &&
	       (s->ways_tried & (1u << index)) == 0 &&
	       !(s->config.xoauth2_only && way->mechanism == SASL_OAUTHBEARER);
}

static bool
is_possible(const struct imap_session *s, size_t index)
{
	const struct session_login_way *way = &ways[index];

	return is_offered(s, index) && !(is_scram(way) && s->scram_refused) &&
	       (way->mechanism == SASL_NONE ||
		   sasl_can(way->mechanism, s->scram));
}

static const struct session_login_way *
next_way(const struct imap_session *s)
{
	const struct session_login_way *first = NULL;

	for (size_t i = 0; i < WAY_COUNT; i++) {
		if (!is_possible(s, i))
			continue;
		if (s->config.prefer_login && ways[i].mechanism == SASL_NONE)
			return &ways[i];
		if (first == NULL)
			first = &ways[i];
	}
	return first;
}

static void
start_login(struct imap_session *s, usec_t now)
{
	s->ways_tried |= 1u << (s->way - ways);
	s->started = false;
	s->challenges = 0;
	s->steps = 0;
	/* What comes before the tagged OK is news (Gmail). */
	s->capabilities_known = false;
	if (s->way->mechanism == SASL_NONE)
		send_login(s, now);
	else
		send_authenticate(s, now);
}

static bool
has_way(const struct imap_session *s)
{
	for (size_t i = 0; i < WAY_COUNT; i++)
		if (is_offered(s, i))
			return true;
	return false;
}

static void
choose_way(struct imap_session *s, usec_t now)
{
	s->way = next_way(s);
	if (s->way == NULL)
		session_fail(s, FAULT_AUTH, "%s",
		    s->config.only_scram ? SASL_ONLY_SCRAM
					 : no_way_text[s->config.auth]);
	else
		start_login(s, now);
}

void
session_choose_way(struct imap_session *s, usec_t now)
{
	if (s->config.auth == IMAP_AUTH_EXTERNAL || !has_way(s)) {
		choose_way(s, now);
		return;
	}
	(void)session_push(s, IMAP_EVENT_SECRET);
	session_enter(s, STATE_SECRET, now);
}

bool
session_is_bound(const struct imap_session *s)
{
	return s->way != NULL && sasl_is_bound(s->way->mechanism);
}

void
imap_session_once(struct imap_session *s, const struct sasl_once *once)
{
	if (s->state == STATE_DEAD)
		return;
	sasl_scram_free(&s->scram);
	s->scram = sasl_scram_new(once);
}

bool
imap_session_is_scram_useless(const struct imap_session *s)
{
	return s->scram_refused;
}

void
session_on_secret(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	/* Nothing is asked, so nothing is answered. BYE was seen to. */
	(void)s;
	(void)response;
	(void)now;
}

/* token68 and the like (RFC 6750 section 2.1): visible characters. ^A in a
 * token would add fields of its own. */
static const char *
secret_flaw(enum imap_auth auth, struct span secret)
{
	if (secret.len == 0)
		return "is empty";
	if (secret.len > SECRET_MAX)
		return "is too long";
	for (size_t i = 0; i < secret.len; i++) {
		unsigned char c = (unsigned char)secret.data[i];

		if (c == '\0' ||
		    (auth == IMAP_AUTH_OAUTH2 && (c <= ' ' || c >= 0x7f)))
			return "has characters that cannot be sent";
	}
	return NULL;
}

void
imap_session_secret(struct imap_session *s, struct span secret, usec_t now)
{
	const char *flaw;

	if (s->state == STATE_DEAD)
		return;
	assert(s->state == STATE_SECRET);
	flaw = secret_flaw(s->config.auth, secret);
	if (flaw != NULL) {
		session_fail(s, FAULT_AUTH, "the %s %s",
		    s->config.auth == IMAP_AUTH_OAUTH2 ? "token" : "password",
		    flaw);
		return;
	}
	secret_set(&s->secret, secret);
	choose_way(s, now);
}

static void
cancel(struct imap_session *s, const char *reason)
{
	s->cancelled = reason;
	session_write(s, SPAN("*\r\n"));
}

/* Of a mechanism that began without its initial response. False: it has
 * none, the first "+" is a challenge already. */
static bool
answer_first(struct imap_session *s)
{
	struct sasl_params params = sasl_params(s);
	struct buf initial = BUF_INIT;
	bool has;

	if (s->started)
		return false;
	s->started = true;
	has = sasl_start(s->way->mechanism, &params, &initial);
	if (has)
		write_secret_line(s, buf_span(&initial));
	buf_wipe(&initial);
	return has;
}

static void
note_oauth_error(struct imap_session *s, struct span challenge)
{
	struct span status = SPAN("none");

	if (s->config.auth != IMAP_AUTH_OAUTH2)
		return;
	(void)sasl_oauth_error(challenge, &status);
	if (session_text_leaks(s, status))
		status = SPAN("none");
	status = span_slice(status, 0, sizeof(s->oauth_status) - 1);
	memcpy(s->oauth_status, status.data, status.len);
	s->oauth_status[status.len] = '\0';
}

static const char *
flaw_of(const struct imap_session *s)
{
	const char *flaw = sasl_scram_flaw(s->scram);

	return flaw != NULL ? flaw
			    : "the server asked for more than the login has";
}

static void
answer_challenge(struct imap_session *s, struct span challenge)
{
	struct sasl_params params = sasl_params(s);
	struct buf answer = BUF_INIT;

	note_oauth_error(s, challenge);
	if (sasl_step(
		s->way->mechanism, &params, s->steps++, challenge, &answer))
		write_secret_line(s, buf_span(&answer));
	else
		cancel(s, flaw_of(s));
	buf_wipe(&answer);
}

static void
on_challenge(struct imap_session *s, struct span text)
{
	BUF_AUTO challenge = BUF_INIT;

	if (s->cancelled != NULL) {
		session_fail(s, FAULT_PEER, "%s", s->cancelled);
		return;
	}
	if (++s->challenges > IMAP_CHALLENGES_MAX)
		cancel(s, "the server asks and asks during the login");
	else if (answer_first(s))
		return;
	else if (!base64_decode(&challenge, span_trim(text)))
		cancel(s, "the server's login challenge is not base64");
	else if (challenge.len > SASL_CHALLENGE_MAX)
		cancel(s, "the server's login challenge is too long");
	else
		answer_challenge(s, buf_span(&challenge));
}

/* See the header. */
static bool
is_scram_refused(
    const struct imap_session *s, const struct imap_response *response)
{
	return is_scram(s->way) && !session_is_bound(s) &&
	       response->status == IMAP_NO &&
	       imap_refusal_read(response, true).fault == FAULT_AUTH;
}

/* A server that offers what it does not have says BAD; a refusal of the
 * credentials is NO, and must not be tried again by another way. */
static bool
is_unsupported(
    const struct imap_session *s, const struct imap_response *response)
{
	if (s->oauth_status[0] != '\0')
		return false;
	if (span_is_nocase(response->code, "CANNOT"))
		return true;
	return response->status == IMAP_BAD &&
	       imap_refusal_read(response, false).kind == IMAP_REFUSAL_CLIENT;
}

static bool
may_try_another(struct imap_session *s, const struct imap_response *response)
{
	if (is_scram_refused(s, response)) {
		s->scram_refused = true;
		return true;
	}
	return is_unsupported(s, response);
}

static bool
is_proven(const struct imap_session *s)
{
	return s->way->mechanism == SASL_NONE ||
	       sasl_is_proven(s->way->mechanism, s->scram);
}

static void
on_login_end(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (s->cancelled != NULL) {
		session_fail(s, FAULT_PEER, "%s", s->cancelled);
		return;
	}
	if (response->status == IMAP_OK && !s->started) {
		session_fail(s, FAULT_PEER,
		    "the server accepted a login that was not made yet");
		return;
	}
	if (response->status == IMAP_OK && !is_proven(s)) {
		session_fail(s, FAULT_PEER,
		    "the server accepted a login without proving that it "
		    "knows the password (SCRAM)");
		return;
	}
	if (response->status == IMAP_OK) {
		session_after_login(s, now);
		return;
	}
	if (session_is_bound(s) &&
	    sasl_scram_rebind(s->scram, response->text)) {
		start_login(s, now);
		return;
	}
	if (may_try_another(s, response)) {
		const struct session_login_way *way = next_way(s);

		if (way != NULL) {
			s->way = way;
			start_login(s, now);
			return;
		}
	}
	session_fail_login(s, response);
}

void
session_on_authenticate(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (response->kind == IMAP_CONTINUATION)
		on_challenge(s, response->text);
	else if (response->kind == IMAP_TAGGED)
		on_login_end(s, response, now);
}

void
session_on_login(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (response->kind == IMAP_CONTINUATION)
		(void)session_continue(s);
	else if (response->kind == IMAP_TAGGED)
		on_login_end(s, response, now);
}
