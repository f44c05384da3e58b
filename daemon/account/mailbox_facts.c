/* What was learned of a mailbox, out of the store. */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

static bool
load_renewal(
    struct mailbox *mb, struct store *store, usec_t now, struct error *error_r)
{
	STR_AUTO value = NULL;

	if (!store_get_fact(store, mb->config->account, MAILBOX_RENEW_FACT,
		&value, error_r))
		return false;
	if (value != NULL)
		mailbox_load_renewal(mb, span_from_str(value), now);
	return true;
}

typedef void load_fact_fn(struct mailbox *mb, struct span text, usec_t now);

static bool
load_own(struct mailbox *mb, struct store *store, const char *fact,
    load_fact_fn *load, usec_t now, struct error *error_r)
{
	STR_AUTO name = xasprintf("%s %s", fact, mb->name);
	STR_AUTO value = NULL;

	if (!store_get_fact(store, mb->config->account, name, &value, error_r))
		return false;
	load(mb, span_from_str(value != NULL ? value : ""), now);
	return true;
}

static bool
note_judged(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	(void)effects;
	(void)count;
	mailbox_load_judged(ctx, &message->key);
	return true;
}

static bool
load_audit(struct mailbox *mb, struct store *store, struct error *error_r)
{
	STR_AUTO name = xasprintf(MAILBOX_AUDIT_FACT " %s", mb->name);
	struct store_history_query query = {
	    .account = mb->config->account,
	    .mailbox = mb->name,
	};
	STR_AUTO value = NULL;

	if (mb->audit.validity != 0)
		return true;
	if (!store_get_fact(store, mb->config->account, name, &value, error_r))
		return false;
	if (value == NULL ||
	    !mailbox_load_audit(mb, span_from_str(value), &query.since_unix))
		return true;
	return store_each_history(store, &query, note_judged, mb, error_r);
}

/* ---- what has rung ---- */

/* Older ones are not counted as unread after a restart; nor what lies behind so
 * many others in the history. */
#define RUNG_SEC (30 * 24 * 60 * 60)
#define RUNG_LOOKED_AT_MAX 5000

struct rung {
	struct mailbox *mb;
	size_t looked_at;
};

static bool
has_rung(const struct store_effect *effects, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (effects[i].state == EFFECT_DONE &&
		    strcmp(effects[i].kind, action_name(ACTION_NOTIFY)) == 0)
			return true;
	return false;
}

static bool
note_rung(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	struct rung *rung = ctx;

	return ++rung->looked_at < RUNG_LOOKED_AT_MAX &&
	       (!has_rung(effects, count) ||
		   mailbox_load_rung(rung->mb, &message->key));
}

static bool
load_rung(
    struct mailbox *mb, struct store *store, usec_t now, struct error *error_r)
{
	const struct store_history_query query = {
	    .account = mb->config->account,
	    .mailbox = mb->name,
	    .since_unix = mailbox_unix(mb, now) - RUNG_SEC,
	};
	struct rung rung = {.mb = mb};

	if (mailbox_wants_rung(mb) &&
	    !store_each_history(store, &query, note_rung, &rung, error_r))
		return false;
	mb->has_loaded_rung = true;
	return true;
}

bool
mailbox_load_facts(
    struct mailbox *mb, struct store *store, usec_t now, struct error *error_r)
{
	return load_renewal(mb, store, now, error_r) &&
	       load_own(mb, store, MAILBOX_WAITING_FACT, mailbox_load_waiting,
		   now, error_r) &&
	       load_audit(mb, store, error_r) &&
	       load_rung(mb, store, now, error_r);
}
