#include "daemon/account/claim_log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/account/claim.h"
#include "daemon/base/digest.h"
#include "daemon/base/xalloc.h"

#define BOX_DIGITS 10 /* of a digest */

/* A line of an entry. */
struct line {
	uint32_t uid;
	int64_t received_unix; /* by the server's clock */
	bool is_ours, is_mark;
	uint32_t log; /* UIDVALIDITY of the log as its writer knew it */
	char box[BOX_DIGITS + 1];
	uint32_t validity, base;
	bool add;
	struct imap_seqset uids;
	char *words; /* owned; with commas */
};

struct claim_log {
	char *node; /* owned */
	uint32_t validity, position;
	int64_t newest_unix; /* of all entries */
	usec_t void_until;
	bool disordered;
	struct line *lines; /* owned, ascending UIDs */
	size_t count, cap;
};

struct claim_log *
claim_log_new(const char *node)
{
	struct claim_log *log = NEW(struct claim_log);

	log->node = xstrdup(node);
	return log;
}

static void
line_done(struct line *line)
{
	imap_seqset_done(&line->uids);
	free(line->words);
}

static void
forget_all(struct claim_log *log)
{
	for (size_t i = 0; i < log->count; i++)
		line_done(&log->lines[i]);
	log->count = 0;
	log->position = 0;
	log->newest_unix = 0;
}

void
claim_log_free(struct claim_log **log)
{
	if (*log == NULL)
		return;
	forget_all(*log);
	free((*log)->lines);
	free((*log)->node);
	free(*log);
	*log = NULL;
}

void
claim_log_open(struct claim_log *log, uint32_t uidvalidity, usec_t now)
{
	if (log->validity == uidvalidity)
		return;
	if (log->validity != 0) {
		forget_all(log);
		log->void_until = usec_add(now, CLAIM_LEASE_USEC);
	}
	log->validity = uidvalidity;
}

uint32_t
claim_log_validity(const struct claim_log *log)
{
	return log->validity;
}

bool
claim_log_is_void(const struct claim_log *log, usec_t now)
{
	return now < log->void_until;
}

uint32_t
claim_log_from(const struct claim_log *log)
{
	return log->position > CLAIM_LOG_OVERLAP
		   ? log->position - CLAIM_LOG_OVERLAP
		   : 1;
}

uint32_t
claim_log_position(const struct claim_log *log)
{
	return log->position > 0 ? log->position : 1;
}

bool
claim_log_is_disordered(const struct claim_log *log)
{
	return log->disordered;
}

/* ---- reading ---- */

static void
add_box(struct span mailbox, struct buf *box)
{
	BUF_AUTO key = BUF_INIT;

	digest_key(&key, &mailbox, 1);
	buf_addf(box, "%.*s", BOX_DIGITS, buf_str(&key));
}

static bool
read_number(struct span *rest, uint32_t *number_r)
{
	struct span word;
	uint64_t number;

	if (!span_split(rest, ' ', &word) || !span_to_u64(word, &number) ||
	    number > UINT32_MAX)
		return false;
	*number_r = (uint32_t)number;
	return true;
}

/*
 * line = node SP log SP box SP validity SP base SP sign SP set SP words
 * words = atom *("," atom)
 */
static bool
parse(const struct claim_log *log, struct span rest, struct line *line_r)
{
	struct line line = {0};
	struct span node, box, sign, set;

	if (!span_split(&rest, ' ', &node) || !read_number(&rest, &line.log) ||
	    !span_split(&rest, ' ', &box) || box.len != BOX_DIGITS ||
	    !read_number(&rest, &line.validity) ||
	    !read_number(&rest, &line.base) || !span_split(&rest, ' ', &sign) ||
	    sign.len != 1 || (sign.data[0] != '+' && sign.data[0] != '-') ||
	    !span_split(&rest, ' ', &set) || rest.len == 0 ||
	    !imap_seqset_parse(set, &line.uids))
		return false;
	memcpy(line.box, box.data, BOX_DIGITS);
	line.is_ours = span_is_nocase(node, log->node);
	line.add = sign.data[0] == '+';
	line.is_mark = span_starts_nocase(rest, CLAIM_MARK_PREFIX);
	line.words = xstrdup_span(rest);
	*line_r = line;
	return true;
}

/* Where lines of `uid` stand, or would. */
static size_t
place(const struct claim_log *log, uint32_t uid)
{
	size_t i = log->count;

	while (i > 0 && log->lines[i - 1].uid >= uid)
		i--;
	return i;
}

static void
insert(struct claim_log *log, size_t at, const struct line *line)
{
	if (log->count == log->cap) {
		log->cap = log->cap > 0 ? log->cap * 2 : 64;
		log->lines =
		    xreallocarray(log->lines, log->cap, sizeof(*log->lines));
	}
	memmove(&log->lines[at + 1], &log->lines[at],
	    (log->count - at) * sizeof(*log->lines));
	log->lines[at] = *line;
	log->count++;
}

/* It is in front of what was read before, and those that were are in memory
 * for a day: it came late. */
static bool
came_late(const struct claim_log *log, uint32_t uid, int64_t received_unix)
{
	return uid <= log->position &&
	       log->newest_unix - received_unix < CLAIM_LOG_CLAIM_SEC / 2;
}

void
claim_log_read(struct claim_log *log, uint32_t uid, int64_t received_unix,
    const struct span *lines, size_t count)
{
	size_t at = place(log, uid);
	struct line line;

	if (at < log->count && log->lines[at].uid == uid)
		return;
	for (size_t i = 0; i < count; i++) {
		if (!parse(log, lines[i], &line))
			continue;
		line.uid = uid;
		line.received_unix = received_unix;
		if (came_late(log, uid, received_unix))
			log->disordered = true;
		insert(log, at++, &line);
	}
}

static int64_t
age_of(const struct claim_log *log, const struct line *line)
{
	return line->received_unix != 0 ? log->newest_unix - line->received_unix
					: 0;
}

static int64_t
life_of(const struct line *line)
{
	return line->is_mark ? CLAIM_LOG_MARK_SEC : CLAIM_LOG_CLAIM_SEC;
}

static void
forget_first(struct claim_log *log, size_t most)
{
	if (log->count <= most)
		return;
	size_t excess = log->count - most;
	for (size_t i = 0; i < excess; i++)
		line_done(&log->lines[i]);
	memmove(log->lines, &log->lines[excess], most * sizeof(*log->lines));
	log->count = most;
}

void
claim_log_read_end(struct claim_log *log)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct line *line = &log->lines[i];
		if (line->uid > log->position)
			log->position = line->uid;
		if (line->received_unix > log->newest_unix)
			log->newest_unix = line->received_unix;
	}
	forget_first(log, CLAIM_LOG_LINES_MAX);
}

/* ---- what it says ---- */

struct words {
	struct span *items;
	size_t count;
};

/* True: it was not so. */
static bool
set_word(struct words *words, struct span word, bool add)
{
	for (size_t i = 0; i < words->count; i++) {
		if (!span_equal(words->items[i], word))
			continue;
		if (!add)
			words->items[i] = words->items[--words->count];
		return !add;
	}
	if (!add || words->count == CLAIM_LOG_WORDS_MAX)
		return false;
	words->items[words->count++] = word;
	return true;
}

static bool
apply(struct words *words, const struct line *line)
{
	struct span rest = span_from_str(line->words), word;
	bool changed = false;

	while (span_split(&rest, ',', &word))
		changed |= set_word(words, word, line->add);
	return changed;
}

/* One that was written for a log that is gone came late, and says nothing; 0
 * is of who had not opened it yet. */
static bool
is_of_this_log(const struct claim_log *log, const struct line *line)
{
	return line->log == 0 || line->log == log->validity;
}

size_t
claim_log_words(const struct claim_log *log, struct span mailbox,
    uint32_t uidvalidity, uint32_t uid,
    struct span words_r[static CLAIM_LOG_WORDS_MAX], uint32_t *changed_r)
{
	struct words words = {words_r, 0};
	BUF_AUTO box = BUF_INIT;

	add_box(mailbox, &box);
	*changed_r = 1;
	for (size_t i = 0; i < log->count; i++) {
		const struct line *line = &log->lines[i];
		if (!is_of_this_log(log, line) ||
		    line->validity != uidvalidity ||
		    strcmp(line->box, buf_str(&box)) != 0 ||
		    !imap_seqset_has(&line->uids, uid) ||
		    (line->base != 0 && *changed_r > line->base))
			continue;
		if (apply(&words, line))
			*changed_r = line->uid;
	}
	return words.count;
}

/* ---- writing ---- */

static void
add_line(const struct claim_log *log, const struct claim_log_store *store,
    struct span set, struct buf *message)
{
	buf_addf(message, CLAIM_LOG_HEADER ": %s %lu ", log->node,
	    (unsigned long)log->validity);
	add_box(store->mailbox, message);
	buf_addf(message, " %lu %lu %c ", (unsigned long)store->uidvalidity,
	    (unsigned long)store->base, store->add ? '+' : '-');
	buf_add_span(message, set);
	buf_add_char(message, ' ');
	for (const char *c = store->words; *c != '\0'; c++)
		buf_add_char(message, *c == ' ' ? ',' : *c);
	buf_add_str(message, "\r\n");
}

/* The first piece of a set that fits into a line. */
static struct span
take_piece(struct span *rest)
{
	size_t len = rest->len;

	if (len > CLAIM_LOG_SET_MAX) {
		len = CLAIM_LOG_SET_MAX;
		while (rest->data[len] != ',')
			len--;
	}
	struct span piece = {rest->data, len};
	bool more = len < rest->len;
	rest->data += len + more;
	rest->len -= len + more;
	return piece;
}

void
claim_log_compose(const struct claim_log *log,
    const struct claim_log_store *store, struct buf *message)
{
	BUF_AUTO set = BUF_INIT;
	struct span rest;

	assert(store->uids->count > 0);
	imap_seqset_format(&set, store->uids);
	rest = buf_span(&set);
	buf_add_str(message, "From: Belfry <belfry@localhost>\r\n"
			     "Subject: Belfry agrees with other machines\r\n");
	while (rest.len > 0)
		add_line(log, store, take_piece(&rest), message);
	buf_add_str(message,
	    "MIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n"
	    "\r\n"
	    "Which machine acts on which message. It is removed after a "
	    "while.\r\n");
}

void
claim_log_get_stale(const struct claim_log *log, struct imap_seqset *stale)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct line *line = &log->lines[i];
		int64_t life = life_of(line);
		if (!line->is_ours)
			life += CLAIM_LOG_OTHERS_SEC;
		if (age_of(log, line) >= life)
			imap_seqset_add(stale, line->uid);
	}
}
