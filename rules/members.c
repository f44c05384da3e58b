#include "rules/members.h"

#include "daemon/base/buf.h"
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"

void
members_done(struct members *members)
{
	strv_done(&members->exact);
	strv_done(&members->domains);
}

static void
add_lower(struct buf *buf, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		buf_add_char(buf, char_to_lower(text.data[i]));
}

void
members_add(struct members *members, struct span member)
{
	BUF_AUTO lower = BUF_INIT;

	member = span_trim(member);
	if (member.len == 0)
		return;
	add_lower(&lower, member);
	if (lower.data[0] == '@')
		strv_add_span(
		    &members->domains, span_skip(buf_span(&lower), 1));
	else
		strv_add_span(&members->exact, buf_span(&lower));
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

void
members_set_text(struct members *members, struct span text)
{
	struct span line;

	members_done(members);
	while (span_split(&text, '\n', &line)) {
		line = span_trim(line);
		if (line.len > 0 && line.data[0] != '#')
			members_add(members, line);
	}
	members_seal(members);
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
	BUF_AUTO lower = BUF_INIT;
	const char *at;

	add_lower(&lower, span_trim(value));
	if (lower.len == 0)
		return false;
	if (find(&members->exact, lower.data))
		return true;
	if (members->domains.len == 0)
		return false;
	at = strrchr(lower.data, '@');
	if (at != NULL)
		return find_domain(&members->domains, at + 1);
	return is_domain && find_domain(&members->domains, lower.data);
}
