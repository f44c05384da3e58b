/*
 * imap/session_ready: the owner's commands, IDLE (RFC 2177) and LOGOUT.
 *
 *   idle = "IDLE" CRLF "DONE"      ; DONE after the server's "+", once, and
 *                                  ; never an empty line
 *
 * Whatever the server sends untagged is an event, at any time: before the
 * "+", while idling, between DONE and the tagged answer.
 */
#include <assert.h>

#include "daemon/wire/imap/session_private.h"

/* ---- What the server says ---- */

static void
push_untagged(struct imap_session *s, const struct imap_response *response)
{
	session_push(s, IMAP_EVENT_UNTAGGED)->response = *response;
}

void
session_push_done(
    struct imap_session *s, unsigned id, const struct imap_response *response)
{
	struct imap_event *event = session_push(s, IMAP_EVENT_DONE);

	event->id = id;
	event->response = *response;
}

/* A "+" that nobody waits for means nothing. */
void
session_on_ready(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	(void)now;
	if (response->kind == IMAP_UNTAGGED)
		push_untagged(s, response);
}

void
session_on_busy(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	session_on_ready(s, response, now);
	if (response->kind == IMAP_CONTINUATION)
		(void)session_continue(s);
	else if (response->kind == IMAP_TAGGED && s->command_count == 0)
		session_enter(s, STATE_READY, now);
}

void
session_on_idle_wait(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	session_on_busy(s, response, now);
	if (response->kind != IMAP_CONTINUATION)
		return;
	(void)session_push(s, IMAP_EVENT_IDLING);
	session_enter(s, s->done_said ? STATE_IDLE_DONE : STATE_IDLING, now);
}

void
session_on_idling(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	session_on_ready(s, response, now);
	if (response->kind == IMAP_TAGGED)
		session_enter(s, STATE_READY, now);
}

/* Commands may have followed DONE. */
void
session_on_idle_done(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	session_on_ready(s, response, now);
	if (response->kind == IMAP_CONTINUATION)
		(void)session_continue(s);
	else if (response->kind == IMAP_TAGGED)
		session_enter(
		    s, s->command_count > 0 ? STATE_BUSY : STATE_READY, now);
}

void
session_on_logout(
    struct imap_session *s, const struct imap_response *response, usec_t now)
{
	(void)now;
	if (response->status == IMAP_BYE)
		return;
	session_on_ready(s, response, now);
	if (response->kind == IMAP_CONTINUATION)
		(void)session_continue(s);
}

/* ---- What the owner wants ---- */

void
imap_session_command(const struct imap_session *s, struct imap_command *command,
    const char *name)
{
	session_command_init(s, command, name);
}

unsigned
imap_session_send(
    struct imap_session *s, struct imap_command *command, usec_t now)
{
	assert(s->state == STATE_READY || s->state == STATE_BUSY ||
	       s->state == STATE_IDLE_DONE || s->state == STATE_LOGOUT ||
	       s->state == STATE_DEAD);
	/* One place is kept for LOGOUT. */
	if (s->state == STATE_DEAD || s->state == STATE_LOGOUT ||
	    command->invalid || s->command_count >= IMAP_COMMANDS_MAX - 1) {
		imap_command_done(command);
		return 0;
	}
	if (s->state == STATE_READY)
		session_enter(s, STATE_BUSY, now);
	return session_send(s, ROLE_OWNER, command);
}

unsigned
imap_session_idle(struct imap_session *s, usec_t now)
{
	struct imap_command command;

	if (s->state == STATE_DEAD || s->state == STATE_LOGOUT)
		return 0;
	assert(s->state == STATE_READY);
	s->done_wanted = false;
	s->done_said = false;
	s->untagged = 0;
	session_enter(s, STATE_IDLE_WAIT, now);
	session_command_init(s, &command, "IDLE");
	return session_send(s, ROLE_IDLE, &command);
}

void
imap_session_idle_done(struct imap_session *s, usec_t now)
{
	if (s->state != STATE_IDLE_WAIT && s->state != STATE_IDLING)
		return;
	s->done_wanted = true;
	session_flush(s);
	if (s->done_said)
		session_enter(s, STATE_IDLE_DONE, now);
}

bool
imap_session_is_idle_done(const struct imap_session *s)
{
	return s->state == STATE_IDLE_DONE;
}

/* Behind everything that is on its way; DONE first, where IDLE is open. */
void
imap_session_logout(struct imap_session *s, usec_t now)
{
	struct imap_command command;

	if (s->state == STATE_DEAD || s->state == STATE_LOGOUT)
		return;
	if (s->state < STATE_READY) {
		session_close(s);
		return;
	}
	s->done_wanted = true;
	session_command_init(s, &command, "LOGOUT");
	s->logout_id = session_send(s, ROLE_SESSION, &command);
	session_enter(s, STATE_LOGOUT, now);
}
