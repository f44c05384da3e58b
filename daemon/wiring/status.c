/* How everything is, as `belfryctl status` tells it. */
#include <unistd.h>

#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"
#include "daemon/wiring/tokens.h"

static void
set_wait(struct json *json, const char *key, usec_t when)
{
	if (when != USEC_NEVER)
		json_set_int(json, key,
		    (int64_t)(usec_since(loop_now(), when) / USEC_SEC));
}

static struct json *
status_of_mailbox(struct mailbox *mailbox)
{
	struct mailbox_status status;
	struct json *json = json_new_object();

	mailbox_get_status(mailbox, &status);
	json_set_str(json, "mailbox", status.name);
	json_set_str(json, "state", status.state);
	json_set_bool(json, "pushed", status.idle);
	json_set_str(json, "watched", mailbox_watch_name(status.watch));
	if (status.every != 0)
		json_set_int(
		    json, "asked_every_s", (int64_t)(status.every / USEC_SEC));
	json_set_bool(json, "connected", status.is_connected);
	json_set_time(json, "since", loop_unix_of(status.since));
	json_set_time(json, "proven",
	    status.proven != 0 ? loop_unix_of(status.proven) : 0);
	set_wait(json, "next_try_in_s", status.next_try);
	set_wait(json, "next_proof_in_s", status.next_proof);
	json_set_int(json, "renew_s", (int64_t)(status.renew / USEC_SEC));
	json_set_int(
	    json, "renew_set_s", (int64_t)(status.renew_set / USEC_SEC));
	json_set_int(json, "missed_pushes", status.missed);
	json_set_bool(json, "polled_too", status.deaf);
	json_set_str(
	    json, "trouble", status.trouble[0] != '\0' ? status.trouble : NULL);
	json_set_int(json, "uidvalidity", status.uidvalidity);
	json_set_int(json, "next_uid", status.next_uid);
	json_set_int(json, "open", (int64_t)status.jobs);
	json_set_int(json, "unread", (int64_t)status.unread);
	return json;
}

static bool
count_item(void *ctx, const struct store_queue_item *item)
{
	unsigned *counts = ctx;

	counts[item->state]++;
	return true;
}

struct json *
status_of_queue(const struct running_account *account)
{
	unsigned counts[QUEUE_STATES] = {0};
	struct json *json = json_new_object();
	const struct outbox *outbox =
	    account->sender != NULL ? sender_outbox(account->sender) : NULL;
	const char *trouble = outbox != NULL ? outbox_trouble(outbox) : "";
	BUF_AUTO cure = BUF_INIT;
	usec_t until;

	store_each_queued(account->belfry->store, account->config->name,
	    count_item, counts, NULL);
	for (size_t i = 0; i < QUEUE_STATES; i++)
		json_set_int(
		    json, queue_state_name((enum queue_state)i), counts[i]);
	json_set_str(json, "trouble", *trouble != '\0' ? trouble : NULL);
	if (outbox != NULL)
		set_wait(json, "next_try_in_s", outbox_next_try(outbox));
	if (outbox != NULL && outbox_wants_secret(outbox))
		queue_add_cure(&cure, account->config);
	json_set_str(json, "cure", cure.len > 0 ? buf_str(&cure) : NULL);
	json_set_int(json, "stopped",
	    breaker_count_open(&account->breaker, &until, loop_now()));
	if (until > 0)
		set_wait(json, "stopped_for_s", until);
	return json;
}

static struct json *
status_of_account(struct running_account *account)
{
	struct json *json = json_new_object();
	struct json *mailboxes = json_new_array();
	BUF_AUTO others = BUF_INIT;

	json_set_str(json, "account", account->config->name);
	json_set_str(json, "email", account->config->email);
	json_set_str(json, "server", account->config->imap.host);
	json_set_str(json, "locked_out", account_lockout(account->account));
	if (account->tokens != NULL)
		json_set(json, "sign_in", tokens_status(account->tokens));
	json_set_bool(json, "paused", account->paused);
	json_set_time(json, "paused_until", account->paused_until);
	if (account->claims != NULL)
		claims_describe(
		    account->claims, loop_now_unix(), loop_now(), &others);
	json_set_str(
	    json, "machines", others.len > 0 ? buf_str(&others) : NULL);
	for (size_t i = 0; i < account_count(account->account); i++)
		if (!account_is_gone(account->account, i))
			json_add(mailboxes, status_of_mailbox(account_mailbox(
						account->account, i)));
	json_set(json, "mailboxes", mailboxes);
	json_set(json, "certificates", certificates_status(account));
	json_set(json, "forwards", status_of_queue(account));
	json_set(json, "left_open", left_open_status(account));
	return json;
}

struct json *
status_of(struct belfry *belfry)
{
	struct json *answer = json_new_object();
	struct json *accounts = json_new_array();

	json_set_str(answer, "version", PACKAGE_VERSION);
	json_set_int(answer, "pid", getpid());
	json_set_time(answer, "started", loop_unix_of(belfry->started));
	json_set_str(answer, "config", belfry->config_path);
	json_set_bool(answer, "dry_run", belfry->dry_run);
	const char *journal = journal_trouble(belfry->journal);
	json_set_str(answer, "journal", *journal != '\0' ? journal : NULL);
	json_set_int(
	    answer, "rules", (int64_t)rules_count(belfry->config->rules));
	LIST_EACH(pos, &belfry->accounts)
	json_add(accounts,
	    status_of_account(LIST_ITEM(pos, struct running_account, link)));
	not_started_add_status(belfry, accounts);
	json_set(answer, "accounts", accounts);
	json_set(answer, "notifiers", notify_status(belfry));
	json_set_int(
	    answer, "escalations", (int64_t)notify_count_later(belfry));
	return answer;
}
