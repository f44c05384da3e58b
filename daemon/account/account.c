#include "daemon/account/account_private.h"

#include "daemon/base/xalloc.h"

struct watched *
account_find(const struct account *account, const char *name)
{
	for (size_t i = 0; i < account->count; i++)
		if (strcmp(account->items[i].name, name) == 0 &&
		    !account->items[i].is_dismissed)
			return (struct watched *)&account->items[i];
	return NULL;
}

/* ---- one engine for each mailbox that is acted on ---- */

static void
forget_visitor(struct account *account, struct visitor *old)
{
	*old = account->visitors[--account->visitor_count];
	if (account->visitor_count > 0)
		return;
	free(account->visitors);
	account->visitors = NULL;
}

static void
forget_item(struct account *account, struct watched *old)
{
	size_t i = (size_t)(old - account->items);

	account->count--;
	memmove(old, old + 1, (account->count - i) * sizeof(*old));
}

/* Who was dismissed and has not left; NULL. */
static struct watched *
find_leaving(struct account *account, const char *name)
{
	for (size_t i = 0; i < account->count; i++)
		if (account->items[i].is_dismissed &&
		    strcmp(account->items[i].name, name) == 0)
			return &account->items[i];
	return NULL;
}

/* A visitor that does a run there becomes who watches: two of them would do
 * everything twice. */
static bool
take_visitor(
    struct account *account, const char *name, struct watched *item, usec_t now)
{
	for (size_t i = 0; i < account->visitor_count; i++) {
		struct visitor *visitor = &account->visitors[i];
		if (!visitor->acts || strcmp(visitor->name, name) != 0 ||
		    !mailbox_become(visitor->mailbox, VISIT_NONE, now))
			continue;
		*item = (struct watched){
		    .name = visitor->name, .mailbox = visitor->mailbox};
		forget_visitor(account, visitor);
		return true;
	}
	return false;
}

/* The other way round. */
static bool
take_leaving(struct account *account, const char *name, struct visitor *visitor,
    usec_t now)
{
	struct watched *item = find_leaving(account, name);

	if (item == NULL || !mailbox_become(item->mailbox, VISIT_ACT, now))
		return false;
	visitor->name = item->name;
	visitor->mailbox = item->mailbox;
	forget_item(account, item);
	return true;
}

struct watched *
account_add(struct account *account, const char *name, usec_t now)
{
	struct watched *item = find_leaving(account, name);

	if (item != NULL && mailbox_become(item->mailbox, VISIT_NONE, now)) {
		item->is_gone = item->is_dismissed = false;
		return item;
	}
	if (account->count == ACCOUNT_MAILBOXES_MAX)
		return NULL;
	account->items = xreallocarray(
	    account->items, account->count + 1, sizeof(*account->items));
	item = &account->items[account->count];
	if (!take_visitor(account, name, item, now)) {
		*item = (struct watched){.name = xstrdup(name)};
		item->mailbox = mailbox_new(&account->config.mailbox,
		    &(struct mailbox_which){
			.name = item->name, .number = (unsigned)account->count},
		    account->rules, account->limits, now);
	}
	mailbox_set_clock(item->mailbox, account->clock_unix,
	    account->utc_offset, account->clock_now);
	account->count++;
	return item;
}

int64_t
account_unix(const struct account *account, usec_t now)
{
	return account->clock_unix +
	       (int64_t)(usec_since(account->clock_now, now) / USEC_SEC);
}

struct account *
account_new(const struct account_config *config, const struct rules *rules,
    struct limits *limits, usec_t now)
{
	struct account *account = NEW(struct account);

	account->config = *config;
	strv_copy(&account->watch, config->watch);
	account->config.watch = &account->watch;
	if (config->mailbox.watch != NULL)
		account->config.mailbox.watch = &account->watch;
	account->rules = rules;
	account->limits = limits;
	account->clock_now = now;
	account_add_names(account, now);
	return account;
}

const struct account_config *
account_get_config(const struct account *account)
{
	return &account->config;
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
	while ((*account)->visitor_count > 0)
		account_let_go(*account, (*account)->visitors[0].mailbox);
	free((*account)->items);
	strv_done(&(*account)->facts);
	strv_done(&(*account)->watch);
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
	for (size_t i = 0; i < account->visitor_count; i++)
		mailbox_set_clock(
		    account->visitors[i].mailbox, now_unix, utc_offset, now);
}

void
account_set_rules(struct account *account, const struct rules *rules)
{
	account->rules = rules;
	for (size_t i = 0; i < account->count; i++)
		mailbox_set_rules(account->items[i].mailbox, rules);
	for (size_t i = 0; i < account->visitor_count; i++)
		mailbox_set_rules(account->visitors[i].mailbox, rules);
}

void
account_set_watch(struct account *account, const struct strv *watch, usec_t now)
{
	if (strv_equal(&account->watch, watch))
		return;
	strv_done(&account->watch);
	strv_copy(&account->watch, watch);
	account_drop_unwanted(account, now);
	account_add_names(account, now);
	if (account_folders(account) != NULL)
		account_find_twins(account, account_folders(account), now);
	account->next_list = account->known_at = 0;
	if (account->proven)
		account_start_all(account, false, now);
}

void
account_start(struct account *account, usec_t now)
{
	free(account->lockout);
	account->lockout = NULL;
	account->hold = account->refused_until = 0;
	account_start_all(account, true, now);
}

/* What they came for goes on when the account is started again. */
static void
stop_visitors(struct account *account, usec_t now)
{
	for (size_t i = 0; i < account->visitor_count; i++)
		mailbox_stop(account->visitors[i].mailbox, now);
}

void
account_stop(struct account *account, usec_t now)
{
	account->proven = false;
	stop_visitors(account, now);
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
	for (size_t i = 0; i < account->visitor_count; i++)
		mailbox_hint(account->visitors[i].mailbox, now);
}

size_t
account_count(const struct account *account)
{
	return account->count;
}

bool
account_is_gone(const struct account *account, size_t index)
{
	return account->items[index].is_gone;
}

bool
account_is_twin(const struct account *account, size_t index)
{
	return account->items[index].is_twin;
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
	return account->visitor_count == 0;
}

const char *
account_lockout(const struct account *account)
{
	return account->lockout;
}

/* ---- visitors ---- */

size_t
account_visitor_count(const struct account *account)
{
	return account->visitor_count;
}

struct mailbox *
account_visitor(const struct account *account, size_t index)
{
	return account->visitors[index].mailbox;
}

static void
let_watched_go(struct account *account, const struct mailbox *mailbox)
{
	for (size_t i = 0; i < account->count; i++) {
		struct watched *old = &account->items[i];
		if (old->mailbox != mailbox)
			continue;
		mailbox_free(&old->mailbox);
		free(old->name);
		forget_item(account, old);
		return;
	}
}

void
account_let_go(struct account *account, struct mailbox *visitor)
{
	let_watched_go(account, visitor);
	for (size_t i = 0; i < account->visitor_count; i++) {
		struct visitor *old = &account->visitors[i];
		if (old->mailbox != visitor)
			continue;
		mailbox_free(&old->mailbox);
		free(old->name);
		forget_visitor(account, old);
		return;
	}
}

static bool
has_room(const struct account *account, usec_t now, struct error *error_r)
{
	if (account->lockout != NULL)
		return error_set(error_r, FAULT_RETRY,
		    "the account is locked out: %s", account->lockout);
	if (!account->proven)
		return error_set(
		    error_r, FAULT_RETRY, "the account is not connected yet");
	if (now < account->refused_until)
		return error_set(
		    error_r, FAULT_RETRY, "the server refused the last login");
	if (account->visitor_count == ACCOUNT_VISITORS_MAX)
		return error_set(error_r, FAULT_RETRY,
		    "%d other requests are under way", ACCOUNT_VISITORS_MAX);
	return true;
}

static struct mailbox *
visit(struct account *account, const char *name, enum mailbox_visit purpose,
    usec_t now, struct error *error_r)
{
	const struct mailbox_config *config = &account->config.mailbox;

	if (!has_room(account, now, error_r))
		return NULL;
	if (config->dry_run)
		purpose = VISIT_LOOK;
	bool is_shared = !account_has_connection_left(account);
	account->visitors = xreallocarray(account->visitors,
	    account->visitor_count + 1, sizeof(*account->visitors));
	struct visitor *visitor = &account->visitors[account->visitor_count++];
	visitor->is_shared = is_shared;
	visitor->acts = purpose == VISIT_ACT;
	if (!visitor->acts || !take_leaving(account, name, visitor, now)) {
		visitor->name = xstrdup(name);
		visitor->mailbox = mailbox_new(config,
		    &(struct mailbox_which){
			.name = visitor->name,
			.number =
			    (unsigned)(account->count + account->visitor_count),
			.visit = purpose,
		    },
		    account->rules, account->limits, now);
	}
	mailbox_set_clock(visitor->mailbox, account->clock_unix,
	    account->utc_offset, account->clock_now);
	return visitor->mailbox;
}

/* With a connection of its own, or when the shared one comes. */
static void
begin_visit(struct account *account, struct mailbox *mailbox, usec_t now)
{
	const struct visitor *visitor =
	    &account->visitors[account->visitor_count - 1];

	mailbox_set_shared(mailbox, visitor->is_shared);
	if (visitor->is_shared)
		mailbox_park(mailbox, now);
	else
		mailbox_start(mailbox, now);
}

static struct mailbox *
find_watched(const struct account *account, const char *name)
{
	const struct watched *item = account_find(account, name);

	return item != NULL && !item->is_twin ? item->mailbox : NULL;
}

bool
account_ask_forward(struct account *account, const char *mailbox,
    const struct mailbox_forward *forward, bool *is_known_r, usec_t now)
{
	struct mailbox *watched = find_watched(account, mailbox);

	if (watched == NULL) {
		*is_known_r = account->proven;
		return false;
	}
	mailbox_ask_forward(watched, forward, now);
	return true;
}

void
account_forward_settled(struct account *account, const char *mailbox,
    uint32_t uidvalidity, uint32_t uid, unsigned seq, enum forward_end end,
    usec_t now)
{
	struct mailbox *watched = find_watched(account, mailbox);

	if (watched != NULL)
		mailbox_forward_settled(
		    watched, uidvalidity, uid, seq, end, now);
}

/* Also one that is over, while the store has not heard of it. */
static bool
has_run(
    const struct mailbox *mailbox, const struct store_apply *apply, usec_t now)
{
	struct mailbox_apply_status status;

	return mailbox_get_apply(mailbox, &status, now) && !status.is_dry &&
	       status.apply->run == apply->run;
}

static struct mailbox *
find_with_run(
    const struct account *account, const struct store_apply *apply, usec_t now)
{
	for (size_t i = 0; i < account->visitor_count; i++) {
		const struct visitor *visitor = &account->visitors[i];
		if (strcmp(visitor->name, apply->mailbox) == 0 &&
		    has_run(visitor->mailbox, apply, now))
			return visitor->mailbox;
	}
	return NULL;
}

struct mailbox *
account_apply(struct account *account, const struct store_apply *apply,
    bool is_dry, usec_t now, struct error *error_r)
{
	struct mailbox *mailbox = find_watched(account, apply->mailbox);

	if (mailbox != NULL) {
		if ((!is_dry && has_run(mailbox, apply, now)) ||
		    mailbox_apply(mailbox, apply, is_dry, now))
			return mailbox;
		error_set(error_r, FAULT_RETRY,
		    "another run is under way in this mailbox");
		return NULL;
	}
	mailbox = is_dry ? NULL : find_with_run(account, apply, now);
	if (mailbox != NULL)
		return mailbox;
	mailbox = visit(account, apply->mailbox,
	    is_dry ? VISIT_LOOK : VISIT_ACT, now, error_r);
	if (mailbox == NULL)
		return NULL;
	mailbox_apply(mailbox, apply, is_dry, now);
	begin_visit(account, mailbox, now);
	return mailbox;
}

bool
account_do(struct account *account, const struct store_effect *effect,
    const struct store_message *message, usec_t now)
{
	struct mailbox *mailbox = find_watched(account, effect->key.mailbox);

	if (mailbox != NULL)
		mailbox_do(mailbox, effect, message, now);
	return mailbox != NULL;
}

struct mailbox *
account_explain(struct account *account, const char *name, uint32_t uid,
    usec_t now, struct error *error_r)
{
	struct mailbox *mailbox = find_watched(account, name);

	if (mailbox != NULL) {
		if (mailbox_explain(mailbox, uid, now))
			return mailbox;
		error_set(error_r, FAULT_RETRY,
		    "%d other questions wait for their answer",
		    MAILBOX_QUESTIONS_MAX);
		return NULL;
	}
	mailbox = visit(account, name, VISIT_LOOK, now, error_r);
	if (mailbox == NULL)
		return NULL;
	mailbox_explain(mailbox, uid, now);
	begin_visit(account, mailbox, now);
	return mailbox;
}

static bool
find_each(struct mailbox *mailbox, const struct mailbox_wanted *wanted,
    size_t count, usec_t now)
{
	for (size_t i = 0; i < count; i++)
		if (!mailbox_find(mailbox, &wanted[i], now))
			return false;
	return true;
}

struct mailbox *
account_seek(struct account *account, const char *name,
    const struct mailbox_wanted *wanted, size_t count, usec_t now,
    struct error *error_r)
{
	struct mailbox *mailbox = find_watched(account, name);

	if (mailbox != NULL) {
		if (find_each(mailbox, wanted, count, now))
			return mailbox;
		error_set(error_r, FAULT_RETRY,
		    "%d other messages are looked for", MAILBOX_FINDS_MAX);
		return NULL;
	}
	mailbox = visit(account, name, VISIT_LOOK, now, error_r);
	if (mailbox == NULL)
		return NULL;
	find_each(mailbox, wanted, count, now);
	begin_visit(account, mailbox, now);
	return mailbox;
}

const struct folders *
account_folders(const struct account *account)
{
	for (size_t i = 0; i < account->count; i++) {
		const struct folders *folders =
		    mailbox_folders(account->items[i].mailbox);
		if (folders->known)
			return folders;
	}
	return NULL;
}

struct mailbox *
account_find_wire(const struct account *account, const char *wire)
{
	for (size_t i = 0; i < account->count; i++) {
		const char *own = mailbox_wire_name(account->items[i].mailbox);
		if (own != NULL && strcmp(own, wire) == 0 &&
		    !account->items[i].is_dismissed &&
		    !account->items[i].is_twin)
			return account->items[i].mailbox;
	}
	return NULL;
}

bool
account_find_mailbox(const struct account *account, const char *name,
    struct buf *name_r, struct error *error_r)
{
	const struct folders *folders = account_folders(account);
	BUF_AUTO wire = BUF_INIT;

	if (find_watched(account, name) != NULL) {
		buf_add_str(name_r, name);
		return true;
	}
	if (folders == NULL)
		return error_set(
		    error_r, FAULT_RETRY, "the account is not connected yet");
	if (!folders_wire_name(folders, name, &wire, error_r))
		return false;
	const struct mailbox *watched =
	    account_find_wire(account, buf_str(&wire));
	if (watched != NULL) {
		buf_add_str(name_r, mailbox_name(watched));
		return true;
	}
	if (folders_find(folders, buf_span(&wire)) == NULL)
		return error_set(error_r, FAULT_CONFIG,
		    "there is no mailbox %s in this account", name);
	folders_display_name(folders, buf_span(&wire), name_r);
	return true;
}

/* ---- what the mailboxes say ---- */

static void
on_proven(struct account *account, struct account_event *event, usec_t now)
{
	(void)event;
	free(account->lockout);
	account->lockout = NULL;
	account->refused_until = 0;
	account->proven = true;
	account_start_all(account, false, now);
}

static void
on_locked_out(struct account *account, struct account_event *event, usec_t now)
{
	free(account->lockout);
	account->lockout = xstrdup(event->event.error.text);
	account->proven = false;
	stop_visitors(account, now);
	for (size_t i = 0; i < account->count; i++) {
		struct watched *item = &account->items[i];
		if (item->mailbox == event->mailbox)
			continue;
		mailbox_stop(item->mailbox, now);
		item->started = false;
	}
}

static bool is_of_visitor(
    const struct account *account, const struct account_event *event);

/* One login that failed holds back those of the other mailboxes. What is
 * refused to a visitor is not said of those who are let in. */
static void
hold_logins(struct account *account, struct account_event *event, usec_t now)
{
	usec_t until = usec_add(now, event->event.wait);

	if (event->event.error.fault == FAULT_AUTH &&
	    is_of_visitor(account, event))
		account->refused_until = usec_add(now, MAILBOX_LOOK_USEC);

	if (until > account->hold)
		account->hold = until;
	for (size_t i = 0; i < account->count; i++)
		mailbox_hold(account->items[i].mailbox, account->hold, now);
	for (size_t i = 0; i < account->visitor_count; i++)
		mailbox_hold(account->visitors[i].mailbox, account->hold, now);
}

static void (*const on_event[])(
    struct account *, struct account_event *, usec_t) = {
    [MAILBOX_FOLDERS] = account_on_folders,
    [MAILBOX_PROVEN] = on_proven,
    [MAILBOX_LOCKED_OUT] = on_locked_out,
    [MAILBOX_LOGIN_FAILED] = hold_logins,
    [MAILBOX_TOLD] = account_on_told,
    [MAILBOX_LOST] = account_on_lost,
    [MAILBOX_OVER_LIMIT] = account_on_over_limit,
    [MAILBOX_LEFT] = NULL,
};

static bool
is_of_visitor(const struct account *account, const struct account_event *event)
{
	for (size_t i = 0; i < account->visitor_count; i++)
		if (account->visitors[i].mailbox == event->mailbox)
			return true;
	return false;
}

static void
look_at(struct account *account, struct account_event *event, usec_t now)
{
	if (is_of_visitor(account, event) &&
	    (event->event.kind == MAILBOX_FOLDERS ||
		event->event.kind == MAILBOX_PROVEN ||
		event->event.kind == MAILBOX_LOCKED_OUT))
		return; /* that is for those who watch */
	if (on_event[event->event.kind] != NULL)
		on_event[event->event.kind](account, event, now);
}

static bool
is_internal(enum mailbox_event_kind kind)
{
	return kind == MAILBOX_TOLD || kind == MAILBOX_LOST ||
	       kind == MAILBOX_OVER_LIMIT;
}

/* A refused login is made once more by one of them, for all. */
static bool
is_in_doubt(const struct account *account)
{
	for (size_t i = 0; i < account->count; i++)
		if (mailbox_tries_login_again(account->items[i].mailbox))
			return true;
	return false;
}

/* True: the event was answered here. */
static bool
holds_back(const struct account *account, const struct account_event *event,
    usec_t now)
{
	enum mailbox_event_kind kind = event->event.kind;
	usec_t until = account->hold;

	if (kind != MAILBOX_CONNECT && kind != MAILBOX_SECRET)
		return false;
	if (until <= now && !mailbox_tries_login_again(event->mailbox) &&
	    is_in_doubt(account))
		until = usec_add(now, MAILBOX_LOGIN_USEC);
	if (until <= now)
		return false;
	mailbox_hold(event->mailbox, until, now);
	return true;
}

static bool
next_event_of(const struct account *account, struct mailbox *mailbox,
    struct account_event *event_r, usec_t now)
{
	struct account_event event = {.mailbox = mailbox};

	while (mailbox_next_event(mailbox, &event.event, now)) {
		if (holds_back(account, &event, now))
			continue;
		*event_r = event;
		return true;
	}
	return false;
}

static bool
next_visitor_event(
    struct account *account, struct account_event *event_r, usec_t now)
{
	for (size_t i = 0; i < account->visitor_count; i++) {
		struct mailbox *mailbox = account->visitors[i].mailbox;
		if (mailbox_has_event(mailbox) &&
		    next_event_of(account, mailbox, event_r, now))
			return true;
	}
	return false;
}

/* Each in its turn. Asked after every step, for every mailbox: nothing large is
 * touched before there is an event. */
static bool
next_watched_event(
    struct account *account, struct account_event *event_r, usec_t now)
{
	for (size_t tries = 0; tries < account->count; tries++) {
		if (account->next >= account->count)
			account->next = 0;
		struct mailbox *mailbox = account->items[account->next].mailbox;
		if (mailbox_has_event(mailbox) &&
		    next_event_of(account, mailbox, event_r, now))
			return true;
		account->next++;
	}
	return false;
}

static bool
has_event(const struct account *account)
{
	for (size_t i = 0; i < account->visitor_count; i++)
		if (mailbox_has_event(account->visitors[i].mailbox))
			return true;
	for (size_t i = 0; i < account->count; i++)
		if (mailbox_has_event(account->items[i].mailbox))
			return true;
	return false;
}

static bool
next_event(struct account *account, struct account_event *event_r, usec_t now)
{
	if (!has_event(account))
		return false;
	struct account_event event;
	while (next_visitor_event(account, &event, now) ||
	       next_watched_event(account, &event, now)) {
		look_at(account, &event, now);
		if (!is_internal(event.event.kind)) {
			*event_r = event;
			return true;
		}
		mailbox_event_done(&event.event);
	}
	return false;
}

/* When all is said it is seen who goes where. */
bool
account_next_event(
    struct account *account, struct account_event *event_r, usec_t now)
{
	do {
		if (next_event(account, event_r, now) ||
		    account_move_connection(account, event_r, now))
			return true;
		account_arrange(account, now);
		if (next_event(account, event_r, now))
			return true;
	} while (account_is_moving(account));
	return false;
}
