/*
 * Proof of life: when the connection has to show that it lives, and what was
 * learned about connections that died, and about servers that do not tell.
 *
 * A hint (the machine slept, the network changed) doubts the connection: it
 * proves itself within IMAP_PROOF_USEC or is made anew. Hints come in floods;
 * one in MAILBOX_HINT_USEC is acted on, the last of a flood always.
 *
 * A connection that died in silence, while a new one was had at once, was
 * forgotten by something between here and the server: IDLE is renewed sooner
 * from then on, which is remembered and grows back day by day. Below
 * MAILBOX_RENEW_SURE_USEC one death is not enough, as many die of something
 * else: there it takes a connection that never stood the test, or silence that
 * kills often.
 *
 * How often is counted by tests, not by time, and not in a row. Where the
 * memory between here and the server is just above the renewal, a connection
 * lives through some and dies of one, for ever; and what dies of something else
 * does so as often in an hour at any renewal, so that it gets rarer among the
 * tests when these are made sooner, and stops convicting. Each death is worth
 * DEATH_TESTS tests that went well, and two deaths beyond these convict. A
 * renewal that is new, by being learned, grown or remembered, begins with one
 * death, as it has stood no test yet.
 *
 * One that grew and did not stand its time is what it was before, and waits
 * twice as long for the next growth. TCP's keepalive follows
 * (mailbox_keepalive).
 *
 * News that only a renewal finds were not pushed: after a few of them the
 * server is asked beside IDLE.
 */
#include "daemon/account/mailbox_private.h"

/* A connection is suspected only after so much silence ... */
#define QUIET_USEC (2 * USEC_MINUTE)
/* ... and convicted if another one lives so soon after its end. */
#define CONVICT_USEC (2 * USEC_MINUTE)
#define RENEW_STEP_USEC (10 * USEC_SEC)
/* Renewals that a death outweighs, and what convicts. */
#define DEATH_TESTS 200
#define CONVICT_TESTS (2 * DEATH_TESTS)
/* A renewal has stood its time, and grows: each growth in vain doubles it. */
#define RENEW_GROW_SEC (24 * 60 * 60)
#define GROWTHS_IN_VAIN_MAX 2
/* Misses until the server counts as deaf, and pushes until it does not. */
#define DEAF_MISSES 2
#define DEAF_PUSHES 10
/* A try before its time after a hint; many accounts spread over it. */
#define HINT_SPREAD_USEC (3 * USEC_SEC)
#define HINT_TRY_USEC (20 * USEC_SEC)
/* A network that comes and goes starts the ladder anew this often. */
#define HINT_EASE_USEC (5 * USEC_MINUTE)

void
mailbox_proof_init(struct mailbox *mb)
{
	mb->proof = (struct proof){
	    .renew = mailbox_renew(mb),
	    .hint_at = USEC_NEVER,
	    .died = USEC_NEVER,
	};
}

/* ---- hints ---- */

static void
hint_now(struct mailbox *mb, usec_t now)
{
	mb->proof.hint_at = USEC_NEVER;
	mb->proof.next_hint = usec_add(now, MAILBOX_HINT_USEC);
	mb->dirty = true;
	if (mb->session != NULL) {
		mb->proof.doubted = true;
		imap_session_doubt(mb->session, now);
	}
	mailbox_act_on_hint(mb, now);
}

void
mailbox_hint(struct mailbox *mb, usec_t now)
{
	if (now >= mb->proof.next_hint)
		hint_now(mb, now);
	else
		mb->proof.hint_at = mb->proof.next_hint;
}

void
mailbox_proof_tick(struct mailbox *mb, usec_t now)
{
	if (mb->proof.hint_at <= now)
		hint_now(mb, now);
}

/* What came before the change says nothing of the network as it is now. False:
 * that was believed only just now. */
static bool
ease(struct mailbox *mb, usec_t now)
{
	if (now < mb->proof.next_ease)
		return false;
	mb->proof.next_ease = usec_add(now, HINT_EASE_USEC);
	backoff_restart(&mb->backoff, BACKOFF_NETWORK);
	return true;
}

/* What the network was the cause of may be over. */
void
mailbox_hint_waiting(struct mailbox *mb, usec_t now)
{
	struct proof *proof = &mb->proof;
	usec_t spread;

	if (!mb->login.by_network || now < proof->next_try)
		return;
	proof->next_try = usec_add(now, HINT_TRY_USEC);
	spread = random_below(&mb->random, HINT_SPREAD_USEC);
	mb->timer = usec_min(
	    mb->timer, usec_add(now, mailbox_login_pace(mb, spread, now)));
	ease(mb, now);
}

/* Once a try: a flood must not keep it from ever succeeding. */
void
mailbox_hint_connecting(struct mailbox *mb, usec_t now)
{
	if (mb->proof.restarted)
		return;
	mb->proof.restarted = true;
	mailbox_enter(mb, MAILBOX_CONNECTING, now);
	mailbox_emit_need(mb, MAILBOX_CONNECT);
}

/* ---- the renewal that was learned ---- */

static void
take_renewal(struct mailbox *mb, usec_t renew, int64_t since_unix)
{
	mb->proof.renew = renew;
	mb->proof.renew_since = since_unix;
	mb->proof.deaths = DEATH_TESTS;
	mb->proof.grew = false;
}

static void
remember_renewal(struct mailbox *mb, usec_t renew, usec_t now)
{
	BUF_AUTO value = BUF_INIT;

	take_renewal(mb, renew, mailbox_unix(mb, now));
	if (mb->config->dry_run)
		return;
	buf_addf(&value, "%llu %lld %u", (unsigned long long)(renew / USEC_SEC),
	    (long long)mb->proof.renew_since, mb->proof.in_vain);
	store_batch_set_fact(mailbox_outcomes(mb), mb->config->account,
	    MAILBOX_RENEW_FACT, buf_str(&value));
	mailbox_flush_outcomes(mb);
}

/* The next word as a number; 0: none. */
static uint64_t
next_number(struct span *text)
{
	struct span word;
	uint64_t number;

	return span_split(text, ' ', &word) && span_to_u64(word, &number)
		   ? number
		   : 0;
}

void
mailbox_load_renewal(struct mailbox *mb, struct span text, usec_t now)
{
	uint64_t seconds = next_number(&text), since = next_number(&text),
		 in_vain = next_number(&text);
	int64_t now_unix = mailbox_unix(mb, now);
	usec_t renew = seconds < USEC_DAY / USEC_SEC ? seconds * USEC_SEC : 0;

	if (renew < MAILBOX_RENEW_MIN_USEC || renew > mailbox_renew(mb))
		renew = mailbox_renew(mb);
	if (renew == mb->proof.renew)
		return;
	/* The clock may have been wrong. */
	bool is_past = since > 0 && since < (uint64_t)now_unix;
	bool grew = renew > mb->proof.renew;
	take_renewal(mb, renew, is_past ? (int64_t)since : now_unix);
	mb->proof.grew = grew;
	mb->proof.in_vain = in_vain < GROWTHS_IN_VAIN_MAX ? (unsigned)in_vain
							  : GROWTHS_IN_VAIN_MAX;
}

static bool
has_stood_its_time(const struct mailbox *mb, usec_t now)
{
	const struct proof *proof = &mb->proof;
	int64_t age = mailbox_unix(mb, now) - proof->renew_since;

	return age >= (int64_t)RENEW_GROW_SEC << proof->in_vain;
}

static void
note_growth(struct mailbox *mb, usec_t now)
{
	struct proof *proof = &mb->proof;

	if (!proof->grew)
		return;
	if (has_stood_its_time(mb, now))
		proof->in_vain = 0;
	else if (proof->in_vain < GROWTHS_IN_VAIN_MAX)
		proof->in_vain++;
}

static void
shorten(struct mailbox *mb, usec_t now)
{
	struct proof *proof = &mb->proof;
	usec_t renew = usec_min(proof->renew, proof->quiet) / 3 * 2;
	bool is_sure = !proof->was_young && proof->deaths < CONVICT_TESTS;
	usec_t least =
	    is_sure ? MAILBOX_RENEW_SURE_USEC : MAILBOX_RENEW_MIN_USEC;
	BUF_AUTO quiet = BUF_INIT, words = BUF_INIT;

	renew -= renew % RENEW_STEP_USEC;
	if (renew < least)
		renew = least;
	if (renew >= proof->renew)
		return;
	usec_format(&quiet, proof->quiet);
	usec_format(&words, renew);
	mailbox_report(mb, REPORT_WARNING, 0,
	    "the connection died unnoticed within %s of silence%s: from now on "
	    "%s every %s",
	    buf_str(&quiet),
	    is_sure || proof->was_young ? "" : ", as others did",
	    mailbox_can_idle(mb) ? "IDLE is renewed" : "the server is asked",
	    buf_str(&words));
	note_growth(mb, now);
	remember_renewal(mb, renew, now);
}

static void
grow(struct mailbox *mb, usec_t now)
{
	struct proof *proof = &mb->proof;

	if (proof->renew >= mailbox_renew(mb) || !has_stood_its_time(mb, now))
		return;
	note_growth(mb, now);
	usec_t renew = proof->renew / 2 * 3;
	renew -= renew % USEC_SEC; /* as it is remembered */
	remember_renewal(mb, usec_min(mailbox_renew(mb), renew), now);
	proof->grew = true;
}

static void
note_death(struct mailbox *mb, usec_t quiet, usec_t now)
{
	struct proof *proof = &mb->proof;

	proof->died = now;
	proof->died_of = proof->renew;
	proof->quiet = quiet;
	proof->was_young = proof->survived == 0;
}

/* No silent death after a hint: then everybody's connections die, once, and
 * the way to the server is another one. */
void
mailbox_proof_lost(struct mailbox *mb, const struct error *error, usec_t now)
{
	struct proof *proof = &mb->proof;
	/* What was said last, as BYE, is not drained yet. */
	usec_t quiet = usec_since(
	    mb->session != NULL ? imap_session_heard(mb->session) : mb->heard,
	    now);
	bool was_idle = mb->state == MAILBOX_IDLE ||
			mb->state == MAILBOX_IDLE_END ||
			mb->state == MAILBOX_NOOP;
	bool was_quiet = quiet >= QUIET_USEC ||
			 (proof->is_tested && quiet >= MAILBOX_RENEW_MIN_USEC);

	if (was_idle && error->fault == FAULT_RETRY && !proof->doubted &&
	    was_quiet)
		note_death(mb, quiet, now);
	proof->is_tested = proof->was_silent = false;
	proof->survived = 0;
	/* Nor was a login that was under way refused, where nobody said so. */
	if (proof->doubted && ease(mb, now) && error->fault == FAULT_RETRY &&
	    !mb->login.is_bye && mb->login.refusal.kind == IMAP_REFUSAL_NONE)
		mb->login.tried = false;
	proof->doubted = proof->renewing = proof->restarted = false;
}

/* ---- pushes ---- */

static void
note_miss(struct mailbox *mb)
{
	struct proof *proof = &mb->proof;
	BUF_AUTO poll = BUF_INIT;

	proof->missed++;
	proof->misses++;
	proof->pushes = 0;
	if (proof->deaf || proof->misses < DEAF_MISSES)
		return;
	proof->deaf = true;
	usec_format(&poll, mailbox_proof_wait(mb));
	mailbox_report(mb, REPORT_WARNING, 0,
	    "the server takes IDLE but did not tell of new mail %u times: it "
	    "is asked every %s besides",
	    proof->misses, buf_str(&poll));
}

void
mailbox_proof_pushed(struct mailbox *mb)
{
	struct proof *proof = &mb->proof;

	if (++proof->pushes < DEAF_PUSHES)
		return;
	proof->misses = 0;
	proof->deaf = false;
}

/* ---- resting ---- */

usec_t
mailbox_proof_wait(const struct mailbox *mb)
{
	return mb->proof.deaf || mailbox_is_blind(mb)
		   ? usec_min(mb->proof.renew, mailbox_poll(mb))
		   : mb->proof.renew;
}

usec_t
mailbox_proof_poll(const struct mailbox *mb)
{
	if (mb->proof.renew >= mailbox_renew(mb))
		return mailbox_poll(mb);
	return usec_min(mailbox_poll(mb), mb->proof.renew);
}

usec_t
mailbox_keepalive(const struct mailbox *mb)
{
	usec_t half = mb->proof.renew / 2;

	if (half < MAILBOX_KEEPALIVE_MIN_USEC)
		return MAILBOX_KEEPALIVE_MIN_USEC;
	return usec_min(half, MAILBOX_KEEPALIVE_USEC);
}

void
mailbox_proof_tests(struct mailbox *mb, usec_t now)
{
	struct proof *proof = &mb->proof;

	proof->is_tested = true;
	if (usec_since(mb->heard, now) >= proof->renew / 2)
		proof->was_silent = true;
}

void
mailbox_proof_renews(struct mailbox *mb, usec_t now)
{
	mailbox_proof_tests(mb, now);
	mb->proof.renewing = true;
	mb->proof.found = 0;
}

/* Another connection lives: it was not the network that was away. */
static void
convict(struct mailbox *mb, usec_t now)
{
	struct proof *proof = &mb->proof;

	if (proof->renew < proof->died_of)
		return; /* another mailbox has seen to it */
	proof->deaths += DEATH_TESTS;
	if (proof->deaths > CONVICT_TESTS)
		proof->deaths = CONVICT_TESTS;
	shorten(mb, now);
}

static void
note_survival(struct mailbox *mb, usec_t now)
{
	struct proof *proof = &mb->proof;

	proof->survived++;
	if (proof->was_silent && proof->deaths > 0)
		proof->deaths--;
	grow(mb, now);
}

void
mailbox_proof_rests(struct mailbox *mb, usec_t now)
{
	struct proof *proof = &mb->proof;

	if (proof->died != USEC_NEVER &&
	    now < usec_add(proof->died, CONVICT_USEC))
		convict(mb, now);
	proof->died = USEC_NEVER;
	if (proof->renewing && proof->found > 0)
		note_miss(mb);
	if (proof->is_tested)
		note_survival(mb, now);
	proof->is_tested = proof->was_silent = false;
	proof->renewing = proof->doubted = proof->restarted = false;
}
