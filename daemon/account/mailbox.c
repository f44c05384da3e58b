#include "daemon/account/mailbox_private.h"

#include <assert.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

/* What a state does with the server's words and with the passing of time. */
struct state_row {
	const char *name;
	void (*untagged)(
	    struct mailbox *, const struct imap_response *, usec_t);
	void (*done)(struct mailbox *, const struct imap_response *, usec_t);
	void (*timer)(struct mailbox *, usec_t);
	usec_t limit; /* the timer's wait; USEC_NEVER: set by who enters */
	void (*hint)(struct mailbox *, usec_t);
};

static const struct state_row states[MAILBOX_STATES];

/* The only function that assigns the state. */
void
mailbox_enter(struct mailbox *mb, enum mailbox_state state, usec_t now)
{
	mb->state = state;
	mb->since = now;
	mb->timer = usec_add(now, states[state].limit);
	mb->command = 0;
	mb->is_idle = false;
}

int64_t
mailbox_unix(const struct mailbox *mb, usec_t now)
{
	return mb->clock_unix +
	       (int64_t)(usec_since(mb->clock_now, now) / USEC_SEC);
}

/* ---- beginning and ending a connection ---- */

void
mailbox_forget_work(struct mailbox *mb, usec_t now)
{
	mailbox_backlog_interrupted(mb);
	mailbox_follow_interrupted(mb);
	mailbox_ops_take_back(mb, now);
	mailbox_claim_interrupt(mb);
	mailbox_ops_clear(mb);
	mailbox_body_clear(mb);
	mailbox_resync_clear(mb);
	mailbox_rebuilt_clear(mb);
	mailbox_jobs_clear(mb);
	mailbox_forget_commits(mb);
	mailbox_flush_outcomes(mb);
}

static void
drop_session(struct mailbox *mb, usec_t now)
{
	if (mb->session != NULL || mb->state == MAILBOX_CONNECTING)
		mailbox_emit_need(mb, MAILBOX_DISCONNECT);
	imap_session_free(&mb->session);
	mailbox_round_clear(mb);
	mb->has_selected = mb->is_open = false;
	mb->idle_command = 0;
	mb->is_rushed = false;
	mailbox_forget_work(mb, now);
}

void
mailbox_report_trouble(
    struct mailbox *mb, const struct error *error, usec_t wait)
{
	bool is_same = strcmp(error_kept_text(mb->trouble), error->text) == 0;

	error_keep(&mb->trouble, error);
	mailbox_report(mb, REPORT_TROUBLE, 0, "%s", error->text);
	struct queued_event *last =
	    LIST_ITEM(mb->events.prev, struct queued_event, link);
	last->event.report->is_same = is_same;
	last->event.report->fault = error->fault;
	last->event.report->retry_in = wait;
}

static void
come_to_rest(struct mailbox *mb, usec_t now)
{
	bool again = mb->again, parks = mb->parks;

	mb->stopping = mb->again = mb->parks = mb->leave = false;
	mailbox_enter(mb, MAILBOX_RESTING, now);
	if (mb->visit != VISIT_NONE || mb->dismissed)
		mailbox_say_left(mb);
	else if (again)
		mailbox_start(mb, now);
	else if (parks)
		mailbox_rove_park(mb, now);
}

/* What the server asks for counts for all of the account. */
static void
say_login_failed(struct mailbox *mb, const struct error *error)
{
	usec_t wait = mb->login.refusal.wait;

	if (wait < MAILBOX_LOGIN_USEC)
		wait = MAILBOX_LOGIN_USEC;
	mailbox_emit(mb,
	    (struct mailbox_event){
		.kind = MAILBOX_LOGIN_FAILED, .wait = wait, .error = *error});
}

/* Whether this visit ends here, with words for who asked for it; else it is
 * tried again. */
static bool
ends_visit(const struct mailbox *mb, const struct error *error)
{
	bool is_opening =
	    mb->state == MAILBOX_LISTING || mb->state == MAILBOX_SELECTING;

	return mb->visit != VISIT_NONE &&
	       (!mailbox_backlog_is_unfinished(mb) ||
		   error->fault == FAULT_AUTH || error->fault == FAULT_CONFIG ||
		   (error->fault == FAULT_PEER && is_opening));
}

/* It goes on when the account is let in again. */
static bool
may_come_again(const struct mailbox *mb, const struct error *error)
{
	return error->fault == FAULT_AUTH && mb->login.tried &&
	       mailbox_backlog_may_wait(mb);
}

static void
end_visit(struct mailbox *mb, const struct error *error, usec_t now)
{
	mailbox_explain_fail(mb, error);
	mailbox_find_fail(mb, error);
	if (may_come_again(mb, error)) {
		mailbox_report_trouble(mb, error, USEC_NEVER);
	} else {
		error_keep(&mb->trouble, error);
		mailbox_backlog_end(mb, APPLY_ENDED, error->text, now);
	}
	if (mb->login.tried)
		say_login_failed(mb, error);
	come_to_rest(mb, now);
}

/* Backs off, and says so. */
static void
wait_for_next(struct mailbox *mb, const struct error *error, usec_t now)
{
	bool was_tried = mb->login.tried, had_more = !mb->login.again;
	usec_t wait =
	    mailbox_login_pace(mb, mailbox_login_wait(mb, error, now), now);
	bool is_another = had_more && mb->login.again;

	mailbox_enter(mb, MAILBOX_WAITING, now);
	mb->timer = usec_add(now, wait);
	mailbox_report_trouble(mb, error, mb->login.locked ? USEC_NEVER : wait);
	if (was_tried)
		say_login_failed(mb, error);
	if (error->fault == FAULT_AUTH && !is_another)
		mailbox_emit(
		    mb, (struct mailbox_event){
			    .kind = MAILBOX_LOCKED_OUT, .error = *error});
}

void
mailbox_fail(struct mailbox *mb, const struct error *error, usec_t now)
{
	struct error copy = *error; /* it may live in the session */
	bool was_leaving = mb->state == MAILBOX_LOGOUT;
	bool is_over = ends_visit(mb, error);

	mailbox_proof_lost(mb, &copy, now);
	mailbox_sweep_lost(mb);
	mailbox_preview_lost(mb);
	if (is_over && !was_leaving && !mb->stopping &&
	    !may_come_again(mb, &copy))
		mailbox_backlog_give_up(mb, copy.text, now);
	drop_session(mb, now);
	if (was_leaving || mb->stopping) {
		come_to_rest(mb, now);
		return;
	}
	if (mb->state == MAILBOX_WAITING || mb->state == MAILBOX_RESTING ||
	    mb->state == MAILBOX_PARKED)
		return; /* the transport's last words, after ours */
	mb->leave = false;
	if (is_over) {
		end_visit(mb, &copy, now);
		return;
	}
	if (mb->is_guest)
		mailbox_rove_lost(mb, &copy, now);
	else
		wait_for_next(mb, &copy, now);
	if (copy.fault == FAULT_LIMIT && !mb->proven)
		mailbox_emit_need(mb, MAILBOX_OVER_LIMIT);
}

static void
fail_with(struct mailbox *mb, usec_t now, enum fault fault, const char *text)
{
	struct error error = ERROR_INIT;

	error_set(&error, fault, "%s", text);
	mailbox_fail(mb, &error, now);
}

/* There may be a hundred for each account, nearly all idle: what only some of
 * them have belongs behind a pointer. */
static_assert(sizeof(struct mailbox) <= 1536, "an idle mailbox is too large");

usec_t
mailbox_renew(const struct mailbox *mb)
{
	return mb->config->renew != 0 ? mb->config->renew : MAILBOX_RENEW_USEC;
}

usec_t
mailbox_poll(const struct mailbox *mb)
{
	return mb->config->poll != 0 ? mb->config->poll : MAILBOX_POLL_USEC;
}

struct mailbox *
mailbox_new(const struct mailbox_config *config,
    const struct mailbox_which *which, const struct rules *rules,
    struct limits *limits, usec_t now)
{
	struct mailbox *mb = NEW(struct mailbox);

	mb->config = config;
	mb->name = which->name;
	mb->visit = which->visit;
	mb->limits = limits;
	random_init(&mb->random, config->seed + which->number);
	backoff_init(&mb->backoff, &mb->random);
	list_init(&mb->jobs);
	list_init(&mb->ops);
	list_init(&mb->tasks);
	list_init(&mb->chores);
	list_init(&mb->forwards);
	list_init(&mb->commits);
	list_init(&mb->events);
	folders_init(&mb->folders);
	mb->clock_now = now;
	mailbox_proof_init(mb);
	mailbox_follow_clear(mb);
	mailbox_set_rules(mb, rules);
	mailbox_enter(mb, MAILBOX_RESTING, now);
	return mb;
}

void
mailbox_free(struct mailbox **mailbox)
{
	struct mailbox *mb = *mailbox;

	if (mb == NULL)
		return;
	*mailbox = NULL;
	imap_session_free(&mb->session);
	mailbox_claim_interrupt(mb);
	mailbox_claim_clear(mb);
	mailbox_seek_done(mb);
	mailbox_ops_clear(mb);
	mailbox_body_clear(mb);
	mailbox_twin_free(mb);
	mailbox_rebuilt_clear(mb);
	mailbox_jobs_clear(mb);
	mailbox_verify_forget_looks(mb);
	LIST_EACH(pos, &mb->tasks)
	{
		list_remove(pos);
		free(LIST_ITEM(pos, struct task, link));
	}
	mailbox_drop_commits(mb);
	mailbox_follow_clear(mb);
	mailbox_resync_clear(mb);
	mailbox_audit_clear(mb);
	mailbox_suspensions_clear(mb);
	told_done(&mb->told);
	error_forget(&mb->trouble);
	LIST_EACH(pos, &mb->events)
	{
		struct queued_event *queued =
		    LIST_ITEM(pos, struct queued_event, link);
		mailbox_event_done(&queued->event);
		free(queued);
	}
	mailbox_backlog_free(mb);
	mailbox_round_clear(mb);
	mailbox_explain_free(mb);
	mailbox_find_free(mb);
	mailbox_preview_free(mb);
	mailbox_drop_batch(mb, &mb->plan);
	store_batch_free(&mb->outcomes);
	folders_done(&mb->folders);
	free(mb->permanent_flags);
	buf_done(&mb->wire);
	imap_seqset_done(&mb->window_seen);
	imap_seqset_done(&mb->above);
	imap_seqset_done(&mb->retry);
	mailbox_forget_first_half(mb);
	mailbox_forget_met(mb);
	free(mb);
}

void
mailbox_set_rules(struct mailbox *mb, const struct rules *rules)
{
	mb->rules = rules;
	mailbox_suspensions_clear(mb);
	mb->stale = mb->state == MAILBOX_SWEEPING ||
		    mb->state == MAILBOX_READING ||
		    mb->state == MAILBOX_REVIEWING;
	rules_get_needs(rules, mb->config->account, &mb->needs);
}

void
mailbox_set_clock(
    struct mailbox *mb, int64_t now_unix, int utc_offset, usec_t now)
{
	mb->clock_unix = now_unix;
	mb->clock_now = now;
	mb->utc_offset = utc_offset;
}

void
mailbox_start(struct mailbox *mb, usec_t now)
{
	mailbox_login_forgive(mb);
	mb->parks = false;
	mb->came = now;
	if (mb->state == MAILBOX_RESTING || mb->state == MAILBOX_WAITING ||
	    mb->state == MAILBOX_PARKED)
		mailbox_begin_load(mb, now);
	else if (mb->state == MAILBOX_LOGOUT)
		mb->again = true;
}

void
mailbox_hold(struct mailbox *mb, usec_t until, usec_t now)
{
	if ((mb->state != MAILBOX_CONNECTING && mb->state != MAILBOX_LOGIN) ||
	    mb->login.tried)
		return;
	drop_session(mb, now);
	mb->login.by_network = false;
	mailbox_enter(mb, MAILBOX_WAITING, now);
	mb->timer = until;
}

void
mailbox_stop(struct mailbox *mb, usec_t now)
{
	mb->stopping = true;
	mb->again = mb->parks = false;
	mb->is_known = false; /* what is left to do is read when it parks */
	if (mb->state == MAILBOX_IDLE || mb->state == MAILBOX_POLLING ||
	    mb->state == MAILBOX_LEAVING) {
		if (mb->state == MAILBOX_IDLE)
			imap_session_idle_done(mb->session, now);
		mailbox_log_out(mb, now);
		return;
	}
	bool was_resting = mb->state == MAILBOX_RESTING;
	drop_session(mb, now);
	mb->stopping = false;
	if (!was_resting)
		come_to_rest(mb, now);
}

void
mailbox_dismiss(struct mailbox *mb, usec_t now)
{
	bool was_resting = mb->state == MAILBOX_RESTING;

	mb->dismissed = true;
	mailbox_stop(mb, now);
	if (was_resting)
		mailbox_say_left(mb);
}

bool
mailbox_become(struct mailbox *mb, enum mailbox_visit visit, usec_t now)
{
	if (mb->has_left)
		return false;
	mb->dismissed = mb->leaves = false;
	mb->last_tries = 0;
	mb->visit = VISIT_NONE; /* else it would leave */
	if (mb->state != MAILBOX_RESTING)
		mailbox_stop(mb, now);
	mb->visit = visit;
	mb->is_known = false;
	return true;
}

/* ---- answers of the owner ---- */

void
mailbox_loaded(
    struct mailbox *mb, const struct store_cursor *cursor, usec_t now)
{
	bool parked = mb->state == MAILBOX_PARKED;

	if (mb->state != MAILBOX_LOADING && !parked)
		return;
	if (mb->visit != VISIT_NONE) {
		mb->has_cursor = false;
	} else if (!mb->config->dry_run || !mb->has_cursor) {
		mb->has_cursor = cursor != NULL;
		mb->cursor_validity = cursor != NULL ? cursor->uidvalidity : 0;
		mb->cursor = cursor != NULL ? cursor->next_uid : 0;
		mb->cursor_modseq = cursor != NULL ? cursor->modseq : 0;
		mailbox_chunk_begin(mb, cursor);
	}
	mb->is_known = true;
	if (parked) {
		mailbox_rove_loaded(mb, now);
		return;
	}
	mailbox_verify_forget_looks(mb);
	mailbox_act_resume(mb, now);
	mailbox_backlog_heed_cancel(mb, now);
	if (mb->session != NULL) {
		mailbox_open_visit(mb, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_CONNECTING, now);
	mailbox_emit_need(mb, MAILBOX_CONNECT);
}

void
mailbox_load_failed(struct mailbox *mb, const struct error *error, usec_t now)
{
	if (mb->state == MAILBOX_LOADING)
		mailbox_fail(mb, error, now);
}

void
mailbox_connected(struct mailbox *mb, usec_t now)
{
	if (mb->state != MAILBOX_CONNECTING)
		return;
	mailbox_login_choose(mb);
	const struct imap_session_config config = mailbox_login_config(mb);
	mb->session = imap_session_new(&config, now);
	mb->proven = mb->is_open = false;
	mb->reopen.repeats = mb->reopen.looks = false;
	mb->alerts = 0;
	mailbox_enter(mb, MAILBOX_LOGIN, now);
}

void
mailbox_connect_waits(struct mailbox *mb, bool waits, usec_t now)
{
	if (mb->state == MAILBOX_CONNECTING)
		mb->timer = usec_add(
		    now, waits ? MAILBOX_QUEUE_USEC : MAILBOX_CONNECT_USEC);
}

void
mailbox_connect_failed(
    struct mailbox *mb, const struct error *error, usec_t now)
{
	if (mb->session != NULL || mb->state == MAILBOX_CONNECTING)
		mailbox_fail(mb, error, now);
}

static void drain(struct mailbox *mb, usec_t now);

void
mailbox_tls_started(struct mailbox *mb, usec_t now)
{
	if (mb->session == NULL)
		return;
	imap_session_tls_started(mb->session, now);
	drain(mb, now);
}

void
mailbox_once(struct mailbox *mb, const struct sasl_once *once)
{
	if (mb->session != NULL)
		imap_session_once(mb->session, once);
}

void
mailbox_secret(struct mailbox *mb, struct span secret, usec_t now)
{
	if (mb->state == MAILBOX_WAITING && mb->login.locked)
		mailbox_login_looked(mb, secret, now);
	if (mb->session == NULL)
		return;
	mailbox_login_begins(mb, secret);
	imap_session_secret(mb->session, secret, now);
	drain(mb, now);
}

void
mailbox_secret_failed(struct mailbox *mb, const struct error *error, usec_t now)
{
	if (mb->session != NULL && mb->state == MAILBOX_LOGIN)
		mailbox_fail(mb, error, now);
}

/* ---- commands ---- */

void
mailbox_begin_command(
    struct mailbox *mb, struct imap_command *command, const char *name)
{
	imap_session_command(mb->session, command, name);
}

void
mailbox_send(struct mailbox *mb, struct imap_command *command, usec_t now)
{
	unsigned id = imap_session_send(mb->session, command, now);

	if (mb->op != NULL) {
		mb->op->command = id;
		mb->op->is_crowded = mb->op_count > 1;
	} else {
		mb->command = id;
	}
	if (id == 0)
		fail_with(mb, now, FAULT_LIMIT,
		    "a command could not be written: a name in it is too "
		    "long or holds bytes that IMAP does not allow");
}

static void
waiting_timer(struct mailbox *mb, usec_t now)
{
	if (mb->login.locked)
		mailbox_login_look(mb, now);
	else
		mailbox_begin_load(mb, now);
}

static void
owner_timer(struct mailbox *mb, usec_t now)
{
	fail_with(mb, now, FAULT_RETRY, "no connection in time");
}

/* ---- the table ---- */

/* clang-format off */
static const struct state_row states[MAILBOX_STATES] = {
	[MAILBOX_RESTING] = {"stopped", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_PARKED] =
	    {"watching", NULL, NULL, mailbox_rove_timer, USEC_NEVER,
	    mailbox_rove_timer},
	[MAILBOX_WAITING] = {"waiting", NULL, NULL, waiting_timer, USEC_NEVER,
	    mailbox_hint_waiting},
	[MAILBOX_LOADING] = {"loading", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_CONNECTING] =
	    {"connecting", NULL, NULL, owner_timer, MAILBOX_CONNECT_USEC,
	    mailbox_hint_connecting},
	[MAILBOX_LOGIN] = {"logging in", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_NAMESPACES] =
	    {"listing", mailbox_open_names_untagged, mailbox_open_namespaces_done, NULL, USEC_NEVER},
	[MAILBOX_LISTING] =
	    {"listing", mailbox_open_names_untagged, mailbox_open_listing_done, NULL, USEC_NEVER},
	[MAILBOX_SELECTING] =
	    {"opening", mailbox_open_selecting_untagged, mailbox_open_selecting_done, NULL, USEC_NEVER},
	[MAILBOX_DATING] = {"catching up", mailbox_early_untagged,
	    mailbox_early_done, NULL, USEC_NEVER},
	[MAILBOX_HIGHEST] = {"catching up", mailbox_highest_untagged,
	    mailbox_highest_done, NULL, USEC_NEVER},
	[MAILBOX_RECALLING] = {"catching up", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_TRACING] = {"catching up", mailbox_rebuilt_note_found,
	    mailbox_rebuilt_searched, NULL, USEC_NEVER},
	[MAILBOX_MATCHING] = {"catching up", mailbox_rebuilt_note_message,
	    mailbox_rebuilt_matched, NULL, USEC_NEVER},
	[MAILBOX_SWEEPING] = {"catching up", mailbox_sweep_untagged,
	    mailbox_sweep_done, NULL, USEC_NEVER},
	[MAILBOX_READING] = {"reading", mailbox_body_untagged,
	    mailbox_body_done, NULL, USEC_NEVER},
	[MAILBOX_SEARCHING] = {"applying", mailbox_backlog_note_found,
	    mailbox_backlog_searched, NULL, USEC_NEVER},
	[MAILBOX_REVIEWING] = {"applying", mailbox_backlog_untagged,
	    mailbox_backlog_done, NULL, USEC_NEVER},
	[MAILBOX_MISSING] = {"applying", mailbox_missing_note_there,
	    mailbox_missing_looked, NULL, USEC_NEVER},
	[MAILBOX_EXPLAINING] = {"explaining", mailbox_explain_untagged,
	    mailbox_explain_done, NULL, USEC_NEVER},
	[MAILBOX_FINDING] = {"searching", mailbox_find_untagged,
	    mailbox_find_done, NULL, USEC_NEVER},
	[MAILBOX_PREVIEWING] = {"reading", mailbox_preview_untagged,
	    mailbox_preview_done, NULL, USEC_NEVER},
	[MAILBOX_COMMITTING] = {"writing", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_ACTING] = {"acting", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_RESYNCING] = {"checking", mailbox_resync_untagged,
	    mailbox_resync_done, NULL, USEC_NEVER},
	[MAILBOX_AUDITING] = {"checking", mailbox_audit_untagged,
	    mailbox_audit_done, NULL, USEC_NEVER},
	[MAILBOX_FOLLOWING] = {"checking", mailbox_follow_untagged,
	    mailbox_follow_done, NULL, USEC_NEVER},
	[MAILBOX_IDLE] =
	    {"watching", mailbox_rest_idle_untagged, mailbox_rest_idle_done, mailbox_rest_idle_timer, USEC_NEVER,
	    mailbox_wake},
	[MAILBOX_IDLE_END] = {"checking", NULL, mailbox_rest_idle_done, NULL, USEC_NEVER},
	[MAILBOX_POLLING] =
	    {"watching", NULL, NULL, mailbox_rest_polling_timer, USEC_NEVER,
	    mailbox_wake},
	[MAILBOX_NOOP] = {"checking", NULL, mailbox_rest_noop_done, NULL, USEC_NEVER},
	[MAILBOX_ASKING] = {"checking", mailbox_ask_untagged, NULL, NULL,
	    USEC_NEVER},
	[MAILBOX_NOTIFYING] = {"checking", NULL, mailbox_rove_notifying_done,
	    NULL, USEC_NEVER},
	[MAILBOX_LEAVING] = {"watching", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_LOGOUT] = {"logging out", NULL, NULL, NULL, USEC_NEVER},
};
/* clang-format on */

void
mailbox_act_on_hint(struct mailbox *mb, usec_t now)
{
	if (states[mb->state].hint != NULL)
		states[mb->state].hint(mb, now);
}

/* ---- events of the session ---- */

/* In IDLE any other number tells that something happened: one that was wrong
 * must not hide the message that makes it right. */
static void
read_exists(struct mailbox *mb, uint64_t number, usec_t now)
{
	bool idles = mb->state == MAILBOX_IDLE;

	if (number > mb->exists || (idles && number != mb->exists))
		mb->dirty = mb->newer = true;
	if (mb->is_open && number > mb->exists)
		mailbox_reopen_told(mb);
	if (idles && number > mb->exists)
		mailbox_proof_pushed(mb);
	if (idles && number == mb->exists && !mb->expunged)
		mailbox_rest_echo(mb, now);
	mb->expunged = false;
	mb->exists = number;
}

/* What may come at any time once a mailbox is open. */
static void
read_news(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (!response->has_number)
		return;
	if (span_is_nocase(response->name, "EXISTS")) {
		read_exists(mb, response->number, now);
	} else if (span_is_nocase(response->name, "EXPUNGE")) {
		mb->expunged = true;
		if (mb->exists > 0 && response->number > 0)
			mb->exists--;
	}
}

static void
on_untagged(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	mailbox_rove_pushed(mb, &event->response, now);
	if (mb->state == MAILBOX_SWEEPING)
		mailbox_sweep_heard(mb, &event->response);
	if (!mailbox_is_elsewhere(mb)) {
		read_news(mb, &event->response, now);
		mailbox_resync_news(mb, &event->response, now);
		mailbox_reopen_untagged(mb, &event->response, now);
	}
	mailbox_act_untagged(mb, &event->response, now);
	if (states[mb->state].untagged != NULL)
		states[mb->state].untagged(mb, &event->response, now);
}

static void
on_done(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	if (mb->idle_command != 0) {
		if (!mailbox_rest_rush_done(mb, event))
			fail_with(mb, now, FAULT_PEER,
			    "the server answered a command before the end of "
			    "IDLE");
		return;
	}
	if (mailbox_act_done(mb, event->id, &event->response, now) ||
	    mailbox_ask_done(mb, event->id, &event->response, now) ||
	    event->id != mb->command)
		return; /* ... or of a state that was left */
	mb->command = 0;
	if (states[mb->state].done != NULL)
		states[mb->state].done(mb, &event->response, now);
}

static void
on_idling(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	if (mb->state != MAILBOX_IDLE)
		return;
	mb->is_idle = true;
	if (mb->dirty)
		mailbox_wake(mb, now);
}

static void
on_starttls(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	(void)now;
	mailbox_emit_need(mb, MAILBOX_STARTTLS);
}

static void
on_secret(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	(void)now;
	mailbox_emit_need(mb, MAILBOX_SECRET);
}

static void
on_session_ready(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	mb->proven = mb->idle_refused = false;
	if (imap_session_is_scram_useless(mb->session))
		mb->login.no_scram = true;
	mailbox_login_succeeded(mb, now);
	mailbox_open(mb, now);
}

static void
on_alert(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	str_sanitize(&text, event->text, 500);
	if (mb->alerts >= MAILBOX_ALERTS_MAX ||
	    told_before(&mb->told, buf_span(&text), now))
		return;
	mb->alerts++;
	mailbox_report(mb, REPORT_ALERT, 0, "%s", buf_str(&text));
}

static void
on_closed(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	drop_session(mb, now);
	come_to_rest(mb, now);
}

static void
on_failed(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	mb->login.refusal = event->refusal;
	mb->login.is_bye = event->is_bye;
	mailbox_fail(mb, event->error, now);
}

static void (*const on_event[])(
    struct mailbox *, const struct imap_event *, usec_t) = {
    [IMAP_EVENT_STARTTLS] = on_starttls,
    [IMAP_EVENT_SECRET] = on_secret,
    [IMAP_EVENT_READY] = on_session_ready,
    [IMAP_EVENT_UNTAGGED] = on_untagged,
    [IMAP_EVENT_DONE] = on_done,
    [IMAP_EVENT_IDLING] = on_idling,
    [IMAP_EVENT_ALERT] = on_alert,
    [IMAP_EVENT_CLOSED] = on_closed,
    [IMAP_EVENT_FAILED] = on_failed,
};

static void
drain(struct mailbox *mb, usec_t now)
{
	struct imap_event event;

	while (mb->session != NULL &&
	       imap_session_next_event(mb->session, &event, now))
		on_event[event.kind](mb, &event, now);
	if (mb->session != NULL)
		mb->heard = imap_session_heard(mb->session);
}

/* ---- the engine's calls ---- */

void
mailbox_feed(struct mailbox *mb, struct span bytes, usec_t now)
{
	if (mb->session == NULL)
		return;
	imap_session_feed(mb->session, bytes, now);
	drain(mb, now);
}

void
mailbox_eof(struct mailbox *mb, usec_t now)
{
	if (mb->session == NULL)
		return;
	imap_session_eof(mb->session, now);
	drain(mb, now);
}

struct span
mailbox_output(const struct mailbox *mb)
{
	return mb->session != NULL ? imap_session_output(mb->session)
				   : SPAN_EMPTY;
}

void
mailbox_sent(struct mailbox *mb, size_t len)
{
	if (mb->session != NULL)
		imap_session_sent(mb->session, len);
}

usec_t
mailbox_deadline(const struct mailbox *mb)
{
	usec_t deadline = usec_min(mb->timer, mb->proof.hint_at);

	if (mb->session != NULL)
		deadline =
		    usec_min(deadline, imap_session_deadline(mb->session));
	if (mb->state == MAILBOX_IDLE || mb->state == MAILBOX_POLLING) {
		deadline = usec_min(deadline, mailbox_act_deadline(mb));
		deadline = usec_min(deadline, mailbox_follow_deadline(mb));
		deadline = usec_min(deadline, mailbox_twin_deadline(mb));
	}
	if (mb->state == MAILBOX_PARKED)
		deadline = usec_min(deadline, mailbox_rove_deadline(mb));
	return deadline;
}

void
mailbox_tick(struct mailbox *mb, usec_t now)
{
	if (mb->session != NULL) {
		imap_session_tick(mb->session, now);
		drain(mb, now);
	}
	if (mb->timer <= now && states[mb->state].timer != NULL) {
		mb->timer = USEC_NEVER;
		states[mb->state].timer(mb, now);
	}
	mailbox_proof_tick(mb, now);
	if (mailbox_act_is_due(mb, now) || mailbox_follow_deadline(mb) <= now ||
	    mailbox_twin_deadline(mb) <= now)
		mailbox_wake(mb, now);
	if (mb->state == MAILBOX_PARKED)
		mailbox_rove_tick(mb, now);
}

bool
mailbox_has_event(const struct mailbox *mb)
{
	return !list_is_empty(&mb->events);
}

bool
mailbox_next_event(
    struct mailbox *mb, struct mailbox_event *event_r, usec_t now)
{
	(void)now;
	if (list_is_empty(&mb->events))
		return false;
	struct queued_event *queued =
	    LIST_ITEM(mb->events.next, struct queued_event, link);
	list_remove(&queued->link);
	*event_r = queued->event;
	free(queued);
	return true;
}

static struct task *
find_task(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, unsigned seq)
{
	LIST_EACH(pos, &mb->tasks)
	{
		struct task *task = LIST_ITEM(pos, struct task, link);
		if (task->uidvalidity == uidvalidity && task->uid == uid &&
		    task->seq == seq)
			return task;
	}
	return NULL;
}

void
mailbox_task_done(struct mailbox *mb, uint32_t uidvalidity, uint32_t uid,
    unsigned seq, enum effect_state state, const char *detail, usec_t now)
{
	struct task *task = find_task(mb, uidvalidity, uid, seq);

	if (task == NULL)
		return;
	list_remove(&task->link);
	free(task);
	mailbox_act_task_done(mb, uidvalidity, uid, seq, state, detail, now);
	mailbox_flush_outcomes_together(mb);
	if (mailbox_act_is_due(mb, now) || mailbox_backlog_is_unfinished(mb))
		mailbox_wake(mb, now);
	mailbox_rove_task_done(mb, now);
}

bool
mailbox_has_task(
    struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, unsigned seq)
{
	return find_task(mb, uidvalidity, uid, seq) != NULL;
}

static const char *const watch_names[WATCH_KINDS] = {
    [WATCH_NOT] = "no",
    [WATCH_IDLE] = "idle",
    [WATCH_NOTIFY] = "notify",
    [WATCH_POLL] = "poll",
};

const char *
mailbox_watch_name(enum mailbox_watch watch)
{
	assert(watch < WATCH_KINDS);
	return watch_names[watch];
}

static enum mailbox_watch
watch_of(const struct mailbox *mb)
{
	switch (mb->state) {
	case MAILBOX_IDLE:
		return WATCH_IDLE;
	case MAILBOX_PARKED:
		return mb->is_pushed ? WATCH_NOTIFY : WATCH_POLL;
	case MAILBOX_POLLING:
	case MAILBOX_NOOP:
		return mb->is_open ? WATCH_POLL : WATCH_NOT;
	default:
		return WATCH_NOT;
	}
}

static const char *
state_name(const struct mailbox *mb)
{
	bool rests = mb->state == MAILBOX_PARKED ||
		     (mb->state == MAILBOX_POLLING && !mb->is_open);

	/* Nobody has seen it yet, or it cannot be opened. */
	if (rests && (!mb->has_cursor || mb->trouble != NULL))
		return states[MAILBOX_WAITING].name;
	return states[mb->state].name;
}

void
mailbox_get_status(const struct mailbox *mb, struct mailbox_status *status_r)
{
	bool rests = mb->state == MAILBOX_IDLE || mb->state == MAILBOX_POLLING;
	bool parked = mb->state == MAILBOX_PARKED;
	enum mailbox_watch watch = watch_of(mb);

	*status_r = (struct mailbox_status){
	    .name = mb->name,
	    .state = state_name(mb),
	    .since = mb->since,
	    .proven = mb->heard,
	    .next_try = mb->state == MAILBOX_WAITING && !mb->login.locked
			    ? mb->timer
			    : USEC_NEVER,
	    .trouble = error_kept_text(mb->trouble),
	    .fault = error_kept_fault(mb->trouble),
	    .uidvalidity = mb->cursor_validity,
	    .next_uid = mb->cursor,
	    .jobs = parked ? mb->jobs_left : mb->job_count,
	    .idle = mb->is_idle,
	    .next_proof = rests || parked ? mb->timer : USEC_NEVER,
	    .renew = mb->proof.renew,
	    .renew_set = mailbox_renew(mb),
	    .missed = mb->proof.missed,
	    .deaf = mb->proof.deaf,
	    .is_connected = mb->session != NULL,
	    .watch = watch,
	    .every = watch != WATCH_POLL ? 0
		     : parked		 ? mailbox_rove_interval(mb)
					 : mailbox_poll(mb),
	    .unread = mailbox_follow_unread(mb),
	};
}

bool
mailbox_is_stuck(const struct mailbox *mb, usec_t now)
{
	usec_t deadline = mailbox_deadline(mb);

	if (deadline == USEC_NEVER)
		return mb->state != MAILBOX_RESTING && !mb->commit_pending;
	return usec_add(deadline, MAILBOX_STUCK_USEC) < now;
}

bool
mailbox_tries_login_again(const struct mailbox *mb)
{
	return mb->login.again && !mb->login.locked &&
	       (mb->state == MAILBOX_WAITING || mb->state == MAILBOX_LOADING ||
		   mb->state == MAILBOX_CONNECTING ||
		   mb->state == MAILBOX_LOGIN);
}

bool
mailbox_is_resting(const struct mailbox *mb)
{
	return mb->state == MAILBOX_RESTING;
}

const char *
mailbox_name(const struct mailbox *mb)
{
	return mb->name;
}

const struct folders *
mailbox_folders(const struct mailbox *mb)
{
	return &mb->folders;
}

const char *
mailbox_wire_name(const struct mailbox *mb)
{
	return mb->wire.len > 0 ? buf_str(&mb->wire) : NULL;
}

ENGINE_CLASS(mailbox, "mailbox");
