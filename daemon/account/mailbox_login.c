/*
 * After a connection that failed: when the next one is made, by cause.
 *
 * A login that the server refused is made once more where that may help: the
 * refusal named no cause, the token can be asked for anew, or the same
 * password was good before. Then, and at once where none of this holds, the
 * credentials are locked: no login is made with them any more until the person
 * starts the account again, or until the source of the secret, which is asked
 * from time to time, gives another one.
 *
 * Between a login that failed and the next there is a minute at least, for
 * whatever cause it failed; what is counted is logins, not connections.
 *
 * A server (or something on the way to it) that lets in and hangs up as soon as
 * all is quiet makes each catch-up succeed, and so every ladder start anew. It
 * is logged in to a few times in a row, and then once a minute: providers take
 * more for an attack.
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/digest.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

/* Waits that are floors go up only, so that many accounts spread. */
#define SPREAD_PERCENT 20

static usec_t
at_least(struct mailbox *mb, usec_t wait, usec_t floor)
{
	if (wait >= floor)
		return wait;
	return floor +
	       random_below(&mb->random, floor / 100 * SPREAD_PERCENT + 1);
}

/* The secret is remembered by its digest, to know it again. */
static void
digest_secret(const struct mailbox *mb, struct span secret,
    unsigned char digest_r[static DIGEST_SIZE])
{
	const struct span pieces[] = {
	    span_from(&mb->config->seed, sizeof(mb->config->seed)), secret};

	digest_sha256(pieces, 2, digest_r);
}

static bool
is_last_secret(const struct mailbox *mb, struct span secret)
{
	unsigned char digest[DIGEST_SIZE];

	digest_secret(mb, secret, digest);
	return mb->login.has_digest &&
	       memcmp(digest, mb->login.digest, sizeof(digest)) == 0;
}

void
mailbox_login_begins(struct mailbox *mb, struct span secret)
{
	if (!is_last_secret(mb, secret))
		mb->login.was_good = false;
	digest_secret(mb, secret, mb->login.digest);
	mb->login.has_digest = true;
	mb->login.tried = true;
}

void
mailbox_login_choose(struct mailbox *mb)
{
	mb->login.by_other = mb->config->other != NULL &&
			     (mb->login.other || mb->config->other->works);
}

struct imap_session_config
mailbox_login_config(const struct mailbox *mb)
{
	struct imap_session_config config = mb->config->imap;

	config.literal_max = MAILBOX_HEADER_MAX;
	config.no_scram = config.no_scram || mb->login.no_scram;
	if (mb->login.by_other) {
		config.user = mb->config->other->user;
		config.prefer_login = true;
	}
	return config;
}

static void
note_other_works(struct mailbox *mb)
{
	if (!mb->login.by_other || mb->config->other->works)
		return;
	const struct mailbox_other_login *other = mb->config->other;
	STR_AUTO smtp =
	    other->smtp_user == NULL
		? xstrdup("")
		: xasprintf(" and smtp_user = %s", other->smtp_user);

	mb->config->other->works = true;
	mailbox_report_to_person(mb,
	    "the server takes the user name %s and not %s: with user = %s%s "
	    "in the configuration the first login succeeds",
	    other->user, mb->config->imap.user, other->user, smtp);
}

void
mailbox_login_succeeded(struct mailbox *mb, usec_t now)
{
	note_other_works(mb);
	mb->login.other = false;
	mb->login.tried = mb->login.again = false;
	mb->login.was_good = true;
	mb->login.since = now;
	mb->login.even = usec_add(
	    mb->login.even > now ? mb->login.even : now, MAILBOX_LOGIN_USEC);
}

usec_t
mailbox_login_pace(struct mailbox *mb, usec_t wait, usec_t now)
{
	const usec_t ahead = (MAILBOX_LOGIN_BURST - 1) * MAILBOX_LOGIN_USEC;

	return at_least(
	    mb, wait, usec_since(usec_add(now, ahead), mb->login.even));
}

void
mailbox_login_anew(struct mailbox *mb)
{
	mb->login.tried = mb->login.is_bye = false;
	mb->login.refusal = (struct imap_refusal){0};
	mb->login.since = USEC_NEVER;
}

void
mailbox_login_note(struct mailbox *mb, const struct imap_response *response)
{
	struct imap_refusal refusal = imap_refusal_read(response, false);

	if (refusal.fault == FAULT_RETRY || refusal.fault == FAULT_LIMIT ||
	    refusal.kind == IMAP_REFUSAL_SERVER)
		mb->login.refusal = refusal;
}

void
mailbox_login_forgive(struct mailbox *mb)
{
	mb->login.locked = mb->login.again = mb->login.other = false;
}

/* A token names its user. */
static bool
has_other_name(const struct mailbox *mb)
{
	return mb->config->other != NULL && !mb->config->other->works &&
	       mb->config->imap.auth == IMAP_AUTH_PASSWORD &&
	       !mb->login.was_good;
}

/* Whether the login is made once more before it counts as refused. */
static bool
deserves_another(const struct mailbox *mb)
{
	return mb->login.tried && !mb->login.again &&
	       (mb->login.refusal.kind == IMAP_REFUSAL_UNTOLD ||
		   mb->config->imap.auth == IMAP_AUTH_OAUTH2 ||
		   has_other_name(mb) || mb->login.was_good);
}

static bool
was_long(const struct mailbox *mb, usec_t now)
{
	return mb->login.since != USEC_NEVER && mb->proven &&
	       usec_since(mb->login.since, now) >= MAILBOX_LONG_USEC;
}

/* Sessions end, as servers are restarted and tokens run out: after a long one
 * nothing is wrong. */
static bool
may_return_at_once(const struct mailbox *mb, usec_t now)
{
	enum imap_refusal_kind kind = mb->login.refusal.kind;

	return mb->login.is_bye && was_long(mb, now) &&
	       (kind == IMAP_REFUSAL_GOODBYE ||
		   kind == IMAP_REFUSAL_UNAVAILABLE);
}

static enum backoff_cause
cause_of(const struct mailbox *mb, const struct error *error)
{
	return mb->login.refusal.kind != IMAP_REFUSAL_NONE
		   ? mb->login.refusal.cause
		   : backoff_cause_of(error->fault);
}

static usec_t
ladder_wait(struct mailbox *mb, const struct error *error)
{
	return at_least(mb, backoff_failed(&mb->backoff, cause_of(mb, error)),
	    mb->login.refusal.wait);
}

usec_t
mailbox_login_wait(struct mailbox *mb, const struct error *error, usec_t now)
{
	bool is_refused = error->fault == FAULT_AUTH;
	usec_t wait = 0;

	mb->login.by_network = !is_refused && !mb->login.tried &&
			       cause_of(mb, error) == BACKOFF_NETWORK;
	if (is_refused && deserves_another(mb)) {
		mb->login.other = has_other_name(mb);
		mb->login.again = true;
	} else if (is_refused && mb->login.tried)
		mb->login.locked = true;
	else if (!may_return_at_once(mb, now))
		wait = ladder_wait(mb, error);
	if (mb->login.locked)
		return random_jitter(
		    &mb->random, MAILBOX_LOOK_USEC, SPREAD_PERCENT);
	return mb->login.tried ? at_least(mb, wait, MAILBOX_LOGIN_USEC) : wait;
}

/* Locked: is there another secret by now? */
void
mailbox_login_look(struct mailbox *mb, usec_t now)
{
	mb->timer = usec_add(
	    now, random_jitter(&mb->random, MAILBOX_LOOK_USEC, SPREAD_PERCENT));
	mailbox_emit_need(mb, MAILBOX_SECRET);
}

void
mailbox_login_looked(struct mailbox *mb, struct span secret, usec_t now)
{
	if (is_last_secret(mb, secret))
		return;
	mailbox_login_forgive(mb);
	mailbox_begin_load(mb, now);
}
