/* The IMAP server of a checkup: greeting and login. */
#include <stdlib.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/fetch.h"
#include "daemon/wiring/checkup_imap.h"
#include "daemon/wiring/login.h"

/* ---- events ---- */

/*
 *   quota-response = "QUOTA" SP root SP "(" [resource *(SP resource)] ")"
 *   resource       = name SP usage SP limit            (RFC 9208 section 4)
 */
static void
read_quota(struct checkup_walk *walk, const struct imap_response *response)
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
on_untagged(struct checkup_walk *walk, const struct imap_response *response)
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
on_done(struct checkup_walk *walk, const struct imap_response *response)
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
on_alert(struct checkup_walk *walk, struct span text)
{
	buf_clear(&walk->alerts);
	str_sanitize(&walk->alerts, text, CHECKUP_TEXT_MAX);
}

static void
on_event(struct checkup_walk *walk, const struct imap_event *event)
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
		walk->error = *event->error;
		walk->refusal = event->refusal.kind;
		break;
	}
}

static void
pump(void *ctx)
{
	struct checkup_walk *walk = ctx;
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
set_error_if_late(struct checkup_walk *walk, const char *text)
{
	if (!walk->failed)
		error_set(&walk->error, FAULT_RETRY, "%s", text);
}

static void
start(struct checkup_walk *walk, bool by_other_name)
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
tell_greeting(struct checkup_walk *walk)
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
with_alert(const struct checkup_walk *walk, const char *text)
{
	const char *alert = buf_str(&walk->alerts);

	if (*alert == '\0' || strstr(text, alert) != NULL)
		return xstrdup(text);
	return xasprintf("%s (%s)", text, alert);
}

static void
blame_login(struct checkup_walk *walk)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_IMAP, DOCTOR_LOGIN);
	const struct error *error =
	    walk->link.failed ? &walk->link.error : &walk->error;
	STR_AUTO text = with_alert(walk, error->text);
	STR_AUTO tried = checkup_user(walk->user);

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
give_secret(struct checkup_walk *walk)
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
come_to_login(struct checkup_walk *walk)
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
deserves_other_name(const struct checkup_walk *walk)
{
	return walk->failed && walk->error.fault == FAULT_AUTH &&
	       walk->checkup->account->other_user != NULL &&
	       config_by_password(walk->checkup->account);
}

/* The other form of the name, on another connection, without a word of the
 * steps that went well before. */
static bool
try_other_name(struct checkup_walk *walk)
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

/* What to write is in the finding's line, as setup does it by itself. */
static void
tell_other_name(struct checkup_walk *walk, const char *tried)
{
	const struct config_account *account = walk->checkup->account;
	const char *smtp_user = config_other_smtp_user(account);
	STR_AUTO smtp = smtp_user == NULL
			    ? xstrdup("")
			    : xasprintf(" and `smtp_user = %s`", smtp_user);
	struct doctor_finding *finding = doctor_add(walk->checkup->report,
	    DOCTOR_IMAP, DOCTOR_LOGIN, DOCTOR_GOOD, tried,
	    "let in; not as %s: with `user = %s`%s in the account the first "
	    "login succeeds",
	    account->user, walk->user, smtp);

	finding->line = xasprintf("user = %s", walk->user);
	checkup_tell(walk->checkup);
}

static void
tell_login(struct checkup_walk *walk)
{
	STR_AUTO tried = checkup_user(walk->user);
	BUF_AUTO offer = BUF_INIT;

	if (strcmp(walk->user, walk->checkup->account->user) != 0)
		tell_other_name(walk, tried);
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
log_in(struct checkup_walk *walk)
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
		struct checkup_walk first = *walk;
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

/* ---- the whole ---- */

static void
skip_the_rest(struct checkup_walk *walk)
{
	checkup_skip(walk->checkup, DOCTOR_IMAP, DOCTOR_MAILBOXES,
	    "mailboxes, push and folders cannot be looked at before");
}

void
checkup_imap(struct checkup *checkup)
{
	struct checkup_walk walk = {.checkup = checkup};
	bool is_in = false;

	folders_init(&walk.folders);
	if (checkup_link_open(
		&walk.link, checkup, DOCTOR_IMAP, &checkup->account->imap)) {
		start(&walk, false);
		is_in = come_to_login(&walk) && log_in(&walk);
	}
	if (is_in)
		checkup_imap_look_around(&walk);
	else
		skip_the_rest(&walk);
	checkup_link_close(&walk.link);
	imap_session_free(&walk.session);
	folders_done(&walk.folders);
	buf_done(&walk.alerts);
	buf_done(&walk.answer);
}
