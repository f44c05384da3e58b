#include "daemon/account/folders.h"

#include <stdlib.h>

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/wire/imap/utf7.h"

/* RFC 6154 attributes; \Spam is what XLIST servers say. */
static const struct {
	const char *attribute;
	enum folder_use use;
} attributes[] = {
    {"\\Archive", FOLDER_ARCHIVE},
    {"\\All", FOLDER_ARCHIVE},
    {"\\AllMail", FOLDER_ARCHIVE},
    {"\\Junk", FOLDER_JUNK},
    {"\\Spam", FOLDER_JUNK},
    {"\\Trash", FOLDER_TRASH},
    {"\\Sent", FOLDER_SENT},
};

/* Usual names where a server announces no special use, best first. */
static const struct {
	enum folder_use use;
	const char *name;
} usual_names[] = {
    {FOLDER_ARCHIVE, "Archive"},
    {FOLDER_ARCHIVE, "Archives"},
    {FOLDER_ARCHIVE, "Archiv"},
    {FOLDER_JUNK, "Junk"},
    {FOLDER_JUNK, "Spam"},
    {FOLDER_JUNK, "Junk Email"},
    {FOLDER_JUNK, "Junk E-Mail"},
    {FOLDER_JUNK, "Bulk"},
    {FOLDER_JUNK, "Bulk Mail"},
    {FOLDER_JUNK, "Junk Mail"},
    {FOLDER_JUNK, "Spamverdacht"},
    {FOLDER_TRASH, "Trash"},
    {FOLDER_TRASH, "Deleted Messages"},
    {FOLDER_TRASH, "Deleted Items"},
    {FOLDER_TRASH, "Deleted"},
    {FOLDER_TRASH, "Papierkorb"},
    {FOLDER_TRASH, "Gel\xc3\xb6scht"},
    {FOLDER_SENT, "Sent"},
    {FOLDER_SENT, "Sent Messages"},
    {FOLDER_SENT, "Sent Items"},
    {FOLDER_SENT, "Sent Mail"},
    {FOLDER_SENT, "Gesendet"},
};

#define CAP_FIRST 2
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

void
folders_init(struct folders *folders)
{
	*folders = (struct folders){.delimiter = '/', .prefix = xstrdup("")};
}

void
folders_clear(struct folders *folders)
{
	for (size_t i = 0; i < folders->count; i++) {
		struct folder *folder = &folders->items[i];

		if (folder->display != folder->wire)
			free(folder->display);
		free(folder->wire);
	}
	folders->count = 0;
	folders->known = false;
}

void
folders_done(struct folders *folders)
{
	folders_clear(folders);
	free(folders->items);
	free(folders->prefix);
	*folders = (struct folders){0};
}

static bool
is_inbox(struct span name)
{
	return span_is_nocase(name, "INBOX");
}

/* NAMESPACE (("INBOX." ".")) NIL NIL: the first personal one counts. */
static void
read_namespace(struct folders *folders, const struct imap_response *response)
{
	if (response->count == 0 || response->values[0].kind != IMAP_LIST ||
	    response->values[0].count == 0)
		return;
	const struct imap_value *first = &response->values[0].items[0];
	if (first->kind != IMAP_LIST || first->count < 2)
		return;
	if (first->items[0].text.len > FOLDER_NAME_MAX)
		return;
	free(folders->prefix);
	folders->prefix = xstrdup_span(first->items[0].text);
	struct span delimiter = first->items[1].text;
	folders->delimiter = delimiter.len == 1 ? delimiter.data[0] : 0;
}

void
folders_read(struct folders *folders, const struct imap_response *response)
{
	struct imap_list_entry entry;

	if (span_is_nocase(response->name, "NAMESPACE"))
		read_namespace(folders, response);
	else if (imap_list_parse(response, &entry))
		folders_add(folders, &entry);
}

static enum folder_use
use_of_entry(const struct imap_list_entry *entry)
{
	for (size_t i = 0; i < COUNT(attributes); i++)
		if (imap_list_has_attribute(entry, attributes[i].attribute))
			return attributes[i].use;
	return FOLDER_NONE;
}

void
folders_add(struct folders *folders, const struct imap_list_entry *entry)
{
	BUF_AUTO display = BUF_INIT;
	char *wire;

	if (folders->count >= FOLDERS_MAX || entry->name.len == 0 ||
	    entry->name.len > FOLDER_NAME_MAX)
		return;
	if (folders->count == 0 || folders->delimiter == 0)
		folders->delimiter = entry->delimiter;
	if (folders->count == folders->cap) {
		folders->cap = folders->cap ? folders->cap * 2 : CAP_FIRST;
		folders->items = xreallocarray(
		    folders->items, folders->cap, sizeof(*folders->items));
	}
	folders_display_name(folders, entry->name, &display);
	wire = xstrdup_span(entry->name);
	folders->items[folders->count++] = (struct folder){
	    .wire = wire,
	    .display = span_equal(buf_span(&display), entry->name)
			   ? wire
			   : buf_take_str(&display),
	    .use = use_of_entry(entry),
	    .selectable = !imap_list_has_attribute(entry, "\\Noselect") &&
			  !imap_list_has_attribute(entry, "\\NonExistent"),
	};
}

enum folder_use
folder_use_of(const char *name)
{
	for (size_t i = 0; i < COUNT(attributes); i++)
		if (span_is_nocase(
			span_from_str(name), attributes[i].attribute))
			return attributes[i].use;
	return FOLDER_NONE;
}

static const struct folder *
find_use(const struct folders *folders, enum folder_use use)
{
	for (size_t i = 0; i < folders->count; i++)
		if (folders->items[i].use == use &&
		    folders->items[i].selectable)
			return &folders->items[i];
	for (size_t n = 0; n < COUNT(usual_names); n++) {
		if (usual_names[n].use != use)
			continue;
		for (size_t i = 0; i < folders->count; i++)
			if (folders->items[i].selectable &&
			    span_is_nocase(
				span_from_str(folders->items[i].display),
				usual_names[n].name))
				return &folders->items[i];
	}
	return NULL;
}

static bool
add_special(const struct folders *folders, const char *name, struct buf *wire,
    struct error *error_r)
{
	enum folder_use use = folder_use_of(name);
	const struct folder *folder =
	    use != FOLDER_NONE ? find_use(folders, use) : NULL;

	if (use == FOLDER_NONE)
		return error_set(error_r, FAULT_CONFIG,
		    "there is no special folder \"%s\": \\Archive, \\Junk, "
		    "\\Trash and \\Sent are the names",
		    name);
	if (folder == NULL)
		return error_set(error_r, FAULT_CONFIG,
		    "this account has no %s folder: name one in the rule "
		    "with move =",
		    name + 1);
	buf_add_str(wire, folder->wire);
	return true;
}

/* Whether `first` is the word that the namespace's prefix already says, as in
 * "INBOX/Lists" with the prefix "INBOX.". */
static bool
repeats_prefix(const struct folders *folders, struct span first)
{
	struct span prefix = span_from_str(folders->prefix);

	if (prefix.len == 0)
		return false;
	if (prefix.data[prefix.len - 1] == folders->delimiter)
		prefix.len--;
	return span_equal_nocase(prefix, first);
}

/* The prefix as a level of its own: without its delimiter at the end. */
static void
add_prefix_level(const struct folders *folders, struct buf *out)
{
	struct span prefix = span_from_str(folders->prefix);

	if (prefix.data[prefix.len - 1] == folders->delimiter)
		prefix.len--;
	buf_add_span(out, prefix);
}

/* A level must not become two: what is the server's delimiter, though not the
 * person's, is written as '_', or as '-' where that is the delimiter. */
static void
add_level(const struct folders *folders, struct span level, struct buf *out)
{
	size_t from = out->len;
	char other = folders->delimiter == '_' ? '-' : '_';

	buf_add_span(out, level);
	for (size_t i = from; i < out->len; i++)
		if (folders->delimiter != 0 &&
		    out->data[i] == folders->delimiter)
			out->data[i] = other;
}

/* With the server's delimiter and its prefix, not yet encoded. */
static bool
join_levels(const struct folders *folders, const char *name, struct buf *joined,
    struct error *error_r)
{
	struct span rest = span_from_str(name), part;
	bool first = true;

	while (span_split(&rest, '/', &part)) {
		if (part.len == 0)
			return error_set(error_r, FAULT_CONFIG,
			    "folder \"%s\" has an empty level", name);
		if (!first && folders->delimiter == 0)
			return error_set(error_r, FAULT_CONFIG,
			    "folder \"%s\": this server has no folders "
			    "inside folders",
			    name);
		if (!first)
			buf_add_char(joined, folders->delimiter);
		if (first && repeats_prefix(folders, part)) {
			add_prefix_level(folders, joined);
		} else {
			if (first)
				buf_add_str(joined, folders->prefix);
			add_level(folders, part, joined);
		}
		first = false;
	}
	if (joined->len > FOLDER_NAME_MAX)
		return error_set(error_r, FAULT_LIMIT,
		    "folder name of more than %d bytes", FOLDER_NAME_MAX);
	return true;
}

static const struct folder *
find_displayed(const struct folders *folders, const char *name)
{
	for (size_t i = 0; i < folders->count; i++)
		if (strcmp(folders->items[i].display, name) == 0)
			return &folders->items[i];
	return NULL;
}

bool
folders_wire_name(const struct folders *folders, const char *name,
    struct buf *wire, struct error *error_r)
{
	BUF_AUTO joined = BUF_INIT;
	BUF_AUTO encoded = BUF_INIT;

	if (name[0] == '\\')
		return add_special(folders, name, wire, error_r);
	if (is_inbox(span_from_str(name))) {
		buf_add_str(wire, "INBOX");
		return true;
	}
	const struct folder *shown = find_displayed(folders, name);
	bool ok =
	    join_levels(folders, name, &joined, shown == NULL ? error_r : NULL);
	if (ok && !imap_utf7_encode(&encoded, buf_span(&joined)))
		ok = error_set(shown == NULL ? error_r : NULL, FAULT_CONFIG,
		    "folder \"%s\" is not valid UTF-8", name);
	if (shown != NULL &&
	    (!ok || folders_find(folders, buf_span(&encoded)) == NULL))
		buf_add_str(wire, shown->wire);
	else if (ok)
		buf_add_span(wire, buf_span(&encoded));
	return ok || shown != NULL;
}

const struct folder *
folders_find(const struct folders *folders, struct span wire)
{
	for (size_t i = 0; i < folders->count; i++) {
		struct span have = span_from_str(folders->items[i].wire);
		if (span_equal(have, wire) ||
		    (is_inbox(have) && is_inbox(wire)))
			return &folders->items[i];
	}
	return NULL;
}

void
folders_display_name(
    const struct folders *folders, struct span wire, struct buf *display)
{
	if (is_inbox(wire)) {
		buf_add_str(display, "INBOX");
		return;
	}
	if (span_starts(wire, folders->prefix))
		wire = span_skip(wire, strlen(folders->prefix));
	size_t from = display->len;
	imap_utf7_decode(display, wire);
	for (size_t i = from; i < display->len; i++)
		if (folders->delimiter != 0 &&
		    display->data[i] == folders->delimiter)
			display->data[i] = '/';
}

/*
 * Wildcards, in time |pattern| x |text|: `reach[i]` says whether the part of
 * the pattern that was read matches the first i bytes of the text.
 */
static bool
match_pattern(struct span pattern, struct span text)
{
	bool *reach = xcalloc(text.len + 1, sizeof(*reach));
	bool matched;

	reach[0] = true;
	for (size_t p = 0; p < pattern.len; p++) {
		char c = pattern.data[p];
		bool wild = c == '*' || c == '%';
		bool before = reach[0]; /* reach[i - 1] of the round before */
		reach[0] = wild && reach[0];
		for (size_t i = 1; i <= text.len; i++) {
			bool here = reach[i];
			char t = text.data[i - 1];
			if (wild)
				reach[i] = here || (reach[i - 1] &&
						       (c == '*' || t != '/'));
			else
				reach[i] = before && t == c;
			before = here;
		}
	}
	matched = reach[text.len];
	free(reach);
	return matched;
}

bool
folder_matches(const char *pattern, const char *display)
{
	if (is_inbox(span_from_str(display)))
		return is_inbox(span_from_str(pattern)) ||
		       strcmp(pattern, "*") == 0 || strcmp(pattern, "%") == 0;
	return match_pattern(span_from_str(pattern), span_from_str(display));
}
