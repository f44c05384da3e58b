/*
 * What comes next: acting, catching up, or resting until there is news (IDLE,
 * RFC 2177; without it, polling).
 */
#include "daemon/account/mailbox_private.h"

void
mailbox_log_out(struct mailbox *mb, usec_t now)
{
	mailbox_enter(mb, MAILBOX_LOGOUT, now);
	imap_session_logout(mb->session, now);
}

static void
report_shared(struct mailbox *mb)
{
	BUF_AUTO wait = BUF_INIT;

	usec_format(&wait, mailbox_rove_interval(mb));
	mailbox_report(mb, REPORT_WATCHING, 0,
	    mb->is_pushed ? "the server pushes news (NOTIFY), and is asked "
			    "every %s besides"
			  : "asked for every %s, more often where mail comes, "
			    "over a connection that others use, too",
	    buf_str(&wait));
}

static void
report_watching(struct mailbox *mb)
{
	bool idle = (imap_session_capabilities(mb->session) & IMAP_CAP_IDLE);
	BUF_AUTO wait = BUF_INIT;

	usec_format(&wait, idle ? mailbox_proof_wait(mb) : mailbox_poll(mb));
	mailbox_report(mb, REPORT_WATCHING, 0,
	    idle ? "the server pushes news (IDLE, renewed every %s)"
		 : "the server has no IDLE: asked every %s",
	    buf_str(&wait));
}

static void
note_proof(struct mailbox *mb)
{
	if (mb->proven && mb->trouble == NULL)
		return;
	mb->proven = true;
	error_forget(&mb->trouble);
	backoff_succeeded(&mb->backoff);
	mailbox_emit_need(mb, MAILBOX_PROVEN);
	if (mb->visit == VISIT_NONE && mb->is_guest)
		report_shared(mb);
	else if (mb->visit == VISIT_NONE)
		report_watching(mb);
}

/* It came for a run, or for questions; folders that the run made are told of.
 */
static bool
is_visit_over(const struct mailbox *mb)
{
	return mb->visit != VISIT_NONE && !mb->lists && !mailbox_is_asked(mb) &&
	       !mailbox_backlog_is_unfinished(mb);
}

/* Asking for others makes its own turn no later. */
static usec_t
rest_until(const struct mailbox *mb, usec_t wait, usec_t now)
{
	return usec_add(mailbox_round_asks(mb) ? mb->looked : now, wait);
}

static void
rest(struct mailbox *mb, usec_t now)
{
	note_proof(mb);
	mailbox_reopen_rests(mb, now);
	if (is_visit_over(mb)) {
		mailbox_rove_end_visit(mb, now);
		return;
	}
	if (mailbox_rove_next(mb, now))
		return;
	mailbox_proof_rests(mb, now);
	if (imap_session_capabilities(mb->session) & IMAP_CAP_IDLE &&
	    !mb->idle_refused) {
		mailbox_enter(mb, MAILBOX_IDLE, now);
		mb->echo_due = false;
		mb->timer =
		    usec_min(rest_until(mb, mailbox_proof_wait(mb), now),
			mailbox_rove_limit(mb));
		mb->command = imap_session_idle(mb->session, now);
		return;
	}
	usec_t poll = mailbox_proof_poll(mb);
	mailbox_enter(mb, MAILBOX_POLLING, now);
	mb->timer = usec_min(rest_until(mb, poll, now), mailbox_rove_limit(mb));
}

void
mailbox_go_on(struct mailbox *mb, usec_t now)
{
	if (mb->session == NULL)
		return;
	if (mb->stopping) {
		mailbox_flush_outcomes(mb);
		mailbox_log_out(mb, now);
		return;
	}
	if (!mb->is_open) {
		mailbox_rove_wait_outside(mb, now);
		return;
	}
	mailbox_backlog_heed_cancel(mb, now);
	bool leaves = mailbox_rove_must_leave(mb, now);
	if (leaves && mb->op_count == 0) {
		mailbox_rove_leave(mb, now);
		return;
	}
	if (!leaves && mailbox_reopen_begin(mb, now))
		return;
	if (mailbox_resync_begin(mb, now) ||
	    (!leaves && mailbox_preview_begin_early(mb, now)))
		return;
	bool acts = leaves || mailbox_act_begin(mb, now);
	if (mb->session == NULL)
		return;
	if (!acts || mailbox_has_many_outcomes(mb))
		mailbox_flush_outcomes(mb);
	if (acts) {
		mailbox_enter(mb, MAILBOX_ACTING, now);
		return;
	}
	if (mb->visit != VISIT_NONE)
		mb->dirty = false; /* news are not its business */
	bool is_busy = true;
	mailbox_twin_resume(mb, now);
	if (mailbox_sweep_is_due(mb))
		mailbox_sweep_begin(mb, now);
	else
		is_busy = mailbox_preview_begin(mb, now) ||
			  mailbox_follow_begin(mb, now) ||
			  mailbox_explain_begin(mb, now) ||
			  mailbox_find_begin(mb, now) ||
			  mailbox_audit_begin(mb, now) ||
			  mailbox_backlog_begin(mb, now);
	if (mb->backlog != NULL && mb->backlog->has_news &&
	    !mb->backlog->is_ending)
		mailbox_backlog_tell(mb);
	if (!is_busy)
		rest(mb, now);
}

/* Leaves the rest when there is something to do. */
void
mailbox_wake(struct mailbox *mb, usec_t now)
{
	if (mb->state == MAILBOX_PARKED) {
		mailbox_rove_wake(mb, now);
	} else if (mb->state == MAILBOX_POLLING && mb->proof.doubted &&
		   (mb->visit != VISIT_NONE || !mailbox_sweep_is_due(mb))) {
		/* It would look for no news (a visitor; or there is too much
		 * to do already), and so prove nothing. */
		mailbox_rest_polling_timer(mb, now);
	} else if (mb->state == MAILBOX_POLLING) {
		mailbox_go_on(mb, now);
	} else if (mb->state == MAILBOX_IDLE) {
		unsigned command = mb->command;
		mailbox_enter(mb, MAILBOX_IDLE_END, now);
		mb->command = command;
		imap_session_idle_done(mb->session, now);
	}
}

/* ---- news ---- */

/* Connections that were lost with a command behind DONE; then it waits. */
#define RUSH_LOSSES_MAX 2

/* Nothing but the news is to be seen to, and DONE is said. */
static bool
may_rush(const struct mailbox *mb, usec_t now)
{
	return !mb->config->one_at_a_time && !mb->config->await_idle_end &&
	       !mb->is_alone && mb->rush_losses < RUSH_LOSSES_MAX &&
	       mb->visit == VISIT_NONE && !mb->stopping && !mb->leave &&
	       !mailbox_ask_has_questions(mb) && !mailbox_round_notifies(mb) &&
	       !mb->lists && !mailbox_is_asked(mb) &&
	       mailbox_sweep_is_due(mb) && !mailbox_sweep_asks_end(mb) &&
	       mailbox_act_deadline(mb) > now &&
	       imap_session_is_idle_done(mb->session);
}

/* A round trip sooner: the question for what is new goes out with DONE. */
void
mailbox_rest_idle_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	if (!mb->dirty)
		return;
	mailbox_wake(mb, now);
	if (mb->state != MAILBOX_IDLE_END || !may_rush(mb, now))
		return;
	mb->idle_command = mb->command;
	mb->is_rushed = true;
	mailbox_sweep_begin(mb, now);
}

/* IDLE has ended; false: another command did, before it. */
bool
mailbox_rest_rush_done(struct mailbox *mb, const struct imap_event *event)
{
	if (event->id != mb->idle_command) {
		mb->rush_losses = RUSH_LOSSES_MAX;
		return false;
	}
	mb->idle_command = 0;
	if (event->response.status != IMAP_OK)
		mb->idle_refused = true;
	return true;
}

/* ---- the same number again ---- */

/* After a look that an equal EXISTS led to in vain. */
#define ECHO_FIRST_USEC (15 * USEC_SEC)

static void
look_at_echo(struct mailbox *mb, usec_t now)
{
	mb->echo_at = usec_add(now, mb->echo_wait);
	mb->echo_wait = mb->echo_wait == 0
			    ? ECHO_FIRST_USEC
			    : usec_min(2 * mb->echo_wait, mailbox_renew(mb));
	mb->dirty = true;
}

/*
 * One may have come and one gone, without EXPUNGE: the number is the same, and
 * only UIDNEXT tells. So it is looked at once; but some servers say it with
 * every breath, and looks in vain come less and less often.
 */
void
mailbox_rest_echo(struct mailbox *mb, usec_t now)
{
	if (now >= mb->echo_at) {
		look_at_echo(mb, now);
		return;
	}
	mb->echo_due = true;
	mb->timer = usec_min(mb->timer, mb->echo_at);
}

void
mailbox_rest_idle_timer(struct mailbox *mb, usec_t now)
{
	if (mb->echo_due && now >= mb->echo_at) {
		look_at_echo(mb, now);
		mailbox_wake(mb, now);
		return;
	}
	mb->looked = now;
	mailbox_reopen_looks(mb, now);
	mailbox_proof_renews(mb, now);
	mb->dirty = true;
	mailbox_follow_compare(mb, now);
	mailbox_wake(mb, now);
}

/* IDLE ended: because we said DONE, or because the server would not. */
void
mailbox_rest_idle_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status != IMAP_OK) {
		mb->idle_refused = true;
	} else if (mb->state == MAILBOX_IDLE) {
		/* Ended by itself: look, and do not spin. */
		mb->dirty = true;
		mailbox_enter(mb, MAILBOX_POLLING, now);
		mb->timer = usec_add(now, 5 * USEC_SEC);
		return;
	}
	if (mb->proof.renewing && mb->config->check_noop && !mb->stopping)
		mailbox_rest_polling_timer(mb, now);
	else
		mailbox_go_on(mb, now);
}

void
mailbox_rest_polling_timer(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mb->looked = now;
	mailbox_reopen_looks(mb, now);
	mailbox_proof_tests(mb, now);
	mailbox_enter(mb, MAILBOX_NOOP, now);
	mailbox_begin_command(mb, &command, "NOOP");
	mailbox_send(mb, &command, now);
}

void
mailbox_rest_noop_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (!mailbox_is_ok_or_fail(mb, response, "NOOP", now))
		return;
	mb->dirty = true;
	mailbox_follow_compare(mb, now);
	mailbox_go_on(mb, now);
}
