#include "daemon/account/mailbox_private.h"

#include <assert.h>
#include <stdarg.h>

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
};

static const struct state_row states[MAILBOX_STATES];

static const char *const report_names[REPORT_KINDS] = {
    [REPORT_CONNECTED] = "connected",
    [REPORT_WATCHING] = "watching",
    [REPORT_FIRST_CONTACT] = "first-contact",
    [REPORT_JUDGED] = "judged",
    [REPORT_DONE] = "done",
    [REPORT_REFUSED] = "refused",
    [REPORT_TROUBLE] = "trouble",
    [REPORT_WARNING] = "warning",
    [REPORT_ALERT] = "alert",
};

const char *
report_kind_name(enum report_kind kind)
{
	assert(kind < REPORT_KINDS);
	return report_names[kind];
}

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

/* ---- events ---- */

void
mailbox_emit(struct mailbox *mb, struct mailbox_event event)
{
	struct queued_event *queued = NEW(struct queued_event);

	queued->event = event;
	list_add(&mb->events, &queued->link);
}

static void report(struct mailbox *mb, enum report_kind kind, uint32_t uid,
    const char *format, va_list args) __attribute__((format(printf, 4, 0)));

static void
report(struct mailbox *mb, enum report_kind kind, uint32_t uid,
    const char *format, va_list args)
{
	struct mailbox_report *made = NEW(struct mailbox_report);
	BUF_AUTO text = BUF_INIT;

	buf_vaddf(&text, format, args);
	made->kind = kind;
	made->uid = uid;
	made->text = buf_take_str(&text);
	made->retry_in = USEC_NEVER;
	mailbox_emit(
	    mb, (struct mailbox_event){.kind = MAILBOX_REPORT, .report = made});
}

void
mailbox_report(struct mailbox *mb, enum report_kind kind, uint32_t uid,
    const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(mb, kind, uid, format, args);
	va_end(args);
}

void
mailbox_warn(struct mailbox *mb, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	report(mb, REPORT_WARNING, 0, format, args);
	va_end(args);
}

static void
report_free(struct mailbox_report *old)
{
	if (old == NULL)
		return;
	free(old->text);
	free(old->from);
	free(old->subject);
	free(old->rules);
	free(old);
}

static void
task_content_free(struct mailbox_task *task)
{
	if (task == NULL)
		return;
	action_done(&task->action);
	buf_done(&task->input);
	strv_done(&task->environment);
	free(task->from);
	free(task->subject);
	free(task->message_id);
	free(task);
}

void
mailbox_event_done(struct mailbox_event *event)
{
	task_content_free(event->task);
	report_free(event->report);
	*event = (struct mailbox_event){0};
}

static void
emit(struct mailbox *mb, enum mailbox_event_kind kind)
{
	mailbox_emit(mb, (struct mailbox_event){.kind = kind});
}

/* ---- commits ---- */

static struct mailbox_commit *
first_commit(struct mailbox *mb)
{
	return LIST_ITEM(mb->commits.next, struct mailbox_commit, link);
}

static void
free_commit(struct mailbox_commit *commit)
{
	list_remove(&commit->link);
	store_batch_free(&commit->batch);
	free(commit);
}

/* Hands out the first commit of the queue, if none is under way. */
static void
hand_out_commit(struct mailbox *mb)
{
	if (mb->commit_pending || list_is_empty(&mb->commits))
		return;
	mailbox_emit(mb, (struct mailbox_event){.kind = MAILBOX_COMMIT,
			     .batch = first_commit(mb)->batch});
	mb->commit_pending = true;
}

void
mailbox_commit(
    struct mailbox *mb, enum commit_purpose purpose, struct store_batch *batch)
{
	struct mailbox_commit *commit = NEW(struct mailbox_commit);

	commit->purpose = purpose;
	commit->batch = batch;
	list_add(&mb->commits, &commit->link);
	hand_out_commit(mb);
}

void
mailbox_flush_outcomes(struct mailbox *mb)
{
	if (mb->outcomes == NULL)
		return;
	mailbox_commit(mb, COMMIT_OUTCOME, mb->outcomes);
	mb->outcomes = NULL;
}

/* Plans and intents that were not handed out yet are forgotten; one that was
 * will be answered, and its answer means nothing any more. Outcomes stay:
 * what was done was done. */
static void
forget_commits(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->commits)
	{
		struct mailbox_commit *commit =
		    LIST_ITEM(pos, struct mailbox_commit, link);
		if (commit->purpose == COMMIT_OUTCOME)
			continue;
		if (mb->commit_pending && commit == first_commit(mb))
			commit->purpose = COMMIT_FORGOTTEN;
		else
			free_commit(commit);
	}
	store_batch_free(&mb->plan);
}

/* The store is read only when everything that was on its way is there. */
static void
ask_to_load(struct mailbox *mb)
{
	if (mb->state == MAILBOX_LOADING && !mb->load_asked &&
	    list_is_empty(&mb->commits)) {
		mb->load_asked = true;
		emit(mb, MAILBOX_LOAD);
	}
}

static void
begin_load(struct mailbox *mb, usec_t now)
{
	mailbox_enter(mb, MAILBOX_LOADING, now);
	mb->load_asked = false;
	hand_out_commit(mb); /* an outcome that could not be written */
	ask_to_load(mb);
}

/* The intent or plan is not on disk: nothing of it may happen. An outcome is
 * tried again at the next begin_load. */
static void
commit_failed(struct mailbox *mb, const struct error *error, usec_t now)
{
	struct error failure = ERROR_INIT;

	if (first_commit(mb)->purpose != COMMIT_OUTCOME)
		free_commit(first_commit(mb));
	error_set(&failure, FAULT_LOCAL, "journal: %s", error->text);
	mailbox_fail(mb, &failure, now);
}

void
mailbox_committed(
    struct mailbox *mb, bool ok, const struct error *error, usec_t now)
{
	assert(mb->commit_pending && !list_is_empty(&mb->commits));
	enum commit_purpose purpose = first_commit(mb)->purpose;

	mb->commit_pending = false;
	if (!ok) {
		commit_failed(mb, error, now);
		return;
	}
	free_commit(first_commit(mb));
	if (purpose == COMMIT_PLAN)
		mailbox_sweep_committed(mb, now);
	else if (purpose == COMMIT_STARTED)
		mailbox_act_committed(mb, now);
	else if (purpose == COMMIT_FORGOTTEN)
		emit(mb, MAILBOX_QUEUED); /* it may have been a forward */
	hand_out_commit(mb);
	ask_to_load(mb);
}

/* ---- beginning and ending a connection ---- */

static void
drop_session(struct mailbox *mb, usec_t now)
{
	if (mb->session != NULL || mb->state == MAILBOX_CONNECTING)
		emit(mb, MAILBOX_DISCONNECT);
	imap_session_free(&mb->session);
	mailbox_op_take_back(mb, now);
	mailbox_op_reset(mb);
	mailbox_jobs_clear(mb);
	forget_commits(mb);
	mailbox_flush_outcomes(mb);
}

static void
report_trouble(struct mailbox *mb, const struct error *error, usec_t wait)
{
	mailbox_report(mb, REPORT_TROUBLE, 0, "%s", error->text);
	struct queued_event *last =
	    LIST_ITEM(mb->events.prev, struct queued_event, link);
	last->event.report->retry_in = wait;
}

void
mailbox_fail(struct mailbox *mb, const struct error *error, usec_t now)
{
	struct error copy = *error; /* it may live in the session */
	bool was_leaving = mb->state == MAILBOX_LOGOUT;

	drop_session(mb, now);
	if (was_leaving || mb->stopping) {
		mb->stopping = false;
		mailbox_enter(mb, MAILBOX_RESTING, now);
		return;
	}
	if (mb->state == MAILBOX_WAITING || mb->state == MAILBOX_RESTING)
		return; /* the transport's last words, after ours */
	usec_t wait =
	    backoff_failed(&mb->backoff, backoff_cause_of(copy.fault));
	mb->trouble = copy;
	mailbox_enter(mb, MAILBOX_WAITING, now);
	mb->timer = usec_add(now, wait);
	report_trouble(mb, &copy, wait);
	if (copy.fault == FAULT_AUTH)
		mailbox_emit(
		    mb, (struct mailbox_event){
			    .kind = MAILBOX_LOCKED_OUT, .error = copy});
}

static void
fail_with(struct mailbox *mb, usec_t now, enum fault fault, const char *text)
{
	struct error error = ERROR_INIT;

	error_set(&error, fault, "%s", text);
	mailbox_fail(mb, &error, now);
}

struct mailbox *
mailbox_new(const struct mailbox_config *config, const struct rules *rules,
    struct limits *limits, usec_t now)
{
	struct mailbox *mb = NEW(struct mailbox);

	mb->config = *config;
	if (mb->config.renew == 0)
		mb->config.renew = MAILBOX_RENEW_USEC;
	if (mb->config.poll == 0)
		mb->config.poll = MAILBOX_POLL_USEC;
	mb->config.imap.literal_max = MAILBOX_HEADER_MAX;
	mb->limits = limits;
	random_init(&mb->random, config->seed);
	backoff_init(&mb->backoff, &mb->random);
	list_init(&mb->jobs);
	list_init(&mb->tasks);
	list_init(&mb->commits);
	list_init(&mb->events);
	folders_init(&mb->folders);
	mb->clock_now = now;
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
	mailbox_op_reset(mb);
	mailbox_jobs_clear(mb);
	LIST_EACH(pos, &mb->tasks)
	{
		list_remove(pos);
		free(LIST_ITEM(pos, struct task, link));
	}
	LIST_EACH(pos, &mb->commits)
	free_commit(LIST_ITEM(pos, struct mailbox_commit, link));
	LIST_EACH(pos, &mb->events)
	{
		struct queued_event *queued =
		    LIST_ITEM(pos, struct queued_event, link);
		mailbox_event_done(&queued->event);
		free(queued);
	}
	store_batch_free(&mb->plan);
	store_batch_free(&mb->outcomes);
	rules_needs_done(&mb->needs);
	folders_done(&mb->folders);
	strv_done(&mb->permanent_flags);
	buf_done(&mb->wire);
	imap_seqset_done(&mb->window_seen);
	free(mb);
}

void
mailbox_set_rules(struct mailbox *mb, const struct rules *rules)
{
	mb->rules = rules;
	rules_needs_done(&mb->needs);
	rules_get_needs(rules, mb->config.account, &mb->needs);
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
	if (mb->state == MAILBOX_RESTING || mb->state == MAILBOX_WAITING)
		begin_load(mb, now);
}

static void
log_out(struct mailbox *mb, usec_t now)
{
	mailbox_enter(mb, MAILBOX_LOGOUT, now);
	imap_session_logout(mb->session, now);
}

void
mailbox_stop(struct mailbox *mb, usec_t now)
{
	mb->stopping = true;
	if (mb->state == MAILBOX_IDLE || mb->state == MAILBOX_POLLING) {
		if (mb->state == MAILBOX_IDLE)
			imap_session_idle_done(mb->session, now);
		log_out(mb, now);
		return;
	}
	drop_session(mb, now);
	mb->stopping = false;
	mailbox_enter(mb, MAILBOX_RESTING, now);
}

/* ---- answers of the owner ---- */

void
mailbox_loaded(
    struct mailbox *mb, const struct store_cursor *cursor, usec_t now)
{
	if (mb->state != MAILBOX_LOADING)
		return;
	if (!mb->config.dry_run || !mb->has_cursor) {
		mb->has_cursor = cursor != NULL;
		mb->cursor_validity = cursor != NULL ? cursor->uidvalidity : 0;
		mb->cursor = cursor != NULL ? cursor->next_uid : 0;
	}
	mailbox_act_resume(mb, now);
	mailbox_enter(mb, MAILBOX_CONNECTING, now);
	emit(mb, MAILBOX_CONNECT);
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
	mb->session = imap_session_new(&mb->config.imap, now);
	mailbox_enter(mb, MAILBOX_LOGIN, now);
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
mailbox_secret(struct mailbox *mb, struct span secret, usec_t now)
{
	if (mb->session == NULL)
		return;
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
	mb->command = imap_session_send(mb->session, command, now);
	if (mb->command == 0)
		fail_with(mb, now, FAULT_LIMIT,
		    "a command could not be written: a name in it is too "
		    "long or holds bytes that IMAP does not allow");
}

/* What the server said to a command that must not fail. */
static bool
is_ok_or_fail(struct mailbox *mb, const struct imap_response *response,
    const char *what, usec_t now)
{
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;

	if (response->status == IMAP_OK)
		return true;
	enum fault fault = imap_fault_of(response, false);
	str_sanitize(&text, response->text, 200);
	error_set(&error, fault == FAULT_AUTH ? FAULT_PEER : fault,
	    "%s was refused: %s", what, buf_str(&text));
	mailbox_fail(mb, &error, now);
	return false;
}

/* ---- after login: names ---- */

static void
send_list(struct mailbox *mb, usec_t now)
{
	uint32_t caps = imap_session_capabilities(mb->session);
	bool special = (caps & IMAP_CAP_SPECIAL_USE) != 0;
	struct imap_command command;

	mailbox_enter(mb, MAILBOX_LISTING, now);
	mailbox_begin_command(mb, &command,
	    !special && (caps & IMAP_CAP_XLIST) ? "XLIST" : "LIST");
	imap_command_string(&command, SPAN(""));
	imap_command_string(&command, SPAN("*"));
	if (special && (caps & IMAP_CAP_LIST_EXTENDED))
		imap_command_raw(&command, "RETURN (SPECIAL-USE)");
	mailbox_send(mb, &command, now);
}

static void
on_ready(struct mailbox *mb, usec_t now)
{
	struct imap_command command;
	BUF_AUTO caps = BUF_INIT;

	imap_capability_format(&caps, imap_session_capabilities(mb->session));
	mailbox_report(mb, REPORT_CONNECTED, 0,
	    "logged in as %s at %s; the server offers %s", mb->config.imap.user,
	    mb->config.imap.host, buf_str(&caps));
	folders_clear(&mb->folders);
	if ((imap_session_capabilities(mb->session) & IMAP_CAP_NAMESPACE) ==
	    0) {
		send_list(mb, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_NAMESPACES, now);
	mailbox_begin_command(mb, &command, "NAMESPACE");
	mailbox_send(mb, &command, now);
}

static void
names_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	folders_read(&mb->folders, response);
}

/* A server that refuses NAMESPACE is used without it. */
static void
namespaces_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	send_list(mb, now);
}

static void
listing_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct error error = ERROR_INIT;

	if (!is_ok_or_fail(mb, response, "the list of folders", now))
		return;
	mb->folders.known = true;
	emit(mb, MAILBOX_FOLDERS);
	buf_clear(&mb->wire);
	if (!folders_wire_name(
		&mb->folders, mb->config.name, &mb->wire, &error)) {
		error.fault = FAULT_PEER;
		mailbox_fail(mb, &error, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_SELECTING, now);
	mailbox_select(mb, now);
}

/* ---- SELECT ---- */

void
mailbox_select(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mb->uidvalidity = mb->uidnext = 0;
	mb->modseq = 0;
	mb->exists = mb->swept_exists = mb->exists_at_uidnext = 0;
	mb->has_permanent_flags = mb->any_keyword = false;
	strv_done(&mb->permanent_flags);
	mailbox_begin_command(mb, &command, "SELECT");
	imap_command_mailbox(&command, buf_span(&mb->wire));
	mailbox_send(mb, &command, now);
}

static void
read_permanent_flags(struct mailbox *mb, const struct imap_response *response)
{
	if (response->code_count == 0 ||
	    response->code_values[0].kind != IMAP_LIST)
		return;
	const struct imap_value *list = &response->code_values[0];
	mb->has_permanent_flags = true;
	for (size_t i = 0; i < list->count && i < IMAP_FLAGS_MAX; i++) {
		if (imap_value_is(&list->items[i], "\\*"))
			mb->any_keyword = true;
		else
			strv_add_span(
			    &mb->permanent_flags, list->items[i].text);
	}
}

static uint64_t
code_number64(const struct imap_response *response)
{
	return response->code_count > 0
		   ? imap_value_number(&response->code_values[0])
		   : 0;
}

static uint32_t
code_number(const struct imap_response *response)
{
	uint64_t number = code_number64(response);

	return number > UINT32_MAX ? 0 : (uint32_t)number;
}

/* What comes into existence after this is above it. */
static void
read_uidnext(struct mailbox *mb, const struct imap_response *response)
{
	mb->uidnext = code_number(response);
	mb->exists_at_uidnext = mb->exists;
}

void
mailbox_read_select(struct mailbox *mb, const struct imap_response *response)
{
	if (response->status != IMAP_OK)
		return;
	if (span_is_nocase(response->code, "UIDVALIDITY"))
		mb->uidvalidity = code_number(response);
	else if (span_is_nocase(response->code, "UIDNEXT"))
		read_uidnext(mb, response);
	else if (span_is_nocase(response->code, "HIGHESTMODSEQ"))
		mb->modseq = code_number64(response);
	else if (span_is_nocase(response->code, "PERMANENTFLAGS"))
		read_permanent_flags(mb, response);
}

static void
selecting_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	mailbox_read_select(mb, response);
}

static void
selecting_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct error error = ERROR_INIT;
	BUF_AUTO text = BUF_INIT;

	if (response->status == IMAP_OK) {
		mailbox_compare(mb, now);
		return;
	}
	str_sanitize(&text, response->text, 200);
	error_set(&error, FAULT_PEER,
	    "mailbox %s cannot be opened (does it exist?): %s", mb->config.name,
	    buf_str(&text));
	mailbox_fail(mb, &error, now);
}

/* ---- resting ---- */

static void
report_watching(struct mailbox *mb)
{
	bool idle = (imap_session_capabilities(mb->session) & IMAP_CAP_IDLE);
	BUF_AUTO wait = BUF_INIT;

	usec_format(&wait, idle ? mb->config.renew : mb->config.poll);
	mailbox_report(mb, REPORT_WATCHING, 0,
	    idle ? "the server pushes news (IDLE, renewed every %s)"
		 : "the server has no IDLE: asked every %s",
	    buf_str(&wait));
}

static void
rest(struct mailbox *mb, usec_t now)
{
	if (!mb->proven) {
		mb->proven = true;
		mb->trouble = (struct error)ERROR_INIT;
		backoff_succeeded(&mb->backoff);
		emit(mb, MAILBOX_PROVEN);
		report_watching(mb);
	}
	if (imap_session_capabilities(mb->session) & IMAP_CAP_IDLE &&
	    !mb->idle_refused) {
		mailbox_enter(mb, MAILBOX_IDLE, now);
		mb->timer = usec_add(now, mb->config.renew);
		mb->command = imap_session_idle(mb->session, now);
		return;
	}
	mailbox_enter(mb, MAILBOX_POLLING, now);
	mb->timer = usec_add(now, mb->config.poll);
}

void
mailbox_go_on(struct mailbox *mb, usec_t now)
{
	if (mb->session == NULL)
		return;
	if (mb->stopping) {
		mailbox_flush_outcomes(mb);
		log_out(mb, now);
		return;
	}
	bool acts = mailbox_act_begin(mb, now);
	mailbox_flush_outcomes(mb);
	if (acts || mb->session == NULL)
		return;
	if (mailbox_sweep_is_due(mb))
		mailbox_sweep_begin(mb, now);
	else
		rest(mb, now);
}

/* Leaves the rest when there is something to do. */
static void
wake(struct mailbox *mb, usec_t now)
{
	if (mb->state == MAILBOX_POLLING) {
		mailbox_go_on(mb, now);
	} else if (mb->state == MAILBOX_IDLE) {
		unsigned command = mb->command;
		mailbox_enter(mb, MAILBOX_IDLE_END, now);
		mb->command = command;
		imap_session_idle_done(mb->session, now);
	}
}

void
mailbox_hint(struct mailbox *mb, usec_t now)
{
	mb->dirty = true;
	wake(mb, now);
}

static void
idle_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	if (mb->dirty)
		wake(mb, now);
}

static void
idle_timer(struct mailbox *mb, usec_t now)
{
	mb->dirty = true;
	wake(mb, now);
}

/* IDLE ended: because we said DONE, or because the server would not. */
static void
idle_done(struct mailbox *mb, const struct imap_response *response, usec_t now)
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
	mailbox_go_on(mb, now);
}

static void
polling_timer(struct mailbox *mb, usec_t now)
{
	struct imap_command command;

	mailbox_enter(mb, MAILBOX_NOOP, now);
	mailbox_begin_command(mb, &command, "NOOP");
	mailbox_send(mb, &command, now);
}

static void
noop_done(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (!is_ok_or_fail(mb, response, "NOOP", now))
		return;
	mb->dirty = true;
	mailbox_go_on(mb, now);
}

static void
waiting_timer(struct mailbox *mb, usec_t now)
{
	begin_load(mb, now);
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
	[MAILBOX_WAITING] = {"waiting", NULL, NULL, waiting_timer, USEC_NEVER},
	[MAILBOX_LOADING] = {"loading", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_CONNECTING] =
	    {"connecting", NULL, NULL, owner_timer, MAILBOX_CONNECT_USEC},
	[MAILBOX_LOGIN] = {"logging in", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_NAMESPACES] =
	    {"listing", names_untagged, namespaces_done, NULL, USEC_NEVER},
	[MAILBOX_LISTING] =
	    {"listing", names_untagged, listing_done, NULL, USEC_NEVER},
	[MAILBOX_SELECTING] =
	    {"opening", selecting_untagged, selecting_done, NULL, USEC_NEVER},
	[MAILBOX_HIGHEST] = {"catching up", mailbox_highest_untagged,
	    mailbox_highest_done, NULL, USEC_NEVER},
	[MAILBOX_SWEEPING] = {"catching up", mailbox_sweep_untagged,
	    mailbox_sweep_done, NULL, USEC_NEVER},
	[MAILBOX_COMMITTING] = {"writing", NULL, NULL, NULL, USEC_NEVER},
	[MAILBOX_ACTING] = {"acting", mailbox_act_untagged, mailbox_act_done,
	    NULL, USEC_NEVER},
	[MAILBOX_IDLE] =
	    {"watching", idle_untagged, idle_done, idle_timer, USEC_NEVER},
	[MAILBOX_IDLE_END] = {"checking", NULL, idle_done, NULL, USEC_NEVER},
	[MAILBOX_POLLING] =
	    {"watching", NULL, NULL, polling_timer, USEC_NEVER},
	[MAILBOX_NOOP] = {"checking", NULL, noop_done, NULL, USEC_NEVER},
	[MAILBOX_LOGOUT] = {"logging out", NULL, NULL, NULL, USEC_NEVER},
};
/* clang-format on */

/* ---- events of the session ---- */

/* What may come at any time once a mailbox is open. */
static void
read_news(struct mailbox *mb, const struct imap_response *response)
{
	if (!response->has_number)
		return;
	if (span_is_nocase(response->name, "EXISTS")) {
		if (response->number > mb->exists)
			mb->dirty = true;
		mb->exists = response->number;
	} else if (span_is_nocase(response->name, "EXPUNGE")) {
		if (mb->exists > 0 && response->number > 0)
			mb->exists--;
	}
}

static void
on_untagged(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	if (!mb->op.elsewhere)
		read_news(mb, &event->response);
	if (states[mb->state].untagged != NULL)
		states[mb->state].untagged(mb, &event->response, now);
}

static void
on_done(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	if (event->id != mb->command)
		return; /* of a state that was left */
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
		wake(mb, now);
}

static void
on_starttls(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	(void)now;
	emit(mb, MAILBOX_STARTTLS);
}

static void
on_secret(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	(void)now;
	emit(mb, MAILBOX_SECRET);
}

static void
on_session_ready(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	mb->proven = mb->idle_refused = false;
	on_ready(mb, now);
}

static void
on_alert(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	(void)now;
	str_sanitize(&text, event->text, 500);
	mailbox_report(mb, REPORT_ALERT, 0, "%s", buf_str(&text));
}

static void
on_closed(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	(void)event;
	drop_session(mb, now);
	mb->stopping = false;
	mailbox_enter(mb, MAILBOX_RESTING, now);
}

static void
on_failed(struct mailbox *mb, const struct imap_event *event, usec_t now)
{
	mailbox_fail(mb, &event->error, now);
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
	usec_t deadline = mb->timer;

	if (mb->session != NULL)
		deadline =
		    usec_min(deadline, imap_session_deadline(mb->session));
	if (mb->state == MAILBOX_IDLE || mb->state == MAILBOX_POLLING)
		deadline = usec_min(deadline, mailbox_act_deadline(mb));
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
	if (mailbox_act_is_due(mb, now))
		wake(mb, now);
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
	mailbox_flush_outcomes(mb);
	if (mailbox_act_is_due(mb, now))
		wake(mb, now);
}

bool
mailbox_has_task(
    struct mailbox *mb, uint32_t uidvalidity, uint32_t uid, unsigned seq)
{
	return find_task(mb, uidvalidity, uid, seq) != NULL;
}

void
mailbox_get_status(const struct mailbox *mb, struct mailbox_status *status_r)
{
	*status_r = (struct mailbox_status){
	    .name = mb->config.name,
	    .state = states[mb->state].name,
	    .since = mb->since,
	    .proven = mb->heard,
	    .next_try = mb->state == MAILBOX_WAITING ? mb->timer : USEC_NEVER,
	    .trouble = mb->trouble.text,
	    .fault = mb->trouble.fault,
	    .uidvalidity = mb->cursor_validity,
	    .next_uid = mb->cursor,
	    .jobs = mb->job_count,
	    .idle = mb->is_idle,
	};
}

bool
mailbox_is_resting(const struct mailbox *mb)
{
	return mb->state == MAILBOX_RESTING;
}

const char *
mailbox_name(const struct mailbox *mb)
{
	return mb->config.name;
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
