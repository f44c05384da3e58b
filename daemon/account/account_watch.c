/*
 * Which mailboxes are watched: names, and whatever matches the patterns in
 * the list of folders as it is now.
 *
 * A mailbox that is made later is watched from its first message on, unless
 * it was there when its pattern was new: then from now on, as at any first
 * contact. What was there is remembered as facts in the store, until the
 * mailbox has a cursor.
 */
#include "daemon/account/account_private.h"

#include "daemon/base/xalloc.h"

#define LISTED_FACT "listed" /* when the folders were listed last */

static bool
is_pattern(const char *name)
{
	return strpbrk(name, "*%") != NULL;
}

bool
account_uses(const struct account *account, const char *mailbox)
{
	const struct watched *item = account_find(account, mailbox);

	return (item != NULL && !item->is_gone) ||
	       strv_has(account->config.watch, mailbox);
}

bool
account_knows_its_mailboxes(const struct account *account, usec_t now)
{
	return !account_has_patterns(account) ||
	       (account->known_at != 0 &&
		   usec_since(account->known_at, now) < ACCOUNT_SURE_USEC);
}

bool
account_has_patterns(const struct account *account)
{
	const struct strv *watch = account->config.watch;

	for (size_t i = 0; i < watch->len; i++)
		if (is_pattern(watch->items[i]))
			return true;
	return false;
}

/* Also one that was watched before. */
static void
add_name(struct account *account, const char *name, usec_t now)
{
	struct watched *item = account_find(account, name);

	if (item == NULL)
		item = account_add(account, name, now);
	if (item != NULL)
		item->is_gone = item->by_pattern = false;
}

static bool
is_anybody_there(const struct account *account)
{
	for (size_t i = 0; i < account->count; i++)
		if (!account->items[i].is_gone)
			return true;
	return false;
}

/* Where it stands in `watch`; SIZE_MAX: nowhere. */
static size_t
rank(const struct account *account, const struct watched *item)
{
	for (size_t i = 0; i < account->watch.len; i++) {
		const char *wanted = account->watch.items[i];
		if (strcmp(wanted, item->name) == 0 ||
		    (is_pattern(wanted) && folder_matches(wanted, item->name)))
			return i;
	}
	return SIZE_MAX;
}

/* Those that come first have a connection of their own. */
static void
sort_items(struct account *account)
{
	for (size_t i = 1; i < account->count; i++) {
		struct watched item = account->items[i];
		size_t at = i;
		for (; at > 0 && rank(account, &account->items[at - 1]) >
				     rank(account, &item);
		     at--)
			account->items[at] = account->items[at - 1];
		account->items[at] = item;
	}
}

void
account_add_names(struct account *account, usec_t now)
{
	const struct strv *watch = account->config.watch;

	for (size_t i = 0; i < watch->len; i++)
		if (!is_pattern(watch->items[i]))
			add_name(account, watch->items[i], now);
	/* Patterns alone need somebody who lists the folders. */
	if (!is_anybody_there(account))
		add_name(account, "INBOX", now);
	sort_items(account);
}

void
account_drop_unwanted(struct account *account, usec_t now)
{
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		if (item->is_dismissed || rank(account, item) != SIZE_MAX)
			continue;
		item->is_gone = item->is_dismissed = true;
		item->started = false;
		mailbox_dismiss(item->mailbox, now);
	}
}

/* ---- one mailbox by two names ---- */

static bool
is_named(const struct watched *item)
{
	return !item->by_pattern && !item->is_dismissed;
}

/* The first of the names in `watch` that means this mailbox, other than by a
 * pattern; NULL. */
static const struct watched *
find_named(const struct account *account, const struct folders *folders,
    struct span wire)
{
	for (size_t i = 0; i < account->count; i++) {
		const struct watched *item = &account->items[i];
		struct error error = ERROR_INIT;
		BUF_AUTO own = BUF_INIT;
		if (is_named(item) &&
		    folders_wire_name(folders, item->name, &own, &error) &&
		    span_equal(buf_span(&own), wire))
			return item;
	}
	return NULL;
}

static void
set_twin(struct watched *item, const struct watched *of, usec_t now)
{
	if (of == NULL) {
		item->is_gone = item->is_gone && !item->is_twin;
		item->is_twin = false;
		return;
	}
	if (!item->is_twin)
		mailbox_warn(item->mailbox,
		    "this is the mailbox %s, and is watched by that name",
		    of->name);
	if (!item->is_twin || !item->is_gone)
		mailbox_stop(item->mailbox, now);
	item->is_twin = item->is_gone = true;
	item->started = false;
}

void
account_find_twins(
    struct account *account, const struct folders *folders, usec_t now)
{
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		struct error error = ERROR_INIT;
		BUF_AUTO wire = BUF_INIT;
		const struct watched *first = NULL;
		if (item->is_dismissed)
			continue;
		if (folders_wire_name(folders, item->name, &wire, &error))
			first = find_named(account, folders, buf_span(&wire));
		set_twin(item, first != item ? first : NULL, now);
	}
}

/* ---- facts ---- */

static bool
has_fact(const struct account *account, const char *kind, const char *name)
{
	STR_AUTO start = xasprintf("%s %s=", kind, name);

	for (size_t i = 0; i < account->facts.len; i++)
		if (span_starts(span_from_str(account->facts.items[i]), start))
			return true;
	return false;
}

static void
learn(struct account *account, struct mailbox *mailbox, const char *kind,
    const char *name, usec_t now)
{
	STR_AUTO fact = xasprintf("%s %s", kind, name);
	STR_AUTO value =
	    xasprintf("%lld", (long long)account_unix(account, now));

	mailbox_learn(mailbox, fact, value);
	strv_take(&account->facts, xasprintf("%s=%s", fact, value));
}

/* When the folders were listed before this. */
static int64_t
listed_before(const struct account *account)
{
	if (account->listed_unix != 0)
		return account->listed_unix;
	for (size_t i = 0; i < account->facts.len; i++)
		if (span_starts(span_from_str(account->facts.items[i]),
			LISTED_FACT "="))
			return strtoll(
			    account->facts.items[i] + strlen(LISTED_FACT "="),
			    NULL, 10);
	return 0;
}

/* ---- the list ---- */

static void
warn_too_many(struct account *account, struct mailbox *mailbox, size_t left)
{
	if (account->told_too_many)
		return;
	account->told_too_many = true;
	mailbox_warn(mailbox,
	    "%zu more mailboxes match `watch` and are not watched: more than "
	    "%d are too many; name fewer in `watch`",
	    left, ACCOUNT_MAILBOXES_MAX);
}

static const char *
matching_pattern(const struct account *account, const struct folder *folder)
{
	const struct strv *watch = account->config.watch;

	if (strcmp(folder->display, CLAIMS_MAILBOX) == 0)
		return NULL; /* ours */
	for (size_t i = 0; i < watch->len; i++)
		if (is_pattern(watch->items[i]) &&
		    folder_matches(watch->items[i], folder->display))
			return watch->items[i];
	return NULL;
}

/* False: there is no room. */
static bool
take_up(struct account *account, struct mailbox *lister,
    const struct folder *folder, const char *pattern, usec_t now)
{
	struct watched *item = account_find(account, folder->display);

	if (item != NULL && !item->is_gone)
		return true;
	if (item != NULL) {
		item->is_gone = false;
		mailbox_warn(item->mailbox, "the mailbox is back");
		mailbox_begin_early(item->mailbox, listed_before(account));
	} else {
		item = account_add(account, folder->display, now);
	}
	if (item == NULL)
		return false;
	item->by_pattern = true;
	if (!has_fact(account, ACCOUNT_PATTERN_FACT, pattern)) {
		learn(account, lister, ACCOUNT_OLD_FACT, folder->display, now);
	} else if (!has_fact(account, ACCOUNT_OLD_FACT, folder->display)) {
		mailbox_begin_early(item->mailbox, listed_before(account));
	}
	return true;
}

/* Its pattern may have it one day: what came until then was judged. */
static void
note_named(struct account *account, struct mailbox *lister,
    const struct folder *folder, usec_t now)
{
	if (!has_fact(account, ACCOUNT_OLD_FACT, folder->display))
		learn(account, lister, ACCOUNT_OLD_FACT, folder->display, now);
}

/* A mailbox of a pattern that is not there any more; its effects and cursor
 * stay in the store. */
static void
drop_gone(struct account *account, const struct folders *folders, usec_t now)
{
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		bool is_there = false;
		if (!item->by_pattern || item->is_gone)
			continue;
		for (size_t f = 0; !is_there && f < folders->count; f++)
			is_there =
			    folders->items[f].selectable &&
			    strcmp(folders->items[f].display, item->name) == 0;
		if (is_there)
			continue;
		mailbox_warn(item->mailbox,
		    "the mailbox is gone: it is watched again when it is back");
		item->is_gone = true;
		item->started = false;
		mailbox_stop(item->mailbox, now);
	}
}

/* Mailboxes come and go: those that went make room for up to `wanted` others,
 * which are found when the folders are listed again, at once. False: there is
 * none of these. */
static bool
make_room(struct account *account, size_t wanted, usec_t now)
{
	size_t made = 0;

	for (size_t i = 0; i < account->count && made < wanted; i++) {
		struct watched *item = &account->items[i];
		if (!item->is_gone || item->is_dismissed ||
		    !mailbox_is_resting(item->mailbox))
			continue;
		item->is_dismissed = true;
		mailbox_dismiss(item->mailbox, now);
		made++;
	}
	if (made > 0)
		account->next_list = 0;
	return made > 0;
}

static bool
is_listed(const struct folders *folders, const char *name)
{
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT;

	return folders_wire_name(folders, name, &wire, &error) &&
	       folders_find(folders, buf_span(&wire)) != NULL;
}

/* Names without a wildcard are patterns that match one. */
static void
note_names(struct account *account, struct mailbox *lister,
    const struct folders *folders, usec_t now)
{
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		bool is_there = is_listed(folders, item->name);
		if (item->by_pattern || item->is_dismissed ||
		    item->name[0] == '\\' ||
		    span_is_nocase(span_from_str(item->name), "INBOX"))
			continue;
		if (!has_fact(account, ACCOUNT_PATTERN_FACT, item->name)) {
			if (is_there)
				learn(account, lister, ACCOUNT_OLD_FACT,
				    item->name, now);
			learn(account, lister, ACCOUNT_PATTERN_FACT, item->name,
			    now);
		}
		if (!has_fact(account, ACCOUNT_OLD_FACT, item->name))
			mailbox_begin_early(item->mailbox,
			    is_there ? listed_before(account)
				     : account_unix(account, now));
	}
}

static void
note_patterns(struct account *account, struct mailbox *lister, usec_t now)
{
	const struct strv *watch = account->config.watch;
	int64_t before = listed_before(account);

	if (!account_has_patterns(account))
		return;
	for (size_t i = 0; i < watch->len; i++)
		if (is_pattern(watch->items[i]) &&
		    !has_fact(account, ACCOUNT_PATTERN_FACT, watch->items[i]))
			learn(account, lister, ACCOUNT_PATTERN_FACT,
			    watch->items[i], now);
	account->listed_unix = account_unix(account, now);
	/* A clock that was set back must not leave it ahead. */
	if (account->listed_unix >= before - 60 * 60 &&
	    account->listed_unix < before + 60 * 60)
		return;
	STR_AUTO value = xasprintf("%lld", (long long)account->listed_unix);
	mailbox_learn(lister, LISTED_FACT, value);
}

void
account_on_folders(
    struct account *account, struct account_event *event, usec_t now)
{
	const struct folders *folders = mailbox_folders(event->mailbox);
	size_t left = 0;

	if (!folders->known || folders->count == 0)
		return; /* no account is without any */
	account->next_list = usec_add(now, folders->count > ACCOUNT_LIST_LONG
					       ? ACCOUNT_LIST_LONG_USEC
					       : ACCOUNT_LIST_USEC);
	account->listed_at = now;
	account_find_twins(account, folders, now);
	drop_gone(account, folders, now);
	for (size_t i = 0; i < folders->count; i++) {
		const struct folder *folder = &folders->items[i];
		const char *pattern = matching_pattern(account, folder);
		if (pattern == NULL || !folder->selectable)
			continue;
		if (find_named(account, folders, span_from_str(folder->wire)))
			note_named(account, event->mailbox, folder, now);
		else
			left += !take_up(
			    account, event->mailbox, folder, pattern, now);
	}
	if (left > 0 && !make_room(account, left, now))
		warn_too_many(account, event->mailbox, left);
	account->known_at = left == 0 ? now : 0;
	note_names(account, event->mailbox, folders, now);
	note_patterns(account, event->mailbox, now);
	mailbox_learned(event->mailbox);
	if (account->proven)
		account_start_all(account, false, now);
}
