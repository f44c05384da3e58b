#include "rules/getters.h"

#include "daemon/base/eai.h"
#include "daemon/base/str.h"
#include "daemon/base/usec.h"
#include "daemon/base/utf8.h"
#include "daemon/base/xalloc.h"
#include "daemon/mail/body.h"
#include "daemon/mail/structure.h"
#include "rules/authres.h"
#include "rules/view.h"

/* Addresses. */

static struct span
part_of(const struct address *address, enum address_part part)
{
	switch (part) {
	case PART_NAME:
		return span_from_str(address->name);
	case PART_USER:
		return span_from_str(address->user);
	case PART_DOMAIN:
		return span_from_str(address->domain);
	case PART_DETAIL:
		return span_from_str(address_detail(address));
	case PART_ADDR:
	case PART_COUNT:
		break;
	}
	return span_from_str(address->addr);
}

static void
add_addresses(struct view *view, const struct slot *slot, struct values *values,
    const char *header)
{
	struct message *message = view->facts->message;
	size_t i = message_first(message, header);

	for (; i != SIZE_MAX; i = message_next(message, i)) {
		const struct address_list *list =
		    message_field_addresses(message, i);

		for (size_t j = 0; j < list->count; j++) {
			struct span text = part_of(&list->items[j], slot->part);

			/* A part that is not there is missing, not empty. */
			if (text.len > 0)
				values_add(view, values, text);
		}
	}
}

void
get_addresses(struct view *view, const struct slot *slot, struct values *values)
{
	for (const char *const *header = slot->field->headers; *header != NULL;
	     header++)
		add_addresses(view, slot, values, *header);
}

/* `mine` is in ASCII; others may write their letters (RFC 6532). */
static bool
is_my_domain(struct span mine, struct span domain)
{
	BUF_AUTO ascii = BUF_INIT;
	const char *why;

	if (span_equal_nocase(domain, mine))
		return true;
	return utf8_ascii_length(domain) < domain.len &&
	       eai_add_address(&ascii, domain, &why) &&
	       span_equal_nocase(buf_span(&ascii), mine);
}

/* Whether `address` is `me`, also with a "+detail". */
static bool
is_me(const struct address *address, const char *me)
{
	const char *detail = address_detail(address);
	struct span user = span_from_str(address->user);
	struct span mine = span_from_str(me);
	size_t at = mine.len;

	while (at > 0 && mine.data[at - 1] != '@')
		at--;
	if (at == 0 ||
	    !is_my_domain(span_skip(mine, at), span_from_str(address->domain)))
		return false;
	mine = span_slice(mine, 0, at - 1);
	if (span_equal_nocase(user, mine))
		return true;
	user = span_slice(user, 0, user.len - strlen(detail));
	return user.len == mine.len + 1 && user.data[mine.len] == '+' &&
	       span_equal_nocase(span_slice(user, 0, mine.len), mine);
}

static bool
has_me(const struct facts *facts, const struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		for (size_t j = 0; j < facts->identities->len; j++)
			if (is_me(&list->items[i], facts->identities->items[j]))
				return true;
	return false;
}

void
get_to_me(struct view *view, const struct slot *slot, struct values *values)
{
	struct message *message = view->facts->message;
	size_t i = message_first(message, slot->field->headers[0]);

	if (view->facts->identities == NULL)
		return;
	for (; i != SIZE_MAX && !values->is_true; i = message_next(message, i))
		values->is_true =
		    has_me(view->facts, message_field_addresses(message, i));
}

/* Texts. */

static void
add_texts(struct view *view, struct values *values, const char *header)
{
	struct message *message = view->facts->message;
	size_t i = message_first(message, header);

	for (; i != SIZE_MAX; i = message_next(message, i))
		values_add_valid(values, message_field_text(message, i));
}

void
get_headers(struct view *view, const struct slot *slot, struct values *values)
{
	for (const char *const *header = slot->field->headers; *header != NULL;
	     header++)
		add_texts(view, values, *header);
}

void
get_argument(struct view *view, const struct slot *slot, struct values *values)
{
	add_texts(view, values, slot->argument);
}

void
get_raw(struct view *view, const struct slot *slot, struct values *values)
{
	struct message *message = view->facts->message;
	size_t i = message_first(message, slot->argument);

	for (; i != SIZE_MAX; i = message_next(message, i))
		values_add(
		    view, values, span_trim(message_field_raw(message, i)));
}

void
get_any_header(
    struct view *view, const struct slot *slot, struct values *values)
{
	struct message *message = view->facts->message;
	size_t count = message_field_count(message);

	(void)slot;
	for (size_t i = 0; i < count; i++)
		values_add_valid(values, message_field_text(message, i));
}

/* Parts. */

void
get_body(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	if (view->facts->body.len > 0)
		values_add(view, values, view->facts->body);
}

static size_t
count_attachments(const struct structure *structure)
{
	size_t count = 0;

	for (size_t i = 0; i < structure->count; i++)
		count += structure->parts[i].is_attachment;
	return count;
}

void
get_preview(struct view *view, const struct slot *slot, struct values *values)
{
	BUF_AUTO preview = BUF_INIT;

	(void)slot;
	body_add_preview(&preview, view->facts->body);
	if (preview.len > 0)
		values_add_copy(view, values, buf_span(&preview));
}

void
get_attachment(
    struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	values->is_true = count_attachments(view->facts->structure) > 0;
}

/* Calls `add` for each attachment of the message. */
static void
each_attachment(struct view *view, struct values *values,
    void (*add)(
	struct view *view, struct values *values, const struct part *part))
{
	const struct structure *structure = view->facts->structure;

	for (size_t i = 0; i < structure->count; i++)
		if (structure->parts[i].is_attachment)
			add(view, values, &structure->parts[i]);
}

static void
add_name(struct view *view, struct values *values, const struct part *part)
{
	if (part->name[0] != '\0')
		values_add(view, values, span_from_str(part->name));
}

void
get_attachment_names(
    struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	each_attachment(view, values, add_name);
}

static void
add_type(struct view *view, struct values *values, const struct part *part)
{
	values_add(view, values, span_from_str(part->type));
}

void
get_attachment_types(
    struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	each_attachment(view, values, add_type);
}

void
get_attachment_count(
    struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	values_add_number(
	    values, (int64_t)count_attachments(view->facts->structure));
}

/* Of the largest; missing where there is none. */
void
get_attachment_size(
    struct view *view, const struct slot *slot, struct values *values)
{
	const struct structure *structure = view->facts->structure;
	uint64_t largest = 0;

	(void)slot;
	for (size_t i = 0; i < structure->count; i++)
		if (structure->parts[i].is_attachment &&
		    structure->parts[i].size > largest)
			largest = structure->parts[i].size;
	if (count_attachments(structure) > 0)
		values_add_number(
		    values, largest > INT64_MAX ? INT64_MAX : (int64_t)largest);
}

void
get_new_sender(
    struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	values->is_true = view->facts->is_new_sender;
}

/* What stands between the last "<" and the ">" behind it, else all. */
static struct span
inside_brackets(struct span text)
{
	size_t start = text.len, len;

	while (start > 0 && text.data[start - 1] != '<')
		start--;
	if (start == 0)
		return text;
	len = span_find(span_skip(text, start), '>');
	return span_trim(span_slice(text, start, len));
}

void
get_bracketed(struct view *view, const struct slot *slot, struct values *values)
{
	struct message *message = view->facts->message;
	size_t i = message_first(message, slot->field->headers[0]);

	for (; i != SIZE_MAX; i = message_next(message, i)) {
		struct span text = span_trim(message_field_text(message, i));
		struct span inside = inside_brackets(text);

		values_add_valid(values, inside);
		if (inside.len != text.len)
			values_add_valid(values, text);
	}
}

void
get_message_id(
    struct view *view, const struct slot *slot, struct values *values)
{
	struct span id = message_id(view->facts->message);
	struct span inside = inside_brackets(id);

	(void)slot;
	if (id.len == 0)
		return;
	values_add(view, values, id);
	if (inside.len != id.len)
		values_add(view, values, inside);
}

/* Numbers. */

void
get_size(struct view *view, const struct slot *slot, struct values *values)
{
	uint64_t size = view->facts->size;

	(void)slot;
	values_add_number(values, size > INT64_MAX ? INT64_MAX : (int64_t)size);
}

void
get_age(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	values_add_number(
	    values, view->facts->now_unix - view->facts->received_unix);
}

void
get_sent(struct view *view, const struct slot *slot, struct values *values)
{
	int64_t date;

	(void)slot;
	if (message_date(view->facts->message, &date))
		values_add_number(values, view->facts->now_unix - date);
}

static struct unix_parts
local_time(const struct facts *facts, int64_t unix_seconds)
{
	int offset = facts->utc_offset;
	struct unix_parts parts;

	if (facts->utc_offset_at != NULL && unix_seconds != facts->now_unix)
		offset = facts->utc_offset_at(unix_seconds);
	unix_split(unix_seconds + offset, &parts);
	return parts;
}

void
get_hour(struct view *view, const struct slot *slot, struct values *values)
{
	struct unix_parts parts =
	    local_time(view->facts, view->facts->now_unix);

	(void)slot;
	values_add_number(values, parts.hour);
}

/* 1 for Monday to 7 for Sunday. */
void
get_weekday(struct view *view, const struct slot *slot, struct values *values)
{
	struct unix_parts parts =
	    local_time(view->facts, view->facts->now_unix);

	(void)slot;
	values_add_number(values, parts.weekday);
}

/* Facts. */

static const struct {
	const char *flag, *word;
} flag_names[] = {
    {"\\Seen", "read"},
    {"\\Flagged", "flagged"},
    {"\\Answered", "answered"},
    {"\\Draft", "draft"},
    {"\\Deleted", "deleted"},
};

void
get_flags(struct view *view, const struct slot *slot, struct values *values)
{
	const struct strv *flags = view->facts->flags;

	(void)slot;
	if (flags == NULL)
		return;
	for (size_t i = 0; i < sizeof(flag_names) / sizeof(*flag_names); i++)
		if (strv_has_nocase(flags, span_from_str(flag_names[i].flag)))
			values_add(
			    view, values, span_from_str(flag_names[i].word));
}

void
get_keywords(struct view *view, const struct slot *slot, struct values *values)
{
	const struct strv *flags = view->facts->flags;

	(void)slot;
	for (size_t i = 0; flags != NULL && i < flags->len; i++)
		if (flags->items[i][0] != '\\')
			values_add(
			    view, values, span_from_str(flags->items[i]));
}

void
get_mailbox(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	values_add(view, values, span_from_str(view->facts->mailbox));
}

void
get_account(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	values_add(view, values, span_from_str(view->facts->account));
}

static const char *const precedence_words[] = {"bulk", "list", "junk"};

static bool
is_bulk_precedence(struct span text)
{
	text = span_trim(text);
	for (size_t i = 0; i < 3; i++)
		if (span_is_nocase(text, precedence_words[i]))
			return true;
	return false;
}

void
get_bulk(struct view *view, const struct slot *slot, struct values *values)
{
	struct message *message = view->facts->message;
	size_t i = message_first(message, "Precedence");

	(void)slot;
	values->is_true =
	    message_first(message, "List-Id") != SIZE_MAX ||
	    message_first(message, "List-Post") != SIZE_MAX ||
	    message_first(message, "List-Unsubscribe") != SIZE_MAX;
	for (; i != SIZE_MAX && !values->is_true; i = message_next(message, i))
		values->is_true =
		    is_bulk_precedence(message_field_raw(message, i));
}

/* RFC 3834 section 5: a keyword, then perhaps comments and parameters. "no"
 * says that the field might as well be missing. */
void
get_auto_submitted(
    struct view *view, const struct slot *slot, struct values *values)
{
	struct message *message = view->facts->message;
	size_t i = message_first(message, slot->field->headers[0]);

	for (; i != SIZE_MAX; i = message_next(message, i)) {
		struct span text = span_trim(message_field_raw(message, i));
		size_t len = 0;

		while (len < text.len &&
		       (char_is_alnum(text.data[len]) || text.data[len] == '-'))
			len++;
		text = span_slice(text, 0, len);
		if (len > 0 && !span_is_nocase(text, "no"))
			values_add(view, values, text);
	}
}

/* The results of `method` in one field; false when it has none. */
static bool
add_results(struct view *view, struct values *values, struct authres *authres,
    const char *method)
{
	struct span name, result;
	bool found = false;

	while (authres_next(authres, &name, &result)) {
		if (!span_is_nocase(name, method))
			continue;
		values_add_copy(view, values, result);
		found = true;
	}
	return found;
}

/*
 * The topmost field that a trusted host wrote and that speaks of the method
 * decides: fields further down may be older than that host's own check.
 */
static void
get_results(struct view *view, struct values *values, const char *method)
{
	const struct strv *trusted = view->facts->authserv;
	struct message *message = view->facts->message;
	size_t i = message_first(message, "Authentication-Results");
	bool found = false;

	if (trusted == NULL)
		return;
	for (; i != SIZE_MAX && !found; i = message_next(message, i)) {
		struct authres authres;

		authres_init(&authres, message_field_raw(message, i));
		if (strv_has_nocase(trusted, authres.host))
			found = add_results(view, values, &authres, method);
		authres_done(&authres);
	}
}

/*
 * There is one SPF and one DMARC verdict, so two that differ mean that one
 * was smuggled in (a local part that the host did not quote, say): then
 * neither counts.
 */
static void
drop_contradiction(struct values *values)
{
	for (size_t i = 1; i < values->count; i++) {
		if (!span_equal_nocase(values->items[0], values->items[i])) {
			values->count = 0;
			return;
		}
	}
}

void
get_spf(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	get_results(view, values, "spf");
	drop_contradiction(values);
}

void
get_dmarc(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	get_results(view, values, "dmarc");
	drop_contradiction(values);
}

/* A message may have several signatures; one good one is enough. */
void
get_dkim(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	get_results(view, values, "dkim");
}

/* Dates are those of the arrival: the Date field is the sender's word. */
static void
add_date(struct view *view, struct values *values, const char *format)
{
	struct unix_parts parts =
	    local_time(view->facts, view->facts->received_unix);
	BUF_AUTO text = BUF_INIT;

	for (; *format != '\0'; format++) {
		switch (*format) {
		case 'Y':
			buf_addf(&text, "%04d", parts.year);
			break;
		case 'm':
			buf_addf(&text, "%02d", parts.month);
			break;
		case 'd':
			buf_addf(&text, "%02d", parts.day);
			break;
		case 'H':
			buf_addf(&text, "%02d", parts.hour);
			break;
		default:
			buf_add_char(&text, *format);
		}
	}
	values_add_copy(view, values, buf_span(&text));
}

void
get_date(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	add_date(view, values, "Y-m-d");
}

void
get_date_year(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	add_date(view, values, "Y");
}

void
get_date_month(
    struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	add_date(view, values, "m");
}

void
get_date_day(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	add_date(view, values, "d");
}

void
get_date_hour(struct view *view, const struct slot *slot, struct values *values)
{
	(void)slot;
	add_date(view, values, "H");
}
