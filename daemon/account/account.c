#include "daemon/account/account.h"

#include "daemon/base/xalloc.h"

struct watched {
	char *name; /* owned */
	struct mailbox *mailbox;
	bool started;
};

struct account {
	struct account_config config;
	const struct rules *rules;
	struct limits *limits;
	struct watched items[ACCOUNT_MAILBOXES_MAX];
	size_t count;
	size_t next; /* whose events are pulled first */
	bool proven, expanded;
	char *lockout; /* owned; NULL while let in */
	int64_t clock_unix;
	int utc_offset;
	usec_t clock_now;
};

static bool
is_pattern(const char *name)
{
	return strpbrk(name, "*%") != NULL;
}

static bool
is_watched(const struct account *account, const char *name)
{
	for (size_t i = 0; i < account->count; i++)
		if (strcmp(account->items[i].name, name) == 0)
			return true;
	return false;
}

static size_t
budget(const struct account *account)
{
	size_t most = account->config.connections;

	if (most == 0)
		most = ACCOUNT_CONNECTIONS;
	return most < ACCOUNT_MAILBOXES_MAX ? most : ACCOUNT_MAILBOXES_MAX;
}

/* NULL when the budget of connections is used up. */
static struct watched *
add_mailbox(struct account *account, const char *name, usec_t now)
{
	if (account->count >= budget(account))
		return NULL;
	struct watched *item = &account->items[account->count];
	struct mailbox_config config = account->config.mailbox;

	item->name = xstrdup(name);
	config.name = item->name;
	config.seed += account->count;
	item->mailbox =
	    mailbox_new(&config, account->rules, account->limits, now);
	mailbox_set_clock(item->mailbox, account->clock_unix,
	    account->utc_offset, account->clock_now);
	account->count++;
	return item;
}

struct account *
account_new(const struct account_config *config, const struct rules *rules,
    struct limits *limits, usec_t now)
{
	struct account *account = NEW(struct account);

	account->config = *config;
	account->rules = rules;
	account->limits = limits;
	account->clock_now = now;
	for (size_t i = 0; i < config->watch->len; i++)
		if (!is_pattern(config->watch->items[i]))
			add_mailbox(account, config->watch->items[i], now);
	/* Patterns alone need somebody who lists the folders. */
	if (account->count == 0)
		add_mailbox(account, "INBOX", now);
	return account;
}

void
account_free(struct account **account)
{
	if (*account == NULL)
		return;
	for (size_t i = 0; i < (*account)->count; i++) {
		mailbox_free(&(*account)->items[i].mailbox);
		free((*account)->items[i].name);
	}
	free((*account)->lockout);
	free(*account);
	*account = NULL;
}

void
account_set_clock(
    struct account *account, int64_t now_unix, int utc_offset, usec_t now)
{
	account->clock_unix = now_unix;
	account->utc_offset = utc_offset;
	account->clock_now = now;
	for (size_t i = 0; i < account->count; i++)
		mailbox_set_clock(
		    account->items[i].mailbox, now_unix, utc_offset, now);
}

void
account_set_rules(struct account *account, const struct rules *rules)
{
	account->rules = rules;
	for (size_t i = 0; i < account->count; i++)
		mailbox_set_rules(account->items[i].mailbox, rules);
}

static void
start(struct watched *item, usec_t now)
{
	item->started = true;
	mailbox_start(item->mailbox, now);
}

void
account_start(struct account *account, usec_t now)
{
	free(account->lockout);
	account->lockout = NULL;
	for (size_t i = 0; i < account->count; i++)
		if (i == 0 || account->proven)
			start(&account->items[i], now);
}

void
account_stop(struct account *account, usec_t now)
{
	account->proven = false;
	for (size_t i = 0; i < account->count; i++) {
		mailbox_stop(account->items[i].mailbox, now);
		account->items[i].started = false;
	}
}

void
account_hint(struct account *account, usec_t now)
{
	for (size_t i = 0; i < account->count; i++)
		mailbox_hint(account->items[i].mailbox, now);
}

size_t
account_count(const struct account *account)
{
	return account->count;
}

struct mailbox *
account_mailbox(const struct account *account, size_t index)
{
	return account->items[index].mailbox;
}

bool
account_is_resting(const struct account *account)
{
	for (size_t i = 0; i < account->count; i++)
		if (!mailbox_is_resting(account->items[i].mailbox))
			return false;
	return true;
}

const char *
account_lockout(const struct account *account)
{
	return account->lockout;
}

/* ---- what the mailboxes say ---- */

static void
warn_budget(struct account *account, struct mailbox *mailbox, const char *name)
{
	mailbox_warn(mailbox,
	    "%s is not watched: the account's budget of %zu connections is "
	    "used up (connections = sets it)",
	    name, budget(account));
}

/* One line, however many there are. */
static void
warn_pattern(struct account *account, struct mailbox *mailbox,
    const char *pattern, size_t count)
{
	mailbox_warn(mailbox,
	    "%zu more mailboxes match %s and are not watched: the account's "
	    "budget of %zu connections is used up (connections = sets it)",
	    count, pattern, budget(account));
}

static void
expand(struct account *account, struct mailbox *mailbox, const char *pattern,
    usec_t now)
{
	const struct folders *folders = mailbox_folders(mailbox);
	size_t left = 0;

	for (size_t i = 0; i < folders->count; i++) {
		const struct folder *folder = &folders->items[i];
		if (!folder->selectable ||
		    !folder_matches(pattern, folder->display) ||
		    is_watched(account, folder->display))
			continue;
		if (add_mailbox(account, folder->display, now) == NULL)
			left++;
	}
	if (left > 0)
		warn_pattern(account, mailbox, pattern, left);
}

static void
on_folders(struct account *account, struct mailbox *mailbox, usec_t now)
{
	const struct strv *watch = account->config.watch;

	if (account->expanded)
		return;
	account->expanded = true;
	for (size_t i = 0; i < watch->len; i++) {
		if (is_pattern(watch->items[i]))
			expand(account, mailbox, watch->items[i], now);
		else if (!is_watched(account, watch->items[i]))
			warn_budget(account, mailbox, watch->items[i]);
	}
}

static void
on_proven(struct account *account, usec_t now)
{
	account->proven = true;
	for (size_t i = 0; i < account->count; i++)
		if (!account->items[i].started)
			start(&account->items[i], now);
}

static void
on_locked_out(struct account *account, struct mailbox *mailbox,
    const struct error *error, usec_t now)
{
	free(account->lockout);
	account->lockout = xstrdup(error->text);
	account->proven = false;
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		if (item->mailbox == mailbox)
			continue;
		mailbox_stop(item->mailbox, now);
		item->started = false;
	}
}

static void
look_at(struct account *account, const struct account_event *event, usec_t now)
{
	if (event->event.kind == MAILBOX_FOLDERS) {
		on_folders(account, event->mailbox, now);
	} else if (event->event.kind == MAILBOX_PROVEN) {
		free(account->lockout);
		account->lockout = NULL;
		on_proven(account, now);
	} else if (event->event.kind == MAILBOX_LOCKED_OUT) {
		on_locked_out(
		    account, event->mailbox, &event->event.error, now);
	}
}

bool
account_next_event(
    struct account *account, struct account_event *event_r, usec_t now)
{
	for (size_t tries = 0; tries < account->count; tries++) {
		struct watched *item =
		    &account->items[account->next % account->count];
		struct account_event event = {.mailbox = item->mailbox};
		if (mailbox_next_event(item->mailbox, &event.event, now)) {
			look_at(account, &event, now);
			*event_r = event;
			return true;
		}
		account->next++;
	}
	return false;
}
