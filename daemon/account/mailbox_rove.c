/*
 * One connection for several mailboxes.
 *
 * A mailbox without a connection is PARKED. Whoever has the connection asks
 * for its state (STATUS, RFC 9051 section 6.3.11) or is told of it (NOTIFY, RFC
 * 5465), without leaving its own mailbox; only where something is to be done
 * the connection goes there: mailbox_hand_over. Everything that a mailbox must
 * know is loaded anew when the connection arrives, as after a restart.
 *
 * How often it is asked follows its traffic: where news were found it is asked
 * sooner the next time, and later where there were none.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

/* ---- parked ---- */

static usec_t
shortest(const struct mailbox *mb)
{
	return usec_min(MAILBOX_ASK_MIN_USEC, mailbox_poll(mb));
}

/* What is pushed is asked for all the same: a push that is lost must not make a
 * mailbox deaf until the renewal. */
usec_t
mailbox_rove_interval(const struct mailbox *mb)
{
	if (mb->is_pushed)
		return usec_min(mailbox_renew(mb), mailbox_poll(mb));
	return mb->interval != 0 ? mb->interval : mailbox_poll(mb);
}

static void
want(struct mailbox *mb, usec_t now)
{
	if (mb->wants)
		return;
	mb->wants = true;
	mb->wants_since = now;
}

void
mailbox_rove_park(struct mailbox *mb, usec_t now)
{
	mailbox_enter(mb, MAILBOX_PARKED, now);
	mb->timer = usec_add(now, mailbox_rove_interval(mb));
	mb->is_open = mb->leave = false;
	if (mb->is_known)
		return;
	mb->jobs_due = USEC_NEVER;
	mb->jobs_left = mb->running_left = 0;
	mailbox_emit_need(mb, MAILBOX_LOAD);
}

void
mailbox_park(struct mailbox *mb, usec_t now)
{
	if (mb->state == MAILBOX_PARKED || mb->parks)
		return;
	if (mb->state != MAILBOX_RESTING && mb->state != MAILBOX_LOGOUT)
		mailbox_stop(mb, now);
	if (mb->state == MAILBOX_RESTING)
		mailbox_rove_park(mb, now);
	else
		mb->parks = true; /* when it has said goodbye */
}

void
mailbox_rove_loaded(struct mailbox *mb, usec_t now)
{
	mb->is_due = true;
	mb->jobs_due = usec_min(mb->jobs_due, mailbox_twin_due(mb));
	if (!mb->has_cursor || mb->visit != VISIT_NONE)
		want(mb, now);
}

void
mailbox_rove_note_work(struct mailbox *mb)
{
	mb->jobs_left++;
	mb->jobs_due = 0;
}

void
mailbox_rove_timer(struct mailbox *mb, usec_t now)
{
	mb->is_due = true;
	mb->timer = usec_add(now, mailbox_rove_interval(mb));
}

void
mailbox_rove_wake(struct mailbox *mb, usec_t now)
{
	want(mb, now);
}

usec_t
mailbox_rove_deadline(const struct mailbox *mb)
{
	return mb->wants ? mb->timer : usec_min(mb->timer, mb->jobs_due);
}

void
mailbox_rove_tick(struct mailbox *mb, usec_t now)
{
	if (mb->jobs_due <= now)
		want(mb, now);
}

void
mailbox_rove_task_done(struct mailbox *mb, usec_t now)
{
	if (mb->state == MAILBOX_PARKED && mb->running_left > 0)
		want(mb, now);
	else if (mb->leave)
		mailbox_wake(mb, now);
}

bool
mailbox_is_parked(const struct mailbox *mb)
{
	return mb->state == MAILBOX_PARKED;
}

bool
mailbox_wants_visit(const struct mailbox *mb, usec_t *since_r)
{
	if (mb->state != MAILBOX_PARKED || !mb->wants)
		return false;
	*since_r = mb->wants_since;
	return true;
}

bool
mailbox_is_due(const struct mailbox *mb, usec_t soon, usec_t now)
{
	if (mb->state != MAILBOX_PARKED || mb->wants)
		return false;
	return mb->is_due || mb->timer <= usec_add(now, soon);
}

void
mailbox_set_shared(struct mailbox *mb, bool is_guest)
{
	mb->is_guest = is_guest;
}

void
mailbox_begin_early(struct mailbox *mb, int64_t since_unix)
{
	mb->early_unix = since_unix != 0 ? since_unix : 1;
}

bool
mailbox_is_connected(const struct mailbox *mb)
{
	/* LOADING: it has just come here. */
	return mb->session != NULL && !mb->stopping && !mb->parks &&
	       (mb->state > MAILBOX_LOGIN || mb->state == MAILBOX_LOADING) &&
	       mb->state != MAILBOX_LOGOUT;
}

bool
mailbox_can_idle(const struct mailbox *mb)
{
	return mb->session != NULL && !mb->idle_refused &&
	       mailbox_can(mb, IMAP_CAP_IDLE);
}

void
mailbox_set_pushed(struct mailbox *mb, bool is_pushed, usec_t now)
{
	if (mb->is_pushed == is_pushed)
		return;
	mb->is_pushed = is_pushed;
	if (mb->state == MAILBOX_PARKED)
		mb->timer = usec_add(now, mailbox_rove_interval(mb));
}

/* ---- what the server said of it ---- */

static bool
has_news(const struct mailbox *mb, const struct mailbox_news *news)
{
	if (news->refused || news->uidnext == 0)
		return true; /* SELECT will tell */
	if (news->uidvalidity != 0 && news->uidvalidity != mb->cursor_validity)
		return true;
	return news->uidnext != mb->cursor;
}

/* Something was changed where a message is followed: a visit compares. */
static bool
has_changed(const struct mailbox *mb, const struct mailbox_news *news)
{
	return mb->follow.count > 0 && mb->follow.modseq != 0 &&
	       news->modseq > mb->follow.modseq;
}

/* A push says the same several times. */
static bool
is_old_push(const struct mailbox *mb, const struct mailbox_news *news)
{
	return news->pushed && news->uidnext != 0 &&
	       news->uidnext == mb->visited_for;
}

/* Nothing is told but that one has to look, or what the visit was for, though
 * SELECT said something else: after a visit it is asked again, and each visit
 * would lead to the next. */
static bool
was_just_there(
    const struct mailbox *mb, const struct mailbox_news *news, usec_t now)
{
	bool says_nothing = news->refused || news->uidnext == 0;

	return (says_nothing || news->uidnext == mb->visited_for) &&
	       mb->came != 0 && now < usec_add(mb->came, shortest(mb));
}

bool
mailbox_told(struct mailbox *mb, const struct mailbox_news *news, usec_t now)
{
	usec_t least = shortest(mb), most = mailbox_poll(mb);

	if (mb->state != MAILBOX_PARKED)
		return false;
	mb->heard = now;
	bool found = has_news(mb, news) && !is_old_push(mb, news) &&
		     !was_just_there(mb, news, now);
	usec_t next = mb->interval != 0 ? mb->interval : most;
	next = found ? next / 2 : next + next / 2;
	mb->interval = next < least ? least : usec_min(next, most);
	if (!news->pushed || found) {
		mb->is_due = false;
		mb->timer = usec_add(now, mailbox_rove_interval(mb));
	}
	if (!found && has_changed(mb, news) && mb->retry_at <= now)
		want(mb, now);
	if (!found) {
		/* Whatever kept it from being open: nothing was missed. */
		if (mb->retry_at <= now)
			error_forget(&mb->trouble);
		return false;
	}
	mb->visited_for = news->uidnext;
	if (mb->retry_at <= now)
		want(mb, now);
	return true;
}

/* ---- resting for others ---- */

void
mailbox_round_clear(struct mailbox *mb)
{
	struct round *round = mb->round;

	if (round == NULL)
		return;
	mb->round = NULL;
	strv_done(&round->names);
	strv_done(&round->told);
	strv_done(&round->told_wires);
	mailbox_ask_clear(round);
	free(round);
}

struct round *
mailbox_round_of(struct mailbox *mb)
{
	if (mb->round == NULL)
		mb->round = NEW(struct round);
	return mb->round;
}

bool
mailbox_round_asks(const struct mailbox *mb)
{
	return mb->round != NULL && mb->round->names.len > 0;
}

bool
mailbox_round_notifies(const struct mailbox *mb)
{
	return mb->round != NULL && mb->round->notifies;
}

bool
mailbox_is_at_rest(const struct mailbox *mb)
{
	return (mb->state == MAILBOX_IDLE || mb->state == MAILBOX_POLLING) &&
	       !mb->leave && mb->session != NULL;
}

void
mailbox_list_again(struct mailbox *mb, usec_t now)
{
	mb->lists = true;
	mailbox_wake(mb, now);
}

void
mailbox_renew_by(struct mailbox *mb, usec_t at)
{
	assert(mailbox_is_at_rest(mb));
	mb->timer = usec_min(mb->timer, at);
}

/* ---- being told ---- */

/* Bytes of all names together: the command is one line. */
#define NOTIFY_NAMES_MAX 4000

void
mailbox_notify(struct mailbox *mb, const struct strv *names, usec_t now)
{
	struct round *round = mailbox_round_of(mb);

	assert(mailbox_is_at_rest(mb));
	strv_done(&round->told);
	/* What is pushed until the server knows of these is of others. */
	strv_done(&round->told_wires);
	strv_copy(&round->told, names);
	round->notifies = true;
	mailbox_wake(mb, now);
}

enum mailbox_push
mailbox_get_push(const struct mailbox *mb)
{
	return mb->session != NULL && mb->round != NULL ? mb->round->push
							: PUSH_UNTRIED;
}

bool
mailbox_has_notify(const struct mailbox *mb, const struct strv *names)
{
	if (mb->session == NULL || !mailbox_can(mb, IMAP_CAP_NOTIFY) ||
	    mailbox_get_push(mb) == PUSH_OFF)
		return true;
	return mb->round != NULL ? strv_equal(&mb->round->told, names)
				 : names->len == 0;
}

/* False: too many. */
static bool
find_wires(struct mailbox *mb)
{
	struct round *round = mb->round;
	size_t bytes = 0;

	strv_done(&round->told_wires);
	for (size_t i = 0; i < round->told.len; i++) {
		struct error error = ERROR_INIT;
		BUF_AUTO wire = BUF_INIT;
		if (!folders_wire_name(
			&mb->folders, round->told.items[i], &wire, &error))
			buf_clear(&wire); /* there is no such folder */
		bytes += wire.len + 4;
		strv_add_span(&round->told_wires, buf_span(&wire));
	}
	return bytes <= NOTIFY_NAMES_MAX;
}

/*
 * RFC 5465 section 8; STATUS: how all are now comes first. The selected one
 * tells as ever.
 */
static bool
send_notify(struct mailbox *mb, usec_t now)
{
	struct round *round = mb->round;
	struct imap_command command;

	round->notifies = false;
	round->push = PUSH_UNTRIED;
	if (!find_wires(mb)) {
		round->push = PUSH_OFF;
		return false;
	}
	mailbox_enter(mb, MAILBOX_NOTIFYING, now);
	mailbox_begin_command(mb, &command, "NOTIFY");
	imap_command_raw(&command, "SET STATUS (SELECTED (MessageNew "
				   "MessageExpunge)) (MAILBOXES (");
	for (size_t i = 0; i < round->told_wires.len; i++) {
		const char *wire = round->told_wires.items[i];
		if (wire[0] == '\0')
			continue;
		imap_command_mailbox(&command, span_from_str(wire));
	}
	imap_command_raw(&command, ") (MessageNew MessageExpunge)) "
				   "(PERSONAL (MailboxName))");
	mailbox_send(mb, &command, now);
	return true;
}

/* [BADEVENT], or a server that is too busy. */
void
mailbox_rove_notifying_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	bool gave_up = mb->round->push == PUSH_OFF; /* meanwhile */

	mb->round->push =
	    response->status == IMAP_OK && !gave_up ? PUSH_ON : PUSH_OFF;
	mailbox_go_on(mb, now);
}

static void
tell_pushed(struct mailbox *mb, const struct imap_mailbox_status *status)
{
	const struct round *round = mb->round;

	for (size_t i = 0; i < round->told_wires.len; i++)
		if (mailbox_is_same_name(status->name,
			span_from_str(round->told_wires.items[i])))
			mailbox_ask_tell(mb, round->told.items[i],
			    (struct mailbox_news){
				.uidvalidity = status->uidvalidity,
				.uidnext = status->uidnext,
				.pushed = true,
			    });
}

void
mailbox_rove_pushed(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	bool lists = mb->state == MAILBOX_LISTING;
	struct imap_mailbox_status status;
	struct imap_list_entry entry;

	if (mailbox_get_push(mb) != PUSH_ON && mb->state != MAILBOX_NOTIFYING)
		return;
	if (span_is_nocase(response->code, "NOTIFICATIONOVERFLOW"))
		mb->round->push = PUSH_OFF;
	else if (imap_status_parse(response, &status))
		tell_pushed(mb, &status);
	else if (!lists && imap_list_parse(response, &entry))
		mb->lists = true;
	if (mb->lists && mb->state == MAILBOX_IDLE)
		mailbox_wake(mb, now);
}

/* ---- leaving, and arriving ---- */

void
mailbox_leave(struct mailbox *mb, usec_t now)
{
	if (mb->leave)
		return;
	if (mailbox_is_at_rest(mb))
		mb->came = now; /* news of its own go first */
	mb->leave = true;
	mailbox_wake(mb, now);
}

bool
mailbox_has_left(const struct mailbox *mb)
{
	return mb->state == MAILBOX_LEAVING;
}

static size_t
count_running(const struct mailbox *mb)
{
	size_t running = 0;

	LIST_EACH(pos, &mb->jobs)
	running += LIST_ITEM(pos, struct job, link)->running;
	return running;
}

/* When it has to come back by itself. */
static usec_t
work_due(const struct mailbox *mb, usec_t now)
{
	if (mb->dirty || mailbox_is_asked(mb) || mailbox_backlog_has_more(mb))
		return now;
	return usec_min(mailbox_act_deadline(mb), mailbox_twin_deadline(mb));
}

static void
leave(struct mailbox *mb, usec_t now)
{
	mb->jobs_due = mb->is_open ? work_due(mb, now) : mb->retry_at;
	mb->jobs_left = mb->job_count;
	mb->running_left = count_running(mb);
	mailbox_verify_keep_looks(mb);
	mailbox_forget_work(mb, now);
	mailbox_enter(mb, MAILBOX_LEAVING, now);
}

/* However much there is to do, others wait, too. */
bool
mailbox_rove_must_leave(const struct mailbox *mb, usec_t now)
{
	return mb->leave && now >= usec_add(mb->came, MAILBOX_VISIT_USEC);
}

void
mailbox_rove_leave(struct mailbox *mb, usec_t now)
{
	leave(mb, now);
}

void
mailbox_rove_end_visit(struct mailbox *mb, usec_t now)
{
	if (mb->is_guest)
		leave(mb, now);
	else
		mailbox_log_out(mb, now);
}

/* With commands of rules outside it stays a little: it is what they answer
 * to. */
bool
mailbox_rove_next(struct mailbox *mb, usec_t now)
{
	if (mb->lists) {
		mb->lists = false;
		mailbox_open_list(mb, now);
		return true;
	}
	if (mailbox_round_notifies(mb) && send_notify(mb, now))
		return true;
	if (mailbox_ask_has_questions(mb) && mailbox_ask_next(mb, now))
		return true;
	if (!mb->leave || (mb->is_open && count_running(mb) > 0 &&
			      !mailbox_rove_must_leave(mb, now)))
		return false;
	leave(mb, now);
	return true;
}

/* While it waits for its commands. */
usec_t
mailbox_rove_limit(const struct mailbox *mb)
{
	return mb->leave ? usec_add(mb->came, MAILBOX_VISIT_USEC) : USEC_NEVER;
}

/* A visitor that has what it came for goes for good. */
static void
left(struct mailbox *mb, usec_t now)
{
	bool stays = mb->visit == VISIT_NONE || mailbox_is_asked(mb) ||
		     mailbox_backlog_is_unfinished(mb);

	if (stays) {
		mailbox_rove_park(mb, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_RESTING, now);
	mailbox_say_left(mb);
}

void
mailbox_hand_over(struct mailbox *from, struct mailbox *to, usec_t now)
{
	assert(from->state == MAILBOX_LEAVING);
	assert(to == from || to->state == MAILBOX_PARKED);
	if (to != from) {
		struct folders folders = to->folders;
		struct round *round = to->round;
		to->session = from->session;
		to->folders = from->folders;
		to->round = from->round;
		to->has_selected = from->has_selected;
		to->idle_refused = from->idle_refused;
		to->resync.refused = from->resync.refused;
		to->alerts = from->alerts;
		to->heard = from->heard;
		mailbox_login_anew(to);
		to->login.since = from->login.since;
		from->session = NULL;
		from->folders = folders;
		from->round = round;
		from->has_selected = false;
		left(from, now);
		/* What came while it was open and was not told yet is
		 * nobody's: NOTIFY tells of what comes from now on. */
		from->is_due = mailbox_get_push(to) == PUSH_ON;
	}
	to->leave = to->is_due = to->wants = to->is_open = false;
	to->reopen.looks = from->reopen.looks = false;
	to->jobs_due = USEC_NEVER;
	to->retry_at = 0;
	to->came = now;
	mailbox_begin_load(to, now);
}

/* ---- trouble ---- */

/* The connection is good, only this mailbox cannot be opened: it is tried
 * again later, and others need not wait for it. */
void
mailbox_rove_refused(struct mailbox *mb, const struct error *error, usec_t now)
{
	usec_t wait = mailbox_login_wait(mb, error, now);

	mb->proven = false;
	mb->login.refusal = (struct imap_refusal){0};
	mb->retry_at = usec_add(now, wait);
	mailbox_report_trouble(mb, error, wait);
	mailbox_forget_work(mb, now);
	mailbox_emit_need(mb, MAILBOX_PROVEN);
	mailbox_rove_wait_outside(mb, now);
}

void
mailbox_rove_wait_outside(struct mailbox *mb, usec_t now)
{
	if (mailbox_rove_next(mb, now))
		return;
	if (mb->retry_at <= now) {
		mailbox_begin_load(mb, now);
		return;
	}
	if (mb->proof.doubted) {
		mailbox_proof_rests(mb, now);
		mailbox_rest_polling_timer(mb, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_POLLING, now);
	mb->timer = usec_min(mb->retry_at, usec_add(now, mailbox_poll(mb)));
}

/* The connection was lost here, and it is not this mailbox that makes it
 * anew. */
void
mailbox_rove_lost(struct mailbox *mb, const struct error *error, usec_t now)
{
	usec_t wait = mailbox_login_wait(mb, error, now);

	mb->proven = false;
	mailbox_report_trouble(mb, error, wait);
	mailbox_rove_park(mb, now);
	mb->jobs_due = mb->retry_at = usec_add(now, wait);
	mailbox_emit(
	    mb, (struct mailbox_event){.kind = MAILBOX_LOST, .wait = wait});
}

void
mailbox_start_in(struct mailbox *mb, usec_t wait, usec_t now)
{
	if (mb->state != MAILBOX_PARKED && mb->state != MAILBOX_RESTING)
		return;
	mb->parks = false;
	mb->came = now;
	mailbox_enter(mb, MAILBOX_WAITING, now);
	mb->timer = usec_add(now, mailbox_login_pace(mb, wait, now));
}

void
mailbox_learn(struct mailbox *mb, const char *name, const char *value)
{
	if (mb->config->dry_run)
		return;
	store_batch_set_fact(
	    mailbox_outcomes(mb), mb->config->account, name, value);
}

void
mailbox_learned(struct mailbox *mb)
{
	mailbox_flush_outcomes(mb);
}
