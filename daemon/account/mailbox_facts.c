/* What was learned of a mailbox, out of the store. */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* What is no number is learned again. */
static bool
load_renewal(
    struct mailbox *mb, struct store *store, usec_t now, struct error *error_r)
{
	STR_AUTO value = NULL;
	uint64_t seconds;

	if (!store_get_fact(
		store, mb->config.account, MAILBOX_RENEW_FACT, &value, error_r))
		return false;
	if (value != NULL && span_to_u64(span_from_str(value), &seconds) &&
	    seconds < USEC_DAY / USEC_SEC)
		mailbox_load_renewal(mb, seconds * USEC_SEC, now);
	return true;
}

typedef void load_fact_fn(struct mailbox *mb, struct span text, usec_t now);

static bool
load_own(struct mailbox *mb, struct store *store, const char *fact,
    load_fact_fn *load, usec_t now, struct error *error_r)
{
	STR_AUTO name = xasprintf("%s %s", fact, mb->config.name);
	STR_AUTO value = NULL;

	if (!store_get_fact(store, mb->config.account, name, &value, error_r))
		return false;
	load(mb, span_from_str(value != NULL ? value : ""), now);
	return true;
}

bool
mailbox_load_facts(
    struct mailbox *mb, struct store *store, usec_t now, struct error *error_r)
{
	return load_renewal(mb, store, now, error_r) &&
	       load_own(mb, store, MAILBOX_WAITING_FACT, mailbox_load_waiting,
		   now, error_r);
}
