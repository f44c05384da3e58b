/*
 * undo of what a server without UIDPLUS moved: first the message is looked for
 * where it was put (account/mailbox_find.c), and its place is written down
 * beside the effect; then all goes on as if the server had said it.
 *
 * Of each mailbox MAILBOX_FINDS_MAX are asked for at a time. When all are
 * answered, those that were found are taken back together, as a mailbox has
 * one run at a time. What is looked for when the daemon ends is looked for
 * again (undo_again.c). A search in vain is remembered for whoever asks what
 * came of it, until then.
 */
#include "daemon/base/xalloc.h"
#include "daemon/wiring/undos.h"

/* Of an account; those that ended in vain are forgotten first. */
#define SEARCHES_MAX (2 * UNDO_MAX)

struct search {
	struct list_link link; /* in running_account::searches */
	enum search_state state;
	struct store_key key; /* of the effect; strings owned */
	unsigned seq, attempts;
	enum effect_state effect_state;
	int64_t changed_unix;
	char *detail;	 /* of the effect; owned, as the rest */
	char *rule;	 /* of the effect */
	char *asked_for; /* the rule of the request; NULL: any */
	char *mailbox, *message_id;
	uint64_t size;
	int64_t received_unix;
	uint32_t uidvalidity, uid;   /* FOUND */
	char *words;		     /* FAILED */
	const struct mailbox *asked; /* ASKED; only to compare */
};

static struct search *
search_of(const struct list_link *pos)
{
	return LIST_ITEM(pos, struct search, link);
}

static void
search_free(struct search *search)
{
	list_remove(&search->link);
	free((char *)search->key.account);
	free((char *)search->key.mailbox);
	free(search->detail);
	free(search->rule);
	free(search->asked_for);
	free(search->mailbox);
	free(search->message_id);
	free(search->words);
	free(search);
}

void
undo_forget(struct running_account *account)
{
	LIST_EACH(pos, &account->searches)
	search_free(search_of(pos));
}

static void
fail(struct search *search, const char *words)
{
	search->state = SEARCH_FAILED;
	free(search->words);
	search->words = xstrdup(words);
}

static bool
is_key(const struct store_key *a, const struct store_key *b)
{
	return a->uid == b->uid && a->uidvalidity == b->uidvalidity &&
	       strcmp(a->mailbox, b->mailbox) == 0;
}

static struct search *
find(const struct running_account *account, const struct store_effect *effect)
{
	LIST_EACH(pos, &account->searches)
	if (search_of(pos)->seq == effect->seq &&
	    is_key(&search_of(pos)->key, &effect->key))
		return search_of(pos);
	return NULL;
}

enum search_state
search_get(const struct running_account *account,
    const struct store_effect *effect, const char **words_r)
{
	const struct search *search = find(account, effect);

	*words_r = search != NULL && search->words != NULL ? search->words : "";
	return search != NULL ? search->state : SEARCH_NONE;
}

/* ---- beginning ---- */

static void
make_room(struct running_account *account)
{
	size_t count = 0;

	LIST_EACH(pos, &account->searches)
	count++;
	LIST_EACH(pos, &account->searches)
	if (count >= SEARCHES_MAX && search_of(pos)->state == SEARCH_FAILED) {
		search_free(search_of(pos));
		count--;
	}
}

void
search_add(struct running_account *account, const struct store_message *message,
    const struct store_effect *effect, const char *mailbox, const char *rule)
{
	struct search *search = find(account, effect);

	if (search != NULL && search->state != SEARCH_FAILED)
		return;
	if (search != NULL)
		search_free(search);
	make_room(account);
	search = NEW(struct search);
	*search = (struct search){
	    .state = SEARCH_WAITING,
	    .key = {xstrdup(effect->key.account), xstrdup(effect->key.mailbox),
		effect->key.uidvalidity, effect->key.uid},
	    .seq = effect->seq,
	    .attempts = effect->attempts,
	    .effect_state = effect->state,
	    .changed_unix = effect->changed_unix,
	    .detail = xstrdup(effect->detail),
	    .rule = xstrdup(effect->rule),
	    .asked_for = rule != NULL ? xstrdup(rule) : NULL,
	    .mailbox = xstrdup(mailbox),
	    .message_id = xstrdup(message->message_id),
	    .size = message->size,
	    .received_unix = message->received_unix,
	};
	list_add(&account->searches, &search->link);
}

static bool
is_at(const struct search *search, enum search_state state, const char *mailbox)
{
	return search->state == state && strcmp(search->mailbox, mailbox) == 0;
}

static bool
has_any(const struct running_account *account, enum search_state state,
    const char *mailbox)
{
	LIST_EACH(pos, &account->searches)
	if (is_at(search_of(pos), state, mailbox))
		return true;
	return false;
}

/* The next of those that wait for this mailbox. */
static void
ask(struct running_account *account, const char *mailbox)
{
	struct mailbox_wanted wanted[MAILBOX_FINDS_MAX];
	struct error error = ERROR_INIT;
	const struct mailbox *asked;
	size_t count = 0;

	LIST_EACH(pos, &account->searches)
	{
		struct search *search = search_of(pos);
		if (count == MAILBOX_FINDS_MAX ||
		    !is_at(search, SEARCH_WAITING, mailbox))
			continue;
		search->state = SEARCH_ASKED;
		wanted[count++] = (struct mailbox_wanted){
		    .message_id = search->message_id,
		    .is_exact = true,
		    .size = search->size,
		    .received_unix = search->received_unix,
		};
	}
	asked = account_seek(
	    account->account, mailbox, wanted, count, loop_now(), &error);
	LIST_EACH(pos, &account->searches)
	{
		struct search *search = search_of(pos);
		if (!is_at(search, SEARCH_ASKED, mailbox))
			continue;
		search->asked = asked;
		if (asked == NULL)
			fail(search, error.text);
	}
}

bool
search_is_open(const struct running_account *account)
{
	LIST_EACH(pos, &account->searches)
	if (search_of(pos)->state != SEARCH_FAILED)
		return true;
	return false;
}

void
search_run(struct running_account *account)
{
	LIST_EACH(pos, &account->searches)
	{
		const struct search *search = search_of(pos);
		if (search->state == SEARCH_WAITING &&
		    !has_any(account, SEARCH_ASKED, search->mailbox))
			ask(account, search->mailbox);
	}
}

/* ---- the answers ---- */

static void
take(struct search *search, const struct mailbox_found *found)
{
	STR_AUTO words = NULL;

	if (found->error.fault != FAULT_NONE) {
		words = xasprintf(
		    "it could not be looked for: %s", found->error.text);
	} else if (found->count == 0) {
		words = xasprintf("it was not found in %s: the server did not "
				  "say where it put it",
		    search->mailbox);
	} else if (found->count > 1) {
		words = xasprintf("%zu messages in %s are the same, and the "
				  "server did not say which is this one: move "
				  "it in the mail program",
		    found->count, search->mailbox);
	} else {
		search->state = SEARCH_FOUND;
		search->uid = found->uid;
		search->uidvalidity = found->uidvalidity;
		return;
	}
	fail(search, words);
}

/* Of these two nobody knows which is which. */
static void
refuse_shared(struct running_account *account, struct search *search)
{
	LIST_EACH(pos, &account->searches)
	{
		struct search *other = search_of(pos);
		if (other == search ||
		    !is_at(other, SEARCH_FOUND, search->mailbox) ||
		    other->uid != search->uid)
			continue;
		fail(other, "it was moved there more than once, and one of it "
			    "is left: move it in the mail program");
		fail(search, other->words);
		return;
	}
}

/* An earlier life has found it there, too. */
static bool
is_written(const struct search *search)
{
	uint32_t uid, uidvalidity;

	return undo_read_place(search->detail, &uid, &uidvalidity) &&
	       uid == search->uid && uidvalidity == search->uidvalidity;
}

/* What was found is in the journal before it is begun. */
static void
write_down(struct running_account *account, const char *mailbox)
{
	struct store_batch *batch = store_batch_new();
	struct error error = ERROR_INIT;
	bool ok;

	LIST_EACH(pos, &account->searches)
	{
		const struct search *search = search_of(pos);
		BUF_AUTO detail = BUF_INIT;
		if (!is_at(search, SEARCH_FOUND, mailbox) || is_written(search))
			continue;
		buf_add_str(&detail, search->detail);
		undo_add_place(&detail, search->uid, search->uidvalidity);
		store_batch_set_effect(batch, &search->key, search->seq,
		    search->effect_state, search->attempts, buf_str(&detail),
		    search->changed_unix);
	}
	ok = journal_commit_now(account->belfry->journal, batch, &error);
	store_batch_free(&batch);
	LIST_EACH(pos, &account->searches)
	if (!ok && is_at(search_of(pos), SEARCH_FOUND, mailbox))
		fail(search_of(pos), error.text);
}

/* All are answered. */
static void
go_on(struct running_account *account, const char *mailbox)
{
	if (has_any(account, SEARCH_WAITING, mailbox)) {
		ask(account, mailbox);
		return;
	}
	if (has_any(account, SEARCH_FOUND, mailbox))
		write_down(account, mailbox);
	if (has_any(account, SEARCH_FOUND, mailbox))
		undo_begin_found(account, mailbox);
	LIST_EACH(pos, &account->searches)
	if (is_at(search_of(pos), SEARCH_FOUND, mailbox))
		fail(search_of(pos), "it is not in the history any more");
}

static bool
is_answer(const struct search *search, const struct mailbox_found *found)
{
	return search->size == found->size &&
	       search->received_unix == found->received_unix &&
	       strcmp(search->message_id, found->message_id) == 0;
}

/* The line goes: nobody answers any more. */
void
undo_left(struct line *line)
{
	LIST_EACH(pos, &line->owner->searches)
	if (search_of(pos)->state == SEARCH_ASKED &&
	    search_of(pos)->asked == line->mailbox)
		fail(search_of(pos),
		    "it could not be looked for: the connection ended");
	undo_searched(line->owner);
}

/* One answer may be that of several which asked for the same. */
void
undo_found(struct line *line, const struct mailbox_found *found)
{
	struct running_account *account = line->owner;
	STR_AUTO mailbox = xstrdup(mailbox_name(line->mailbox));

	LIST_EACH(pos, &account->searches)
	{
		struct search *search = search_of(pos);
		if (!is_at(search, SEARCH_ASKED, mailbox) ||
		    !is_answer(search, found))
			continue;
		take(search, found);
		if (search->state == SEARCH_FOUND)
			refuse_shared(account, search);
	}
	if (!has_any(account, SEARCH_ASKED, mailbox))
		go_on(account, mailbox);
	undo_searched(account);
}

bool
search_is_found(const struct running_account *account,
    const struct undo_step *step, const char *mailbox)
{
	const struct search *search =
	    step->mover != NULL ? find(account, step->mover) : NULL;

	return search != NULL && is_at(search, SEARCH_FOUND, mailbox) &&
	       (search->asked_for == NULL ||
		   strcmp(search->asked_for, step->effect->rule) == 0);
}

bool
search_has_found(const struct running_account *account,
    const struct store_key *key, const char *mailbox)
{
	LIST_EACH(pos, &account->searches)
	if (is_at(search_of(pos), SEARCH_FOUND, mailbox) &&
	    is_key(&search_of(pos)->key, key))
		return true;
	return false;
}

void
search_close(struct running_account *account, const struct store_effect *effect,
    const char *words)
{
	struct search *search = find(account, effect);

	if (search == NULL)
		return;
	if (words != NULL)
		fail(search, words);
	else
		search_free(search);
}
