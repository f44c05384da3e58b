/*
 * outbox: the secret, and that one that was refused is not said again.
 */
#include "daemon/outbox/outbox_private.h"

/* Nobody who reads this memory finds the secret in it. */
static void
digest_of(const struct outbox *o, struct span secret,
    unsigned char digest_r[DIGEST_SIZE])
{
	const struct span pieces[] = {
	    span_from(&o->config->seed, sizeof(o->config->seed)), secret};

	digest_sha256(pieces, 2, digest_r);
}

/* Whether it is the one of the last login. */
static bool
is_last_secret(const struct outbox *o, struct span secret)
{
	unsigned char digest[DIGEST_SIZE];

	digest_of(o, secret, digest);
	return o->has_secret && memcmp(digest, o->secret, sizeof(digest)) == 0;
}

/* Logins that are refused lead to lock-outs. What was good before is tried
 * once more: services refuse by mistake, too. */
void
outbox_note_refusal(struct outbox *o, const struct smtp_event *event)
{
	if (!o->has_secret || event->code < 500) /* 454: not now */
		return;
	o->is_locked = !o->was_good || o->is_forgiven;
	o->is_forgiven = true;
}

/* No login is made with what was refused; what is there is looked at again
 * later. */
static void
wait_for_another(struct outbox *o, usec_t now)
{
	outbox_drop_session(o);
	outbox_drop_item(o);
	o->wait = backoff_failed(&o->backoff, BACKOFF_CREDENTIALS);
	outbox_next_round(o, now);
}

void
outbox_secret(struct outbox *o, struct span secret, usec_t now)
{
	if (o->session == NULL)
		return;
	bool is_same = is_last_secret(o, secret);
	digest_of(o, secret, o->secret);
	o->has_secret = true;
	if (!is_same) {
		o->is_locked = o->was_good = o->is_forgiven = false;
	} else if (o->is_locked) {
		wait_for_another(o, now);
		outbox_pump(o, now);
		return;
	}
	smtp_session_secret(o->session, secret, now);
	outbox_pump(o, now);
}

bool
outbox_wants_secret(const struct outbox *o)
{
	return o->is_locked;
}

bool
outbox_has_refused(const struct outbox *o, struct span secret)
{
	return o->is_locked && is_last_secret(o, secret);
}
