/*
 * The IMAP server of a checkup: greeting, login, mailboxes, push, folders.
 * Nothing is changed there: LIST, EXAMINE, FETCH of one date, IDLE.
 */
#include <stdlib.h>

#include "daemon/account/folders.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/fetch.h"
#include "daemon/wiring/checkup_private.h"
#include "daemon/wiring/login.h"

/* Mailboxes that are opened; more are only looked up in the list. */
#define EXAMINE_MAX 20
#define NAMES_SHOWN_MAX 3
/* Per cent of the quota. */
#define SPACE_FULL 100
#define SPACE_NEARLY_FULL 95

struct walk {
	struct checkup *checkup;
	struct checkup_link link;
	struct imap_session *session;
	const char *user;
	bool wants_secret, ready, closed, failed;
	struct error error; /* failed */
	enum imap_refusal_kind refusal;
	struct buf alerts; /* what the server wants to be shown */
	/* The command under way. */
	bool answered, idling;
	enum imap_status status;
	struct buf answer;
	enum imap_refusal_kind answer_kind;
	struct folders folders;
	uint64_t exists;
	int64_t newest_unix;
	uint64_t quota_used, quota_limit; /* KiB; limit 0: none told */
	size_t watched;
};

/* ---- events ---- */

/*
 *   quota-response = "QUOTA" SP root SP "(" [resource *(SP resource)] ")"
 *   resource       = name SP usage SP limit            (RFC 9208 section 4)
 */
static void
read_quota(struct walk *walk, const struct imap_response *response)
{
	const struct imap_value *list;

	if (!span_is_nocase(response->name, "QUOTA") || response->count < 2)
		return;
	list = &response->values[1];
	for (size_t i = 0; list->kind == IMAP_LIST && i + 2 < list->count;
	     i += 3) {
		if (!imap_value_is(&list->items[i], "STORAGE"))
			continue;
		walk->quota_used = imap_value_number(&list->items[i + 1]);
		walk->quota_limit = imap_value_number(&list->items[i + 2]);
	}
}

static void
on_untagged(struct walk *walk, const struct imap_response *response)
{
	struct imap_fetch fetch;

	folders_read(&walk->folders, response);
	read_quota(walk, response);
	if (response->has_number && span_is_nocase(response->name, "EXISTS"))
		walk->exists = response->number;
	else if (imap_fetch_parse(response, &fetch) && fetch.has_internaldate)
		walk->newest_unix = fetch.internaldate_unix;
}

static void
on_done(struct walk *walk, const struct imap_response *response)
{
	walk->answered = true;
	walk->status = response->status;
	walk->answer_kind = imap_refusal_read(response, false).kind;
	buf_clear(&walk->answer);
	str_sanitize(&walk->answer, response->text, CHECKUP_TEXT_MAX);
}

/* The server wants it to be shown; what it says to the login, too, is said
 * there. */
static void
on_alert(struct walk *walk, struct span text)
{
	buf_clear(&walk->alerts);
	str_sanitize(&walk->alerts, text, CHECKUP_TEXT_MAX);
}

static void
on_event(struct walk *walk, const struct imap_event *event)
{
	switch (event->kind) {
	case IMAP_EVENT_STARTTLS:
		checkup_link_start_tls(&walk->link);
		break;
	case IMAP_EVENT_SECRET:
		walk->wants_secret = true;
		break;
	case IMAP_EVENT_READY:
		walk->ready = true;
		break;
	case IMAP_EVENT_UNTAGGED:
		on_untagged(walk, &event->response);
		break;
	case IMAP_EVENT_DONE:
		on_done(walk, &event->response);
		break;
	case IMAP_EVENT_IDLING:
		walk->idling = true;
		break;
	case IMAP_EVENT_ALERT:
		on_alert(walk, event->text);
		break;
	case IMAP_EVENT_CLOSED:
		walk->closed = walk->link.over = true;
		break;
	case IMAP_EVENT_FAILED:
		walk->failed = walk->link.over = true;
		walk->error = event->error;
		walk->refusal = event->refusal.kind;
		break;
	}
}

static void
pump(void *ctx)
{
	struct walk *walk = ctx;
	struct imap_event event;

	/* The session's TLS is the transport's when it began so. */
	if (walk->link.is_secure && walk->link.server->tls != SERVER_TLS &&
	    !walk->link.told_secure) {
		walk->link.told_secure = true;
		imap_session_tls_started(walk->session, loop_now());
	}
	while (imap_session_next_event(walk->session, &event, loop_now()))
		on_event(walk, &event);
}

/* ---- from the greeting to the login ---- */

static void
set_error_if_late(struct walk *walk, const char *text)
{
	if (!walk->failed)
		error_set(&walk->error, FAULT_RETRY, "%s", text);
}

static void
start(struct walk *walk, bool by_other_name)
{
	struct imap_session_config config = login_imap(walk->checkup->account);

	if (by_other_name) {
		config.user = walk->checkup->account->other_user;
		config.prefer_login = true;
	}
	walk->user = config.user;
	walk->wants_secret = walk->ready = walk->failed = false;
	walk->refusal = IMAP_REFUSAL_NONE;
	walk->session = imap_session_new(&config, loop_now());
	checkup_link_start(
	    &walk->link, &imap_session_class, walk->session, pump, walk);
}

static void
tell_greeting(struct walk *walk)
{
	STR_AUTO greeting = checkup_link_greeting(&walk->link);
	BUF_AUTO offer = BUF_INIT;

	checkup_look_for_time(walk->checkup, buf_span(&walk->link.heard),
	    walk->link.server->host);
	checkup_good(
	    walk->checkup, DOCTOR_IMAP, DOCTOR_GREETING, NULL, "%s", greeting);
	imap_capability_format(
	    &offer, imap_session_capabilities(walk->session));
	checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_CAPABILITIES,
	    "before the login", "%s", buf_str(&offer));
}

/* The server's own words: what stands behind ours. */
static const char *
said_by(const char *text)
{
	static const char *const ours[] = {
	    "the server refused the login: ", "the server refused the token",
	    "the server ended the connection (BYE): ",
	    "the login was accepted but the mailbox could not be opened"};

	for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		const char *colon = strstr(text, ": ");
		if (span_starts(span_from_str(text), ours[i]) && colon != NULL)
			return colon + 2;
	}
	return text;
}

static char *
with_alert(const struct walk *walk, const char *text)
{
	const char *alert = buf_str(&walk->alerts);

	if (*alert == '\0' || strstr(text, alert) != NULL)
		return xstrdup(text);
	return xasprintf("%s (%s)", text, alert);
}

static void
blame_login(struct walk *walk)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_LOGIN);
	const struct error *error =
	    walk->link.failed ? &walk->link.error : &walk->error;
	STR_AUTO text = with_alert(walk, error->text);
	STR_AUTO tried = xasprintf("user %s", walk->user);

	facts.fault = error->fault;
	facts.text = text;
	facts.said = said_by(text);
	facts.user = walk->user;
	facts.refusal = walk->refusal;
	facts.login_disabled = checkup_link_heard(&walk->link, "LOGINDISABLED");
	facts.wants_oauth = checkup_link_heard(&walk->link, "AUTH=XOAUTH2") ||
			    checkup_link_heard(&walk->link, "AUTH=OAUTHBEARER");
	walk->checkup->is_refused = error->fault == FAULT_AUTH;
	checkup_bad(walk->checkup, &facts, tried, facts.said);
}

static void
give_secret(struct walk *walk)
{
	struct login_once once;

	login_once_init(&once, channel_tls(walk->link.channel));
	imap_session_once(walk->session, &once.once);
	imap_session_secret(
	    walk->session, secret_span(&walk->checkup->secret), loop_now());
	login_once_done(&once);
	checkup_link_kick(&walk->link);
}

/* To the question for a secret, or to READY without one. False: told. */
static bool
come_to_login(struct walk *walk)
{
	checkup_link_wait(&walk->link, &walk->wants_secret, &walk->ready);
	if (walk->wants_secret || walk->ready)
		return true;
	set_error_if_late(walk, "the server says nothing");
	if (walk->failed && walk->error.fault == FAULT_AUTH) {
		tell_greeting(walk); /* it offers no way to log in */
		blame_login(walk);
	} else {
		checkup_link_blame(&walk->link, &walk->error, walk->refusal);
	}
	return false;
}

static bool
deserves_other_name(const struct walk *walk)
{
	return walk->failed && walk->error.fault == FAULT_AUTH &&
	       walk->checkup->account->other_user != NULL &&
	       walk->checkup->account->auth == CONFIG_AUTH_PASSWORD;
}

/* The other form of the name, on another connection, without a word of the
 * steps that went well before. */
static bool
try_other_name(struct walk *walk)
{
	walk->link.is_quiet = true;
	if (!checkup_link_reopen(&walk->link))
		return false;
	imap_session_free(&walk->session);
	start(walk, true);
	if (!checkup_link_wait(
		&walk->link, &walk->wants_secret, &walk->wants_secret))
		return false;
	give_secret(walk);
	return checkup_link_wait(&walk->link, &walk->ready, &walk->ready);
}

static void
tell_login(struct walk *walk)
{
	STR_AUTO tried = xasprintf("user %s", walk->user);
	BUF_AUTO offer = BUF_INIT;

	if (strcmp(walk->user, walk->checkup->account->user) != 0)
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_LOGIN, tried,
		    "let in; not as %s: with `user = %s` in the account the "
		    "first login succeeds",
		    walk->checkup->account->user, walk->user);
	else
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_LOGIN, tried,
		    "let in%s%s", walk->alerts.len > 0 ? "; it says: " : "",
		    buf_str(&walk->alerts));
	imap_capability_format(
	    &offer, imap_session_capabilities(walk->session));
	checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_CAPABILITIES,
	    "after the login", "%s", buf_str(&offer));
}

static bool
log_in(struct walk *walk)
{
	tell_greeting(walk);
	if (!walk->ready && !walk->checkup->has_secret) {
		checkup_skip(walk->checkup, DOCTOR_IMAP, DOCTOR_LOGIN,
		    "not tried, as there is no password");
		return false;
	}
	if (!walk->ready)
		give_secret(walk);
	if (!checkup_link_wait(&walk->link, &walk->ready, &walk->ready)) {
		set_error_if_late(walk, "no answer to the login in time");
		struct walk first = *walk;
		if (!deserves_other_name(walk) || !try_other_name(walk)) {
			walk->user = first.user;
			walk->error = first.error;
			walk->refusal = first.refusal;
			blame_login(walk);
			return false;
		}
	}
	tell_login(walk);
	return true;
}

/* ---- commands ---- */

static bool
send_command(struct walk *walk, struct imap_command *command)
{
	walk->answered = false;
	walk->status = IMAP_STATUS_NONE;
	if (imap_session_send(walk->session, command, loop_now()) == 0)
		return false;
	checkup_link_kick(&walk->link);
	if (checkup_link_wait(&walk->link, &walk->answered, &walk->answered))
		return walk->status == IMAP_OK;
	buf_clear(&walk->answer);
	buf_add_str(&walk->answer,
	    walk->failed ? walk->error.text : "no answer in time");
	return false;
}

static bool
send_plain(struct walk *walk, const char *name)
{
	struct imap_command command;

	imap_session_command(walk->session, &command, name);
	return send_command(walk, &command);
}

static void
list_folders(struct walk *walk)
{
	uint64_t caps = imap_session_capabilities(walk->session);
	bool special = (caps & IMAP_CAP_SPECIAL_USE) != 0;
	struct imap_command command;

	if (caps & IMAP_CAP_NAMESPACE)
		send_plain(walk, "NAMESPACE");
	imap_session_command(walk->session, &command,
	    !special && (caps & IMAP_CAP_XLIST) ? "XLIST" : "LIST");
	imap_command_string(&command, SPAN(""));
	imap_command_string(&command, SPAN("*"));
	if (special && (caps & IMAP_CAP_LIST_EXTENDED))
		imap_command_raw(&command, "RETURN (SPECIAL-USE)");
	walk->folders.known = send_command(walk, &command);
}

static bool
examine(struct walk *walk, struct span wire)
{
	struct imap_command command;

	walk->exists = 0;
	imap_session_command(walk->session, &command, "EXAMINE");
	imap_command_mailbox(&command, wire);
	return send_command(walk, &command);
}

/* ---- watched mailboxes ---- */

static const char *
nearest_folder(const struct walk *walk, const char *name)
{
	const char **names =
	    xreallocarray(NULL, walk->folders.count + 1, sizeof(*names));
	const char *nearest;

	for (size_t i = 0; i < walk->folders.count; i++)
		names[i] = walk->folders.items[i].display;
	names[walk->folders.count] = NULL;
	nearest = str_nearest(span_from_str(name), names);
	free(names);
	return nearest;
}

static void
blame_mailbox(struct walk *walk, const char *name, const char *text,
    enum imap_refusal_kind refusal, bool is_known)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_MAILBOXES);

	facts.mailbox = name;
	facts.text = text;
	facts.refusal = refusal;
	if (!is_known)
		facts.nearest = nearest_folder(walk, name);
	checkup_bad(walk->checkup, &facts, name, text);
}

static void
look_at_mailbox(struct walk *walk, const char *name)
{
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT;
	const struct folder *folder;

	if (!folders_wire_name(&walk->folders, name, &wire, &error)) {
		blame_mailbox(
		    walk, name, error.text, IMAP_REFUSAL_MISSING, true);
		return;
	}
	folder = folders_find(&walk->folders, buf_span(&wire));
	if (folder != NULL && !folder->selectable) {
		blame_mailbox(walk, name, "Noselect", IMAP_REFUSAL_NONE, true);
		return;
	}
	if (!examine(walk, buf_span(&wire))) {
		blame_mailbox(walk, name, buf_str(&walk->answer),
		    folder == NULL && walk->folders.known ? IMAP_REFUSAL_MISSING
							  : walk->answer_kind,
		    folder != NULL || !walk->folders.known);
		return;
	}
	walk->watched++;
	checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_MAILBOXES, name,
	    "opens; %llu message%s", (unsigned long long)walk->exists,
	    walk->exists == 1 ? "" : "s");
}

static void
look_at_pattern(struct walk *walk, const char *pattern)
{
	BUF_AUTO names = BUF_INIT;
	size_t count = 0;

	for (size_t i = 0; i < walk->folders.count; i++) {
		const struct folder *folder = &walk->folders.items[i];
		if (!folder->selectable ||
		    !folder_matches(pattern, folder->display))
			continue;
		if (count++ < NAMES_SHOWN_MAX)
			buf_addf(&names, "%s%s", count > 1 ? ", " : "",
			    folder->display);
	}
	walk->watched += count;
	if (count == 0)
		blame_mailbox(walk, pattern, "no mailbox fits the pattern",
		    IMAP_REFUSAL_NONE, true);
	else
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_MAILBOXES,
		    pattern, "%zu mailbox%s: %s%s", count,
		    count == 1 ? "" : "es", buf_str(&names),
		    count > NAMES_SHOWN_MAX ? ", …" : "");
}

static bool
is_pattern(const char *name)
{
	return strpbrk(name, "*%") != NULL;
}

static void
look_at_watched(struct walk *walk)
{
	const struct strv *watch = &walk->checkup->account->watch;
	size_t opened = 0;

	for (size_t i = 0; i < watch->len && !checkup_link_is_over(&walk->link);
	     i++) {
		if (is_pattern(watch->items[i]))
			look_at_pattern(walk, watch->items[i]);
		else if (opened++ < EXAMINE_MAX)
			look_at_mailbox(walk, watch->items[i]);
	}
}

/* ---- the newest message's date is no later than now ---- */

static void
look_at_clock(struct walk *walk)
{
	struct imap_command command;
	int64_t now = loop_now_unix();

	if (!examine(walk, SPAN("INBOX")) || walk->exists == 0)
		return;
	imap_session_command(walk->session, &command, "UID FETCH");
	imap_command_raw(&command, "*");
	imap_command_raw(&command, "INTERNALDATE");
	if (!send_command(walk, &command) || walk->newest_unix == 0 ||
	    walk->checkup->server_unix != 0)
		return;
	walk->checkup->server_unix = walk->newest_unix;
	walk->checkup->local_unix = now;
	walk->checkup->is_at_least = true;
	walk->checkup->clock_source = xstrdup("the newest message in INBOX");
}

/* ---- push ---- */

static void
blame_push(struct walk *walk, const char *text)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_PUSH);

	facts.text = facts.said = text;
	checkup_bad(walk->checkup, &facts, "IDLE", text);
}

static void
add_interval(struct buf *text, const struct walk *walk)
{
	usec_format(text, walk->checkup->account->poll);
}

static void
tell_push(struct walk *walk)
{
	uint64_t caps = imap_session_capabilities(walk->session);
	BUF_AUTO poll = BUF_INIT;

	add_interval(&poll, walk);
	if (walk->watched <= 1)
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_PUSH, "IDLE",
		    "the server tells of new mail at once");
	else if (caps & IMAP_CAP_NOTIFY)
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_PUSH,
		    "IDLE, NOTIFY",
		    "the server tells of new mail at once, of several "
		    "mailboxes on one connection");
	else
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_PUSH, "IDLE",
		    "the server tells of new mail at once, of one mailbox for "
		    "each connection (at most %u are used, others are asked "
		    "every %s)",
		    walk->checkup->account->connections, buf_str(&poll));
}

static void
try_push(struct walk *walk)
{
	if (!(imap_session_capabilities(walk->session) & IMAP_CAP_IDLE)) {
		BUF_AUTO text = BUF_INIT;
		buf_add_str(&text, "not offered; asked every ");
		add_interval(&text, walk);
		blame_push(walk, buf_str(&text));
		return;
	}
	walk->answered = walk->idling = false;
	buf_clear(&walk->answer);
	imap_session_idle(walk->session, loop_now());
	checkup_link_kick(&walk->link);
	checkup_link_wait(&walk->link, &walk->idling, &walk->answered);
	if (!walk->idling) {
		blame_push(walk, walk->answer.len > 0
				     ? buf_str(&walk->answer)
				     : "it was not accepted in time");
		return;
	}
	imap_session_idle_done(walk->session, loop_now());
	checkup_link_kick(&walk->link);
	checkup_link_wait(&walk->link, &walk->answered, &walk->answered);
	tell_push(walk);
}

/* ---- special folders ---- */

static void
look_at_folder(void *ctx, const char *rule, const char *folder)
{
	struct walk *walk = ctx;
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_FOLDERS);
	struct error error = ERROR_INIT;
	BUF_AUTO wire = BUF_INIT, name = BUF_INIT;
	STR_AUTO tried = xasprintf("%s, for rule %s", folder, rule);

	if (folders_wire_name(&walk->folders, folder, &wire, &error)) {
		folders_display_name(&walk->folders, buf_span(&wire), &name);
		checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_FOLDERS, tried,
		    "is %s", buf_str(&name));
		return;
	}
	facts.mailbox = folder;
	facts.rule = rule;
	facts.text = error.text;
	checkup_bad(walk->checkup, &facts, tried, error.text);
}

/* What there is, for who has no rule that needs one. */
static void
tell_folders(struct walk *walk)
{
	static const char *const uses[] = {
	    "\\Archive", "\\Junk", "\\Trash", "\\Sent"};
	BUF_AUTO text = BUF_INIT;

	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		BUF_AUTO wire = BUF_INIT;
		struct error error;
		if (!folders_wire_name(&walk->folders, uses[i], &wire, &error))
			continue;
		buf_addf(&text, "%s%s is ", text.len > 0 ? ", " : "", uses[i]);
		folders_display_name(&walk->folders, buf_span(&wire), &text);
	}
	checkup_good(walk->checkup, DOCTOR_IMAP, DOCTOR_FOLDERS, NULL, "%s",
	    text.len > 0 ? buf_str(&text) : "no special ones");
}

/* ---- space ---- */

static void
look_at_space(struct walk *walk)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_SPACE);
	struct imap_command command;
	uint64_t percent;

	if (!checkup_link_heard(&walk->link, " QUOTA"))
		return;
	imap_session_command(walk->session, &command, "GETQUOTAROOT");
	imap_command_mailbox(&command, SPAN("INBOX"));
	if (!send_command(walk, &command) || walk->quota_limit == 0)
		return;
	percent = walk->quota_used / (walk->quota_limit / 100 + 1);
	if (walk->quota_used >= walk->quota_limit)
		percent = SPACE_FULL;
	STR_AUTO text = xasprintf("%llu of %llu MB are used, %llu %%%s",
	    (unsigned long long)walk->quota_used / 1024,
	    (unsigned long long)walk->quota_limit / 1024,
	    (unsigned long long)percent, percent >= SPACE_FULL ? ": full" : "");
	facts.text = text;
	if (percent >= SPACE_NEARLY_FULL)
		checkup_bad(walk->checkup, &facts, NULL, text);
	else
		checkup_good(
		    walk->checkup, DOCTOR_IMAP, DOCTOR_SPACE, NULL, "%s", text);
}

/* ---- the whole ---- */

static void
look_around(struct walk *walk)
{
	const struct config *config = walk->checkup->config->config;
	size_t before = walk->checkup->report->count;

	list_folders(walk);
	look_at_watched(walk);
	look_at_clock(walk);
	try_push(walk);
	before = walk->checkup->report->count;
	if (config != NULL && !checkup_link_is_over(&walk->link))
		rules_each_special_folder(config->rules,
		    walk->checkup->account->name, look_at_folder, walk);
	if (walk->checkup->report->count == before &&
	    !checkup_link_is_over(&walk->link))
		tell_folders(walk);
	look_at_space(walk);
	imap_session_logout(walk->session, loop_now());
	checkup_link_kick(&walk->link);
	checkup_link_wait(&walk->link, &walk->closed, &walk->closed);
}

static void
skip_the_rest(struct walk *walk)
{
	checkup_skip(walk->checkup, DOCTOR_IMAP, DOCTOR_MAILBOXES,
	    "mailboxes, push and folders cannot be looked at before");
}

void
checkup_imap(struct checkup *checkup)
{
	struct walk walk = {.checkup = checkup};
	bool is_in = false;

	folders_init(&walk.folders);
	if (checkup_link_open(
		&walk.link, checkup, DOCTOR_IMAP, &checkup->account->imap)) {
		start(&walk, false);
		is_in = come_to_login(&walk) && log_in(&walk);
	}
	if (is_in)
		look_around(&walk);
	else
		skip_the_rest(&walk);
	checkup_link_close(&walk.link);
	imap_session_free(&walk.session);
	folders_done(&walk.folders);
	buf_done(&walk.alerts);
	buf_done(&walk.answer);
}
