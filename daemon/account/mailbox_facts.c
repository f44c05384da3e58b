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

bool
mailbox_load_facts(
    struct mailbox *mb, struct store *store, usec_t now, struct error *error_r)
{
	return load_renewal(mb, store, now, error_r) &&
	       load_own(mb, store, MAILBOX_WAITING_FACT, mailbox_load_waiting,
		   now, error_r) &&
	       load_audit(mb, store, error_r);
}
