/* The needs of mailboxes, answered. */
#include <assert.h>
#include <time.h>

#include "daemon/base/digest.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/deeds.h"
#include "daemon/wiring/login.h"
#include "daemon/wiring/token_renew.h"
#include "daemon/wiring/tokens.h"
#include "daemon/wiring/transport.h"

/* ---- lines: one mailbox and its connection ---- */

static void
on_connected(void *ctx)
{
	struct line *line = ctx;

	mailbox_connected(line->mailbox, loop_now());
}

static void
on_failed(void *ctx, const struct error *error)
{
	struct line *line = ctx;

	mailbox_connect_failed(line->mailbox, error, loop_now());
}

static void
on_waits(void *ctx, bool waits)
{
	struct line *line = ctx;

	mailbox_connect_waits(line->mailbox, waits, loop_now());
	transport_arm(line->transport);
}

static void
on_tls_started(void *ctx)
{
	struct line *line = ctx;

	mailbox_tls_started(line->mailbox, loop_now());
}

static void
on_secret(void *ctx, struct span secret, const struct sasl_once *once)
{
	struct line *line = ctx;

	mailbox_once(line->mailbox, once);
	mailbox_secret(line->mailbox, secret, loop_now());
}

static void
on_secret_failed(void *ctx, const struct error *error)
{
	struct line *line = ctx;

	mailbox_secret_failed(line->mailbox, error, loop_now());
}

static void
on_pump(void *ctx)
{
	struct line *line = ctx;

	accounts_pump(line->owner);
}

static struct line *
line_new(struct running_account *owner, struct mailbox *mailbox)
{
	struct line *line = NEW(struct line);
	const struct transport_owner callbacks = {
	    .class = &mailbox_class,
	    .engine = mailbox,
	    .connected = on_connected,
	    .failed = on_failed,
	    .waits = on_waits,
	    .tls_started = on_tls_started,
	    .secret = on_secret,
	    .secret_failed = on_secret_failed,
	    .pump = on_pump,
	    .ctx = line,
	};

	line->owner = owner;
	line->mailbox = mailbox;
	line->transport =
	    transport_new(owner, &owner->config->imap, &callbacks);
	list_add(&owner->lines, &line->link);
	return line;
}

static void
line_free(struct line *line)
{
	transport_free(&line->transport);
	journal_forget(line->owner->belfry->journal, line);
	explain_forget_line(line);
	apply_forget_line(line);
	exec_forget_line(line);
	notify_forget_line(line);
	deeds_left(line);
	moved_left(line);
	report_forget_line(line);
	list_remove(&line->link);
	free(line);
}

static struct line *
line_of(struct running_account *owner, struct mailbox *mailbox)
{
	LIST_EACH(pos, &owner->lines)
	{
		struct line *line = LIST_ITEM(pos, struct line, link);
		if (line->mailbox == mailbox)
			return line;
	}
	return line_new(owner, mailbox);
}

/* The connection of one mailbox goes to another, which has none. */
static void
move_transport(struct line *from, struct line *to)
{
	struct transport *transport = from->transport;

	from->transport = to->transport;
	to->transport = transport;
	transport_set_owner(from->transport, from->mailbox, from);
	transport_set_owner(to->transport, to->mailbox, to);
}

/* ---- needs, one function each ---- */

static void
need_connect(struct line *line, struct mailbox_event *event)
{
	(void)event;
	transport_connect(line->transport);
}

static void
need_disconnect(struct line *line, struct mailbox_event *event)
{
	(void)event;
	transport_disconnect(line->transport);
}

static void
need_starttls(struct line *line, struct mailbox_event *event)
{
	(void)event;
	transport_start_tls(line->transport);
}

static void
need_secret(struct line *line, struct mailbox_event *event)
{
	(void)event;
	transport_ask_secret(line->transport);
}

static bool
load_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	struct line *line = ctx;

	mailbox_load_effect(line->mailbox, effect, message);
	return true;
}

static void
need_load(struct line *line, struct mailbox_event *event)
{
	struct belfry *belfry = line->owner->belfry;
	struct store *store = belfry->store;
	const char *account = line->owner->config->name;
	const char *mailbox = mailbox_name(line->mailbox);
	struct error error = ERROR_INIT;
	struct store_cursor cursor;
	int64_t kept_unix =
	    keeping_time(&belfry->keeping, loop_now_unix(), loop_now()) -
	    (int64_t)(belfry->config->daemon.history / USEC_SEC);
	bool found;

	(void)event;
	exec_load(line);
	if (!store_get_cursor(
		store, account, mailbox, &cursor, &found, &error) ||
	    !store_each_open_effect(
		store, account, mailbox, load_effect, line, &error) ||
	    !forwards_load(line, &error) || !apply_load(line, &error) ||
	    !mailbox_load_facts(line->mailbox, store, found ? &cursor : NULL,
		kept_unix, loop_now(), &error)) {
		mailbox_load_failed(line->mailbox, &error, loop_now());
		return;
	}
	notify_load(line);
	mailbox_loaded(line->mailbox, found ? &cursor : NULL, loop_now());
}

/* A store that cannot be read fails the next LOAD, too. */
static void
need_recall(struct line *line, struct mailbox_event *event)
{
	struct belfry *belfry = line->owner->belfry;
	struct error error = ERROR_INIT;
	struct recall *recall =
	    recall_load(belfry->store, line->owner->config->name,
		mailbox_name(line->mailbox), (int64_t)time(NULL),
		(int64_t)(belfry->config->daemon.history / USEC_SEC), &error);

	(void)event;
	if (recall == NULL)
		mailbox_connect_failed(line->mailbox, &error, loop_now());
	else
		mailbox_recalled(line->mailbox, &recall, loop_now());
}

static void
on_committed(void *ctx, bool ok, const struct error *error)
{
	struct line *line = ctx;
	struct running_account *owner = line->owner;

	mailbox_committed(line->mailbox, ok, error, loop_now());
	accounts_pump(owner);
}

static void
need_commit(struct line *line, struct mailbox_event *event)
{
	struct belfry *belfry = line->owner->belfry;

	rule_stats_add_times(belfry, event->batch);
	journal_commit(belfry->journal, event->batch, on_committed, line);
}

static void
need_exec(struct line *line, struct mailbox_event *event)
{
	exec_run(line, event->task);
	event->task = NULL;
}

static void
need_preparation(struct line *line, struct mailbox_event *event)
{
	exec_prepare(line, event->task);
	event->task = NULL;
}

static void
need_notify(struct line *line, struct mailbox_event *event)
{
	notify_task(line, event->task);
	event->task = NULL;
}

static void
need_withdrawal(struct line *line, struct mailbox_event *event)
{
	static const char *const words[] = {
	    [CHANGE_READ] = "read elsewhere",
	    [CHANGE_GONE] = "gone from the mailbox",
	};

	notify_withdraw(
	    line, event->uidvalidity, event->uid, words[event->change]);
}

static void
need_outbox(struct line *line, struct mailbox_event *event)
{
	forward_queued(line, event);
	if (line->owner->sender != NULL)
		sender_kick(line->owner->sender);
}

static void
need_forward(struct line *line, struct mailbox_event *event)
{
	forward_answer(line->owner, event);
}

static void
need_nothing(struct line *line, struct mailbox_event *event)
{
	(void)line;
	(void)event;
}

static void
need_proof_noted(struct line *line, struct mailbox_event *event)
{
	(void)event;
	line->owner->told_person = false;
	apply_resume(line->owner);
	undo_resume(line->owner);
	left_open_look(line->owner);
	notify_proven(line);
}

static void
need_progress(struct line *line, struct mailbox_event *event)
{
	(void)event;
	apply_progress(line);
}

static void
need_answer(struct line *line, struct mailbox_event *event)
{
	explain_answer(line, event->explained);
}

static void
need_preview(struct line *line, struct mailbox_event *event)
{
	notify_previewed(line, event->previewed);
}

static void
need_finding(struct line *line, struct mailbox_event *event)
{
	if (event->found->is_exact) {
		left_open_found(line, event->found);
		undo_found(line, event->found);
		deeds_found(line, event->found);
		moved_found(line, event->found);
	} else if (line->owner->sender != NULL) {
		sender_found(line->owner->sender, event->found);
	}
}

static void
need_farewell(struct line *line, struct mailbox_event *event)
{
	struct account *account = line->owner->account;
	struct mailbox *visitor = line->mailbox;

	(void)event;
	apply_left(line);
	undo_left(line);
	line_free(line);
	account_let_go(account, visitor);
}

static void
need_login_noted(struct line *line, struct mailbox_event *event)
{
	if (event->error.fault == FAULT_AUTH)
		tokens_rejected(line->owner->tokens);
}

/* The person is told once; after that the log and `status` say it. */
static void
need_person(struct line *line, struct mailbox_event *event)
{
	STR_AUTO title =
	    xasprintf("Belfry: %s is locked out", line->owner->config->name);

	/* To sign in is another matter, of which the person was told. */
	if (line->owner->told_person || tokens_are_lost(line->owner->tokens))
		return;
	line->owner->told_person = true;
	notify_say(line->owner->belfry, line->owner->config->name,
	    URGENCY_CRITICAL, title, event->error.text);
}

/* Once a day, however many connections say it. */
static void
tell_person(struct line *line, const struct mailbox_report *report)
{
	struct running_account *owner = line->owner;
	bool is_alert = report->kind == REPORT_ALERT;
	STR_AUTO title =
	    xasprintf(is_alert ? "Belfry: the server of %s says" : "Belfry: %s",
		owner->config->name);

	if (report->kind != REPORT_REFUSED && /* he has just asked for it */
	    told_before(&owner->told, span_from_str(report->text), loop_now()))
		return;
	notify_say(owner->belfry, owner->config->name, URGENCY_NORMAL, title,
	    report->text);
}

static void
need_report(struct line *line, struct mailbox_event *event)
{
	report_mailbox(line, event->report);
	if (event->report->kind == REPORT_ALERT || event->report->for_person)
		tell_person(line, event->report);
	if (event->report->kind == REPORT_TROUBLE)
		apply_progress(line);
}

static void (*const needs[])(struct line *, struct mailbox_event *) = {
    [MAILBOX_LOAD] = need_load,
    [MAILBOX_RECALL] = need_recall,
    [MAILBOX_CONNECT] = need_connect,
    [MAILBOX_DISCONNECT] = need_disconnect,
    [MAILBOX_STARTTLS] = need_starttls,
    [MAILBOX_SECRET] = need_secret,
    [MAILBOX_COMMIT] = need_commit,
    [MAILBOX_EXEC] = need_exec,
    [MAILBOX_PREPARE] = need_preparation,
    [MAILBOX_NOTIFY] = need_notify,
    [MAILBOX_CHANGED] = need_withdrawal,
    [MAILBOX_QUEUED] = need_outbox,
    [MAILBOX_FORWARD] = need_forward,
    [MAILBOX_FOLDERS] = need_nothing,
    [MAILBOX_PROVEN] = need_proof_noted,
    [MAILBOX_LOGIN_FAILED] = need_login_noted,
    [MAILBOX_LOCKED_OUT] = need_person,
    [MAILBOX_REPORT] = need_report,
    [MAILBOX_TOLD] = need_nothing,
    [MAILBOX_LOST] = need_nothing,
    [MAILBOX_OVER_LIMIT] = need_nothing,
    [MAILBOX_HANDED] = need_nothing,
    [MAILBOX_PROGRESS] = need_progress,
    [MAILBOX_EXPLAINED] = need_answer,
    [MAILBOX_FOUND] = need_finding,
    [MAILBOX_PREVIEWED] = need_preview,
    [MAILBOX_LEFT] = need_farewell,
};

void
leave_if_done(struct belfry *belfry)
{
	if (!belfry->leaving || belfry->exec_running > 0 ||
	    token_renew_any_asking() || journal_is_busy(belfry->journal))
		return;
	LIST_EACH(pos, &belfry->accounts)
	{
		const struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		if (!account_is_resting(account->account) ||
		    (account->sender != NULL &&
			!outbox_is_resting(sender_outbox(account->sender))))
			return;
	}
	loop_quit(belfry->loop);
}

static void
answer(struct line *line, struct mailbox_event *event)
{
	needs[event->kind](line, event);
	mailbox_event_done(event);
}

/* What was only said, and waits for what goes ahead of it. */
struct words {
	struct line *line; /* NULL: nothing waits */
	struct mailbox_event event;
};

static void
say(struct words *words)
{
	struct line *line = words->line;

	words->line = NULL;
	if (line != NULL)
		answer(line, &words->event);
}

/* A disk, and a child that is made, take longer than words about them. */
static bool
goes_ahead(enum mailbox_event_kind kind)
{
	return kind == MAILBOX_COMMIT || kind == MAILBOX_PREPARE;
}

static void
take_event(struct running_account *account, struct account_event *event,
    struct words *words)
{
	struct line *line;

	if (!goes_ahead(event->event.kind))
		say(words);
	line = line_of(account, event->mailbox);
	if (event->to != NULL)
		move_transport(line, line_of(account, event->to));
	if (event->event.kind == MAILBOX_REPORT)
		*words = (struct words){line, event->event};
	else
		answer(line, &event->event);
}

void
accounts_pump(struct running_account *account)
{
	struct words words = {.line = NULL};
	struct account_event event;

	if (account->pumping)
		return; /* the loop below will see it */
	account->pumping = true;
	list_files_refresh(account->belfry);
	do {
		say(&words);
		while (account_next_event(account->account, &event, loop_now()))
			take_event(account, &event, &words);
	} while (words.line != NULL);
	account->pumping = false;
	LIST_EACH(pos, &account->lines)
	{
		struct line *line = LIST_ITEM(pos, struct line, link);
		transport_set_keepalive(
		    line->transport, mailbox_keepalive(line->mailbox));
		transport_arm(line->transport);
	}
	leave_if_done(account->belfry);
}

/* ---- accounts ---- */

static bool
has_quirk(const struct config_account *config, enum preset_quirk quirk)
{
	return config->preset != NULL && (config->preset->quirks & quirk) != 0;
}

/* Two machines must not wait in step: the seed is of this machine's clock
 * and the account's name. */
static uint64_t
seed_of(const char *name)
{
	unsigned char digest[DIGEST_SIZE];
	uint64_t now = loop_now(), seed;
	const struct span pieces[] = {
	    span_from_str(name), span_from(&now, sizeof(now))};

	digest_sha256(pieces, 2, digest);
	memcpy(&seed, digest, sizeof(seed));
	return seed;
}

static struct account_config
account_config(struct running_account *running)
{
	const struct config_account *config = running->config;

	return (struct account_config){
	    .mailbox =
		{
		    .account = config->name,
		    .imap = login_imap(config),
		    .other =
			config->other_user != NULL ? &running->other : NULL,
		    .identities = &config->identity,
		    .senders = running->senders,
		    .arrivals = running->arrivals,
		    .watch = &config->watch,
		    .claims = running->claims,
		    .authserv = &config->authserv,
		    .default_notification = config->notify == CONFIG_NOTIFY_YES,
		    .escalate = &config->escalate,
		    .notify = config->notify != CONFIG_NOTIFY_NO,
		    .renew = config->idle_renew,
		    .poll = config->poll,
		    .ask_end_first =
			has_quirk(config, QUIRK_FETCH_BEYOND_HANGS),
		    .await_idle_end = has_quirk(config, QUIRK_IDLE_SILENT) ||
				      has_quirk(config, QUIRK_SHORT_PIPELINE),
		    .check_noop = has_quirk(config, QUIRK_IDLE_SILENT),
		    .forwards_hour = config->forward_limit.hour,
		    .forwards_day = config->forward_limit.day,
		    .targets_hour = config->forward_target_limit.hour,
		    .targets_day = config->forward_target_limit.day,
		    .breaker = &running->breaker,
		    .queue = &running->belfry->queue,
		    .email = config->email,
		    .seed = seed_of(config->name),
		    .meter = running->belfry->meter,
		    .utc_offset_at = loop_utc_offset_at,
		    .notes_headers = notify_notes_headers(running->belfry),
		    .notes_beginnings = &running->notes_beginnings,
		    .dry_run = running->belfry->dry_run,
		},
	    .watch = &config->watch,
	    .connections = config->connections,
	};
}

static bool
load_fact(void *ctx, const char *name, const char *value)
{
	struct running_account *running = ctx;

	if (strcmp(name, BREAKER_FACT) == 0)
		breaker_load(&running->breaker, span_from_str(value),
		    loop_now_unix(), loop_now());
	else if (!notify_load_fact(
		     running->belfry, running->config->name, name, value))
		account_set_fact(running->account, name, value);
	return true;
}

static struct claims *
make_claims(struct belfry *belfry, const struct config_account *config)
{
	BUF_AUTO name = BUF_INIT;

	if (config->claim == CLAIM_NO)
		return NULL;
	machine_name(belfry, config->name, &name);
	return claims_new((enum claim_mode)config->claim, buf_str(&name));
}

bool
accounts_start(struct belfry *belfry, const struct config_account *config)
{
	struct error error = ERROR_INIT;
	struct tls *tls = login_tls(config, &error);

	if (tls == NULL) {
		not_started_note(belfry, config, &error);
		return false;
	}
	struct running_account *running = NEW(struct running_account);
	running->belfry = belfry;
	running->tls = tls;
	list_init(&running->lines);
	list_init(&running->searches);
	running->left_open = left_open_new();
	running->senders = senders_new();
	if (!senders_load(
		running->senders, belfry->store, config->name, &error))
		report_note(belfry, true, "trouble", config->name,
		    "what senders are known cannot be read, so rules take them "
		    "for new ones until belfryd is started anew: %s",
		    error.text);
	running->arrivals = arrivals_new();
	if (!arrivals_load(running->arrivals, belfry->store, config->name,
		keeping_time(&belfry->keeping, loop_now_unix(), loop_now()),
		&error))
		report_note(belfry, true, "trouble", config->name,
		    "what rules moved before cannot be read, so it may be "
		    "judged again where it is; look after that disk: %s",
		    error.text);
	running->claims = make_claims(belfry, config);
	running->config = config;
	running->breaker.same_max = config->forward_limit.hour / 2;
	running->other.user = config->other_user;
	running->other.smtp_user = config_other_smtp_user(config);
	running->tokens = tokens_new(running);
	notify_look_at_account(running);
	const struct account_config engine = account_config(running);
	list_add(&belfry->accounts, &running->link);
	running->account = account_new(
	    &engine, belfry->config->rules, belfry->limits, loop_now());
	account_set_clock(
	    running->account, loop_now_unix(), loop_utc_offset(), loop_now());
	if (!store_each_fact(
		belfry->store, config->name, load_fact, running, &error))
		report_note(belfry, true, "trouble", config->name,
		    "what was learned of the server cannot be read, and is "
		    "learned anew; look after that disk: %s",
		    error.text);
	forwards_start(running);
	bool is_paused = pauses_restore(running);
	/* Before the sender, which asks its mailboxes for claims. */
	if (!is_paused)
		account_start(running->account, loop_now());
	if (config->smtp.host != NULL && !belfry->dry_run)
		running->sender = sender_new(running);
	if (is_paused)
		accounts_stop(running);
	accounts_pump(running);
	return true;
}

void
accounts_read_certificates(struct running_account *account)
{
	const struct config_account *config = account->config;
	struct error error = ERROR_INIT;
	struct tls *tls;

	if (config->tls_ca_file == NULL && config->tls_cert == NULL)
		return;
	tls = login_tls(config, &error);
	if (tls == NULL) {
		report_note(account->belfry, true, "trouble", config->name,
		    "%s; what it held before is used", error.text);
		return;
	}
	tls_free(&account->tls);
	account->tls = tls;
	/* Connections live for days, and would say it only with the next. */
	certificates_look_at_own(account);
}

void
accounts_stop(struct running_account *account)
{
	account_stop(account->account, loop_now());
	if (account->sender != NULL)
		sender_stop(account->sender);
	accounts_pump(account);
}

void
accounts_free(struct running_account **account)
{
	struct running_account *running = *account;

	if (running == NULL)
		return;
	*account = NULL;
	pulses_flush(running);
	journal_drain(running->belfry->journal);
	running->pumping = true; /* from here on nobody has a turn */
	probe_forget_account(running);
	forwards_free(running);
	undo_forget(running);
	left_open_free(&running->left_open);
	LIST_EACH(pos, &running->lines)
	line_free(LIST_ITEM(pos, struct line, link));
	loop_timer_free(&running->unpause);
	sender_free(&running->sender);
	account_free(&running->account);
	senders_free(&running->senders);
	breaker_done(&running->breaker);
	told_done(&running->told);
	arrivals_free(&running->arrivals);
	claims_free(&running->claims);
	tls_free(&running->tls);
	tokens_free(&running->tokens);
	list_remove(&running->link);
	free(running);
}

struct running_account *
accounts_find(struct belfry *belfry, const char *name)
{
	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		if (strcmp(account->config->name, name) == 0)
			return account;
	}
	return NULL;
}

struct line *
accounts_find_line(struct running_account *account, const char *mailbox)
{
	LIST_EACH(pos, &account->lines)
	{
		struct line *line = LIST_ITEM(pos, struct line, link);
		if (strcmp(mailbox_name(line->mailbox), mailbox) == 0)
			return line;
	}
	return NULL;
}

void
accounts_set_clock(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		account_set_clock(account->account, loop_now_unix(),
		    loop_utc_offset(), loop_now());
		if (account->sender != NULL)
			sender_set_clock(account->sender);
	}
}
