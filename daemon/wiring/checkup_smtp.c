/* The submission server of a checkup: the login, and whether mail would be
 * taken; none is sent. */
#include <stdlib.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wiring/checkup_private.h"
#include "daemon/wiring/login.h"

struct walk {
	struct checkup *checkup;
	struct checkup_link link;
	struct smtp_session *session;
	bool wants_secret, ready, closed, failed;
	bool agreed_to_sender, tried; /* the trial, and its end */
	struct smtp_event trial;
	struct error error;
	unsigned code;
};

static void
on_event(struct walk *walk, const struct smtp_event *event)
{
	switch (event->kind) {
	case SMTP_EVENT_STARTTLS:
		checkup_link_start_tls(&walk->link);
		break;
	case SMTP_EVENT_SECRET:
		walk->wants_secret = true;
		break;
	case SMTP_EVENT_READY:
		walk->ready = true;
		break;
	case SMTP_EVENT_RECIPIENT:
		walk->agreed_to_sender = true;
		break;
	case SMTP_EVENT_RESULT:
		walk->tried = true;
		walk->trial = *event;
		break;
	case SMTP_EVENT_COMMIT:
		break; /* there is no message */
	case SMTP_EVENT_CLOSED:
		walk->closed = walk->link.over = true;
		break;
	case SMTP_EVENT_FAILED:
		walk->failed = walk->link.over = true;
		walk->error = event->error;
		walk->code = event->code;
		break;
	}
}

static void
pump(void *ctx)
{
	struct walk *walk = ctx;
	struct smtp_event event;

	if (walk->link.is_secure && walk->link.server->tls != SERVER_TLS &&
	    !walk->link.told_secure) {
		walk->link.told_secure = true;
		smtp_session_tls_started(walk->session, loop_now());
	}
	while (smtp_session_next_event(walk->session, &event))
		on_event(walk, &event);
}

/* ---- what it offers ---- */

/* The keywords of the last EHLO, but for the server's name. */
static char *
find_offer(const struct walk *walk)
{
	struct span rest = buf_span(
	    walk->link.offer.len > 0 ? &walk->link.offer : &walk->link.heard);
	struct span line;
	BUF_AUTO words = BUF_INIT;
	bool is_first = true;

	while (span_split(&rest, '\n', &line)) {
		line = span_trim(line);
		if (!span_starts(line, "250") || line.len < 5)
			continue;
		if (!is_first) {
			if (words.len > 0)
				buf_add_str(&words, ", ");
			buf_add_span(&words, span_skip(line, 4));
		}
		is_first = false;
	}
	return checkup_clean(buf_span(&words));
}

/* "35 MB", and "200 KB" where that would be rounded too much. */
static char *
size_words(uint64_t size)
{
	bool is_small = size < UINT64_C(10) * 1024 * 1024;

	return xasprintf("%llu %s",
	    (unsigned long long)size / (is_small ? 1024 : 1024 * 1024),
	    is_small ? "KB" : "MB");
}

static void
tell_greeting(struct walk *walk)
{
	STR_AUTO greeting = checkup_link_greeting(&walk->link);
	STR_AUTO offer = find_offer(walk);
	uint64_t size = smtp_session_size_limit(walk->session);
	STR_AUTO most = size_words(size);

	checkup_look_for_time(walk->checkup, buf_span(&walk->link.heard),
	    walk->link.server->host);
	checkup_good(
	    walk->checkup, DOCTOR_SMTP, DOCTOR_GREETING, NULL, "%s", greeting);
	if (size > 0)
		checkup_good(walk->checkup, DOCTOR_SMTP, DOCTOR_CAPABILITIES,
		    "EHLO", "%s; messages up to %s", offer, most);
	else
		checkup_good(walk->checkup, DOCTOR_SMTP, DOCTOR_CAPABILITIES,
		    "EHLO", "%s", offer);
}

/* ---- the login ---- */

/* "login: 535 5.7.8 no": the server's words. */
static const char *
said_by(const char *text)
{
	const char *colon = strstr(text, ": ");

	return colon != NULL ? colon + 2 : text;
}

static void
blame_login(struct walk *walk)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_SMTP, DOCTOR_LOGIN);
	const struct error *error =
	    walk->link.failed ? &walk->link.error : &walk->error;
	STR_AUTO tried = checkup_user(facts.user);

	facts.fault = error->fault;
	facts.text = error->text;
	facts.said = said_by(error->text);
	facts.code = walk->code;
	facts.wants_oauth = checkup_link_heard(&walk->link, "XOAUTH2") ||
			    checkup_link_heard(&walk->link, "OAUTHBEARER");
	checkup_bad(walk->checkup, &facts, tried, facts.said);
}

static void
give_secret(struct walk *walk)
{
	struct login_once once;

	login_once_init(&once, channel_tls(walk->link.channel));
	smtp_session_once(walk->session, &once.once);
	smtp_session_secret(
	    walk->session, secret_span(&walk->checkup->secret), loop_now());
	login_once_done(&once);
	checkup_link_kick(&walk->link);
}

/* A password that was refused once is not offered again: servers count. */
static const char *
reason_to_skip(const struct checkup *checkup)
{
	if (!checkup->has_secret)
		return "not tried, as there is no password";
	if (checkup->is_refused && checkup->account->secret.kind == SECRET_NONE)
		return "not tried: the IMAP server refused the same "
		       "certificate, and servers count refusals";
	if (checkup->is_refused)
		return "not tried: the IMAP server refused the same password, "
		       "and servers count refusals";
	return NULL;
}

/* ---- mail from here ---- */

static void
blame_sender(struct walk *walk, const char *tried, const char *why)
{
	struct doctor_facts facts =
	    checkup_facts(walk->checkup, DOCTOR_SMTP, DOCTOR_SENDER);

	facts.sender = walk->checkup->account->from;
	facts.text = facts.said = why;
	facts.code = walk->trial.code;
	/* For ever, of the address itself, or because nothing else was said. */
	facts.is_about_sender =
	    walk->tried &&
	    (walk->trial.is_about_sender ||
		(walk->trial.class == SMTP_REFUSED && !walk->agreed_to_sender));
	checkup_bad(walk->checkup, &facts, tried, why);
}

/* From the sender of forwards to itself, and taken back before any text: some
 * servers say only now who may send what. */
static void
try_sender(struct walk *walk)
{
	const char *from = walk->checkup->account->from;
	STR_AUTO tried =
	    xasprintf("MAIL FROM and RCPT TO <%s>, taken back", from);
	struct error error = ERROR_INIT;
	bool ok =
	    smtp_session_try(walk->session, from, from, loop_now(), &error);

	if (ok) {
		checkup_link_kick(&walk->link);
		if (!checkup_link_wait(&walk->link, &walk->tried, &walk->tried))
			error = walk->failed ? walk->error : walk->link.error;
		if (error.fault == FAULT_NONE && !walk->tried)
			error_set(&error, FAULT_RETRY, "no answer in time");
	}
	STR_AUTO said = xasprintf("%u %s", walk->trial.code, walk->trial.text);
	if (!walk->tried)
		blame_sender(walk, tried, error.text);
	else if (walk->trial.class != SMTP_ACCEPTED)
		blame_sender(walk, tried, said);
	else
		checkup_good(walk->checkup, DOCTOR_SMTP, DOCTOR_SENDER, tried,
		    "would be taken; no mail was sent");
}

static void
log_in(struct walk *walk)
{
	const char *skip = reason_to_skip(walk->checkup);
	STR_AUTO tried = checkup_user(walk->checkup->account->smtp_user);

	if (!walk->ready && skip != NULL) {
		checkup_skip(walk->checkup, DOCTOR_SMTP, DOCTOR_LOGIN, skip);
		return;
	}
	if (!walk->ready)
		give_secret(walk);
	if (!checkup_link_wait(&walk->link, &walk->ready, &walk->ready)) {
		if (!walk->failed)
			error_set(&walk->error, FAULT_RETRY,
			    "no answer to the login in time");
		blame_login(walk);
		return;
	}
	checkup_good(walk->checkup, DOCTOR_SMTP, DOCTOR_LOGIN, tried, "let in");
	try_sender(walk);
}

/* ---- the whole ---- */

static bool
is_without_login(const struct walk *walk)
{
	return walk->failed && (walk->error.fault == FAULT_AUTH ||
				   strstr(walk->error.text, "no login"));
}

static void
converse(struct walk *walk)
{
	checkup_link_wait(&walk->link, &walk->wants_secret, &walk->ready);
	if (walk->wants_secret || walk->ready) {
		tell_greeting(walk);
		log_in(walk);
	} else if (is_without_login(walk)) {
		tell_greeting(walk);
		blame_login(walk);
	} else {
		if (!walk->failed)
			error_set(&walk->error, FAULT_RETRY,
			    "the server says nothing");
		checkup_link_blame(
		    &walk->link, &walk->error, IMAP_REFUSAL_NONE);
	}
}

static void
say_goodbye(struct walk *walk)
{
	if (checkup_link_is_over(&walk->link) || !walk->ready)
		return;
	smtp_session_quit(walk->session, loop_now());
	checkup_link_kick(&walk->link);
	checkup_link_wait(&walk->link, &walk->closed, &walk->closed);
}

void
checkup_smtp(struct checkup *checkup)
{
	struct smtp_session_config config;
	struct walk walk = {.checkup = checkup};

	if (checkup->account->smtp.host == NULL) {
		checkup_skip(checkup, DOCTOR_SMTP, DOCTOR_NAME,
		    "no submission server is configured, so nothing can be "
		    "forwarded");
		return;
	}
	if (checkup_link_open(
		&walk.link, checkup, DOCTOR_SMTP, &checkup->account->smtp)) {
		config = login_smtp(checkup->account);
		walk.session = smtp_session_new(&config, loop_now());
		checkup_link_start(
		    &walk.link, &smtp_session_class, walk.session, pump, &walk);
		converse(&walk);
		say_goodbye(&walk);
	}
	checkup_link_close(&walk.link);
	smtp_session_free(&walk.session);
}
