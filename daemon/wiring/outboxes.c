/* The needs of the forward queue, answered. */
#include <assert.h>

#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/login.h"
#include "daemon/wiring/tokens.h"
#include "daemon/wiring/transport.h"

struct sender {
	struct running_account *owner;
	struct outbox_config config;
	struct outbox *outbox;
	struct transport *transport;
	struct store_batch *batch; /* being written; NULL: nothing is */
	bool pumping;
	struct loop_timer *later; /* the rest of the needs */
	struct outbox_event first;
	bool has_first;
	bool is_later;		  /* they have waited once */
	bool told_trouble;	  /* the person, until something was sent */
	struct secret_wait *look; /* is it another one? NULL: nobody asks */
	sender_secret_fn *looked;
	void *look_ctx;
};

static void
on_connected(void *ctx)
{
	struct sender *sender = ctx;

	outbox_connected(sender->outbox, loop_now());
}

static void
on_failed(void *ctx, const struct error *error)
{
	struct sender *sender = ctx;

	outbox_connect_failed(sender->outbox, error, loop_now());
}

static void
on_tls_started(void *ctx)
{
	struct sender *sender = ctx;

	outbox_tls_started(sender->outbox, loop_now());
}

static void
on_secret(void *ctx, struct span secret, const struct sasl_once *once)
{
	struct sender *sender = ctx;

	outbox_once(sender->outbox, once);
	outbox_secret(sender->outbox, secret, loop_now());
}

static void
on_secret_failed(void *ctx, const struct error *error)
{
	struct sender *sender = ctx;

	outbox_secret_failed(sender->outbox, error, loop_now());
}

/* ---- is the secret another one? ---- */

static void
end_look(
    struct sender *sender, enum sender_secret what, const struct error *error)
{
	sender_secret_fn *fn = sender->looked;

	sender->looked = NULL;
	fn(sender->look_ctx, sender->owner, what, error);
}

static void
on_look(void *ctx, const struct secret *secret, const struct error *error)
{
	struct sender *sender = ctx;

	sender->look = NULL;
	if (secret == NULL)
		end_look(sender, SENDER_SECRET_FAILED, error);
	else if (outbox_has_refused(sender->outbox, secret_span(secret)))
		end_look(sender, SENDER_SECRET_REFUSED, NULL);
	else
		end_look(sender, SENDER_SECRET_OTHER, NULL);
}

bool
sender_look_at_secret(struct sender *sender, sender_secret_fn *fn, void *ctx)
{
	if (sender->look != NULL)
		return false;
	sender->looked = fn;
	sender->look_ctx = ctx;
	sender->look = secret_ask(
	    sender->owner->belfry, sender->owner->config, on_look, sender);
	return true;
}

/* ---- needs, one function each ---- */

static void
need_load(struct sender *sender, struct outbox_event *event)
{
	struct store_queue_item item;
	struct error error = ERROR_INIT;
	bool found;

	if (!store_queue_next_but(sender->owner->belfry->store,
		sender->owner->config->name, &event->but, &item, &found,
		&error))
		outbox_load_failed(sender->outbox, &error, loop_now());
	else
		outbox_item(sender->outbox, found ? &item : NULL, loop_now());
}

static void
need_connect(struct sender *sender, struct outbox_event *event)
{
	(void)event;
	transport_connect(sender->transport);
}

static void
need_disconnect(struct sender *sender, struct outbox_event *event)
{
	(void)event;
	transport_disconnect(sender->transport);
}

static void
need_starttls(struct sender *sender, struct outbox_event *event)
{
	(void)event;
	transport_start_tls(sender->transport);
}

static void
need_secret(struct sender *sender, struct outbox_event *event)
{
	(void)event;
	transport_ask_secret(sender->transport);
}

static void pump(void *ctx);

static void
on_committed(void *ctx, bool ok, const struct error *error)
{
	struct sender *sender = ctx;

	store_batch_free(&sender->batch);
	outbox_committed(sender->outbox, ok, error, loop_now());
	pump(sender);
}

static void
need_commit(struct sender *sender, struct outbox_event *event)
{
	assert(sender->batch == NULL);
	sender->batch = event->batch;
	event->batch = NULL;
	journal_commit(sender->owner->belfry->journal, sender->batch,
	    on_committed, sender);
}

/* The folder and the connection are the account's. What it answers at once
 * must not come while the outbox still asks. */
static void
need_sight(struct sender *sender, struct outbox_event *event)
{
	struct running_account *account = sender->owner;
	struct error error = ERROR_INIT;
	const struct mailbox_wanted wanted = {.message_id = event->message_id};
	BUF_AUTO sent = BUF_INIT;

	if (account_find_mailbox(account->account, "\\Sent", &sent, &error) &&
	    account_seek(account->account, buf_str(&sent), &wanted, 1,
		loop_now(), &error) != NULL) {
		accounts_pump(account);
		return;
	}
	outbox_sought(sender->outbox, event->message_id,
	    error.fault == FAULT_RETRY ? OUTBOX_BLIND : OUTBOX_NOWHERE,
	    error.text, loop_now());
}

void
sender_found(struct sender *sender, const struct mailbox_found *found)
{
	enum outbox_sight sight = found->uid != 0 ? OUTBOX_SEEN : OUTBOX_UNSEEN;

	if (found->error.fault != FAULT_NONE)
		sight = OUTBOX_BLIND;
	outbox_sought(sender->outbox, found->message_id, sight,
	    found->error.text, loop_now());
	pump(sender);
}

static void
need_claim(struct sender *sender, struct outbox_event *event)
{
	forward_ask(sender->owner, event);
}

static void
need_settled(struct sender *sender, struct outbox_event *event)
{
	forward_settled(sender->owner, event);
}

/* With what there is to do. */
static void
ring(const struct running_account *account, const struct outbox_event *event,
    const char *title)
{
	BUF_AUTO text = BUF_INIT;
	BUF_AUTO cure = BUF_INIT;

	report_add_cure(&cure, account, event);
	buf_add_str(&text, event->text);
	if (cure.len > 0)
		buf_addf(&text, "; %s", buf_str(&cure));
	notify_say(account->belfry, account->config->name, URGENCY_NORMAL,
	    title, buf_str(&text));
}

/* Trouble that only the person can end, or should know of: not that of the
 * network, nor a token that is fetched anew at once. It rings when it begins.
 */
static void
ring_trouble(struct sender *sender, const struct outbox_event *event)
{
	struct running_account *account = sender->owner;
	STR_AUTO title =
	    xasprintf("Belfry: forwards of %s wait", account->config->name);

	if (sender->told_trouble || tokens_are_lost(account->tokens) ||
	    event->retry_in < REPORT_LONG_USEC ||
	    (event->fault != FAULT_AUTH && event->fault != FAULT_LIMIT))
		return;
	sender->told_trouble = true;
	ring(account, event, title);
}

/* A dead letter, and a queue that waits for the person, ring once. */
static void
need_report(struct sender *sender, struct outbox_event *event)
{
	struct running_account *account = sender->owner;

	report_outbox(account, event);
	if (event->fault == FAULT_AUTH)
		tokens_rejected(account->tokens);
	if (event->report == OUTBOX_SENT)
		sender->told_trouble = false;
	if (event->report == OUTBOX_TROUBLE)
		ring_trouble(sender, event);
	if ((event->report == OUTBOX_FAILED && !event->is_known) ||
	    event->report == OUTBOX_HELD) {
		STR_AUTO title =
		    xasprintf(event->report == OUTBOX_HELD
				  ? "Belfry: did a forward to %s arrive?"
				  : "Belfry: a forward to %s failed",
			event->target);
		ring(account, event, title);
	}
}

static void (*const needs[])(struct sender *, struct outbox_event *) = {
    [OUTBOX_LOAD] = need_load,
    [OUTBOX_CONNECT] = need_connect,
    [OUTBOX_DISCONNECT] = need_disconnect,
    [OUTBOX_STARTTLS] = need_starttls,
    [OUTBOX_SECRET] = need_secret,
    [OUTBOX_CLAIM] = need_claim,
    [OUTBOX_COMMIT] = need_commit,
    [OUTBOX_SEEK] = need_sight,
    [OUTBOX_SETTLED] = need_settled,
    [OUTBOX_REPORT] = need_report,
};

/* The server has to work as soon as it can: what is said to it goes out before
 * the store is asked for what follows. */
static bool
next_need(struct sender *sender, struct outbox_event *event_r)
{
	if (!sender->has_first &&
	    !outbox_next_event(sender->outbox, &sender->first))
		return false;
	sender->has_first = sender->first.kind == OUTBOX_LOAD &&
			    !sender->is_later &&
			    outbox_output(sender->outbox).len > 0;
	if (sender->has_first)
		loop_timer_set(sender->later, 0);
	else
		*event_r = sender->first;
	return !sender->has_first;
}

static void
pump(void *ctx)
{
	struct sender *sender = ctx;
	struct outbox_event event;

	if (sender->pumping)
		return; /* the loop below will see it */
	sender->pumping = true;
	while (next_need(sender, &event)) {
		needs[event.kind](sender, &event);
		outbox_event_done(&event);
	}
	sender->pumping = false;
	transport_arm(sender->transport);
	leave_if_done(sender->owner->belfry);
}

static void
pump_later(void *ctx)
{
	struct sender *sender = ctx;

	sender->is_later = true;
	pump(sender);
	sender->is_later = false;
}

/* ---- beginning and ending ---- */

static struct transport *
make_transport(struct sender *sender)
{
	const struct transport_owner callbacks = {
	    .class = &outbox_class,
	    .engine = sender->outbox,
	    .connected = on_connected,
	    .failed = on_failed,
	    .tls_started = on_tls_started,
	    .secret = on_secret,
	    .secret_failed = on_secret_failed,
	    .pump = pump,
	    .ctx = sender,
	};

	return transport_new(
	    sender->owner, &sender->owner->config->smtp, &callbacks);
}

struct sender *
sender_new(struct running_account *account)
{
	const struct config_account *config = account->config;
	struct sender *sender = NEW(struct sender);

	sender->owner = account;
	sender->config = (struct outbox_config){
	    .account = config->name,
	    .from = config->from,
	    .files_sent = config->sent_copy,
	    .smtp = login_smtp(config),
	    .seed = account_get_config(account->account)->mailbox.seed + 1000,
	};
	sender->outbox = outbox_new(&sender->config, loop_now());
	sender->transport = make_transport(sender);
	sender->later =
	    loop_timer_new(account->belfry->loop, pump_later, sender);
	sender_set_clock(sender);
	outbox_start(sender->outbox, loop_now());
	pump(sender);
	return sender;
}

void
sender_free(struct sender **sender)
{
	if (*sender == NULL)
		return;
	if ((*sender)->look != NULL) {
		secret_cancel(&(*sender)->look);
		end_look(*sender, SENDER_SECRET_GONE, NULL);
	}
	transport_free(&(*sender)->transport);
	journal_forget((*sender)->owner->belfry->journal, *sender);
	store_batch_free(&(*sender)->batch);
	loop_timer_free(&(*sender)->later);
	if ((*sender)->has_first)
		outbox_event_done(&(*sender)->first);
	outbox_free(&(*sender)->outbox);
	free(*sender);
	*sender = NULL;
}

void
sender_set_clock(struct sender *sender)
{
	outbox_set_clock(sender->outbox, loop_now_unix(), loop_now());
}

void
sender_kick(struct sender *sender)
{
	outbox_kick(sender->outbox, loop_now());
	pump(sender);
}

void
sender_reload(struct sender *sender)
{
	sender->told_trouble = false;
	outbox_start(sender->outbox, loop_now()); /* it may have been paused */
	outbox_reload(sender->outbox, loop_now());
	pump(sender);
}

void
sender_retry(struct sender *sender)
{
	outbox_reload(sender->outbox, loop_now());
	outbox_kick(sender->outbox, loop_now());
	pump(sender);
}

void
sender_hint(struct sender *sender)
{
	outbox_hint(sender->outbox, loop_now());
	pump(sender);
}

void
sender_claimed(
    struct sender *sender, int64_t id, enum outbox_claim claim, usec_t time)
{
	outbox_claimed(sender->outbox, id, claim, time, loop_now());
	pump(sender);
}

void
sender_start(struct sender *sender)
{
	outbox_start(sender->outbox, loop_now());
	pump(sender);
}

void
sender_stop(struct sender *sender)
{
	outbox_stop(sender->outbox, loop_now());
	pump(sender);
}

const struct outbox *
sender_outbox(const struct sender *sender)
{
	return sender->outbox;
}
