/*
 * wiring/deeds: the buttons of notifications that act on the server.
 *
 * In a watched mailbox the effect is given to it, and done at once, or with
 * the next connection. Where nobody watches (a rule moved the message there)
 * a run is planned, which a visitor does; while another one is under way
 * there, the button waits.
 *
 * A message that a rule moved on a server which does not say where it put it
 * is looked for there first, by Message-ID, size and date. Only when exactly
 * one is like that it is acted on, and its place is in the journal before.
 */
#include "daemon/wiring/deeds.h"
#include "daemon/account/deed.h"
#include "daemon/account/undo.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/planned_run.h"

/* For the end of another run, or a connection. */
#define BUSY_AGAIN_USEC (2 * USEC_SEC)
#define BUSY_USEC (10 * USEC_MINUTE)
#define WAITING_MAX 100

/* Where a message is that the server does not tell of. */
struct search {
	const struct mailbox *asked; /* it looks; only to compare */
	char *message_id;	     /* owned; the same is asked with: */
	uint64_t size;
	int64_t received_unix;
	bool is_in_doubt;	   /* nobody knows whether it was moved */
	uint32_t uidvalidity, uid; /* found */
	char *failure;		   /* owned: why it was not */
};

struct deed {
	struct list_link link;
	struct belfry *belfry;
	const struct deed_kind *kind;
	struct notification n; /* a copy */
	struct loop_timer *timer;
	usec_t until;
	struct search search;
};

enum verdict {
	PLANNED,
	BUSY,
	ASKED, /* it is looked for */
	REFUSED
};

static void
deed_free(struct deed *deed)
{
	list_remove(&deed->link);
	loop_timer_free(&deed->timer);
	notification_done(&deed->n);
	free(deed->search.message_id);
	free(deed->search.failure);
	free(deed);
}

static void
tell_refusal(const struct deed *deed, const char *why)
{
	const char *account = deed->n.account;
	STR_AUTO title = xasprintf("Belfry: %s", account);
	STR_AUTO text = xasprintf("A message of %s was not %s: %s",
	    deed->n.mailbox, deed->kind->words, why);

	report_note(deed->belfry, true, "button", account, "%s", text);
	notify_say(deed->belfry, account, URGENCY_NORMAL, title, text);
}

/* ---- planning ---- */

static struct running_account *
find_account(const struct deed *deed, struct error *error_r)
{
	struct running_account *account =
	    accounts_find(deed->belfry, deed->n.account);

	if (account == NULL)
		error_set(error_r, FAULT_CONFIG,
		    "the account is not in the configuration any more");
	else if (account->paused)
		error_set(error_r, FAULT_CONFIG,
		    "the account is paused: belfryctl resume connects it "
		    "again");
	else if (deed->belfry->dry_run)
		error_set(error_r, FAULT_CONFIG,
		    "belfryd runs with --dry-run, and changes nothing");
	else
		return account;
	return NULL;
}

/* How many actions the message has had where it is now. */
static unsigned
next_seq(const struct deed *deed, const struct past *past,
    const struct store_key *key)
{
	struct past there;
	unsigned seq;

	if (strcmp(key->mailbox, past->message.key.mailbox) == 0 &&
	    key->uid == past->message.key.uid)
		return deed_next_seq(past->effects, past->count);
	if (!past_find(deed->belfry->store, key, &there))
		return 0;
	seq = deed_next_seq(there.effects, there.count);
	past_done(&there);
	return seq;
}

static bool
is_watched(const struct running_account *account, const char *mailbox)
{
	for (size_t i = 0; i < account_count(account->account); i++)
		if (strcmp(mailbox_name(account_mailbox(account->account, i)),
			mailbox) == 0)
			return true;
	return false;
}

static enum verdict
plan_watched(const struct deed *deed, struct running_account *account,
    const struct past *past, const struct store_key *key,
    const struct action *action, struct error *error_r)
{
	struct store_batch *batch = store_batch_new();
	struct store_message message = past->message;
	BUF_AUTO text = BUF_INIT;
	bool ok;

	action_format(&text, action);
	const struct store_effect effect = {
	    .key = *key,
	    .seq = next_seq(deed, past, key),
	    .rule = DEED_RULE,
	    .kind = action_name(action->kind),
	    .action = buf_str(&text),
	    .state = EFFECT_PLANNED,
	    .detail = "",
	    .changed_unix = loop_now_unix(),
	};
	message.key = *key;
	message.judged_unix = loop_now_unix();
	planned_add_message(batch, past, key, DEED_RULE);
	store_batch_add_effect(batch, &effect);
	ok = journal_commit_now(deed->belfry->journal, batch, error_r);
	if (ok) {
		arrivals_note(account->arrivals, batch);
		account_do(account->account, &effect, &message, loop_now());
	}
	store_batch_free(&batch);
	return ok ? PLANNED : REFUSED;
}

static enum verdict
plan_run(struct running_account *account, const struct past *past,
    const struct store_key *key, const struct action *action,
    struct error *error_r)
{
	struct planned_run run;
	enum verdict verdict = BUSY;

	if (planned_run_begin(&run, account, key->mailbox, DEED_RULE)) {
		planned_run_add(
		    &run, past, key->uidvalidity, key->uid, action, 0);
		verdict = planned_run_commit(&run, error_r) ? PLANNED : REFUSED;
	}
	planned_run_done(&run);
	return verdict;
}

/* What passes, as the folders being listed just now, is waited for. */
static enum verdict
verdict_of(const struct error *error)
{
	return error->fault == FAULT_RETRY ? BUSY : REFUSED;
}

static enum verdict
plan_at(const struct deed *deed, struct running_account *account,
    const struct past *past, const struct deed_place *place,
    struct error *error_r)
{
	BUF_AUTO mailbox = BUF_INIT;
	enum verdict verdict;
	struct action action;

	if (!planned_find_mailbox(account, place->mailbox, &mailbox, error_r))
		return verdict_of(error_r);
	const struct store_key key = {account->config->name, buf_str(&mailbox),
	    place->uidvalidity, place->uid};
	deed_fill_action(deed->kind, &action);
	verdict =
	    is_watched(account, key.mailbox)
		? plan_watched(deed, account, past, &key, &action, error_r)
		: plan_run(account, past, &key, &action, error_r);
	action_done(&action);
	return verdict;
}

/* ---- looking for it ---- */

static bool
ask_where(struct deed *deed, struct running_account *account,
    const struct past *past, const char *mailbox, struct error *error_r)
{
	const struct store_message *message = &past->message;
	const struct mailbox_wanted wanted = {.message_id = message->message_id,
	    .is_exact = true,
	    .size = message->size,
	    .received_unix = message->received_unix};
	struct search *search = &deed->search;

	if (message->message_id[0] == '\0')
		return error_set(error_r, FAULT_PEER,
		    "the server did not say where a rule put it, and it has "
		    "no Message-ID to be looked for by");
	search->asked = account_seek(
	    account->account, mailbox, &wanted, 1, loop_now(), error_r);
	if (search->asked == NULL)
		return false;
	free(search->message_id);
	search->message_id = xstrdup(message->message_id);
	search->size = message->size;
	search->received_unix = message->received_unix;
	return true;
}

static enum verdict
seek(struct deed *deed, struct running_account *account,
    const struct past *past, const struct deed_place *place,
    struct error *error_r)
{
	struct error error = ERROR_INIT;
	BUF_AUTO mailbox = BUF_INIT;

	if (deed->search.failure != NULL) {
		error_set(error_r, FAULT_PEER, "%s", deed->search.failure);
		return REFUSED;
	}
	if (!planned_find_mailbox(account, place->mailbox, &mailbox, error_r))
		return verdict_of(error_r);
	if (ask_where(deed, account, past, buf_str(&mailbox), &error)) {
		deed->search.is_in_doubt =
		    place->mover->state == EFFECT_UNKNOWN;
		accounts_pump(account);
		return ASKED;
	}
	*error_r = error;
	return verdict_of(error_r);
}

/* Before anything is done there: undo finds it by that, too. */
static bool
write_down(const struct deed *deed, const struct store_effect *mover,
    struct error *error_r)
{
	struct store_batch *batch = store_batch_new();
	BUF_AUTO detail = BUF_INIT;
	bool ok;

	buf_add_str(&detail, mover->detail);
	undo_add_place(&detail, deed->search.uid, deed->search.uidvalidity);
	store_batch_set_effect(batch, &mover->key, mover->seq, mover->state,
	    mover->attempts, buf_str(&detail), mover->changed_unix);
	ok = journal_commit_now(deed->belfry->journal, batch, error_r);
	store_batch_free(&batch);
	return ok;
}

static enum verdict
plan_where_found(struct deed *deed, struct running_account *account,
    const struct past *past, struct deed_place *place, struct error *error_r)
{
	if (place->mover == NULL)
		return plan_at(deed, account, past, place, error_r);
	if (deed->search.uid == 0)
		return seek(deed, account, past, place, error_r);
	place->uid = deed->search.uid;
	place->uidvalidity = deed->search.uidvalidity;
	return write_down(deed, place->mover, error_r)
		   ? plan_at(deed, account, past, place, error_r)
		   : REFUSED;
}

/* From the loop: this may be in the middle of a question. */
static void
go_on_with(struct deed *deed, const char *failure)
{
	deed->search.asked = NULL;
	if (failure != NULL)
		deed->search.failure = xstrdup(failure);
	loop_timer_set(deed->timer, loop_now());
}

static void
take_answer(struct deed *deed, const struct mailbox_found *found)
{
	STR_AUTO words = NULL;

	if (found->error.fault != FAULT_NONE)
		words = xasprintf(
		    "it could not be looked for: %s", found->error.text);
	else if (found->count == 0 && deed->search.is_in_doubt)
		words = xasprintf("a rule may have moved it, but it is not "
				  "where that puts it: see whether it is still "
				  "in %s",
		    deed->n.mailbox);
	else if (found->count == 0)
		words = xstrdup("a rule moved it, and it is not there any "
				"more");
	else if (found->count > 1)
		words = xasprintf("a rule moved it, and %zu messages there are "
				  "the same",
		    found->count);
	if (words == NULL) {
		deed->search.uid = found->uid;
		deed->search.uidvalidity = found->uidvalidity;
	}
	go_on_with(deed, words);
}

void
deeds_found(struct line *line, const struct mailbox_found *found)
{
	LIST_EACH(pos, &line->owner->belfry->deeds)
	{
		struct deed *deed = LIST_ITEM(pos, struct deed, link);
		const struct search *search = &deed->search;
		if (search->asked == line->mailbox &&
		    search->size == found->size &&
		    search->received_unix == found->received_unix &&
		    strcmp(search->message_id, found->message_id) == 0)
			take_answer(deed, found);
	}
}

void
deeds_left(struct line *line)
{
	LIST_EACH(pos, &line->owner->belfry->deeds)
	{
		struct deed *deed = LIST_ITEM(pos, struct deed, link);
		if (deed->search.asked == line->mailbox)
			go_on_with(deed, "it could not be looked for: the "
					 "connection ended");
	}
}

/* ---- doing ---- */

static enum verdict
plan(struct deed *deed, struct error *error_r)
{
	const struct notification *n = &deed->n;
	const struct store_key key = {
	    n->account, n->mailbox, n->uidvalidity, n->uid};
	struct running_account *account = find_account(deed, error_r);
	struct deed_place place;
	enum verdict verdict = REFUSED;
	const char *why;
	struct past past;

	if (account == NULL)
		return REFUSED;
	if (!past_find(deed->belfry->store, &key, &past)) {
		error_set(error_r, FAULT_LOCAL,
		    "the history does not know it any more");
		return REFUSED;
	}
	why = deed_find_place(&key, past.effects, past.count, &place);
	if (why != NULL) {
		error_set(error_r, FAULT_PEER, "%s", why);
	} else {
		verdict =
		    plan_where_found(deed, account, &past, &place, error_r);
		deed_place_done(&place);
	}
	past_done(&past);
	if (verdict == PLANNED)
		accounts_pump(account);
	return verdict;
}

/* Also on other screens, and phones. */
static void
withdraw(const struct deed *deed)
{
	const struct notification *n = &deed->n;
	struct running_account *account =
	    accounts_find(deed->belfry, n->account);
	struct line *line =
	    account != NULL ? accounts_find_line(account, n->mailbox) : NULL;
	STR_AUTO why = xasprintf("%s by the person", deed->kind->words);

	if (line != NULL)
		notify_withdraw(line, n->uidvalidity, n->uid, why);
}

/* True: it is over, one way or the other. */
static bool
try_it(struct deed *deed)
{
	struct error error = ERROR_INIT;

	switch (plan(deed, &error)) {
	case PLANNED:
		withdraw(deed);
		return true;
	case REFUSED:
		tell_refusal(deed, error.text);
		return true;
	case ASKED:
		/* An answer at once has set it to now. */
		if (deed->search.asked != NULL)
			loop_timer_set(deed->timer, deed->until);
		return false;
	case BUSY:
		break;
	}
	if (loop_now() < deed->until) {
		loop_timer_set(
		    deed->timer, usec_add(loop_now(), BUSY_AGAIN_USEC));
		return false;
	}
	tell_refusal(deed, error.fault != FAULT_NONE
			       ? error.text
			       : "another run is under way where it is now");
	return true;
}

static void
on_timer(void *ctx)
{
	struct deed *deed = ctx;

	if (deed->search.asked != NULL) {
		deed->search.asked = NULL;
		deed->search.failure = xstrdup(
		    "it could not be looked for: there is no connection");
	}
	if (try_it(deed))
		deed_free(deed);
}

static bool
has_room(const struct belfry *belfry)
{
	size_t count = 0;

	LIST_EACH(pos, &belfry->deeds)
	count++;
	return count < WAITING_MAX;
}

void
deed_do(struct belfry *belfry, const struct notification *n, const char *key)
{
	const struct deed_kind *kind = deed_find(key);
	struct deed *deed;

	if (kind == NULL || n->uid == 0)
		return;
	deed = NEW(struct deed);
	deed->belfry = belfry;
	deed->kind = kind;
	notification_init(&deed->n);
	notification_copy(&deed->n, n);
	deed->until = usec_add(loop_now(), BUSY_USEC);
	deed->timer = loop_timer_new(belfry->loop, on_timer, deed);
	list_init(&deed->link);
	if (!has_room(belfry)) {
		tell_refusal(deed, "too many others wait");
		deed_free(deed);
		return;
	}
	/* Before it is tried: what it asks may be answered at once. */
	list_add(&belfry->deeds, &deed->link);
	if (try_it(deed))
		deed_free(deed);
}

void
deeds_free_all(struct belfry *belfry)
{
	LIST_EACH(pos, &belfry->deeds)
	deed_free(LIST_ITEM(pos, struct deed, link));
}
