/*
 * Actions as one line of text, for the journal:
 *
 *   line    = kind *( SP name "=" value )
 *   value   = *( plain / "%" 2HEXDIG )
 *   plain   = %x21-24 / %x26-7E             ; printable ASCII but "%"
 *
 * A member of a vector is one pair; a string that is not set has none.
 * Members at their default are left out, so that a member which a later
 * version adds does not change the lines of old actions.
 */
#include "daemon/base/str.h"
#include "daemon/base/xalloc.h"
#include "rules/plan.h"

#include <stddef.h>

enum member_type {
	MEMBER_STRING,
	MEMBER_STRINGS,
	MEMBER_BOOL,
	MEMBER_NUMBER,
	MEMBER_WORD,
	MEMBER_RULE,
};

struct member {
	const char *name;
	enum member_type type;
	size_t offset;
	const char *const *words; /* by number; the first is... */
	unsigned fallback;	  /* ...or this one, the default */
};

static const char *const mode_words[] = {"attach", "redirect", "inline", NULL};
static const char *const unknown_words[] = {"resend", "hold", "drop", NULL};
static const char *const urgency_words[] = {"low", "normal", "critical", NULL};

#define AT(name) offsetof(struct action, name)

static const struct member members[] = {
    {"rule", MEMBER_RULE, AT(rule), NULL, 0},
    {"target", MEMBER_STRING, AT(target), NULL, 0},
    {"create", MEMBER_BOOL, AT(create), NULL, 0},
    {"as", MEMBER_WORD, AT(mode), mode_words, FORWARD_ATTACH},
    {"unknown", MEMBER_WORD, AT(unknown), unknown_words, UNKNOWN_RESEND},
    {"allow-list", MEMBER_BOOL, AT(allow_list), NULL, 0},
    {"allow-auto", MEMBER_BOOL, AT(allow_auto), NULL, 0},
    {"allow-junk", MEMBER_BOOL, AT(allow_junk), NULL, 0},
    {"arg", MEMBER_STRINGS, AT(argv), NULL, 0},
    {"stdin-message", MEMBER_BOOL, AT(stdin_message), NULL, 0},
    {"retry", MEMBER_NUMBER, AT(retry), NULL, 0},
    {"repeat-safe", MEMBER_BOOL, AT(repeat_safe), NULL, 0},
    {"add", MEMBER_STRINGS, AT(add), NULL, 0},
    {"remove", MEMBER_STRINGS, AT(remove), NULL, 0},
    {"urgency", MEMBER_WORD, AT(urgency), urgency_words, URGENCY_NORMAL},
    {"title", MEMBER_STRING, AT(title), NULL, 0},
    {"text", MEMBER_STRING, AT(text), NULL, 0},
    {"sound", MEMBER_STRING, AT(sound), NULL, 0},
    {"icon", MEMBER_STRING, AT(icon), NULL, 0},
    {"via", MEMBER_STRINGS, AT(via), NULL, 0},
    {"except", MEMBER_STRINGS, AT(except), NULL, 0},
    {"after", MEMBER_NUMBER, AT(after), NULL, 0},
    {"unless-read", MEMBER_BOOL, AT(unless_read), NULL, 0},
};

#define MEMBER_COUNT (sizeof(members) / sizeof(*members))

/* The enums are members by number; all have unsigned's size. */
_Static_assert(sizeof(enum forward_mode) == sizeof(unsigned) &&
		   sizeof(enum forward_unknown) == sizeof(unsigned) &&
		   sizeof(enum urgency) == sizeof(unsigned),
    "words are read and written as unsigned");

static unsigned
get_unsigned(const struct action *action, const struct member *member)
{
	unsigned value;

	memcpy(&value, (const char *)action + member->offset, sizeof(value));
	return value;
}

static void
set_unsigned(struct action *action, const struct member *member, unsigned value)
{
	memcpy((char *)action + member->offset, &value, sizeof(value));
}

/* Formatting. */

static void
add_escaped(struct buf *buf, const char *text)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c > '~' || c == '%')
			buf_addf(buf, "%%%02X", c);
		else
			buf_add_char(buf, *text);
	}
}

static void
add_pair(struct buf *buf, const struct member *member, const char *value)
{
	buf_addf(buf, " %s=", member->name);
	add_escaped(buf, value);
}

static void
add_number(struct buf *buf, const struct member *member, unsigned value)
{
	if (value == member->fallback)
		return;
	if (member->words != NULL)
		buf_addf(buf, " %s=%s", member->name, member->words[value]);
	else
		buf_addf(buf, " %s=%u", member->name, value);
}

static void
add_member(
    struct buf *buf, const struct action *action, const struct member *member)
{
	const void *at = (const char *)action + member->offset;

	switch (member->type) {
	case MEMBER_RULE:
		if (action->rule[0] != '\0')
			add_pair(buf, member, action->rule);
		break;
	case MEMBER_STRING:
		if (*(char *const *)at != NULL)
			add_pair(buf, member, *(char *const *)at);
		break;
	case MEMBER_STRINGS:
		for (size_t i = 0; i < ((const struct strv *)at)->len; i++)
			add_pair(
			    buf, member, ((const struct strv *)at)->items[i]);
		break;
	case MEMBER_BOOL:
		if (*(const bool *)at)
			add_pair(buf, member, "yes");
		break;
	case MEMBER_NUMBER:
	case MEMBER_WORD:
		add_number(buf, member, get_unsigned(action, member));
		break;
	}
}

void
action_format(struct buf *buf, const struct action *action)
{
	buf_add_str(buf, action_name(action->kind));
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		add_member(buf, action, &members[i]);
}

/* Parsing. */

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* NULL when it is no value, or has a NUL. */
static char *
unescape(struct span text)
{
	struct buf buf = BUF_INIT;

	for (size_t i = 0; i < text.len; i++) {
		int high, low;

		if (text.data[i] != '%') {
			if (text.data[i] <= ' ' || text.data[i] > '~')
				goto fail;
			buf_add_char(&buf, text.data[i]);
			continue;
		}
		if (i + 2 >= text.len)
			goto fail;
		high = hex_value(text.data[i + 1]);
		low = hex_value(text.data[i + 2]);
		if (high < 0 || low < 0 || high + low == 0)
			goto fail;
		buf_add_char(&buf, (char)(high << 4 | low));
		i += 2;
	}
	return buf_take_str(&buf);
fail:
	buf_done(&buf);
	return NULL;
}

static bool
set_word(struct action *action, const struct member *member, const char *value)
{
	for (unsigned i = 0; member->words[i] != NULL; i++) {
		if (strcmp(member->words[i], value) == 0) {
			set_unsigned(action, member, i);
			return true;
		}
	}
	return false;
}

static bool
set_number(
    struct action *action, const struct member *member, const char *value)
{
	uint32_t number;

	if (!span_to_u32(span_from_str(value), &number))
		return false;
	set_unsigned(action, member, number);
	return true;
}

static bool
set_member(
    struct action *action, const struct member *member, const char *value)
{
	void *at = (char *)action + member->offset;

	switch (member->type) {
	case MEMBER_RULE:
		if (strlen(value) > RULE_ID_MAX || action->rule[0] != '\0')
			return false;
		memcpy(action->rule, value, strlen(value) + 1);
		return true;
	case MEMBER_STRING:
		if (*(char **)at != NULL)
			return false;
		*(char **)at = xstrdup(value);
		return true;
	case MEMBER_STRINGS:
		strv_add(at, value);
		return true;
	case MEMBER_BOOL:
		*(bool *)at = true;
		return strcmp(value, "yes") == 0;
	case MEMBER_NUMBER:
		return set_number(action, member, value);
	case MEMBER_WORD:
		return set_word(action, member, value);
	}
	return false;
}

static bool
parse_pair(struct action *action, struct span pair)
{
	size_t equals = span_find(pair, '=');
	STR_AUTO value = NULL;

	if (equals == SIZE_MAX)
		return false;
	value = unescape(span_skip(pair, equals + 1));
	if (value == NULL)
		return false;
	for (size_t i = 0; i < MEMBER_COUNT; i++)
		if (span_is(span_slice(pair, 0, equals), members[i].name))
			return set_member(action, &members[i], value);
	return false;
}

static bool
parse_kind(struct span name, enum action_kind *kind_r)
{
	for (unsigned kind = 0; kind < ACTION_KINDS; kind++) {
		if (span_is(name, action_name((enum action_kind)kind))) {
			*kind_r = (enum action_kind)kind;
			return true;
		}
	}
	return false;
}

bool
action_parse(struct span text, struct action *action_r)
{
	struct action action;
	enum action_kind kind;
	struct span piece;

	if (!span_split(&text, ' ', &piece) || !parse_kind(piece, &kind))
		return false;
	action_init(&action, kind);
	while (span_split(&text, ' ', &piece)) {
		if (!parse_pair(&action, piece)) {
			action_done(&action);
			return false;
		}
	}
	*action_r = action;
	return true;
}
