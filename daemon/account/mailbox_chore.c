/*
 * Chores are what has to be stored besides claims, as soon as nothing is left
 * to do: marks, claims that are not needed any more, and claims that a move or
 * a copy has carried into its target. They outlive the connection.
 *
 * One that is refused is tried again: as long as a mark is missing, another
 * machine would do again what was done, once our claim is old. A claim is not
 * let go before the marks that were noted before it.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

/* Until the next try, doubled each time; about ten minutes in all, less than
 * our claim is good for. */
#define RETRY_USEC (2 * USEC_SEC)
#define RETRY_MAX_USEC (2 * USEC_MINUTE)
#define TRIES_MAX 10

struct chore {
	struct list_link link;
	uint32_t uidvalidity; /* of this mailbox, when it was noted */
	struct buf wire;      /* of the target; empty: here */
	char *keywords;
	bool add;
	bool is_sent;
	unsigned tries;
	usec_t not_before; /* 0: at once */
	/* Where claims are a log: an entry for the target, with this
	 * UIDVALIDITY. */
	uint32_t log_validity;
	struct imap_seqset uids;
};

static void
chore_free(struct chore *chore)
{
	list_remove(&chore->link);
	buf_done(&chore->wire);
	imap_seqset_done(&chore->uids);
	free(chore->keywords);
	free(chore);
}

void
mailbox_chores_clear(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->chores)
	chore_free(LIST_ITEM(pos, struct chore, link));
}

void
mailbox_chores_interrupt(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->chores)
	LIST_ITEM(pos, struct chore, link)->is_sent = false;
}

/* A claim goes after the mark that was noted before: only the last chore may
 * take more of these. Marks, and what is elsewhere, may come sooner. */
static struct chore *
find_chore(struct mailbox *mb, struct span wire, const char *keywords, bool add)
{
	LIST_EACH(pos, &mb->chores)
	{
		struct chore *chore = LIST_ITEM(pos, struct chore, link);
		if (!chore->is_sent && chore->log_validity == 0 &&
		    (add || wire.len > 0 || pos == mb->chores.prev) &&
		    span_equal(buf_span(&chore->wire), wire) &&
		    strcmp(chore->keywords, keywords) == 0 &&
		    chore->add == add &&
		    chore->uidvalidity == mb->uidvalidity &&
		    chore->uids.count < MAILBOX_GROUP_MAX)
			return chore;
	}
	struct chore *chore = NEW(struct chore);
	chore->uidvalidity = mb->uidvalidity;
	buf_add_span(&chore->wire, wire);
	chore->keywords = xstrdup(keywords);
	chore->add = add;
	list_add(&mb->chores, &chore->link);
	return chore;
}

static void
note_mark(struct mailbox *mb, const struct job *job, const struct action *a)
{
	BUF_AUTO mark = BUF_INIT;

	mailbox_claim_mark_of(a, &mark);
	struct chore *chore = find_chore(mb, SPAN_EMPTY, buf_str(&mark), true);
	imap_seqset_add(&chore->uids, job->key.uid);
}

/* With the claim goes whatever else was said beside it. A word that was never
 * used would only be one more that the server has to know. */
static void
add_claim_words(const struct mailbox *mb, struct buf *words)
{
	claims_keyword(mb->config->claims, buf_span(&mb->wire), words);
	buf_addf(words, " %s%s", CLAIM_TICK,
	    mb->says_sending ? " " CLAIM_SENDING : "");
}

void
mailbox_claim_note_done(struct mailbox *mb, uint32_t uid, const char *mark)
{
	BUF_AUTO words = BUF_INIT;

	imap_seqset_add(&find_chore(mb, SPAN_EMPTY, mark, true)->uids, uid);
	/* A claim of this life goes when nothing is left to do. */
	if (mb->claim != NULL && claim_fresh_until(mb->claim, uid) != 0)
		return;
	add_claim_words(mb, &words);
	imap_seqset_add(
	    &find_chore(mb, SPAN_EMPTY, buf_str(&words), false)->uids, uid);
}

/* The marks of the rules that were done to it, as far as we know of them. */
static void
add_marks(const struct mailbox *mb, const struct job *job, struct strv *marks)
{
	struct span words[CLAIM_LOG_WORDS_MAX];
	uint32_t changed;
	size_t count =
	    claim_log_words(claims_log(mb->config->claims), buf_span(&mb->wire),
		mb->uidvalidity, job->key.uid, words, &changed);

	for (size_t i = 0; i < count; i++)
		if (span_starts_nocase(words[i], CLAIM_MARK_PREFIX) &&
		    !strv_has_nocase(marks, words[i]))
			strv_add_span(marks, words[i]);
	for (size_t i = 0; i < job->next; i++) {
		const struct action *action = &job->actions[i].action;
		BUF_AUTO mark = BUF_INIT;
		if (job->actions[i].state != EFFECT_DONE ||
		    !mailbox_claim_is_once(action->kind) ||
		    action->kind >= ACTION_MOVE)
			continue;
		mailbox_claim_mark_of(action, &mark);
		if (!strv_has_nocase(marks, buf_span(&mark)))
			strv_add_span(marks, buf_span(&mark));
	}
}

/* Keywords go with a message, entries of the log do not: where it is now, it
 * may be judged by another machine. */
static void
note_log_carried(
    struct mailbox *mb, const struct job *job, const struct job_action *action)
{
	STRV_AUTO marks = STRV_INIT;

	if (action->new_validity == 0)
		return;
	add_marks(mb, job, &marks);
	if (marks.len == 0)
		return;
	struct chore *chore = NEW(struct chore);
	chore->uidvalidity = mb->uidvalidity;
	chore->log_validity = action->new_validity;
	buf_add_span(&chore->wire, buf_span(&mb->op->target));
	chore->keywords = strv_join(&marks, " ");
	chore->add = true;
	imap_seqset_add(&chore->uids, action->new_uid);
	list_add(&mb->chores, &chore->link);
}

static void
note_carried(
    struct mailbox *mb, const struct job *job, const struct job_action *action)
{
	BUF_AUTO words = BUF_INIT;

	if (action->new_uid == 0 || mb->op == NULL || mb->op->target.len == 0)
		return;
	if (mailbox_log_is_used(mb)) {
		note_log_carried(mb, job, action);
		return;
	}
	add_claim_words(mb, &words);
	struct chore *chore =
	    find_chore(mb, buf_span(&mb->op->target), buf_str(&words), false);
	imap_seqset_add(&chore->uids, action->new_uid);
}

void
mailbox_claim_note_copy(struct mailbox *mb, const struct imap_fetch *fetch)
{
	BUF_AUTO claim = BUF_INIT;
	BUF_AUTO words = BUF_INIT;

	if (mb->config->claims == NULL)
		return;
	claims_keyword(mb->config->claims, buf_span(&mb->wire), &claim);
	add_claim_words(mb, &words);
	for (size_t i = 0; i < fetch->flag_count; i++) {
		if (!imap_value_is(&fetch->flags[i], buf_str(&claim)))
			continue;
		struct chore *chore = find_chore(
		    mb, buf_span(&mb->op->target), buf_str(&words), false);
		imap_seqset_add(&chore->uids, fetch->uid);
	}
}

void
mailbox_claim_settled(struct mailbox *mb, const struct job *job,
    const struct job_action *action, enum effect_state state)
{
	enum action_kind kind = action->action.kind;

	if (mb->claim == NULL || state != EFFECT_DONE ||
	    !mailbox_claim_is_once(kind) ||
	    claim_verdict(mb->claim, job->key.uid) != CLAIM_WON)
		return;
	if (kind == ACTION_FORWARD || (kind == ACTION_COPY && !mb->op->marked))
		note_mark(mb, job, &action->action);
	if (kind == ACTION_COPY || kind >= ACTION_MOVE)
		note_carried(mb, job, action);
	if (kind >= ACTION_MOVE)
		claim_forget(mb->claim, job->key.uid);
}

/* The claim says whose the mark of a command is. */
static bool
is_claim_needed(const struct mailbox *mb, uint32_t uid)
{
	LIST_EACH(pos, &mb->jobs)
	{
		const struct job *job = LIST_ITEM(pos, struct job, link);
		if (job->key.uid == uid &&
		    job->key.uidvalidity == mb->uidvalidity &&
		    job->next < job->count && job->actions[job->next].mine)
			return true;
	}
	return mailbox_forward_has(mb, uid);
}

static void
release(struct mailbox *mb, uint32_t uid, const char *words)
{
	if (is_claim_needed(mb, uid))
		return;
	imap_seqset_add(&find_chore(mb, SPAN_EMPTY, words, false)->uids, uid);
	claim_forget(mb->claim, uid);
}

/* Claims that nobody needs: others may try what we could not. */
static void
note_releases(struct mailbox *mb)
{
	struct imap_seqset held = IMAP_SEQSET_INIT;
	BUF_AUTO words = BUF_INIT;

	if (mb->claim == NULL)
		return;
	claim_get_held(mb->claim, &held);
	add_claim_words(mb, &words);
	for (size_t i = 0; i < held.count; i++)
		for (uint32_t uid = held.ranges[i].first;; uid++) {
			release(mb, uid, buf_str(&words));
			if (uid == held.ranges[i].last)
				break;
		}
	imap_seqset_done(&held);
}

/* The log is another mailbox. */
static bool
can_store(const struct mailbox *mb)
{
	return !mb->read_only || mailbox_log_is_used(mb);
}

/* The next one: `marks`, of those only. While a mark waits for its next try,
 * no claim is let go. */
static struct chore *
next_chore(struct mailbox *mb, bool marks, usec_t now)
{
	bool is_held = false;

	LIST_EACH(pos, &mb->chores)
	{
		struct chore *chore = LIST_ITEM(pos, struct chore, link);
		if (chore->uidvalidity != mb->uidvalidity)
			chore_free(chore);
		else if (chore->not_before > now)
			is_held = is_held || chore->add;
		else if (chore->add || (!marks && !is_held))
			return chore;
	}
	return NULL;
}

usec_t
mailbox_chores_deadline(const struct mailbox *mb)
{
	usec_t first = USEC_NEVER, held = 0;

	LIST_EACH(pos, &mb->chores)
	{
		const struct chore *chore = LIST_ITEM(pos, struct chore, link);
		usec_t when = chore->not_before;
		if (when == 0 || !can_store(mb) ||
		    chore->uidvalidity != mb->uidvalidity)
			continue;
		if (chore->add && when > held)
			held = when;
		first =
		    usec_min(first, chore->add || when > held ? when : held);
	}
	return first;
}

/* The one under way. */
static struct chore *
sent_chore(struct mailbox *mb)
{
	LIST_EACH(pos, &mb->chores)
	{
		struct chore *chore = LIST_ITEM(pos, struct chore, link);
		if (chore->is_sent)
			return chore;
	}
	assert(!"a chore is under way");
	return NULL;
}

/* `step`: here, or in the target. */
static void
send_chore(struct mailbox *mb, const struct chore *chore, enum op_step step,
    usec_t now)
{
	mailbox_claim_store(mb, step,
	    &(struct claim_command){.uids = &chore->uids,
		.add = chore->add,
		.keywords = chore->keywords},
	    now);
}

static void
begin_chore(struct mailbox *mb, struct chore *chore, usec_t now)
{
	chore->is_sent = true;
	mailbox_op_new(mb);
	mb->op->is_alone = true;
	if (chore->log_validity != 0) {
		mailbox_log_append(mb, OP_CHORE,
		    &(struct claim_log_store){
			.mailbox = buf_span(&chore->wire),
			.uidvalidity = chore->log_validity,
			.add = true,
			.uids = &chore->uids,
			.words = chore->keywords,
		    },
		    now);
	} else if (chore->wire.len == 0) {
		send_chore(mb, chore, OP_CHORE, now);
	} else {
		buf_add_span(&mb->op->target, buf_span(&chore->wire));
		mb->op->elsewhere = true;
		mailbox_op_send_target(mb, OP_CHORE_SELECT, "SELECT", now);
	}
	mb->op = NULL;
}

/* Marks come before what takes the message away, so that they go with it: it
 * may be judged where it comes to, by another machine. */
void
mailbox_claim_mark(struct mailbox *mb, usec_t now)
{
	struct chore *chore = next_chore(mb, true, now);

	if (chore != NULL && can_store(mb))
		begin_chore(mb, chore, now);
}

void
mailbox_claim_tidy(struct mailbox *mb, usec_t now)
{
	struct chore *chore;

	if (!can_store(mb))
		return;
	note_releases(mb);
	chore = next_chore(mb, false, now);
	if (chore != NULL)
		begin_chore(mb, chore, now);
}

static void
warn_of_missing(struct mailbox *mb, const struct chore *chore,
    const struct imap_response *response, usec_t now)
{
	BUF_AUTO words = BUF_INIT;

	if (!chore->add || told_before(&mb->told, SPAN("[mark]"), now))
		return;
	mailbox_refusal_words(response, &words);
	mailbox_report(mb, REPORT_WARNING, 0,
	    "the server does not take the keyword that says what was done "
	    "(%s): another machine may do it once more; write claim = leader "
	    "for one of them and claim = standby for the others",
	    buf_str(&words));
}

/* What cannot be said at all is given up: a claim that stays is taken over. */
static void
end_chore(struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	struct chore *chore = sent_chore(mb);
	usec_t wait = RETRY_USEC;

	if (response->status == IMAP_NO && chore->tries < TRIES_MAX) {
		for (unsigned i = 0; i < chore->tries && wait < RETRY_MAX_USEC;
		     i++)
			wait *= 2;
		chore->tries++;
		chore->is_sent = false;
		chore->not_before =
		    usec_add(now, usec_min(wait, RETRY_MAX_USEC));
		return;
	}
	if (response->status != IMAP_OK)
		warn_of_missing(mb, chore, response, now);
	chore_free(chore);
}

void
mailbox_claim_chore_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	end_chore(mb, response, now);
	mailbox_op_finish(mb, now);
}

static void
come_back(struct mailbox *mb, enum op_step step, usec_t now)
{
	mb->op->step = step;
	mailbox_select(mb, now);
}

void
mailbox_claim_chore_selected(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (response->status == IMAP_OK) {
		send_chore(mb, sent_chore(mb), OP_CHORE_STORE, now);
		return;
	}
	end_chore(mb, response, now);
	come_back(mb, OP_CHORE_BACK, now);
}

void
mailbox_claim_chore_stored(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	end_chore(mb, response, now);
	come_back(mb, OP_CHORE_BACK, now);
}

void
mailbox_claim_chore_back(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (mailbox_verify_is_back(mb, response, now))
		mailbox_op_finish(mb, now);
}
