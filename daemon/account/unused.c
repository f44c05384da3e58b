#include "daemon/account/unused.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/account/recall.h"
#include "daemon/base/xalloc.h"
#include "notifiers/shown.h"

/* The facts of a mailbox: "KIND MAILBOX", or "KIND WORD MAILBOX". */
static const struct {
	const char *kind;
	bool has_word;
} kinds[] = {
    {UNUSED_FACT, false},
    {RECALL_CONTACT_FACT, false},
    {MAILBOX_WAITING_FACT, false},
    {MAILBOX_AUDIT_FACT, false},
    {ACCOUNT_PATTERN_FACT, false},
    {ACCOUNT_OLD_FACT, false},
    {SHOWN_FACT, true},
};

/* Something that is known of a mailbox. */
struct remnant {
	char *mailbox;	     /* owned, as the fact */
	char *fact;	     /* its name; NULL: a cursor, or a run */
	int64_t marked_unix; /* of "unused MAILBOX"; 0: it is another */
	int64_t run_unix;    /* of a run: its last news; 0: it is another */
};

struct remnants {
	struct remnant *items; /* owned */
	size_t count, room;
	int64_t marked_unix; /* the account itself; 0: it is not */
};

static void
remnants_done(struct remnants *remnants)
{
	for (size_t i = 0; i < remnants->count; i++) {
		free(remnants->items[i].mailbox);
		free(remnants->items[i].fact);
	}
	free(remnants->items);
}

static struct remnant *
add(struct remnants *remnants, const char *mailbox, const char *fact)
{
	struct remnant *added;

	if (remnants->count == remnants->room) {
		remnants->room = remnants->room > 0 ? 2 * remnants->room : 64;
		remnants->items = xreallocarray(
		    remnants->items, remnants->room, sizeof(*remnants->items));
	}
	added = &remnants->items[remnants->count++];
	*added = (struct remnant){
	    .mailbox = xstrdup(mailbox),
	    .fact = fact != NULL ? xstrdup(fact) : NULL,
	};
	return added;
}

static bool
note_cursor(void *ctx, const struct store_cursor *cursor)
{
	add(ctx, cursor->mailbox, NULL);
	return true;
}

static bool
note_run(void *ctx, const struct store_apply *apply)
{
	add(ctx, apply->mailbox, NULL)->run_unix = apply->changed_unix;
	return true;
}

/* The mailbox of a fact of this kind; NULL: it is of another. */
static const char *
mailbox_of(const char *fact, size_t kind)
{
	size_t len = strlen(kinds[kind].kind);
	const char *rest;

	if (strncmp(fact, kinds[kind].kind, len) != 0 || fact[len] != ' ')
		return NULL;
	rest = fact + len + 1;
	if (!kinds[kind].has_word)
		return rest;
	rest = strchr(rest, ' ');
	return rest != NULL ? rest + 1 : NULL;
}

/* 0 is no time of a mark. */
static int64_t
read_mark(const char *value)
{
	int64_t mark = strtoll(value, NULL, 10);

	return mark > 0 ? mark : 1;
}

static bool
note_fact(void *ctx, const char *name, const char *value)
{
	struct remnants *remnants = ctx;
	const char *mailbox = NULL;
	size_t i;

	if (strcmp(name, UNUSED_FACT) == 0)
		remnants->marked_unix = read_mark(value);
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		mailbox = mailbox_of(name, i);
		if (mailbox != NULL && mailbox[0] != '\0')
			break;
	}
	if (mailbox != NULL && mailbox[0] != '\0')
		add(remnants, mailbox, name)->marked_unix =
		    i == 0 ? read_mark(value) : 0;
	return true;
}

static int
compare(const void *a, const void *b)
{
	const struct remnant *x = a, *y = b;

	return strcmp(x->mailbox, y->mailbox);
}

/* Sorted by mailbox. */
static bool
find_remnants(const struct unused_look *look, struct remnants *remnants,
    struct error *error_r)
{
	if (!store_each_cursor(
		look->store, look->name, note_cursor, remnants, error_r) ||
	    !store_each_apply(
		look->store, look->name, note_run, remnants, error_r) ||
	    !store_each_fact(
		look->store, look->name, note_fact, remnants, error_r))
		return false;
	if (remnants->count > 1)
		qsort(remnants->items, remnants->count,
		    sizeof(*remnants->items), compare);
	return true;
}

static void
mark(
    const struct unused_look *look, const char *fact, struct store_batch *batch)
{
	STR_AUTO value = xasprintf("%" PRId64, look->now_unix);

	store_batch_set_fact(batch, look->name, fact, value);
}

/* ---- a mailbox: its remnants lie together ---- */

static size_t
same_mailbox(const struct remnants *remnants, size_t from)
{
	size_t to = from + 1;

	while (to < remnants->count &&
	       compare(&remnants->items[from], &remnants->items[to]) == 0)
		to++;
	return to;
}

static int64_t
marked(const struct remnant *remnants, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (remnants[i].marked_unix != 0)
			return remnants[i].marked_unix;
	return 0;
}

/* Nobody watches it, and runs go through it all the same. */
static bool
has_run_since(const struct remnant *remnants, size_t count, int64_t since_unix)
{
	for (size_t i = 0; i < count; i++)
		if (remnants[i].run_unix != 0 &&
		    remnants[i].run_unix >= since_unix)
			return true;
	return false;
}

static bool
forget(const struct unused_look *look, const struct remnant *remnants,
    size_t count, struct store_batch *batch, bool *did_r, struct error *error_r)
{
	bool is_needed;

	if (!store_is_needed(look->store, look->name, remnants[0].mailbox,
		&is_needed, error_r))
		return false;
	*did_r = !is_needed;
	if (is_needed)
		return true;
	store_batch_forget_mailbox(batch, look->name, remnants[0].mailbox);
	for (size_t i = 0; i < count; i++)
		if (remnants[i].fact != NULL)
			store_batch_forget_fact(
			    batch, look->name, remnants[i].fact);
	return true;
}

static bool
look_at_mailbox(const struct unused_look *look, const struct remnant *remnants,
    size_t count, struct store_batch *batch, bool *did_r, struct error *error_r)
{
	const char *mailbox = remnants[0].mailbox;
	STR_AUTO fact = xasprintf(UNUSED_FACT " %s", mailbox);
	int64_t since = marked(remnants, count);
	bool is_used = account_uses(look->account, mailbox);

	*did_r = true;
	if (is_used && since != 0)
		store_batch_forget_fact(batch, look->name, fact);
	else if (!is_used && since == 0)
		mark(look, fact, batch);
	else if (!is_used && since < look->before_unix &&
		 !has_run_since(remnants, count, look->before_unix))
		return forget(look, remnants, count, batch, did_r, error_r);
	else
		*did_r = false;
	return true;
}

static bool
look_at_mailboxes(const struct unused_look *look,
    const struct remnants *remnants, struct store_batch *batch, bool *more_r,
    struct error *error_r)
{
	unsigned steps = 0;
	bool did;

	for (size_t from = 0, to; from < remnants->count; from = to) {
		to = same_mailbox(remnants, from);
		if (steps == UNUSED_STEPS_MAX) {
			*more_r = true;
			return true;
		}
		if (!look_at_mailbox(look, &remnants->items[from], to - from,
			batch, &did, error_r))
			return false;
		steps += did;
	}
	return true;
}

/* ---- an account ---- */

static bool
look_at_unknown(const struct unused_look *look, const struct remnants *remnants,
    struct store_batch *batch, bool *more_r, struct error *error_r)
{
	bool is_needed;

	if (remnants->marked_unix == 0) {
		mark(look, UNUSED_FACT, batch);
		return true;
	}
	if (remnants->marked_unix >= look->before_unix)
		return true;
	if (!store_is_needed(
		look->store, look->name, NULL, &is_needed, error_r))
		return false;
	if (is_needed)
		return true;
	store_batch_forget_account(batch, look->name);
	*more_r = true; /* senders, maybe; in the end it is not there */
	return true;
}

bool
unused_look(const struct unused_look *look, struct store_batch *batch,
    bool *more_r, struct error *error_r)
{
	__attribute__((cleanup(remnants_done))) struct remnants remnants = {0};

	*more_r = false;
	if (!find_remnants(look, &remnants, error_r))
		return false;
	if (!look->is_configured)
		return look_at_unknown(look, &remnants, batch, more_r, error_r);
	if (remnants.marked_unix != 0)
		store_batch_forget_fact(batch, look->name, UNUSED_FACT);
	if (look->account == NULL ||
	    !account_knows_its_mailboxes(look->account, look->now))
		return true;
	return look_at_mailboxes(look, &remnants, batch, more_r, error_r);
}
