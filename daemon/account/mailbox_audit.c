/*
 * Late messages. A store that is kept in several places may show a message
 * with a UID below others that were there, and judged, before it. The cursor
 * is behind it, and no catch-up would ever meet it.
 *
 * So the last AUDIT_UIDS below the cursor are looked over an hour after each
 * SELECT (the places need their time to agree) and once a day: who is there and
 * was not there before is judged like any other.
 *
 *   UID SEARCH UID 4000:4999
 *
 * What is below the cursor of the first contact stays as it is: the first look
 * only finds out who is there. Many at once are no late messages but a mailbox
 * that had not told of all: they stay as they are, too; and so does what is
 * below the first contact and all that was ever seen there: some servers show
 * the newest messages only (Yahoo), and older ones again when those have gone.
 *
 * Who was there is a fact of the mailbox after each look; whoever was judged
 * is in the history. So a restart forgets nobody:
 *
 *   fact    = UIDVALIDITY SP first SP time SP bits [SP met]
 *   first   = UID that the first bit stands for
 *   time    = of the look: seconds since 1970; where the history does not go
 *             back so far, the next look only finds out who is there
 *   bits    = *HEXDIG ; four UIDs each, the lowest is the highest bit
 *   met     = the cursor of the first contact, if it is known
 */
#include "daemon/account/mailbox_private.h"
#include "daemon/base/xalloc.h"

#define AUDIT_UIDS 1000
#define AUDIT_AFTER_USEC USEC_HOUR
#define AUDIT_EVERY_USEC USEC_DAY
#define LATE_MAX 100

void
mailbox_audit_selected(struct mailbox *mb, usec_t now)
{
	struct audit *audit = &mb->audit;

	if (audit->validity != mb->uidvalidity)
		mailbox_audit_clear(mb);
	/* A mailbox that was open all the time is no reason to look anew. */
	if (mb->reopen.repeats && mb->uidvalidity == mb->cursor_validity)
		return;
	audit->selected = now;
	/* Connections may be shorter than the hour. */
	if (audit->due == 0 || audit->due > usec_add(now, AUDIT_AFTER_USEC))
		audit->due = usec_add(now, AUDIT_AFTER_USEC);
}

void
mailbox_audit_clear(struct mailbox *mb)
{
	imap_seqset_done(&mb->audit.known);
	imap_seqset_done(&mb->audit.found);
	imap_seqset_done(&mb->audit.late);
	mb->audit = (struct audit){
	    .due = mb->audit.due,
	    .selected = mb->audit.selected,
	};
}

/* The hour of the last SELECT, if it is not over. */
static usec_t
next_look(const struct mailbox *mb, usec_t now)
{
	usec_t after = usec_add(mb->audit.selected, AUDIT_AFTER_USEC);

	return after > now ? after : usec_add(now, AUDIT_EVERY_USEC);
}

static uint32_t
first_uid(const struct mailbox *mb)
{
	return mb->cursor > AUDIT_UIDS ? mb->cursor - AUDIT_UIDS : 1;
}

bool
mailbox_audit_begin(struct mailbox *mb, usec_t now)
{
	struct imap_seqset asked = IMAP_SEQSET_INIT;

	if (mb->audit.due > now || mb->visit != VISIT_NONE || !mb->has_cursor ||
	    mb->cursor <= 1 || mb->exists == 0)
		return false;
	mb->audit.due = next_look(mb, now);
	imap_seqset_done(&mb->audit.found);
	for (uint32_t uid = first_uid(mb); uid < mb->cursor; uid++)
		imap_seqset_add(&asked, uid);
	mailbox_enter(mb, MAILBOX_AUDITING, now);
	mailbox_resync_search(mb, &asked, now);
	imap_seqset_done(&asked);
	return true;
}

void
mailbox_audit_untagged(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	(void)now;
	imap_search_parse(response, &mb->audit.found);
}

void
mailbox_add_uids(struct imap_seqset *to, const struct imap_seqset *from,
    const struct imap_seqset *but, uint32_t first, uint32_t end)
{
	for (size_t i = 0; i < from->count; i++) {
		uint32_t uid = from->ranges[i].first, last;
		last = from->ranges[i].last;
		if (uid < first)
			uid = first;
		for (; uid < end && uid <= last; uid++)
			if (!imap_seqset_has(but, uid))
				imap_seqset_add(to, uid);
	}
}

static void
begin_to_know(struct mailbox *mb)
{
	struct audit *audit = &mb->audit;

	imap_seqset_done(&audit->known);
	mailbox_add_uids(&audit->known, &audit->found, &audit->late,
	    first_uid(mb), mb->cursor);
	audit->first = first_uid(mb);
	audit->validity = mb->uidvalidity;
}

/* Below it, and below the first contact, may be what was hidden. */
static uint32_t
first_late(const struct audit *audit)
{
	uint32_t lowest = audit->known.count > 0 ? audit->known.ranges[0].first
						 : audit->first;

	return audit->met != 0 && audit->met < lowest ? audit->met : lowest;
}

static void
look_for_late(struct mailbox *mb)
{
	struct audit *audit = &mb->audit;
	struct imap_seqset none = IMAP_SEQSET_INIT, kept = IMAP_SEQSET_INIT;

	/* From before the first contact. */
	if (audit->first > first_uid(mb))
		mailbox_add_uids(&audit->known, &audit->found, &none,
		    first_uid(mb), audit->first);
	audit->first = first_uid(mb);
	mailbox_add_uids(&kept, &audit->known, &none, audit->first, mb->cursor);
	imap_seqset_done(&audit->known);
	audit->known = kept;
	mailbox_add_uids(&audit->late, &audit->found, &audit->known,
	    first_late(audit), mb->cursor);
}

/* ---- the store ---- */

static void
add_bits(const struct mailbox *mb, uint32_t first, struct buf *text)
{
	for (uint32_t uid = first; uid < mb->cursor; uid += 4) {
		unsigned bits = 0;
		for (uint32_t i = 0; i < 4; i++)
			bits = bits << 1 |
			       imap_seqset_has(&mb->audit.known, uid + i);
		buf_addf(text, "%x", bits);
	}
}

static char *
fact_name(const struct mailbox *mb)
{
	return xasprintf(MAILBOX_AUDIT_FACT " %s", mb->name);
}

static void
add_place(
    const struct mailbox *mb, uint32_t first, struct buf *text, usec_t now)
{
	buf_addf(text, "%u %u %lld ", mb->audit.validity, first,
	    (long long)mailbox_unix(mb, now));
}

void
mailbox_audit_begin_at_cursor(
    struct mailbox *mb, struct store_batch *batch, usec_t now)
{
	STR_AUTO name = fact_name(mb);
	BUF_AUTO text = BUF_INIT;

	mailbox_audit_clear(mb);
	mb->audit.validity = mb->uidvalidity;
	mb->audit.first = mb->audit.met = mb->cursor;
	add_place(mb, mb->cursor, &text, now);
	store_batch_set_fact(batch, mb->config->account, name, buf_str(&text));
}

static void
remember(struct mailbox *mb, usec_t now)
{
	STR_AUTO name = fact_name(mb);
	uint32_t first =
	    mb->audit.first > first_uid(mb) ? mb->audit.first : first_uid(mb);
	BUF_AUTO text = BUF_INIT;

	add_place(mb, first, &text, now);
	add_bits(mb, first, &text);
	if (mb->audit.met != 0)
		buf_addf(&text, " %u", mb->audit.met);
	mailbox_learn(mb, name, buf_str(&text));
	mailbox_learned(mb);
}

static void
read_bits(struct audit *audit, struct span bits)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < bits.len && i < AUDIT_UIDS / 4; i++) {
		const char *digit = strchr(digits, bits.data[i]);
		uint32_t uid = audit->first + 4 * (uint32_t)i;
		if (bits.data[i] == '\0' || digit == NULL)
			return;
		for (uint32_t bit = 0; bit < 4; bit++)
			if ((digit - digits) >> (3 - bit) & 1)
				imap_seqset_add(&audit->known, uid + bit);
	}
}

/* Before the first look there is no bit yet, and the place is where it was met.
 */
static void
read_met(struct audit *audit, struct span bits_and_met)
{
	size_t blank = span_find(bits_and_met, ' ');

	audit->met = bits_and_met.len == 0 ? audit->first : 0;
	if (blank != SIZE_MAX)
		span_to_u32(span_skip(bits_and_met, blank + 1), &audit->met);
}

bool
mailbox_load_audit(struct mailbox *mb, struct span text, int64_t kept_unix)
{
	struct span validity, first, when;
	struct audit *audit = &mb->audit;
	uint32_t of, from;
	uint64_t seconds;

	if (audit->validity != 0 || !span_split(&text, ' ', &validity) ||
	    !span_split(&text, ' ', &first) || !span_split(&text, ' ', &when) ||
	    !span_to_u32(validity, &of) || !span_to_u32(first, &from) ||
	    from == 0 || from > UINT32_MAX - AUDIT_UIDS ||
	    !span_to_u64(when, &seconds) || seconds > INT64_MAX ||
	    (int64_t)seconds < kept_unix)
		return false;
	audit->validity = of;
	audit->first = from;
	read_met(audit, text);
	read_bits(audit, text);
	return true;
}

void
mailbox_load_judged(struct mailbox *mb, uint32_t uid)
{
	imap_seqset_add(&mb->audit.known, uid);
}

/* ---- who came late ---- */

static void
report_late(struct mailbox *mb)
{
	struct audit *audit = &mb->audit;
	uint64_t count = imap_seqset_size(&audit->late);

	if (count == 0)
		return;
	mailbox_report(mb, REPORT_WARNING, 0,
	    "%llu message%s came late, below others that were judged before "
	    "(UID %u and above): %s",
	    (unsigned long long)count, count == 1 ? "" : "s",
	    audit->late.ranges[0].first,
	    count > LATE_MAX ? "too many, they stay as they are, and belfryctl "
			       "apply judges them"
			     : "judged now");
	if (count <= LATE_MAX)
		return;
	mailbox_audit_note(mb, &audit->late);
	imap_seqset_done(&audit->late);
}

void
mailbox_audit_done(
    struct mailbox *mb, const struct imap_response *response, usec_t now)
{
	imap_seqset_done(&mb->audit.late);
	if (response->status == IMAP_OK) {
		if (mb->audit.validity == mb->uidvalidity)
			look_for_late(mb);
		else
			begin_to_know(mb);
		report_late(mb);
		remember(mb, now);
	}
	imap_seqset_done(&mb->audit.found);
	mailbox_go_on(mb, now);
}

void
mailbox_audit_note_below(struct mailbox *mb, uint32_t validity,
    const struct imap_seqset *uids, uint32_t end)
{
	struct imap_seqset none = IMAP_SEQSET_INIT;

	if (mb->audit.validity == validity)
		mailbox_add_uids(&mb->audit.known, uids, &none, 1, end);
}

void
mailbox_audit_note(struct mailbox *mb, const struct imap_seqset *uids)
{
	mailbox_audit_note_below(mb, mb->uidvalidity, uids, UINT32_MAX);
}
