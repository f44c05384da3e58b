/* How well the accounts were connected, hour by hour: kept, and told. */
#include "daemon/account/pulse.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/control/json.h"
#include "daemon/wiring/belfry.h"

#define FACT "pulse"
/* What the clock says between two looks, and is believed: else it slept. */
#define LOOK_MAX (10 * TIDY_USEC)

static void
keep(struct running_account *account, const struct pulse_hour *hour)
{
	struct belfry *belfry = account->belfry;
	STR_AUTO kept = NULL;
	BUF_AUTO text = BUF_INIT;
	struct store_batch *batch;

	if (belfry->dry_run)
		return;
	store_get_fact(belfry->store, account->config->name, FACT, &kept, NULL);
	pulse_append(
	    &text, kept != NULL ? span_from_str(kept) : SPAN(""), hour);
	batch = store_batch_new();
	store_batch_set_fact(
	    batch, account->config->name, FACT, buf_str(&text));
	journal_note(belfry->journal, batch);
}

/* It is heard of, or will be by its deadline. */
static bool
is_watched(const struct mailbox *mailbox)
{
	struct mailbox_status status;

	mailbox_get_status(mailbox, &status);
	return status.trouble[0] == '\0' &&
	       (status.is_connected || status.next_proof != USEC_NEVER);
}

static void
look(struct running_account *account, uint64_t seconds)
{
	size_t total = 0, watched = 0;
	struct pulse_hour past;

	for (size_t i = 0; i < account_count(account->account); i++) {
		if (account_is_gone(account->account, i))
			continue;
		total++;
		watched += is_watched(account_mailbox(account->account, i));
	}
	if (!account->paused)
		pulse_watched(&account->pulse, seconds, watched, total);
	if (pulse_advance(&account->pulse, loop_now_unix(), &past))
		keep(account, &past);
}

void
pulses_tick(struct belfry *belfry)
{
	usec_t now = loop_now();
	usec_t since = usec_since(belfry->looked, now);

	belfry->looked = now;
	if (since > LOOK_MAX)
		since = 0;
	LIST_EACH(pos, &belfry->accounts)
	look(LIST_ITEM(pos, struct running_account, link), since / USEC_SEC);
}

void
pulses_report(struct running_account *account, enum report_kind kind)
{
	struct pulse_hour past;

	if (pulse_advance(&account->pulse, loop_now_unix(), &past))
		keep(account, &past);
	if (kind == REPORT_CONNECTED)
		pulse_connected(&account->pulse);
	else if (kind == REPORT_TROUBLE)
		pulse_lost(&account->pulse);
}

void
pulses_flush(struct running_account *account)
{
	struct pulse_hour past;

	/* As if time had ended. */
	if (pulse_advance(&account->pulse, 0, &past))
		keep(account, &past);
}

/* ---- what belfryctl asks for ---- */

static struct json *
json_of(const struct pulse_hour *hour)
{
	struct json *json = json_new_object();

	json_set_time(json, "hour", (int64_t)hour->number * 3600);
	json_set_int(json, "connects", hour->connects);
	json_set_int(json, "losses", hour->losses);
	json_set_int(json, "watched_s", (int64_t)hour->watched);
	json_set_int(json, "total_s", (int64_t)hour->total);
	return json;
}

static struct json *
pulses_of(const struct running_account *account)
{
	struct json *hours = json_new_array();
	STR_AUTO kept = NULL;
	BUF_AUTO text = BUF_INIT;
	struct pulse_hour hour;
	struct span rest;

	store_get_fact(
	    account->belfry->store, account->config->name, FACT, &kept, NULL);
	pulse_append(&text, kept != NULL ? span_from_str(kept) : SPAN(""),
	    &account->pulse.now);
	rest = buf_span(&text);
	while (pulse_next(&rest, &hour))
		if (hour.number != 0)
			json_add(hours, json_of(&hour));
	return hours;
}

void
pulses_ask(struct belfry *belfry, struct client *client)
{
	struct json *answer = json_new_object();
	struct json *accounts = json_new_array();

	LIST_EACH(pos, &belfry->accounts)
	{
		const struct running_account *account =
		    LIST_ITEM(pos, struct running_account, link);
		struct json *json = json_new_object();
		json_set_str(json, "account", account->config->name);
		json_set(json, "hours", pulses_of(account));
		json_add(accounts, json);
	}
	json_set(answer, "accounts", accounts);
	control_reply(client, answer);
}
