/*
 * wiring: accounts and mailboxes that are gone (account/unused.h). Behind each
 * pruning a round over all accounts of the store begins, LOOKS_MAX of them
 * each TIDY_USEC, so that a store of thousands is no work that would be felt.
 */
#include "daemon/account/unused.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/belfry.h"

#define LOOKS_MAX 10
/* What is taken out of the configuration for a while comes back as it was,
 * however short the history is. */
#define KEEP_MIN_USEC (30 * USEC_DAY)

static void
end_round(struct belfry *belfry)
{
	free(belfry->unused_after);
	belfry->unused_after = NULL;
}

static usec_t
keep_usec(const struct belfry *belfry)
{
	usec_t history = belfry->config->daemon.history;

	return history > KEEP_MIN_USEC ? history : KEEP_MIN_USEC;
}

/* False: no more of this account now. What is not written today is found again
 * the next time. */
static bool
look_at(struct belfry *belfry, const char *name)
{
	const struct running_account *running = accounts_find(belfry, name);
	usec_t now = loop_now();
	int64_t time = keeping_time(&belfry->keeping, loop_now_unix(), now);
	int64_t mark = keeping_mark(&belfry->keeping, loop_now_unix(), now);
	const struct unused_look look = {
	    .store = belfry->store,
	    .name = name,
	    .is_configured = config_find_account(belfry->config, name) != NULL,
	    .account = running != NULL ? running->account : NULL,
	    .now_unix = mark,
	    .before_unix = time - (int64_t)(keep_usec(belfry) / USEC_SEC),
	    .now = now,
	};
	if (mark == 0)
		return false; /* a day from now, perhaps */
	struct store_batch *batch = store_batch_new();
	bool more, ok = unused_look(&look, batch, &more, NULL);

	if (ok && !store_batch_is_empty(batch))
		ok = journal_commit_now(belfry->journal, batch, NULL);
	store_batch_free(&batch);
	return ok && more;
}

/* One account, and which is the next. */
static bool
take_step(struct belfry *belfry)
{
	STR_AUTO name = NULL;

	if (!store_next_account(
		belfry->store, belfry->unused_after, &name, NULL) ||
	    name == NULL)
		return false;
	if (look_at(belfry, name))
		return true;
	free(belfry->unused_after);
	belfry->unused_after = name;
	name = NULL;
	return true;
}

void
unused_begin(struct belfry *belfry)
{
	end_round(belfry);
	if (!belfry->dry_run)
		belfry->unused_after = xstrdup("");
}

void
unused_tidy(struct belfry *belfry)
{
	for (unsigned i = 0; i < LOOKS_MAX && belfry->unused_after != NULL; i++)
		if (!take_step(belfry))
			end_round(belfry);
}
