#include "daemon/account/breaker.h"

#include <string.h>

#include "daemon/base/buf.h"
#include "daemon/base/digest.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

/* One "re:", "fwd:" and so on less; false: there is none. */
static bool
skip_prefix(struct span *subject)
{
	static const char *const prefixes[] = {
	    "re:", "fwd:", "fw:", "wg:", "aw:", "tr:"};

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (span_starts_nocase(*subject, prefixes[i])) {
			*subject =
			    span_trim(span_skip(*subject, strlen(prefixes[i])));
			return true;
		}
	return false;
}

/* Lower case, one blank for many. */
static void
add_folded(struct buf *out, struct span text)
{
	bool blank = false;

	for (size_t i = 0; i < text.len; i++) {
		if (char_is_blank(text.data[i])) {
			blank = out->len > 0;
			continue;
		}
		if (blank)
			buf_add_char(out, ' ');
		blank = false;
		buf_add_char(out, char_to_lower(text.data[i]));
	}
}

static uint64_t
digest_of(struct span target, struct span subject)
{
	unsigned char digest[DIGEST_SIZE];
	BUF_AUTO to = BUF_INIT;
	BUF_AUTO words = BUF_INIT;
	uint64_t key;

	subject = span_trim(subject);
	while (skip_prefix(&subject))
		;
	add_folded(&to, target);
	add_folded(&words, subject);
	const struct span pieces[] = {
	    buf_span(&to), SPAN("\n"), buf_span(&words)};
	digest_sha256(pieces, 3, digest);
	memcpy(&key, digest, sizeof(key));
	return key != 0 ? key : 1;
}

static bool
counts(const struct breaker_mark *mark, usec_t now)
{
	return mark->digest != 0 && now < mark->until;
}

void
breaker_done(struct breaker *breaker)
{
	free(breaker->marks);
	breaker->marks = NULL;
}

static struct breaker_marks *
marks_of(struct breaker *breaker)
{
	if (breaker->marks == NULL)
		breaker->marks = NEW(struct breaker_marks);
	return breaker->marks;
}

static void
add_recent(struct breaker *breaker, uint64_t digest, usec_t until)
{
	struct breaker_marks *marks = marks_of(breaker);

	marks->recent[marks->next_recent] =
	    (struct breaker_mark){digest, until};
	marks->next_recent = (marks->next_recent + 1) % BREAKER_RECENT_MAX;
}

static void
add_open(struct breaker *breaker, uint64_t digest, usec_t until)
{
	struct breaker_marks *marks = marks_of(breaker);

	marks->open[marks->next_open] = (struct breaker_mark){digest, until};
	marks->next_open = (marks->next_open + 1) % BREAKER_OPEN_MAX;
}

static bool
is_open(const struct breaker_marks *marks, uint64_t digest, usec_t now)
{
	for (unsigned i = 0; i < BREAKER_OPEN_MAX; i++)
		if (marks->open[i].digest == digest &&
		    counts(&marks->open[i], now))
			return true;
	return false;
}

bool
breaker_allows(struct breaker *breaker, struct span target, struct span subject,
    usec_t now)
{
	struct breaker_marks *marks = breaker->marks;
	uint64_t digest;
	unsigned same = 0;

	if (marks == NULL)
		return true;
	digest = digest_of(target, subject);
	if (is_open(marks, digest, now))
		return false;
	for (unsigned i = 0; i < BREAKER_RECENT_MAX; i++)
		same += marks->recent[i].digest == digest &&
			counts(&marks->recent[i], now);
	if (same < BREAKER_SAME_MAX || same < breaker->same_max)
		return true;
	add_open(breaker, digest, usec_add(now, BREAKER_OPEN_USEC));
	return false;
}

void
breaker_note(struct breaker *breaker, struct span target, struct span subject,
    usec_t now)
{
	add_recent(breaker, digest_of(target, subject),
	    usec_add(now, BREAKER_WINDOW_USEC));
}

/* ---- over a restart ---- */

/*
 *   text = [ mark *( SP mark ) ]
 *   mark = kind digest "/" until        ; both decimal, until in Unix seconds
 *   kind = "r" / "o"                    ; recent, open
 */
static const struct mark_kind {
	char letter;
	void (*add)(struct breaker *breaker, uint64_t digest, usec_t until);
	usec_t window;
} mark_kinds[] = {
    {'r', add_recent, BREAKER_WINDOW_USEC},
    {'o', add_open, BREAKER_OPEN_USEC},
};

static void
save_marks(struct buf *out, char letter, const struct breaker_mark *marks,
    unsigned count, int64_t now_unix, usec_t now)
{
	for (unsigned i = 0; i < count; i++) {
		if (!counts(&marks[i], now))
			continue;
		buf_addf(out, "%s%c%llu/%lld", out->len > 0 ? " " : "", letter,
		    (unsigned long long)marks[i].digest,
		    (long long)now_unix +
			(long long)((marks[i].until - now) / USEC_SEC));
	}
}

void
breaker_save(const struct breaker *breaker, struct buf *out, int64_t now_unix,
    usec_t now)
{
	const struct breaker_marks *marks = breaker->marks;

	if (marks == NULL)
		return;
	save_marks(out, 'o', marks->open, BREAKER_OPEN_MAX, now_unix, now);
	save_marks(out, 'r', marks->recent, BREAKER_RECENT_MAX, now_unix, now);
}

static void
load_mark(struct breaker *breaker, const struct mark_kind *kind,
    struct span text, int64_t now_unix, usec_t now)
{
	size_t slash = span_find(text, '/');
	uint64_t digest, until;
	usec_t left;

	if (slash == SIZE_MAX || now_unix < 0 ||
	    !span_to_u64(span_slice(text, 1, slash - 1), &digest) ||
	    !span_to_u64(span_skip(text, slash + 1), &until) || digest == 0 ||
	    until <= (uint64_t)now_unix)
		return;
	left = kind->window;
	if (until - (uint64_t)now_unix < left / USEC_SEC)
		left = (until - (uint64_t)now_unix) * USEC_SEC;
	kind->add(breaker, digest, usec_add(now, left));
}

void
breaker_load(
    struct breaker *breaker, struct span text, int64_t now_unix, usec_t now)
{
	struct span mark;

	while (span_split(&text, ' ', &mark))
		for (size_t i = 0;
		     i < sizeof(mark_kinds) / sizeof(mark_kinds[0]); i++)
			if (mark.len > 0 &&
			    mark.data[0] == mark_kinds[i].letter)
				load_mark(breaker, &mark_kinds[i], mark,
				    now_unix, now);
}

static void
forget_recent(struct breaker_marks *marks, uint64_t digest)
{
	for (unsigned i = 0; i < BREAKER_RECENT_MAX; i++)
		if (marks->recent[i].digest == digest)
			marks->recent[i] = (struct breaker_mark){0};
}

unsigned
breaker_resume(struct breaker *breaker, usec_t now)
{
	struct breaker_marks *marks = breaker->marks;
	unsigned count = 0;

	for (unsigned i = 0; marks != NULL && i < BREAKER_OPEN_MAX; i++) {
		if (!counts(&marks->open[i], now))
			continue;
		forget_recent(marks, marks->open[i].digest);
		marks->open[i] = (struct breaker_mark){0};
		count++;
	}
	return count;
}

unsigned
breaker_count_open(const struct breaker *breaker, usec_t *until_r, usec_t now)
{
	unsigned count = 0;

	*until_r = 0;
	for (unsigned i = 0; breaker->marks != NULL && i < BREAKER_OPEN_MAX;
	     i++) {
		const struct breaker_mark *mark = &breaker->marks->open[i];
		if (!counts(mark, now))
			continue;
		count++;
		if (mark->until > *until_r)
			*until_r = mark->until;
	}
	return count;
}
