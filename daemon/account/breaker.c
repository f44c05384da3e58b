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
is_within(
    const struct breaker_mark *mark, uint64_t digest, usec_t window, usec_t now)
{
	return mark->digest == digest && now < usec_add(mark->at, window);
}

void
breaker_done(struct breaker *breaker)
{
	free(breaker->marks);
	breaker->marks = NULL;
}

static bool
is_open(const struct breaker_marks *marks, uint64_t digest, usec_t now)
{
	for (unsigned i = 0; i < BREAKER_OPEN_MAX; i++)
		if (is_within(&marks->open[i], digest, BREAKER_OPEN_USEC, now))
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
		if (is_within(
			&marks->recent[i], digest, BREAKER_WINDOW_USEC, now))
			same++;
	if (same < BREAKER_SAME_MAX || same < breaker->same_max)
		return true;
	marks->open[marks->next_open] = (struct breaker_mark){digest, now};
	marks->next_open = (marks->next_open + 1) % BREAKER_OPEN_MAX;
	return false;
}

void
breaker_note(struct breaker *breaker, struct span target, struct span subject,
    usec_t now)
{
	struct breaker_marks *marks = breaker->marks;

	if (marks == NULL)
		marks = breaker->marks = NEW(struct breaker_marks);
	marks->recent[marks->next_recent] =
	    (struct breaker_mark){digest_of(target, subject), now};
	marks->next_recent = (marks->next_recent + 1) % BREAKER_RECENT_MAX;
}
