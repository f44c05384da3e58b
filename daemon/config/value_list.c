#include "daemon/config/value_private.h"

#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "daemon/config/test_message.h"
#include "rules/escalate.h"

bool
value_parse_items(struct value *value, struct span text, struct strv *member,
    value_item_fn *check)
{
	struct span rest = text, piece;

	while (span_split(&rest, ',', &piece)) {
		struct span item = span_trim(piece);
		bool is_last = rest.data == NULL;
		if (item.len == 0 && is_last && member->len > 0)
			break;
		if (item.len == 0)
			return fail(value, piece.data, NULL,
			    "nothing stands between the commas");
		if (member->len >= VALUE_ITEMS_MAX)
			return fail(value, item.data, NULL,
			    "more than %d items", VALUE_ITEMS_MAX);
		if (!check(value, item))
			return false;
		strv_add_span(member, item);
	}
	return true;
}

static bool
check_word(struct value *value, struct span item)
{
	(void)value, (void)item;
	return true;
}

bool
value_parse_words(struct value *value, struct span text, void *member)
{
	return value_parse_items(value, text, member, check_word);
}

static bool
check_mailbox(struct value *value, struct span item)
{
	static const char *const special[] = {"\\All", "\\Archive", "\\Drafts",
	    "\\Flagged", "\\Important", "\\Junk", "\\Sent", "\\Trash", NULL};

	if (item.data[0] == '/' || item.data[item.len - 1] == '/' ||
	    span_find_span(item, SPAN("//"), 0) != SIZE_MAX)
		return fail(value, item.data, NULL,
		    "a mailbox name has a name on each side of a `/`");
	if (item.data[0] != '\\')
		return true;
	for (size_t i = 0; special[i] != NULL; i++)
		if (span_is_nocase(item, special[i]))
			return true;
	const char *nearest = str_nearest(item, special);
	STR_AUTO hint =
	    nearest == NULL
		? xstrdup("there are \\All, \\Archive, \\Drafts, \\Flagged, "
			  "\\Important, \\Junk, \\Sent and \\Trash")
		: xasprintf("did you mean `%s`?", nearest);
	return fail(value, item.data, hint, "unknown special-use mailbox");
}

bool
value_parse_mailboxes(struct value *value, struct span text, void *member)
{
	return value_parse_items(value, text, member, check_mailbox);
}

/* RFC 5322 2.2: printable ASCII but the colon. */
bool
value_parse_header(struct value *value, struct span text, void *member)
{
	size_t colon = span_find(text, ':');
	struct strv *headers = member;

	if (colon == SIZE_MAX || colon == 0)
		return fail(value, text.data, NULL,
		    "a header field is written as `Name: value`");
	for (size_t i = 0; i < colon; i++)
		if (text.data[i] <= ' ' || text.data[i] > '~')
			return fail(value, text.data + i, NULL,
			    "this character is not allowed in the name of a "
			    "header field");
	if (headers->len >= VALUE_ITEMS_MAX)
		return fail(value, text.data, NULL, "more than %d fields",
		    VALUE_ITEMS_MAX);
	strv_add_span(headers, text);
	return true;
}

bool
value_parse_escalation(struct value *value, struct span text, void *member)
{
	struct strv *escalations = member;
	struct action action;
	struct span names;
	BUF_AUTO hint = BUF_INIT;

	action_init(&action, ACTION_NOTIFY);
	if (!escalate_parse(text, &names, &action))
		return fail(value, text.data, escalate_hint(text, &hint),
		    "a notifier and a time from 10s to 7d are expected, as in "
		    "phone after 10m unless read");
	if (escalations->len >= VALUE_ITEMS_MAX)
		return fail(value, text.data, NULL, "more than %d of them",
		    VALUE_ITEMS_MAX);
	strv_add_span(escalations, text);
	return true;
}

static bool
add_item(struct value *value, struct span text, struct strv *items)
{
	if (items->len >= VALUE_ITEMS_MAX)
		return fail(value, text.data, NULL, "more than %d of them",
		    VALUE_ITEMS_MAX);
	strv_add_span(items, text);
	return true;
}

bool
value_parse_line(struct value *value, struct span text, void *member)
{
	return add_item(value, text, member);
}

bool
value_parse_attachment(struct value *value, struct span text, void *member)
{
	struct test_attachment attachment;

	if (!test_attachment_parse(text, &attachment))
		return fail(value, text.data,
		    "such as `invoice.pdf application/pdf 200K`",
		    "behind the name of an attachment come its type and its "
		    "size");
	return add_item(value, text, member);
}
