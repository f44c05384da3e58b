/*
 * imap/session: the engine's calls, the table of states, responses.
 *
 * Invariants: session_enter alone assigns the state and the deadline; DEAD
 * holds no secret, no output and no command; while events wait to be pulled
 * nothing more is lexed, so that a borrowed response stays valid.
 */
#include "daemon/wire/imap/session.h"

#include <assert.h>
#include <stdarg.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/session_private.h"

static session_handler on_nothing;

/*
 * A state: when that is, what a response means in it, how long it may last, and
 * what to say when it lasted longer. `total` not 0: bytes from the server
 * start the time anew, up to `total` without progress. A state without `late`
 * text ends quietly (CLOSED).
 */
struct state_row {
	const char *when; /* in words, for a link that breaks */
	session_handler *on_response;
	usec_t usec, total;
	const char *late;
};

/* clang-format off */
static const struct state_row rows[] = {
	[STATE_GREETING] = {"before its greeting", session_on_greeting,
	    IMAP_GREETING_USEC, 0, "no greeting came"},
	[STATE_CAPABILITY] = {"at CAPABILITY", session_on_capability,
	    IMAP_LOGIN_USEC, 0, "no answer to CAPABILITY"},
	[STATE_STARTTLS] = {"at STARTTLS", session_on_starttls,
	    IMAP_LOGIN_USEC, 0, "no answer to STARTTLS"},
	[STATE_TLS] = {"in the TLS handshake", on_nothing,
	    IMAP_TLS_USEC, 0, "the TLS handshake did not end"},
	[STATE_SECRET] = {"before the login", session_on_secret,
	    IMAP_LOGIN_USEC, 0, "the secret did not come in time"},
	[STATE_AUTHENTICATE] = {"at the login", session_on_authenticate,
	    IMAP_LOGIN_USEC, 0, "no answer to the login"},
	[STATE_LOGIN] = {"at the login", session_on_login,
	    IMAP_LOGIN_USEC, 0, "no answer to the login"},
	[STATE_POST_CAPABILITY] = {"after the login",
	    session_on_post_capability,
	    IMAP_LOGIN_USEC, 0, "no answer to CAPABILITY"},
	[STATE_ID] = {"after the login", session_on_id,
	    IMAP_LOGIN_USEC, 0, "no answer to ID"},
	[STATE_ENABLE] = {"after the login", session_on_enable,
	    IMAP_LOGIN_USEC, 0, "no answer to ENABLE"},
	[STATE_READY] = {"between two commands", session_on_ready,
	    USEC_NEVER, 0, NULL},
	[STATE_BUSY] = {"in the middle of a command", session_on_busy,
	    IMAP_COMMAND_USEC, IMAP_COMMAND_TOTAL_USEC,
	    "no answer to a command"},
	[STATE_IDLE_WAIT] = {"at the beginning of IDLE", session_on_idle_wait,
	    IMAP_COMMAND_USEC, IMAP_COMMAND_TOTAL_USEC,
	    "no answer to IDLE"},
	[STATE_IDLING] = {"while it was idle", session_on_idling,
	    USEC_NEVER, 0, NULL},
	[STATE_IDLE_DONE] = {"at the end of IDLE", session_on_idle_done,
	    IMAP_IDLE_DONE_USEC, IMAP_IDLE_DONE_TOTAL_USEC,
	    "no answer to the end of IDLE"},
	[STATE_LOGOUT] = {"at the logout", session_on_logout,
	    IMAP_LOGOUT_USEC, 0, NULL},
	[STATE_DEAD] = {"at its end", on_nothing,
	    USEC_NEVER, 0, NULL},
};
/* clang-format on */
_Static_assert(sizeof(rows) / sizeof(rows[0]) == STATE_COUNT, "a row each");

/* ---- State, events, errors ---- */

static void
bury(struct imap_session *s)
{
	secret_wipe(&s->secret);
	sasl_scram_free(&s->scram);
	buf_wipe(&s->out);
	s->out_pos = 0;
	session_remove_all(s);
}

static bool
is_waiting_for_peer(const struct imap_session *s)
{
	return rows[s->state].usec != USEC_NEVER && s->state != STATE_SECRET;
}

static void
set_deadline(struct imap_session *s, usec_t now)
{
	s->deadline = usec_min(usec_add(now, rows[s->state].usec), s->patience);
	if (s->doubted && is_waiting_for_peer(s))
		s->deadline =
		    usec_min(s->deadline, usec_add(now, IMAP_PROOF_USEC));
}

void
session_progress(struct imap_session *s, usec_t now)
{
	usec_t total = rows[s->state].total;

	s->progress = 0;
	s->patience = total == 0 ? USEC_NEVER : usec_add(now, total);
	set_deadline(s, now);
}

void
session_enter(struct imap_session *s, enum session_state state, usec_t now)
{
	s->state = state;
	session_progress(s, now);
	if (state == STATE_DEAD)
		bury(s);
}

struct imap_event *
session_push(struct imap_session *s, enum imap_event_kind kind)
{
	struct imap_event *event;

	assert(s->event_count < SESSION_EVENTS_MAX);
	if (s->event_count == s->event_cap)
		s->events = xreallocarray(
		    s->events, ++s->event_cap, sizeof(s->events[0]));
	event = &s->events[s->event_count++];
	*event = (struct imap_event){.kind = kind};
	return event;
}

void
session_fail(struct imap_session *s, enum fault fault, const char *format, ...)
{
	BUF_AUTO text = BUF_INIT;
	struct error error = ERROR_INIT;
	va_list args;

	assert(s->state != STATE_DEAD);
	va_start(args, format);
	buf_vaddf(&text, format, args);
	va_end(args);
	(void)error_set(&error, fault, "%s", buf_str(&text));
	error_keep(&s->failed, &error);
	session_push(s, IMAP_EVENT_FAILED)->error = s->failed;
	session_enter(s, STATE_DEAD, 0);
}

void
session_close(struct imap_session *s)
{
	(void)session_push(s, IMAP_EVENT_CLOSED);
	session_enter(s, STATE_DEAD, 0);
}

bool
session_is_private(const struct imap_session *s)
{
	return s->config.security != IMAP_SECURITY_STARTTLS || s->tls;
}

static void
on_nothing(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	(void)s;
	(void)response;
	(void)now;
}

/* ---- Responses ---- */

/* ALERT, and WEBALERT with its address (Gmail). */
static void
push_alert(struct imap_session *s, const struct imap_response *response)
{
	BUF_AUTO text = BUF_INIT;

	buf_add_span(&text, response->text);
	if (!span_is_nocase(response->code, "ALERT") &&
	    response->code_count > 0) {
		buf_add_char(&text, ' ');
		buf_add_span(&text, response->code_values[0].text);
	}
	buf_clear(&s->alert);
	str_sanitize(&s->alert, buf_span(&text), SESSION_ALERT_MAX);
	if (s->alert.len == 0 || session_text_leaks(s, buf_span(&text)) ||
	    session_text_leaks(s, buf_span(&s->alert)))
		return;
	session_push(s, IMAP_EVENT_ALERT)->text = buf_span(&s->alert);
}

static bool
is_alert(const struct imap_session *s, const struct imap_response *response)
{
	return session_is_private(s) &&
	       (span_is_nocase(response->code, "ALERT") ||
		   span_is_nocase(response->code, "WEBALERT") ||
		   span_is_nocase(response->code, "NOTIFYPREFS"));
}

/* The server answers our DONE, which it did not expect any more: it had
 * ended IDLE by itself at the same moment. */
static bool
is_late_done(const struct imap_session *s, const struct imap_response *response)
{
	return s->was_done_said && response->status == IMAP_BAD &&
	       span_is_nocase(response->tag, "DONE");
}

static void
on_tagged(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	struct session_command *command;
	enum session_role role;
	unsigned id;

	if (is_late_done(s, response))
		return;
	command = session_find(s, response);
	if (command == NULL)
		return;
	id = command->id;
	role = command->role;
	session_remove(s, command);
	session_flush(s);
	s->untagged = 0;
	if (s->logout_id == id) {
		session_close(s);
		return;
	}
	if (role != ROLE_SESSION)
		session_push_done(s, id, response);
	rows[s->state].on_response(s, response, now);
}

static bool
is_progress(const struct imap_response *response)
{
	return response->kind == IMAP_TAGGED ||
	       span_is_nocase(response->code, "INPROGRESS");
}

static void
on_response(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	if (imap_capability_update(response, &s->capabilities))
		s->capabilities_known = true;
	if (is_alert(s, response))
		push_alert(s, response);
	if (rows[s->state].total != 0 && is_progress(response))
		session_progress(s, now);
	if (response->kind == IMAP_TAGGED && s->state != STATE_GREETING) {
		on_tagged(s, response, now);
		return;
	}
	if (response->kind == IMAP_UNTAGGED &&
	    ++s->untagged > IMAP_UNTAGGED_MAX) {
		session_fail(s, FAULT_LIMIT,
		    "more than %d responses to one command", IMAP_UNTAGGED_MAX);
		return;
	}
	if (response->status == IMAP_BYE && s->state != STATE_LOGOUT) {
		session_fail_bye(s, response);
		return;
	}
	rows[s->state].on_response(s, response, now);
}

/* Malformed responses are skipped by the lexer; in clear, as a greeting, and
 * many in a row they say that this is not the server we think. */
static bool
check_skipped(struct imap_session *s)
{
	unsigned skipped = imap_lexer_skipped(s->lexer) - s->skipped;

	if (skipped == 0 &&
	    (session_is_private(s) || imap_lexer_too_large(s->lexer) == 0))
		return true;
	if (s->state == STATE_GREETING)
		session_fail(s, FAULT_PEER, "this is no IMAP greeting");
	else if (!session_is_private(s))
		session_fail(
		    s, FAULT_PEER, "the server sent nonsense before TLS");
	else if (skipped > IMAP_MALFORMED_MAX)
		session_fail(s, FAULT_PEER,
		    "more than %d malformed responses in a row",
		    IMAP_MALFORMED_MAX);
	return s->state != STATE_DEAD;
}

static void
on_eof(struct imap_session *s)
{
	if (s->state == STATE_LOGOUT)
		session_close(s);
	else
		session_fail(s, FAULT_RETRY,
		    "the server closed the connection %s%s",
		    rows[s->state].when,
		    imap_lexer_has_rest(s->lexer) ? ", inside a response" : "");
}

/* It says so again. Not on the way of each response: errors are large. */
static void
fail_by_lexer(struct imap_session *s)
{
	struct imap_response response;
	struct error error = ERROR_INIT;

	(void)imap_lexer_next(s->lexer, &response, &error);
	session_fail(s, error.fault, "%s", error.text);
}

/* One response, or the end. False: nothing more to be had. */
static bool
advance(struct imap_session *s, usec_t now)
{
	struct imap_response response;
	int got;

	if (s->state == STATE_DEAD)
		return false;
	got = imap_lexer_next(s->lexer, &response, NULL);
	if (!check_skipped(s))
		return true;
	if (got < 0) {
		fail_by_lexer(s);
		return true;
	}
	if (got > 0) {
		s->skipped = imap_lexer_skipped(s->lexer);
		on_response(s, &response, now);
		return true;
	}
	if (!s->eof)
		return false;
	on_eof(s);
	return true;
}

/* ---- The engine's calls ---- */

static char *
copy_str(const char *str)
{
	return xstrdup(str != NULL ? str : "");
}

struct imap_session *
imap_session_new(const struct imap_session_config *config, usec_t now)
{
	struct imap_session *s = NEW(struct imap_session);

	s->config = *config;
	s->config.user = copy_str(config->user);
	s->config.host = copy_str(config->host);
	s->config.client_version = xstrdup(config->client_version);
	s->literal_max =
	    config->literal_max > 0 ? config->literal_max : IMAP_LITERAL_MAX;
	s->lexer = imap_lexer_new(s->literal_max);
	s->heard = now;
	session_enter(s, STATE_GREETING, now);
	return s;
}

void
imap_session_free(struct imap_session **session)
{
	struct imap_session *s = *session;

	if (s == NULL)
		return;
	bury(s);
	imap_lexer_free(&s->lexer);
	error_forget(&s->failed);
	free(s->events);
	buf_done(&s->alert);
	free((char *)s->config.user);
	free((char *)s->config.host);
	free((char *)s->config.client_version);
	free(s);
	*session = NULL;
}

/* A byte now and then is no progress. */
static void
note_progress(struct imap_session *s, size_t len, usec_t now)
{
	s->progress += len;
	if (s->progress >= IMAP_PROGRESS_BYTES)
		session_progress(s, now);
	else
		set_deadline(s, now);
}

void
imap_session_feed(struct imap_session *s, struct span bytes, usec_t now)
{
	if (s->state == STATE_DEAD || bytes.len == 0)
		return;
	s->heard = now;
	if (s->state == STATE_TLS) {
		session_fail(
		    s, FAULT_PEER, "the server sent data before encryption");
		return;
	}
	s->doubted = false;
	if (rows[s->state].total != 0)
		note_progress(s, bytes.len, now);
	imap_lexer_feed(s->lexer, bytes);
}

void
imap_session_eof(struct imap_session *s, usec_t now)
{
	(void)now;
	/* What was fed before is pulled first. In TLS nothing can be. */
	if (s->state == STATE_TLS)
		on_eof(s);
	s->eof = true;
}

struct span
imap_session_output(const struct imap_session *s)
{
	return span_skip(buf_span(&s->out), s->out_pos);
}

void
imap_session_sent(struct imap_session *s, size_t len)
{
	if (s->state == STATE_DEAD || len == 0)
		return;
	assert(len <= s->out.len - s->out_pos);
	memory_wipe(s->out.data + s->out_pos, len);
	s->out_pos += len;
	if (s->out_pos == s->out.len) {
		buf_done(&s->out);
		s->out_pos = 0;
	}
}

usec_t
imap_session_deadline(const struct imap_session *s)
{
	return s->deadline;
}

void
imap_session_tick(struct imap_session *s, usec_t now)
{
	if (s->deadline == USEC_NEVER || now < s->deadline)
		return;
	if (rows[s->state].late == NULL)
		session_close(s);
	else
		session_fail(s, FAULT_RETRY, "%s", rows[s->state].late);
}

static void
free_events(struct imap_session *s)
{
	free(s->events);
	s->events = NULL;
	s->event_count = s->event_cap = 0;
}

bool
imap_session_next_event(
    struct imap_session *s, struct imap_event *event_r, usec_t now)
{
	while (s->event_count == 0) {
		if (advance(s, now))
			continue;
		free_events(s);
		return false;
	}
	*event_r = s->events[0];
	s->event_count--;
	memmove(&s->events[0], &s->events[1],
	    s->event_count * sizeof(s->events[0]));
	return true;
}

void
imap_session_tls_started(struct imap_session *s, usec_t now)
{
	if (s->state == STATE_DEAD)
		return;
	assert(s->state == STATE_TLS);
	/* Nothing that was said in clear survives (RFC 9051 11.1). */
	imap_lexer_free(&s->lexer);
	s->lexer = imap_lexer_new(s->literal_max);
	s->skipped = 0;
	s->untagged = 0;
	s->alert_greeting = false;
	s->tls = true;
	session_ask_capability(s, now);
}

uint64_t
imap_session_capabilities(const struct imap_session *s)
{
	return s->capabilities;
}

uint64_t
imap_session_enabled(const struct imap_session *s)
{
	uint64_t offered = s->capabilities & IMAP_CAP_CONDSTORE;

	return s->config.enable_condstore ? offered | s->enabled : 0;
}

void
imap_session_set_literal_max(struct imap_session *s, size_t max)
{
	s->literal_max = max;
	imap_lexer_set_literal_max(s->lexer, max);
}

void
imap_session_doubt(struct imap_session *s, usec_t now)
{
	if (s->state == STATE_DEAD || s->doubted)
		return;
	s->doubted = true;
	if (is_waiting_for_peer(s))
		s->deadline =
		    usec_min(s->deadline, usec_add(now, IMAP_PROOF_USEC));
}

unsigned
imap_session_dropped(const struct imap_session *s)
{
	return imap_lexer_too_large(s->lexer) + imap_lexer_skipped(s->lexer);
}

usec_t
imap_session_heard(const struct imap_session *s)
{
	return s->heard;
}

/* ---- The engine's class ---- */

ENGINE_CLASS(imap_session, "imap");
