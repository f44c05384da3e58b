/*
 * What stops a forward that the message itself does not: caps, the circuit
 * breaker, junk.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/digest.h"
#include "daemon/base/xalloc.h"

#define NAME_HASH_LEN 32

/* Counters have names as rules do, and no rule's name begins with '@'. */
static char *
counter_name(const char *kind, const char *what)
{
	const struct span piece = span_from_str(what);
	BUF_AUTO hash = BUF_INIT;

	if (strlen(kind) + 2 + strlen(what) <= RULE_ID_MAX)
		return xasprintf("@%s %s", kind, what);
	digest_key(&hash, &piece, 1);
	return xasprintf("@%s %.*s", kind,
	    (int)(RULE_ID_MAX - 2 - strlen(kind)), buf_str(&hash));
}

static char *
account_counter(const struct mailbox *mb)
{
	return counter_name("forward", mb->config->account);
}

/* Over all accounts: the target's patience is one. */
static char *
target_counter(const struct mailbox *mb)
{
	return counter_name("target", mb->op->action.target);
}

static bool
is_under(const struct mailbox *mb, const char *name, unsigned hour,
    unsigned day, int64_t now_unix)
{
	return (hour == 0 ||
		   limits_allow(mb->limits, name, hour, USEC_HOUR, now_unix)) &&
	       (day == 0 ||
		   limits_allow(mb->limits, name, day, USEC_DAY, now_unix));
}

/* By its place, by its keyword, or because the same plan says so. */
static bool
is_junk(const struct mailbox *mb, const struct job *job)
{
	BUF_AUTO wire = BUF_INIT;
	struct error error = ERROR_INIT;

	for (size_t i = 0; i < job->count; i++)
		if (job->actions[i].action.kind == ACTION_JUNK)
			return true;
	return job->is_junk ||
	       (folders_wire_name(&mb->folders, "\\Junk", &wire, &error) &&
		   span_equal(buf_span(&wire), buf_span(&mb->wire)));
}

static bool
is_under_caps(const struct mailbox *mb, int64_t now_unix, struct buf *why)
{
	const struct mailbox_config *c = mb->config;
	STR_AUTO account = account_counter(mb);
	STR_AUTO target = target_counter(mb);

	if (!is_under(
		mb, account, c->forwards_hour, c->forwards_day, now_unix)) {
		buf_add_str(
		    why, "the account's forward_limit is used up for now");
		return false;
	}
	if (!is_under(mb, target, c->targets_hour, c->targets_day, now_unix)) {
		buf_add_str(why,
		    "the forward_target_limit of this address is used up "
		    "for now");
		return false;
	}
	return true;
}

/* The reasons that a person does not expect, and should know of. */
static void
tell(struct mailbox *mb, const struct job *job, bool is_cap)
{
	const char *target = mb->op->action.target;

	if (is_cap)
		mailbox_report_to_person(mb,
		    "more mail than the limits allow would be forwarded to "
		    "%s: what is over them is not (belfryctl history); if "
		    "that is wanted, raise forward_limit",
		    target);
	else
		mailbox_report_to_person(mb,
		    "forwards to %s stopped for an hour: %d with the subject "
		    "\"%.60s\" within %d minutes look like a loop; if they "
		    "are none: belfryctl queue resume %s",
		    target, BREAKER_SAME_MAX, job->subject,
		    (int)(BREAKER_WINDOW_USEC / USEC_MINUTE),
		    mb->config->account);
}

/* What the breaker knows, for the next life. */
static void
remember(struct mailbox *mb, struct store_batch *batch, usec_t now)
{
	BUF_AUTO text = BUF_INIT;

	breaker_save(mb->config->breaker, &text, mailbox_unix(mb, now), now);
	store_batch_set_fact(
	    batch, mb->config->account, BREAKER_FACT, buf_str(&text));
}

bool
mailbox_brake_allows(
    struct mailbox *mb, const struct job *job, struct buf *why, usec_t now)
{
	const struct action *action = &mb->op->action;

	if (!action->allow_junk && is_junk(mb, job)) {
		buf_add_str(why, "it is junk");
		return false;
	}
	if (!is_under_caps(mb, mailbox_unix(mb, now), why)) {
		tell(mb, job, true);
		return false;
	}
	if (mb->config->breaker == NULL ||
	    breaker_allows(mb->config->breaker, span_from_str(action->target),
		span_from_str(mailbox_job_subject(job)), now))
		return true;
	buf_add_str(why, "too many with this subject went to this address");
	remember(mb, mailbox_outcomes(mb), now);
	tell(mb, job, false);
	return false;
}

static void
count(struct mailbox *mb, struct store_batch *batch, const char *name,
    int64_t now_unix)
{
	limits_note(mb->limits, name, now_unix);
	store_batch_add_hit(batch, name, now_unix);
}

void
mailbox_brake_note(struct mailbox *mb, const struct job *job,
    struct store_batch *batch, usec_t now)
{
	int64_t now_unix = mailbox_unix(mb, now);
	STR_AUTO account = account_counter(mb);
	STR_AUTO target = target_counter(mb);

	count(mb, batch, account, now_unix);
	if (mb->config->targets_hour > 0 || mb->config->targets_day > 0)
		count(mb, batch, target, now_unix);
	if (mb->config->breaker == NULL)
		return;
	breaker_note(mb->config->breaker, span_from_str(mb->op->action.target),
	    span_from_str(mailbox_job_subject(job)), now);
	remember(mb, batch, now);
}
