#include "rules/field.h"

#include "rules/getters.h"
#include "rules/plan.h"

#define HEADERS(...) ((const char *const[]){__VA_ARGS__, NULL})

static const char *const rcpt_headers[] = {"To", "Cc", "Bcc", "Delivered-To",
    "X-Original-To", "Envelope-To", "Resent-To", "Resent-Cc", "Resent-Bcc",
    NULL};
static const char *const bulk_headers[] = {
    "List-Id", "List-Post", "List-Unsubscribe", "Precedence", NULL};
static const char *const authres_headers[] = {"Authentication-Results", NULL};

static const char *const flag_words[] = {
    "read", "flagged", "answered", "draft", "deleted", NULL};
/* RFC 8601 sections 2.7.1 and 2.7.2, RFC 7489 section 11.2; the last is what
 * Google writes for a domain without a policy. */
static const char *const authres_words[] = {"pass", "fail", "none", "neutral",
    "policy", "softfail", "temperror", "permerror", "bestguesspass", NULL};

/* clang-format off */
const struct field field_table[] = {
	{.name = "from", .type = FIELD_ADDRESS, .get = get_addresses,
	    .headers = HEADERS("From")},
	{.name = "sender", .type = FIELD_ADDRESS, .get = get_addresses,
	    .headers = HEADERS("Sender")},
	{.name = "reply-to", .type = FIELD_ADDRESS, .get = get_addresses,
	    .headers = HEADERS("Reply-To")},
	{.name = "to", .type = FIELD_ADDRESS, .get = get_addresses,
	    .headers = HEADERS("To")},
	{.name = "cc", .type = FIELD_ADDRESS, .get = get_addresses,
	    .headers = HEADERS("Cc")},
	{.name = "bcc", .type = FIELD_ADDRESS, .get = get_addresses,
	    .headers = HEADERS("Bcc")},
	{.name = "rcpt", .type = FIELD_ADDRESS, .get = get_addresses,
	    .headers = rcpt_headers},

	{.name = "subject", .type = FIELD_TEXT, .get = get_headers,
	    .headers = HEADERS("Subject")},
	{.name = "list-id", .type = FIELD_TEXT, .get = get_bracketed,
	    .headers = HEADERS("List-Id")},
	{.name = "message-id", .type = FIELD_TEXT, .get = get_message_id,
	    .headers = HEADERS("Message-ID")},
	{.name = "header", .type = FIELD_TEXT, .get = get_argument,
	    .has_argument = true},
	{.name = "raw", .type = FIELD_TEXT, .get = get_raw,
	    .has_argument = true},
	{.name = "any-header", .type = FIELD_TEXT, .get = get_any_header,
	    .wants_all_headers = true},
	{.name = "body", .type = FIELD_TEXT, .get = get_body,
	    .wants = PLAN_WANTS_BODY},

	{.name = "size", .presence = FIELD_ONE,
	    .type = FIELD_NUMBER, .unit = UNIT_SIZE,
	    .get = get_size},
	{.name = "age", .presence = FIELD_ONE,
	    .type = FIELD_NUMBER, .unit = UNIT_TIME,
	    .get = get_age, .wants_received = true},
	{.name = "sent", .presence = FIELD_MAYBE,
	    .type = FIELD_NUMBER, .unit = UNIT_TIME,
	    .get = get_sent, .headers = HEADERS("Date")},
	{.name = "hour", .presence = FIELD_ONE,
	    .type = FIELD_NUMBER, .unit = UNIT_HOUR,
	    .get = get_hour},
	{.name = "weekday", .presence = FIELD_ONE,
	    .type = FIELD_NUMBER, .unit = UNIT_WEEKDAY,
	    .get = get_weekday},
	{.name = "attachment", .type = FIELD_FACT, .get = get_attachment,
	    .wants = PLAN_WANTS_STRUCTURE},
	{.name = "attachment.name", .type = FIELD_TEXT,
	    .get = get_attachment_names, .wants = PLAN_WANTS_STRUCTURE},
	{.name = "attachment.type", .type = FIELD_TEXT,
	    .get = get_attachment_types, .wants = PLAN_WANTS_STRUCTURE},
	{.name = "attachment.count", .presence = FIELD_ONE,
	    .type = FIELD_NUMBER,
	    .get = get_attachment_count, .wants = PLAN_WANTS_STRUCTURE},
	{.name = "attachment.size", .presence = FIELD_MAYBE,
	    .type = FIELD_NUMBER, .unit = UNIT_SIZE,
	    .get = get_attachment_size, .wants = PLAN_WANTS_STRUCTURE},

	{.name = "flag", .type = FIELD_WORD, .get = get_flags,
	    .words = flag_words},
	{.name = "keyword", .type = FIELD_TEXT, .get = get_keywords},
	{.name = "mailbox", .presence = FIELD_ONE,
	    .type = FIELD_TEXT, .get = get_mailbox},
	{.name = "account", .presence = FIELD_ONE,
	    .type = FIELD_TEXT, .get = get_account},
	{.name = "bulk", .type = FIELD_FACT, .get = get_bulk,
	    .headers = bulk_headers},
	{.name = "auto-submitted", .type = FIELD_TEXT,
	    .get = get_auto_submitted, .headers = HEADERS("Auto-Submitted")},
	{.name = "to-me", .type = FIELD_FACT, .get = get_to_me,
	    .headers = HEADERS("To")},
	{.name = "cc-me", .type = FIELD_FACT, .get = get_to_me,
	    .headers = HEADERS("Cc")},
	{.name = "new-sender", .type = FIELD_FACT, .get = get_new_sender,
	    .wants_sender = true, .headers = HEADERS("From")},
	{.name = "auth.spf", .presence = FIELD_MAYBE,
	    .type = FIELD_WORD, .get = get_spf,
	    .headers = authres_headers, .words = authres_words},
	{.name = "auth.dkim", .type = FIELD_WORD, .get = get_dkim,
	    .headers = authres_headers, .words = authres_words},
	{.name = "auth.dmarc", .presence = FIELD_MAYBE,
	    .type = FIELD_WORD, .get = get_dmarc,
	    .headers = authres_headers, .words = authres_words},

	{.name = "date", .is_variable_only = true, .get = get_date,
	    .wants_received = true},
	{.name = "date.year", .is_variable_only = true, .get = get_date_year,
	    .wants_received = true},
	{.name = "date.month", .is_variable_only = true,
	    .get = get_date_month, .wants_received = true},
	{.name = "date.day", .is_variable_only = true, .get = get_date_day,
	    .wants_received = true},
	{.name = "date.hour", .is_variable_only = true, .get = get_date_hour,
	    .wants_received = true},
	{.name = "preview", .is_variable_only = true, .get = get_preview,
	    .wants = PLAN_WANTS_BODY},
	{.name = NULL},
};
/* clang-format on */

static const struct {
	const char *name;
	enum address_part part;
} parts[] = {
    {"addr", PART_ADDR},
    {"name", PART_NAME},
    {"user", PART_USER},
    {"domain", PART_DOMAIN},
    {"detail", PART_DETAIL},
};

#define ADDRESS_NAMES(field)                                                   \
	field, field ".name", field ".addr", field ".user", field ".domain",   \
	    field ".detail"
#define CONDITION_NAMES                                                        \
	ADDRESS_NAMES("from"), ADDRESS_NAMES("sender"),                        \
	    ADDRESS_NAMES("reply-to"), ADDRESS_NAMES("to"),                    \
	    ADDRESS_NAMES("cc"), ADDRESS_NAMES("bcc"), ADDRESS_NAMES("rcpt"),  \
	    "subject", "list-id", "message-id", "header", "raw", "any-header", \
	    "body", "size", "age", "sent", "hour", "weekday", "attachment",    \
	    "attachment.name", "attachment.type", "attachment.count",          \
	    "attachment.size", "flag", "keyword", "mailbox", "account",        \
	    "bulk", "auto-submitted", "to-me", "cc-me", "new-sender",          \
	    "auth.spf", "auth.dkim", "auth.dmarc"

static const char *const condition_names[] = {CONDITION_NAMES, "all", NULL};
static const char *const variable_names[] = {CONDITION_NAMES, "date",
    "date.year", "date.month", "date.day", "date.hour", "preview", NULL};

const struct field *
field_find(struct span name)
{
	for (const struct field *field = field_table; field->name != NULL;
	     field++)
		if (span_is_nocase(name, field->name))
			return field;
	return NULL;
}

const struct field *
field_find_part(struct span name, enum address_part *part_r)
{
	const struct field *field = field_find(name);
	size_t dot = span_find(name, '.');

	*part_r = PART_ADDR;
	if (field != NULL || dot == SIZE_MAX)
		return field;
	field = field_find(span_slice(name, 0, dot));
	if (field == NULL || field->type != FIELD_ADDRESS ||
	    !address_part_find(span_skip(name, dot + 1), part_r))
		return NULL;
	return field;
}

const char *const *
field_names(bool for_variable)
{
	return for_variable ? variable_names : condition_names;
}

const char *
address_part_name(enum address_part part)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (parts[i].part == part)
			return parts[i].name;
	return "";
}

bool
address_part_find(struct span name, enum address_part *part_r)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		if (span_is_nocase(name, parts[i].name)) {
			*part_r = parts[i].part;
			return true;
		}
	}
	return false;
}
