#include "rules/members.h"

#include "daemon/base/buf.h"
#include "daemon/base/fold.h"
#include "daemon/base/str.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* of editors that write it */
#define SMALL_VALUE 256		       /* bytes */

void
members_done(struct members *members)
{
	strv_done(&members->exact);
	strv_done(&members->domains);
}

/* One form for what is the same: the domain's labels in Unicode, all of it
 * folded. */
static void
add_folded(struct buf *buf, struct span text)
{
	BUF_AUTO unicode = BUF_INIT;
	size_t at = text.len;

	while (at > 0 && text.data[at - 1] != '@')
		at--;
	buf_add_span(&unicode, span_slice(text, 0, at));
	fold_add_domain(&unicode, span_skip(text, at));
	fold_add(buf, buf_span(&unicode));
}

void
members_add(struct members *members, struct span member)
{
	BUF_AUTO folded = BUF_INIT;

	member = span_trim(member);
	if (member.len == 0)
		return;
	add_folded(&folded, member);
	if (folded.data[0] == '@')
		strv_add_span(
		    &members->domains, span_skip(buf_span(&folded), 1));
	else
		strv_add_span(&members->exact, buf_span(&folded));
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
sort(struct strv *v)
{
	if (v->len > 1)
		qsort(v->items, v->len, sizeof(*v->items), compare);
}

void
members_seal(struct members *members)
{
	sort(&members->exact);
	sort(&members->domains);
}

bool
members_set_text(struct members *members, struct span text, size_t max)
{
	struct members fresh = {.exact = STRV_INIT, .domains = STRV_INIT};
	struct span line;

	if (span_starts(text, BYTE_ORDER_MARK))
		text = span_skip(text, strlen(BYTE_ORDER_MARK));
	while (span_split(&text, '\n', &line)) {
		line = span_trim(line);
		if (line.len == 0 || line.data[0] == '#')
			continue;
		if (fresh.exact.len + fresh.domains.len == max) {
			members_done(&fresh);
			return false;
		}
		members_add(&fresh, line);
	}
	members_done(members);
	*members = fresh;
	members_seal(members);
	return true;
}

static int
compare_span(const void *key, const void *item)
{
	const struct span *span = key;

	return span_compare(*span, span_from_str(*(char *const *)item));
}

static bool
find(const struct strv *sorted, struct span key)
{
	return sorted->len > 0 &&
	       bsearch(&key, sorted->items, sorted->len, sizeof(*sorted->items),
		   compare_span) != NULL;
}

/* The domain itself, then what is behind each dot. */
static bool
find_domain(const struct strv *domains, struct span domain)
{
	size_t dot;

	while (domains->len > 0) {
		if (find(domains, domain))
			return true;
		dot = span_find(domain, '.');
		if (dot == SIZE_MAX)
			break;
		domain = span_skip(domain, dot + 1);
	}
	return false;
}

/* What is behind the last "@"; data NULL: there is none. */
static struct span
domain_of(struct span value)
{
	for (size_t i = value.len; i > 0; i--)
		if (value.data[i - 1] == '@')
			return span_skip(value, i);
	return SPAN_EMPTY;
}

static bool
has_folded(const struct members *members, struct span value, bool is_domain)
{
	struct span domain;

	if (value.len == 0)
		return false;
	if (find(&members->exact, value))
		return true;
	domain = domain_of(value);
	if (domain.data != NULL)
		return find_domain(&members->domains, domain);
	return is_domain && find_domain(&members->domains, value);
}

/* Of most values lower case is all of their folding, and needs no memory. */
static bool
fold_small(char *folded, struct span value)
{
	if (value.len > SMALL_VALUE || utf8_ascii_length(value) != value.len ||
	    span_contains_nocase(value, SPAN("xn--")))
		return false;
	for (size_t i = 0; i < value.len; i++)
		folded[i] = char_to_lower(value.data[i]);
	return true;
}

bool
members_has(const struct members *members, struct span value, bool is_domain)
{
	BUF_AUTO folded = BUF_INIT;
	char small[SMALL_VALUE];

	value = span_trim(value);
	if (fold_small(small, value))
		return has_folded(
		    members, span_from(small, value.len), is_domain);
	add_folded(&folded, value);
	return has_folded(members, buf_span(&folded), is_domain);
}
