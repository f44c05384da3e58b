/*
 * engine-mailbox: account/mailbox over a store in memory, for scripts.
 *
 * Settings: name MAILBOX, security tls|starttls, auth password|oauth2, notify
 * yes|no, dry-run yes, me ADDRESS, forwards-hour N, forwards-day N,
 * targets-hour N, targets-day N, visit look|act, claim auto|standby, queue-full
 * yes (but for 100 bytes), senders yes (shows them in batches, where they are
 * written always; when the mailbox was met is there, too, and never shown),
 * tells yes ("to the person" stands where a report is for a notification),
 * renew and poll TIME, check-noop yes, other-user NAME, ask-end-first yes,
 * one-at-a-time yes, await-idle-end no (most scripts are easier to read with
 * it), condstore yes (and QRESYNC, where the server offers them), watch A,B,...
 * (what else the account watches, so that it knows what is in several
 * mailboxes); and rules, as they stand in the configuration: "[rule x]", then
 * "key = value".
 *
 * The account is "work", its user "ann" at mail.example.org, her address
 * ann@example.org.
 *
 * Calls: >start, >stop, >hint; >park (it has no connection of its own any
 * more); >renewal FACT (what was learned); >reload (the same rules again);
 * >load (answers out of the store), >load-failed TEXT; >connected,
 * >connect-failed FAULT TEXT, >tls; >secret TEXT, >secret-failed FAULT TEXT;
 * >commit ok, >commit fail (nothing is written), >commit written (it is, but
 * the daemon does not hear of it: >kill follows, or >commit heard); >task UID
 * SEQ STATE WORDS; >kill (the daemon dies; another one has the same store and
 * rests until >start). >apply WORDS begins a run, which is in the store first:
 * dry, notify, since=DAYS, until=DAYS (before now), rules=a,b; >cancel ends it;
 * >explain UID, >explain-cancel UID; >find MESSAGE-ID [SIZE UNIX]; >ask NAMES
 * (STATUS), >notify NAMES. >forward ID asks for the claim of that item of the
 * queue, >settled ID STATE says what became of it (sending: it waits, and may
 * have been sent). >other begins|drops|judged ID: another mailbox of the
 * account, the first of `watch`, begins to judge the message with this
 * identity, drops it, or has written its plan. >left UID: a rule planned to
 * delete this message in an earlier life.
 *
 * Events: load, recall, connect, disconnect, starttls, secret, queued, folders,
 * proven, login-failed, locked-out WORDS; changed UID read|gone; commit with
 * the batch's operations between semicolons; exec and notify UID#SEQ with what
 * is run and how many bytes it reads; report KIND [UID] WORDS; progress STATE
 * NEXT to END looked N of TOTAL (with what else there is); explained UID and
 * the plan, or why not; told NAME and what the server said of it; left; forward
 * ID ours|others|done|unsure and how long.
 */
#include <assert.h>
#include <stdio.h>

#include "daemon/account/mailbox.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "tests/lib/rules_text.h"
#include "tests/scripts/script.h"

#define START_UNIX 1800000000
/* What is older was forgotten, whenever it is read. */
#define HISTORY_SEC (90 * 24 * 60 * 60)
#define ROUNDS_MAX 20 /* from a broken stream to the next LOAD */

struct adapter {
	struct mailbox_config config; /* strings belong to `strings` */
	struct mailbox_which which;
	struct breaker breaker;
	struct mailbox_other_login other;
	struct strv strings, identities, authserv;
	struct buf rules_text;
	struct rules *rules;
	bool shows_senders, tells;
	struct store_queue_size queue;
	bool load_asked; /* and not answered */
	usec_t load_now;
	struct limits *limits;
	struct senders *senders;
	struct claims *claims;
	struct strv watch; /* empty: nothing is known of others */
	struct arrivals *arrivals;
	struct store *store;
	struct mailbox *mailbox;
	/* Of the COMMIT not answered yet: the mailbox's own. */
	const struct store_batch *batch;
	char *secret;
	bool tls;
	usec_t born;
	int64_t younger; /* 0: it was always there */
};

/* ---- Settings ---- */

static const char *
keep(struct adapter *a, struct span value)
{
	strv_add_span(&a->strings, value);
	return a->strings.items[a->strings.len - 1];
}

static bool
set_name(struct adapter *a, struct span value)
{
	a->which.name = keep(a, value);
	return true;
}

static bool
set_security(struct adapter *a, struct span value)
{
	a->config.imap.security = span_is(value, "starttls")
				      ? IMAP_SECURITY_STARTTLS
				      : IMAP_SECURITY_TLS;
	return true;
}

static bool
set_auth(struct adapter *a, struct span value)
{
	a->config.imap.auth =
	    span_is(value, "oauth2") ? IMAP_AUTH_OAUTH2 : IMAP_AUTH_PASSWORD;
	return true;
}

static bool
set_notify(struct adapter *a, struct span value)
{
	a->config.notify = a->config.default_notification =
	    span_is(value, "yes");
	return true;
}

static bool
set_beginnings(struct adapter *a, struct span value)
{
	static const bool yes = true;

	a->config.notes_beginnings = span_is(value, "yes") ? &yes : NULL;
	return true;
}

static bool
set_dry_run(struct adapter *a, struct span value)
{
	return a->config.dry_run = span_is(value, "yes");
}

static bool
set_me(struct adapter *a, struct span value)
{
	strv_add_span(&a->identities, value);
	return true;
}

static bool
set_forwards_hour(struct adapter *a, struct span value)
{
	uint32_t count;

	if (!span_to_u32(value, &count))
		return false;
	a->config.forwards_hour = count;
	return true;
}

static bool
set_forwards_day(struct adapter *a, struct span value)
{
	return span_to_u32(value, &a->config.forwards_day);
}

static bool
set_targets_day(struct adapter *a, struct span value)
{
	return span_to_u32(value, &a->config.targets_day);
}

static bool
set_targets_hour(struct adapter *a, struct span value)
{
	uint32_t count;

	if (!span_to_u32(value, &count))
		return false;
	a->config.targets_hour = count;
	return true;
}

static bool
set_queue_full(struct adapter *a, struct span value)
{
	a->queue.bytes = STORE_QUEUE_BYTES_MAX - 100;
	a->config.queue = &a->queue;
	return span_is(value, "yes");
}

static bool
set_senders(struct adapter *a, struct span value)
{
	return a->shows_senders = span_is(value, "yes");
}

/* This machine is "me". */
static bool
set_claim(struct adapter *a, struct span value)
{
	a->claims = claims_new(
	    span_is(value, "standby") ? CLAIM_STANDBY : CLAIM_AUTO, "me");
	a->config.claims = a->claims;
	return true;
}

static bool
set_watch(struct adapter *a, struct span value)
{
	struct span name;

	while (span_split(&value, ',', &name))
		strv_add_span(&a->watch, name);
	a->config.watch = &a->watch;
	return true;
}

static bool
set_visit(struct adapter *a, struct span value)
{
	a->which.visit = span_is(value, "look") ? VISIT_LOOK : VISIT_ACT;
	return true;
}

static bool
set_tells(struct adapter *a, struct span value)
{
	a->tells = span_is(value, "yes");
	return true;
}

static bool
set_renew(struct adapter *a, struct span value)
{
	return usec_parse(value, &a->config.renew);
}

static bool
set_poll(struct adapter *a, struct span value)
{
	return usec_parse(value, &a->config.poll);
}

static bool
set_other_user(struct adapter *a, struct span value)
{
	a->other.user = keep(a, value);
	a->config.other = &a->other;
	return true;
}

static bool
set_check_noop(struct adapter *a, struct span value)
{
	return a->config.check_noop = span_is(value, "yes");
}

static bool
set_condstore(struct adapter *a, struct span value)
{
	return a->config.imap.enable_condstore = span_is(value, "yes");
}

static bool
set_ask_end_first(struct adapter *a, struct span value)
{
	return a->config.ask_end_first = span_is(value, "yes");
}

static bool
set_await_idle_end(struct adapter *a, struct span value)
{
	a->config.await_idle_end = span_is(value, "yes");
	return true;
}

static bool
set_jobs_max(struct adapter *a, struct span value)
{
	uint32_t max;

	if (!span_to_u32(value, &max))
		return false;
	a->config.jobs_max = max;
	return true;
}

static bool
set_chunk(struct adapter *a, struct span value)
{
	uint32_t chunk;

	if (!span_to_u32(value, &chunk))
		return false;
	a->config.chunk = chunk;
	return true;
}

static bool
set_one_at_a_time(struct adapter *a, struct span value)
{
	return a->config.one_at_a_time = span_is(value, "yes");
}

/* The mailbox was made after then (unix). */
static bool
set_younger(struct adapter *a, struct span value)
{
	uint32_t since;

	if (!span_to_u32(value, &since))
		return false;
	a->younger = since;
	return true;
}

static const struct {
	const char *word;
	bool (*set)(struct adapter *a, struct span value);
} settings_rows[] = {
    {"younger", set_younger},
    {"name", set_name},
    {"security", set_security},
    {"auth", set_auth},
    {"notify", set_notify},
    {"beginnings", set_beginnings},
    {"dry-run", set_dry_run},
    {"me", set_me},
    {"forwards-hour", set_forwards_hour},
    {"forwards-day", set_forwards_day},
    {"targets-day", set_targets_day},
    {"targets-hour", set_targets_hour},
    {"senders", set_senders},
    {"tells", set_tells},
    {"queue-full", set_queue_full},
    {"claim", set_claim},
    {"watch", set_watch},
    {"visit", set_visit},
    {"renew", set_renew},
    {"poll", set_poll},
    {"check-noop", set_check_noop},
    {"other-user", set_other_user},
    {"ask-end-first", set_ask_end_first},
    {"condstore", set_condstore},
    {"chunk", set_chunk},
    {"jobs-max", set_jobs_max},
    {"one-at-a-time", set_one_at_a_time},
    {"await-idle-end", set_await_idle_end},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_rule_line(struct span line)
{
	return span_starts(line, "[") ||
	       span_find_span(line, SPAN(" = "), 0) != SIZE_MAX;
}

static bool
apply(struct adapter *a, struct span line)
{
	size_t blank = span_find(line, ' ');
	struct span word = span_slice(line, 0, blank);
	struct span value =
	    blank == SIZE_MAX ? SPAN_EMPTY : span_skip(line, blank + 1);

	if (is_rule_line(line)) {
		buf_add_span(&a->rules_text, line);
		buf_add_char(&a->rules_text, '\n');
		return true;
	}
	for (size_t i = 0; i < COUNT(settings_rows); i++)
		if (span_is(word, settings_rows[i].word))
			return settings_rows[i].set(a, value);
	return false;
}

static bool
make_rules(struct adapter *a)
{
	struct rule_problems problems = {0};
	BUF_AUTO text = BUF_INIT;

	a->rules = rules_from_text(buf_str(&a->rules_text), &problems);
	rules_problems_show(&text, &problems);
	rule_problems_done(&problems);
	if (a->rules == NULL)
		fprintf(stderr, "%s", buf_str(&text));
	return a->rules != NULL;
}

/* ---- Life ---- */

static bool
seed_limit(void *ctx, const char *rule, int64_t when_unix)
{
	limits_note(ctx, rule, when_unix);
	return true;
}

static int64_t
unix_at(const struct adapter *a, usec_t now)
{
	return START_UNIX + (int64_t)(usec_since(a->born, now) / USEC_SEC);
}

static void
load_breaker(struct adapter *a, usec_t now)
{
	char *text = NULL;

	store_get_fact(a->store, "work", BREAKER_FACT, &text, NULL);
	if (text != NULL)
		breaker_load(
		    &a->breaker, span_from_str(text), unix_at(a, now), now);
	free(text);
}

static void
be_born(struct adapter *a, usec_t now)
{
	a->limits = limits_new();
	store_each_hit(a->store, 0, seed_limit, a->limits, NULL);
	a->senders = senders_new();
	senders_load(a->senders, a->store, "work", NULL);
	a->config.senders = a->senders;
	load_breaker(a, now);
	if (a->watch.len > 0) {
		a->arrivals = arrivals_new();
		arrivals_load(
		    a->arrivals, a->store, "work", unix_at(a, now), NULL);
		a->config.arrivals = a->arrivals;
	}
	a->mailbox =
	    mailbox_new(&a->config, &a->which, a->rules, a->limits, now);
	mailbox_set_clock(a->mailbox, unix_at(a, now), 0, now);
	if (a->younger != 0)
		mailbox_begin_early(a->mailbox, a->younger);
}

static void
die(struct adapter *a)
{
	mailbox_free(&a->mailbox);
	limits_free(&a->limits);
	senders_free(&a->senders);
	arrivals_free(&a->arrivals);
	breaker_done(&a->breaker);
	a->batch = NULL;
	a->tls = false;
}

static void
adapter_destroy(void *adapter)
{
	struct adapter *a = adapter;

	die(a);
	claims_free(&a->claims);
	rules_free(&a->rules);
	store_close(&a->store);
	strv_done(&a->strings);
	strv_done(&a->identities);
	strv_done(&a->watch);
	strv_done(&a->authserv);
	buf_done(&a->rules_text);
	free(a->secret);
	free(a);
}

static void *
adapter_create(const struct strv *settings, usec_t now)
{
	struct adapter *a = NEW(struct adapter);

	a->config = (struct mailbox_config){
	    .account = "work",
	    .imap = {.security = IMAP_SECURITY_TLS,
		.auth = IMAP_AUTH_PASSWORD,
		.user = "ann",
		.host = "mail.example.org",
		.port = 993},
	    .identities = &a->identities,
	    .authserv = &a->authserv,
	    .breaker = &a->breaker,
	    .email = "ann@example.org",
	    .await_idle_end = true,
	    .seed = 1,
	};
	a->which.name = "INBOX";
	a->store = store_open_memory();
	a->born = now;
	bool ok = true;
	for (size_t i = 0; ok && i < settings->len; i++)
		ok = apply(a, span_from_str(settings->items[i]));
	if (!ok || !make_rules(a)) {
		adapter_destroy(a);
		return NULL;
	}
	be_born(a, now);
	return a;
}

static void *
adapter_engine(void *adapter)
{
	return ((struct adapter *)adapter)->mailbox;
}

static const char *
adapter_secret(void *adapter)
{
	return ((struct adapter *)adapter)->secret;
}

static bool
adapter_may_send_secret(void *adapter)
{
	const struct adapter *a = adapter;

	return a->config.imap.security != IMAP_SECURITY_STARTTLS || a->tls;
}

/* ---- Calls ---- */

static struct span
take_word(struct span *text)
{
	size_t end = span_find(*text, ' ');
	struct span word = span_slice(*text, 0, end);

	*text = end == SIZE_MAX ? SPAN_EMPTY : span_skip(*text, end + 1);
	return word;
}

static bool
read_error(struct span args, struct error *error_r)
{
	struct span word = take_word(&args);

	for (enum fault fault = 0; fault < FAULT_COUNT; fault++)
		if (span_is(word, fault_name(fault))) {
			error_set(error_r, fault, "%.*s", SPAN_FMT(args));
			return true;
		}
	return false;
}

static bool
call_start(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	mailbox_start(a->mailbox, now);
	return true;
}

static bool
call_stop(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	mailbox_stop(a->mailbox, now);
	return true;
}

/* From now on it has no connection of its own. */
static bool
call_park(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	mailbox_park(a->mailbox, now);
	return true;
}

static bool
call_hint(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	mailbox_hint(a->mailbox, now);
	return true;
}

/* As it was remembered. */
static bool
call_renewal(struct adapter *a, struct span args, usec_t now)
{
	mailbox_load_renewal(a->mailbox, args, now);
	return true;
}

static bool
call_reload(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	(void)now;
	mailbox_set_rules(a->mailbox, a->rules);
	return true;
}

static bool
load_effect(void *ctx, const struct store_effect *effect,
    const struct store_message *message)
{
	mailbox_load_effect(ctx, effect, message);
	return true;
}

static struct mailbox_forward
forward_of(const struct store_queue_item *item)
{
	return (struct mailbox_forward){.id = item->id,
	    .rule = item->rule,
	    .target = item->target,
	    .uidvalidity = item->source.uidvalidity,
	    .uid = item->source.uid,
	    .seq = item->seq,
	    .queued_unix = item->queued_unix,
	    .resends = strcmp(item->unknown, "resend") == 0};
}

static bool
load_forward(void *ctx, const struct store_queue_item *item)
{
	const struct mailbox_forward forward = forward_of(item);
	struct adapter *a = ctx;

	if (span_starts(span_from_str(item->reply), STORE_CLAIMED))
		mailbox_load_forward(a->mailbox, &forward,
		    item->state == QUEUE_SENT, a->load_now);
	return true;
}

static bool
load_apply(void *ctx, const struct store_apply *apply)
{
	if (apply_is_unfinished(apply->state))
		mailbox_load_apply(ctx, apply);
	return true;
}

static bool
call_load(struct adapter *a, struct span args, usec_t now)
{
	struct store_cursor cursor;
	bool found = false;
	int64_t kept = START_UNIX +
		       (int64_t)(usec_since(a->born, now) / USEC_SEC) -
		       HISTORY_SEC;

	(void)args;
	a->load_asked = false;
	store_prune(a->store, kept, NULL);
	store_get_cursor(
	    a->store, "work", a->which.name, &cursor, &found, NULL);
	store_each_open_effect(
	    a->store, "work", a->which.name, load_effect, a->mailbox, NULL);
	store_each_apply(a->store, "work", load_apply, a->mailbox, NULL);
	mailbox_load_facts(
	    a->mailbox, a->store, found ? &cursor : NULL, kept, now, NULL);
	a->load_now = now;
	store_each_queued(a->store, "work", load_forward, a, NULL);
	mailbox_loaded(a->mailbox, found ? &cursor : NULL, now);
	return true;
}

static bool
call_recall(struct adapter *a, struct span args, usec_t now)
{
	struct recall *recall = recall_load(a->store, "work", a->which.name,
	    START_UNIX + (int64_t)(usec_since(a->born, now) / USEC_SEC),
	    RECALL_KEEP_SEC, NULL);

	(void)args;
	mailbox_recalled(a->mailbox, &recall, now);
	return true;
}

static void
judge_elsewhere(struct adapter *a, const char *identity, usec_t now)
{
	struct store_batch *batch = store_batch_new();

	store_batch_add_message(
	    batch, &(const struct store_message){
		       .key = {"work", a->watch.items[0], 1000, 1},
		       .identity = identity,
		       .judged_unix = unix_at(a, now),
		   });
	store_commit(a->store, batch, NULL);
	arrivals_note(a->arrivals, batch);
	store_batch_free(&batch);
}

static bool
call_other(struct adapter *a, struct span args, usec_t now)
{
	struct span what = take_word(&args);
	STR_AUTO identity = xstrdup_span(args);

	if (a->arrivals == NULL)
		return false;
	if (span_is(what, "judged"))
		judge_elsewhere(a, identity, now);
	else if (span_is(what, "begins"))
		return judging_begin(arrivals_judging(a->arrivals), args, a);
	else if (span_is(what, "drops"))
		judging_end(arrivals_judging(a->arrivals), args);
	else
		return false;
	return true;
}

/* A message that a rule would delete, as it was planned while somebody watched.
 */
static bool
call_left(struct adapter *a, struct span args, usec_t now)
{
	const struct action action = {.kind = ACTION_DELETE};
	struct store_key key = {"work", a->which.name, 1000, 0};
	struct store_batch *batch;
	BUF_AUTO text = BUF_INIT;
	bool ok;

	if (!span_to_u32(args, &key.uid))
		return false;
	action_format(&text, &action);
	batch = store_batch_new();
	store_batch_add_message(batch, &(const struct store_message){.key = key,
					   .judged_unix = unix_at(a, now)});
	store_batch_add_effect(batch, &(const struct store_effect){.key = key,
					  .rule = "a",
					  .kind = action_name(action.kind),
					  .action = buf_str(&text),
					  .detail = ""});
	ok = store_commit(a->store, batch, NULL);
	store_batch_free(&batch);
	return ok;
}

static bool
last_run(void *ctx, const struct store_apply *apply)
{
	*(unsigned *)ctx = apply->run;
	return true;
}

static int64_t
days_ago(const struct adapter *a, struct span days, usec_t now)
{
	uint32_t count = 0;

	span_to_u32(days, &count);
	return START_UNIX + (int64_t)(usec_since(a->born, now) / USEC_SEC) -
	       (int64_t)count * 24 * 60 * 60;
}

static bool
read_apply_word(struct adapter *a, struct span word, struct store_apply *apply,
    bool *is_dry_r, usec_t now)
{
	if (span_is(word, "dry"))
		*is_dry_r = true;
	else if (span_is(word, "notify"))
		apply->notify = 1;
	else if (span_starts(word, "since="))
		apply->since_unix = days_ago(a, span_skip(word, 6), now);
	else if (span_starts(word, "until="))
		apply->until_unix = days_ago(a, span_skip(word, 6), now);
	else if (span_starts(word, "rules="))
		apply->rules = keep(a, span_skip(word, 6));
	else
		return false;
	return true;
}

static bool
call_apply(struct adapter *a, struct span args, usec_t now)
{
	struct store_apply apply = {.account = "work",
	    .mailbox = a->which.name,
	    .rules = "",
	    .started_unix = START_UNIX};
	struct store_batch *batch = store_batch_new();
	bool is_dry = false, ok = true;

	store_each_apply(a->store, "work", last_run, &apply.run, NULL);
	apply.run++;
	while (ok && args.len > 0)
		ok = read_apply_word(a, take_word(&args), &apply, &is_dry, now);
	for (char *at = (char *)apply.rules; *at != '\0'; at++)
		if (*at == ',')
			*at = ' ';
	store_batch_set_apply(batch, &apply);
	if (ok && !is_dry)
		ok = store_commit(a->store, batch, NULL);
	store_batch_free(&batch);
	return ok && mailbox_apply(a->mailbox, &apply, is_dry, now);
}

static bool
call_cancel(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	mailbox_apply_cancel(a->mailbox, now);
	return true;
}

static bool
call_explain(struct adapter *a, struct span args, usec_t now)
{
	uint32_t uid;

	return span_to_u32(args, &uid) && mailbox_explain(a->mailbox, uid, now);
}

static bool
call_explain_cancel(struct adapter *a, struct span args, usec_t now)
{
	uint32_t uid;

	(void)now;
	if (!span_to_u32(args, &uid))
		return false;
	mailbox_explain_cancel(a->mailbox, uid);
	return true;
}

/* UID [text | anew | header | message] */
static bool
read_preview(
    struct span args, uint32_t *uid_r, enum mailbox_preview_kind *kind_r)
{
	static const char *const words[] = {
	    [PREVIEW_BEGINNING] = "",
	    [PREVIEW_TEXT] = "text",
	    [PREVIEW_ANEW] = "anew",
	    [PREVIEW_HEADER] = "header",
	    [PREVIEW_MESSAGE] = "message",
	};
	struct span word;

	if (!span_split(&args, ' ', &word) || !span_to_u32(word, uid_r))
		return false;
	for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!span_is(args, words[i]))
			continue;
		*kind_r = (enum mailbox_preview_kind)i;
		return true;
	}
	return false;
}

static bool
call_preview(struct adapter *a, struct span args, usec_t now)
{
	uint32_t uid;
	enum mailbox_preview_kind kind;

	return read_preview(args, &uid, &kind) &&
	       mailbox_preview(a->mailbox, 1000, uid, kind, now);
}

static bool
call_preview_cancel(struct adapter *a, struct span args, usec_t now)
{
	uint32_t uid;
	enum mailbox_preview_kind kind;

	(void)now;
	if (!read_preview(args, &uid, &kind))
		return false;
	mailbox_preview_cancel(a->mailbox, 1000, uid, kind);
	return true;
}

/* ID [SIZE UNIX] */
static bool
call_find(struct adapter *a, struct span args, usec_t now)
{
	struct span id, word;
	struct mailbox_wanted wanted = {0};
	uint32_t size, date;

	span_split(&args, ' ', &id);
	STR_AUTO text = xstrdup_span(id);
	wanted.message_id = text;
	if (args.len > 0) {
		if (!span_split(&args, ' ', &word) ||
		    !span_to_u32(word, &size) || !span_to_u32(args, &date))
			return false;
		wanted.is_exact = true;
		wanted.size = size;
		wanted.received_unix = date;
	}
	return mailbox_find(a->mailbox, &wanted, now);
}

static bool
call_load_failed(struct adapter *a, struct span args, usec_t now)
{
	struct error error = ERROR_INIT;

	error_set(&error, FAULT_LOCAL, "%.*s", SPAN_FMT(args));
	mailbox_load_failed(a->mailbox, &error, now);
	return true;
}

static bool
call_connected(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	a->tls = false;
	mailbox_connected(a->mailbox, now);
	return true;
}

static bool
call_connect_failed(struct adapter *a, struct span args, usec_t now)
{
	struct error error = ERROR_INIT;

	if (!read_error(args, &error))
		return false;
	mailbox_connect_failed(a->mailbox, &error, now);
	return true;
}

static bool
call_tls(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	a->tls = true;
	mailbox_tls_started(a->mailbox, now);
	return true;
}

static bool
call_secret(struct adapter *a, struct span args, usec_t now)
{
	free(a->secret);
	a->secret = xstrdup_span(args);
	mailbox_secret(a->mailbox, args, now);
	return true;
}

static bool
call_secret_failed(struct adapter *a, struct span args, usec_t now)
{
	struct error error = ERROR_INIT;

	if (!read_error(args, &error))
		return false;
	mailbox_secret_failed(a->mailbox, &error, now);
	return true;
}

static bool
call_commit(struct adapter *a, struct span args, usec_t now)
{
	struct error error = ERROR_INIT;
	bool fails = span_is(args, "fail"), written = span_is(args, "written");
	bool ok;

	if (a->batch == NULL && span_is(args, "heard")) {
		mailbox_committed(a->mailbox, true, &error, now);
		return true;
	}
	if (a->batch == NULL)
		return false;
	store_fail_commit(a->store, fails ? 1 : 0, false);
	ok = store_commit(a->store, a->batch, &error);
	a->batch = NULL;
	if (!written)
		mailbox_committed(a->mailbox, ok, &error, now);
	return ok == !fails && (fails || written || span_is(args, "ok"));
}

static bool
call_task(struct adapter *a, struct span args, usec_t now)
{
	struct mailbox_status status;
	enum effect_state state;
	uint32_t uid, seq;

	if (!span_to_u32(take_word(&args), &uid) ||
	    !span_to_u32(take_word(&args), &seq) ||
	    !effect_state_parse(take_word(&args), &state))
		return false;
	STR_AUTO words = xstrdup_span(args);
	mailbox_get_status(a->mailbox, &status);
	mailbox_task_done(
	    a->mailbox, status.uidvalidity, uid, seq, state, words, now);
	return true;
}

static bool
call_kill(struct adapter *a, struct span args, usec_t now)
{
	(void)args;
	die(a);
	be_born(a, now);
	return true;
}

static bool
call_ask(struct adapter *a, struct span args, usec_t now)
{
	struct strv names = STRV_INIT;

	while (args.len > 0)
		strv_add_span(&names, take_word(&args));
	mailbox_ask(a->mailbox, &names, now);
	strv_done(&names);
	return true;
}

struct search {
	int64_t id;
	struct adapter *a;
	usec_t now;
	enum queue_state state;
	bool ok;
};

static bool
ask_item(void *ctx, const struct store_queue_item *item)
{
	struct search *search = ctx;
	const struct mailbox_forward forward = forward_of(item);

	if (item->id != search->id)
		return true;
	search->ok = span_starts(span_from_str(item->reply), STORE_CLAIMED);
	mailbox_ask_forward(search->a->mailbox, &forward, search->now);
	return false;
}

static bool
settle_item(void *ctx, const struct store_queue_item *item)
{
	struct search *search = ctx;

	if (item->id != search->id)
		return true;
	search->ok = true;
	mailbox_forward_settled(search->a->mailbox, item->source.uidvalidity,
	    item->source.uid, item->seq,
	    search->state == QUEUE_WAITING   ? FORWARD_AGAIN
	    : search->state == QUEUE_SENDING ? FORWARD_PERHAPS
					     : FORWARD_OVER,
	    search->now);
	return false;
}

static bool
call_forward(struct adapter *a, struct span args, usec_t now)
{
	struct search search = {.a = a, .now = now};
	uint32_t id = 0;

	if (!span_to_u32(args, &id))
		return false;
	search.id = id;
	store_each_queued(a->store, "work", ask_item, &search, NULL);
	return search.ok;
}

/* It is in the store first. "sending": it waits, and may have been sent. */
static bool
call_settled(struct adapter *a, struct span args, usec_t now)
{
	struct search search = {.a = a, .now = now};
	struct store_batch *batch = store_batch_new();
	uint32_t id = 0;

	if (span_to_u32(take_word(&args), &id) &&
	    queue_state_parse(args, &search.state)) {
		search.id = id;
		store_batch_set_queue(batch, id, search.state, 0, START_UNIX,
		    STORE_CLAIMED, START_UNIX);
		store_commit(a->store, batch, NULL);
		store_each_queued(a->store, "work", settle_item, &search, NULL);
	}
	store_batch_free(&batch);
	return search.ok;
}

static bool
call_notify(struct adapter *a, struct span args, usec_t now)
{
	struct strv names = STRV_INIT;

	while (args.len > 0)
		strv_add_span(&names, take_word(&args));
	mailbox_notify(a->mailbox, &names, now);
	strv_done(&names);
	return true;
}

static const struct {
	const char *word;
	bool (*call)(struct adapter *a, struct span args, usec_t now);
} call_rows[] = {
    {"start", call_start},
    {"stop", call_stop},
    {"park", call_park},
    {"hint", call_hint},
    {"renewal", call_renewal},
    {"reload", call_reload},
    {"load", call_load},
    {"load-failed", call_load_failed},
    {"recall", call_recall},
    {"connected", call_connected},
    {"connect-failed", call_connect_failed},
    {"tls", call_tls},
    {"secret", call_secret},
    {"secret-failed", call_secret_failed},
    {"commit", call_commit},
    {"task", call_task},
    {"kill", call_kill},
    {"other", call_other},
    {"left", call_left},
    {"apply", call_apply},
    {"cancel", call_cancel},
    {"explain", call_explain},
    {"explain-cancel", call_explain_cancel},
    {"find", call_find},
    {"preview", call_preview},
    {"preview-cancel", call_preview_cancel},
    {"ask", call_ask},
    {"forward", call_forward},
    {"settled", call_settled},
    {"notify", call_notify},
};

static bool
adapter_call(void *adapter, struct span word, struct span args, usec_t now)
{
	for (size_t i = 0; i < COUNT(call_rows); i++)
		if (span_is(word, call_rows[i].word))
			return call_rows[i].call(adapter, args, now);
	return false;
}

/* ---- Events ---- */

static const char *const event_names[] = {
    [MAILBOX_LOAD] = "load",
    [MAILBOX_RECALL] = "recall",
    [MAILBOX_CONNECT] = "connect",
    [MAILBOX_DISCONNECT] = "disconnect",
    [MAILBOX_STARTTLS] = "starttls",
    [MAILBOX_SECRET] = "secret",
    [MAILBOX_COMMIT] = "commit",
    [MAILBOX_EXEC] = "exec",
    [MAILBOX_PREPARE] = "prepare",
    [MAILBOX_NOTIFY] = "notify",
    [MAILBOX_QUEUED] = "queued",
    [MAILBOX_FORWARD] = "forward",
    [MAILBOX_FOLDERS] = "folders",
    [MAILBOX_PROVEN] = "proven",
    [MAILBOX_CHANGED] = "changed",
    [MAILBOX_LOGIN_FAILED] = "login-failed",
    [MAILBOX_LOCKED_OUT] = "locked-out",
    [MAILBOX_REPORT] = "report",
    [MAILBOX_TOLD] = "told",
    [MAILBOX_LOST] = "lost",
    [MAILBOX_OVER_LIMIT] = "over-limit",
    [MAILBOX_HANDED] = "handed",
    [MAILBOX_PROGRESS] = "progress",
    [MAILBOX_EXPLAINED] = "explained",
    [MAILBOX_FOUND] = "found",
    [MAILBOX_PREVIEWED] = "previewed",
    [MAILBOX_LEFT] = "left",
};

static void
add_batch(struct buf *line, const struct store_batch *batch, bool shows_senders)
{
	BUF_AUTO text = BUF_INIT;
	struct span rest, op;
	const char *between = " ";

	store_batch_describe(batch, &text);
	rest = buf_span(&text);
	bool is_first =
	    span_find_span(rest, SPAN("fact contact "), 0) != SIZE_MAX;
	while (span_split(&rest, '\n', &op)) {
		if (op.len == 0 || span_starts(op, "fact contact ") ||
		    (is_first && span_starts(op, "fact audit ")) ||
		    span_starts(op, "fact " BREAKER_FACT " ") ||
		    (!shows_senders && span_starts(op, "sender ")))
			continue;
		buf_add_str(line, between);
		buf_add_span(line, op);
		between = "; ";
	}
}

static void
add_task(struct buf *line, const struct mailbox_task *task, bool is_exec)
{
	buf_addf(line, " %u#%u ", task->uid, task->seq);
	if (!is_exec) {
		buf_add_str(line, task->subject);
		if (task->preview != NULL)
			buf_addf(line, " \"%s\"", task->preview);
		return;
	}
	STR_AUTO argv = strv_join(&task->action.argv, " ");
	buf_addf(line, "%s < %zu bytes", argv, task->input.len);
}

static void
add_report(struct buf *line, const struct mailbox_report *report, bool tells)
{
	buf_addf(line, " %s ", report_kind_name(report->kind));
	if (tells && report->for_person)
		buf_add_str(line, "to the person ");
	if (report->uid != 0)
		buf_addf(line, "%u ", report->uid);
	if (report->rules != NULL && report->rules[0] != '\0')
		buf_addf(line, "by %s: ", report->rules);
	buf_add_str(line, report->text);
	if (report->retry_in != USEC_NEVER) {
		buf_add_str(line, ", again in ");
		usec_format(line, report->retry_in);
	}
}

static void
add_nonzero(struct buf *line, const char *word, uint64_t count)
{
	if (count > 0)
		buf_addf(line, " %s %llu", word, (unsigned long long)count);
}

static void
add_tally(struct buf *line, const struct tally *tally)
{
	for (size_t i = 0; i < tally->count; i++) {
		const struct tally_row *row = &tally->rows[i];
		buf_addf(line, "; %s %llu", row->rule,
		    (unsigned long long)row->matched);
		add_nonzero(line, "observed", row->observed);
		add_nonzero(line, "over", row->over_limit);
		for (int kind = 0; kind < ACTION_KINDS; kind++)
			add_nonzero(line, action_name((enum action_kind)kind),
			    row->actions[kind]);
	}
}

static void
add_progress(struct adapter *a, struct buf *line, usec_t now)
{
	struct mailbox_apply_status status;

	if (!mailbox_get_apply(a->mailbox, &status, now))
		return;
	const struct store_apply *row = status.apply;
	buf_addf(line, " %s %u to %u looked %llu", apply_state_name(row->state),
	    row->next_uid, row->end_uid, (unsigned long long)row->looked);
	add_nonzero(line, "of", row->total);
	add_nonzero(line, "matched", row->matched);
	add_nonzero(line, "observed", row->observed);
	add_nonzero(line, "busy", row->busy);
	add_nonzero(line, "left", row->left_out);
	add_nonzero(line, "open", status.open);
	add_nonzero(line, "waiting", status.waiting);
	add_nonzero(line, "done", status.done);
	add_nonzero(line, "failed", status.failed);
	if (row->detail[0] != '\0')
		buf_addf(line, ": %s", row->detail);
	add_tally(line, status.tally);
}

static void
add_explained(struct buf *line, const struct mailbox_explained *explained)
{
	buf_addf(line, " %u", explained->uid);
	if (explained->error.fault != FAULT_NONE) {
		buf_addf(line, " %s", explained->error.text);
		return;
	}
	for (size_t i = 0; i < explained->trace.count; i++)
		buf_addf(line, " %s %s;", explained->trace.rules[i].id,
		    trace_outcome_name(explained->trace.rules[i].outcome));
	for (size_t i = 0; i < explained->plan.count; i++) {
		buf_add_char(line, ' ');
		action_describe(line, &explained->plan.actions[i]);
	}
}

static void
add_content(struct buf *line, struct span content)
{
	buf_add_char(line, '"');
	for (size_t i = 0; i < content.len; i++)
		if (content.data[i] == '\r')
			buf_add_str(line, "\\r");
		else if (content.data[i] == '\n')
			buf_add_str(line, "\\n");
		else
			buf_add_char(line, content.data[i]);
	buf_add_char(line, '"');
}

static void
add_previewed(struct buf *line, const struct mailbox_previewed *previewed)
{
	buf_addf(line, " %u \"%s\"", previewed->uid, previewed->preview);
	if (previewed->kind == PREVIEW_ANEW)
		buf_addf(line, " of \"%s\"", previewed->subject);
	if (previewed->kind < PREVIEW_HEADER)
		return;
	buf_add_str(
	    line, previewed->kind == PREVIEW_HEADER ? " header " : " message ");
	add_content(line, buf_span(&previewed->content));
}

static void
add_found(struct buf *line, const struct mailbox_found *found)
{
	buf_addf(line, " %s", found->message_id);
	if (found->error.fault != FAULT_NONE)
		buf_addf(line, " %s", found->error.text);
	else
		buf_addf(line, " %u/%u of %zu", found->uidvalidity, found->uid,
		    found->count);
	if (found->read > 0)
		buf_addf(line, ", %zu read", found->read);
}

static void
add_answer(struct buf *line, const struct mailbox_event *event, usec_t now)
{
	static const char *const words[] = {
	    [FORWARD_OURS] = "ours for",
	    [FORWARD_OTHERS] = "others for",
	    [FORWARD_DONE] = "done",
	    [FORWARD_UNSURE] = "unsure",
	};

	buf_addf(line, " %lld %s", (long long)event->id, words[event->answer]);
	if (event->answer > FORWARD_OTHERS)
		return;
	buf_add_char(line, ' ');
	if (event->wait == USEC_NEVER)
		buf_add_str(line, "ever");
	else
		usec_format(line, event->answer == FORWARD_OURS
				      ? usec_since(now, event->wait)
				      : event->wait);
}

static void
add_event(struct adapter *a, struct buf *line, struct mailbox_event *event,
    usec_t now)
{
	buf_add_str(line, event_names[event->kind]);
	if (event->kind == MAILBOX_PROGRESS) {
		add_progress(a, line, now);
	} else if (event->found != NULL) {
		add_found(line, event->found);
	} else if (event->previewed != NULL) {
		add_previewed(line, event->previewed);
	} else if (event->explained != NULL) {
		add_explained(line, event->explained);
	} else if (event->kind == MAILBOX_COMMIT) {
		add_batch(line, event->batch, a->shows_senders);
		assert(a->batch == NULL);
		a->batch = event->batch;
	} else if (event->task != NULL) {
		add_task(line, event->task, event->kind != MAILBOX_NOTIFY);
	} else if (event->report != NULL) {
		add_report(line, event->report, a->tells);
	} else if (event->kind == MAILBOX_CHANGED) {
		buf_addf(line, " %u %s", event->uid,
		    event->change == CHANGE_READ ? "read" : "gone");
	} else if (event->kind == MAILBOX_TOLD) {
		buf_addf(line, " %s%s", event->name,
		    event->news.refused ? " refused" : "");
		add_nonzero(line, "validity", event->news.uidvalidity);
		add_nonzero(line, "next", event->news.uidnext);
		add_nonzero(line, "modseq", event->news.modseq);
	} else if (event->kind == MAILBOX_FORWARD) {
		add_answer(line, event, now);
	} else if (event->kind == MAILBOX_LOCKED_OUT) {
		buf_addf(line, " %s %s", fault_name(event->error.fault),
		    event->error.text);
	}
}

static bool
adapter_next_event(void *adapter, struct buf *line, bool *last_r, usec_t now)
{
	struct adapter *a = adapter;
	struct mailbox_event event;

	*last_r = false;
	if (!mailbox_next_event(a->mailbox, &event, now))
		return false;
	a->load_asked = a->load_asked || event.kind == MAILBOX_LOAD;
	add_event(a, line, &event, now);
	mailbox_event_done(&event);
	return true;
}

/* Pulls all events; whether LOAD was one of them, or, from one whose
 * credentials were refused, the question for other ones. */
static bool
loads(struct adapter *a, usec_t now)
{
	struct mailbox_event event;
	bool found = false;

	while (mailbox_next_event(a->mailbox, &event, now)) {
		found = found || event.kind == MAILBOX_LOAD ||
			event.kind == MAILBOX_SECRET;
		BUF_AUTO line = BUF_INIT;
		add_event(a, &line, &event, now);
		mailbox_event_done(&event);
	}
	return found;
}

/* Whatever it was doing when the stream broke, it begins anew by itself. */
static bool
adapter_survives(void *adapter, usec_t now)
{
	struct adapter *a = adapter;

	if (mailbox_is_resting(a->mailbox))
		return true; /* not started, or stopped */
	if (a->load_asked)
		return true; /* already on its way */
	for (unsigned i = 0; i < ROUNDS_MAX; i++) {
		if (a->batch != NULL)
			call_commit(a, SPAN("ok"), now);
		if (loads(a, now))
			return true;
		usec_t deadline = mailbox_deadline(a->mailbox);
		if (deadline == USEC_NEVER && a->batch == NULL)
			return false;
		if (a->batch != NULL)
			continue;
		if (deadline > now)
			now = deadline;
		mailbox_tick(a->mailbox, now);
	}
	return false;
}

const struct script_engine script_engine_mailbox = {
    .extension = "mailbox",
    .class = &mailbox_class,
    .create = adapter_create,
    .destroy = adapter_destroy,
    .engine = adapter_engine,
    .next_event = adapter_next_event,
    .call = adapter_call,
    .secret = adapter_secret,
    .may_send_secret = adapter_may_send_secret,
    .survives = adapter_survives,
};
