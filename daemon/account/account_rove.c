/*
 * Who has which connection. The first mailboxes have their own; the last
 * connection of the budget is made by the one that is next (home), rests there
 * in IDLE, asks for all others in their turn, and goes where something is to be
 * done. What has to be done is looked for each time anew, when all events are
 * pulled, so that no lost connection and no change of plans is forgotten.
 */
#include "daemon/account/account_private.h"

#include <assert.h>

#include "daemon/base/xalloc.h"

#define ALLOWED_FACT "connections"
/* A refusal is believed for so long; then one more is tried. */
#define ALLOWED_SEC (24 * 60 * 60)
/* Mailboxes that will be due so soon are asked for in the same round. */
#define SOON_USEC (20 * USEC_SEC)

/* ---- the budget ---- */

static size_t
wanted_connections(const struct account *account)
{
	size_t most = account->config.connections;

	return most == 0 ? ACCOUNT_CONNECTIONS : most;
}

static size_t
budget(const struct account *account)
{
	size_t most = wanted_connections(account);

	return account->allowed != 0 && account->allowed < most
		   ? account->allowed
		   : most;
}

static size_t
count_there(const struct account *account)
{
	size_t count = 0;

	for (size_t i = 0; i < account->count; i++)
		count += !account->items[i].is_gone;
	return count;
}

static size_t
count_visitors(const struct account *account, bool is_shared)
{
	size_t count = 0;

	for (size_t i = 0; i < account->visitor_count; i++)
		count += account->visitors[i].is_shared == is_shared;
	return count;
}

bool
account_has_connection_left(const struct account *account)
{
	return count_there(account) + count_visitors(account, false) <
	       budget(account);
}

static void
remember_allowed(struct account *account, struct mailbox *mailbox, usec_t now)
{
	account->allowed_unix = account_unix(account, now);
	STR_AUTO value = xasprintf(
	    "%zu %lld", account->allowed, (long long)account->allowed_unix);
	mailbox_learn(mailbox, ALLOWED_FACT, value);
	mailbox_learned(mailbox);
}

static bool
has_session(const struct mailbox *mailbox)
{
	struct mailbox_status status;

	mailbox_get_status(mailbox, &status);
	return status.is_connected;
}

static size_t
count_sessions(const struct account *account)
{
	size_t count = 0;

	for (size_t i = 0; i < account->count; i++)
		count += has_session(account->items[i].mailbox);
	for (size_t i = 0; i < account->visitor_count; i++)
		count += has_session(account->visitors[i].mailbox);
	return count;
}

/* So many are there, and one more was refused: that is the number. (The other
 * logins that had begun wait since the refusal, and do not count.) */
void
account_on_over_limit(
    struct account *account, struct account_event *event, usec_t now)
{
	size_t used = count_there(account) + count_visitors(account, false);
	size_t had = budget(account);

	if (used < had)
		had = used;
	if (had <= 1)
		return;
	size_t now_there = count_sessions(account);
	account->allowed = now_there < had - 1 ? now_there : had - 1;
	if (account->allowed == 0)
		account->allowed = 1;
	remember_allowed(account, event->mailbox, now);
	mailbox_warn(event->mailbox,
	    "the server allows no more than %zu connection%s, it seems: "
	    "that is what the account uses until tomorrow",
	    account->allowed, account->allowed == 1 ? "" : "s");
}

static void
try_one_more(struct account *account, usec_t now)
{
	int64_t age = account_unix(account, now) - account->allowed_unix;

	/* A clock that was set back does not make it a year. */
	if (account->allowed == 0 || (age < ALLOWED_SEC && age > -ALLOWED_SEC))
		return;
	account->allowed++;
	if (account->allowed >= wanted_connections(account))
		account->allowed = 0;
	remember_allowed(account, account->items[0].mailbox, now);
}

static void
read_allowed(struct account *account, struct span value)
{
	struct span count;
	uint32_t number;
	int64_t when = 0;

	span_split(&value, ' ', &count);
	for (size_t i = 0; i < value.len; i++)
		if (value.data[i] >= '0' && value.data[i] <= '9' &&
		    when < INT64_MAX / 100)
			when = when * 10 + (value.data[i] - '0');
	if (!span_to_u32(count, &number))
		return;
	account->allowed = number;
	account->allowed_unix = when;
}

void
account_set_fact(struct account *account, const char *name, const char *value)
{
	if (strcmp(name, ALLOWED_FACT) == 0)
		read_allowed(account, span_from_str(value));
	strv_take(&account->facts, xasprintf("%s=%s", name, value));
}

/* ---- roles ---- */

static void
set_role(struct watched *item, enum role role)
{
	item->role = role;
	mailbox_set_shared(item->mailbox, role == ROLE_GUEST);
}

static void
assign_roles(struct account *account)
{
	size_t there = count_there(account), at = 0;
	size_t taken = count_visitors(account, false);
	size_t own = budget(account) > taken ? budget(account) - taken : 1;
	bool is_shared = there > own || count_visitors(account, true) > 0;

	if (own > there)
		own = there;
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		if (item->is_gone)
			continue;
		if (!is_shared || at + 1 < own)
			set_role(item, ROLE_OWN);
		else
			set_role(item, at + 1 == own ? ROLE_HOME : ROLE_GUEST);
		at++;
	}
}

static void
start(struct watched *item, usec_t now)
{
	item->started = true;
	if (item->role == ROLE_GUEST)
		mailbox_park(item->mailbox, now);
	else if (!mailbox_is_parked(item->mailbox))
		mailbox_start(item->mailbox, now);
}

void
account_start_all(struct account *account, bool retries, usec_t now)
{
	bool is_first = true;

	assign_roles(account);
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		if (item->is_gone)
			continue;
		if (!is_first && !account->proven) {
			if (item->started) /* locked out */
				mailbox_stop(item->mailbox, now);
			item->started = false;
			continue;
		}
		is_first = false;
		if (retries ? item->role != ROLE_GUEST || !item->started
			    : !item->started)
			start(item, now);
	}
	account_arrange(account, now);
}

/* ---- those that share a connection ---- */

struct shared {
	struct mailbox *mailboxes[ACCOUNT_MAILBOXES_MAX + ACCOUNT_VISITORS_MAX];
	size_t count;
	struct mailbox *home;	/* the first of them; NULL: nobody shares */
	struct mailbox *holder; /* who has the connection, or makes it */
};

static bool
is_active(const struct mailbox *mailbox)
{
	return !mailbox_is_parked(mailbox) && !mailbox_is_resting(mailbox);
}

static bool
is_shared(const struct watched *item)
{
	return item->role != ROLE_OWN && !item->is_gone && item->started;
}

static bool
is_any_shared(const struct account *account)
{
	for (size_t i = 0; i < account->count; i++)
		if (is_shared(&account->items[i]))
			return true;
	for (size_t i = 0; i < account->visitor_count; i++)
		if (account->visitors[i].is_shared)
			return true;
	return false;
}

static void
gather_shared(const struct account *account, struct shared *shared)
{
	shared->count = 0;
	shared->home = shared->holder = NULL;
	for (size_t i = 0; i < account->count; i++) {
		const struct watched *item = &account->items[i];
		if (!is_shared(item))
			continue;
		if (item->role == ROLE_HOME)
			shared->home = item->mailbox;
		shared->mailboxes[shared->count++] = item->mailbox;
	}
	for (size_t i = 0; i < account->visitor_count; i++)
		if (account->visitors[i].is_shared)
			shared->mailboxes[shared->count++] =
			    account->visitors[i].mailbox;
}

static bool
is_any_connected(const struct shared *shared)
{
	for (size_t i = 0; i < shared->count; i++)
		if (is_active(shared->mailboxes[i]) &&
		    mailbox_is_connected(shared->mailboxes[i]))
			return true;
	return false;
}

/*
 * One of them has it: home, if it is connected, else whoever is, else home, if
 * it makes one. A home that only waits for its next try, as one does whose own
 * connection was refused, is no reason to drop the connection of another.
 */
static void
settle_holder(struct shared *shared, usec_t now)
{
	if (shared->home != NULL && is_active(shared->home) &&
	    (mailbox_is_connected(shared->home) || !is_any_connected(shared)))
		shared->holder = shared->home;
	for (size_t i = 0; i < shared->count; i++) {
		struct mailbox *mailbox = shared->mailboxes[i];
		if (!is_active(mailbox) || mailbox == shared->holder)
			continue;
		if (shared->holder == NULL && mailbox_is_connected(mailbox))
			shared->holder = mailbox;
		else
			mailbox_park(mailbox, now);
	}
	if (shared->holder == NULL && shared->home != NULL) {
		mailbox_start(shared->home, now);
		shared->holder = shared->home;
	}
}

/* Who has waited for the longest time. */
static struct mailbox *
first_in_line(const struct shared *shared)
{
	struct mailbox *first = NULL;
	usec_t since, earliest = USEC_NEVER;

	for (size_t i = 0; i < shared->count; i++) {
		if (!mailbox_wants_visit(shared->mailboxes[i], &since) ||
		    since >= earliest)
			continue;
		first = shared->mailboxes[i];
		earliest = since;
	}
	return first;
}

static void
ask_for_due(const struct shared *shared, usec_t now)
{
	struct strv names = STRV_INIT;
	bool any = false;

	for (size_t i = 0; i < shared->count; i++)
		any = any || mailbox_is_due(shared->mailboxes[i], 0, now);
	for (size_t i = 0; any && i < shared->count; i++)
		if (mailbox_is_due(shared->mailboxes[i], SOON_USEC, now))
			strv_add(&names, mailbox_name(shared->mailboxes[i]));
	if (any)
		mailbox_ask(shared->holder, &names, now);
	strv_done(&names);
}

/* Where the server can tell by itself of all that share the connection. */
static bool
wants_notify(const struct shared *shared, struct strv *names)
{
	if (shared->count < 2)
		return false;
	for (size_t i = 0; i < shared->count; i++)
		strv_add(names, mailbox_name(shared->mailboxes[i]));
	return !mailbox_has_notify(shared->holder, names);
}

static void
spread_push(const struct shared *shared, usec_t now)
{
	bool is_on = shared->holder != NULL &&
		     mailbox_get_push(shared->holder) == PUSH_ON;

	for (size_t i = 0; i < shared->count; i++)
		mailbox_set_pushed(shared->mailboxes[i], is_on, now);
}

static void
rest_holder(const struct shared *shared, usec_t now)
{
	struct strv names = STRV_INIT;

	if (wants_notify(shared, &names))
		mailbox_notify(shared->holder, &names, now);
	else
		ask_for_due(shared, now);
	strv_done(&names);
}

static void
send_holder(const struct shared *shared, usec_t now)
{
	struct mailbox *holder = shared->holder;

	if (!mailbox_is_connected(holder))
		return;
	/* Home is where news are pushed. */
	if (first_in_line(shared) != NULL ||
	    (holder != shared->home && mailbox_can_idle(holder) &&
		mailbox_get_push(holder) != PUSH_ON))
		mailbox_leave(holder, now);
	else if (mailbox_is_at_rest(holder))
		rest_holder(shared, now);
}

/* Who is busy, as when IDLE is renewed, lists before it rests; who rests is
 * woken if none was busy for a while. */
static bool
may_list(
    const struct account *account, const struct mailbox *mailbox, usec_t now)
{
	if (mailbox_is_at_rest(mailbox))
		return account->next_list == 0 ||
		       now >=
			   usec_add(account->next_list, ACCOUNT_LIST_LATE_USEC);
	return mailbox_is_connected(mailbox) && mailbox_folders(mailbox)->known;
}

/* One of those that rest is busy in time. */
static void
see_to_list(struct account *account)
{
	for (size_t i = 0; i < account->count; i++) {
		struct mailbox *mailbox = account->items[i].mailbox;
		if (!mailbox_is_at_rest(mailbox))
			continue;
		mailbox_renew_by(mailbox,
		    usec_add(account->next_list, ACCOUNT_LIST_LATE_USEC));
		return;
	}
}

static void
list_again(struct account *account, usec_t now)
{
	if (!account_has_patterns(account))
		return;
	if (now < account->next_list) {
		see_to_list(account);
		return;
	}
	for (size_t i = 0; i < account->count; i++) {
		struct mailbox *mailbox = account->items[i].mailbox;
		if (!may_list(account, mailbox, now))
			continue;
		account->next_list = usec_add(now, ACCOUNT_LIST_USEC);
		mailbox_list_again(mailbox, now);
		return;
	}
}

/* ---- those that have their own ---- */

static bool
has_own(const struct watched *item)
{
	return item->started && !item->is_gone && item->role == ROLE_OWN &&
	       mailbox_is_connected(item->mailbox);
}

/* The first one asks, which is mostly INBOX: that one is never made again. */
static struct mailbox *
gather_open(const struct account *account, struct strv *others)
{
	struct mailbox *first = NULL;

	for (size_t i = 0; i < account->count; i++) {
		const struct watched *item = &account->items[i];
		if (!has_own(item))
			continue;
		if (first == NULL)
			first = item->mailbox;
		else
			strv_add(others, item->name);
	}
	return first;
}

/*
 * Servers let a mailbox that was deleted and made again live on for who has it
 * open, and some say nothing of it (mailbox_reopen.c): others hear of the new
 * one.
 */
static void
ask_for_open(struct account *account, usec_t now)
{
	struct strv others = STRV_INIT;

	if (account->next_look == 0)
		account->next_look = usec_add(now, ACCOUNT_LOOK_USEC);
	if (now < account->next_look)
		return;
	struct mailbox *asker = gather_open(account, &others);
	if (others.len > 0 && mailbox_is_at_rest(asker)) {
		account->next_look = usec_add(now, ACCOUNT_LOOK_USEC);
		mailbox_ask(asker, &others, now);
	}
	strv_done(&others);
}

static void
arrange_shared(const struct account *account, usec_t now)
{
	struct shared shared;

	gather_shared(account, &shared);
	settle_holder(&shared, now);
	spread_push(&shared, now);
	if (shared.holder != NULL)
		send_holder(&shared, now);
}

void
account_arrange(struct account *account, usec_t now)
{
	try_one_more(account, now);
	assign_roles(account);
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		if (item->started && !item->is_gone && item->role == ROLE_OWN &&
		    !is_active(item->mailbox))
			mailbox_start(item->mailbox, now);
	}
	if (is_any_shared(account)) /* with most accounts nobody is */
		arrange_shared(account, now);
	list_again(account, now);
	ask_for_open(account, now);
}

/* ---- what happens to it ---- */

static struct mailbox *
find_left(const struct account *account)
{
	for (size_t i = 0; i < account->count; i++)
		if (mailbox_has_left(account->items[i].mailbox))
			return account->items[i].mailbox;
	for (size_t i = 0; i < account->visitor_count; i++)
		if (mailbox_has_left(account->visitors[i].mailbox))
			return account->visitors[i].mailbox;
	return NULL;
}

bool
account_is_moving(const struct account *account)
{
	return find_left(account) != NULL;
}

bool
account_move_connection(
    struct account *account, struct account_event *event_r, usec_t now)
{
	struct mailbox *from = find_left(account), *to;

	if (from == NULL)
		return false;
	struct shared shared;
	gather_shared(account, &shared);
	to = first_in_line(&shared);
	if (to == NULL && shared.home != NULL && mailbox_is_parked(shared.home))
		to = shared.home;
	if (to == NULL)
		to = from;
	mailbox_hand_over(from, to, now);
	/* Else whoever arranges before it is loaded ends the connection. */
	assert(mailbox_is_connected(to));
	if (to == from)
		return false;
	*event_r = (struct account_event){
	    .mailbox = from, .event.kind = MAILBOX_HANDED, .to = to};
	return true;
}

/* It was renamed, or is gone: then others may be there, too. */
static void
doubt_list(struct account *account, const struct watched *item,
    const struct mailbox_news *news, usec_t now)
{
	if (news->refused && item->by_pattern && !item->is_gone &&
	    now >= usec_add(account->listed_at, ACCOUNT_LIST_AGAIN_USEC))
		account->next_list = 0;
}

void
account_on_told(
    struct account *account, struct account_event *event, usec_t now)
{
	const struct watched *item = account_find(account, event->event.name);

	if (item != NULL)
		doubt_list(account, item, &event->event.news, now);
	if (item != NULL && item->role == ROLE_OWN)
		mailbox_told_open(item->mailbox, &event->event.news, now);
	else if (item != NULL)
		mailbox_told(item->mailbox, &event->event.news, now);
}

void
account_on_lost(
    struct account *account, struct account_event *event, usec_t now)
{
	for (size_t i = 0; i < account->count; i++) {
		const struct watched *item = &account->items[i];
		if (item->role == ROLE_HOME && item->started)
			mailbox_start_in(item->mailbox, event->event.wait, now);
	}
}
