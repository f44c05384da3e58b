/* What was learned of a mailbox, out of the store. */
#include "daemon/account/deed.h"
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
note_judged(void *ctx, uint32_t uid)
{
	mailbox_load_judged(ctx, uid);
	return true;
}

/* All of it or nothing: who was judged, and is not known, would be judged once
 * more. */
static bool
load_audit(struct mailbox *mb, struct store *store, int64_t kept_unix,
    struct error *error_r)
{
	STR_AUTO name = xasprintf(MAILBOX_AUDIT_FACT " %s", mb->name);
	struct store_key from = {
	    .account = mb->config->account,
	    .mailbox = mb->name,
	};
	STR_AUTO value = NULL;

	if (mb->audit.is_doubtful)
		mailbox_audit_clear(mb);
	if (mb->audit.validity != 0)
		return true;
	if (!store_get_fact(store, mb->config->account, name, &value, error_r))
		return false;
	if (value == NULL ||
	    !mailbox_load_audit(mb, span_from_str(value), kept_unix))
		return true;
	from.uidvalidity = mb->audit.validity;
	from.uid = mb->audit.first;
	if (store_each_judged(store, &from, note_judged, mb, error_r))
		return true;
	mailbox_audit_clear(mb);
	return false;
}

/* ---- what has rung ---- */

/* Older ones are not counted as unread after a restart; nor what lies behind
 * STORE_UIDS_MAX others. */
#define RUNG_SEC (30 * 24 * 60 * 60)

struct rung {
	struct mailbox *mb;
	uint32_t uidvalidity;
};

static bool
note_rung(void *ctx, uint32_t uid)
{
	const struct rung *rung = ctx;

	return mailbox_load_rung(rung->mb, rung->uidvalidity, uid);
}

/* Of the UIDVALIDITY that its cursor is of; those before it are nobody's. */
static bool
load_rung(struct mailbox *mb, struct store *store,
    const struct store_cursor *cursor, usec_t now, struct error *error_r)
{
	if (cursor != NULL && mailbox_wants_rung(mb)) {
		const struct store_key from = {
		    .account = mb->config->account,
		    .mailbox = mb->name,
		    .uidvalidity = cursor->uidvalidity,
		};
		struct rung rung = {mb, from.uidvalidity};
		if (!store_each_notified(store, &from,
			mailbox_unix(mb, now) - RUNG_SEC, note_rung, &rung,
			error_r))
			return false;
	}
	mb->has_loaded_rung = true;
	return true;
}

/* ---- who has read it ---- */

static bool
marks_read(const struct store_effect *effect)
{
	struct action action;
	bool marks;

	if (effect->state != EFFECT_DONE ||
	    strcmp(effect->rule, DEED_RULE) == 0 ||
	    !action_parse(span_from_str(effect->action), &action))
		return false;
	marks = action.kind == ACTION_MARK &&
		strv_has_nocase(&action.add, SPAN("\\Seen"));
	action_done(&action);
	return marks;
}

static bool
note_reader(void *ctx, const struct store_message *message,
    const struct store_effect *effects, size_t count)
{
	bool *by_rule = ctx;

	(void)message;
	for (size_t i = 0; i < count; i++)
		*by_rule |= marks_read(&effects[i]);
	return true;
}

bool
mailbox_was_read_by_rule(struct store *store, const struct store_key *key)
{
	bool by_rule = false;

	store_find_message(store, key, note_reader, &by_rule, NULL);
	return by_rule;
}

/* Notifications that wait for nobody to read their message: a run of an
 * earlier life that marked it is no person. */
static bool
load_readers(struct mailbox *mb, struct store *store, struct error *error_r)
{
	LIST_EACH(pos, &mb->jobs)
	{
		struct job *job = LIST_ITEM(pos, struct job, link);
		if (mailbox_job_asks_for_reader(job) &&
		    !store_find_message(store, &job->key, note_reader,
			&job->read_by_rule, error_r))
			return false;
	}
	return true;
}

bool
mailbox_load_facts(struct mailbox *mb, struct store *store,
    const struct store_cursor *cursor, int64_t kept_unix, usec_t now,
    struct error *error_r)
{
	return load_renewal(mb, store, now, error_r) &&
	       load_own(mb, store, MAILBOX_WAITING_FACT, mailbox_load_waiting,
		   now, error_r) &&
	       load_audit(mb, store, kept_unix, error_r) &&
	       load_readers(mb, store, error_r) &&
	       load_rung(mb, store, cursor, now, error_r);
}
