/*
 * Chores are what has to be stored besides claims, as soon as nothing is left
 * to do: marks, claims that are not needed any more, and claims that a move or
 * a copy has carried into its target. They outlive the connection.
 */
#include <assert.h>

#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

struct chore {
	struct list_link link;
	uint32_t uidvalidity; /* of this mailbox, when it was noted */
	struct buf wire;      /* of the target; empty: here */
	char *keywords;
	bool add;
	bool is_sent;
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
		if (!chore->is_sent &&
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
	claims_keyword(mb->config.claims, buf_span(&mb->wire), words);
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

static void
note_carried(struct mailbox *mb, const struct job_action *action)
{
	BUF_AUTO words = BUF_INIT;

	if (action->new_uid == 0 || mb->op == NULL || mb->op->target.len == 0 ||
	    mailbox_log_is_used(mb))
		return;
	add_claim_words(mb, &words);
	struct chore *chore =
	    find_chore(mb, buf_span(&mb->op->target), buf_str(&words), false);
	imap_seqset_add(&chore->uids, action->new_uid);
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
	if (kind == ACTION_COPY || kind == ACTION_FORWARD)
		note_mark(mb, job, &action->action);
	if (kind == ACTION_COPY || kind >= ACTION_MOVE)
		note_carried(mb, action);
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

/* The next one: `marks`, of those only. */
static struct chore *
next_chore(struct mailbox *mb, bool marks)
{
	LIST_EACH(pos, &mb->chores)
	{
		struct chore *chore = LIST_ITEM(pos, struct chore, link);
		if (chore->uidvalidity != mb->uidvalidity)
			chore_free(chore);
		else if (chore->add || !marks)
			return chore;
	}
	return NULL;
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
	if (chore->wire.len == 0) {
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
	struct chore *chore = next_chore(mb, true);

	if (chore != NULL && !mb->read_only)
		begin_chore(mb, chore, now);
}

void
mailbox_claim_tidy(struct mailbox *mb, usec_t now)
{
	struct chore *chore;

	if (mb->read_only)
		return;
	note_releases(mb);
	chore = next_chore(mb, false);
	if (chore != NULL)
		begin_chore(mb, chore, now);
}

/* A refusal changes nothing: a claim that stays is taken over. */
void
mailbox_claim_chore_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	chore_free(sent_chore(mb));
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
	chore_free(sent_chore(mb));
	come_back(mb, OP_CHORE_BACK, now);
}

void
mailbox_claim_chore_stored(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)response;
	chore_free(sent_chore(mb));
	come_back(mb, OP_CHORE_BACK, now);
}

void
mailbox_claim_chore_back(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	if (mailbox_verify_is_back(mb, response, now))
		mailbox_op_finish(mb, now);
}
