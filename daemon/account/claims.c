#include "daemon/account/claims.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/xalloc.h"

#define KEYWORD_DIGITS 10 /* of a digest, in a keyword */
#define JOIN_USEC (CLAIMS_JOIN_SEC * USEC_SEC)

struct node {
	char name[CLAIMS_NODE_MAX + 1];
	uint32_t uid;
	int64_t received_unix; /* by the server's clock */
	int64_t renewed_unix;  /* by its own */
	int64_t joined_unix;   /* by the server's */
	bool is_new;	       /* not renewed since it joined */
};

struct claims {
	enum claim_mode mode;
	char *node; /* owned */
	const void *owner;

	bool is_known;	 /* it was read in this life */
	bool had_others; /* ... when it was read last */
	usec_t checked;
	unsigned looks; /* in a row that did not end */
	uint32_t uidvalidity, uidnext;
	uint64_t messages;

	struct node own; /* uid 0: there is none */
	int64_t joined_unix;
	bool was_absent;     /* the own one, when it was read last, */
	usec_t arrived;	     /* and then it was there; 0: not in this life */
	struct node *others; /* owned, of CLAIMS_NODES_MAX; NULL: never any */
	size_t count;
	struct imap_seqset stale;

	enum claims_ladder ladder;
	struct claim_log *log; /* owned; NULL: not needed yet */
	struct buf refusal;    /* words; empty: none */
	usec_t refused;
	struct buf told; /* of them; empty: none */
	usec_t told_at;
};

struct claims *
claims_new(enum claim_mode mode, const char *node)
{
	struct claims *claims = NEW(struct claims);

	assert(strlen(node) <= CLAIMS_NODE_MAX);
	claims->mode = mode;
	claims->node = xstrdup(node);
	return claims;
}

void
claims_free(struct claims **claims)
{
	if (*claims == NULL)
		return;
	imap_seqset_done(&(*claims)->stale);
	buf_done(&(*claims)->refusal);
	buf_done(&(*claims)->told);
	claim_log_free(&(*claims)->log);
	free((*claims)->others);
	free((*claims)->node);
	free(*claims);
	*claims = NULL;
}

void
claims_set_mode(struct claims *claims, enum claim_mode mode)
{
	claims->mode = mode;
}

/* ---- keywords ---- */

static void
add_digest(struct buf *keyword, const struct span *pieces, size_t count)
{
	BUF_AUTO key = BUF_INIT;

	digest_key(&key, pieces, count);
	buf_addf(keyword, "%.*s", KEYWORD_DIGITS, buf_str(&key));
}

void
claims_keyword(
    const struct claims *claims, struct span mailbox, struct buf *keyword)
{
	const struct span pieces[] = {span_from_str(claims->node), mailbox};

	buf_add_str(keyword, CLAIM_PREFIX);
	add_digest(keyword, pieces, 2);
}

void
claims_mark(
    const char *rule, const char *kind, const char *target, struct buf *mark)
{
	const struct span pieces[] = {span_from_str(rule), span_from_str(kind),
	    span_from_str(target != NULL ? target : "")};

	buf_add_str(mark, CLAIM_MARK_PREFIX);
	add_digest(mark, pieces, 3);
}

/* ---- what to do ---- */

bool
claims_is_first(const struct claims *claims)
{
	for (size_t i = 0; i < claims->count; i++) {
		const struct node *other = &claims->others[i];
		if (other->joined_unix < claims->own.joined_unix ||
		    (other->joined_unix == claims->own.joined_unix &&
			other->uid < claims->own.uid))
			return false;
	}
	return true;
}

bool
claims_is_others(
    const struct claims *claims, int64_t judged_unix, int64_t received_unix)
{
	/* Nobody judged it before it came: our clock was wrong. */
	int64_t since_unix =
	    judged_unix > received_unix ? judged_unix : received_unix;

	return !claims_is_first(claims) && claims->own.uid != 0 &&
	       since_unix < claims->own.joined_unix + CLAIMS_JOIN_SEC;
}

static enum claims_answer
ask_auto(const struct claims *claims, int64_t now_unix, usec_t now)
{
	if (claims->refusal.len > 0 && !claims->had_others &&
	    usec_since(claims->refused, now) < CLAIMS_REFUSED_USEC)
		return CLAIMS_FREE;
	if (!claims->is_known || claims->refusal.len > 0 ||
	    usec_since(claims->checked, now) >= CLAIMS_ALONE_USEC)
		return CLAIMS_ASK;
	if (claims->count == 0)
		return CLAIMS_FREE;
	if (claims->ladder == LADDER_UNPROVEN)
		return CLAIMS_ASK;
	if (claims_join_wait(claims, now_unix, now) > 0)
		return CLAIMS_JOINING;
	if (claims->ladder != LADDER_FIRST)
		return CLAIMS_SHARED;
	return claims_is_first(claims) ? CLAIMS_FREE : CLAIMS_STANDS_BY;
}

enum claims_answer
claims_ask(const struct claims *claims, int64_t now_unix, usec_t now)
{
	switch (claims->mode) {
	case CLAIM_STANDBY:
		return CLAIMS_STANDS_BY;
	case CLAIM_AUTO:
		return ask_auto(claims, now_unix, now);
	default:
		return CLAIMS_FREE;
	}
}

usec_t
claims_join_wait(const struct claims *claims, int64_t now_unix, usec_t now)
{
	int64_t left = claims->own.renewed_unix + CLAIMS_JOIN_SEC - now_unix;
	usec_t since;

	if (!claims->own.is_new)
		return 0;
	/* No clock that is put right makes it shorter. */
	if (claims->arrived != 0) {
		since = usec_since(claims->arrived, now);
		return since < JOIN_USEC ? JOIN_USEC - since : 0;
	}
	/* Nor one that was set back, after a restart, longer. */
	if (left <= 0 || left > CLAIMS_JOIN_SEC)
		return 0;
	return (usec_t)left * USEC_SEC;
}

/* A server that falls silent must not keep everything undone. */
bool
claims_look_begin(struct claims *claims, usec_t now)
{
	if (claims->looks < CLAIMS_LOOKS_MAX || claims->count > 0) {
		claims->looks++;
		return true;
	}
	claims->looks = 0;
	claims_refuse(claims,
	    SPAN("the connection ended each time it was looked for"), now);
	return false;
}

void
claims_look_end(struct claims *claims)
{
	claims->looks = 0;
}

bool
claims_lock(struct claims *claims, const void *owner)
{
	if (claims->owner != NULL && claims->owner != owner)
		return false;
	claims->owner = owner;
	return true;
}

void
claims_unlock(struct claims *claims, const void *owner)
{
	if (claims->owner == owner)
		claims->owner = NULL;
}

/* ---- looking ---- */

bool
claims_note_status(struct claims *claims, uint32_t uidvalidity,
    uint32_t uidnext, uint64_t messages, usec_t now)
{
	/* Whether it is refused still is seen by a look only. */
	bool same = claims->is_known && claims->refusal.len == 0 &&
		    uidvalidity != 0 && uidnext != 0 &&
		    uidvalidity == claims->uidvalidity &&
		    uidnext == claims->uidnext && messages == claims->messages;

	if (same)
		claims->checked = now;
	return same &&
	       (claims->count == 0 || claims->ladder != LADDER_UNPROVEN);
}

void
claims_read_begin(struct claims *claims, usec_t now)
{
	claims->own = (struct node){0};
	claims->count = 0;
	imap_seqset_done(&claims->stale);
	claims->is_known = false;
	claims->checked = now;
	buf_clear(&claims->refusal);
}

/* value = node SP number SP number */
static bool
parse(struct span value, struct node *node_r)
{
	struct node node = {0};
	struct span name, renewed, joined;
	uint64_t number;

	if (!span_split(&value, ' ', &name) ||
	    !span_split(&value, ' ', &renewed) ||
	    !span_split(&value, ' ', &joined) || name.len == 0 ||
	    name.len > CLAIMS_NODE_MAX)
		return false;
	memcpy(node.name, name.data, name.len);
	if (!span_to_u64(renewed, &number) || number > INT64_MAX / 2)
		return false;
	node.renewed_unix = (int64_t)number;
	if (!span_to_u64(joined, &number) || number > INT64_MAX / 2)
		return false;
	node.joined_unix = (int64_t)number;
	node.is_new = number == 0;
	*node_r = node;
	return true;
}

static struct node *
find_node(struct claims *claims, const char *name)
{
	if (strcmp(name, claims->node) == 0)
		return &claims->own;
	for (size_t i = 0; i < claims->count; i++)
		if (strcmp(claims->others[i].name, name) == 0)
			return &claims->others[i];
	if (claims->count == CLAIMS_NODES_MAX)
		return NULL;
	if (claims->others == NULL)
		claims->others =
		    xcalloc(CLAIMS_NODES_MAX, sizeof(claims->others[0]));
	claims->others[claims->count] = (struct node){0};
	return &claims->others[claims->count++];
}

void
claims_read(struct claims *claims, uint32_t uid, int64_t received_unix,
    struct span value)
{
	struct node node, *known;

	if (!parse(value, &node))
		return; /* not ours: somebody put it there */
	node.uid = uid;
	node.received_unix = received_unix;
	if (node.is_new)
		node.joined_unix = received_unix;
	known = find_node(claims, node.name);
	if (known == NULL || known->uid == uid)
		return;
	if (known->uid > uid) {
		if (known == &claims->own)
			imap_seqset_add(&claims->stale, uid);
		return;
	}
	if (known == &claims->own && known->uid != 0)
		imap_seqset_add(&claims->stale, known->uid);
	*known = node;
}

/* By the server's clock, which wrote both times. */
static void
bury_dead(struct claims *claims)
{
	for (size_t i = claims->count; i-- > 0;) {
		const struct node *other = &claims->others[i];
		if (claims->own.uid == 0 || other->received_unix == 0 ||
		    claims->own.received_unix - other->received_unix <
			CLAIMS_DEAD_SEC)
			continue;
		imap_seqset_add(&claims->stale, other->uid);
		claims->others[i] = claims->others[--claims->count];
	}
}

static void
note_presence(struct claims *claims)
{
	if (claims->own.uid == 0)
		claims->arrived = 0;
	else if (claims->was_absent)
		claims->arrived = claims->checked;
	claims->was_absent = claims->own.uid == 0;
}

bool
claims_read_end(struct claims *claims, int64_t now_unix)
{
	int64_t age = now_unix - claims->own.renewed_unix;

	bury_dead(claims);
	note_presence(claims);
	claims->is_known = true;
	claims->had_others = claims->count > 0;
	/* After a long absence the others may have forgotten us. */
	claims->joined_unix =
	    claims->own.uid != 0 && age < CLAIMS_DEAD_SEC - CLAIMS_RENEW_SEC
		? claims->own.joined_unix
		: 0;
	return claims->own.uid != 0 && age < CLAIMS_RENEW_SEC &&
	       age > -CLAIMS_RENEW_SEC;
}

void
claims_read_as(struct claims *claims, uint32_t uidvalidity, uint32_t uidnext,
    uint64_t messages)
{
	claims->uidvalidity = uidvalidity;
	claims->uidnext = uidnext;
	claims->messages = messages;
}

void
claims_compose(
    const struct claims *claims, int64_t now_unix, struct buf *message)
{
	buf_addf(message,
	    "From: Belfry <belfry@localhost>\r\n"
	    "Subject: Belfry watches this account\r\n" CLAIMS_HEADER
	    ": %s %lld %lld\r\n"
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "\r\n"
	    "Each machine on which Belfry watches this account keeps one "
	    "such\r\n"
	    "message here, so that several do nothing twice. To do without,\r\n"
	    "write `claim = no` for the account in belfry.conf.\r\n",
	    claims->node, (long long)now_unix, (long long)claims->joined_unix);
}

uint32_t
claims_own_uid(const struct claims *claims)
{
	return claims->own.uid;
}

size_t
claims_others(const struct claims *claims)
{
	return claims->count;
}

const struct imap_seqset *
claims_stale(const struct claims *claims)
{
	return &claims->stale;
}

struct claim_log *
claims_log(struct claims *claims)
{
	if (claims->log == NULL)
		claims->log = claim_log_new(claims->node);
	return claims->log;
}

void
claims_add_stale(struct claims *claims)
{
	if (claims->log != NULL)
		claim_log_get_stale(claims->log, &claims->stale);
}

enum claims_ladder
claims_ladder(const struct claims *claims)
{
	return claims->ladder;
}

void
claims_set_ladder(struct claims *claims, enum claims_ladder ladder)
{
	claims->ladder = ladder;
}

/* Of the refusal: it is tried again, perhaps each minute, and begins with
 * reading that goes well. */
static bool
is_news(struct claims *claims, usec_t now)
{
	struct span words = buf_span(&claims->refusal);
	bool is_same = span_equal(words, buf_span(&claims->told));
	usec_t quiet = is_same ? CLAIMS_TOLD_USEC : CLAIMS_REFUSED_USEC;

	if (claims->told.len > 0 && usec_since(claims->told_at, now) < quiet)
		return false;
	buf_clear(&claims->told);
	buf_add_span(&claims->told, words);
	claims->told_at = now;
	return true;
}

bool
claims_refuse(struct claims *claims, struct span words, usec_t now)
{
	buf_clear(&claims->refusal);
	buf_add_span(&claims->refusal, words);
	if (words.len == 0)
		buf_add_str(&claims->refusal, "without a reason");
	claims->refused = now;
	return is_news(claims, now);
}

/* ---- words ---- */

static const char *const ladder_words[] = {
    [LADDER_UNPROVEN] = "not proven yet",
    [LADDER_MODSEQ] = "claims by keywords and mod-sequences",
    [LADDER_KEYWORD] = "claims by keywords, as the server has no "
		       "mod-sequences",
    [LADDER_LOG] = "claims by the order of what is in " CLAIMS_MAILBOX
		   ", as the server keeps no keywords",
    [LADDER_FIRST] = "the server keeps no keywords",
};

/* What this one does now: with claims, what it wins. */
static void
describe_turn(const struct claims *claims, int64_t now_unix, usec_t now,
    struct buf *words)
{
	usec_t wait = claims_join_wait(claims, now_unix, now);

	if (wait > 0)
		buf_addf(words, "; this one is new here, and acts in %llu min",
		    (unsigned long long)((wait + USEC_MINUTE - 1) /
					 USEC_MINUTE));
	else if (claims->ladder == LADDER_FIRST)
		buf_add_str(
		    words, claims_is_first(claims)
			       ? "; this one was here first, and acts"
			       : "; another one was here first, and acts");
}

static void
describe_auto(const struct claims *claims, int64_t now_unix, usec_t now,
    struct buf *words)
{
	if (claims->refusal.len > 0) {
		buf_add_str(words, claims->had_others ? "waits" : "acts alone");
		buf_add_str(words, ", as " CLAIMS_MAILBOX " is refused: ");
		buf_add_span(words, buf_span(&claims->refusal));
	} else if (!claims->is_known) {
		buf_add_str(words, "looks for other "
				   "machines when a rule first acts");
	} else if (claims->count == 0) {
		buf_add_str(words, "no other machine");
	} else {
		buf_addf(words, "%zu other machine%s: %s", claims->count,
		    claims->count == 1 ? "" : "s",
		    ladder_words[claims->ladder]);
		describe_turn(claims, now_unix, now, words);
	}
}

void
claims_describe(const struct claims *claims, int64_t now_unix, usec_t now,
    struct buf *words)
{
	static const char *const modes[CLAIM_MODES] = {
	    [CLAIM_NO] = "acts alone (claim = no)",
	    [CLAIM_LEADER] = "acts (claim = leader)",
	    [CLAIM_STANDBY] = "stands by (claim = standby)",
	};

	if (claims->mode == CLAIM_AUTO)
		describe_auto(claims, now_unix, now, words);
	else
		buf_add_str(words, modes[claims->mode]);
}
