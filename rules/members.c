#include "rules/members.h"

#include "daemon/base/buf.h"
#include "daemon/base/fold.h"
#include "daemon/base/xalloc.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* of editors that write it */

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

static bool
find(const struct strv *sorted, const char *key)
{
	return sorted->len > 0 && bsearch(&key, sorted->items, sorted->len,
				      sizeof(*sorted->items), compare) != NULL;
}

/* The domain itself, then what is behind each dot. */
static bool
find_domain(const struct strv *domains, const char *domain)
{
	for (; domain != NULL; domain = strchr(domain, '.')) {
		if (*domain == '.')
			domain++;
		if (find(domains, domain))
			return true;
	}
	return false;
}

bool
members_has(const struct members *members, struct span value, bool is_domain)
{
	BUF_AUTO folded = BUF_INIT;
	const char *at;

	add_folded(&folded, span_trim(value));
	if (folded.len == 0)
		return false;
	if (find(&members->exact, folded.data))
		return true;
	if (members->domains.len == 0)
		return false;
	at = strrchr(folded.data, '@');
	if (at != NULL)
		return find_domain(&members->domains, at + 1);
	return is_domain && find_domain(&members->domains, folded.data);
}
