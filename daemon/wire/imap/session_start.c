/*
 * imap/session_start: from the greeting to READY, but for the login itself.
 *
 *   greeting     [CAPABILITY] [STARTTLS, TLS, CAPABILITY]
 *   [SECRET]     AUTHENTICATE or LOGIN (session_login.c)
 *   [CAPABILITY] [ID] [ENABLE] READY
 *
 *   greeting     = "*" SP ("OK" / "PREAUTH" / "BYE") SP resp-text CRLF
 *                                                       (RFC 9051 section 9)
 *
 * Before TLS three things are legal: the greeting, CAPABILITY, and the tagged
 * answers; all else is the work of someone between us and the server.
 */
#include <assert.h>

#include "daemon/wire/imap/session_private.h"

/* ---- Greeting, CAPABILITY, STARTTLS ---- */

static unsigned
send_plain(struct imap_session *s, const char *name)
{
	struct imap_command command;

	session_command_init(s, &command, name);
	return session_send(s, ROLE_SESSION, &command);
}

void
session_ask_capability(struct imap_session *s, usec_t now)
{
	s->capabilities = 0;
	s->capabilities_known = false;
	(void)send_plain(s, "CAPABILITY");
	session_enter(s, STATE_CAPABILITY, now);
}

static bool
needs_tls(const struct imap_session *s)
{
	return s->config.security == IMAP_SECURITY_STARTTLS && !s->tls;
}

/* The capabilities before the login are known. */
static void
on_offer(struct imap_session *s, usec_t now)
{
	if (needs_tls(s)) {
		if ((s->capabilities & IMAP_CAP_STARTTLS) == 0) {
			session_fail(
			    s, FAULT_PEER, "the server offers no STARTTLS");
			return;
		}
		(void)send_plain(s, "STARTTLS");
		session_enter(s, STATE_STARTTLS, now);
		return;
	}
	if ((s->capabilities & (IMAP_CAP_IMAP4REV1 | IMAP_CAP_IMAP4REV2)) ==
	    0) {
		session_fail(
		    s, FAULT_PEER, "the server does not offer IMAP4rev1");
		return;
	}
	session_choose_way(s, now);
}

/* RFC 9051 section 7.1.4: after PREAUTH there is no STARTTLS. */
static void
fail_preauth(struct imap_session *s)
{
	session_fail(s, FAULT_PEER, "the server skips the login (PREAUTH)%s",
	    needs_tls(s) ? ", and with it TLS" : "");
}

void
session_on_greeting(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (response->kind != IMAP_UNTAGGED ||
	    (response->status != IMAP_OK && response->status != IMAP_PREAUTH)) {
		session_fail(s, FAULT_PEER, "this is no IMAP greeting");
		return;
	}
	if (response->status == IMAP_PREAUTH) {
		if (needs_tls(s) || !s->config.allow_preauth)
			fail_preauth(s);
		else
			session_after_login(s, now);
		return;
	}
	s->alert_greeting = span_is_nocase(response->code, "ALERT");
	if (s->capabilities_known)
		on_offer(s, now);
	else
		session_ask_capability(s, now);
}

/* In clear only CAPABILITY and the tagged reply are legal. */
static bool
check_clear(struct imap_session *s, const struct imap_response *response)
{
	if (session_is_private(s) || response->kind == IMAP_TAGGED ||
	    (response->kind == IMAP_UNTAGGED &&
		span_is_nocase(response->name, "CAPABILITY")))
		return true;
	session_fail(s, FAULT_PEER,
	    "the server sent something else than TLS needs, before TLS");
	return false;
}

void
session_on_capability(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (!check_clear(s, response))
		return;
	if (response->status == IMAP_PREAUTH) {
		/* Courier: "* OK [ALERT] ...", and then the greeting. */
		if (s->alert_greeting && s->config.allow_preauth)
			s->preauth = true;
		else
			fail_preauth(s);
		return;
	}
	if (response->kind != IMAP_TAGGED)
		return;
	if (s->preauth)
		session_after_login(s, now);
	else
		on_offer(s, now);
}

void
session_on_starttls(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (!check_clear(s, response) || response->kind != IMAP_TAGGED)
		return;
	if (response->status != IMAP_OK) {
		session_fail(s, FAULT_PEER, "the server refused STARTTLS");
		return;
	}
	if (imap_lexer_has_rest(s->lexer)) {
		session_fail(
		    s, FAULT_PEER, "the server sent data before encryption");
		return;
	}
	(void)session_push(s, IMAP_EVENT_STARTTLS);
	session_enter(s, STATE_TLS, now);
}

/* ---- After the login ---- */

static void
become_ready(struct imap_session *s, usec_t now)
{
	(void)session_push(s, IMAP_EVENT_READY);
	session_enter(s, STATE_READY, now);
}

/* ENABLE (RFC 5161): only what is used here. QRESYNC is CONDSTORE, too. */
static void
enable(struct imap_session *s, usec_t now)
{
	const uint32_t needed = IMAP_CAP_ENABLE | IMAP_CAP_CONDSTORE;

	if (!s->config.enable_condstore ||
	    (s->capabilities & needed) != needed) {
		become_ready(s, now);
		return;
	}
	s->asked = s->capabilities & (IMAP_CAP_CONDSTORE | IMAP_CAP_QRESYNC);
	(void)send_plain(s, s->asked & IMAP_CAP_QRESYNC ? "ENABLE QRESYNC"
							: "ENABLE CONDSTORE");
	session_enter(s, STATE_ENABLE, now);
}

/*
 * ID (RFC 2971 section 3.1): a list always, as some servers choke on NIL.
 * NetEase opens no mailbox without one.
 */
static void
identify(struct imap_session *s, usec_t now)
{
	struct imap_command command;

	if (s->config.client_version == NULL || s->config.no_id ||
	    ((s->capabilities & IMAP_CAP_ID) == 0 &&
		!s->config.id_before_select)) {
		enable(s, now);
		return;
	}
	session_command_init(s, &command, "ID");
	imap_command_raw(&command, "(\"name\" \"Belfry\" \"version\"");
	imap_command_string(&command, span_from_str(s->config.client_version));
	imap_command_raw(&command, ")");
	assert(!command.invalid && command.cut_count == 0);
	(void)session_send(s, ROLE_SESSION, &command);
	session_enter(s, STATE_ID, now);
}

void
session_after_login(struct imap_session *s, usec_t now)
{
	secret_wipe(&s->secret);
	sasl_scram_free(&s->scram);
	if (s->capabilities_known) {
		identify(s, now);
		return;
	}
	(void)send_plain(s, "CAPABILITY");
	session_enter(s, STATE_POST_CAPABILITY, now);
}

void
session_on_post_capability(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (response->kind == IMAP_TAGGED)
		identify(s, now);
}

void
session_on_id(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (response->kind == IMAP_TAGGED)
		enable(s, now);
}

/*
 *   enable-data = "ENABLED" *(SP capability)         (RFC 5161 section 4)
 *
 * iCloud says OK and no ENABLED; others say NO: both go on.
 */
void
session_on_enable(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (response->kind == IMAP_UNTAGGED &&
	    span_is_nocase(response->name, "ENABLED"))
		s->asked &=
		    imap_capability_parse(response->values, response->count);
	if (response->kind != IMAP_TAGGED)
		return;
	if (response->status == IMAP_OK)
		s->enabled = s->asked;
	become_ready(s, now);
}
