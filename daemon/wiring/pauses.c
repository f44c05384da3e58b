/*
 * Accounts that a person paused: until a time, or until resumed. That is
 * remembered, as who pauses an account and starts the machine again does not
 * want it back behind his back.
 */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"

/* The fact: "until UNIX since UNIX", until 0 for ever; "no" when it goes on. */
#define FACT "paused"
#define FACT_FORMAT "until %" PRId64 " since %" PRId64
/* Of a pause with an end; what is longer is refused. */
#define PAUSE_MAX (366 * USEC_DAY)

static void
remember(struct running_account *account, const char *value)
{
	struct store_batch *batch;

	if (account->belfry->dry_run)
		return;
	batch = store_batch_new();
	store_batch_set_fact(batch, account->config->name, FACT, value);
	journal_note(account->belfry->journal, batch);
}

static void
go_on(struct running_account *account)
{
	if (account->paused)
		remember(account, "no");
	account->paused = false;
	account->paused_until = 0;
	loop_timer_free(&account->unpause);
	account_start(account->account, loop_now());
	if (account->sender != NULL)
		sender_start(account->sender);
	accounts_pump(account);
}

static void
on_end(void *ctx)
{
	struct running_account *account = ctx;

	report_note(account->belfry, false, "resumed", account->config->name,
	    "the pause is over");
	go_on(account);
}

/* `until`: by the wall clock; 0: for ever. */
static void
hold(struct running_account *account, int64_t until)
{
	int64_t now = loop_now_unix();

	account->paused = true;
	account->paused_until = until;
	loop_timer_free(&account->unpause);
	if (until == 0)
		return;
	account->unpause =
	    loop_timer_new(account->belfry->loop, on_end, account);
	loop_timer_set(account->unpause,
	    usec_add(loop_now(),
		until > now ? (usec_t)(until - now) * USEC_SEC : 0));
}

bool
pauses_restore(struct running_account *account)
{
	STR_AUTO value = NULL;
	int64_t until, since = 0, now = loop_now_unix();

	if (!store_get_fact(account->belfry->store, account->config->name, FACT,
		&value, NULL) ||
	    value == NULL || sscanf(value, FACT_FORMAT, &until, &since) < 1 ||
	    until < 0 || (until != 0 && until <= now))
		return false;
	/* The clock was set back: it is no longer than it was meant to be. */
	if (since > now && until > since)
		until = now + (until - since);
	hold(account, until);
	report_note(account->belfry, false, "paused", account->config->name,
	    "still paused, by a person; belfryctl resume connects it");
	return true;
}

/* ---- what belfryctl asks for ---- */

static void
pause_account(struct running_account *account, int64_t until)
{
	STR_AUTO value = xasprintf(FACT_FORMAT, until, loop_now_unix());

	hold(account, until);
	remember(account, value);
	accounts_stop(account);
	report_note(account->belfry, false, "paused", account->config->name,
	    "by a person");
}

static void
resume_account(struct running_account *account, int64_t until)
{
	(void)until;
	if (account->paused)
		report_note(account->belfry, false, "resumed",
		    account->config->name, "by a person");
	go_on(account);
}

/* The account that is named, or all; the client is answered. */
static void
each_named(struct belfry *belfry, struct client *client,
    const struct json *request,
    void (*act)(struct running_account *, int64_t until), int64_t until)
{
	const char *only = json_get_str(request, "account");
	bool found = only == NULL;
	struct json *answer;

	LIST_EACH(pos, &belfry->accounts)
	{
		struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		if (only != NULL && strcmp(only, account->config->name) != 0)
			continue;
		found = true;
		act(account, until);
	}
	if (!found) {
		control_refuse_account(client, only);
		return;
	}
	answer = json_new_object();
	json_set_time(answer, "until", until);
	control_reply(client, answer);
}

void
pause_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	bool has_end = json_get(request, "for_s") != NULL;
	int64_t seconds = json_get_int(request, "for_s", 0);

	if (has_end &&
	    (seconds <= 0 || seconds > (int64_t)(PAUSE_MAX / USEC_SEC))) {
		control_refuse(client,
		    "without a time it lasts until `belfryctl resume`",
		    "a pause with an end lasts a year at most");
		return;
	}
	each_named(belfry, client, request, pause_account,
	    has_end ? loop_now_unix() + seconds : 0);
}

void
resume_ask(
    struct belfry *belfry, struct client *client, const struct json *request)
{
	each_named(belfry, client, request, resume_account, 0);
}
