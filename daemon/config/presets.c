/* What is known about mail providers: see presets.h; the rows are in
 * presets_table.h. */
#include "daemon/config/presets.h"

#include "daemon/base/str.h"

/* One message, by the search that Gmail has for that. */
#define GMAIL_MESSAGE                                                          \
	"https://mail.google.com/mail/?authuser=${email}"                      \
	"#search/rfc822msgid%3A${message-id}"

/* The same at Fastmail. */
#define FASTMAIL_MESSAGE                                                       \
	"https://app.fastmail.com/mail/search:msgid%3A${message-id}"

static const struct preset presets[] = {
#include "daemon/config/presets_table.h"
};

#define PRESET_COUNT (sizeof(presets) / sizeof(presets[0]))

const struct preset *
presets_at(size_t index)
{
	return index < PRESET_COUNT ? &presets[index] : NULL;
}

const struct preset *
presets_find(struct span id)
{
	for (size_t i = 0; i < PRESET_COUNT; i++)
		if (span_is_nocase(id, presets[i].id))
			return &presets[i];
	return NULL;
}

const char *
presets_nearest(struct span id)
{
	const char *ids[PRESET_COUNT + 1];

	for (size_t i = 0; i < PRESET_COUNT; i++)
		ids[i] = presets[i].id;
	ids[PRESET_COUNT] = NULL;
	return str_nearest(id, ids);
}

const struct preset *
presets_find_domain(struct span domain)
{
	for (size_t i = 0; i < PRESET_COUNT; i++) {
		struct span rest = span_from_str(presets[i].domains), item;
		while (span_split(&rest, ' ', &item))
			if (item.len > 0 && span_equal_nocase(domain, item))
				return &presets[i];
	}
	return NULL;
}

const struct preset *
presets_find_any(struct span text)
{
	size_t at = span_find(text, '@');
	const struct preset *preset =
	    at == SIZE_MAX ? presets_find(text) : NULL;

	if (preset != NULL)
		return preset;
	return presets_find_domain(
	    at == SIZE_MAX ? text : span_skip(text, at + 1));
}

const struct preset *
presets_find_smtp(struct span host)
{
	for (size_t i = 0; i < PRESET_COUNT && host.len > 0; i++)
		if (presets[i].smtp.host != NULL &&
		    span_is_nocase(host, presets[i].smtp.host))
			return &presets[i];
	return NULL;
}

const struct preset *
presets_find_imap(struct span host)
{
	for (size_t i = 0; i < PRESET_COUNT && host.len > 0; i++)
		if (presets[i].imap.host != NULL &&
		    (span_is_nocase(host, presets[i].imap.host) ||
			(presets[i].imap_alt.host != NULL &&
			    span_is_nocase(host, presets[i].imap_alt.host))))
			return &presets[i];
	return NULL;
}

/* Whether `host` is `suffix` or ends in it behind a dot. */
static bool
is_under(struct span host, struct span suffix)
{
	if (suffix.len == 0 || host.len < suffix.len)
		return false;
	size_t at = host.len - suffix.len;
	if (at > 0 && host.data[at - 1] != '.')
		return false;
	return span_equal_nocase(span_skip(host, at), suffix);
}

const struct preset *
presets_find_mx(struct span host)
{
	const struct preset *best = NULL;
	size_t best_len = 0;

	if (host.len > 0 && host.data[host.len - 1] == '.')
		host.len--;
	for (size_t i = 0; i < PRESET_COUNT; i++) {
		struct span rest = span_from_str(presets[i].mx), item;
		while (span_split(&rest, ' ', &item)) {
			if (item.len <= best_len || !is_under(host, item))
				continue;
			best = &presets[i];
			best_len = item.len;
		}
	}
	return best;
}
