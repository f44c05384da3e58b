#include "daemon/account/claim.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/xalloc.h"

/* What is to be stored for a message: one STORE for all that want the same. */
enum want {
	WANT_NOTHING,
	WANT_BREAK, /* remove an old claim of another */
	WANT_TICK,
	WANT_UNTICK,
	WANT_CLAIM,
	WANT_WITHDRAW,
	WANTS
};

struct record {
	uint32_t uid;
	bool asked;  /* of the group under way */
	bool checks; /* to be verified */
	enum claim_verdict verdict;
	enum want want;
	bool modified; /* its STORE did not happen */

	/* as it was read last */
	bool present, own, tick, sending, marked;
	uint64_t modseq;
	char *other;	 /* owned; one of the others' claims, NULL: none */
	uint64_t others; /* of all of them, in any order; 0: none */

	/* since when the others' claims are as they are */
	uint64_t seen_others, seen_modseq;
	usec_t seen_since;

	unsigned contests, looks;
	usec_t until;
	bool held;
	usec_t held_since; /* before the STORE was sent */
	usec_t announced;  /* stored without a condition then; 0: not */
};

enum state {
	STATE_REST, /* nothing is asked for: it is over */
	STATE_READ,
	STATE_STORE,
	STATE_VERIFY,
	STATE_WITHDRAW,
	STATES
};

struct claim {
	char *keyword; /* owned */
	enum claim_step step;
	usec_t lease, slow_lease;
	struct random random;

	enum state state;
	struct buf mark;
	bool holds_unsure;
	bool expects_mark; /* ... beside our claim, it is ours */
	bool only_looks;
	struct record *records; /* ascending UIDs */
	size_t count, cap;
	uint64_t modseq; /* the largest of the group; 0: no condition */
	usec_t asked;	 /* before the group was read */
	unsigned refusals;

	/* the command under way */
	bool sent;
	struct imap_seqset uids;
	enum want want;
	struct buf keywords;
};

static const char *const verdict_names[CLAIM_VERDICTS] = {
    [CLAIM_UNKNOWN] = "unknown",
    [CLAIM_WON] = "won",
    [CLAIM_DONE] = "done",
    [CLAIM_GONE] = "gone",
    [CLAIM_WAIT] = "wait",
    [CLAIM_UNSURE] = "unsure",
    [CLAIM_LEFT] = "left",
    [CLAIM_FOREIGN] = "foreign",
    [CLAIM_MISSING] = "missing",
};

const char *
claim_verdict_name(enum claim_verdict verdict)
{
	assert(verdict < CLAIM_VERDICTS);
	return verdict_names[verdict];
}

/* ---- records ---- */

/* The place of `uid`, or where it would stand. */
static size_t
place(const struct claim *claim, uint32_t uid)
{
	size_t low = 0, high = claim->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (claim->records[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct record *
find(const struct claim *claim, uint32_t uid)
{
	size_t i = place(claim, uid);

	return i < claim->count && claim->records[i].uid == uid
		   ? &claim->records[i]
		   : NULL;
}

static struct record *
find_or_add(struct claim *claim, uint32_t uid)
{
	size_t i = place(claim, uid);

	if (i < claim->count && claim->records[i].uid == uid)
		return &claim->records[i];
	if (claim->count == claim->cap) {
		claim->cap = claim->cap > 0 ? claim->cap * 2 : 16;
		claim->records = xreallocarray(
		    claim->records, claim->cap, sizeof(*claim->records));
	}
	memmove(&claim->records[i + 1], &claim->records[i],
	    (claim->count - i) * sizeof(*claim->records));
	claim->records[i] =
	    (struct record){.uid = uid, .seen_since = USEC_NEVER};
	claim->count++;
	return &claim->records[i];
}

void
claim_forget(struct claim *claim, uint32_t uid)
{
	size_t i = place(claim, uid);

	if (i == claim->count || claim->records[i].uid != uid)
		return;
	free(claim->records[i].other);
	memmove(&claim->records[i], &claim->records[i + 1],
	    (claim->count - i - 1) * sizeof(*claim->records));
	claim->count--;
}

static void
forget_all(struct claim *claim)
{
	while (claim->count > 0)
		claim_forget(claim, claim->records[claim->count - 1].uid);
}

struct claim *
claim_new(const struct claim_config *config)
{
	struct claim *claim = NEW(struct claim);

	assert(strlen(config->keyword) <= CLAIM_KEYWORD_MAX);
	claim->keyword = xstrdup(config->keyword);
	claim->step = config->step;
	claim->lease = config->lease ? config->lease : CLAIM_LEASE_USEC;
	claim->slow_lease =
	    config->slow_lease ? config->slow_lease : CLAIM_SLOW_LEASE_USEC;
	random_init(&claim->random, config->seed);
	return claim;
}

void
claim_free(struct claim **claim)
{
	if (*claim == NULL)
		return;
	forget_all(*claim);
	free((*claim)->records);
	free((*claim)->keyword);
	imap_seqset_done(&(*claim)->uids);
	buf_done(&(*claim)->mark);
	buf_done(&(*claim)->keywords);
	free(*claim);
	*claim = NULL;
}

void
claim_set_step(struct claim *claim, enum claim_step step)
{
	if (claim->step == step)
		return;
	claim_interrupt(claim);
	forget_all(claim);
	claim->step = step;
}

/* ---- waiting ---- */

static usec_t
doubled(usec_t first, unsigned times, usec_t most)
{
	for (unsigned i = 0; i < times && first < most; i++)
		first *= 2;
	return usec_min(first, most);
}

/* Two wanted it: who comes back first is left to chance. */
static void
back_off(struct claim *claim, struct record *r, usec_t now)
{
	usec_t most =
	    doubled(CLAIM_CONTEST_USEC, r->contests, CLAIM_CONTEST_MAX_USEC);

	r->contests++;
	r->verdict = CLAIM_WAIT;
	r->until = usec_add(now, random_below(&claim->random, most));
}

static usec_t
lease_of(const struct claim *claim, const struct record *r)
{
	usec_t lease = claim->modseq != 0 ? claim->lease : claim->slow_lease;

	/* It may have been sent: its owner gets more time to come back. */
	return r->sending ? 2 * lease : lease;
}

/* Another has it: look again later, at the latest when its lease is over. */
static void
wait_for_other(struct claim *claim, struct record *r, usec_t now)
{
	usec_t wait = random_jitter(&claim->random,
	    doubled(CLAIM_LOOK_USEC, r->looks, CLAIM_LOOK_MAX_USEC), 20);
	usec_t left =
	    usec_since(now, usec_add(r->seen_since, lease_of(claim, r)));

	r->looks++;
	r->verdict = CLAIM_WAIT;
	r->until = usec_add(now, usec_min(wait, left));
}

/* ---- reading ---- */

static uint64_t
hash_of(struct span word)
{
	uint64_t hash = 14695981039346656037ULL; /* FNV-1a */

	for (size_t i = 0; i < word.len; i++)
		hash = (hash ^ (unsigned char)word.data[i]) * 1099511628211ULL;
	return hash | 1;
}

static void
read_flag(const struct claim *claim, struct record *r, struct span flag)
{
	if (span_is_nocase(flag, claim->keyword)) {
		r->own = true;
	} else if (span_starts_nocase(flag, CLAIM_PREFIX)) {
		r->others += hash_of(flag);
		if (r->other == NULL)
			r->other = xstrdup_span(flag);
	} else if (span_is_nocase(flag, CLAIM_TICK)) {
		r->tick = true;
	} else if (span_is_nocase(flag, CLAIM_SENDING)) {
		r->sending = true;
	} else if (claim->mark.len > 0 &&
		   span_is_nocase(flag, buf_str(&claim->mark))) {
		r->marked = true;
	}
}

static void
clear_reading(struct record *r)
{
	r->present = r->own = r->tick = r->sending = r->marked = false;
	r->modseq = r->others = 0;
	free(r->other);
	r->other = NULL;
}

void
claim_on_message(struct claim *claim, uint32_t uid, uint64_t modseq,
    const struct span *flags, size_t count)
{
	struct record *r = find(claim, uid);

	if (r == NULL || !r->asked || !claim->sent ||
	    (claim->state != STATE_READ && claim->state != STATE_VERIFY))
		return;
	clear_reading(r);
	r->present = true;
	r->modseq = modseq;
	for (size_t i = 0; i < count; i++)
		read_flag(claim, r, flags[i]);
}

void
claim_on_modified(struct claim *claim, const struct imap_seqset *uids)
{
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].want == claim->want &&
		    imap_seqset_has(uids, claim->records[i].uid))
			claim->records[i].modified = true;
}

static void
observe(struct record *r, usec_t now)
{
	if (r->seen_since != USEC_NEVER && r->others == r->seen_others &&
	    r->modseq == r->seen_modseq)
		return;
	r->seen_others = r->others;
	r->seen_modseq = r->modseq;
	r->seen_since = now;
	r->looks = 0;
}

static bool
is_young(const struct claim *claim, const struct record *r, usec_t now)
{
	return r->held && usec_since(r->held_since, now) <= claim->lease / 3;
}

static void
win(struct record *r, usec_t since)
{
	r->verdict = CLAIM_WON;
	r->held = true;
	r->held_since = since;
	r->contests = r->looks = 0;
	r->seen_since = USEC_NEVER;
}

/* With the claim of another: whose turn is it? Our mark may be on its way, and
 * must not come to what is nobody's: then the other's has to go. */
static void
judge_foreign(struct claim *claim, struct record *r, usec_t now)
{
	observe(r, now);
	r->held = false;
	r->announced = 0;
	if (r->own && !claim->expects_mark) {
		r->want = WANT_WITHDRAW;
		back_off(claim, r, now);
		return;
	}
	wait_for_other(claim, r, now);
	if (usec_since(r->seen_since, now) < lease_of(claim, r))
		return;
	if (r->sending && claim->holds_unsure) {
		r->verdict = CLAIM_UNSURE;
		return;
	}
	r->want = WANT_BREAK;
	r->until = now;
}

/* Ours, and nobody else's: is it so for long enough? */
static void
judge_announced(struct record *r, usec_t now)
{
	if (usec_since(r->announced, now) >= CLAIM_SETTLE_USEC) {
		win(r, r->announced);
		r->announced = 0;
		return;
	}
	r->verdict = CLAIM_WAIT;
	r->until = usec_add(r->announced, CLAIM_SETTLE_USEC);
}

/* Only ours: of this life and young, it is good as it is. Else it is made
 * new, as somebody may be about to take it for an old one. */
static void
judge_own(struct claim *claim, struct record *r, usec_t now)
{
	if (is_young(claim, r, now))
		win(r, r->held_since);
	else if (claim->modseq != 0)
		r->want = r->tick ? WANT_UNTICK : WANT_TICK;
	else if (r->announced != 0)
		judge_announced(r, now);
	else if (r->sending)
		r->want = WANT_CLAIM; /* it must not seem to be nobody's */
	else {
		r->want = WANT_WITHDRAW;
		back_off(claim, r, now);
	}
}

/* Who finds the mark leaves what it stands for alone, whatever becomes of the
 * claim later: it is still ours to do. It tells nothing of how old the claim
 * is. */
static bool
is_mine(const struct claim *claim, const struct record *r)
{
	return r->marked && claim->expects_mark && r->own;
}

static void
judge_mine(struct record *r)
{
	win(r, 0);
}

/* Another did it; ours is left over from a life that ended too early. */
static void
judge_marked(struct record *r)
{
	r->verdict = CLAIM_DONE;
	r->want = r->own ? WANT_WITHDRAW : WANT_NOTHING;
	r->held = false;
}

/* Left by an earlier life, without a mark. */
static void
judge_left(struct record *r)
{
	if (r->own)
		r->verdict = CLAIM_LEFT;
	else if (r->others != 0)
		r->verdict = CLAIM_FOREIGN;
	else
		r->verdict = CLAIM_MISSING;
}

/* What was read decides what is wanted of each. */
static void
judge(struct claim *claim, struct record *r, usec_t now)
{
	r->want = WANT_NOTHING;
	r->modified = false;
	if (!r->own)
		r->announced = 0; /* somebody has written over it */
	if (!r->present)
		r->verdict = CLAIM_GONE;
	else if (is_mine(claim, r))
		judge_mine(r);
	else if (r->marked)
		judge_marked(r);
	else if (claim->only_looks)
		judge_left(r);
	else if (r->others != 0)
		judge_foreign(claim, r, now);
	else if (r->own)
		judge_own(claim, r, now);
	else
		r->want = WANT_CLAIM;
}

/* ---- the states ---- */

static void
enter(struct claim *claim, enum state state)
{
	claim->state = state;
	claim->sent = false;
}

static void
finish(struct claim *claim)
{
	for (size_t i = 0; i < claim->count; i++)
		claim->records[i].asked = claim->records[i].checks = false;
	enter(claim, STATE_REST);
}

static void
all_wait(struct claim *claim, usec_t now)
{
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].asked)
			back_off(claim, &claim->records[i], now);
	finish(claim);
}

static void
read_done(struct claim *claim, bool ok, usec_t now)
{
	if (!ok) {
		all_wait(claim, now);
		return;
	}
	claim->modseq = 0;
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].asked && claim->step == CLAIM_BY_MODSEQ &&
		    claim->records[i].modseq > claim->modseq)
			claim->modseq = claim->records[i].modseq;
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].asked)
			judge(claim, &claim->records[i], now);
	enter(claim, STATE_STORE);
}

/* How each want is written. */
static const struct {
	bool add, conditional;
	bool checks;	  /* and is verified */
	const char *tick; /* beside the claim */
} wants[WANTS] = {
    [WANT_BREAK] = {false, true, false, NULL},
    [WANT_TICK] = {true, true, true, CLAIM_TICK},
    [WANT_UNTICK] = {false, true, true, CLAIM_TICK},
    [WANT_CLAIM] = {true, true, true, NULL},
    [WANT_WITHDRAW] = {false, true, false, NULL},
};

/* It is believed when it has stood alone for a while. */
static void
announce(struct record *r, usec_t now)
{
	r->announced = now;
	r->verdict = CLAIM_WAIT;
	r->until = usec_add(now, CLAIM_SETTLE_USEC);
}

static void
store_done(struct claim *claim, bool ok, usec_t now)
{
	claim->refusals = ok ? 0 : claim->refusals + 1;
	for (size_t i = 0; i < claim->count; i++) {
		struct record *r = &claim->records[i];
		if (!r->asked || r->want != claim->want ||
		    !imap_seqset_has(&claim->uids, r->uid))
			continue;
		r->want = WANT_NOTHING;
		if (!wants[claim->want].checks) {
			if (r->modified) /* to be looked at once more */
				back_off(claim, r, now);
			continue;
		}
		r->checks = ok && !r->modified && claim->modseq != 0;
		if (!ok || r->modified)
			back_off(claim, r, now);
		else if (!r->checks)
			announce(r, now);
	}
	claim->sent = false;
}

/* The answers took so long that others may soon take it over. */
static void
renew_later(struct claim *claim, struct record *r, usec_t now)
{
	r->held = false;
	back_off(claim, r, now);
}

/* Read once more: the own claim and nothing else. */
static void
check(struct claim *claim, struct record *r, usec_t now)
{
	if (!r->present) {
		r->verdict = CLAIM_GONE;
	} else if (is_mine(claim, r)) {
		judge_mine(r); /* a dead connection's STORE came only now */
	} else if (r->own && r->others == 0 && !r->marked) {
		win(r, claim->asked);
		if (!is_young(claim, r, now))
			renew_later(claim, r, now);
	} else {
		r->held = false;
		r->want = r->own ? WANT_WITHDRAW : WANT_NOTHING;
		back_off(claim, r, now);
		if (r->marked)
			r->verdict = CLAIM_DONE;
	}
}

/* What is withdrawn then is as it was read now. */
static void
note_verified(struct claim *claim)
{
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].checks &&
		    claim->records[i].modseq > claim->modseq)
			claim->modseq = claim->records[i].modseq;
}

static void
verify_done(struct claim *claim, bool ok, usec_t now)
{
	if (ok)
		note_verified(claim);
	for (size_t i = 0; i < claim->count; i++) {
		struct record *r = &claim->records[i];
		if (!r->checks)
			continue;
		r->checks = false;
		if (ok)
			check(claim, r, now);
		else
			back_off(claim, r, now);
	}
	enter(claim, STATE_WITHDRAW);
}

/* ---- what to send ---- */

static bool
gather(struct claim *claim, bool (*is_of)(const struct record *))
{
	imap_seqset_done(&claim->uids);
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].asked && is_of(&claim->records[i]))
			imap_seqset_add(&claim->uids, claim->records[i].uid);
	return claim->uids.count > 0;
}

static bool
is_any(const struct record *r)
{
	(void)r;
	return true;
}

static bool
is_checked(const struct record *r)
{
	return r->checks;
}

static const struct record *
first_wanting(const struct claim *claim)
{
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].asked &&
		    claim->records[i].want != WANT_NOTHING)
			return &claim->records[i];
	return NULL;
}

static bool
is_same_want(const struct record *a, const struct record *b)
{
	return a->want == b->want &&
	       (a->want != WANT_BREAK || (strcmp(a->other, b->other) == 0 &&
					     a->sending == b->sending));
}

/* The next STORE; false when nothing is wanted. */
static bool
gather_store(struct claim *claim)
{
	const struct record *first = first_wanting(claim);

	if (first == NULL)
		return false;
	claim->want = first->want;
	imap_seqset_done(&claim->uids);
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].asked &&
		    is_same_want(&claim->records[i], first))
			imap_seqset_add(&claim->uids, claim->records[i].uid);
	buf_clear(&claim->keywords);
	if (wants[first->want].tick != NULL)
		buf_add_str(&claim->keywords, wants[first->want].tick);
	else if (first->want == WANT_BREAK)
		buf_addf(&claim->keywords, "%s%s", first->other,
		    first->sending ? " " CLAIM_SENDING : "");
	else if (first->want == WANT_WITHDRAW)
		buf_addf(&claim->keywords, "%s %s", claim->keyword, CLAIM_TICK);
	else
		buf_add_str(&claim->keywords, claim->keyword);
	return true;
}

/* What was read before is no answer. */
static void
forget_reading(struct claim *claim)
{
	for (size_t i = 0; i < claim->count; i++)
		if (imap_seqset_has(&claim->uids, claim->records[i].uid))
			clear_reading(&claim->records[i]);
}

/* Each sets claim->uids, or goes to the state after it and says false. */
static bool
send_read(struct claim *claim, usec_t now)
{
	claim->asked = now;
	gather(claim, is_any);
	forget_reading(claim);
	return true;
}

/* Without a condition: it was read too long ago. */
static bool
is_stale(const struct claim *claim, usec_t now)
{
	return claim->modseq == 0 &&
	       usec_since(claim->asked, now) > CLAIM_READING_USEC;
}

static bool
send_store(struct claim *claim, usec_t now)
{
	if (is_stale(claim, now)) {
		enter(claim, STATE_READ);
		return false;
	}
	if (gather_store(claim))
		return true;
	enter(claim, STATE_VERIFY);
	return false;
}

static bool
send_verify(struct claim *claim, usec_t now)
{
	(void)now;
	if (gather(claim, is_checked)) {
		forget_reading(claim);
		return true;
	}
	enter(claim, STATE_WITHDRAW);
	return false;
}

/* What was won before others had to be withdrawn: that may have taken long. The
 * mark of what is ours says nothing of when. */
static void
renew_old(struct claim *claim, usec_t now)
{
	for (size_t i = 0; i < claim->count; i++) {
		struct record *r = &claim->records[i];
		if (r->asked && r->verdict == CLAIM_WON && r->held_since != 0 &&
		    !is_young(claim, r, now))
			renew_later(claim, r, now);
	}
}

static bool
send_withdraw(struct claim *claim, usec_t now)
{
	if (gather_store(claim))
		return true;
	renew_old(claim, now);
	finish(claim);
	return false;
}

static const struct {
	bool (*send)(struct claim *, usec_t now);
	void (*done)(struct claim *, bool ok, usec_t now);
	bool is_store;
} states[STATES] = {
    [STATE_REST] = {NULL, NULL, false},
    [STATE_READ] = {send_read, read_done, false},
    [STATE_STORE] = {send_store, store_done, true},
    [STATE_VERIFY] = {send_verify, verify_done, false},
    [STATE_WITHDRAW] = {send_withdraw, store_done, true},
};

void
claim_begin(struct claim *claim, const struct imap_seqset *uids,
    const char *mark, usec_t now)
{
	assert(claim->state == STATE_REST);
	(void)now;
	for (size_t i = 0; i < uids->count; i++)
		for (uint32_t uid = uids->ranges[i].first;; uid++) {
			struct record *r = find_or_add(claim, uid);
			r->asked = true;
			r->checks = false;
			r->verdict = CLAIM_UNKNOWN;
			r->want = WANT_NOTHING;
			if (uid == uids->ranges[i].last)
				break;
		}
	buf_clear(&claim->mark);
	buf_add_str(&claim->mark, mark);
	claim->holds_unsure = claim->expects_mark = claim->only_looks = false;
	enter(claim, STATE_READ);
}

void
claim_hold_unsure(struct claim *claim)
{
	claim->holds_unsure = true;
}

void
claim_expect_mark(struct claim *claim)
{
	claim->expects_mark = true;
}

void
claim_only_look(struct claim *claim)
{
	claim->only_looks = true;
}

bool
claim_command(struct claim *claim, struct claim_command *command_r, usec_t now)
{
	while (claim->state != STATE_REST &&
	       !states[claim->state].send(claim, now))
		;
	if (claim->state == STATE_REST)
		return false;
	claim->sent = true;
	*command_r = (struct claim_command){.uids = &claim->uids};
	if (states[claim->state].is_store) {
		command_r->is_store = true;
		command_r->add = wants[claim->want].add;
		command_r->keywords = buf_str(&claim->keywords);
		if (wants[claim->want].conditional)
			command_r->unchanged_since = claim->modseq;
	}
	return true;
}

void
claim_on_done(struct claim *claim, bool ok, usec_t now)
{
	if (claim->sent)
		states[claim->state].done(claim, ok, now);
}

bool
claim_is_over(const struct claim *claim)
{
	return claim->state == STATE_REST;
}

void
claim_interrupt(struct claim *claim)
{
	for (size_t i = 0; i < claim->count; i++) {
		claim->records[i].verdict = CLAIM_UNKNOWN;
		claim->records[i].want = WANT_NOTHING;
	}
	finish(claim);
}

/* ---- what is known ---- */

enum claim_verdict
claim_verdict(const struct claim *claim, uint32_t uid)
{
	const struct record *r = find(claim, uid);

	return r != NULL ? r->verdict : CLAIM_UNKNOWN;
}

usec_t
claim_until(const struct claim *claim, uint32_t uid)
{
	const struct record *r = find(claim, uid);

	return r != NULL ? r->until : 0;
}

bool
claim_is_fresh(const struct claim *claim, uint32_t uid, usec_t now)
{
	const struct record *r = find(claim, uid);

	return r != NULL && is_young(claim, r, now);
}

usec_t
claim_fresh_until(const struct claim *claim, uint32_t uid)
{
	const struct record *r = find(claim, uid);

	return r != NULL && r->held ? usec_add(r->held_since, claim->lease / 3)
				    : 0;
}

bool
claim_has_lease(const struct claim *claim, uint32_t uid, usec_t now)
{
	const struct record *r = find(claim, uid);

	return r != NULL && r->held &&
	       usec_since(r->held_since, now) < claim->lease;
}

void
claim_get_held(const struct claim *claim, struct imap_seqset *held)
{
	for (size_t i = 0; i < claim->count; i++)
		if (claim->records[i].held)
			imap_seqset_add(held, claim->records[i].uid);
}

void
claim_set_gone(struct claim *claim, uint32_t uid)
{
	struct record *r = find(claim, uid);

	if (r == NULL || (r->verdict != CLAIM_WON && r->verdict != CLAIM_WAIT))
		return;
	r->verdict = CLAIM_GONE;
	r->held = false;
}

unsigned
claim_refusals(const struct claim *claim)
{
	return claim->refusals;
}

const char *
claim_keyword(const struct claim *claim)
{
	return claim->keyword;
}
